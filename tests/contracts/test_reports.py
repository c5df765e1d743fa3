"""Reports say the same facts in every format, and none of them has a key."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from jsonschema import Draft202012Validator
from rich.console import Console

from contracts.core.baseline import BaselineEntry
from contracts.core.events import (
    Advanced,
    CrossChecked,
    Event,
    Found,
    PhaseStarted,
    RunFinished,
    RunStarted,
)
from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.core.rules import RULES
from contracts.core.serialization import finding_from
from contracts.core.target import Credential, Target
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.reports import (
    generated_tests,
    html,
    junit,
    sarif,
)
from contracts.reports.console import Terminal, summary_lines
from contracts.reports.github import announce, job_summary
from contracts.reports.json_report import SCHEMA, report_data, write
from contracts.reports.screen import Ending

KEY = "s3cret-key-of-one"


def finding(rule: str, **members: Any) -> Finding:
    """Return a finding with a key in every text that it has."""
    sent = (("x-arklow-auth", KEY), ("content-type", "application/json"))
    shown = Exchange("POST", "http://target/v1/modack", sent, b'{"a":1}', 200, (), KEY.encode())
    members = {"exchanges": (shown,), "fault": "a fault", **members}
    return Finding(rule, MODACK, f"A title with {KEY}", f"not {KEY}", f"200 {KEY}", **members)


def finished(**members: Any) -> RunFinished:
    """Return a run that found something of every kind."""
    run = RunFinished(
        target="http://target",
        document="arklow.openapi.yaml",
        digest="d" * 64,
        seed=3,
        started="2026-01-01T00:00:00+00:00",
        seconds=1.5,
        requests=100_000,
        served={PUT: 1, INGRESS: 2, MODACK: 0},
        violations=(finding("PAGE-5"),),
        warnings=(finding("AUTH-8"),),
        interpretations={"unknown variant": "refused", "alias": f"{KEY}"},
        not_verified={"LEASE-8": f"no lease, {KEY}", "RACE-1": f"no lease, {KEY}", "ORG-1": "no second key"},
        tested={"PAGE-5": 7, "AUTH-8": 2, "PAGE-4": 1},
        interference={"503": 2},
        cross_check=CrossChecked(5, 10, (f"one {KEY}",)),
        inconclusive=None,
        strict=False,
        negatives={
            (PUT, "variant", "type"): "confirmed",
            (PUT, "alias/0", "type"): "masked",
            (PUT, "", "type"): "not attempted",
            (MODACK, "attempt", "minimum"): "accepted",
            (MODACK, "attempt", "type"): "confirmed",
            (MODACK, "mod_ack", "type"): "confirmed",
        },
        secrets={KEY: "$MY_KEY"},
        run_id="ab12",
    )
    return replace(run, **members)


def text(run: RunFinished) -> str:
    """Return the summary as plain text."""
    return "\n".join(line.plain for line in summary_lines(run, verbose=True))


RUNS = {
    "violations": finished(),
    "warnings": finished(violations=(), strict=True),
    "conforms": finished(violations=(), warnings=()),
    "inconclusive": finished(violations=(), warnings=(), inconclusive=f"nothing was accepted with {KEY}"),
}


@pytest.mark.parametrize("verdict", RUNS)
def test_report_json_keeps_its_schema(verdict: str, tmp_path: Path) -> None:
    """For every verdict, as it is written to the file."""
    write(RUNS[verdict], tmp_path)

    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(data)
    assert data == report_data(RUNS[verdict])
    assert (data["verdict"], data["exit_code"]) == (verdict, RUNS[verdict].exit_code)


def test_the_schema_of_report_json_is_strict() -> None:
    """It refuses another member, a missing one and another type."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator, data = Draft202012Validator(schema), report_data(finished())

    assert validator.is_valid(data)
    assert {"target", "violations", "verdict", "exit_code"} <= set(schema["required"])
    for name in schema["required"]:
        assert not validator.is_valid({other: data[other] for other in data if other != name}), name
    assert not validator.is_valid(data | {"more": 1})
    assert not validator.is_valid(data | {"negatives": [{**data["negatives"][0], "outcome": "perhaps"}]})
    assert not validator.is_valid(data | {"violations": [{"rule": "PAGE-5"}]})


def test_a_finding_read_from_a_report_has_its_id_again() -> None:
    """Its exchanges have the keys of the target that is given, even if its place has one."""
    found = finding("PAGE-5", place=f"200 data/tags/{KEY}", times=300, question="alias")
    target = Target("http://target", "http://target", Credential(KEY, "1", "MY_KEY"))
    [data] = report_data(finished(violations=(found,)))["violations"]

    again = finding_from(json.loads(json.dumps(data)), target)

    assert KEY not in f"{data}"
    assert (again.id, again.times, again.question) == (data["id"], 300, "alias")
    assert [(one.url, one.headers, one.body) for one in again.exchanges] == [
        (one.url, one.headers, one.body) for one in found.exchanges
    ]


@pytest.mark.parametrize("verdict", RUNS)
def test_no_report_has_a_key(verdict: str, tmp_path: Path) -> None:
    """The variable stands for it in titles, values, interpretations, reasons and examples."""
    for report in (write, junit.write, html.write, sarif.write, generated_tests.write):
        report(RUNS[verdict], tmp_path)
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    lines = announce(RUNS[verdict], environment)

    written = [file for file in tmp_path.rglob("*.*") if file.is_file()]
    everything = "".join([text(RUNS[verdict]), *lines, *(file.read_text("utf-8") for file in written)])
    assert {file.name for file in written if file.parent == tmp_path} == {
        *("report.json", "junit.xml", "report.html", "report.sarif", "summary.md"),
    }
    assert KEY not in everything
    assert "$MY_KEY" in everything


def test_a_finding_is_one_sentence_of_operation_and_rule() -> None:
    """The same in report.json and in the summary."""
    data = report_data(finished())["violations"][0]

    assert data["sentence"] == "POST /v1/modack breaks PAGE-5: a title with $MY_KEY"
    lines = text(finished()).splitlines()
    at = lines.index("VIOLATION  POST /v1/modack breaks PAGE-5: a title with $MY_KEY.")
    assert lines[at + 1 : at + 3] == ["  expected  not $MY_KEY", "  actual    200 $MY_KEY"]
    assert lines[at + 3] == f"  rule      {RULES['PAGE-5'].title} ({RULES['PAGE-5'].source})"


def test_the_example_sends_what_was_sent() -> None:
    """One line of curl, with the variable for the key."""
    curl = report_data(finished())["violations"][0]["curl"]

    assert curl.startswith("curl -sS --globoff -i http://target/v1/modack ")
    assert '"$MY_KEY"' in curl
    assert curl in "\n".join(line.removeprefix("  ") for line in text(finished()).splitlines())


def test_bodies_with_one_broken_member_are_counted_by_their_outcome() -> None:
    """Those that prove nothing are named."""
    lines = text(finished()).splitlines()
    at = lines.index("Bodies with one broken member")

    assert [" ".join(line.split()) for line in lines[at + 1 : at + 3]] == [
        f"{PUT} 1 confirmed, 1 masked, 1 not attempted: alias/0 type, body type",
        f"{MODACK} 2 confirmed, 1 accepted",
    ]
    assert report_data(finished())["negatives"][1] == {
        "operation": PUT,
        "place": "alias/0",
        "keyword": "type",
        "outcome": "masked",
    }


def test_a_finding_says_what_is_at_fault_when_it_was_seen_and_how_to_replay_it() -> None:
    """With the server's own id of the request, and how often the finding was reproduced."""
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    sent = Exchange(
        *("POST", "http://target/v1/modack", (), b"{}", 200, (("x-request-id", "r-77"),), b'{"data": null}'),
        at=1767225600.25,
        trace=trace,
    )
    three = finding("LEASE-3", exchanges=(sent,), confirmed=2, attempts=3)
    run = finished(violations=(three, finding("PAGE-8")))

    ending = Ending(Path("out"))
    said = [" ".join(line.plain.split()) for line in summary_lines(run, ending, verbose=True)]
    at = said.index("at fault the application, as the answer is its envelope")
    assert said[at + 1 : at + 3] == [
        f"when 2026-01-01 00:00:00.250 UTC, traceparent {trace}, request id r-77",
        "evidence shown again 2 of 3",
    ]
    assert "replay arklow-contracts replay LEASE-3-27dc36e8 --report out" in said
    assert "test pytest out/tests/test_lease_3_27dc36e8.py" in said
    assert "evidence seen once, which is proof" in said
    assert "replay arklow-contracts replay LEASE-3-27dc36e8, after a run with --report-dir DIR" in " ".join(
        text(run).split()
    )


def test_a_finding_of_recorded_traffic_is_not_replayed(tmp_path: Path) -> None:
    """It has no test and no hint, as another client sent its requests."""
    recorded = finished(run_id="")
    generated_tests.write(recorded, tmp_path)

    assert not list(tmp_path.iterdir())
    assert "\n  replay " not in text(recorded)
    assert "Again" not in str(
        [sarif.sarif_log(report_data(recorded), {}), *announce(recorded, {"GITHUB_ACTIONS": "true"})]
    )


def known(rule: str, state: Any) -> BaselineEntry:
    """Return an entry of the baseline for a finding of a rule."""
    return BaselineEntry(finding(rule).id, "what broke", "anna", "ticket 12", date(2026, 12, 1), state)


def test_junit_has_a_case_for_each_rule(tmp_path: Path) -> None:
    """A violation fails, a warning does not, an unverified rule is skipped, and a run that proves nothing fails."""

    def outcomes(run: RunFinished) -> dict[str, str]:
        junit.write(run, tmp_path)
        root = ElementTree.parse(tmp_path / "junit.xml").getroot()
        return {
            str(case.get("name")).split()[0]: next(
                (one.tag for one in case if one.tag != "system-out"), "passed"
            )
            for case in root.iter("testcase")
        }

    usual, strict = outcomes(finished()), outcomes(finished(strict=True))
    empty = outcomes(RUNS["inconclusive"])

    assert usual == {
        "PAGE-5": "failure",
        "AUTH-8": "passed",
        "PAGE-4": "passed",
        **dict.fromkeys(("LEASE-8", "RACE-1", "ORG-1"), "skipped"),
    }
    assert strict["AUTH-8"] == "failure"
    assert empty["the"] == "failure"


JUNIT = xmlschema.XMLSchema(Path(__file__).parents[1] / "data" / "junit" / "junit-10.xsd")


@pytest.mark.parametrize("verdict", RUNS)
@pytest.mark.parametrize("strict", [True, False])
def test_junit_keeps_the_schema_of_jenkins(verdict: str, strict: bool, tmp_path: Path) -> None:
    """For every verdict, with excused findings and characters that XML has not."""
    odd = replace(finding("PAGE-9"), title="a\x00b\x1b")
    run = replace(RUNS[verdict], strict=strict, baseline=(known("PAGE-5", "excused"),), seconds=36_000.4)
    junit.write(replace(run, violations=(*run.violations, odd)), tmp_path)

    JUNIT.validate(tmp_path / "junit.xml")
    assert not JUNIT.is_valid("<testsuites skipped='1'/>")


def test_an_excused_finding_is_skipped_in_junit(tmp_path: Path) -> None:
    """With its owner, end and reason; beside another finding of its rule it is no reason to pass."""
    again = finding("PAGE-5", place="x")
    entry = known("PAGE-5", "excused")
    found = {}
    for violations in ((finding("PAGE-5"),), (finding("PAGE-5"), again)):
        junit.write(finished(violations=violations, baseline=(entry,)), tmp_path)
        root = ElementTree.parse(tmp_path / "junit.xml").getroot()
        [case] = [one for one in root.iter("testcase") if str(one.get("name")).startswith("PAGE-5 ")]
        found[len(violations)] = {one.tag: f"{one.get('message')} {one.text}" for one in case}

    assert "excused: anna, until 2026-12-01: ticket 12 (PAGE-5-27dc36e8)" in found[1]["skipped"]
    assert found[2].keys() == {"failure", "system-out"}


def test_characters_that_xml_cannot_hold_are_escaped(tmp_path: Path) -> None:
    """An answer may have them all the same."""
    odd = finding("PAGE-5", place="\x00")
    junit.write(finished(violations=(replace(odd, title="a\x00b\x1b"),)), tmp_path)

    assert "a\\x00b\\x1b" in (tmp_path / "junit.xml").read_text("utf-8")


def test_the_html_page_escapes_the_words_of_a_target(tmp_path: Path) -> None:
    """A script in them is shown as text."""
    html.write(finished(violations=(finding("PAGE-5", place="x"),), target="<script>x</script>"), tmp_path)

    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_finding_is_printed_as_soon_as_it_is_confirmed() -> None:
    """With its severity and its sentence; markup in the words of the target is text."""
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=200), {KEY: "$MY_KEY"})
    terminal(RunStarted("http://[bold]target", "d.yaml", "d" * 64, 3, 30.0))

    terminal(Found(finding("PAGE-5")))

    assert out.getvalue().splitlines() == [
        "http://[bold]target judged by d.yaml dddddddddddd, seed 3, up to 30 s",
        "violation  POST /v1/modack breaks PAGE-5: a title with $MY_KEY  PAGE-5-27dc36e8",
    ]


def heard(*events: Event, is_terminal: bool = False) -> list[str]:
    """Return the lines that a terminal prints of events."""
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=200, force_terminal=is_terminal, no_color=True), {})
    for event in events:
        terminal(event)
    terminal.close()
    return out.getvalue().splitlines()


def test_progress_is_a_line_now_and_then() -> None:
    """Every five seconds at first, later when a tenth of the time has passed."""
    moments = (0.3, 1.0, 5.4, 10.3, 10.5, 100.0, 105.0, 110.1)
    lines = heard(PhaseStarted("tour"), *(Advanced(at, 1200, 1, 2) for at in moments))

    assert lines[0] == "   0 s   1200 requests  1 violation  2 warnings  tour"
    assert [line.split()[0] for line in lines] == ["0", "5", "10", "100", "110"]


def test_progress_on_a_terminal_is_one_line_that_moves() -> None:
    """It names the limit, and is gone when the run is over."""
    begin = RunStarted("http://target", "d.yaml", "d" * 64, 3, 30.0)
    text = "\n".join(heard(begin, Advanced(1.0, 7, 0, 1), finished(), is_terminal=True))

    assert "1 of 30 s" in text
    assert text.count("judged by") == 1
    assert "of 30 s" not in "\n".join(heard(begin, Advanced(1.0, 7, 0, 1)))


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 1), "0 violations  1 warning "),
        ((1, 0), "1 violation  0 warnings "),
        ((2, 5), "2 violations  5 warnings "),
    ],
)
def test_findings_are_counted_in_words(counts: tuple[int, int], said: str) -> None:
    """One is one."""
    [line] = heard(Advanced(0.0, 9, *counts))

    assert said in line


def test_every_report_tells_a_suspicion(tmp_path: Path) -> None:
    """A rule that seemed to be broken counts as verified in none of them."""
    why = "it could not be tried again: the time was up"
    run = finished(violations=(), not_verified={"LEASE-3": why}, suspected={"LEASE-3": why}, inconclusive="?")
    junit.write(run, tmp_path)
    html.write(run, tmp_path)
    for place in ("junit.xml", "report.html"):
        assert why in (tmp_path / place).read_text("utf-8"), place
    assert why in text(run)
    assert f"- suspected: LEASE-3: {why}" in job_summary(report_data(run))
    assert report_data(run)["suspected"] == [{"rule": "LEASE-3", "why": why}]
