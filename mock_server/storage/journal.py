"""What happened in one organisation, in order: requests with their answers, transitions, commands. Bounded."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final

from ..domain.journal import (
    Command,
    Delivered,
    Delivery,
    Entry,
    Exchanged,
    Headers,
    Transition,
)
from . import histories

BODY_LIMIT: Final = 1_024
"""Bytes of a request's or an answer's body that are kept."""
HEADERS_LIMIT: Final = 8_192
"""Bytes of a request's headers that are kept, and of a delivery's on either side."""

_REQUEST: Final = 0
_TRANSITIONS: Final = 1
_COMMAND: Final = 2
_DELIVERY: Final = 3

_Raw = tuple[Any, ...]
"""Number, kind, content: entries are made readable when somebody reads them. What happened to one action at
one moment stands together, under the number of the first entry."""


class Journal:
    """The latest entries, numbered from 1, and who wants to hear of new ones."""

    __slots__ = ("_entries", "_listeners", "_next")

    def __init__(self, limit: int) -> None:
        self._entries: deque[_Raw] = deque(maxlen=limit)
        self._listeners: list[Callable[[Entry], None]] = []
        self._next = 1

    def exchanged(
        self,
        at: int,
        method: str,
        path: str,
        query: bytes,
        body: bytes,
        status: int,
        answer: bytes,
        headers: Headers = (),
        answer_headers: Headers = (),
        seconds: float = 0.0,
        fault: str = "",
    ) -> None:
        """A request was answered, or its connection cut (status 0)."""
        raw = (
            self._next,
            _REQUEST,
            at,
            method,
            path,
            query,
            body[:BODY_LIMIT],
            len(body),
            status,
            bytes(memoryview(answer)[:BODY_LIMIT]),  # a copy: the encoder's own keeps a buffer of 4 KiB alive
            len(answer),
            _flat(headers),
            answer_headers,
            seconds,
            fault,
        )
        self._next += 1
        self._entries.append(raw)
        if self._listeners:
            self._tell(raw)

    def changed(self, action_id: str, accepted_at: int, entries: bytes, count: int) -> None:
        """An action changed `count` times at one moment, as `histories.entries` has it."""
        raw = (self._next, _TRANSITIONS, action_id, accepted_at, entries)
        self._next += count
        self._entries.append(raw)
        if self._listeners:
            self._tell(raw)

    def commanded(self, at: int, name: str, details: str) -> None:
        """The admin plane did something to the organisation."""
        raw = (self._next, _COMMAND, at, name, details)
        self._next += 1
        self._entries.append(raw)
        if self._listeners:
            self._tell(raw)

    def delivered(self, at: int, delivery: Delivery) -> None:
        """An attempt was given to a destination."""
        cut = delivery._replace(
            headers=_pairs(_flat(delivery.headers)),
            body=delivery.body[:BODY_LIMIT],
            answer_headers=_pairs(_flat(delivery.answer_headers)),
            answer=delivery.answer[:BODY_LIMIT],
        )
        raw = (self._next, _DELIVERY, at, cut)
        self._next += 1
        self._entries.append(raw)
        if self._listeners:
            self._tell(raw)

    def clear(self) -> None:
        """Forget all entries and begin at 1 again; listeners stay."""
        self._entries.clear()
        self._next = 1

    @property
    def last(self) -> int:
        """The number of the latest entry; 0 before the first."""
        return self._next - 1

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The kept entries with a number above `after`, oldest first."""
        kept = list(self._entries)
        for raw in kept[max(0, bisect(kept, after, key=itemgetter(0)) - 1) :]:
            yield from (entry for entry in _readable(raw) if entry.number > after)

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener` with each new entry, until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, raw: _Raw) -> None:
        for entry in _readable(raw):
            for listener in self._listeners:
                listener(entry)


def _flat(headers: Headers) -> bytes:
    """Headers as one value: many small ones that stay cost each request five microseconds in cold memory."""
    return b"\0".join([part for header in headers for part in header])[:HEADERS_LIMIT]


def _pairs(flat: bytes) -> Headers:
    parts = flat.split(b"\0")
    return list(zip(parts[::2], parts[1::2], strict=False))


def _readable(raw: _Raw) -> list[Entry]:
    number, kind, *content = raw
    if kind == _REQUEST:
        entry = Exchanged(number, *content)
        return [entry._replace(headers=_pairs(entry.headers))]  # type: ignore[arg-type]  # flat while it is kept
    if kind == _COMMAND:
        return [Command(number, *content)]
    if kind == _DELIVERY:
        return [Delivered(number, *content)]
    action_id, accepted_at, packed = content
    happenings = histories.happenings(packed, accepted_at)
    return [Transition(number + n, action_id, happening) for n, happening in enumerate(happenings)]
