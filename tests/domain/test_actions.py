"""The life of an action, compared with a second description that is not derived from the transition table."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain import actions
from mock_server.domain.actions import (
    NEVER,
    Action,
    Work,
    due_at,
)
from mock_server.domain.errors import (
    DeferredAction,
    FinishedAction,
    FutureAttempt,
    StaleAttempt,
)
from mock_server.domain.leases import LEASE, LIFETIME, back_off
from mock_server.domain.states import (
    HELD,
    TRANSITIONS,
    Event,
    State,
)
from mock_server.domain.worker import Do, Step, Worker

START = 1_700_000_000_000
END = START + LIFETIME

SCRIPTS = st.lists(
    st.builds(
        Step,
        do=st.sampled_from(Do),
        after=st.sampled_from([0, 0, 1, LEASE - 1, LEASE, 5_000]),
        lease=st.sampled_from([1_000, LEASE, 6 * 3_600_000]),
        retry_after=st.sampled_from([None, 1_000, 90_000]),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
CALLS = st.sampled_from(["ack", "nack", "nack_at", "reject", "extend", "defer"])
WAITS = st.builds(
    lambda a, b: max(0, a + b),
    st.sampled_from([0, LEASE, LIFETIME]) | st.integers(0, LIFETIME),
    st.integers(-1, 1),
)


def _new(worker: Worker | None = None) -> actions.Changes:
    action = actions.accepted("3000000000000000001", Work("1", "v", 1, b"1", b"", (), START, END))
    return (action, *actions.dispatched(action, worker or Worker(), 0, START, START))


def _at(action: Action, worker: Worker, now: int) -> tuple[Action, list[Action]]:
    """The action at `now`, and all its values on the way there."""
    way: list[Action] = []
    while due_at(action) <= now:
        way += actions.run_due(action, worker, 0, now)
        action = way[-1]
    return action, way


def _after_call(call: str, action: Action, attempt: int, number: int, now: int) -> Action:
    """The action after a signal of its holder."""
    match call:
        case "ack":
            return actions.acked(action, attempt, now)
        case "extend":
            return actions.extended(action, attempt, number, now)
        case "defer":
            return actions.deferred(action, attempt, now)
        case _:
            retry_at = now + number - 1_000 if call == "nack_at" else None
            retry = call != "reject"
            return actions.nacked(action, attempt, retry=retry, retry_at=retry_at, seed=0, now=now)


@dataclass
class Observer:
    """Checks each step of one action against the documentation: the second description."""

    held: bool = False
    custody: bool = False
    attempt: int = -1
    over: bool = False

    def observe(self, action: Action, before: Action) -> None:
        """Check one step."""
        event = action.event
        assert not self.over, "no event follows the end (B134)"
        assert before.updated_at <= action.updated_at <= END, "time goes on until the end of the lifetime"
        if event is Event.DELIVER:
            assert not self.held
            self.attempt += 1
            self.held = True
        assert action.attempt == max(self.attempt, 0), "attempts count from 0, by delivery (B077)"
        if event in (Event.EXPIRE, Event.ACK, Event.NACK, Event.SCHEDULE, Event.REJECT, Event.EXTEND):
            assert self.held, "only a held attempt is settled or expires (B120)"
        if event is Event.EXPIRE:
            assert action.updated_at == before.available_at, "at the deadline, not before or after it"
            assert self.custody == (action.state is State.SUCCEEDED), "custody ends in success (B142)"
        if event in (Event.NACK, Event.SCHEDULE, Event.REJECT):
            assert not self.custody, "an action in custody is not given back (B143)"
        if event is Event.DEFER:
            self.custody = True
        if event in (Event.EXPIRE, Event.ACK, Event.NACK, Event.SCHEDULE, Event.REJECT):
            self.held = False
        if event is Event.TIME_OUT:
            assert action.updated_at == END, "not before the end of the lifetime"
            assert action.state is State.FAILED, "B074"
        self.over = action.state in (State.SUCCEEDED, State.FAILED, State.CANCELED)
        assert action.is_over == self.over
        assert (action.state in HELD) == (self.held and not self.over)
        assert action.available_at <= END, "no lease and no pause outlives the action (B136)"
        assert (due_at(action) == NEVER) == self.over, "an open action ends by itself (B106)"


@given(SCRIPTS, st.lists(st.tuples(WAITS, CALLS, st.integers(-1, 1), st.integers(1, 200_000)), max_size=12))
def test_every_life_follows_the_documentation(
    script: tuple[Step, ...], calls: list[tuple[int, str, int, int]]
) -> None:
    """With random scripts and signals, at random times and exactly at deadlines, each step is documented, and so is each
    refusal."""
    worker = Worker(script)
    observer = Observer()
    changes = _new(worker)
    before = changes[0]
    for action in changes[1:]:
        observer.observe(action, before)
        before = action
    action, now = changes[-1], START
    for wait, call, other, number in calls:
        now = due_at(action) + other if wait == LEASE and due_at(action) != NEVER else now + wait
        now = max(now, before.updated_at)
        action, way = _at(action, worker, now)
        attempt = max(0, action.attempt + (other if number % 3 == 0 else 0))
        try:
            after = _after_call(call, action, attempt, number, now)
        except FinishedAction:
            assert action.is_over
        except FutureAttempt:
            assert not action.is_over
            assert attempt > action.attempt or not action.started_at
        except StaleAttempt:
            assert not action.is_over
            assert attempt < action.attempt or action.state not in HELD
        except DeferredAction:
            assert action.state is State.DEFERRED
            assert call in ("nack", "nack_at", "reject")
        else:
            assert attempt == action.attempt
            assert TRANSITIONS[action.state][after.event] is after.state or after is action
            if after is not action:
                way.append(after)
            action = after
        for step in way:
            observer.observe(step, before)
            before = step


@given(st.integers(0, 2**31), st.integers(0, 40))
def test_the_back_off_grows_up_to_a_bound(seed: int, attempt: int) -> None:
    """Q13: it is 1 s, doubled up to 60 s, with up to a quarter more; the same arguments give the same pause."""
    pause = back_off(seed, "3", attempt)

    assert min(1_000 * 2**attempt, 60_000) <= pause <= 1.25 * min(1_000 * 2**attempt, 60_000)
    assert pause == back_off(seed, "3", attempt)


def test_an_unsettled_action_is_delivered_every_minute_until_its_lifetime_is_over() -> None:
    """B101, B106: 24 hours have 1,440 attempts, and none begins at the last moment."""
    action, way = _at(_new()[-1], Worker(), END)

    assert (action.state, action.attempt) == (State.FAILED, 1_439)
    assert [a.event for a in way[-2:]] == [Event.HAND_OFF, Event.TIME_OUT]


def test_settling_at_the_deadline_is_too_late_and_a_millisecond_before_it_is_not() -> None:
    """B120, B101: at the deadline itself the next attempt is current (ours)."""
    held = _new()[-1]
    deadline = START + LEASE

    assert _at(held, Worker(), deadline - 1)[0] is held
    assert actions.acked(held, 0, deadline - 1).state is State.SUCCEEDED
    assert [a.attempt for a in (_at(held, Worker(), t)[0] for t in (deadline, deadline + 1))] == [1, 1]
