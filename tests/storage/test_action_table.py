"""The shelf, against a plain dictionary: what is kept, what is due, and what a snapshot brings back."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mock_server.domain.actions import (
    NEVER,
    Action,
    Work,
    due_at,
)
from mock_server.domain.states import Event, State
from mock_server.storage.action_table import CHUNK_SIZE, ActionTable, TableState


def held(number: int, until: int) -> Action:
    """An action that is due at `until`; one that never is, at `NEVER`."""
    work = Work("1", "v", 1, b"", b"", (), 0, NEVER)
    state = State.SUCCEEDED if until == NEVER else State.ACK_WAIT
    return Action(str(number), work, Event.HAND_OFF, state, 0, until, NEVER, 1, 1)


class Kept(NamedTuple):
    """A snapshot and what it should hold."""

    state: TableState
    actions: dict[int, Action]
    histories: dict[int, bytes]
    oldest: int
    end: int


TIMES = st.integers(0, 60) | st.just(NEVER)


class ShelfAgrees(RuleBasedStateMachine):
    """Everything a shelf can be asked for, step by step beside a dictionary."""

    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.action_table = ActionTable()
        self.actions: dict[int, Action] = {}
        self.histories: dict[int, bytes] = {}
        self.oldest = self.end = 0

    @rule(until=TIMES, count=st.sampled_from([1, 3, CHUNK_SIZE]))
    def add(self, until: int, count: int) -> None:
        for _ in range(count):
            action = held(self.end, until)
            self.action_table.add(action, b"%d" % until)
            self.actions[self.end], self.histories[self.end] = action, b"%d" % until
            self.end += 1

    @rule(place=st.integers(0, 10_000), until=TIMES)
    def change(self, place: int, until: int) -> None:
        if self.actions:
            number = self.oldest + place % (self.end - self.oldest)
            self.actions[number] = held(number, until)
            self.histories[number] += b"%d" % until
            self.action_table.put(number, self.actions[number], self.histories[number])

    @rule(count=st.sampled_from([1, CHUNK_SIZE + 1]))
    def drop(self, count: int) -> None:
        left = min(count, len(self.actions))
        while left:
            dropped = self.action_table.drop_oldest(left)
            assert 1 <= len(dropped) <= left
            for action in dropped:
                assert action is self.actions.pop(self.oldest)
                self.oldest += 1
            left -= len(dropped)

    @rule(now=st.integers(0, 60), again=TIMES)
    def run_due(self, now: int, again: int) -> None:
        """All that is due by `now` comes out in the order of (time, number), once."""
        expected = sorted((due_at(a), n) for n, a in self.actions.items() if due_at(a) <= now)
        found = []
        while (action := self.action_table.pop_due(now)) is not None:
            number = int(action.id)
            found.append((due_at(action), number))
            later = held(number, max(again, now + 1))
            self.actions[number] = later
            self.action_table.put(number, later, self.histories[number])
        assert found == expected

    @rule(target=snapshots)
    def snapshot(self) -> Kept:
        return Kept(
            self.action_table.state(), dict(self.actions), dict(self.histories), self.oldest, self.end
        )

    @rule(kept=snapshots)
    def restore(self, kept: Kept) -> None:
        self.action_table = ActionTable(kept.state)
        self.actions, self.histories = dict(kept.actions), dict(kept.histories)
        self.oldest, self.end = kept.oldest, kept.end

    @rule(kept=snapshots)
    def a_snapshot_never_changes(self, kept: Kept) -> None:
        aside = ActionTable(kept.state)
        assert {n: a for n in range(kept.oldest, kept.end) if (a := aside.get(n))} == kept.actions

    @invariant()
    def holds_what_was_put(self) -> None:
        assert (self.action_table.oldest, self.action_table.end) == (self.oldest, self.end)
        for number in {self.oldest - 1, self.oldest, (self.oldest + self.end) // 2, self.end - 1, self.end}:
            assert self.action_table.get(number) == self.actions.get(number)
            if number in self.actions:
                assert self.action_table.history(number) == self.histories[number]

    @invariant()
    def is_looked_at_in_time(self) -> None:
        assert self.action_table.next_check() <= min(map(due_at, self.actions.values()), default=NEVER)


ShelfAgrees.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestShelfAgrees = ShelfAgrees.TestCase


def test_a_heap_that_is_made_anew_loses_nobody() -> None:
    """More times are moved earlier than a chunk keeps stale entries for; each action still comes out at its own."""
    action_table = ActionTable()
    for number in range(CHUNK_SIZE):
        action_table.add(held(number, 60_000), b"")
    for number in range(CHUNK_SIZE):
        action_table.put(number, held(number, 30_000), b"")
    while (action := action_table.pop_due(35_000)) is not None:
        action_table.put(int(action.id), held(int(action.id), 90_000), b"")
    for number in range(40):
        action_table.put(number, held(number, 80_000 + number), b"")

    found = []
    while (action := action_table.pop_due(100_000)) is not None:
        found.append((due_at(action), int(action.id)))
        action_table.put(int(action.id), held(int(action.id), NEVER), b"")
    assert found == [(80_000 + n, n) for n in range(40)] + [(90_000, n) for n in range(40, CHUNK_SIZE)]


def test_a_time_that_is_moved_for_ever_is_still_the_right_one() -> None:
    """Forth and back, far more often than stale entries are kept."""
    action_table = ActionTable()
    action_table.add(held(0, 1_000_000), b"")
    action_table.add(held(1, 2_000_000), b"")
    for time in range(50_000, 0, -1):
        action_table.put(0, held(0, time), b"")

    assert action_table.next_check() == 1
    assert action_table.pop_due(1) == held(0, 1)
    assert action_table.pop_due(1_999_999) is None
    assert action_table.pop_due(2_000_000) == held(1, 2_000_000)
