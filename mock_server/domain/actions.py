"""The action, and what each event makes of it: pure functions of an action, an event and a time.

A function during which several events can happen returns `Changes`: the action after each of them, oldest first. Times are
milliseconds since the epoch.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from . import leases
from .errors import (
    DeferredAction,
    FinishedAction,
    FutureAttempt,
    StaleAttempt,
)
from .interpretations import DEFAULTS, Interpretations
from .states import (
    FOLLOWS,
    HELD,
    TERMINAL,
    TRANSITIONS,
    Event,
    Refusal,
    State,
)
from .webhook_answers import Meaning
from .worker import Do, Recipient, Step

NEVER: Final = 1 << 62
"""A time that does not come: later than every other."""


# Looking a member up through its class costs as much as a call, and these are needed for every action and attempt.
_ACCEPT, _DELIVER, _HAND_OFF = Event.ACCEPT, Event.DELIVER, Event.HAND_OFF
_QUEUED = State.QUEUED
_HOLD, _WAIT, _CALL = Do.HOLD, Do.WAIT, Do.CALL


class Work(NamedTuple):
    """The accepted work of an action; it never changes.

    `payload` and `metadata` are JSON texts; `metadata` is empty when none was sent.
    """

    definition_id: str
    variant: str
    version: int
    payload: bytes
    metadata: bytes
    tags: tuple[tuple[str, str], ...]
    accepted_at: int
    timeout_at: int


class Action(NamedTuple):
    """One accepted piece of work as it stands after `event`."""

    id: str
    work: Work
    event: Event
    """The latest event."""
    state: State
    attempt: int
    """The current attempt, or the latest one while none is held; counts from 0 (B077)."""
    available_at: int
    """When the next attempt may begin (B080); while the current one is held, the end of its lease."""
    acts_at: int
    """When the worker carries out its script's step; `NEVER` unless the worker runs the attempt."""
    started_at: int
    """When attempt 0 was delivered; 0 before."""
    updated_at: int

    @property
    def is_over(self) -> bool:
        """Whether no event can follow."""
        return self.state in TERMINAL


Changes = tuple[Action, ...]
"""Successive values of one action: as it is after each of some events, oldest first."""


class HistoryEvent(NamedTuple):
    """One event in the history of an action (B081)."""

    number: int
    """Counts all events of the organisation, from 1."""
    at: int
    kind: Event
    state: State
    """The state that followed."""
    attempt: int
    available_at: int


def accepted(id: str, work: Work) -> Action:
    """Return a new action (B020, B021)."""
    now = work.accepted_at
    return Action(id, work, _ACCEPT, _QUEUED, 0, now, NEVER, 0, now)


def due_at(action: Action) -> int:
    """Return when the next event happens without a request, in milliseconds; `NEVER` when none will."""
    if action.state in HELD:
        return min(action.available_at, action.acts_at)
    if action.state in TERMINAL:
        return NEVER
    if action.state is State.QUEUED or action.state is State.DISPATCH_WAIT:
        return action.work.timeout_at
    return action.available_at


def run_due(action: Action, recipient: Recipient, seed: int, now: int) -> Changes:
    """Return what becomes of an action at the moment it is due, which is not after `now`.

    When a lease runs out, the next attempt follows at once (B101, B107; that there is no pause is ours). At the end of the
    lifetime no attempt follows (B106).
    """
    at = due_at(action)
    if at == action.acts_at < action.available_at:
        return (_after_step(action, recipient.step(action.work.variant, action.attempt), seed, at),)
    if action.state is State.DEFERRED:
        return (_after(action, Event.EXPIRE, at, at),)
    if at >= action.work.timeout_at:
        return (_after(action, Event.TIME_OUT, at, at),)
    if action.state in HELD:
        ended = _after(action, Event.EXPIRE, at, at)
        return (ended, *dispatched(ended, recipient, seed, at, now))
    return dispatched(action, recipient, seed, at, now)


def dispatched(action: Action, recipient: Recipient, seed: int, at: int, now: int) -> Changes:
    """Return what becomes of an action when its next attempt is given to the recipient at the time `at`.

    A recipient may act on the attempt at once. A worker that runs it for longer than a lease renews the lease (B220); all of
    that time is granted at the start. A webhook call begins at `now`, even when the attempt was due before.
    """
    work = action.work
    attempt = action.attempt + 1 if action.started_at else 0
    do, after, lease, _ = step = recipient.step(work.variant, attempt)
    if do is _CALL:
        if now >= work.timeout_at:
            return (_after(action, Event.TIME_OUT, work.timeout_at, work.timeout_at),)
        return (_delivered(action, attempt, now, leases.LEASE, NEVER),)
    if do is _WAIT:
        if action.state is State.DISPATCH_WAIT:
            return ()
        return (_after(action, Event.WAIT, at, at),)
    running = _delivered(
        action, attempt, at, leases.LEASE if after < leases.LEASE else after + leases.LEASE, at + after
    )
    if after:
        return (running,)
    if do is _HOLD:
        return (running, _after(running, _HAND_OFF, at, min(at + lease, work.timeout_at)))
    return (running, _after_step(running, step, seed, at))


def _delivered(action: Action, attempt: int, now: int, lease: int, acts_at: int) -> Action:
    """The action with an attempt that begins at `now`, under a lease of so many milliseconds."""
    work = action.work
    return Action(
        action.id,
        work,
        _DELIVER,
        FOLLOWS[action.state][_DELIVER],
        attempt,
        min(now + lease, work.timeout_at),
        acts_at,
        action.started_at or now,
        now,
    )


def _after_step(action: Action, step: Step, seed: int, now: int) -> Action:
    """The action after the worker carried out its script's step for the running attempt."""
    do, _, lease, retry_after = step
    if do is Do.ACK:
        return _after(action, Event.ACK, now, now)
    if do is Do.REJECT:
        return _after(action, Event.REJECT, now, now)
    if do is Do.DEFER:
        return _after(action, Event.DEFER, now, _deadline(action, now, leases.LEASE))
    if do is Do.NACK and retry_after is None:
        return _given_back(action, Event.NACK, _after_back_off(action, seed, now), now)
    if do is Do.NACK:
        return _given_back(action, Event.SCHEDULE, now + (retry_after or 0), now)
    # to hold; or a step without a meaning here, when the recipient was changed while the attempt ran
    return _after(action, Event.HAND_OFF, now, _deadline(action, now, lease))


def starts_call(action: Action) -> bool:
    """Return whether the latest event of the action began a webhook call."""
    return action.event is _DELIVER and action.acts_at == NEVER


def answered(action: Action, attempt: int, meaning: Meaning, seed: int, now: int) -> Action | None:
    """Return the action after the answer to the webhook call of `attempt`.

    The result is None when the answer comes too late: the attempt was settled, given back or deferred meanwhile. A deadline
    that was extended during the call stays, unless the answer names another (ours).
    """
    event, pause, _ = meaning
    if action.attempt != attempt or action.state not in HELD or event not in FOLLOWS[action.state]:
        return None
    if event is Event.ACK:
        return _after(action, event, now, now)
    if event is _HAND_OFF:
        deadline = _deadline(action, now, leases.LEASE if pause is None else pause)
        return _after(action, event, now, deadline if pause else max(deadline, action.available_at))
    return _given_back(
        action, event, _after_back_off(action, seed, now) if pause is None else now + pause, now
    )


def extended(action: Action, attempt: int, seconds: int, now: int) -> Action:
    """Return the action after a modack by the holder of `attempt`: its deadline is `seconds` from now (B125).

    A worker that runs the attempt goes on.

    Raises:
        SettleRefused: see `_check_signal`.
    """
    _check_signal(action, attempt, Event.EXTEND)
    deadline = _deadline(action, now, seconds * leases.SECOND)
    return _after(action, Event.EXTEND, now, deadline, action.acts_at)


def acked(action: Action, attempt: int, now: int, interpretations: Interpretations = DEFAULTS) -> Action:
    """Return the action after an ack by the holder of `attempt` (B127, B144).

    A second ack of the attempt changes nothing where the interpretations accept it (Q3).

    Raises:
        SettleRefused: see `_check_signal`.
    """
    if action.event is Event.ACK and action.attempt == attempt and interpretations.second_ack == "accepted":
        return action
    _check_signal(action, attempt, Event.ACK)
    return _after(action, Event.ACK, now, now)


def nacked(
    action: Action,
    attempt: int,
    *,
    retry: bool,
    retry_at: int | None,
    seed: int,
    now: int,
    interpretations: Interpretations = DEFAULTS,
) -> Action:
    """Return the action after a nack by the holder of `attempt`.

    Without `retry` the action has failed (B130). Else the next attempt begins at `retry_at` (milliseconds, B129; a past time
    means now), or after the back-off (B128). A deferred action is not given back (B143): where the interpretations do not
    refuse its nack, nothing changes (Q7).

    Raises:
        SettleRefused: see `_check_signal`.
    """
    if (
        action.state is State.DEFERRED
        and action.attempt == attempt
        and interpretations.nack_after_defer != "refused"
    ):
        return action
    event = Event.REJECT if not retry else Event.NACK if retry_at is None else Event.SCHEDULE
    _check_signal(action, attempt, event)
    if event is Event.REJECT:
        return _after(action, event, now, now)
    return _given_back(
        action, event, _after_back_off(action, seed, now) if retry_at is None else retry_at, now
    )


def deferred(action: Action, attempt: int, now: int) -> Action:
    """Return the action after the holder of `attempt` took custody (B140); a second deferral changes nothing (ours).

    Raises:
        SettleRefused: see `_check_signal`.
    """
    _check_signal(action, attempt, Event.DEFER)
    if action.state is State.DEFERRED:
        return action
    return _after(action, Event.DEFER, now, _deadline(action, now, leases.LEASE))


def expired(action: Action, now: int) -> Action:
    """Return the action after its lease was ended before its deadline.

    Raises:
        SettleRefused: no attempt is held.
    """
    _check_signal(action, action.attempt, Event.EXTEND)
    return _after(action, Event.EXPIRE, now, now)


def ended(action: Action, event: Event, now: int) -> Action:
    """Return the action after it was ended from outside at `now` (milliseconds), by `CANCEL` or `TIME_OUT`.

    Raises:
        FinishedAction: the action had ended before.
    """
    if action.is_over:
        raise _finished(action)
    return _after(action, event, now, now)


def _check_signal(action: Action, attempt: int, event: Event) -> None:
    """Check that a client that claims to hold `attempt` may ask for `event` (B120, B132).

    Raises:
        FinishedAction: the action is over (B134).
        StaleAttempt: the attempt has ended (B120, B121).
        FutureAttempt: the attempt was never delivered (B135).
        DeferredAction: an action in custody is not given back (B143).
    """
    if action.is_over:
        raise _finished(action)
    outcome = TRANSITIONS[action.state][event]
    if outcome is Refusal.NOT_DELIVERED and not action.started_at:
        raise FutureAttempt(
            f"body/attempt: expected an attempt that was delivered, got attempt {attempt} of action "
            f"{action.id}, which is {action.state.status}"
        )
    if attempt > action.attempt:
        raise FutureAttempt(
            f"body/attempt: expected {action.attempt}, the latest attempt of action {action.id}, got "
            f"{attempt}, which has not begun"
        )
    if attempt < action.attempt:
        raise StaleAttempt(
            f"body/attempt: expected {action.attempt}, the latest attempt of action {action.id}, got "
            f"{attempt}, which has ended"
        )
    if outcome is Refusal.IN_CUSTODY:
        raise DeferredAction(
            f"body/action_record_id: expected an action that was not deferred, got {action.id}: who takes "
            "custody can ack it or extend its lease, not give it back"
        )
    if isinstance(outcome, Refusal):
        raise StaleAttempt(
            f"body/attempt: expected an attempt that is held, got {attempt} of action {action.id}, which has "
            f"ended; the action is {action.state.status}"
        )


def _finished(action: Action) -> FinishedAction:
    return FinishedAction(
        f"body/action_record_id: expected an action that is still open, got {action.id}, which ended as "
        f"{action.state.status}"
    )


def _after(action: Action, event: Event, now: int, available_at: int, acts_at: int = NEVER) -> Action:
    """The action after an event of its current attempt."""
    return Action(
        action.id,
        action.work,
        event,
        FOLLOWS[action.state][event],
        action.attempt,
        available_at,
        acts_at,
        action.started_at,
        now,
    )


def _deadline(action: Action, now: int, duration: int) -> int:
    """The deadline of a lease of `duration` milliseconds from now; never after the action's lifetime (Q8, B136)."""
    return min(now + duration, action.work.timeout_at)


def _given_back(action: Action, event: Event, retry_at: int, now: int) -> Action:
    """The action after an attempt was given back; the next one begins at `retry_at`, but not after the lifetime."""
    return _after(action, event, now, max(now, min(retry_at, action.work.timeout_at)))


def _after_back_off(action: Action, seed: int, now: int) -> int:
    return now + leases.back_off(seed, action.id, action.attempt)
