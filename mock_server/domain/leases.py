"""Deadline arithmetic. Times are whole milliseconds since the Unix epoch, durations whole milliseconds.

A lease is held while `now < deadline`; at the deadline itself it has run out (our choice: no source says).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

SECOND: Final = 1_000
LEASE: Final = 60 * SECOND
"""What a worker gets without asking (B098, B100, B220), and the first lease of a deferral (Q25)."""
LIFETIME: Final = 86_400 * SECOND
"""How long an action accepted over HTTP lives (Q12, C12)."""
LONGEST_BACK_OFF: Final = 60 * SECOND


def back_off(seed: int, action_id: str, attempt: int) -> int:
    """The pause after a rejection that names no time: 1 s after attempt 0, doubled with each attempt up to
    60 s, and up to a quarter more that differs by action (Q13; the curve is ours). The same for the same
    arguments."""
    pause = min(SECOND << min(attempt, 6), LONGEST_BACK_OFF)
    digest = sha256(f"{seed}/{action_id}/{attempt}".encode()).digest()
    return pause + pause * digest[0] // 1_024
