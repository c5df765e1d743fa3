"""`junit.xml`: one test case for each rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from ..core.events import RunFinished
from ..core.rules import RULES, Severity
from .json_report import report_data
from .printable import printable_data
from .summary import JsonObject, excuse, summarise


def write(run: RunFinished, directory: Path) -> None:
    """Write `junit.xml`; a warning fails its case with `--strict` only, and what the baseline excuses skips it."""
    data = printable_data(report_data(run))
    summary = summarise(data)
    reasons = {one["rule"]: one["why"] for one in data["not_verified"]}
    suite = TestSuite("arklow-contracts")
    suite.timestamp = run.started
    suite.add_property("document", f"{data['document']['name']} sha256-{run.digest}")
    found = [*summary.violations, *summary.warnings]
    for rule in dict.fromkeys([*run.tested, *run.not_verified, *(one["rule"] for one in found)]):
        broken = [one for one in found if one["rule"] == rule]
        excused = [pair for pair in summary.excused if pair[0]["rule"] == rule]
        suite.add_testcase(_case(rule, broken, excused, strict=run.strict, reason=reasons.get(rule)))
    if run.inconclusive:
        case = TestCase("the run proves something", "arklow-contracts")
        case.result = [Failure(data["inconclusive"], "inconclusive")]
        suite.add_testcase(case)
    suite.update_statistics()  # type: ignore[no-untyped-call]
    suite.time = run.seconds
    xml = JUnitXml("arklow-contracts")
    xml.add_testsuite(suite)
    # its own statistics would have a member that Jenkins' schema does not take
    xml.tests, xml.failures, xml.errors, xml.time = suite.tests, suite.failures, suite.errors, run.seconds
    xml.write(str(directory / "junit.xml"), pretty=True)


def _case(
    rule: str,
    broken: list[JsonObject],
    excused: list[tuple[JsonObject, JsonObject]],
    *,
    strict: bool,
    reason: str | None,
) -> Any:
    """Return the test case of a rule: failed or with a warning where findings broke it, skipped for a reason.

    `excused` are the findings that the baseline excuses, each with its entry.
    """
    case = TestCase(f"{rule} {RULES[rule].title}", "arklow-contracts")
    text = "\n\n".join(_told(one) for one in broken)
    known = "\n\n".join(f"excused: {excuse(entry)}\n{_told(one)}" for one, entry in excused)
    if broken and (strict or RULES[rule].severity is Severity.VIOLATION):
        first = broken[0]
        failure = Failure(f"{first['operation']}: {first['title']}", str(RULES[rule].severity))
        failure.text = text
        case.result = [failure]
    elif broken:
        known = "\n\n".join([f"warning\n{text}", *([known] if known else [])])
    elif excused:
        one, entry = excused[0]
        case.result = [Skipped(f"excused: {excuse(entry)} ({one['id']})")]
    elif reason is not None:
        case.result = [Skipped(reason)]
    if known:
        case.system_out = known
    return case


def _told(finding: JsonObject) -> str:
    return (
        f"{finding['operation']}: {finding['title']}\nexpected: {finding['expected']}\n"
        f"actual:   {finding['actual']}\n{finding['curl']}"
    )


__all__ = ["write"]
