"""Who listens to a journal: bounded queues between the event loop and the threads that write to sockets."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import orjson

from ..api.errors import Refused
from ..domain.journal import Entry
from ..domain.ports import Journal
from ..presenters.journal import entry_json, entry_kind
from .loop_bridge import Bridge

MOST: Final = 16
"""Listeners at a time, over all organisations."""
WAITING: Final = 1_000
"""Entries that may wait for one listener; what comes then is lost to it, and counted."""
HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent."""
_LOOK: Final = 1.0
"""Seconds after which a silent listener is looked at, whether it is still there."""
_RETRY: Final = ((b"retry-after", b"5"),)


class Tail:
    """The stream of one listener, as chunks of server-sent events; ends when it is closed or told to."""

    def __init__(self, gone: Callable[[], bool], release: Callable[[Tail], None]) -> None:
        self._gone = gone
        self._release = release
        self._changed = threading.Condition()
        self._waiting: deque[Entry | int] = deque()
        """Entries, and how many were lost between them."""
        self._lost = 0
        self._ended = False
        self._spoke_at = time.monotonic()
        self._greeting = b": listening\n\n"

    def begin(self, journal: Journal, after: int | None) -> Callable[[], None]:
        """Take what there is after a number, and all that comes; returns what stops that. Event loop only."""
        if after is not None:
            if after > journal.last:
                after = 0  # the journal began again
            backlog = list(journal.entries(after))
            first = backlog[0].number if backlog else journal.last + 1
            if first > after + 1:
                self._waiting.append(first - after - 1)
            self._waiting.extend(backlog)
        return journal.listen(self.offer)

    def offer(self, entry: Entry) -> None:
        """Take a new entry, or count it as lost when too many wait. Event loop only; never blocks for long."""
        with self._changed:
            if len(self._waiting) >= WAITING:
                self._lost += 1
                return
            self._mark_lost()
            self._waiting.append(entry)
            self._changed.notify()

    def end(self) -> None:
        """Say no more."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def close(self) -> None:
        """Be forgotten; twice is as good as once."""
        self.end()
        self._release(self)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._greeting:
            chunk, self._greeting = self._greeting, b""
            return chunk
        while True:
            with self._changed:
                if not (self._waiting or self._lost or self._ended):
                    self._changed.wait(_LOOK)
                if self._ended:
                    raise StopIteration
                if not self._waiting:
                    self._mark_lost()
                batch = [self._waiting.popleft() for _ in range(min(100, len(self._waiting)))]
            if batch:
                self._spoke_at = time.monotonic()
                return b"".join(map(_event, batch))
            if self._gone():
                raise StopIteration
            if time.monotonic() - self._spoke_at >= HEARTBEAT:
                self._spoke_at = time.monotonic()
                return b": still here\n\n"

    def _mark_lost(self) -> None:
        if self._lost:
            self._waiting.append(self._lost)
            self._lost = 0


class Tails:
    """All listeners."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._lock = threading.Lock()
        self._stops: dict[Tail, Callable[[], None]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._stops)

    def open(self, journal: Callable[[], Journal], after: int | None, gone: Callable[[], bool]) -> Tail:
        """A new listener to the entries after a number, or to new ones; `gone` says whether nobody reads.

        Raises:
            Refused: there are as many as may be, or the mock ends.
        """
        tail = Tail(gone, self._forget)
        with self._lock:
            if len(self._stops) >= MOST:
                raise Refused(
                    "TOO_MANY_LISTENERS",
                    f"mock: expected at most {MOST} listeners at a time, got one more; end another first",
                    _RETRY,
                )
            self._stops[tail] = _nothing

        async def begin() -> Callable[[], None]:
            with self._lock:
                if tail not in self._stops:  # who asked was told that it takes too long
                    return _nothing
            return tail.begin(journal(), after)

        try:
            stop = self._bridge.run(begin)
        except BaseException:
            self._forget(tail)
            raise
        with self._lock:
            self._stops[tail] = stop
            closed = self._closed
        if closed:
            tail.end()
        return tail

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._closed = True
            tails = list(self._stops)
        for tail in tails:
            tail.end()

    def _forget(self, tail: Tail) -> None:
        with self._lock:
            stop = self._stops.pop(tail, _nothing)
        self._bridge.tell(stop)


def _nothing() -> None:
    pass


def _event(entry: Entry | int) -> bytes:
    if isinstance(entry, int):
        return b'event: lost\ndata: {"lost":%d}\n\n' % entry
    data = orjson.dumps(entry_json(entry))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (entry.number, entry_kind(entry).encode(), data)
