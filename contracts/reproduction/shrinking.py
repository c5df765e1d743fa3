"""Makes the example of a finding smaller: leaves out exchanges as long as the finding shows without them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..transport.clock import Clock
from ..transport.interference import Interference
from ..transport.throttle import TimeUp
from .scripts import undefined_names

_TRIES = 40
"""Replays that one example is worth: a hundred exchanges become one or two within them."""
_SECONDS = 3.0
"""Seconds that one example is worth, in which a slow target answers a few dozen requests."""


def shrink(
    finding: Finding,
    play: Callable[[Sequence[Exchange], Finding], Finding | None],
    clock: Clock,
    *,
    reuses_names: bool,
) -> Finding:
    """Return the finding with as few exchanges as it was found to show with.

    Args:
        finding: what shows with its own exchanges.
        play: plays exchanges again, and returns the finding if they show it.
        clock: tells when the time for this example is up.
        reuses_names: a definition that is left out may be there from an earlier run, so none is left out that work needs.
    """
    best, tries, until = finding, 0, clock.now() + _SECONDS
    size = len(best.exchanges)
    while size > 1:
        size, at = size // 2, 0
        while at < len(best.exchanges) - 1 and tries < _TRIES and clock.now() < until:
            script = best.exchanges[:at] + best.exchanges[min(at + size, len(best.exchanges) - 1) :]
            if reuses_names and not undefined_names(script) <= undefined_names(best.exchanges):
                at += size
                continue
            tries += 1
            try:
                smaller = play(script, best)
            except (Interference, TimeUp):
                return best
            if smaller is None:
                at += size
            else:
                best = smaller
    return best


__all__ = ["shrink"]
