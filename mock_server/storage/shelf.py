"""The actions of one organisation by their number, with what falls due next: a persistent array.

Actions stand in chunks of 1,024. A snapshot takes the table of chunks as it is; whoever writes afterwards
copies the table once and each chunk at its first change. So a snapshot costs nothing, a restored one shares
all that did not change, and what is discarded can be let go chunk by chunk.

Every chunk has a heap of the times at which one of its actions is to be looked at, and the shelf one of the
chunks' earliest times. Such a time is never later than the action is due, but may be earlier: a lease that was
extended costs nothing until its old end, where the action is found not to be due and put off.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from ..domain.actions import NEVER, Action, due

_BITS: Final = 10
SIZE: Final = 1 << _BITS
_STALE: Final = 1_000
"""Entries that have no meaning any more and are kept before a heap is made anew."""


class Chunk:
    """Up to 1,024 actions in a row. Only the shelf that owns it changes it."""

    __slots__ = ("actions", "histories", "looks", "owner", "wakes")

    def __init__(self, owner: object) -> None:
        self.owner = owner
        self.actions: list[Action | None] = []
        self.histories: list[bytes] = []
        self.wakes: list[int] = []
        """When each action is looked at next; entries of `looks` that say otherwise are stale."""
        self.looks: list[int] = []
        """A heap of times, each with the place in its last ten bits."""

    def copy(self, owner: object) -> Chunk:
        """The same, to be changed by another owner."""
        chunk = Chunk.__new__(Chunk)
        chunk.owner = owner
        chunk.actions = self.actions[:]
        chunk.histories = self.histories[:]
        chunk.wakes = self.wakes[:]
        chunk.looks = self.looks[:]
        return chunk

    def look(self, time: int, place: int) -> None:
        """Look at `place` at `time`, and not at another time."""
        self.wakes[place] = time
        heappush(self.looks, time << _BITS | place)
        if len(self.looks) > SIZE + _STALE:
            self.looks = [wake << _BITS | place for place, wake in enumerate(self.wakes) if wake != NEVER]
            heapify(self.looks)


class Stock(NamedTuple):
    """All that a shelf holds at one moment; nobody changes it any more."""

    chunks: dict[int, Chunk]
    oldest: int
    end: int
    kept: int
    payload_bytes: int


EMPTY: Final = Stock({}, 0, 0, 0, 0)


def emptied(dropped: int) -> Stock:
    """A stock that so many actions were in, and all were dropped."""
    place = dropped & (SIZE - 1)
    if not place:
        return Stock({}, dropped, dropped, 0, 0)
    chunk = Chunk(None)
    chunk.actions, chunk.histories, chunk.wakes = [None] * place, [b""] * place, [NEVER] * place
    return Stock({dropped >> _BITS: chunk}, dropped, dropped, 0, 0)


class Shelf:
    """A changing view of the actions, numbered from 0; the numbers that are kept are `oldest` to `end`."""

    __slots__ = ("_chunks", "_looks", "_owner", "_shared", "count", "end", "oldest", "payload_bytes")

    def __init__(self, stock: Stock = EMPTY) -> None:
        self._chunks, self.oldest, self.end, self.count, self.payload_bytes = stock
        self._shared = True
        self._owner = object()
        self._looks: list[tuple[int, int]] = []
        """A heap of (time, chunk), with every chunk's earliest look among it."""
        self._announce()

    def stock(self) -> Stock:
        """What is held now, in constant time; the shelf goes on with copies of what it changes."""
        self._owner = object()
        self._shared = True
        return Stock(self._chunks, self.oldest, self.end, self.count, self.payload_bytes)

    def get(self, number: int) -> Action | None:
        """The action with this number, or None when it was dropped or never was."""
        if not self.oldest <= number < self.end:
            return None
        return self._chunks[number >> _BITS].actions[number & (SIZE - 1)]

    def history(self, number: int) -> bytes:
        """What `put` was given for this number last."""
        return self._chunks[number >> _BITS].histories[number & (SIZE - 1)]

    def add(self, action: Action, history: bytes) -> None:
        """Keep a new action under the number `end`, which grows."""
        key = self.end >> _BITS
        chunk = self._chunks.get(key)
        if chunk is None or chunk.owner is not self._owner:
            chunk = self._own(key)
        place = len(chunk.actions)
        time = due(action)
        chunk.actions.append(action)
        chunk.histories.append(history)
        chunk.wakes.append(time)
        self.end += 1
        self.count += 1
        if time != NEVER:
            heappush(chunk.looks, time << _BITS | place)
            if chunk.looks[0] >> _BITS == time:
                self._look(time, key)

    def put(self, number: int, action: Action, history: bytes) -> None:
        """Keep what became of an action."""
        key, place = number >> _BITS, number & (SIZE - 1)
        chunk = self._own(key)
        chunk.actions[place] = action
        chunk.histories[place] = history
        time = due(action)
        if time < chunk.wakes[place]:
            before = chunk.looks[0] if chunk.looks else 0
            chunk.look(time, place)
            if chunk.looks[0] != before:  # also when a stale one went
                self._look(chunk.looks[0] >> _BITS, key)

    def drop_oldest(self, most: int) -> list[Action]:
        """Forget up to `most` of the actions with the lowest numbers, as far as one chunk has them; there is one."""
        key, place = self.oldest >> _BITS, self.oldest & (SIZE - 1)
        chunk = self._own(key)
        dropped = [action for action in chunk.actions[place : place + most] if action is not None]
        count = len(dropped)
        chunk.actions[place : place + count] = [None] * count
        chunk.histories[place : place + count] = [b""] * count
        chunk.wakes[place : place + count] = [NEVER] * count
        self.oldest += count
        self.count -= count
        if self.oldest & (SIZE - 1) == 0:
            del self._chunks[key]
        return dropped

    def next_look(self) -> int:
        """No action is due before this time."""
        return self._looks[0][0] if self._looks else NEVER

    def pop_due(self, now: int) -> Action | None:
        """The action that is due first, if one is by `now`; of several at one moment the one with the lowest
        number. It is not found again until it is put."""
        while self._looks and self._looks[0][0] <= now:
            time, key = self._looks[0]
            chunk = self._chunks.get(key)
            if chunk is None or not chunk.looks or chunk.looks[0] >> _BITS != time:
                heappop(self._looks)
                continue
            chunk = self._own(key)
            place = heappop(chunk.looks) & (SIZE - 1)
            found = self._due_in(chunk, place, time)
            if chunk.looks:
                earliest = chunk.looks[0] >> _BITS
                if earliest != time:
                    heappop(self._looks)
                    self._look(earliest, key)
            else:
                heappop(self._looks)
            if found is not None:
                return found
        return None

    @staticmethod
    def _due_in(chunk: Chunk, place: int, time: int) -> Action | None:
        if chunk.wakes[place] != time:
            return None
        chunk.wakes[place] = NEVER
        action = chunk.actions[place]
        if action is None:
            return None
        later = due(action)
        if later == NEVER:
            return None
        if later > time:
            chunk.look(later, place)
            return None
        return action

    def _look(self, time: int, key: int) -> None:
        heappush(self._looks, (time, key))
        if len(self._looks) > 2 * len(self._chunks) + _STALE:
            self._announce()

    def _announce(self) -> None:
        self._looks = [(chunk.looks[0] >> _BITS, key) for key, chunk in self._chunks.items() if chunk.looks]
        heapify(self._looks)

    def _own(self, key: int) -> Chunk:
        """The chunk, to be changed."""
        chunk = self._chunks.get(key)
        if chunk is not None and chunk.owner is self._owner:
            return chunk
        if self._shared:
            self._chunks = dict(self._chunks)
            self._shared = False
        chunk = self._chunks[key] = Chunk(self._owner) if chunk is None else chunk.copy(self._owner)
        return chunk
