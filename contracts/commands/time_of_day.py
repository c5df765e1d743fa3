"""How long it is until the local clock shows a time of day, also over a change to summer or winter time."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

_DAYS: Final = 2
"""Days on which the time is looked for: today and tomorrow."""


def seconds_until(text: str, now: float, zone: tzinfo | None = None) -> float:
    """Return the seconds until the next moment at which a clock shows a time of day.

    Where the clock is put forward over that time, the moment is when that is done; where it shows the time twice, each counts.

    Args:
        text: the time, as HH:MM.
        now: seconds since 1970.
        zone: of the clock; that of this machine, if none is given.
    """
    hour, minute = map(int, text.split(":"))
    today = datetime.fromtimestamp(now, zone).date()
    moments = [
        moment
        for day in range(_DAYS)
        for moment in _moments(datetime.combine(today + timedelta(day), time(hour, minute)), zone)
    ]
    return min(moment for moment in moments if moment >= now + 1) - now


def _moments(wall: datetime, zone: tzinfo | None) -> list[float]:
    """Return when a clock shows this time, in seconds since 1970: once, twice, or when it jumps over it."""
    first, last = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    shown = [one for one in dict.fromkeys((first, last)) if _wall(one, zone) == wall]
    return shown or [_jump(last, first, wall, zone)]


def _jump(before: float, after: float, wall: datetime, zone: tzinfo | None) -> float:
    """Return when the clock is put forward over a time, to the second, between two moments."""
    while after - before > 1:
        middle = (before + after) // 2
        if _wall(middle, zone) < wall:
            before = middle
        else:
            after = middle
    return after


def _wall(moment: float, zone: tzinfo | None) -> datetime:
    """Return what the clock shows, without its zone."""
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0)


__all__ = ["seconds_until"]
