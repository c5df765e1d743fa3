"""The reports for GitHub: SARIF for code scanning, commands and a summary for Actions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from contracts.core.baseline import BaselineEntry
from contracts.core.rules import RULES
from contracts.reports import sarif
from contracts.reports.github import announce, commands, job_summary
from contracts.reports.json_report import report_data
from contracts.reports.markdown import cell
from tests.contracts.test_reports import RUNS, finding, finished, known

DATA = Path(__file__).parents[1] / "data"


PLACES = {"": ("api/d.yaml", 1), "/v1/modack": ("api/d.yaml", 7), "POST /v1/modack": ("api/d.yaml", 8)}


def log(*entries: BaselineEntry, places: dict[str, tuple[str, int]] | None = None) -> dict[str, Any]:
    """The only SARIF run of a judged run that found something of every kind."""
    data = report_data(finished(baseline=entries))
    [run] = sarif.sarif_log(data, PLACES if places is None else places)["runs"]
    assert isinstance(run, dict)
    return run


def test_a_result_has_its_rule_its_level_its_id_and_its_place() -> None:
    """The place is the operation's line in the document that was judged by; the id is the same in every run."""
    results = log()["results"]

    assert [(one["ruleId"], one["level"]) for one in results] == [("PAGE-5", "error"), ("AUTH-8", "warning")]
    first = results[0]
    assert first["partialFingerprints"] == {"arklowFinding/v1": "PAGE-5-27dc36e8"}
    assert first["message"]["text"].startswith("POST /v1/modack breaks PAGE-5: a title with $MY_KEY.\n")
    assert "At fault: the application" in first["message"]["text"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "api/d.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 8},
    }
    assert first["locations"][0]["logicalLocations"] == [{"name": "POST /v1/modack"}]


def test_without_a_document_of_the_repository_no_file_of_it_is_named() -> None:
    """GitHub refuses a log with a result that has no location, and takes one that it does not find."""
    [place] = {
        str(one["locations"][0]["physicalLocation"]["artifactLocation"]) for one in log(places={})["results"]
    }

    assert "no%20file%20of%20this%20repository" in place
    assert all(" file=" not in line for line in commands(report_data(finished()), {}))


def test_a_method_that_a_path_has_not_is_placed_at_the_path() -> None:
    """And an operation that the document has not at its first line."""
    assert sarif.place_of("GET /v1/modack", PLACES) == ("api/d.yaml", 7)
    assert sarif.place_of("POST /v1/ack", PLACES) == ("api/d.yaml", 1)
    assert sarif.place_of("POST /v1/ack", {}) is None


SARIF_SCHEMA = Draft4Validator(json.loads((DATA / "sarif" / "sarif-2.1.0-rtm.5.json").read_text("utf-8")))


@pytest.mark.parametrize("verdict", RUNS)
@pytest.mark.parametrize("places", [PLACES, {}], ids=["a document of the repository", "none"])
def test_the_log_keeps_the_schema_of_sarif(
    verdict: str, places: dict[str, tuple[str, int]], tmp_path: Path
) -> None:
    """For every verdict, with findings that are excused too."""
    run = replace(RUNS[verdict], baseline=(known("AUTH-8", "excused"),), places=places)
    sarif.write(run, tmp_path)

    SARIF_SCHEMA.validate(json.loads((tmp_path / "report.sarif").read_text("utf-8")))
    assert not SARIF_SCHEMA.is_valid({"version": "2.1.0"})


def test_every_rule_of_a_result_is_described() -> None:
    """With its sentence, its source and where to read more; results refer to it by its index too."""
    run = sarif.sarif_log(report_data(finished()), PLACES)["runs"][0]
    rules = run["tool"]["driver"]["rules"]

    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert RULES[rule["id"]].title in rule["help"]["text"]
        assert f"arklow-contracts explain {rule['id']}" in rule["help"]["text"]


def test_a_finding_that_the_baseline_excuses_is_no_result() -> None:
    """The log names it, with its owner and reason; an expired entry excuses no finding."""
    run = log(known("PAGE-5", "excused"), known("AUTH-8", "expired"))

    assert [one["ruleId"] for one in run["results"]] == ["AUTH-8"]
    assert run["properties"]["excused"] == [
        {"id": "PAGE-5-27dc36e8", "because": "anna, until 2026-12-01: ticket 12"}
    ]


def test_an_inconclusive_run_is_no_successful_one() -> None:
    """A notification says why."""
    nothing = finished(violations=(), warnings=(), inconclusive="no answer")
    run = sarif.sarif_log(report_data(nothing), PLACES)["runs"][0]

    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["startTimeUtc"] == "2026-01-01T00:00:00.000Z"
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "no answer"
    assert run["results"] == []


def test_the_file_is_json(tmp_path: Path) -> None:
    """Also with characters of an answer that UTF-8 cannot say."""
    odd = replace(finding("PAGE-5"), title="a\udc80b")
    sarif.write(finished(violations=(odd,)), tmp_path)

    assert json.loads((tmp_path / "report.sarif").read_text("utf-8"))["version"] == "2.1.0"


def test_a_finding_is_an_annotation_by_its_severity() -> None:
    """At the line of its operation, with its id as title."""
    [error, warning] = commands(report_data(finished()), PLACES)

    assert error.startswith("::error file=api/d.yaml,line=8,title=PAGE-5-27dc36e8::POST /v1/modack")
    assert error.endswith("%0AAgain: arklow-contracts replay PAGE-5-27dc36e8")
    assert warning.startswith("::warning ")
    assert "title=AUTH-8-27dc36e8::" in warning


def test_too_few_verified_rules_and_an_expired_entry_are_notices() -> None:
    """An excused finding is none."""
    run = finished(
        min_verified=80.0, warnings=(), baseline=(known("PAGE-5", "excused"), known("AUTH-8", "expired"))
    )

    [little, expired] = commands(report_data(run), PLACES)
    assert little == (
        "::notice title=Too little verified::Verified 3 of 6 rules (50 %25, and 80 %25 are required). "
        "Not verified: LEASE-8, RACE-1: no lease, $MY_KEY; ORG-1: no second key"
    )
    assert expired == (
        "::notice title=A baseline entry has expired::"
        "anna has excused AUTH-8-27dc36e8 until 2026-12-01: ticket 12"
    )


def test_a_target_cannot_give_commands() -> None:
    """Signs in its answers that end a line or a command are escaped as GitHub asks."""
    odd = replace(finding("PAGE-5"), title="a\n::error::b\r%0A")
    [line, _] = commands(report_data(finished(violations=(odd,))), PLACES)

    assert "\n" not in line
    assert "\r" not in line
    assert "a%0A\\::error::b\\r%250A" in line


def test_outside_of_github_actions_nothing_is_written(tmp_path: Path) -> None:
    """The variables of GitHub Actions turn on commands and the summary."""
    assert announce(finished(), {}) == []

    path = tmp_path / "summary.md"
    path.write_text("before\n")
    assert announce(finished(), {"GITHUB_STEP_SUMMARY": str(path)}) == []
    assert len(announce(finished(), {"GITHUB_ACTIONS": "true"})) == 2
    assert path.read_text("utf-8") == "before\n" + job_summary(report_data(finished()))


def test_the_summary_of_a_job_has_the_verdict_its_basis_and_every_finding() -> None:
    """Excused findings stand last."""
    run = finished(not_offered=("POST /v1/ack",), baseline=(known("AUTH-8", "excused"),))

    broken, never = "POST /v1/modack breaks", "1970-01-01 00:00:00.000 UTC | not confirmed, not tried again"
    blame = "the application, or a server in front of it: the answer (no content-type) is not the envelope"
    assert job_summary(report_data(run)).splitlines() == [
        "## FAILED 1 violation, 1 known",
        "",
        "http://target, 2026-01-01T00:00:00+00:00. Verified 3 of 6 rules (50 %).",
        "Judged by arklow.openapi.yaml sha256-dddddddddddd.",
        "",
        "- not verified: LEASE-8, RACE-1: no lease, $MY\\_KEY",
        "- not verified: ORG-1: no second key",
        "- not offered: POST /v1/ack",
        "",
        "| Finding | What broke | At fault | When | Evidence |",
        "| --- | --- | --- | --- | --- |",
        f"| `PAGE-5-27dc36e8` | {broken} PAGE-5: a title with $MY\\_KEY | {blame} | {never} |",
        f"| `AUTH-8-27dc36e8` | {broken} AUTH-8: a title with $MY\\_KEY |  |  | excused: anna, until 2026-12-01 |",
        "",
    ]


def test_a_cell_is_text_alone() -> None:
    """What a target has answered makes no markup, no other cell and no other line."""
    assert cell("a|b\n<img> *x* [l](u) `c`") == r"a\|b &lt;img&gt; \*x\* \[l\](u) \`c\`"


def test_why_a_run_is_inconclusive_is_an_error() -> None:
    """A run that proves something has none."""
    lines = commands(report_data(finished(violations=(), warnings=(), inconclusive="no answer")), PLACES)

    assert lines == ["::error title=Inconclusive::no answer"]
