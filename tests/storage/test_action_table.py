"""The action table, compared with a plain dictionary: what it keeps, what is due, and what a state brings back."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mock_server.domain.actions import NEVER, Action, Work, due_at
from mock_server.domain.states import Event, State
from mock_server.storage.action_table import CHUNK_SIZE, ActionTable, TableState


def held(number: int, until: int) -> Action:
    """An action that is due at `until` (milliseconds); with `NEVER` one that has ended."""
    work = Work("1", "v", 1, b"", b"", (), 0, NEVER)
    state = State.SUCCEEDED if until == NEVER else State.ACK_WAIT
    return Action(str(number), work, Event.HAND_OFF, state, 0, until, NEVER, 1, 1)


class Saved(NamedTuple):
    """The state of a table, and what it should hold."""

    state: TableState
    actions: dict[int, Action]
    histories: dict[int, bytes]
    oldest: int
    end: int


TIMES = st.integers(0, 60) | st.just(NEVER)


class ActionTableAgrees(RuleBasedStateMachine):
    """Every method of a table, step by step beside a dictionary."""

    states = Bundle("states")

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

    @rule(position=st.integers(0, 10_000), until=TIMES)
    def change(self, position: int, until: int) -> None:
        if self.actions:
            number = self.oldest + position % (self.end - self.oldest)
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
        """All that is due by `now` comes out once, in the order of (time, number)."""
        expected = sorted((due_at(a), n) for n, a in self.actions.items() if due_at(a) <= now)
        found = []
        while (action := self.action_table.pop_due(now)) is not None:
            number = int(action.id)
            found.append((due_at(action), number))
            later = held(number, max(again, now + 1))
            self.actions[number] = later
            self.action_table.put(number, later, self.histories[number])
        assert found == expected

    @rule(target=states)
    def save_state(self) -> Saved:
        return Saved(
            self.action_table.state(), dict(self.actions), dict(self.histories), self.oldest, self.end
        )

    @rule(saved=states)
    def restore(self, saved: Saved) -> None:
        self.action_table = ActionTable(saved.state)
        self.actions, self.histories = dict(saved.actions), dict(saved.histories)
        self.oldest, self.end = saved.oldest, saved.end

    @rule(saved=states)
    def a_state_never_changes(self, saved: Saved) -> None:
        other = ActionTable(saved.state)
        assert {n: a for n in range(saved.oldest, saved.end) if (a := other.get(n))} == saved.actions

    @invariant()
    def holds_what_was_put(self) -> None:
        assert (self.action_table.oldest, self.action_table.end) == (self.oldest, self.end)
        for number in {self.oldest - 1, self.oldest, (self.oldest + self.end) // 2, self.end - 1, self.end}:
            assert self.action_table.get(number) == self.actions.get(number)
            if number in self.actions:
                assert self.action_table.history(number) == self.histories[number]

    @invariant()
    def is_checked_in_time(self) -> None:
        assert self.action_table.next_check() <= min(map(due_at, self.actions.values()), default=NEVER)


ActionTableAgrees.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestActionTableAgrees = ActionTableAgrees.TestCase


def test_a_rebuilt_heap_loses_no_action() -> None:
    """More actions become due earlier than a chunk tolerates stale entries; each still comes out at its own time."""
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


def test_an_action_that_is_moved_very_often_is_still_due_at_its_time() -> None:
    """It becomes due earlier far more often than stale entries are tolerated."""
    action_table = ActionTable()
    action_table.add(held(0, 1_000_000), b"")
    action_table.add(held(1, 2_000_000), b"")
    for time in range(50_000, 0, -1):
        action_table.put(0, held(0, time), b"")

    assert action_table.next_check() == 1
    assert action_table.pop_due(1) == held(0, 1)
    assert action_table.pop_due(1_999_999) is None
    assert action_table.pop_due(2_000_000) == held(1, 2_000_000)
