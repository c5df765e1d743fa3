"""What the commands are handed of the world: the clock by which they wait, what carries their requests, and a name."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..transport.clock import Clock, SystemClock
from ..transport.wire import Transport


@dataclass(frozen=True, slots=True)
class Ports:
    """Time and wire of one command; those of this machine, unless others are given."""

    clock: Clock = field(default_factory=SystemClock)
    """Tells and passes time."""
    transport: Transport | None = None
    """Carries the requests to the target; over sockets, if it is None."""
    run_id: str = ""
    """32 hexadecimal digits that name a run; drawn at random, if it is empty."""


__all__ = ["Ports"]
