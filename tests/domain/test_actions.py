"""The life of an action, against a model that steps from deadline to deadline."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.actions import Action, accepted, as_of, extended
from mock_server.domain.errors import FinishedAction, FutureAttempt, SettleRefused, StaleAttempt
from mock_server.domain.leases import LEASE, LIFETIME
from mock_server.domain.states import Status

START = 1_700_000_000_000
BOUNDARIES = st.sampled_from([0, 1, LEASE, LIFETIME])
STEPS = st.builds(lambda a, b: max(0, a + b), BOUNDARIES | st.integers(0, 2 * LIFETIME), st.integers(-1, 1))


def _new() -> Action:
    return accepted(
        id="1",
        org_id="1",
        definition_id="1",
        variant="v",
        version=1,
        payload=b"1",
        metadata=b"",
        tags=(),
        now=START,
    )


def _stepped(action: Action, now: int) -> Action:
    """The same as `as_of`, one expiry at a time."""
    while action.status is Status.ACK_WAIT and action.deadline <= now:
        if action.deadline >= action.timeout_at:
            return replace(action, status=Status.FAILED)
        action = replace(
            action, attempt=action.attempt + 1, deadline=min(action.deadline + LEASE, action.timeout_at)
        )
    return action


@given(st.lists(st.tuples(STEPS, st.none() | st.integers(1, 2**63 - 1) | st.integers(1, 200))))
def test_unobserved_expiries_are_what_stepping_would_give(calls: list[tuple[int, int | None]]) -> None:
    """At every boundary t-1, t, t+1 ms, with extensions between: in closed form and step by step."""
    closed = stepped = _new()
    now = START
    for wait, seconds in calls:
        now += wait
        closed, stepped = as_of(closed, now), _stepped(stepped, now)
        assert closed == stepped
        if seconds is not None and closed.status is Status.ACK_WAIT:
            closed = stepped = extended(closed, closed.attempt, seconds, now)
            assert closed.deadline == min(now + seconds * 1_000, closed.timeout_at)


@given(STEPS, st.integers(-2, 2))
def test_only_the_current_attempt_can_extend(wait: int, other: int) -> None:
    """B120: a lower one is stale, a higher one has not begun, and after the end nobody can."""
    now = START + wait
    current = as_of(_new(), now)
    by_order: dict[int, type[SettleRefused] | None] = {-1: StaleAttempt, 0: None, 1: FutureAttempt}
    expected = by_order[(other > 0) - (other < 0)]
    if current.status is Status.FAILED:
        expected = FinishedAction

    try:
        extended(_new(), current.attempt + other, 60, now)
        refusal: type[SettleRefused] | None = None
    except SettleRefused as error:
        refusal = type(error)

    assert refusal is expected


def test_looking_changes_nothing_while_the_lease_is_held() -> None:
    """The very same value comes back."""
    action = _new()

    assert as_of(action, START + LEASE - 1) is action
