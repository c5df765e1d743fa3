"""The plan of a run: what is judged, how long, and how the run behaves at its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.baseline import BaselineEntry
from ..core.events import Checkpoint
from ..core.target import Target
from ..model.world import FRESH_SECONDS
from ..openapi.document import PUBLISHED
from ..transport.client import TIMEOUT
from ..transport.throttle import Limits

WAIT_FOR = 12.0
"""Seconds for a target to answer at all: a cold start takes ten, and a little more goes into the next try."""
LEASES_OVER = 75.0
"""Seconds after which the leases that every destination has, of a minute, are over, and a next attempt has begun."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to do; nothing changes it afterwards."""

    target: Target
    document: Path = PUBLISHED
    """The OpenAPI document that is judged by."""
    seed: int = 0
    max_time: float = 25.0
    """Seconds for everything after the first contact."""
    strict: bool = False
    """Warnings count as violations."""
    only: frozenset[str] = frozenset()
    """Codes of the rules whose findings are kept; empty: all rules."""
    sought: frozenset[str] = frozenset()
    """Ids of the findings that end the run when each was found; empty: it ends when each rule of `only` was broken."""
    wait: float | None = None
    """Seconds that are waited for leases to end; None: only leases of a second are waited for."""
    name_prefix: str = ""
    """Names the definitions of the run, which later runs of the same name prefix use again; empty: fresh names in each
    run."""
    timeout: float = TIMEOUT
    """Seconds that one answer may take."""
    wait_for: float = WAIT_FOR
    """Seconds that are waited for the target to answer at all."""
    settle: float = FRESH_SECONDS
    """Seconds until the whole target knows what was made."""
    max_interference: float | None = None
    """Percent of the requests, in all and of each operation, that may meet interference before the run proves nothing; None:
    a third of all of them."""
    limits: Limits = field(default_factory=Limits)
    intrusive: bool = True
    """Large, deep and slow requests are sent, and many at the same moment."""
    steady: bool = False
    """The requests are the same in each run against the same target, however fast it is."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Variant that exists → a payload that it takes, for a key that may not put definitions."""
    min_verified: float = 0.0
    """Percent of the rules that have to be verified before a run without a finding proves something."""
    baseline: tuple[BaselineEntry, ...] = ()
    """Findings that are known."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """Open question → the interpretation that is counted on; any other one is a warning (READ-2)."""
    night: bool = False
    """The run goes on with random walks and generated requests, round after round, until the time is up."""
    before: Checkpoint | None = None
    """What an earlier part of the same run has left."""


__all__ = ["LEASES_OVER", "WAIT_FOR", "Plan"]
