"""The action record, and what happens to it: pure functions (record, event, now) → record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import leases
from .errors import FinishedAction, FutureAttempt, StaleAttempt
from .states import TRANSITIONS, Event, Refusal, Status


@dataclass(frozen=True, slots=True)
class Action:
    """One accepted piece of work.

    `payload` and `metadata` are JSON texts (`metadata` is empty when none was sent). `accepted_at`,
    `timeout_at` and `deadline` are milliseconds since the epoch; `deadline` is the end of the current
    attempt's lease and has no meaning before the first delivery or after the end. `attempt` counts from
    0 (B077).
    """

    id: str
    org_id: str
    definition_id: str
    variant: str
    version: int
    payload: bytes
    metadata: bytes
    tags: tuple[tuple[str, str], ...]
    accepted_at: int
    timeout_at: int
    status: Status
    attempt: int
    deadline: int


_TAKEN = Status(TRANSITIONS[Status.QUEUED][Event.DELIVER])


def _next_status(action: Action, event: Event) -> Status:
    outcome = TRANSITIONS[action.status][event]
    if outcome is Refusal.TERMINAL:
        raise FinishedAction(
            f"body/action_record_id: expected an action that is still open, got {action.id}, "
            f"which ended as {action.status}"
        )
    if isinstance(outcome, Refusal):
        raise FutureAttempt(
            f"body/attempt: expected an attempt that was delivered, got attempt {action.attempt} of "
            f"action {action.id}, which is {action.status}"
        )
    return outcome


def accepted(
    *,
    id: str,
    org_id: str,
    definition_id: str,
    variant: str,
    version: int,
    payload: bytes,
    metadata: bytes,
    tags: tuple[tuple[str, str], ...],
    now: int,
) -> Action:
    """A new action, which the built-in worker takes at once: attempt 0 under a lease (our choice)."""
    timeout_at = now + leases.LIFETIME
    return Action(
        id,
        org_id,
        definition_id,
        variant,
        version,
        payload,
        metadata,
        tags,
        accepted_at=now,
        timeout_at=timeout_at,
        status=_TAKEN,
        attempt=0,
        deadline=leases.granted(now, timeout_at),
    )


def as_of(action: Action, now: int) -> Action:
    """The action as it stands at `now`: leases that ran out unobserved are applied as one event.

    The next attempt begins at the moment the last one expired, so an action that nobody looked at for
    an hour is on attempt 60, in constant time and without a timer.
    """
    if action.status is not Status.ACK_WAIT or now < action.deadline:
        return action
    if now >= action.timeout_at:
        missed = (
            leases.expiries(action.deadline, action.timeout_at - 1)
            if action.deadline < action.timeout_at
            else 0
        )
        return replace(
            action,
            status=_next_status(action, Event.TIME_OUT),
            attempt=action.attempt + missed,
            deadline=action.timeout_at,
        )
    missed = leases.expiries(action.deadline, now)
    return replace(
        action,
        status=_next_status(action, Event.EXPIRE),
        attempt=action.attempt + missed,
        deadline=min(action.deadline + missed * leases.LEASE, action.timeout_at),
    )


def extended(action: Action, attempt: int, seconds: int, now: int) -> Action:
    """The action after a modack by the holder of `attempt`, asking for `seconds`.

    Raises:
        FinishedAction: the action is terminal.
        StaleAttempt: a later attempt took over.
        FutureAttempt: the attempt was never delivered.
    """
    action = as_of(action, now)
    status = _next_status(action, Event.EXTEND)
    if attempt < action.attempt:
        raise StaleAttempt(
            f"body/attempt: expected {action.attempt}, the attempt that holds the lease of action "
            f"{action.id} now, got {attempt}, whose lease has run out"
        )
    if attempt > action.attempt:
        raise FutureAttempt(
            f"body/attempt: expected {action.attempt}, the attempt that holds the lease of action "
            f"{action.id} now, got {attempt}, which has not begun"
        )
    return replace(action, status=status, deadline=leases.extended(now, seconds, action.timeout_at))
