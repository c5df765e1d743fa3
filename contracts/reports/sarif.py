"""`report.sarif`: findings as SARIF 2.1.0 has them, at the line of the document whose promise they break."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from ..core.events import RunFinished
from ..core.exchange import utc
from ..core.rules import RULES, Severity
from .json_report import record, replaced
from .summary import (
    Record,
    again,
    shown,
    when,
)

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DOCUMENT: Final = "spec/arklow.openapi.yaml"
_LEVELS: Final = {Severity.VIOLATION: "error", Severity.WARNING: "warning"}


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.sarif`."""
    replaced(directory / "report.sarif", json.dumps(sarif(record(run)), indent=2, ensure_ascii=False) + "\n")


def sarif(run: Record) -> Record:
    """A run of the judge as a SARIF log; `run` is the record of it."""
    entries = {one["id"]: one for one in run["baseline"] if one["state"] == "excused"}
    found = [*run["violations"], *run["warnings"]]
    rules = list(dict.fromkeys(one["rule"] for one in found))
    invocation: Record = {
        "executionSuccessful": not run["inconclusive"],
        "startTimeUtc": utc(datetime.fromisoformat(run["started"])),
    }
    if run["inconclusive"]:
        text = {"text": run["inconclusive"]}
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": text}]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "arklow-contracts", "rules": [_rule(code) for code in rules]}},
                "automationDetails": {"id": f"arklow-contracts/{run['target']}/"},
                "invocations": [invocation],
                "columnKind": "unicodeCodePoints",
                "properties": {"document": run["document"]},
                "results": [
                    _result(one, run, rules.index(one["rule"]), entries.get(one["id"])) for one in found
                ],
            }
        ],
    }


def _rule(code: str) -> Record:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.title}. Source: {rule.source}. More: arklow-contracts explain {code}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(one: Record, run: Record, index: int, entry: Record | None) -> Record:
    lines = [
        f"{one['sentence']}.",
        f"Expected {one['expected']}; got {one['actual']}.",
        f"To blame: {one['side']}.",
        f"{when(one)}; {shown(one)}.",
        *again(one, run),
    ]
    place = {
        "artifactLocation": {"uri": DOCUMENT, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line_of(one["operation"])},
    }
    result: Record = {
        "ruleId": one["rule"],
        "ruleIndex": index,
        "level": _LEVELS[RULES[one["rule"]].severity],
        "message": {"text": "\n".join(lines)},
        "partialFingerprints": {"arklowFinding/v1": one["id"]},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"name": one["operation"]}]}],
    }
    if entry is not None:
        because = f"{entry['owner']}, until {entry['expires']}: {entry['reason']}"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": because}]
    return result


def line_of(operation: str) -> int:
    """The line of an operation in the published document: of its method, else of its path, else the first."""
    method, _, path = operation.partition(" ")
    lines = _lines()
    at = next((n for n, line in enumerate(lines) if line.rstrip() == f"  {path}:"), None)
    if at is None:
        return 1
    for number in range(at + 1, len(lines)):
        if re.match(r" {0,2}\S", lines[number]):
            break
        if lines[number].rstrip() == f"    {method.lower()}:":
            return number + 1
    return at + 1


@cache
def _lines() -> list[str]:
    file = Path(__file__).parents[2] / DOCUMENT
    return file.read_text("utf-8").splitlines() if file.is_file() else []


__all__ = ["DOCUMENT", "line_of", "sarif", "write"]
