"""The states of an action and **the** transition table; nothing else decides what may follow what.

Of the nine public states (B070) these are the ones that the three published operations can reach: work
is queued on acceptance (B021), a worker takes it at once, and what nobody settles is delivered again
until the action's lifetime is over (B101, B106, B074).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Public states, spelled as on the wire (B070)."""

    QUEUED = "queued"
    ACK_WAIT = "ack_wait"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to an action."""

    DELIVER = "deliver"
    """A worker takes the current attempt under a lease."""
    EXTEND = "extend"
    """The holder of the current attempt moves its deadline (B125)."""
    EXPIRE = "expire"
    """The lease ran out; the next attempt begins (B101)."""
    TIME_OUT = "time_out"
    """The action's lifetime is over (B074)."""


class Refusal(StrEnum):
    """Why an event is not taken in a state."""

    NOT_DELIVERED = "not delivered"
    TERMINAL = "terminal"
    ALREADY_DELIVERED = "already delivered"


TRANSITIONS: Final[dict[Status, dict[Event, Status | Refusal]]] = {
    Status.QUEUED: {
        Event.DELIVER: Status.ACK_WAIT,
        Event.EXTEND: Refusal.NOT_DELIVERED,
        Event.EXPIRE: Refusal.NOT_DELIVERED,
        Event.TIME_OUT: Status.FAILED,
    },
    Status.ACK_WAIT: {
        Event.DELIVER: Refusal.ALREADY_DELIVERED,
        Event.EXTEND: Status.ACK_WAIT,
        Event.EXPIRE: Status.ACK_WAIT,
        Event.TIME_OUT: Status.FAILED,
    },
    Status.FAILED: dict.fromkeys(Event, Refusal.TERMINAL),
}
