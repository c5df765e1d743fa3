"""What a run leaves behind: the same facts as data, as text and for machines, and no key in any."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from contracts.events import Found, RunFinished, RunStarted, SecondOpinions
from contracts.exchange import Exchange
from contracts.failures import Finding
from contracts.reports import html, junit
from contracts.reports.console import Terminal, summary
from contracts.reports.record import SCHEMA, record, write
from contracts.rules import RULES
from contracts.stage import INGRESS, MODACK, PUT

KEY = "s3cret-key-of-one"


def finding(rule: str, **members: Any) -> Finding:
    """A finding that shows a key wherever it can."""
    sent = (("x-arklow-auth", KEY), ("content-type", "application/json"))
    shown = Exchange("POST", "http://target/v1/modack", sent, b'{"a":1}', 200, (), KEY.encode())
    members = {"exchanges": (shown,), **members}
    return Finding(rule, MODACK, f"A title with {KEY}", f"not {KEY}", f"200 {KEY}", **members)


def finished(**members: Any) -> RunFinished:
    """A run that found something of every kind."""
    run = RunFinished(
        target="http://target",
        document="arklow.openapi.yaml",
        digest="d" * 64,
        seed=3,
        started="2026-01-01T00:00:00+00:00",
        seconds=1.5,
        requests=100,
        served={PUT: 1, INGRESS: 2, MODACK: 0},
        violations=(finding("PAGE-5", also=(INGRESS, PUT)),),
        warnings=(finding("AUTH-8"),),
        readings={"unknown variant": "refused", "alias": f"{KEY}"},
        not_verified={"LEASE-8": f"no lease, {KEY}", "RACE-1": f"no lease, {KEY}", "ORG-1": "no second key"},
        tested={"PAGE-5": 7, "AUTH-8": 2, "PAGE-4": 1},
        weather={"503": 2},
        opinions=SecondOpinions(5, 10, (f"one {KEY}",)),
        inconclusive=None,
        strict=False,
        negatives={
            (PUT, "variant", "type"): "proven",
            (PUT, "alias/0", "type"): "masked",
            (PUT, "", "type"): "not tried",
            (MODACK, "attempt", "minimum"): "accepted",
            (MODACK, "attempt", "type"): "proven",
            (MODACK, "mod_ack", "type"): "proven",
        },
        secrets={KEY: "$MY_KEY"},
    )
    return replace(run, **members)


def text(run: RunFinished) -> str:
    """The summary as a person reads it."""
    return "\n".join(line.plain for line in summary(run))


RUNS = {
    "violations": finished(),
    "warnings": finished(violations=(), strict=True),
    "conforms": finished(violations=(), warnings=()),
    "inconclusive": finished(violations=(), warnings=(), inconclusive=f"nothing was accepted with {KEY}"),
}


@pytest.mark.parametrize("verdict", RUNS)
def test_the_record_keeps_its_schema(verdict: str, tmp_path: Path) -> None:
    """Whatever the verdict is, and as it is in the file."""
    write(RUNS[verdict], tmp_path)

    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(data)
    assert data == record(RUNS[verdict])
    assert (data["verdict"], data["exit_code"]) == (verdict, RUNS[verdict].exit_code)


def test_the_schema_of_the_record_lets_nothing_else_pass() -> None:
    """A member more, one less, or another type is no report."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator, data = Draft202012Validator(schema), record(finished())

    assert validator.is_valid(data)
    assert {"target", "violations", "verdict", "exit_code"} <= set(schema["required"])
    for name in schema["required"]:
        assert not validator.is_valid({other: data[other] for other in data if other != name}), name
    assert not validator.is_valid(data | {"more": 1})
    assert not validator.is_valid(data | {"negatives": [{**data["negatives"][0], "outcome": "perhaps"}]})
    assert not validator.is_valid(data | {"violations": [{"rule": "PAGE-5"}]})


@pytest.mark.parametrize("verdict", RUNS)
def test_no_report_has_a_key(verdict: str, tmp_path: Path) -> None:
    """Not in titles, values, readings, reasons or examples; the variable stands for it."""
    for report in (write, junit.write, html.write):
        report(RUNS[verdict], tmp_path)

    everything = text(RUNS[verdict]) + "".join(file.read_text("utf-8") for file in tmp_path.iterdir())
    assert {file.name for file in tmp_path.iterdir()} == {"report.json", "junit.xml", "report.html"}
    assert KEY not in everything
    assert "$MY_KEY" in everything


def test_a_finding_is_one_sentence_of_operation_and_rule() -> None:
    """The same in the record and in the summary; the operations that break it too stand below."""
    data = record(finished())["violations"][0]

    assert data["sentence"] == "POST /v1/modack breaks PAGE-5: a title with $MY_KEY"
    assert data["also"] == [INGRESS, PUT]
    lines = text(finished()).splitlines()
    at = lines.index("VIOLATION 1  POST /v1/modack breaks PAGE-5: a title with $MY_KEY.")
    assert lines[at + 1] == f"  also      {INGRESS}, {PUT}"
    assert lines[at + 2 : at + 4] == ["  expected  not $MY_KEY", "  actual    200 $MY_KEY"]
    assert lines[at + 4] == f"  rule      {RULES['PAGE-5'].title} ({RULES['PAGE-5'].source})"


def test_the_example_sends_what_was_sent() -> None:
    """As one line of curl, with the variable for the key."""
    curl = record(finished())["violations"][0]["curl"]

    assert curl.startswith("curl -si http://target/v1/modack ")
    assert '"$MY_KEY"' in curl
    assert curl in "\n".join(line.removeprefix("  ") for line in text(finished()).splitlines())


def test_bodies_that_break_one_member_are_counted_by_what_they_proved() -> None:
    """Those that say nothing are named."""
    lines = text(finished()).splitlines()
    at = lines.index("Bodies that break one member in one way")

    assert [" ".join(line.split()) for line in lines[at + 1 : at + 3]] == [
        f"{PUT} 1 proven, 1 masked, 1 not tried: alias/0 type, body type",
        f"{MODACK} 2 proven, 1 accepted",
    ]
    assert record(finished())["negatives"][1] == {
        "operation": PUT,
        "place": "alias/0",
        "keyword": "type",
        "outcome": "masked",
    }


def test_rules_that_were_not_verified_for_one_reason_share_a_line() -> None:
    """The reason is said once."""
    lines = [" ".join(line.split()) for line in text(finished()).splitlines()]

    assert "LEASE-8, RACE-1 no lease, $MY_KEY" in lines
    assert "ORG-1 no second key" in lines


@pytest.mark.parametrize(
    ("verdict", "last"),
    [
        ("violations", "✗ 1 violation, 1 warning"),
        ("warnings", "✗ 0 violations, 1 warning"),
        ("conforms", "✓ Conforms: no violation"),
        ("inconclusive", "? Inconclusive: nothing was accepted with $MY_KEY"),
    ],
)
def test_the_verdict_comes_last(verdict: str, last: str) -> None:
    """In one line."""
    assert text(RUNS[verdict]).splitlines()[-1] == last


def test_junit_has_a_case_for_each_rule(tmp_path: Path) -> None:
    """A violation fails, a warning does not, what was not tested is skipped, and an empty run fails."""

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


def test_what_xml_cannot_hold_is_replaced(tmp_path: Path) -> None:
    """An answer may have any character."""
    odd = finding("PAGE-5", place="\x00")
    junit.write(finished(violations=(replace(odd, title="a\x00b\x1b"),)), tmp_path)

    assert "a�b�" in (tmp_path / "junit.xml").read_text("utf-8")


def test_a_page_escapes_what_a_target_says(tmp_path: Path) -> None:
    """It is shown, and does nothing."""
    html.write(finished(violations=(finding("PAGE-5", place="x"),), target="<script>x</script>"), tmp_path)

    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_finding_is_printed_as_soon_as_it_is_known() -> None:
    """Its weight, its rule and its sentence; markup of the target is text."""
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=200), {KEY: "$MY_KEY"})
    terminal(RunStarted("http://[bold]target", "d.yaml", "d" * 64, 3, 30.0))

    terminal(Found(finding("PAGE-5")))

    assert out.getvalue().splitlines() == [
        "http://[bold]target judged by d.yaml dddddddddddd, seed 3, up to 30 s",
        "violation  POST /v1/modack breaks PAGE-5: a title with $MY_KEY",
    ]
