"""How ids are made up: ten digits of a counter of the organisation, and what its ids end with (B010; ours)."""

from __future__ import annotations

from typing import Final, NamedTuple

FIRST_DEFINITION: Final = 1_000_000_000
FIRST_ACTION: Final = 3_000_000_000
FIRST_EVENT: Final = 5_000_000_000
FIRST_LINK: Final = 7_000_000_000
"""Numbers of ten digits that ids begin with; nine of the organisation follow, and all fit 64 bits."""


class Line(NamedTuple):
    """What ids end with from some numbers on."""

    suffix: str
    actions: int = 0
    """The first action that it holds for, counted from 0."""
    events: int = 0
    """The events before the first one that it holds for."""


class Numbers(NamedTuple):
    """All that the next ids of an organisation depend on, and how the ids of its actions are made up."""

    lines: tuple[Line, ...]
    """Latest first: its own, then those of the organisations it was forked from."""
    definitions: int = 0
    """Definitions that were given an id."""
    links: int = 0
    """Destinations, credentials and links that were given an id."""
    events: int = 0
    """Events that were counted."""
    dropped: int = 0
    """Actions that were dropped; those that are kept follow."""


def action_id(lines: tuple[Line, ...], number: int) -> str:
    """The id of an action, counted from 0."""
    suffix = next(line.suffix for line in lines if line.actions <= number)
    return f"{FIRST_ACTION + number}{suffix}"


def event_id(lines: tuple[Line, ...], number: int) -> str:
    """The id of an event, counted from 1."""
    suffix = next(line.suffix for line in lines if line.events < number)
    return f"{FIRST_EVENT + number}{suffix}"
