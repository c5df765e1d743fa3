"""How ids are built: ten digits that count within the organisation, then the organisation's suffix of nine (B010; ours)."""

from __future__ import annotations

from typing import Final, NamedTuple

FIRST_DEFINITION: Final = 1_000_000_000
FIRST_ACTION: Final = 3_000_000_000
FIRST_EVENT: Final = 5_000_000_000
FIRST_LINK: Final = 7_000_000_000
"""The first counter of each kind of id. All have ten digits, so an id has 19 and fits 64 bits, and no two kinds meet below
two billion ids."""


class IdSegment(NamedTuple):
    """A part of an organisation's id sequences that shares one suffix; forks and reseeding begin a new segment."""

    suffix: str
    """The nine digits that ids of this segment end with."""
    first_action: int = 0
    """Number of the first action of the segment, counted from 0."""
    events_before: int = 0
    """Number of events that happened before the segment began."""


class IdSequences(NamedTuple):
    """All that the next ids of an organisation depend on, and the suffixes of the ids given so far."""

    segments: tuple[IdSegment, ...]
    """Latest first: the organisation's own, then those of the organisations that it was forked from."""
    definitions: int = 0
    """Number of definitions that were given an id."""
    links: int = 0
    """Number of destinations, credentials and links that were given an id."""
    events: int = 0
    """Number of events counted so far."""
    dropped: int = 0
    """Number of the oldest actions that were dropped; the kept ones follow."""


def action_id(segments: tuple[IdSegment, ...], number: int) -> str:
    """Return the id of the action with this number, counted from 0."""
    suffix = next(segment.suffix for segment in segments if segment.first_action <= number)
    return f"{FIRST_ACTION + number}{suffix}"


def event_id(segments: tuple[IdSegment, ...], number: int) -> str:
    """Return the id of the event with this number, counted from 1."""
    suffix = next(segment.suffix for segment in segments if segment.events_before < number)
    return f"{FIRST_EVENT + number}{suffix}"
