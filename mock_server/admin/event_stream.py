"""The journal as server-sent events: bounded queues between the event loop and the threads that write to sockets."""

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
from .loop_bridge import LoopBridge

MAX_STREAMS: Final = 16
"""Streams at a time, over all organisations: each occupies one of the 64 connections that the admin plane serves."""
MAX_WAITING: Final = 1_000
"""Entries that may wait for one client; further ones are lost to it, and counted, so that memory stays bounded."""
HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent: nginx closes a connection that is silent for 60."""
_CHECK_PAUSE: Final = 1.0
"""Seconds between two checks whether the client of a silent stream is still connected."""
_BATCH: Final = 100
"""Entries in one chunk at most: few writes, none of them large."""
_RETRY: Final = ((b"retry-after", b"5"),)


class EventStream:
    """The events for one client, as chunks of bytes; iteration ends when the stream does, or the client has gone."""

    def __init__(
        self, is_gone: Callable[[], bool], release: Callable[[EventStream], None], timer: Callable[[], float]
    ) -> None:
        """Make a stream.

        Args:
            is_gone: tells whether the client has disconnected.
            release: called when the stream is closed.
            timer: returns seconds, by which silence is measured.
        """
        self._is_gone = is_gone
        self._release = release
        self._timer = timer
        self._changed = threading.Condition()
        self._waiting: deque[Entry | int] = deque()
        """Entries, and between them the numbers of entries that were lost there."""
        self._lost = 0
        self._ended = False
        self._last_sent = timer()
        self._greeting = b": listening\n\n"

    def begin(self, journal: Journal, after: int | None) -> Callable[[], None]:
        """Follow a journal: the kept entries with a number above `after`, if it is given, and all new ones.

        Returns what stops it. Event loop only.
        """
        if after is not None:
            if after > journal.last:
                after = 0  # the journal was begun anew since
            backlog = list(journal.entries(after))
            first = backlog[0].number if backlog else journal.last + 1
            if first > after + 1:
                self._waiting.append(first - after - 1)
            self._waiting.extend(backlog)
        return journal.listen(self.offer)

    def offer(self, entry: Entry) -> None:
        """Queue a new entry, or count it as lost when the queue is full. Event loop only; never blocks for long."""
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                self._lost += 1
                return
            self._queue_lost()
            self._waiting.append(entry)
            self._changed.notify()

    def end(self) -> None:
        """End the iteration."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def close(self) -> None:
        """End the iteration and stop following the journal; a second call does nothing more."""
        self.end()
        self._release(self)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._greeting:
            chunk, self._greeting = self._greeting, b""
            return chunk
        while True:
            batch = self._next_batch()
            if batch:
                self._last_sent = self._timer()
                return b"".join(map(_event, batch))
            if self._ended or self._is_gone():
                raise StopIteration
            if self._timer() - self._last_sent >= HEARTBEAT:
                self._last_sent = self._timer()
                return b": still here\n\n"
            with self._changed:
                if not (self._waiting or self._lost or self._ended):
                    self._changed.wait(_CHECK_PAUSE)

    def _next_batch(self) -> list[Entry | int]:
        """Take what waits, or a part of it; nothing once the stream has ended."""
        with self._changed:
            if self._ended:
                return []
            if not self._waiting:
                self._queue_lost()
            return [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]

    def _queue_lost(self) -> None:
        if self._lost:
            self._waiting.append(self._lost)
            self._lost = 0


class EventStreams:
    """All streams that are open, of which there are `MAX_STREAMS` at most."""

    def __init__(self, bridge: LoopBridge, timer: Callable[[], float] = time.monotonic) -> None:
        """Open streams over `bridge`; `timer` returns seconds, by which their silence is measured."""
        self._bridge = bridge
        self._timer = timer
        self._lock = threading.Lock()
        self._stops: dict[EventStream, Callable[[], None]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._stops)

    def open(
        self, journal: Callable[[], Journal], after: int | None, is_gone: Callable[[], bool]
    ) -> EventStream:
        """Open a stream of the entries with a number above `after`, or of new ones alone when it is None.

        Args:
            journal: called on the event loop for the journal to follow.
            after: the number of an entry.
            is_gone: tells whether the client has disconnected.

        Raises:
            Refused: as many streams are open as may be, or the mock ends.
        """
        stream = EventStream(is_gone, self._forget, self._timer)
        with self._lock:
            if len(self._stops) >= MAX_STREAMS:
                raise Refused(
                    "TOO_MANY_LISTENERS",
                    f"mock: expected at most {MAX_STREAMS} listeners at a time, got one more; end another first",
                    _RETRY,
                )
            self._stops[stream] = _nothing

        async def begin() -> Callable[[], None]:
            with self._lock:
                if (
                    stream not in self._stops
                ):  # the bridge's limit was over, and its caller has forgotten the stream
                    return _nothing
            return stream.begin(journal(), after)

        try:
            stop = self._bridge.run(begin)
        except BaseException:
            self._forget(stream)
            raise
        with self._lock:
            self._stops[stream] = stop
            closed = self._closed
        if closed:
            stream.end()
        return stream

    def close(self) -> None:
        """End all streams, and those that are opened later."""
        with self._lock:
            self._closed = True
            streams = list(self._stops)
        for stream in streams:
            stream.end()

    def _forget(self, stream: EventStream) -> None:
        with self._lock:
            stop = self._stops.pop(stream, _nothing)
        self._bridge.call_soon(stop)


def _nothing() -> None:
    pass


def _event(entry: Entry | int) -> bytes:
    if isinstance(entry, int):
        return b'event: lost\ndata: {"lost":%d}\n\n' % entry
    data = orjson.dumps(entry_json(entry))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (entry.number, entry_kind(entry).encode(), data)
