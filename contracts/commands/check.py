"""`check`: judge a deployment."""

from __future__ import annotations

import argparse
import getpass
import math
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from ..core.baseline import entries
from ..core.events import Listener, RunFinished
from ..core.yaml_text import read_yaml
from ..model.interpretations import expected
from ..openapi.document import Unreadable
from ..phases.requests import TAG
from ..phases.scenarios import SCENARIOS
from ..reports import interpretations_yaml
from ..reports.console import Patient, Terminal
from ..reports.github import announce
from ..run.engine import LONG, Plan, Run
from ..transport.throttle import Limits
from . import values
from .flags import add_document, add_target, directory_of, document_of, rule, said_by, settled, target_of
from .night_state import Keeper, resumed
from .targets_file import FILE
from .usage import Usage


def add(commands: Any) -> None:
    """Add the command."""
    check = commands.add_parser(
        "check", help="judge a deployment", description="Judge a deployment of Arklow."
    )
    add_target(check)
    add = check.add_argument
    add(
        "--profile",
        choices=values.PROFILES,
        help="gate: the same requests each time, bounded by count; night: until a time of day",
    )
    add(
        "--until",
        type=values.time_of_day,
        metavar="HH:MM",
        help="when a night ends, by the clock here (06:00)",
    )
    add("--resume", action="store_true", help="go on with the night of this --report-dir")
    add("--max-time", type=values.SECONDS, metavar="S", help="seconds the run may take (default 25)")
    add("--max-requests", type=values.COUNT, metavar="N", help="requests the run may send (gate: 1000)")
    add(
        "--max-writes",
        type=values.COUNT,
        metavar="N",
        help="definitions and actions it may make (2000 off loopback)",
    )
    add("--rate", type=values.rate, metavar="N[/m]", help="requests a second, or a minute (10 off loopback)")
    add(
        "--intrusive",
        action=argparse.BooleanOptionalAction,
        help="large, deep, slow and simultaneous requests off loopback too",
    )
    add(
        "--name-prefix",
        type=values.name_prefix,
        metavar="NAME",
        help="names its definitions, which later runs use again",
    )
    add("--min-verified", type=values.PERCENT, metavar="PCT", help="rules to put to the test (60)")
    add(
        "--variant",
        action="append",
        type=values.variant,
        default=[],
        metavar="NAME=FILE",
        help="a variant that exists and a JSON payload that it takes, for a key that may not put (repeatable)",
    )
    add("--baseline", type=Path, metavar="FILE", help="findings that are known: id, owner, reason, expires")
    add(
        "--expect-interpretations",
        type=Path,
        metavar="FILE",
        help="warn where an interpretation is another one",
    )
    add("--dry-run", action="store_true", help="print what would be done, and contact nobody")
    add("--seed", type=values.SEED, metavar="N", help="repeat the requests of another run")
    add(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="write report.html, report.json, junit.xml, report.sarif, interpretations.yaml and tests/ there",
    )
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
        type=values.WAIT,
        nargs="?",
        const=LONG,
        metavar="S",
        help="wait for leases to run out (default 75 s); without it only leases of a second are waited for",
    )
    add("--admin-url", metavar="URL", help="the admin plane of a mock: its clock is moved instead of waiting")
    add("--admin-token", metavar="TOKEN", help="its token, or env:NAME (default env:ARKLOW_ADMIN_TOKEN)")
    add_document(check, "another OpenAPI 3.1 document to judge by")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Judge, print, and write the reports."""
    plan = plan_of(options, environment)
    if options.dry_run:
        if options.target is not None:
            print(f"Target {options.target} of {options.targets or FILE}")
        for line in described(plan):
            print(line)
        return 0
    directory = directory_of(options.report_dir)
    terminal = Terminal(Patient(soft_wrap=True), plan.target.secrets)
    listeners: list[Listener] = [terminal]
    if directory is not None and plan.night:
        listeners.append(Keeper(directory, _write))
    try:
        finished = judge(plan, *listeners)
    finally:
        terminal.close()
    if directory is not None:
        _write(finished, directory)
    with suppress(OSError):  # nobody listens
        terminal.summarise(finished, directory)
        for line in announce(finished, environment):
            print(line)
        if directory is not None:
            tests = ", tests/" if any(directory.glob("tests/test_*.py")) else ""  # one for each finding
            names = f"report.html, report.json, junit.xml, report.sarif, interpretations.yaml{tests}"
            print(f"Reports are in {directory}/: {names}", flush=True)
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


def _write(finished: RunFinished, directory: Path) -> None:
    write_reports(finished, directory)
    interpretations_yaml.write(finished, directory)


def write_reports(finished: RunFinished, directory: Path) -> None:
    """Write every format."""
    from ..reports import (  # not before there is something to report
        generated_tests,
        html,
        json_report,
        junit,
        sarif,
    )

    for report in (json_report, junit, html, sarif, generated_tests):
        report.write(finished, directory)


def plan_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Plan:
    """The plan that the flags describe.

    Raises:
        Usage: they make no sense together.
    """
    options = settled(options)
    target = target_of(options, environment)
    gate, night = options.profile == "gate", options.profile == "night"
    if (options.until or options.resume) and not night:
        raise Usage("--until and --resume are for --profile night")
    if options.resume and options.report_dir is None:
        raise Usage("--resume needs the --report-dir of the run that it goes on with")
    before = resumed(options.report_dir, target) if options.resume else None
    seed = options.seed if options.seed is not None else 0 if gate else SystemRandom().randrange(10**6)
    own = _own_name_prefix() if gate or night or not target.local else ""
    verified = _VERIFIED if options.min_verified is None else options.min_verified
    return Plan(
        target,
        document_of(options),
        before.run.seed if before else seed,
        options.max_time
        or (_GATE_TIME if gate else _seconds_until(options.until or _MORNING) if night else 25.0),
        options.strict,
        frozenset(options.only or ()),
        options.wait,
        name_prefix=options.name_prefix or own,
        limits=Limits(
            options.rate or (math.inf if target.local else _RATE),
            options.max_requests or (_GATE_REQUESTS if gate else None),
            options.max_writes or (None if target.local else _WRITES_AT_NIGHT if night else _WRITES),
        ),
        intrusive=target.local if options.intrusive is None else options.intrusive,
        steady=gate,
        declared=dict(options.variant),
        min_verified=0.0 if options.only else verified,
        baseline=_of_file(options, "baseline", entries) or (),
        expected=_of_file(options, "expect_interpretations", expected) or {},
        night=night,
        before=before,
    )


def described(plan: Plan) -> Iterator[str]:
    """What a plan would do, line by line."""
    target, limits = plan.target, plan.limits
    yield f"Would judge {target.base_url}, and contact nothing but {', '.join(target.hosts)}:"
    if target.ingress_url != target.base_url:
        yield f"  ingress   {target.ingress_url}"
    yield f"  keys      {', '.join(f'${one.name} for organisation {one.org}' for one in target.credentials)}"
    way = target.way
    for what, said in (
        ("headers", ", ".join(f"{one.name}: ${one.variable}" for one in way.headers)),
        ("trusts", way.ca),
        ("shows", " with ".join(one for one in (way.certificate, way.key) if one)),
        ("proxy", way.proxy),
    ):
        if said:
            yield f"  {what:8}  {said}"
    names = (
        f"contract.{plan.name_prefix}.…, which runs of this name prefix use again"
        if plan.name_prefix
        else "contract.<random>.…, new ones in each run"
    )
    yield f"  names     definitions are called {names}"
    if plan.name_prefix:
        yield f"  tags      actions carry {TAG}=<run>"
    time = f"{plan.max_time:.0f} s" if plan.max_time < 600 else f"{plan.max_time / 3600:.1f} h"
    rate = (
        "as fast as it answers"
        if limits.rate == math.inf
        else f"{limits.rate:,.6g} requests a second at most"
    )
    yield f"  how long  {time} at most, {rate}"
    for what, most in (
        ("requests", limits.requests),
        ("definitions and actions that are made", limits.writes),
    ):
        if most is not None:
            yield f"  budget    {most:,} {what}"
    spared = "" if plan.intrusive else ": none, as --intrusive is not given"
    yield f"  intrusive large and deep bodies, requests at the same moment{spared}"
    yield "  brake     stops when plain answers take three times as long as at first, or 5 % of them fail"
    yield "Sequences, in this order:"
    for scenario in SCENARIOS:
        yield f"  {scenario.title}"
    rest = (
        "random sequences and generated requests in turns"
        if plan.night
        else "short and random sequences, then generated requests"
    )
    yield f"  {rest}, as long as time and budgets last"


def _seconds_until(text: str) -> float:
    """Seconds until it is that time of day here, today or tomorrow."""
    now = datetime.now().astimezone()
    hour, minute = map(int, text.split(":"))
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return ((then - now).total_seconds() - 1) % 86_400 + 1


def _of_file(options: argparse.Namespace, member: str, read: Callable[[Any], Any]) -> Any:
    """What a YAML file says."""
    file: Path | None = getattr(options, member)
    if file is None:
        return None
    try:
        return read(read_yaml(file.read_bytes()))
    except OSError as error:
        raise Usage(f"{said_by(options, member)} {file}: {error.strerror}") from None
    except ValueError as error:
        raise Usage(f"{said_by(options, member)} {file}: {error}") from None


def _own_name_prefix() -> str:
    """A name_prefix of this user on this machine."""
    name = f"{getpass.getuser()}-{platform.node()}"
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:40]


_GATE_REQUESTS: Final = 1_000
_GATE_TIME: Final = 1_800.0
"""Seconds after which a gate ends whatever it has done: its measure is requests."""
_MORNING: Final = "06:00"
_RATE: Final = 10.0
_WRITES: Final = 2_000
_WRITES_AT_NIGHT: Final = 100_000
"""Off loopback, where nobody asked for other limits."""
_VERIFIED: Final = 60.0

__all__ = ["add", "judge", "plan_of", "run", "write_reports"]
