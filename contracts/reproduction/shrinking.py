"""Makes the example of a finding smaller: leaves out exchanges as long as the finding shows without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.rules import RULES, Verifier
from ..transport.clock import Clock
from ..transport.interference import Interference
from ..transport.throttle import TimeUp
from .scripts import about_the_same, made_for, puts_by_name, undefined_names

_TRIES = 40
"""Replays that one example is worth: a hundred exchanges become one or two within them."""
_SECONDS = 3.0
"""Seconds that one example is worth, in which a slow target answers a few dozen requests."""
_WAITS = 3
"""Replays of an example that waits which are worth their time beside that."""
_SHORT_WAIT = 2.0
"""Seconds of waiting in an example that count for this: what the shortest lease takes to run out."""
_LAST = 3
"""Exchanges at the end of a sequence that show most findings, together with what made their definitions and actions."""


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
        reuses_names: a definition that is left out may be there from an earlier run, so none is left out that work needs,
            or that an update follows.
    """
    waited = finding.exchanges[-1].waited - finding.exchanges[0].waited
    best, until = finding, clock.now() + _SECONDS + _WAITS * min(waited, _SHORT_WAIT)
    tries = 0

    def played(script: Sequence[Exchange]) -> Finding | None:
        nonlocal tries
        tries += 1
        return play(script, best)

    def may_go_on() -> bool:
        return tries < _TRIES and clock.now() < until

    try:
        for script in _endings(finding.exchanges):
            if not may_go_on():
                return best
            if reuses_names and _loses_a_definition(script, best):
                continue
            if (smaller := played(script)) is not None:
                best = smaller
                break
        size = len(best.exchanges)
        while size > 1:
            size, at = size // 2, 0
            while at < len(best.exchanges) - 1 and may_go_on():
                script = best.exchanges[:at] + best.exchanges[min(at + size, len(best.exchanges) - 1) :]
                smaller = None if reuses_names and _loses_a_definition(script, best) else played(script)
                if smaller is None:
                    at += size
                else:
                    best = smaller
    except (Interference, TimeUp):
        pass
    return best


def _loses_a_definition(script: Sequence[Exchange], best: Finding) -> bool:
    """Say whether a script lacks a definition that the example has: of work, or of an update where the rule is about state."""
    if not undefined_names(script) <= undefined_names(best.exchanges):
        return True
    about_state = Verifier.MODEL in RULES[best.rule].verifiers
    return about_state and any(
        puts_by_name(script)[name] < count
        for name, count in puts_by_name(best.exchanges).items()
        if name in puts_by_name(script)
    )


def _endings(script: tuple[Exchange, ...]) -> Iterator[tuple[Exchange, ...]]:
    """Yield what may be enough of a script, each with what it needs of the script, and shorter than that.

    It is what is about the same action as the last exchange; that and the last exchange before a pause; or the last exchanges.
    """
    before_pause = [one for one, after in pairwise(script) if after.waited > one.waited]
    last = (made_for(script, script[-count:]) for count in range(1, _LAST + 1))
    tried: list[tuple[Exchange, ...]] = []
    for ending in (about_the_same(script), about_the_same(script, *before_pause[-1:]), *last):
        if len(ending) < len(script) and ending not in tried:
            tried.append(ending)
            yield ending


__all__ = ["shrink"]
