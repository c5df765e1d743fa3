"""Deadline arithmetic. Times are whole milliseconds since the Unix epoch, durations whole milliseconds.

A lease is held while `now < deadline`; at the deadline itself it has run out (our choice: no source says).
"""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000
LEASE: Final = 60 * SECOND
"""What a worker gets without asking (B098, B100, B220)."""
LIFETIME: Final = 86_400 * SECOND
"""How long an action accepted over HTTP lives (Q12, C12)."""


def granted(now: int, timeout_at: int) -> int:
    """The deadline of a lease taken at `now`, never beyond the action's lifetime."""
    return min(now + LEASE, timeout_at)


def extended(now: int, seconds: int, timeout_at: int) -> int:
    """The deadline after a mod_ack of `seconds`: counted from now, capped at the lifetime (Q8, B136)."""
    return min(now + seconds * SECOND, timeout_at)


def expiries(deadline: int, now: int) -> int:
    """How many leases in a row ran out by `now`, when each one was followed by the next at once.

    Needs `now >= deadline`; the answer is at least 1.
    """
    return (now - deadline) // LEASE + 1
