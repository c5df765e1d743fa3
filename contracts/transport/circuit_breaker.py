"""The circuit breaker: when plain requests suffer, the target is left alone for a while, or for good."""

from __future__ import annotations

from collections.abc import Callable

from ..core.exchange import Exchange
from .clock import Clock
from .interference import Interference
from .throttle import Suspicion, Throttle, seconds_until
from .wire import Request

_PAUSE = 60.0
"""Seconds for which a target that suffers is left alone at first; each further pause is twice as long."""
_SLOW_TRIES, _FAILING_TRIES = 2, 20
"""Plain requests that show whether a target is slow, or fails more than one in twenty."""
_TOO_MANY = 2
"""Plain requests that have to go wrong: one may be chance."""
_LEAST_TIMEOUT = 1.0
"""Seconds that a plain request may take at least, however fast the target was at first."""


class CircuitBreaker:
    """Looks at plain requests when the throttle suspects that the target suffers."""

    def __init__(
        self,
        throttle: Throttle,
        clock: Clock,
        status_of: Callable[[Request, float], int],
        note: Callable[[str], None],
    ) -> None:
        self._throttle = throttle
        self._clock = clock
        self._status_of = status_of
        """Sends a request that may take so many seconds, and returns the status of its answer."""
        self._note = note
        """Counts interference by its kind."""
        self._plain: Request | None = None

    def arm(self, plain: Request) -> None:
        """Measure the target by this request from now on: a plain one that was served."""
        self._plain = plain

    def check(self) -> None:
        """Pause while plain requests suffer: for a minute, then for longer; close the throttle where time does not allow it.

        Raises:
            TimeUp: the run may send nothing more.
        """
        if self._plain is None or (suspicion := self._throttle.suspicion()) is None:
            return
        pause = _PAUSE
        while (why := self._suffering(self._plain, suspicion)) is not None:
            self._note(f"the circuit breaker, as {why}")
            if self._clock.now() + pause > self._throttle.deadline:
                self._throttle.close(f"the circuit breaker opened, as {why}")
                return
            self._throttle.pause(pause, "the target to recover")
            pause *= 2
        self._throttle.relieve()

    def limited(self, exchange: Exchange) -> bool:
        """Say whether a rate limit has refused a request, which may then be sent again; nothing goes until it may."""
        theirs = seconds_until(exchange.answer_header("date"), 0.0)  # a date to wait for is one of that clock
        now = theirs or self._clock.unix_time()
        asked = seconds_until(exchange.answer_header("retry-after"), now)
        if exchange.status != 429 and (exchange.status != 503 or asked is None):
            return False
        self._throttle.hold(1.0 if asked is None else asked)
        return True

    def _suffering(self, plain: Request, suspicion: Suspicion) -> str | None:
        """Say what is wrong with plain requests: two are slow, or two of twenty fail; None when they go well."""
        bad, timeout = 0, max(_LEAST_TIMEOUT, 2 * self._throttle.slowest)
        for _ in range(_SLOW_TRIES if suspicion == "slow" else _FAILING_TRIES):
            self._throttle.admit()
            began = self._clock.now()
            try:
                failed = self._status_of(plain, timeout) >= 500
            except Interference:
                failed = suspicion != "slow"
            slow = self._throttle.is_slow(self._clock.now() - began)
            bad += slow if suspicion == "slow" else failed
            if bad == _TOO_MANY:
                most = 1_000 * self._throttle.slowest
                return (
                    f"answers take more than {most:.0f} ms, three times as long as at first"
                    if suspicion == "slow"
                    else "more than 5 % of plain requests fail"
                )
        return None


__all__ = ["CircuitBreaker"]
