"""`report.sarif`: findings in SARIF 2.1.0, each at the line of the document whose promise it breaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

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
    summarise,
    when_sent,
)

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NO_FILE: Final = "no%20file%20of%20this%20repository"
"""Stands for a file where the document that was judged by is none of the user's repository: GitHub refuses a whole log for
one result without a location, and takes a path that it does not find."""
Places = Mapping[str, tuple[str, int]]
"""As `RunFinished.places`."""
_LEVELS: Final = {Severity.VIOLATION: "error", Severity.WARNING: "warning"}


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.sarif`."""
    log = inert_json(json.dumps(sarif_log(report_data(run), run.places), indent=2, ensure_ascii=False))
    write_atomically(directory / "report.sarif", log + "\n")


def sarif_log(run: JsonObject, places: Places) -> JsonObject:
    """Return the data of a run as a SARIF log, which is an object of SARIF's own schema.

    A finding that the baseline excuses is no result, and is named among the properties of the run: GitHub shows a suppressed
    result as an open alert.
    """
    run = printable_data(run)
    summary = summarise(run)
    found = [*summary.violations, *summary.warnings]
    rules = list(dict.fromkeys(one["rule"] for one in found))
    excused = [{"id": one["id"], "because": excuse(entry)} for one, entry in summary.excused]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "arklow-contracts", "rules": [_rule(code) for code in rules]}},
                "automationDetails": {"id": f"arklow-contracts/{run['target']}/"},
                "invocations": [_invocation(run)],
                "columnKind": "unicodeCodePoints",
                "properties": {"document": run["document"], "excused": excused},
                "results": [_result(one, run, rules.index(one["rule"]), places) for one in found],
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


def _result(finding: JsonObject, run: JsonObject, index: int, places: Places) -> JsonObject:
    """Return a finding as a result; `index` is that of its rule in the log."""
    lines = [
        f"{finding['sentence']}.",
        f"Expected {finding['expected']}; got {finding['actual']}.",
        f"At fault: {finding['side']}.",
        f"{when_sent(finding)}; {evidence(finding)}.",
        *replay_hint(finding, run),
    ]
    file, line = place_of(finding["operation"], places) or (_NO_FILE, 1)
    place = {
        "artifactLocation": {"uri": quote(file, safe="/%"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line},
    }
    return {
        "ruleId": finding["rule"],
        "ruleIndex": index,
        "level": _LEVELS[RULES[finding["rule"]].severity],
        "message": {"text": "\n".join(lines)},
        "partialFingerprints": {"arklowFinding/v1": finding["id"]},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"name": finding["operation"]}]}],
    }


def place_of(operation: str, places: Places) -> tuple[str, int] | None:
    """Return (file, line) of what the document says of an operation: of its method, else of its path, else of nothing.

    None where the document is no file of the user's repository.
    """
    return places.get(operation) or places.get(operation.partition(" ")[2]) or places.get("")


__all__ = ["Places", "place_of", "sarif_log", "write"]
