"""From the flags of `check` to the plan of a run."""

from __future__ import annotations

import argparse
import getpass
import math
import os
import platform
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from arklow_local.formats import yaml_reader
from arklow_local.formats.files import read_bytes

from ..core.baseline import entries
from ..model.interpretations import expected_interpretations
from ..model.world import FRESH_SECONDS
from ..run.plan import WAIT_FOR, Plan
from ..transport.client import TIMEOUT
from ..transport.throttle import Limits
from .flags import document_of
from .night_state import resumed
from .target_options import source_of, target_of, with_targets_file
from .time_of_day import seconds_until
from .usage import Usage

_CHECK_SECONDS: Final = 25.0
"""Enough to find nine of ten seeded violations, and short enough to wait for."""
_GATE_REQUESTS: Final = 1_000
"""A gate is bounded by requests, so that each run sends the same ones whatever the machine."""
_GATE_SECONDS: Final = 1_800.0
"""Half an hour: a gate ends then even if its target answers too slowly for its requests."""
_NIGHT_ENDS: Final = "06:00"
RATE: Final = 10.0
"""Requests a second off loopback: a staging system has other users."""
_WRITES: Final = 2_000
_WRITES_AT_NIGHT: Final = 100_000
"""Definitions and actions that a run may make off loopback, as they stay there."""
_GATE_INTERFERENCE: Final = 5.0
"""Percent of the requests: a gate that loses more of them has not seen what it promises to see each time."""
_MIN_VERIFIED: Final = 60.0
"""Percent of the rules; with fewer verified rules an exit code of 0 would promise too much."""


def plan_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Plan:
    """The plan that the flags of `check` describe.

    Raises:
        Usage: a value cannot be used, or flags contradict each other.
    """
    options = with_targets_file(options)
    target = target_of(options, environment)
    gate, night = options.profile == "gate", options.profile == "night"
    if (options.until or options.resume) and not night:
        raise Usage("--until and --resume are for --profile night")
    if options.resume and options.report_dir is None:
        raise Usage("--resume needs the --report-dir of the run that it goes on with")
    before = resumed(options.report_dir, target) if options.resume else None
    seed = options.seed if options.seed is not None else 0 if gate else SystemRandom().randrange(10**6)
    has_prefix = bool(options.name_prefix) or gate or night or not target.is_local
    min_verified = _MIN_VERIFIED if options.min_verified is None else options.min_verified
    return Plan(
        target,
        document_of(options),
        before.run.seed if before else seed,
        options.max_time or _seconds(options),
        options.strict,
        frozenset(options.only or ()),
        options.wait,
        timeout=TIMEOUT if options.timeout is None else options.timeout,
        wait_for=WAIT_FOR if options.wait_for is None else options.wait_for,
        settle=FRESH_SECONDS if options.settle is None else options.settle,
        max_interference=_GATE_INTERFERENCE
        if gate and options.max_interference is None
        else options.max_interference,
        name_prefix=(options.name_prefix or own_name_prefix()) if has_prefix else "",
        limits=_limits(options, local=target.is_local),
        intrusive=target.is_local if options.intrusive is None else options.intrusive,
        steady=gate,
        declared=dict(options.variant),
        min_verified=0.0 if options.only else min_verified,
        baseline=from_yaml(options, "baseline", entries) or (),
        expected=from_yaml(options, "expect_interpretations", expected_interpretations) or {},
        night=night,
        before=before,
    )


def _seconds(options: argparse.Namespace) -> float:
    """Seconds that the profile gives to a run."""
    if options.profile == "gate":
        return _GATE_SECONDS
    if options.profile == "night":
        return seconds_until(options.until or _NIGHT_ENDS, time.time())
    return _CHECK_SECONDS


def _limits(options: argparse.Namespace, *, local: bool) -> Limits:
    """The limits that the flags set, or else the profile; `local` targets have none by default."""
    gate, night = options.profile == "gate", options.profile == "night"
    return Limits(
        options.rate or (math.inf if local else RATE),
        options.max_requests or (_GATE_REQUESTS if gate else None),
        options.max_writes or (None if local else _WRITES_AT_NIGHT if night else _WRITES),
    )


def from_yaml(options: argparse.Namespace, member: str, read: Callable[[Any], Any]) -> Any:
    """Return what `read` makes of the YAML file that a member names; None where it names none.

    Raises:
        Usage: the file cannot be read, or has a wrong value.
    """
    file: Path | None = getattr(options, member)
    if file is None:
        return None
    name = f"{source_of(options, member)} {file}"
    try:
        source = yaml_reader.read(read_bytes(file), name)
    except OSError as error:
        raise Usage(f"{name}: {error.strerror}") from None
    except yaml_reader.YamlRefused as refused:
        raise Usage(str(refused)) from None
    try:
        return read(source.value)
    except ValueError as error:
        raise Usage(f"{name}: {error}") from None


def own_name_prefix(user: Callable[[], str] = getpass.getuser) -> str:
    """Return a name prefix of this user on this machine.

    `user` says who that is. A container may run as a user that has no name: then its number stands for it.
    """
    try:
        who = user()
    except (KeyError, OSError, ImportError):
        who = f"user-{os.getuid() if hasattr(os, 'getuid') else 0}"
    name = re.sub("[^a-z0-9]+", "-", f"{who}-{platform.node()}".lower()).strip("-")[:40]
    return name or "contract"


__all__ = ["RATE", "from_yaml", "own_name_prefix", "plan_of"]
