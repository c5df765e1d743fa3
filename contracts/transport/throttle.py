"""How fast requests may go and how many: a rate, budgets, what the target asks for, and when it is left alone."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

_WINDOW = 3.0
"""Seconds of answers that are looked at to tell whether a target suffers."""
_RELIEF = 5.0
"""Seconds for which nothing is suspected again after it was found to be well."""
_HICCUP = 2.0
"""Seconds that one answer alone may take."""
_SLOWER = 3.0
"""How many times as long as at first answers may take."""
_NOTICED = 0.05
"""Seconds by which they have to be longer for that: less is noise."""
_FAILING = 0.05
"""Share of answers that may be server errors."""
_FEW = 20
"""Answers that say what is usual, or of which a share can be told."""


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
    writes: int | None = None
    """Definitions and actions that may be made."""


class Throttle:
    """Lets requests go one by one; times are seconds of `now`."""

    def __init__(self, limits: Limits, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.limits = limits
        self.rate = limits.rate
        """Requests a second, which falls when the target says that they are too many."""
        self.sent = 0
        self.reserve = 0
        """Requests that are kept for what comes last."""
        self.made = 0
        self._now = now
        self._sleep = sleep
        self._next = -math.inf
        self._usual: list[float] = []
        self._recent: deque[tuple[float, float, bool]] = deque(maxlen=2_000)
        self._look = -math.inf
        self.closed: str | None = None
        """Why nothing goes any more, whatever is left of budgets."""

    @property
    def spent(self) -> str | None:
        """Why nothing goes any more."""
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
        """Requests that may be sent still."""
        most = self.limits.requests
        return math.inf if most is None else most - self.reserve - self.sent

    def admit(self, deadline: float, count: int = 1) -> None:
        """Wait until so many requests may go.

        Raises:
            TimeUp: they may not, as the time or a budget is used up.
        """
        if (why := self.spent) is not None:
            raise TimeUp(why)
        now = self._now()
        at = max(now, self._next)
        if at >= deadline:
            raise TimeUp
        if at > now:
            self._sleep(at - now)
        self._next = at + count / self.rate
        self.sent += count

    def answered(self, seconds: float, status: int, *, made: bool = False) -> None:
        """An answer came, or none did in that time: then its status is 0."""
        self.made += made
        if len(self._usual) < _FEW:
            self._usual.append(seconds)
        self._recent.append((self._now(), seconds, status >= 500))

    def hold(self, seconds: float) -> None:
        """Nothing goes for so long; and less in a second than went in the last one, as that was too much."""
        now = self._now()
        last = sum(at > now - 1 for at, _, _ in self._recent)
        self.rate = min(self.rate, max(0.9 * last, 0.5))
        self._next = max(self._next, now + seconds)

    def suspicion(self) -> str | None:
        """What the latest answers give a reason to look into: that the target is `slow`, or `failing`."""
        now = self._now()
        if now < self._look or len(self._usual) < _FEW:
            return None
        self._look = now + 1
        recent = [seconds for at, seconds, _ in self._recent if at > now - _WINDOW]
        long = [seconds for seconds in recent if self.slow(seconds)]
        if sum(long) > sum(recent) / 2 and (len(long) > 1 or long[0] > _HICCUP):
            return "slow"
        failed = [failed for _, _, failed in self._recent][-5 * _FEW :]
        return "failing" if len(failed) >= _FEW and sum(failed) > _FAILING * len(failed) else None

    def slow(self, seconds: float) -> bool:
        """Whether an answer took more than three times as long as at first."""
        return seconds > self.slowest

    @property
    def slowest(self) -> float:
        """Seconds from which on an answer is slow."""
        usual = statistics.median(self._usual)
        return max(_SLOWER * usual, usual + _NOTICED)

    def relieved(self) -> None:
        """The target is well: what came until now is no reason to look into it again."""
        self._recent.clear()
        self._look = self._now() + _RELIEF

    def close(self, why: str) -> None:
        """Let nothing go any more."""
        self.closed = why


def seconds_until(text: str | None, now: float) -> float | None:
    """What a Retry-After asks for: seconds, or a date (RFC 9110 §10.2.3); None when it says neither."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)


__all__ = ["Limits", "Throttle", "TimeUp", "seconds_until"]
