"""The action, and what happens to it: pure functions of (action, what happens, when) → what it becomes.

A function that lets several things happen at one moment returns every value on the way, oldest first.
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
from .interpretations import USUAL, Interpretations
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
from .worker import Do, Step, Taker

NEVER: Final = 1 << 62
"""A time that does not come."""


# Through its class a member costs as much to reach as a call; these are needed for every action and attempt.
_ACCEPT, _DELIVER, _HAND_OFF = Event.ACCEPT, Event.DELIVER, Event.HAND_OFF
_QUEUED = State.QUEUED
_HOLD, _WAIT, _CALL = Do.HOLD, Do.WAIT, Do.CALL


class Work(NamedTuple):
    """What was accepted; it never changes.

    `payload` and `metadata` are JSON texts (`metadata` is empty when none was sent). Times are milliseconds
    since the epoch.
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
    """One accepted piece of work as it stands after `event`. Times are milliseconds since the epoch."""

    id: str
    work: Work
    event: Event
    """What happened last."""
    state: State
    attempt: int
    """The current attempt, or the last one between two; counts from 0 (B077)."""
    available_at: int
    """When the next attempt may begin (B080): the end of the lease while the current one is held."""
    acts_at: int
    """When the worker does what its script says; `NEVER` unless it is at work."""
    started_at: int
    """When attempt 0 was delivered; 0 before."""
    updated_at: int

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen any more."""
        return self.state in TERMINAL


Course = tuple[Action, ...]
"""Successive values of one action, oldest first."""


class Happening(NamedTuple):
    """One event of an action as it is remembered (B081). Times are milliseconds since the epoch."""

    number: int
    """Counts all events of the organisation."""
    at: int
    event: Event
    state: State
    """The state that followed."""
    attempt: int
    available_at: int


def accepted(id: str, work: Work) -> Action:
    """A new action (B020, B021)."""
    now = work.accepted_at
    return Action(id, work, _ACCEPT, _QUEUED, 0, now, NEVER, 0, now)


def due(action: Action) -> int:
    """When something happens to the action by itself next; `NEVER` when nothing will."""
    if action.state in HELD:
        return min(action.available_at, action.acts_at)
    if action.state in TERMINAL:
        return NEVER
    if action.state is State.QUEUED or action.state is State.DISPATCH_WAIT:
        return action.work.timeout_at
    return action.available_at


def fallen_due(action: Action, taker: Taker, seed: int, now: int) -> Course:
    """What becomes of an action at the moment it is due, which is not after now.

    A lease that runs out is followed by the next attempt at once (B101, B107; that there is no pause is
    ours); at the end of the lifetime nothing follows any more (B106).
    """
    at = due(action)
    if at == action.acts_at < action.available_at:
        return (_acted(action, taker.step(action.work.variant, action.attempt), seed, at),)
    if action.state is State.DEFERRED:
        return (_after(action, Event.EXPIRE, at, at),)
    if at >= action.work.timeout_at:
        return (_after(action, Event.TIME_OUT, at, at),)
    if action.state in HELD:
        ended = _after(action, Event.EXPIRE, at, at)
        return (ended, *dispatched(ended, taker, seed, at, now))
    return dispatched(action, taker, seed, at, now)


def dispatched(action: Action, taker: Taker, seed: int, at: int, now: int) -> Course:
    """The next attempt is given away at a time, and whoever takes it may act on it at once. A worker that is at it for
    longer than a lease renews it (B220); all of that lease is granted at the start. A call begins now: nobody is
    called in the past."""
    work = action.work
    attempt = action.attempt + 1 if action.started_at else 0
    do, after, lease, _ = step = taker.step(work.variant, attempt)
    if do is _CALL:
        if now >= work.timeout_at:
            return (_after(action, Event.TIME_OUT, work.timeout_at, work.timeout_at),)
        return (_given(action, attempt, now, leases.LEASE, NEVER),)
    if do is _WAIT:
        if action.state is State.DISPATCH_WAIT:
            return ()
        return (_after(action, Event.WAIT, at, at),)
    running = _given(
        action, attempt, at, leases.LEASE if after < leases.LEASE else after + leases.LEASE, at + after
    )
    if after:
        return (running,)
    if do is _HOLD:
        return (running, _after(running, _HAND_OFF, at, min(at + lease, work.timeout_at)))
    return (running, _acted(running, step, seed, at))


def _given(action: Action, attempt: int, now: int, lease: int, acts_at: int) -> Action:
    """An attempt in the hands of who takes it."""
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


def _acted(action: Action, step: Step, seed: int, now: int) -> Action:
    """The worker does what its script says of this attempt."""
    do, _, lease, retry_after = step
    if do is Do.ACK:
        return _after(action, Event.ACK, now, now)
    if do is Do.REJECT:
        return _after(action, Event.REJECT, now, now)
    if do is Do.DEFER:
        return _after(action, Event.DEFER, now, _leased(action, now, leases.LEASE))
    if do is Do.NACK and retry_after is None:
        return _given_back(action, Event.NACK, _retry(action, seed, now), now)
    if do is Do.NACK:
        return _given_back(action, Event.SCHEDULE, now + (retry_after or 0), now)
    # to hold; or something else, when who takes attempts was changed while the action was running
    return _after(action, Event.HAND_OFF, now, _leased(action, now, lease))


def is_called(action: Action) -> bool:
    """Whether this is the moment in which a call began."""
    return action.event is _DELIVER and action.acts_at == NEVER


def answered(action: Action, attempt: int, meaning: Meaning, seed: int, now: int) -> Action | None:
    """After the answer to the call of `attempt`; None when it says nothing any more, as somebody has settled, given
    back or deferred meanwhile. An extension stays when no signal shortens it (ours)."""
    event, pause, _ = meaning
    if action.attempt != attempt or action.state not in HELD or event not in FOLLOWS[action.state]:
        return None
    if event is Event.ACK:
        return _after(action, event, now, now)
    if event is _HAND_OFF:
        deadline = _leased(action, now, leases.LEASE if pause is None else pause)
        return _after(action, event, now, deadline if pause else max(deadline, action.available_at))
    return _given_back(action, event, _retry(action, seed, now) if pause is None else now + pause, now)


def extended(action: Action, attempt: int, seconds: int, now: int) -> Action:
    """After a modack by the holder of `attempt`, asking for `seconds` (B125). One who extends while the worker is
    still at work does not stop it.

    Raises:
        SettleRefused: see `_settling`.
    """
    _settling(action, attempt, Event.EXTEND)
    deadline = _leased(action, now, seconds * leases.SECOND)
    return _after(action, Event.EXTEND, now, deadline, action.acts_at)


def acked(action: Action, attempt: int, now: int, interpretations: Interpretations = USUAL) -> Action:
    """After an ack by the holder of `attempt` (B127, B144); another one by the same changes nothing, where interpretations have
    it accepted (Q3).

    Raises:
        SettleRefused: see `_settling`.
    """
    if action.event is Event.ACK and action.attempt == attempt and interpretations.second_ack == "accepted":
        return action
    _settling(action, attempt, Event.ACK)
    return _after(action, Event.ACK, now, now)


def nacked(
    action: Action,
    attempt: int,
    *,
    retry: bool,
    retry_at: int | None,
    seed: int,
    now: int,
    interpretations: Interpretations = USUAL,
) -> Action:
    """After a nack by the holder of `attempt`: for good without `retry` (B130), until `retry_at`
    (milliseconds, B129; a past one means now), or for as long as the back-off says (B128).

    Raises:
        SettleRefused: see `_settling`; a deferred action is not given back (B143), whatever interpretations have it answered.
    """
    if (
        action.state is State.DEFERRED
        and action.attempt == attempt
        and interpretations.nack_after_defer != "refused"
    ):
        return action
    event = Event.REJECT if not retry else Event.NACK if retry_at is None else Event.SCHEDULE
    _settling(action, attempt, event)
    if event is Event.REJECT:
        return _after(action, event, now, now)
    return _given_back(action, event, _retry(action, seed, now) if retry_at is None else retry_at, now)


def deferred(action: Action, attempt: int, now: int) -> Action:
    """After the holder of `attempt` took custody (B140); doing so again changes nothing (ours).

    Raises:
        SettleRefused: see `_settling`.
    """
    _settling(action, attempt, Event.DEFER)
    if action.state is State.DEFERRED:
        return action
    return _after(action, Event.DEFER, now, _leased(action, now, leases.LEASE))


def expired(action: Action, now: int) -> Action:
    """The lease of whoever holds the action ends now instead of later.

    Raises:
        SettleRefused: nobody holds it.
    """
    _settling(action, action.attempt, Event.EXTEND)
    return _after(action, Event.EXPIRE, now, now)


def ended(action: Action, event: Event, now: int) -> Action:
    """The action is over now: `CANCEL`, or `TIME_OUT` before its time.

    Raises:
        FinishedAction: it was before.
    """
    if action.is_over:
        raise _finished(action)
    return _after(action, event, now, now)


def _settling(action: Action, attempt: int, event: Event) -> None:
    """Return when `event` may be asked for by whoever says they hold `attempt` (B120, B132).

    Raises:
        FinishedAction: the action is over (B134).
        StaleAttempt: the attempt has ended (B120, B121).
        FutureAttempt: the attempt was never delivered (B135).
        DeferredAction: what is in custody is not given back (B143).
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


def _leased(action: Action, now: int, duration: int) -> int:
    """The deadline of a lease: counted from now, never later than the action's lifetime (Q8, B136)."""
    return min(now + duration, action.work.timeout_at)


def _given_back(action: Action, event: Event, retry_at: int, now: int) -> Action:
    """After a rejection that leaves the action open; what is asked for beyond its lifetime ends with it."""
    return _after(action, event, now, max(now, min(retry_at, action.work.timeout_at)))


def _retry(action: Action, seed: int, now: int) -> int:
    return now + leases.back_off(seed, action.id, action.attempt)
