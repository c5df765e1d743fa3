"""How fast requests may go, how many, and until when: a rate, budgets, a deadline, and what the target itself asks for."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from .clock import Clock

_WINDOW = 3.0
"""Seconds of latest answers that tell whether the target is slow: enough for a few, and soon after it has begun."""
_RELIEF = 5.0
"""Seconds without suspicion after plain requests went well, so that looking does not cost more than it saves."""
_HICCUP = 2.0
"""Seconds from which on one slow answer alone is suspicious; a shorter one happens to any server."""
_SLOWER = 3.0
"""How many times as long as the first answers later ones may take."""
_NOTICED = 0.05
"""Seconds by which they have to be longer for that: below it the difference is noise."""
_FAILING = 0.05
"""Share of answers that may be server errors: mutants and rare faults stay below it."""
_SAMPLE = 20
"""Minimum sample size: answers that tell the usual time, or of which a share can be told."""
_REMEMBERED = 2_000
"""Answers that are remembered: more than come within `_WINDOW`."""
_SLOWEST_RATE = 0.5
"""Requests a second below which the rate does not fall, whatever the target refuses."""

_SLICE = 1.0
"""Seconds of a wait after which it is looked whether the run was cancelled: a user who interrupts it is not patient."""
_NOTICEABLE = 2.0
"""Seconds of a wait from which on a person wonders whether the run hangs, and is told what it waits for."""
_LIMITED = "the target lets nothing more go before the time is up"
"""Why a request is not sent that a rate limit of the target holds back for longer than the run goes on."""

Suspicion = Literal["slow", "failing"]


class TimeUp(Exception):
    """The run may send nothing more; the text says why."""

    def __init__(self, why: str = "the time was up") -> None:
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may ask of a target."""

    rate: float = math.inf
    """Requests a second."""
    requests: int | None = None
    """Requests that may be sent in all; None for any number."""
    writes: int | None = None
    """Definitions and actions that may be made; None for any number."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one part of a run may use of time and budgets."""

    deadline: float = math.inf
    """When it ends, in seconds of the clock."""
    reserve: int = 0
    """Requests of the budget that are left to a later part."""
    hold_until: float = math.inf
    """Until when it is waited, in seconds of the clock, where the target asks to be left alone."""


class Cancellation:
    """Tells a run from another thread to come to its end; the thread of the run only reads it."""

    def __init__(self) -> None:
        self._asked: tuple[float, str | None] = (math.inf, None)

    def cancel(self, deadline: float, why: str | None = None) -> None:
        """End the run at `deadline`, in seconds of its clock; with a reason nothing more is sent even before that."""
        earlier, known = self._asked
        self._asked = (min(earlier, deadline), known or why)

    @property
    def deadline(self) -> float:
        """When the run has to end, in seconds of its clock."""
        return self._asked[0]

    @property
    def why(self) -> str | None:
        """Why nothing more may be sent; None while it may."""
        return self._asked[1]


class Throttle:
    """Lets requests go, one or many at once, when rate, budgets and deadline allow it."""

    def __init__(
        self,
        limits: Limits,
        clock: Clock,
        cancellation: Cancellation | None = None,
        waiting: Callable[[float, str], None] = lambda _seconds, _why: None,
    ) -> None:
        """Make a throttle; `waiting` is told of each long wait: its seconds, and what is waited for."""
        self._tell_waiting = waiting
        self.limits = limits
        self.rate = limits.rate
        """Requests a second; it falls when the target refuses requests as too many."""
        self.sent = 0
        """Requests that were let go."""
        self.made = 0
        """Definitions and actions that were made."""
        self._clock = clock
        self._cancellation = cancellation or Cancellation()
        self._allowance = Allowance()
        self._next = -math.inf
        self._held = False
        """Whether it is the target that lets nothing go until `_next`."""
        self.lost = 0.0
        """Seconds before the deadline in which the target let nothing go any more."""
        self.limited: str | None = None
        """That the target let nothing go before the deadline, in one sentence; None while it did not."""
        self._first: list[float] = []
        """Seconds that the first answers took."""
        self._latest: deque[tuple[float, float, bool]] = deque(maxlen=_REMEMBERED)
        """Triples of when an answer came, the seconds that it took, and whether it was a server error."""
        self._unsuspicious_until = -math.inf
        self._closed: str | None = None

    def allow(self, allowance: Allowance) -> None:
        """Begin a part of the run that may use this much."""
        self._allowance = allowance

    @property
    def deadline(self) -> float:
        """When the present part of the run ends, in seconds of the clock."""
        return min(self._allowance.deadline, self._cancellation.deadline)

    @property
    def closed(self) -> str | None:
        """Why nothing goes any more, whatever is left of time and budgets; None while it may."""
        return self._closed or self._cancellation.why

    @property
    def spent(self) -> str | None:
        """Why nothing goes any more: it was closed, or a budget is used up; None while something may go."""
        limits = self.limits
        if self.closed is not None:
            return self.closed
        if self.left <= 0:
            return f"the budget of {limits.requests} requests was used up"
        if limits.writes is not None and self.made >= limits.writes:
            return f"the budget of {limits.writes} writes was used up"
        return None

    @property
    def left(self) -> float:
        """Requests that the present part may still send; infinite without a budget."""
        most = self.limits.requests
        return math.inf if most is None else most - self._allowance.reserve - self.sent

    def _too_many(self, count: int, writes: int) -> str | None:
        """Say which budget so many requests at the same moment would pass; None when they pass none."""
        limits = self.limits
        for most, left, wanted, what in (
            (limits.requests, self.left, count, "requests"),
            (limits.writes, (limits.writes or 0) - self.made, writes, "writes"),
        ):
            if most is not None and wanted > left:
                return f"the budget of {most} {what} does not allow {wanted} more at the same moment"
        return None

    def admit(self, count: int = 1, writes: int = 0) -> None:
        """Wait until `count` requests may go together, `writes` of which may make a definition or an action.

        Raises:
            TimeUp: they may not before the deadline, or a budget is used up or would be passed.
        """
        if (why := self.spent or self._too_many(count, writes)) is not None:
            raise TimeUp(why)
        now = self._clock.now()
        at = max(now, self._next)
        if self._held and at >= self._hold_limit:
            raise TimeUp(_LIMITED)
        if at >= self.deadline:
            raise TimeUp
        if at > now:
            self.pause(at - now, "the target's rate limit" if self._held else "the rate limit of this run")
        self._next = at + count / self.rate
        self._held = False
        self.sent += count

    def pause(self, seconds: float, why: str = "") -> None:
        """Let time pass; the one way in which a run waits, so that no wait goes past its deadline.

        `why` is what is waited for, as `Waiting` has it.

        Raises:
            TimeUp: the deadline is before the end of the wait, and none of it was waited; or the run was cancelled.
        """
        until = self._clock.now() + seconds
        if until > self.deadline:
            raise TimeUp
        if why and seconds >= _NOTICEABLE:
            self._tell_waiting(seconds, why)
        while (left := until - self._clock.now()) > 0:
            self._clock.wait(min(left, _SLICE))
            if self.closed is not None:
                raise TimeUp(self.closed)

    def answered(self, seconds: float, status: int, *, made: bool = False) -> None:
        """Note an answer that took `seconds`, or with status 0 that none came in that time."""
        self.made += made
        if len(self._first) < _SAMPLE:
            self._first.append(seconds)
        self._latest.append((self._clock.now(), seconds, status >= 500))

    def note_made(self) -> None:
        """Note that a definition or an action may have been made by a request whose answer does not say it."""
        self.made += 1

    def hold(self, seconds: float) -> None:
        """Let nothing go for `seconds`, and fewer afterwards than went in the last second, as those were too many."""
        now = self._clock.now()
        last = sum(at > now - 1 for at, _, _ in self._latest)
        self.rate = min(self.rate, max(0.9 * last, _SLOWEST_RATE))
        self._next = max(self._next, now + seconds)
        self._held = True
        left = self._hold_limit - now
        if seconds >= left > self.lost:
            self.lost = left
            self.limited = (
                f"The target asked to be left alone for {seconds:.0f} s (Retry-After), and {left:.0f} s were left: "
                "allow more with --wait-for or --max-time, or send more slowly with --rate."
            )

    @property
    def _hold_limit(self) -> float:
        """Until when it is waited where the target asks to be left alone."""
        return min(self.deadline, self._allowance.hold_until)

    def suspicion(self) -> Suspicion | None:
        """Return what the latest answers give a reason to look into; asked at most once a second."""
        now = self._clock.now()
        if now < self._unsuspicious_until or len(self._first) < _SAMPLE:
            return None
        self._unsuspicious_until = now + 1
        recent = [seconds for at, seconds, _ in self._latest if at > now - _WINDOW]
        long = [seconds for seconds in recent if self.is_slow(seconds)]
        if sum(long) > sum(recent) / 2 and (len(long) > 1 or long[0] > _HICCUP):
            return "slow"
        failed = [failed for _, _, failed in self._latest][-5 * _SAMPLE :]
        return "failing" if len(failed) >= _SAMPLE and sum(failed) > _FAILING * len(failed) else None

    def is_slow(self, seconds: float) -> bool:
        """Say whether an answer that took `seconds` took more than three times as long as the first ones."""
        return seconds > self.slowest

    @property
    def slowest(self) -> float:
        """Seconds that an answer may take without being slow."""
        usual = self.usual
        return max(_SLOWER * usual, usual + _NOTICED)

    @property
    def usual(self) -> float:
        """Seconds that the first answers took in the middle; 0 before the first one."""
        return statistics.median(self._first) if self._first else 0.0

    def relieve(self) -> None:
        """Forget the latest answers: plain requests went well, so these are no reason to look again."""
        self._latest.clear()
        self._unsuspicious_until = self._clock.now() + _RELIEF

    def close(self, why: str) -> None:
        """Let nothing go any more, for this reason."""
        self._closed = why


def seconds_until(text: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After asks for: it has seconds, or a date (RFC 9110 §10.2.3).

    `now` is in seconds since 1970. None when the text is neither.
    """
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)


__all__ = ["Allowance", "Cancellation", "Limits", "Suspicion", "Throttle", "TimeUp", "seconds_until"]
