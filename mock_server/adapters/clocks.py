"""The clocks: one that follows the machine, one that is moved by hand."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's time. Reads the wall clock once and follows the monotonic one, so it never goes back."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Milliseconds since the Unix epoch."""
        return (time.monotonic_ns() + self._offset) // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved, and never goes back."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        """Milliseconds since the Unix epoch."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Move forward.

        Raises:
            ValueError: `milliseconds` is negative.
        """
        if milliseconds < 0:
            raise ValueError(f"a clock does not go back, got {milliseconds} ms")
        self._now += milliseconds
