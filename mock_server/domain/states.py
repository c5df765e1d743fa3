"""The states of an action, and the transition table, which alone decides what may follow what.

`docs/lifecycle.md` is drawn from the table.
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
    """The states of the table: the public ones, and custody, which clients see as `ack_wait` (B140, B145)."""

    QUEUED = "queued"
    """Accepted, and no attempt was delivered yet (B021)."""
    DISPATCH_WAIT = "dispatch_wait"
    """Waits for capacity (B072)."""
    SCHEDULED = "scheduled"
    """An attempt ended, and the next one waits for a time that was named (B073, B129)."""
    RETRYING = "retrying"
    """An attempt ended, and the next one has not begun (B073)."""
    RUNNING = "running"
    """A recipient works on the current attempt (B071)."""
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
        """The public state that clients see."""
        return Status.ACK_WAIT if self is State.DEFERRED else Status(self.value)


class Event(StrEnum):
    """What can happen to an action, spelled as in the events of a record (B081; the words are ours)."""

    ACCEPT = "accepted"
    """A client posted the work."""
    WAIT = "waiting"
    """There is no capacity for its next attempt (B072)."""
    DELIVER = "delivered"
    """A recipient took the next attempt under a lease."""
    HAND_OFF = "handed_off"
    """The recipient passed the work on without settling it (B098, B100)."""
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
    """The receiver answered with a 5xx, or with a status that no page lists (B103, Q30)."""
    REFUSE = "refused"
    """The receiver answered with another 4xx; another attempt follows all the same (B104, B105)."""
    UNANSWERED = "unanswered"
    """The call brought no usable answer (B107)."""
    EXPIRE = "expired"
    """The lease ran out (B101, B142)."""
    TIME_OUT = "timed_out"
    """The action's lifetime is over (B074, B075)."""
    CANCEL = "canceled"
    """It was ended from outside (B076)."""


class Refusal(StrEnum):
    """Why an event cannot happen in a state."""

    NOT_DELIVERED = "no attempt was delivered yet"
    ENDED = "the attempt has ended"
    IN_CUSTODY = "a deferred action is not given back"
    TERMINAL = "the action has ended"
    IMPOSSIBLE = "cannot happen here"
    """No client can ask for it here; a program that does is wrong."""


def _row(
    otherwise: Refusal, taken: dict[Event, State], refused: dict[Event, Refusal] | None = None
) -> dict[Event, State | Refusal]:
    """A row of the table: these events lead to states, the others are refused.

    Signals are refused with `otherwise`, unless `refused` names another refusal.
    """
    return (
        dict.fromkeys(_SIGNALS, otherwise) | dict.fromkeys(_OWN, Refusal.IMPOSSIBLE) | taken | (refused or {})
    )


_SIGNALS: Final = (Event.EXTEND, Event.ACK, Event.NACK, Event.SCHEDULE, Event.REJECT, Event.DEFER)
"""Events that a client asks for with a signal; all others the service makes by itself."""
_OWN: Final = tuple(event for event in Event if event not in _SIGNALS)
_FAILED_CALLS: Final = (Event.RATE_LIMIT, Event.UNAVAILABLE, Event.REFUSE, Event.UNANSWERED)
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
        Refusal.IMPOSSIBLE,
        {
            **_HELD,
            **dict.fromkeys(_FAILED_CALLS, State.RETRYING),
            Event.EXTEND: State.RUNNING,
            Event.HAND_OFF: State.ACK_WAIT,
        },
    ),
    State.ACK_WAIT: _row(Refusal.IMPOSSIBLE, {**_HELD, Event.EXTEND: State.ACK_WAIT}),
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
        # the receiver deferred during its call: its answer gives nothing back any more (B143)
        dict.fromkeys((*_FAILED_CALLS, Event.HAND_OFF), Refusal.IN_CUSTODY),
    ),
    State.SUCCEEDED: dict.fromkeys(Event, Refusal.TERMINAL),
    State.FAILED: dict.fromkeys(Event, Refusal.TERMINAL),
    State.CANCELED: dict.fromkeys(Event, Refusal.TERMINAL),
}
"""State → event → the state that follows, or why the event cannot happen."""

FOLLOWS: Final = {
    state: {event: outcome for event, outcome in row.items() if isinstance(outcome, State)}
    for state, row in TRANSITIONS.items()
}
"""State → event → the state that follows; without the refusals."""

TERMINAL: Final = frozenset(state for state, row in FOLLOWS.items() if not row)
"""States that no event follows."""
HELD: Final = frozenset(state for state, row in FOLLOWS.items() if Event.EXTEND in row)
"""States in which the current attempt is held under a lease."""
