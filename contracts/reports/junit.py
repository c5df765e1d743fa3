"""`junit.xml`: one test case for each rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from ..core.events import RunFinished
from ..core.rules import RULES, Severity
from .json_report import report_data
from .printable import printable_data
from .summary import JsonObject


def write(run: RunFinished, directory: Path) -> None:
    """Write `junit.xml`; a warning fails its case with `--strict` only."""
    data = printable_data(report_data(run))
    reasons = {one["rule"]: one["why"] for one in data["not_verified"]}
    suite = TestSuite("arklow-contracts")
    suite.timestamp = run.started
    suite.add_property("document", f"{data['document']['name']} sha256-{run.digest}")
    for rule in [*run.tested, *run.not_verified]:
        broken = [one for one in [*data["violations"], *data["warnings"]] if one["rule"] == rule]
        suite.add_testcase(_case(rule, broken, strict=run.strict, reason=reasons.get(rule)))
    if run.inconclusive:
        case = TestCase("the run proves something", "arklow-contracts")
        case.result = [Failure(data["inconclusive"], "inconclusive")]
        suite.add_testcase(case)
    xml = JUnitXml("arklow-contracts")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    suite.time = run.seconds
    xml.write(str(directory / "junit.xml"), pretty=True)


def _case(rule: str, broken: list[JsonObject], *, strict: bool, reason: str | None) -> Any:
    """Return the test case of a rule: failed or with a warning where findings broke it, skipped for a reason."""
    case = TestCase(f"{rule} {RULES[rule].title}", "arklow-contracts")
    text = "\n\n".join(
        f"{one['operation']}: {one['title']}\nexpected: {one['expected']}\nactual:   {one['actual']}\n{one['curl']}"
        for one in broken
    )
    if broken and (strict or RULES[rule].severity is Severity.VIOLATION):
        first = broken[0]
        failure = Failure(f"{first['operation']}: {first['title']}", str(RULES[rule].severity))
        failure.text = text
        case.result = [failure]
    elif broken:
        case.system_out = f"warning\n{text}"
    elif reason is not None:
        case.result = [Skipped(reason)]
    return case


__all__ = ["write"]
