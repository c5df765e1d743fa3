"""One organisation: its definitions, actions, clock and worker, which snapshots keep and bring back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..domain.actions import (
    Action,
    Course,
    Happening,
    Work,
)
from ..domain.clock import OrganisationClock
from ..domain.definitions import Registry
from ..domain.faults import Plan
from ..domain.id_sequences import (
    FIRST_ACTION,
    FIRST_DEFINITION,
    FIRST_LINK,
    Line,
    Numbers,
    event_id,
)
from ..domain.id_sequences import action_id as id_of_action
from ..domain.ports import Alarm
from ..domain.worker import Worker
from . import histories
from .journal import Journal
from .shelf import (
    EMPTY,
    Shelf,
    Stock,
    emptied,
)


class Content(NamedTuple):
    """All that an organisation is at one moment; nobody changes it any more."""

    seed: int
    lines: tuple[Line, ...]
    """What its ids end with, latest first: its own, then those of the organisations it was forked from."""
    stock: Stock = EMPTY
    registry: Registry = Registry()
    time: OrganisationClock = OrganisationClock()
    worker: Worker = Worker()
    definitions: int = 0
    """Definitions that were given an id."""
    events: int = 0
    """Events that were counted."""
    links: int = 0
    """Destinations, credentials and links that were given an id."""

    def recalled(self, numbers: Numbers) -> Content:
        """The same with ids that go on as another process left them, and none of its actions yet."""
        return self._replace(
            lines=numbers.lines,
            stock=emptied(numbers.dropped),
            definitions=numbers.definitions,
            events=numbers.events,
            links=numbers.links,
        )

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
        "faults",
        "journal",
        "org_id",
        "registry",
        "seed",
        "shelf",
        "snapshots",
        "time",
        "worker",
    )

    def __init__(self, org_id: str, content: Content, journal: Journal) -> None:
        self.org_id = org_id
        self.journal = journal
        self.snapshots: dict[str, Content] = {}
        self.faults = Plan()
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
        return event_id(self._lines, happening.number)

    def numbers(self) -> Numbers:
        """All that its next ids depend on."""
        return Numbers(self._lines, self._definitions, self._links, self._events, self.shelf.oldest)

    @property
    def next_event(self) -> int:
        """The number of the event that happens next."""
        return self._events + 1

    def reseed(self, seed: int, suffix: str) -> None:
        """Have another seed from now on, and ids that end with `suffix`."""
        forked = self.content().forked(suffix)
        self.seed, self._lines = seed, forked.lines

    def actions(self) -> Iterator[Action]:
        """All that are kept, oldest first."""
        found = map(self.shelf.get, range(self.shelf.oldest, self.shelf.end))
        return (action for action in found if action is not None)

    def action(self, action_id: str) -> Action | None:
        """The action as it was saved last, or None for an id that is not kept here."""
        action = self.shelf.get(_number(action_id))
        return action if action is not None and action.id == action_id else None

    def dropped(self, action_id: str) -> bool:
        """Whether the id was given to an action that was dropped to keep memory bounded."""
        number = _number(action_id)
        if not 0 <= number < self.shelf.oldest:
            return False
        return action_id == id_of_action(self._lines, number)

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

    def place(self, action: Action, history: bytes, last: int) -> int:
        """Keep an action with what has happened to it before, up to the event of a number; the journal hears nothing of
        it. Returns as `add`."""
        counted = size(action.work)
        self._events = max(self._events, last)
        self.shelf.add(action, history)
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
