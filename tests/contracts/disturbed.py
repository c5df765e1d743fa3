"""Runs of the judge against a server with an interference before it, in this process."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contracts import RunFinished
from contracts.core.events import Checkpoint, Event
from contracts.phases.scenarios import SCENARIOS
from contracts.transport.throttle import Limits
from tests.clocks import VirtualClock
from tests.contracts.runs import judged_in_process
from tests.mutants.interferences import Interference

Make = Callable[[VirtualClock], Interference]
"""Makes an interference that goes by this clock."""


def disturbed(make: Make, *only: str, **members: Any) -> tuple[RunFinished, Interference]:
    """Judge what `make` makes as `judged_in_process` does, and return it as well, with the requests that came."""
    made: list[Interference] = []

    def kept(clock: VirtualClock) -> Interference:
        made.append(make(clock))
        return made[0]

    return judged_in_process(kept, *only, **members), made[0]


@functools.cache
def after_the_scenarios() -> Checkpoint:
    """Return what a night leaves that has played every scenario: resumed, it has walks and generated requests alone."""
    events: list[Event] = []
    disturbed(Interference, night=True, limits=Limits(requests=10), listeners=[events.append])
    last = [event for event in events if isinstance(event, Checkpoint)][-1]
    return replace(last, progress=replace(last.progress, done=tuple(one.title for one in SCENARIOS)))


__all__ = ["Make", "after_the_scenarios", "disturbed"]
