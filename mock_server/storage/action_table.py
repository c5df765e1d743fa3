"""The actions of one organisation by their number, and when each is due: a persistent array with copy-on-write chunks.

Actions stand in chunks of 1,024. A `TableState` shares the chunks as they are; later writes copy the directory of chunks
once, and each chunk at its first change. So a snapshot takes constant time, a restored one shares all that did not change,
and what is discarded can be freed chunk by chunk.

Each chunk has a heap of the times at which one of its actions is checked next, and the table has one of the chunks'
earliest times. A check comes never later than the action is due, but may come earlier: a lease that was extended costs
nothing until its old end, when the check finds the action not yet due and puts it off.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from ..domain.actions import NEVER, Action, due_at

_BITS: Final = 10
"""Bits of an action's number that are its position in its chunk."""
CHUNK_SIZE: Final = 1 << _BITS
"""Actions in a chunk: copying one takes some ten microseconds, and 100,000 actions have a directory of 100."""
_STALE: Final = 1_000
"""Stale heap entries that are tolerated before the heap is built anew."""


class Chunk:
    """Up to 1,024 consecutive actions. Only the table that owns it changes it."""

    __slots__ = ("actions", "check_heap", "check_times", "histories", "owner")

    def __init__(self, owner: object) -> None:
        self.owner = owner
        self.actions: list[Action | None] = []
        self.histories: list[bytes] = []
        self.check_times: list[int] = []
        """When each action is checked next, `NEVER` for no check; entries of `check_heap` with another time are stale."""
        self.check_heap: list[int] = []
        """A heap of times, each with the position of its action in the last ten bits."""

    def copy(self, owner: object) -> Chunk:
        """Return the same chunk, to be changed by another owner."""
        chunk = Chunk.__new__(Chunk)
        chunk.owner = owner
        chunk.actions = self.actions[:]
        chunk.histories = self.histories[:]
        chunk.check_times = self.check_times[:]
        chunk.check_heap = self.check_heap[:]
        return chunk

    def schedule(self, time: int, position: int) -> None:
        """Check the action at `position` at `time` (milliseconds), and at no other time."""
        self.check_times[position] = time
        heappush(self.check_heap, time << _BITS | position)
        if len(self.check_heap) > CHUNK_SIZE + _STALE:
            self.check_heap = [
                check << _BITS | position for position, check in enumerate(self.check_times) if check != NEVER
            ]
            heapify(self.check_heap)


class TableState(NamedTuple):
    """All that a table holds at one moment, frozen."""

    chunks: dict[int, Chunk]
    """The number of a chunk's first action, without its last ten bits → the chunk."""
    oldest: int
    end: int
    kept: int
    """Number of actions that are kept."""
    payload_bytes: int


EMPTY: Final = TableState({}, 0, 0, 0, 0)
"""Of an organisation that never had an action."""


def emptied(dropped: int) -> TableState:
    """Return the state of a table that had `dropped` actions, all of which were dropped."""
    position = dropped & (CHUNK_SIZE - 1)
    if not position:
        return TableState({}, dropped, dropped, 0, 0)
    chunk = Chunk(None)
    chunk.actions, chunk.histories = [None] * position, [b""] * position
    chunk.check_times = [NEVER] * position
    return TableState({dropped >> _BITS: chunk}, dropped, dropped, 0, 0)


class ActionTable:
    """The actions of one organisation as they change, numbered from 0. Those from `oldest` to below `end` are kept."""

    __slots__ = ("_check_heap", "_chunks", "_owner", "_shared", "count", "end", "oldest", "payload_bytes")

    def __init__(self, state: TableState = EMPTY) -> None:
        self._chunks, self.oldest, self.end, self.count, self.payload_bytes = state
        self._shared = True
        """Whether a `TableState` has the same directory of chunks."""
        self._owner = object()
        """Marks the chunks that no `TableState` shares."""
        self._check_heap: list[tuple[int, int]] = []
        """A heap of (time, chunk); the earliest check of every chunk is among them."""
        self._rebuild_heap()

    def state(self) -> TableState:
        """Return what is held now, in constant time; from here on the table copies what it changes."""
        self._owner = object()
        self._shared = True
        return TableState(self._chunks, self.oldest, self.end, self.count, self.payload_bytes)

    def get(self, number: int) -> Action | None:
        """Return the action with this number, None when it was dropped or never was."""
        if not self.oldest <= number < self.end:
            return None
        return self._chunks[number >> _BITS].actions[number & (CHUNK_SIZE - 1)]

    def history(self, number: int) -> bytes:
        """Return the packed history that was kept last with the action of this number."""
        return self._chunks[number >> _BITS].histories[number & (CHUNK_SIZE - 1)]

    def add(self, action: Action, history: bytes) -> None:
        """Keep a new action under the number `end`, which grows by one."""
        key = self.end >> _BITS
        chunk = self._chunks.get(key)
        if chunk is None or chunk.owner is not self._owner:
            chunk = self._own(key)
        position = len(chunk.actions)
        time = due_at(action)
        chunk.actions.append(action)
        chunk.histories.append(history)
        chunk.check_times.append(time)
        self.end += 1
        self.count += 1
        if time != NEVER:
            heappush(chunk.check_heap, time << _BITS | position)
            if chunk.check_heap[0] >> _BITS == time:
                self._schedule(time, key)

    def put(self, number: int, action: Action, history: bytes) -> None:
        """Replace the action with this number and its packed history."""
        key, position = number >> _BITS, number & (CHUNK_SIZE - 1)
        chunk = self._own(key)
        chunk.actions[position] = action
        chunk.histories[position] = history
        time = due_at(action)
        if time < chunk.check_times[position]:
            before = chunk.check_heap[0] if chunk.check_heap else 0
            chunk.schedule(time, position)
            if chunk.check_heap[0] != before:  # also when a stale entry went
                self._schedule(chunk.check_heap[0] >> _BITS, key)

    def drop_oldest(self, most: int) -> list[Action]:
        """Drop up to `most` of the oldest actions, as far as they stand in one chunk, and return them.

        At least one action is kept before.
        """
        key, position = self.oldest >> _BITS, self.oldest & (CHUNK_SIZE - 1)
        chunk = self._own(key)
        dropped = [action for action in chunk.actions[position : position + most] if action is not None]
        count = len(dropped)
        chunk.actions[position : position + count] = [None] * count
        chunk.histories[position : position + count] = [b""] * count
        chunk.check_times[position : position + count] = [NEVER] * count
        self.oldest += count
        self.count -= count
        if self.oldest & (CHUNK_SIZE - 1) == 0:
            del self._chunks[key]
        return dropped

    def next_check(self) -> int:
        """Return the time of the next check, in milliseconds; no action is due before it. `NEVER` when there is none."""
        return self._check_heap[0][0] if self._check_heap else NEVER

    def pop_due(self, now: int) -> Action | None:
        """Take the action that is due first, None when none is due by `now` (milliseconds).

        Of several at one moment it is the one with the lowest number. It is not found again until it is put.
        """
        while self._check_heap and self._check_heap[0][0] <= now:
            time, key = self._check_heap[0]
            chunk = self._chunks.get(key)
            if chunk is None or not chunk.check_heap or chunk.check_heap[0] >> _BITS != time:
                heappop(self._check_heap)
                continue
            chunk = self._own(key)
            position = heappop(chunk.check_heap) & (CHUNK_SIZE - 1)
            found = self._check(chunk, position, time)
            if chunk.check_heap:
                earliest = chunk.check_heap[0] >> _BITS
                if earliest != time:
                    heappop(self._check_heap)
                    self._schedule(earliest, key)
            else:
                heappop(self._check_heap)
            if found is not None:
                return found
        return None

    @staticmethod
    def _check(chunk: Chunk, position: int, time: int) -> Action | None:
        """Return the action at a position if it is due at `time`; else put it off until it is."""
        if chunk.check_times[position] != time:
            return None
        chunk.check_times[position] = NEVER
        action = chunk.actions[position]
        if action is None:
            return None
        later = due_at(action)
        if later == NEVER:
            return None
        if later > time:
            chunk.schedule(later, position)
            return None
        return action

    def _schedule(self, time: int, key: int) -> None:
        heappush(self._check_heap, (time, key))
        if len(self._check_heap) > 2 * len(self._chunks) + _STALE:
            self._rebuild_heap()

    def _rebuild_heap(self) -> None:
        self._check_heap = [
            (chunk.check_heap[0] >> _BITS, key) for key, chunk in self._chunks.items() if chunk.check_heap
        ]
        heapify(self._check_heap)

    def _own(self, key: int) -> Chunk:
        """Return a chunk that this table alone has, to be changed; made or copied when it has none."""
        chunk = self._chunks.get(key)
        if chunk is not None and chunk.owner is self._owner:
            return chunk
        if self._shared:
            self._chunks = dict(self._chunks)
            self._shared = False
        chunk = self._chunks[key] = Chunk(self._owner) if chunk is None else chunk.copy(self._owner)
        return chunk
