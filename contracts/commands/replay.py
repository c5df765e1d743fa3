"""`replay ID…`: send the exchanges of findings again, and say whether they show again."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..core.exchange import redacted_line
from ..core.rules import RULES, Phase
from ..core.target import Target
from ..openapi.document import Unreadable, load
from ..reproduction.rerun import (
    BadReport,
    EarlierReport,
    Rerun,
    RerunResult,
    needs_a_run,
    read_report,
)
from ..run.plan import Plan
from ..transport.throttle import Limits
from . import values
from .check import judge
from .flags import TARGET_USAGE, add_document, add_target, document_of
from .parsers import add_command
from .plan_options import RATE
from .ports import Ports
from .target_options import target_of, with_targets_file
from .usage import Usage

_EXAMPLES: Final = (
    "arklow-contracts replay LEASE-3-e3b0c4 --report out --target staging",
    "arklow-contracts replay PAGE-5-75d027 --times 10 --target local",
)
_EXIT_CODES: Final = {
    0: "no finding shows again",
    1: "a finding shows again",
    2: "the command line cannot be carried out",
    3: "a finding could not be tried; the line of that finding says why",
}


def add(commands: Any) -> None:
    """Add the command and its flags."""
    parser = add_command(
        commands,
        "replay",
        "play findings of a report again",
        description="Play findings of a report again, under fresh names, and say whether they show again.",
        usage=f"ID [ID ...] {TARGET_USAGE}",
        examples=_EXAMPLES,
        exit_codes=_EXIT_CODES,
    )
    add = parser.add_argument
    add("ids", nargs="+", metavar="ID", help="the id of a finding, such as LEASE-3-e3b0c4")
    add(
        "--report",
        type=Path,
        default=Path("out"),
        metavar="FILE",
        help="report.json, or the directory that it is in (default out)",
    )
    add("--times", type=_TIMES, default=3, metavar="N", help="how often each finding is played (default 3)")
    add_target(parser)
    add_document(parser, "the OpenAPI 3.1 document by which the report was made")


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Play the findings again, and print which show again; returns the exit code."""
    options = with_targets_file(options)
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
    rerun = Rerun(report, document, target, clock=ports.clock, transport=ports.transport)
    outcomes = []
    for name in dict.fromkeys(options.ids):
        one = report.findings[name]
        if needs_a_run(one):
            outcomes.append(_found_again(one, report, document_of(options), target, ports))
        else:
            try:
                outcomes.append(rerun.play(one, options.times))
            except BadReport as error:
                raise Usage(f"{options.report}: {error}") from None
        print(*_lines(name, outcomes[-1], target), sep="\n", flush=True)
    if any(outcome.shown for outcome in outcomes):
        return 1
    return 3 if any(outcome.why for outcome in outcomes) else 0


def _found_again(
    finding: Mapping[str, Any], report: EarlierReport, document: Path, target: Target, ports: Ports
) -> RerunResult:
    """Look for a finding once more, by a run for its rule alone: its requests without what looked for it do not show it."""
    rule, seed = str(finding["rule"]), report.data.get("seed")
    plan = Plan(
        target,
        document,
        seed if isinstance(seed, int) else 0,
        only=frozenset({rule}),
        sought=frozenset({finding["id"]}),
        limits=Limits(math.inf if target.is_local else RATE),
        expected={str(finding["place"]): str(finding["expected"])}
        if Phase.OUTCOME in RULES[rule].phases
        else {},
    )
    run = judge(plan, ports=ports)
    found = next((one for one in (*run.violations, *run.warnings) if one.id == finding["id"]), None)
    if found is not None:
        return RerunResult(1, 1, found)
    why = run.inconclusive or run.not_verified.get(rule)
    return RerunResult(0, 0, why=why) if why else RerunResult(0, 1)


def _lines(name: str, outcome: RerunResult, target: Target) -> list[str]:
    """The lines about one finding."""
    secrets = target.secrets
    why = "" if outcome.why is None else redacted_line(outcome.why, secrets)
    if outcome.finding is None:
        if why:
            return [f"{name} could not be tried: {why}"]
        return [f"{name} does not show: 0 of {outcome.tried}"]
    last = outcome.finding.exchanges[-1]
    lines = [
        f"{name} shows again: {outcome.shown} of {outcome.tried}" + (f", then: {why}" if why else ""),
        f"  {redacted_line(outcome.finding.sentence, secrets)}",
        f"  expected     {redacted_line(outcome.finding.expected, secrets)}",
        f"  actual       {redacted_line(outcome.finding.actual, secrets)}",
        f"  answer       {last.status} {redacted_line(last.answer.decode('utf-8', 'replace'), secrets)}",
        f"  traceparent  {last.trace}",
    ]
    if last.request_id is not None:
        lines.append(f"  request id   {redacted_line(last.request_id, secrets)}")
    return lines


def _report(given: Path) -> EarlierReport:
    """Read the report that `--report` names.

    Raises:
        Usage: there is no such report, or it cannot be used.
    """
    file = given / "report.json" if given.is_dir() else given
    try:
        return read_report(file.read_bytes(), str(file))
    except OSError as error:
        raise Usage(f"--report {file}: {error.strerror}") from None
    except BadReport as error:
        raise Usage(str(error)) from None


_TIMES: Final = values.bounded(int, 1, 100, "from 1 to 100 times")

__all__ = ["add", "run"]
