"""`check`: judge a deployment."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any

from ..document import PUBLISHED, Unreadable
from ..engine import LONG, Plan, Run
from ..events import Listener, RunFinished
from ..reports.console import Patient, Terminal
from .flags import Usage, add_target, rule, target_of


def add(commands: Any) -> None:
    """Add the command."""
    check = commands.add_parser(
        "check", help="judge a deployment", description="Judge a deployment of Arklow."
    )
    add_target(check)
    add = check.add_argument
    add("--max-time", type=_seconds, default=25.0, metavar="S", help="seconds the run may take (default 25)")
    add("--seed", type=_whole, metavar="N", help="repeat the requests of another run")
    add("--report-dir", type=Path, metavar="DIR", help="write report.html, report.json and junit.xml there")
    add("--strict", action="store_true", help="warnings count as violations")
    add(
        "--only",
        nargs="+",
        action="extend",
        type=rule,
        metavar="RULE",
        help="codes of the rules to listen to",
    )
    add(
        "--wait",
        type=_waited,
        nargs="?",
        const=LONG,
        metavar="S",
        help="wait for leases to run out (default 75 s); without it only leases of a second are waited for",
    )
    add("--admin-url", metavar="URL", help="the admin plane of a mock: its clock is moved instead of waiting")
    add("--admin-token", metavar="TOKEN", help="its token, or env:NAME (default env:ARKLOW_ADMIN_TOKEN)")
    add("--document", type=Path, metavar="FILE", help="another OpenAPI 3.1 document to judge by")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Judge, print, and write the reports."""
    plan = plan_of(options, environment)
    directory = _directory(options.report_dir)
    terminal = Terminal(Patient(soft_wrap=True), plan.target.secrets)
    try:
        finished = judge(plan, terminal)
    finally:
        terminal.close()
    if directory is not None:
        write_reports(finished, directory)
    with suppress(OSError):  # nobody listens
        terminal.summarise(finished)
        if directory is not None:
            print(f"Reports are in {directory}/: report.html, report.json, junit.xml", flush=True)
    return finished.exit_code


def judge(plan: Plan, *listeners: Listener) -> RunFinished:
    """Carry a plan out.

    Raises:
        Usage: its document cannot be read.
    """
    try:
        return Run(plan, *listeners).judge()
    except Unreadable as error:
        raise Usage(str(error)) from None


def write_reports(finished: RunFinished, directory: Path) -> None:
    """Write every format."""
    from ..reports import html, junit, record, sarif, script  # not before there is something to report

    for report in (record, junit, html, sarif, script):
        report.write(finished, directory)


def plan_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Plan:
    """The plan that the flags describe.

    Raises:
        Usage: they make no sense together.
    """
    return Plan(
        target_of(options, environment),
        options.document or PUBLISHED,
        options.seed if options.seed is not None else SystemRandom().randrange(10**6),
        options.max_time,
        options.strict,
        frozenset(options.only or ()),
        options.wait,
    )


def _directory(given: Path | None) -> Path | None:
    """The directory for reports, made and tried before the run rather than lost after it."""
    if given is None:
        return None
    try:
        given.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=given):
            pass
    except OSError as error:
        raise Usage(f"--report-dir {given}: {error.strerror}") from None
    return given


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 10**6:
        raise argparse.ArgumentTypeError("from 1 to 1000000 seconds")
    return seconds


def _waited(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 3_600:
        raise argparse.ArgumentTypeError("from 1 to 3600 seconds")
    return seconds


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a seed is 0 or more")
    return number


__all__ = ["add", "judge", "plan_of", "run", "write_reports"]
