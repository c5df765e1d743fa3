"""One organisation: its definitions, actions, clock and worker, which snapshots keep and bring back."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..domain.actions import Action, Course, Happening, Work
from ..domain.definitions import Registry
from ..domain.own_time import OwnTime
from ..domain.ports import Alarm
from ..domain.worker import Worker
from . import histories
from .journal import Journal
from .shelf import EMPTY, Shelf, Stock

FIRST_DEFINITION: Final = 1_000_000_000
FIRST_ACTION: Final = 3_000_000_000
FIRST_EVENT: Final = 5_000_000_000
"""Numbers of ten digits that ids begin with; nine of the organisation follow, and all fit 64 bits."""


class Content(NamedTuple):
    """All that an organisation is at one moment; nobody changes it any more."""

    seed: int
    suffixes: tuple[str, ...]
    """What its ids end with: its own, then those of the organisations it was forked from."""
    stock: Stock = EMPTY
    registry: Registry = Registry()
    time: OwnTime = OwnTime()
    worker: Worker = Worker()
    definitions: int = 0
    """Definitions that were given an id."""
    events: int = 0
    """Events that were counted."""


class Organisation:
    """What changes, on the event loop alone. Everything in it is a frozen value or belongs to it."""

    __slots__ = (
        "_definitions",
        "_events",
        "_suffixes",
        "alarm",
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
        self.alarm: Alarm | None = None
        """Rings when something may be due; None when nothing is, or the clock stands."""
        self.become(content)

    def become(self, content: Content) -> None:
        """Be what `content` was taken of."""
        self.seed = content.seed
        self._suffixes = content.suffixes
        self.shelf = Shelf(content.stock)
        self.registry = content.registry
        self.time = content.time
        self.worker = content.worker
        self._definitions = content.definitions
        self._events = content.events

    def content(self) -> Content:
        """All of it as it is now, in constant time."""
        return Content(
            self.seed,
            self._suffixes,
            self.shelf.stock(),
            self.registry,
            self.time,
            self.worker,
            self._definitions,
            self._events,
        )

    def new_definition_id(self) -> str:
        """A fresh id."""
        self._definitions += 1
        return f"{FIRST_DEFINITION + self._definitions}{self._suffixes[0]}"

    def new_action_id(self) -> str:
        """The id of the action that is added next."""
        return f"{FIRST_ACTION + self.shelf.end}{self._suffixes[0]}"

    def event_id(self, happening: Happening) -> str:
        """The id of an event."""
        return f"{FIRST_EVENT + happening.number}{self._suffixes[0]}"

    def action(self, action_id: str) -> Action | None:
        """The action as it was saved last, or None for an id that is not kept here."""
        if len(action_id) != 19:
            return None
        action = self.shelf.get(int(action_id[:10]) - FIRST_ACTION)
        return action if action is not None and action.id == action_id else None

    def dropped(self, action_id: str) -> bool:
        """Whether the id was given to an action that was dropped to keep memory bounded."""
        number = int(action_id[:10]) - FIRST_ACTION if len(action_id) == 19 else -1
        return 0 <= number < self.shelf.oldest and action_id[10:] in self._suffixes

    def newest_first(self) -> range:
        """The numbers of all kept actions, for `numbered`."""
        return range(self.shelf.end - 1, self.shelf.oldest - 1, -1)

    def numbered(self, number: int) -> Action | None:
        """The action with this number, None when it was dropped meanwhile."""
        return self.shelf.get(number)

    def history(self, action: Action) -> list[Happening]:
        """The latest events of an action of this organisation, oldest first."""
        packed = self.shelf.history(int(action.id[:10]) - FIRST_ACTION)
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
        number = int(last.id[:10]) - FIRST_ACTION
        self.shelf.put(number, last, histories.grown(self.shelf.history(number), self._remembered(course)))

    def drop_oldest(self) -> int:
        """Forget the oldest action, of which there is one; returns the bytes that it counted."""
        freed = size(self.shelf.drop_oldest().work)
        self.shelf.payload_bytes -= freed
        return freed

    def _remembered(self, course: Course) -> bytes:
        action = course[0]
        entries = histories.entries(self._events + 1, course)
        self._events += len(course)
        self.journal.changed(action.id, action.work.accepted_at, entries, len(course))
        return entries


def size(work: Work) -> int:
    """Bytes that count against the bound: payload, metadata and tags."""
    counted = len(work.payload) + len(work.metadata)
    for name, value in work.tags:
        counted += len(name) + len(value)
    return counted
