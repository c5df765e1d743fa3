"""`report.json`: the run as data, in the shape of `report.schema.json`; the other formats are made from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from arklow_local.formats.excerpts import inert_json

from ..core.baseline import SCHEMA_VERSION
from ..core.curl import Script
from ..core.events import RunFinished
from ..core.exchange import redact, utc
from ..core.findings import Finding
from ..core.rules import RULES
from ..core.serialization import exchange_data
from ..core.target import ConnectionOptions

SCHEMA: Final = Path(__file__).parent / "report.schema.json"

VERDICTS: Final = {0: "conforms", 1: "violations", 3: "inconclusive"}
"""Exit code of a run → its verdict."""


def report_data(run: RunFinished) -> dict[str, Any]:
    """Return a run as JSON data (member of `report.schema.json` → value), in which keys stand as `$NAME`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "target": run.target,
        "ingress": run.ingress or run.target,
        "keys": [{"name": name, "organisation": org} for org, name in run.keys],
        "way": _way(run.connection),
        "target_flags": list(run.target_flags),
        "report_dir": run.report_dir,
        "run": run.run_id,
        "prefix": run.prefix,
        "document": {"name": run.document, "sha256": run.digest},
        "seed": run.seed,
        "started": run.started,
        "seconds": run.seconds,
        "verdict": "warnings" if run.exit_code == 1 and not run.violations else VERDICTS[run.exit_code],
        "exit_code": run.exit_code,
        "inconclusive": run.inconclusive and redact(run.inconclusive, run.secrets),
        "requests": run.requests,
        "served": run.served,
        "violations": [finding_data(finding, run) for finding in run.violations],
        "warnings": [finding_data(finding, run) for finding in run.warnings],
        "interpretations": {
            question: redact(answer, run.secrets) for question, answer in run.interpretations.items()
        },
        "not_verified": [
            {"rule": rule, "why": redact(why, run.secrets)} for rule, why in run.not_verified.items()
        ],
        "suspected": [{"rule": rule, "why": redact(why, run.secrets)} for rule, why in run.suspected.items()],
        "lost": run.lost,
        "not_offered": list(run.not_offered),
        "verified": run.verified,
        "min_verified": run.min_verified,
        "baseline": _baseline(run),
        "tested": run.tested,
        "negatives": [
            {"operation": operation, "place": place, "keyword": keyword, "outcome": outcome}
            for (operation, place, keyword), outcome in run.negatives.items()
        ],
        "interference": run.interference,
        "cross_check": {
            "validator": "openapi-core",
            "asked": run.cross_check.asked,
            "answers": run.cross_check.answers,
            "differences": [redact(one, run.secrets) for one in run.cross_check.differences],
            "not_done": redact(run.cross_check.not_done, run.secrets),
        },
    }


def _way(connection: ConnectionOptions) -> dict[str, Any]:
    """Return how the deployment is reached; secrets stand as the variables that have them."""
    login = connection.proxy_login
    return {
        "headers": [{"name": one.name, "variable": one.variable} for one in connection.headers],
        "ca": connection.ca,
        "client_certificate": connection.certificate,
        "client_key": connection.key,
        "proxy": connection.proxy,
        "proxy_login": login and {"user": login.user, "variable": login.variable},
        "resolve": [
            {"host": one.host, "port": one.port, "address": one.address} for one in connection.resolve
        ],
    }


def _baseline(run: RunFinished) -> list[dict[str, str]]:
    return [
        {
            "id": one.id,
            "finding": redact(one.finding, run.secrets),
            "owner": redact(one.owner, run.secrets),
            "reason": redact(one.reason, run.secrets),
            "expires": one.expires.isoformat(),
            "state": one.state,
        }
        for one in run.baseline
    ]


def finding_data(finding: Finding, run: RunFinished) -> dict[str, Any]:
    """Return a finding of a run as JSON data (member of `report.schema.json` → value), without keys."""
    last, secrets = finding.exchanges[-1], run.secrets
    bases = (run.target, run.ingress or run.target)
    reproduced = {"shown": finding.confirmed, "tried": finding.attempts}
    return {
        "id": finding.id,
        "rule": finding.rule,
        "operation": finding.operation,
        "sentence": redact(finding.sentence, secrets),
        "title": redact(finding.title, secrets),
        "expected": redact(finding.expected, secrets),
        "actual": redact(finding.actual, secrets),
        "source": RULES[finding.rule].source,
        "side": redact(finding.responsible, secrets),
        "at": utc(datetime.fromtimestamp(last.at, UTC)),
        "traceparent": last.trace,
        "request_id": last.request_id and redact(last.request_id, secrets),
        "evidence": finding.evidence,
        "reproduced": reproduced,
        "curl": Script(secrets, run.connection).render(
            finding.exchanges, together=finding.together, times=finding.times
        ),
        "place": redact(finding.place, secrets),
        "fault": redact(finding.fault, secrets),
        "question": finding.question,
        "together": finding.together,
        "staged": finding.needs_sequence,
        "times": finding.times,
        "script": [exchange_data(exchange, secrets, bases) for exchange in finding.exchanges],
    }


def name_of_test(finding_id: str) -> str:
    """Return the name of the test that is generated for a finding, such as `test_lease_3_1b2c3d4e`."""
    return "test_" + finding_id.lower().replace("-", "_")


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.json`."""
    write_atomically(
        directory / "report.json",
        inert_json(json.dumps(report_data(run), indent=2, ensure_ascii=False)) + "\n",
    )


def write_atomically(file: Path, text: str) -> None:
    """Write a file whole or not at all, so that an interrupted process leaves the file of before."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text.encode("utf-8", "replace").decode(), "utf-8")
    beside.replace(file)


__all__ = ["SCHEMA", "VERDICTS", "finding_data", "name_of_test", "report_data", "write", "write_atomically"]
