"""The journal of one organisation: exchanges, transitions, commands and deliveries in order, of which the latest are kept.

Entries are kept as plain tuples and made readable when they are read: every request writes some, few are ever read.
"""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final

from ..domain.journal import (
    CommandEntry,
    Delivery,
    DeliveryEntry,
    Entry,
    ExchangeEntry,
    Headers,
    TransitionEntry,
)
from . import histories

BODY_LIMIT: Final = 1_024
"""Bytes kept of a request's or an answer's body: enough to recognise it."""
HEADERS_LIMIT: Final = 8_192
"""Bytes kept of a request's headers, and of a delivery's on either side: what common servers accept."""

_EXCHANGE: Final = 0
_TRANSITIONS: Final = 1
_COMMAND: Final = 2
_DELIVERY: Final = 3

_Raw = tuple[Any, ...]
"""(number, kind, fields of that kind). What happened to one action at one moment is one such tuple, under the number of its
first entry."""


class Journal:
    """The latest entries, numbered from 1, and the listeners that are told of new ones."""

    __slots__ = ("_entries", "_listeners", "_next")

    def __init__(self, limit: int) -> None:
        """Keep the latest `limit` raw entries."""
        self._entries: deque[_Raw] = deque(maxlen=limit)
        self._listeners: list[Callable[[Entry], None]] = []
        self._next = 1

    def add_exchange(
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
        """Enter a request and its answer; status 0 says that the connection was cut. The fields are those of
        `ExchangeEntry`."""
        raw = (
            self._next,
            _EXCHANGE,
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
            self._notify(raw)

    def add_transitions(self, action_id: str, accepted_at: int, entries: bytes, count: int) -> None:
        """Enter `count` changes of one action at one moment, packed by `histories.pack_changes`; `accepted_at` is in
        milliseconds since the epoch."""
        raw = (self._next, _TRANSITIONS, action_id, accepted_at, entries)
        self._next += count
        self._entries.append(raw)
        if self._listeners:
            self._notify(raw)

    def add_command(self, at: int, name: str, details: str) -> None:
        """Enter a command of the admin plane, carried out at a time in milliseconds."""
        raw = (self._next, _COMMAND, at, name, details)
        self._next += 1
        self._entries.append(raw)
        if self._listeners:
            self._notify(raw)

    def add_delivery(self, at: int, delivery: Delivery) -> None:
        """Enter a delivery that ended at a time in milliseconds."""
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
            self._notify(raw)

    def clear(self) -> None:
        """Remove all entries and number from 1 again; listeners stay."""
        self._entries.clear()
        self._next = 1

    @property
    def last(self) -> int:
        """The number of the latest entry; 0 before the first."""
        return self._next - 1

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the kept entries with a number above `after`, oldest first."""
        kept = list(self._entries)
        for raw in kept[max(0, bisect(kept, after, key=itemgetter(0)) - 1) :]:
            yield from (entry for entry in _readable(raw) if entry.number > after)

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener` with each new entry, until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _notify(self, raw: _Raw) -> None:
        for entry in _readable(raw):
            for listener in self._listeners:
                listener(entry)


def _flat(headers: Headers) -> bytes:
    """Join headers into one value: many small kept objects would cost each request five microseconds in cold memory."""
    return b"\0".join([part for header in headers for part in header])[:HEADERS_LIMIT]


def _pairs(flat: bytes) -> Headers:
    parts = flat.split(b"\0")
    return list(zip(parts[::2], parts[1::2], strict=False))


def _readable(raw: _Raw) -> list[Entry]:
    number, kind, *content = raw
    if kind == _EXCHANGE:
        entry = ExchangeEntry(number, *content)
        return [entry._replace(headers=_pairs(entry.headers))]  # type: ignore[arg-type]  # flat while it is kept
    if kind == _COMMAND:
        return [CommandEntry(number, *content)]
    if kind == _DELIVERY:
        return [DeliveryEntry(number, *content)]
    action_id, accepted_at, packed = content
    return [
        TransitionEntry(number + n, action_id, event)
        for n, event in enumerate(histories.unpack(packed, accepted_at))
    ]
