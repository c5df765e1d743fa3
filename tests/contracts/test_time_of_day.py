"""When a night ends: at the time that the local clock shows, whatever is done to that clock meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.commands.time_of_day import seconds_until


@pytest.mark.parametrize(
    ("zone", "now", "until", "hours"),
    [
        ("Europe/Berlin", "2026-07-01 22:00", "06:00", 8),
        ("Europe/Berlin", "2026-03-28 22:00", "06:00", 7),
        ("Europe/Berlin", "2026-10-24 22:00", "06:00", 9),
        ("Europe/Berlin", "2026-03-29 01:00", "02:30", 1),
        ("Europe/Berlin", "2026-03-29 01:00", "03:00", 1),
        ("Europe/Berlin", "2026-10-25 01:00", "02:30", 1.5),
        ("Europe/Berlin", "2026-10-25 02:45", "02:30", 0.75),
        ("Europe/Berlin", "2026-10-25 02:30", "02:30", 1),
        ("America/New_York", "2026-03-07 23:00", "06:00", 6),
        ("America/New_York", "2026-11-01 00:30", "01:30", 1),
        ("Australia/Lord_Howe", "2026-10-03 22:00", "06:00", 7.5),
        ("UTC", "2026-03-29 06:00", "06:00", 24),
        ("UTC", "2026-03-29 05:59", "06:00", 1 / 60),
        ("UTC", "2026-12-31 23:00", "6:00", 7),
    ],
)
def test_a_night_ends_when_the_local_clock_shows_the_time(
    zone: str, now: str, until: str, hours: float
) -> None:
    """In the nights in which it is put forward or back, too: also at a time that it skips, or shows twice."""
    began = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone))

    seconds = seconds_until(until, began.timestamp(), ZoneInfo(zone))

    assert seconds == pytest.approx(3_600 * hours, abs=1)


def test_without_a_zone_the_clock_is_that_of_the_machine() -> None:
    """Whatever its zone is, the end shows the time."""
    now = datetime(2026, 7, 1, 22, 15).timestamp()  # noqa: DTZ001

    ends = datetime.fromtimestamp(now) + timedelta(seconds=seconds_until("06:00", now))  # noqa: DTZ006

    assert (ends.hour, ends.minute) in ((6, 0), (5, 0), (7, 0))
