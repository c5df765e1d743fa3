"""One organisation: its definitions, actions, clock and worker, which snapshots keep and bring back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..domain import id_sequences
from ..domain.actions import Action, Changes, HistoryEvent, Work
from ..domain.clock import OrganisationClock
from ..domain.definitions import Registry
from ..domain.faults import FaultPlan
from ..domain.id_sequences import FIRST_ACTION, FIRST_DEFINITION, FIRST_LINK, IdSegment, IdSequences
from ..domain.ports import Alarm
from ..domain.worker import Worker
from . import histories
from .action_table import EMPTY, ActionTable, TableState, emptied
from .journal import Journal


class OrganisationState(NamedTuple):
    """All that an organisation is at one moment, frozen: what a snapshot keeps."""

    seed: int
    segments: tuple[IdSegment, ...]
    """The suffixes of its ids, latest first: see `IdSequences.segments`."""
    table: TableState = EMPTY
    registry: Registry = Registry()
    clock: OrganisationClock = OrganisationClock()
    worker: Worker = Worker()
    definitions: int = 0
    """Number of definitions that were given an id."""
    events: int = 0
    """Number of events counted so far."""
    links: int = 0
    """Number of destinations, credentials and links that were given an id."""

    def continuing(self, sequences: IdSequences) -> OrganisationState:
        """Return the same with ids that go on where `sequences` ended, and without actions."""
        return self._replace(
            segments=sequences.segments,
            table=emptied(sequences.dropped),
            definitions=sequences.definitions,
            events=sequences.events,
            links=sequences.links,
        )

    def forked(self, suffix: str) -> OrganisationState:
        """Return the same with new ids that end with `suffix`."""
        own = IdSegment(suffix, self.table.end, self.events)
        # a segment without an action or an event, as nothing happened between two forks, is left out
        used = (segment for segment in self.segments if segment[1:] != own[1:])
        return self._replace(segments=(own, *used))


class Organisation:
    """One organisation as it changes, on the event loop alone. All in it is a frozen value or belongs to it."""

    __slots__ = (
        "_definitions",
        "_events",
        "_links",
        "_segments",
        "action_table",
        "alarm",
        "clock",
        "faults",
        "journal",
        "org_id",
        "registry",
        "seed",
        "snapshots",
        "worker",
    )

    def __init__(self, org_id: str, state: OrganisationState, journal: Journal) -> None:
        self.org_id = org_id
        self.journal = journal
        self.snapshots: dict[str, OrganisationState] = {}
        self.faults = FaultPlan()
        self.alarm: Alarm | None = None
        """The next call of the loop for what is due; None when nothing is, or the clock is frozen."""
        self.become(state)

    def become(self, state: OrganisationState) -> None:
        """Be what `state` was taken of."""
        self.seed = state.seed
        self._segments = state.segments
        self.action_table = ActionTable(state.table)
        self.registry = state.registry
        self.clock = state.clock
        self.worker = state.worker
        self._definitions = state.definitions
        self._events = state.events
        self._links = state.links

    def state(self) -> OrganisationState:
        """Return all of it as it is now, in constant time."""
        return OrganisationState(
            self.seed,
            self._segments,
            self.action_table.state(),
            self.registry,
            self.clock,
            self.worker,
            self._definitions,
            self._events,
            self._links,
        )

    def new_definition_id(self) -> str:
        """Return a fresh id for a definition."""
        self._definitions += 1
        return f"{FIRST_DEFINITION + self._definitions}{self._segments[0].suffix}"

    def new_link_id(self) -> str:
        """Return a fresh id for a destination, a credential or a link."""
        self._links += 1
        return f"{FIRST_LINK + self._links}{self._segments[0].suffix}"

    def new_action_id(self) -> str:
        """Return the id of the action that is added next."""
        return f"{FIRST_ACTION + self.action_table.end}{self._segments[0].suffix}"

    def event_id(self, number: int) -> str:
        """Return the id of the event with this number."""
        return id_sequences.event_id(self._segments, number)

    def id_sequences(self) -> IdSequences:
        """Return all that its next ids depend on."""
        return IdSequences(
            self._segments, self._definitions, self._links, self._events, self.action_table.oldest
        )

    @property
    def next_event(self) -> int:
        """The number of the event that happens next."""
        return self._events + 1

    def reseed(self, seed: int, suffix: str) -> None:
        """Have another seed from now on, and new ids that end with `suffix`."""
        forked = self.state().forked(suffix)
        self.seed, self._segments = seed, forked.segments

    def actions(self) -> Iterator[Action]:
        """Yield the kept actions, oldest first."""
        found = map(self.action_table.get, range(self.action_table.oldest, self.action_table.end))
        return (action for action in found if action is not None)

    def action(self, action_id: str) -> Action | None:
        """Return the action as it was saved last, None for an id that is not kept here."""
        action = self.action_table.get(_number(action_id))
        return action if action is not None and action.id == action_id else None

    def dropped(self, action_id: str) -> bool:
        """Return whether the id belonged to an action that was dropped to keep memory bounded."""
        number = _number(action_id)
        if not 0 <= number < self.action_table.oldest:
            return False
        return action_id == id_sequences.action_id(self._segments, number)

    def history(self, action: Action) -> list[HistoryEvent]:
        """Return the latest events of an action, oldest first."""
        packed = self.action_table.history(_number(action.id))
        return histories.unpack(packed, action.work.accepted_at)

    def add(self, changes: Changes) -> int:
        """Keep a new action, whose id was the latest that was asked for. Return its size in bytes."""
        action = changes[-1]
        counted = size(action.work)
        self.action_table.add(action, self._record(changes))
        self.action_table.payload_bytes += counted
        return counted

    def place(self, action: Action, history: bytes, last_event: int) -> int:
        """Keep a new action with a packed history up to the event of number `last_event`; the journal gets no entry of it.

        Return its size in bytes.
        """
        counted = size(action.work)
        self._events = max(self._events, last_event)
        self.action_table.add(action, history)
        self.action_table.payload_bytes += counted
        return counted

    def save(self, changes: Changes) -> None:
        """Replace a kept action by the last of `changes`, and add all of them to its history and to the journal."""
        last = changes[-1]
        number = _number(last.id)
        history = histories.extended(self.action_table.history(number), self._record(changes))
        self.action_table.put(number, last, history)

    def drop_oldest(self, most: int) -> tuple[int, int]:
        """Drop up to `most` of the oldest actions, of which there is at least one.

        Returns:
            (number of dropped actions, their bytes).
        """
        dropped = self.action_table.drop_oldest(most)
        freed = sum([size(action.work) for action in dropped])
        self.action_table.payload_bytes -= freed
        return len(dropped), freed

    def _record(self, changes: Changes) -> bytes:
        """Count the events and enter them in the journal. Return them packed."""
        action = changes[0]
        packed = histories.pack_changes(self._events + 1, changes)
        self._events += len(changes)
        self.journal.add_transitions(action.id, action.work.accepted_at, packed, len(changes))
        return packed


def _number(action_id: str) -> int:
    """The number of an action in its organisation; -1 for what is no id."""
    if len(action_id) == 19 and action_id.isascii() and action_id.isdecimal():
        return int(action_id[:10]) - FIRST_ACTION
    return -1


def size(work: Work) -> int:
    """Return the bytes that count against the bound of the store: payload, metadata and tags."""
    counted = len(work.payload) + len(work.metadata)
    for name, value in work.tags:
        counted += len(name) + len(value)
    return counted
