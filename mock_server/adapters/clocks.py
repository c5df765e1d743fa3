"""The machine's clock, and one for tests that is advanced by hand."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's time: the wall clock's at the start, and from then on the monotonic clock's, which never goes back."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Return the time in milliseconds since the Unix epoch."""
        return (time.monotonic_ns() + self._offset) // 1_000_000


class ManualClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        """Show `now`, in milliseconds since the epoch."""
        self._now = now

    def now(self) -> int:
        """Return the time in milliseconds since the Unix epoch."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Go forward by milliseconds.

        Raises:
            ValueError: `milliseconds` is negative.
        """
        if milliseconds < 0:
            raise ValueError(f"a clock does not go back, got {milliseconds} ms")
        self._now += milliseconds
