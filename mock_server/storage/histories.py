"""What happened to an action, as bytes: 18 for an event, the latest 16 events of each action."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from ..domain.actions import Course, Happening
from ..domain.states import Event, State

KEPT: Final = 16
"""Events kept of one action; which ones went before them can be told from the numbers."""

_ENTRY: Final = Struct("<IIIIBB")
_LIMIT: Final = KEPT * _ENTRY.size
_EVENTS: Final = tuple(Event)
_STATES: Final = tuple(State)
_EVENT_CODES: Final = {event: code for code, event in enumerate(Event)}
_STATE_CODES: Final = {state: code for code, state in enumerate(State)}
_pack: Final = _ENTRY.pack


def entries(number: int, course: Course) -> bytes:
    """The events that led to these values of one action, the first of them with this number. Times stand as
    distances from the acceptance, which a lifetime keeps below 49 days."""
    start = course[0].work.accepted_at
    packed = b""
    for _, _, event, state, attempt, available_at, _, _, updated_at in course:
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


def grown(history: bytes, entries: bytes) -> bytes:
    """A history with more entries at its end, and the oldest gone beyond the bound."""
    history += entries
    return history if len(history) <= _LIMIT else history[-_LIMIT:]


def happenings(history: bytes, accepted_at: int) -> list[Happening]:
    """The events of a history, oldest first."""
    return [
        Happening(number, accepted_at + at, _EVENTS[event], _STATES[state], attempt, accepted_at + available)
        for number, at, available, attempt, event, state in _ENTRY.iter_unpack(history)
    ]


def packed(happenings: Iterable[Happening], accepted_at: int) -> bytes:
    """The history that has these events; `happenings` reads it back."""
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
            for number, at, event, state, attempt, available_at in happenings
        ]
    )[-_LIMIT:]
