"""The history of an action as packed bytes: 18 for an event, the latest 16 events of each action.

So the histories of 100,000 actions take at most 32 MB. Times stand as milliseconds since the acceptance, which
32 bits hold for 49 days; a lifetime is one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from ..domain.actions import Changes, HistoryEvent
from ..domain.states import Event, State

MAX_EVENTS: Final = 16
"""Events kept of one action; the numbers of those that are kept tell how many went before."""

_ENTRY: Final = Struct("<IIIIBB")
_MAX_BYTES: Final = MAX_EVENTS * _ENTRY.size
_EVENTS: Final = tuple(Event)
_STATES: Final = tuple(State)
_EVENT_CODES: Final = {event: code for code, event in enumerate(Event)}
_STATE_CODES: Final = {state: code for code, state in enumerate(State)}
_pack: Final = _ENTRY.pack


def pack_changes(number: int, changes: Changes) -> bytes:
    """Pack the events that led to these values of one action; the first of them has this number."""
    start = changes[0].work.accepted_at
    packed = b""
    for _, _, event, state, attempt, available_at, _, _, updated_at in changes:
        packed += _pack(
            number,
            updated_at - start,
            available_at - start,
            attempt,
            _EVENT_CODES[event],
            _STATE_CODES[state],
        )
        number += 1
    return packed


def extended(history: bytes, entries: bytes) -> bytes:
    """Return a packed history with more entries at its end, without the oldest beyond `MAX_EVENTS`."""
    history += entries
    return history if len(history) <= _MAX_BYTES else history[-_MAX_BYTES:]


def unpack(history: bytes, accepted_at: int) -> list[HistoryEvent]:
    """Return the events of a packed history, oldest first. `accepted_at` is in milliseconds since the epoch."""
    return [
        HistoryEvent(
            number, accepted_at + at, _EVENTS[event], _STATES[state], attempt, accepted_at + available
        )
        for number, at, available, attempt, event, state in _ENTRY.iter_unpack(history)
    ]


def pack(events: Iterable[HistoryEvent], accepted_at: int) -> bytes:
    """Pack the latest of these events, whose times count from `accepted_at`; `unpack` is the way back."""
    return b"".join(
        [
            _pack(
                number,
                at - accepted_at,
                available_at - accepted_at,
                attempt,
                _EVENT_CODES[event],
                _STATE_CODES[state],
            )
            for number, at, event, state, attempt, available_at in events
        ]
    )[-_MAX_BYTES:]
