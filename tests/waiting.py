"""Waiting for what happens in another thread or process: for the event itself, with a limit that no busy machine reaches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which what was awaited will not happen; a hundred times what it takes on a quiet machine."""
_LOOK = 0.01
"""Seconds between two looks."""


def wait_until(
    condition: Callable[[], T | None], what: str = "the condition", *, within: float = PATIENCE
) -> T:
    """Wait until `condition` returns a true value, and return that value.

    Raises:
        AssertionError: it did not within so many seconds; the message names `what`.
    """
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come about within {within:.0f} s"
        time.sleep(_LOOK)
    return found


__all__ = ["PATIENCE", "wait_until"]
