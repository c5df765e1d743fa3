"""`junit.xml`: one test case for each rule."""

from __future__ import annotations

import re
from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from ..core.events import RunFinished
from ..core.rules import RULES, Severity
from .json_report import record

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""


def write(run: RunFinished, directory: Path) -> None:
    """Write `junit.xml`; a warning fails its case under `--strict` only."""
    data = record(run)
    reasons = {one["rule"]: one["why"] for one in data["not_verified"]}
    suite = TestSuite("arklow-contracts")
    suite.timestamp = run.started
    suite.add_property("document", f"{run.document} sha256-{run.digest}")
    for rule in [*run.tested, *run.not_verified]:
        case = TestCase(f"{rule} {RULES[rule].title}", "arklow-contracts")
        broken = [one for one in [*data["violations"], *data["warnings"]] if one["rule"] == rule]
        counts = RULES[rule].severity is Severity.VIOLATION or run.strict
        text = "\n\n".join(
            f"{one['operation']}: {one['title']}\nexpected: {one['expected']}\nactual:   {one['actual']}\n{one['curl']}"
            for one in broken
        )
        if broken and counts:
            failure = Failure(
                _clean(f"{broken[0]['operation']}: {broken[0]['title']}"), str(RULES[rule].severity)
            )
            failure.text = _clean(text)
            case.result = [failure]
        elif broken:
            case.system_out = _clean(f"warning\n{text}")
        elif rule in reasons:
            case.result = [Skipped(_clean(reasons[rule]))]
        suite.add_testcase(case)
    if run.inconclusive:
        case = TestCase("the run proves something", "arklow-contracts")
        case.result = [Failure(_clean(data["inconclusive"]), "inconclusive")]
        suite.add_testcase(case)
    xml = JUnitXml("arklow-contracts")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    suite.time = run.seconds
    xml.write(str(directory / "junit.xml"), pretty=True)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("�", text)


__all__ = ["write"]
