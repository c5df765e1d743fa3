"""The durations of leases, lifetimes and back-offs, in whole milliseconds.

A lease is held while `now < deadline`; at the deadline itself it has run out (ours; no source says).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

SECOND: Final = 1_000
"""Milliseconds."""
LEASE: Final = 60 * SECOND
"""The lease of an attempt that names none (B098, B100, B220), and the first lease of a deferral (Q25)."""
LIFETIME: Final = 86_400 * SECOND
"""How long an action accepted over HTTP lives (Q12, C12)."""
LONGEST_BACK_OFF: Final = 60 * SECOND
"""Without the quarter that is added by action (Q13; ours)."""


def back_off(seed: int, action_id: str, attempt: int) -> int:
    """Return the pause before the next attempt, in milliseconds, when an attempt ended and no time was named.

    It is 1 s after attempt 0 and doubles with each attempt up to 60 s. Up to a quarter more is added, so that actions do not
    return all at once; it differs by action (Q13; the curve is ours). The same arguments give the same pause.
    """
    pause = min(SECOND << min(attempt, 6), LONGEST_BACK_OFF)
    digest = sha256(f"{seed}/{action_id}/{attempt}".encode()).digest()
    return pause + pause * digest[0] // 1_024
