"""Times as they are written in JSON, to text and from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final


def timestamp(milliseconds: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 has them: to the millisecond, in UTC (B018)."""
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


BEGIN: Final = 946_684_800_000
"""The first millisecond of the year 2000; an earlier time is taken for a mistake, such as the epoch itself."""
END: Final = 32_503_680_000_000
"""The first millisecond of the year 3000, which no clock reaches: further than tests go, and well before RFC 3339 ends."""


def moment(text: str, *, end: int = END) -> int:
    """Return a date-time with an offset in milliseconds since the epoch, finer digits cut off; `end` is out of bounds.

    Raises:
        ValueError: no calendar has the day, or the time is out of bounds; the text says what was expected.
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
