"""`replay ID…`: play findings of a report again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..core.exchange import shown
from ..core.target import Target
from ..openapi.document import Unreadable, load
from ..reproduction.rerun import (
    Again,
    BadReport,
    Outcome,
    Report,
    report_of,
    untold,
)
from . import values
from .flags import add_document, add_target, document_of, settled, target_of
from .usage import Usage


def add(commands: Any) -> None:
    """Add the command."""
    about = commands.add_parser(
        "replay",
        help="play findings of a report again",
        description="Play findings of a report again, on fresh names, and say whether they show.",
    )
    about.add_argument("ids", nargs="+", metavar="ID", help="such as LEASE-3-e3b0c4")
    add = about.add_argument
    add(
        "--report",
        type=Path,
        default=Path("out"),
        metavar="FILE",
        help="report.json, or the directory it is in (default out)",
    )
    add_target(about)
    add("--times", type=_TIMES, default=3, metavar="N", help="how often each is played (default 3)")
    add_document(about, "the OpenAPI 3.1 document that the report was made by")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Play them, and print what came of it."""
    options = settled(options)
    target = target_of(options, environment)
    report = _report(options.report)
    unknown = [one for one in options.ids if one not in report.findings]
    if unknown:
        there = ", ".join(report.findings) or "none"
        raise Usage(f"there is no finding {unknown[0]} in the report; there are {there}")
    try:
        document = load(document_of(options))
    except Unreadable as error:
        raise Usage(str(error)) from None
    if document.digest != report.digest:
        raise Usage(
            f"the report was made by another document than {document.name}: give it as --document or --spec-dir"
        )
    again, outcomes = Again(report, document, target), []
    for name in dict.fromkeys(options.ids):
        one = report.findings[name]
        if (why := untold(one)) is not None:
            outcomes.append(Outcome(0, 0, why=why))
            print(f"{name} cannot be told by a replay: {why}; try: check --only {one['rule']}", flush=True)
            continue
        try:
            outcomes.append(again.play(one, options.times))
        except BadReport as error:
            raise Usage(f"{options.report}: {error}") from None
        print(*_told(name, outcomes[-1], target), sep="\n", flush=True)
    if any(outcome.shown for outcome in outcomes):
        return 1
    return 3 if any(outcome.why for outcome in outcomes) else 0


def _told(name: str, outcome: Outcome, target: Target) -> list[str]:
    """What is said of one finding."""
    secrets = target.secrets
    why = "" if outcome.why is None else shown(outcome.why, secrets)
    if outcome.finding is None:
        if why:
            return [f"{name} could not be tried: {why}"]
        return [f"{name} does not show: 0 of {outcome.tried}"]
    last = outcome.finding.exchanges[-1]
    lines = [
        f"{name} shows again: {outcome.shown} of {outcome.tried}" + (f", then: {why}" if why else ""),
        f"  {shown(outcome.finding.sentence, secrets)}",
        f"  expected     {shown(outcome.finding.expected, secrets)}",
        f"  actual       {shown(outcome.finding.actual, secrets)}",
        f"  answer       {last.status} {shown(last.answer.decode('utf-8', 'replace'), secrets)}",
        f"  traceparent  {last.trace}",
    ]
    if last.request_id is not None:
        lines.append(f"  request id   {shown(last.request_id, secrets)}")
    return lines


def _report(given: Path) -> Report:
    """The report that a flag names.

    Raises:
        Usage: there is none.
    """
    file = given / "report.json" if given.is_dir() else given
    try:
        return report_of(file.read_bytes(), str(file))
    except OSError as error:
        raise Usage(f"--report {file}: {error.strerror}") from None
    except BadReport as error:
        raise Usage(str(error)) from None


_TIMES: Final = values.bounded(int, 1, 100, "from 1 to 100 times")

__all__ = ["add", "run"]
