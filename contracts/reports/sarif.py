"""`report.sarif`: findings in SARIF 2.1.0, each at the line of the published document whose promise it breaks."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from arklow_local.formats.excerpts import inert_json

from ..core.events import RunFinished
from ..core.exchange import utc
from ..core.rules import RULES, Severity
from .json_report import report_data, write_atomically
from .printable import printable_data
from .summary import (
    JsonObject,
    evidence,
    excuse,
    replay_hint,
    when_sent,
)

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DOCUMENT: Final = "spec/arklow.openapi.yaml"
"""Path of the published document in this repository."""
_LEVELS: Final = {Severity.VIOLATION: "error", Severity.WARNING: "warning"}


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.sarif`."""
    log = inert_json(json.dumps(sarif_log(report_data(run)), indent=2, ensure_ascii=False))
    write_atomically(directory / "report.sarif", log + "\n")


def sarif_log(run: JsonObject) -> JsonObject:
    """Return the data of a run as a SARIF log, which is an object of SARIF's own schema."""
    run = printable_data(run)
    entries = {one["id"]: one for one in run["baseline"] if one["state"] == "excused"}
    found = [*run["violations"], *run["warnings"]]
    rules = list(dict.fromkeys(one["rule"] for one in found))
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "arklow-contracts", "rules": [_rule(code) for code in rules]}},
                "automationDetails": {"id": f"arklow-contracts/{run['target']}/"},
                "invocations": [_invocation(run)],
                "columnKind": "unicodeCodePoints",
                "properties": {"document": run["document"]},
                "results": [
                    _result(one, run, rules.index(one["rule"]), entries.get(one["id"])) for one in found
                ],
            }
        ],
    }


def _invocation(run: JsonObject) -> JsonObject:
    invocation: JsonObject = {
        "executionSuccessful": not run["inconclusive"],
        "startTimeUtc": utc(datetime.fromisoformat(run["started"])),
    }
    if run["inconclusive"]:
        text = {"text": run["inconclusive"]}
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": text}]
    return invocation


def _rule(code: str) -> JsonObject:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.title}. Source: {rule.source}. More: arklow-contracts explain {code}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: JsonObject, run: JsonObject, index: int, entry: JsonObject | None) -> JsonObject:
    """Return a finding as a result; `index` is that of its rule in the log, `entry` excuses it."""
    lines = [
        f"{finding['sentence']}.",
        f"Expected {finding['expected']}; got {finding['actual']}.",
        f"At fault: {finding['side']}.",
        f"{when_sent(finding)}; {evidence(finding)}.",
        *replay_hint(finding, run),
    ]
    place = {
        "artifactLocation": {"uri": DOCUMENT, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line_of(finding["operation"])},
    }
    result: JsonObject = {
        "ruleId": finding["rule"],
        "ruleIndex": index,
        "level": _LEVELS[RULES[finding["rule"]].severity],
        "message": {"text": "\n".join(lines)},
        "partialFingerprints": {"arklowFinding/v1": finding["id"]},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"name": finding["operation"]}]}],
    }
    if entry is not None:
        suppression = {"kind": "external", "status": "accepted", "justification": excuse(entry)}
        result["suppressions"] = [suppression]
    return result


def line_of(operation: str) -> int:
    """Return the line number of an operation in the published document: of its method, else of its path, else 1."""
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


__all__ = ["DOCUMENT", "line_of", "sarif_log", "write"]
