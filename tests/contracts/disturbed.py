"""Runs of the judge against a server with an interference before it, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts import RunFinished
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


__all__ = ["Make", "disturbed"]
