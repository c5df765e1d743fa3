"""The contract of a run: what is to be judged, how long, and by which policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.baseline import BaselineEntry
from ..core.events import Checkpoint
from ..core.target import Target
from ..openapi.document import PUBLISHED
from ..transport.throttle import Limits

LONG = 75.0
"""Seconds after which the leases that every destination has, of a minute, have run out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to judge, and how long."""

    target: Target
    document: Path = PUBLISHED
    seed: int = 0
    max_time: float = 25.0
    """Seconds for everything after the first contact."""
    strict: bool = False
    only: frozenset[str] = frozenset()
    """Codes of the rules to listen to; empty for all."""
    wait: float | None = None
    """Seconds that leases are given to run out; without them only leases of a second are waited for."""
    name_prefix: str = ""
    """Names the definitions of a run, which runs of the same name prefix use again; empty for fresh names in each run."""
    limits: Limits = field(default_factory=Limits)
    intrusive: bool = True
    """Large, deep and slow requests, and many at the same moment, are in order."""
    steady: bool = False
    """The same requests in each run against the same target, however fast it is."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Variant that exists → a payload that it takes, for a key that may not put definitions."""
    min_verified: float = 0.0
    """Percent of the rules that have to be put to the test before a run can be green."""
    baseline: tuple[BaselineEntry, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    """Open question → the interpretation that another one is a warning for."""
    night: bool = False
    """Go on with random sequences and generated requests, round after round, until the time is up."""
    before: Checkpoint | None = None
    """What an earlier part of the run has left."""


__all__ = ["LONG", "Plan"]
