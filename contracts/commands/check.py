"""`check`: judge a deployment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from arklow_local.formats.excerpts import inert

from ..core.events import Listener, RunFinished
from ..core.target import Target
from ..model.world import FRESH_SECONDS
from ..openapi.document import Unreadable, load
from ..reports.console import Terminal, console
from ..reports.github import announce
from ..reports.screen import Ending
from ..run.engine import Run
from ..run.plan import LEASES_OVER, WAIT_FOR, Plan
from ..transport.client import TIMEOUT
from ..transport.clock import AdminClock, NoAdminPlane
from ..transport.interference import Interference
from . import values
from .crash import FILE as CRASH
from .crash import crash_text, kept_crash
from .dry_run import described
from .flags import TARGET_USAGE, add_document, add_target, add_verbose, report_directory, rule
from .night_state import NightRecorder
from .parsers import add_command
from .plan_options import plan_of
from .ports import Ports
from .report_files import ReportFiles
from .targets_file import FILE
from .usage import Usage

_EXAMPLES: Final = (
    "arklow-contracts check --base-url http://localhost:3123 --api-key env:ARKLOW_API_KEY --org 1",
    "arklow-contracts check --target staging --profile gate --name-prefix ci-1 --report-dir out",
    "arklow-contracts check --target staging --profile night --until 06:00 --report-dir out",
)


def add(commands: Any) -> None:
    """Add the command and its flags."""
    parser = add_command(
        commands, "check", "judge a deployment of Arklow", usage=TARGET_USAGE, examples=_EXAMPLES
    )
    add_target(parser)
    _add_length(parser)
    _add_traffic(parser)
    _add_judgement(parser)
    _add_mock(parser)
    add_document(parser, "judge by another OpenAPI 3.1 document")
    add = parser.add_argument_group("output").add_argument
    add(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="write report.html, report.json, junit.xml, report.sarif, interpretations.yaml and tests/ there",
    )
    add_verbose(add)
    add("--dry-run", action="store_true", help="print what the run would do, and contact no host")


def _add_length(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("length of the run").add_argument
    add(
        "--profile",
        choices=values.PROFILES,
        help="gate: the same requests in each run, bounded by their number; night: until a time of day "
        "(default check)",
    )
    add(
        "--max-time",
        type=values.SECONDS,
        metavar="S",
        help="seconds that the run may take (default 25); what seems to be broken then is tried again for up to 24 more",
    )
    add(
        "--max-requests",
        type=values.COUNT,
        metavar="N",
        help="requests that the run may send (default of a gate: 1000)",
    )
    add(
        "--until",
        type=values.time_of_day,
        metavar="HH:MM",
        help="when a night ends, by the local clock (default 06:00)",
    )
    add(
        "--wait-for",
        type=values.SHORT_WAIT,
        metavar="S",
        help=f"seconds to wait for a first answer, as of a server that is being started (default {WAIT_FOR:g})",
    )
    add("--resume", action="store_true", help="go on with the night whose reports are in --report-dir")


def _add_traffic(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("traffic").add_argument
    add(
        "--rate",
        type=values.rate,
        metavar="N[/m]",
        help="requests a second, or a minute (default off loopback: 10)",
    )
    add(
        "--max-writes",
        type=values.COUNT,
        metavar="N",
        help="definitions and actions that the run may make (default off loopback: 2000, at night 100000)",
    )
    add(
        "--name-prefix",
        type=values.name_prefix,
        metavar="NAME",
        help="begin the names of definitions with contract.NAME, which later runs reuse (at most twenty)",
    )
    add(
        "--variant",
        action="append",
        type=values.variant,
        default=[],
        metavar="NAME=FILE",
        help="a variant that exists, and a JSON payload that it takes: for a key that may not put "
        "definitions (repeatable)",
    )
    add(
        "--intrusive",
        action=argparse.BooleanOptionalAction,
        help="send large, deep, slow and simultaneous requests off loopback too",
    )
    add(
        "--timeout",
        type=values.WAIT,
        metavar="S",
        help=f"seconds that one answer may take (default {TIMEOUT:g})",
    )
    add(
        "--settle",
        type=values.SHORT_WAIT,
        metavar="S",
        help="seconds until the whole deployment knows what was made: until then nothing is held against it "
        f"(default {FRESH_SECONDS:g})",
    )
    add("--seed", type=values.SEED, metavar="N", help="generate the same requests as the run with this seed")


def _add_judgement(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("judgement").add_argument
    add("--strict", action="store_true", help="count warnings as violations")
    add(
        "--only",
        nargs="+",
        action="extend",
        type=rule,
        metavar="RULE",
        help="verify these rules alone, and end when each has been broken",
    )
    add(
        "--min-verified",
        type=values.PERCENT,
        metavar="PCT",
        help="percent of the rules that must be verified for exit code 0 (default 60)",
    )
    add(
        "--max-interference",
        type=values.PERCENT,
        metavar="PCT",
        help="percent of the requests, in all and of each operation, that may get no answer of the application for exit "
        "code 0 (default 33 in all, of a gate 5)",
    )
    add(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="known findings to excuse: a YAML list of id, owner, reason, expires",
    )
    add(
        "--expect-interpretations",
        type=Path,
        metavar="FILE",
        help="warn where the deployment takes another interpretation than this interpretations.yaml",
    )
    add(
        "--wait",
        type=values.WAIT,
        nargs="?",
        const=LEASES_OVER,
        metavar="S",
        help="wait for leases to run out, 75 s unless S is given; otherwise only leases of a second are "
        "waited for",
    )


def _add_mock(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("a mock's admin plane").add_argument
    add(
        "--admin-url",
        metavar="URL",
        help="move the clock of the mock behind this admin plane instead of waiting; it is reached as the deployment "
        "is, and gets the headers of --header only if it is on one of its hosts",
    )
    add(
        "--admin-token",
        metavar="TOKEN",
        help="the token of the admin plane, or env:NAME (default env:ARKLOW_ADMIN_TOKEN)",
    )


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Judge the deployment, print the findings and write the reports; returns the exit code."""
    plan = plan_of(options, environment)
    if options.dry_run:
        if options.target is not None:
            print(inert(f"Target {options.target} of {options.targets or FILE}"))
        try:
            load(plan.document)
        except Unreadable as error:
            raise Usage(str(error)) from None
        print(*map(inert, described(plan)), sep="\n")
        return 0
    directory = report_directory(options.report_dir)
    terminal = Terminal(console(), plan.target.secrets)
    files = None if directory is None else ReportFiles(directory)
    listeners: list[Listener] = [terminal]
    if files is not None and plan.night:
        listeners.append(NightRecorder(files.directory, files.write, terminal.say))
    try:
        finished = judge(plan, *listeners, ports=ports)
    finally:
        terminal.close()
    conclude(finished, terminal, files, environment, verbose=options.verbose)
    return finished.exit_code


def conclude(
    finished: RunFinished,
    terminal: Terminal,
    files: ReportFiles | None,
    environment: Mapping[str, str],
    *,
    verbose: bool,
) -> None:
    """Write the reports of a run, and print its summary; what cannot be written is said there, and changes no verdict."""
    problems: list[str] = []
    written = files
    if files is not None and (problem := files.write(finished)) is not None:
        problems, written = [problem], None
    try:
        announced = announce(finished, environment)
    except OSError as error:
        announced = []
        problems.append(f"$GITHUB_STEP_SUMMARY: {error.strerror or error}")
    for line in announced:
        terminal.say(line)
    directory, kept = (None, "") if written is None else (written.directory, written.kept)
    crash = _crash_of(finished, directory)
    terminal.summarise(finished, Ending(directory, tuple(problems), kept, crash), verbose=verbose)


def _crash_of(finished: RunFinished, directory: Path | None) -> Path | None:
    """Return where the traceback of a failure of the judge is: with the reports, or among the temporary files."""
    if not finished.crash:
        return None
    if directory is not None:
        return directory / CRASH
    return kept_crash(crash_text(finished.crash, finished.secrets))


def judge(plan: Plan, *listeners: Listener, ports: Ports) -> RunFinished:
    """Carry out a plan.

    Raises:
        Usage: its document cannot be read, or its admin plane is none.
    """
    check_admin_plane(plan.target, ports)
    try:
        return Run(
            plan, *listeners, clock=ports.clock, transport=ports.transport, run_id=ports.run_id
        ).judge()
    except Unreadable as error:
        raise Usage(str(error)) from None


def write_reports(finished: RunFinished, directory: Path) -> str | None:
    """Write the reports that recorded traffic has too; says what could not be written and why, None when all is there."""
    return ReportFiles(directory, interpretations=False).write(finished)


def check_admin_plane(target: Target, ports: Ports) -> None:
    """Ask the admin plane whether it is one; what else is wrong with it, the run says.

    Raises:
        Usage: it is none.
    """
    if target.admin is None:
        return
    try:
        AdminClock(target.admin, target.first.org, ports.clock).wait(0.0)
    except NoAdminPlane as met:
        raise Usage(f"--admin-url {target.admin.url} is no admin plane of a mock: {met}") from None
    except Interference:
        return


__all__ = ["add", "conclude", "judge", "run", "write_reports"]
