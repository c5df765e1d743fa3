"""Moments as they are written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final


def timestamp(milliseconds: int) -> str:
    """A moment since the Unix epoch as RFC 3339 has it, to the millisecond, in UTC (B018)."""
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


BEGIN: Final = 946_684_800_000
"""The first millisecond of the year 2000, before which no clock stands."""
END: Final = 32_503_680_000_000
"""The first millisecond of the year 3000, which no clock is moved to."""


def moment(text: str, *, end: int = END) -> int:
    """A date-time with its offset, in milliseconds since the Unix epoch; what is finer is cut off.

    Raises:
        ValueError: no calendar has the day, or it is out of bounds; the text says what was expected.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a date-time") from None
    since = read - datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000
    if not BEGIN <= milliseconds < end:
        raise ValueError("expected a time from 2000 to 2999 in UTC")
    return milliseconds
