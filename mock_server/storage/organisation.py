"""One organisation: its definitions, actions, clock and worker, which snapshots keep and bring back."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..domain.actions import Action, Course, Happening, Work
from ..domain.definitions import Registry
from ..domain.own_time import OwnTime
from ..domain.ports import Alarm
from ..domain.trouble import Plan
from ..domain.worker import Worker
from . import histories
from .journal import Journal
from .shelf import EMPTY, Shelf, Stock

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


class Content(NamedTuple):
    """All that an organisation is at one moment; nobody changes it any more."""

    seed: int
    lines: tuple[Line, ...]
    """What its ids end with, latest first: its own, then those of the organisations it was forked from."""
    stock: Stock = EMPTY
    registry: Registry = Registry()
    time: OwnTime = OwnTime()
    worker: Worker = Worker()
    definitions: int = 0
    """Definitions that were given an id."""
    events: int = 0
    """Events that were counted."""
    links: int = 0
    """Destinations, credentials and links that were given an id."""

    def forked(self, suffix: str) -> Content:
        """The same for another organisation, whose new ids end with `suffix`."""
        line = Line(suffix, self.stock.end, self.events)
        return self._replace(lines=(line, *(old for old in self.lines if old[1:] != line[1:])))


class Organisation:
    """What changes, on the event loop alone. Everything in it is a frozen value or belongs to it."""

    __slots__ = (
        "_definitions",
        "_events",
        "_lines",
        "_links",
        "alarm",
        "journal",
        "org_id",
        "registry",
        "seed",
        "shelf",
        "snapshots",
        "time",
        "troubles",
        "worker",
    )

    def __init__(self, org_id: str, content: Content, journal: Journal) -> None:
        self.org_id = org_id
        self.journal = journal
        self.snapshots: dict[str, Content] = {}
        self.troubles = Plan()
        self.alarm: Alarm | None = None
        """Rings when something may be due; None when nothing is, or the clock stands."""
        self.become(content)

    def become(self, content: Content) -> None:
        """Be what `content` was taken of."""
        self.seed = content.seed
        self._lines = content.lines
        self.shelf = Shelf(content.stock)
        self.registry = content.registry
        self.time = content.time
        self.worker = content.worker
        self._definitions = content.definitions
        self._events = content.events
        self._links = content.links

    def content(self) -> Content:
        """All of it as it is now, in constant time."""
        return Content(
            self.seed,
            self._lines,
            self.shelf.stock(),
            self.registry,
            self.time,
            self.worker,
            self._definitions,
            self._events,
            self._links,
        )

    def new_definition_id(self) -> str:
        """A fresh id."""
        self._definitions += 1
        return f"{FIRST_DEFINITION + self._definitions}{self._lines[0].suffix}"

    def new_link_id(self) -> str:
        """A fresh id for a destination, a credential or a link."""
        self._links += 1
        return f"{FIRST_LINK + self._links}{self._lines[0].suffix}"

    def new_action_id(self) -> str:
        """The id of the action that is added next."""
        return f"{FIRST_ACTION + self.shelf.end}{self._lines[0].suffix}"

    def event_id(self, happening: Happening) -> str:
        """The id of an event."""
        suffix = next(line.suffix for line in self._lines if line.events < happening.number)
        return f"{FIRST_EVENT + happening.number}{suffix}"

    def action(self, action_id: str) -> Action | None:
        """The action as it was saved last, or None for an id that is not kept here."""
        action = self.shelf.get(_number(action_id))
        return action if action is not None and action.id == action_id else None

    def dropped(self, action_id: str) -> bool:
        """Whether the id was given to an action that was dropped to keep memory bounded."""
        number = _number(action_id)
        if not 0 <= number < self.shelf.oldest:
            return False
        return action_id[10:] == next(line.suffix for line in self._lines if line.actions <= number)

    def history(self, action: Action) -> list[Happening]:
        """The latest events of an action of this organisation, oldest first."""
        packed = self.shelf.history(_number(action.id))
        return histories.happenings(packed, action.work.accepted_at)

    def add(self, course: Course) -> int:
        """Keep a new action, whose id is the latest that was asked for; returns the bytes that it counts."""
        action = course[-1]
        counted = size(action.work)
        self.shelf.add(action, self._remembered(course))
        self.shelf.payload_bytes += counted
        return counted

    def save(self, course: Course) -> None:
        """Keep what became of an action that is kept already."""
        last = course[-1]
        number = _number(last.id)
        self.shelf.put(number, last, histories.grown(self.shelf.history(number), self._remembered(course)))

    def drop_oldest(self, most: int) -> tuple[int, int]:
        """Forget up to `most` of the oldest actions, of which there is one; how many, and the bytes they counted."""
        dropped = self.shelf.drop_oldest(most)
        freed = sum([size(action.work) for action in dropped])
        self.shelf.payload_bytes -= freed
        return len(dropped), freed

    def _remembered(self, course: Course) -> bytes:
        action = course[0]
        entries = histories.entries(self._events + 1, course)
        self._events += len(course)
        self.journal.changed(action.id, action.work.accepted_at, entries, len(course))
        return entries


def _number(action_id: str) -> int:
    """The number of an action in its organisation; -1 for what is no id."""
    if len(action_id) == 19 and action_id.isascii() and action_id.isdecimal():
        return int(action_id[:10]) - FIRST_ACTION
    return -1


def size(work: Work) -> int:
    """Bytes that count against the bound: payload, metadata and tags."""
    counted = len(work.payload) + len(work.metadata)
    for name, value in work.tags:
        counted += len(name) + len(value)
    return counted
