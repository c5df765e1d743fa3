"""`report.json`: the run as data, in the shape of `report.schema.json`; the other formats read it too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ..events import RunFinished
from ..exchange import Script, redact
from ..failures import Finding
from ..rules import RULES

SCHEMA: Final = Path(__file__).parent / "report.schema.json"

VERDICTS: Final = {0: "conforms", 1: "violations", 3: "inconclusive"}


def record(run: RunFinished) -> dict[str, Any]:
    """The run as JSON data; keys stand as `$NAME` everywhere."""
    return {
        "target": run.target,
        "document": {"name": run.document, "sha256": run.digest},
        "seed": run.seed,
        "started": run.started,
        "seconds": run.seconds,
        "verdict": "warnings" if run.exit_code == 1 and not run.violations else VERDICTS[run.exit_code],
        "exit_code": run.exit_code,
        "inconclusive": run.inconclusive and redact(run.inconclusive, run.secrets),
        "requests": run.requests,
        "served": run.served,
        "violations": [finding_record(finding, run.secrets) for finding in run.violations],
        "warnings": [finding_record(finding, run.secrets) for finding in run.warnings],
        "readings": {question: redact(answer, run.secrets) for question, answer in run.readings.items()},
        "not_verified": [
            {"rule": rule, "why": redact(why, run.secrets)} for rule, why in run.not_verified.items()
        ],
        "tested": run.tested,
        "negatives": [
            {"operation": operation, "place": place, "keyword": keyword, "outcome": outcome}
            for (operation, place, keyword), outcome in run.negatives.items()
        ],
        "weather": run.weather,
        "second_opinion": {
            "validator": "openapi-core",
            "asked": run.opinions.asked,
            "answers": run.opinions.answers,
            "differences": [redact(one, run.secrets) for one in run.opinions.differences],
        },
    }


def finding_record(finding: Finding, secrets: dict[str, str]) -> dict[str, Any]:
    """A finding as a stranger reads it, without keys."""
    return {
        "rule": finding.rule,
        "operation": finding.operation,
        "also": list(finding.also),
        "sentence": redact(finding.sentence, secrets),
        "title": redact(finding.title, secrets),
        "expected": redact(finding.expected, secrets),
        "actual": redact(finding.actual, secrets),
        "source": RULES[finding.rule].source,
        "curl": Script(secrets).of(finding.exchanges, together=finding.together, times=finding.times),
    }


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.json`."""
    text = json.dumps(record(run), indent=2, ensure_ascii=False)
    (directory / "report.json").write_text(text.encode("utf-8", "replace").decode() + "\n", "utf-8")


__all__ = ["finding_record", "record", "write"]
