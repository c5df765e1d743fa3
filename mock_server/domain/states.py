"""The states of an action and **the** transition table; nothing else decides what may follow what.

Drawn in docs/lifecycle.md, which is made from this table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The public states, spelled as on the wire (B070)."""

    QUEUED = "queued"
    DISPATCH_WAIT = "dispatch_wait"
    SCHEDULED = "scheduled"
    RETRYING = "retrying"
    RUNNING = "running"
    ACK_WAIT = "ack_wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class State(StrEnum):
    """What the table knows: the public states, and custody, which is shown as `ack_wait` (B140, B145)."""

    QUEUED = "queued"
    """Accepted, and nobody was asked yet (B021)."""
    DISPATCH_WAIT = "dispatch_wait"
    """Waits for capacity (B072)."""
    SCHEDULED = "scheduled"
    """An attempt ended, and the next one waits for the time that was asked for (B073, B129)."""
    RETRYING = "retrying"
    """An attempt ended, and the next one has not begun (B073)."""
    RUNNING = "running"
    """A worker has the current attempt in its hands (B071)."""
    ACK_WAIT = "ack_wait"
    """The work was handed on; its settlement comes later (B071)."""
    DEFERRED = "deferred"
    """The holder took custody: no more attempts follow (B140, B141)."""
    SUCCEEDED = "succeeded"
    """Done (B127, B142)."""
    FAILED = "failed"
    """Given up for good, or out of time (B074)."""
    CANCELED = "canceled"
    """Ended from outside before it succeeded (B076)."""

    @property
    def status(self) -> Status:
        """What the outside is shown."""
        return Status.ACK_WAIT if self is State.DEFERRED else Status(self.value)


class Event(StrEnum):
    """What can happen to an action, as the record's events name it (B081; the words are ours)."""

    ACCEPT = "accepted"
    """It came to be."""
    WAIT = "waiting"
    """There is no capacity for its next attempt (B072)."""
    DELIVER = "delivered"
    """A worker took the next attempt under a lease."""
    HAND_OFF = "handed_off"
    """The worker passed the work on without settling it (B098, B100)."""
    EXTEND = "extended"
    """The holder moved its deadline (B125)."""
    ACK = "acked"
    """The holder said that the work is done (B127)."""
    NACK = "nacked"
    """The holder gave the attempt back; Arklow picks the time of the next (B128)."""
    SCHEDULE = "scheduled"
    """The holder gave the attempt back and named the time of the next (B129)."""
    REJECT = "rejected"
    """The holder gave the work up for good (B130)."""
    DEFER = "deferred"
    """The holder took custody (B140)."""
    RATE_LIMIT = "rate_limited"
    """The receiver answered 429 (B102)."""
    UNAVAILABLE = "unavailable"
    """The receiver answered with a 5xx, or with a status that is listed nowhere (B103, Q30)."""
    REFUSE = "refused"
    """The receiver answered with another 4xx; that is tried again too (B104, B105)."""
    UNANSWERED = "unanswered"
    """The call brought no usable answer (B107)."""
    EXPIRE = "expired"
    """The lease ran out (B101, B142)."""
    TIME_OUT = "timed_out"
    """The action's lifetime is over (B074, B075)."""
    CANCEL = "canceled"
    """It was ended from outside (B076)."""


class Refusal(StrEnum):
    """Why an event is not taken in a state."""

    NOT_DELIVERED = "no attempt was delivered yet"
    ENDED = "the attempt has ended"
    IN_CUSTODY = "a deferred action is not given back"
    TERMINAL = "the action has ended"
    SENSELESS = "cannot happen here"
    """Nobody outside can ask for it; the program that does is wrong."""


def _row(
    otherwise: Refusal, taken: dict[Event, State], refused: dict[Event, Refusal] | None = None
) -> dict[Event, State | Refusal]:
    return dict.fromkeys(_ASKED, otherwise) | dict.fromkeys(_OWN, Refusal.SENSELESS) | taken | (refused or {})


_ASKED: Final = (Event.EXTEND, Event.ACK, Event.NACK, Event.SCHEDULE, Event.REJECT, Event.DEFER)
"""What the holder of an attempt asks for; everything else the service does by itself."""
_OWN: Final = tuple(event for event in Event if event not in _ASKED)
_CALLED_IN_VAIN: Final = (Event.RATE_LIMIT, Event.UNAVAILABLE, Event.REFUSE, Event.UNANSWERED)
_OVER: Final = {Event.TIME_OUT: State.FAILED, Event.CANCEL: State.CANCELED}
_HELD: Final = {
    Event.ACK: State.SUCCEEDED,
    Event.NACK: State.RETRYING,
    Event.SCHEDULE: State.SCHEDULED,
    Event.REJECT: State.FAILED,
    Event.DEFER: State.DEFERRED,
    Event.EXPIRE: State.RETRYING,
    **_OVER,
}
_WAITING: Final = {Event.DELIVER: State.RUNNING, Event.WAIT: State.DISPATCH_WAIT, **_OVER}

TRANSITIONS: Final[dict[State, dict[Event, State | Refusal]]] = {
    State.QUEUED: _row(Refusal.NOT_DELIVERED, _WAITING),
    State.DISPATCH_WAIT: _row(Refusal.NOT_DELIVERED, {Event.DELIVER: State.RUNNING, **_OVER}),
    State.SCHEDULED: _row(Refusal.ENDED, _WAITING),
    State.RETRYING: _row(Refusal.ENDED, _WAITING),
    State.RUNNING: _row(
        Refusal.SENSELESS,
        {
            **_HELD,
            **dict.fromkeys(_CALLED_IN_VAIN, State.RETRYING),
            Event.EXTEND: State.RUNNING,
            Event.HAND_OFF: State.ACK_WAIT,
        },
    ),
    State.ACK_WAIT: _row(Refusal.SENSELESS, {**_HELD, Event.EXTEND: State.ACK_WAIT}),
    State.DEFERRED: _row(
        Refusal.IN_CUSTODY,
        {
            Event.EXTEND: State.DEFERRED,  # B144
            Event.ACK: State.SUCCEEDED,  # B144
            Event.DEFER: State.DEFERRED,
            Event.EXPIRE: State.SUCCEEDED,  # B142
            Event.TIME_OUT: State.SUCCEEDED,  # no lease outlives the action, so this is its expiry (C11)
            Event.CANCEL: State.CANCELED,
        },
        # the holder deferred while it was being called: what it answers gives nothing back (B143)
        dict.fromkeys((*_CALLED_IN_VAIN, Event.HAND_OFF), Refusal.IN_CUSTODY),
    ),
    State.SUCCEEDED: dict.fromkeys(Event, Refusal.TERMINAL),
    State.FAILED: dict.fromkeys(Event, Refusal.TERMINAL),
    State.CANCELED: dict.fromkeys(Event, Refusal.TERMINAL),
}
"""State → event → the state that follows, or why none does."""

FOLLOWS: Final = {
    state: {event: outcome for event, outcome in row.items() if isinstance(outcome, State)}
    for state, row in TRANSITIONS.items()
}
"""The same without the refusals."""

TERMINAL: Final = frozenset(state for state, row in FOLLOWS.items() if not row)
HELD: Final = frozenset(state for state, row in FOLLOWS.items() if Event.EXTEND in row)
"""States in which somebody holds the current attempt under a lease."""
