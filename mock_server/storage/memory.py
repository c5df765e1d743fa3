"""The in-memory store: all organisations, bounds over all of them, and freeing memory in small portions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ..domain import ports
from ..domain.actions import Action, Changes, HistoryEvent
from ..domain.errors import TooManySnapshots
from ..domain.faults import FaultPlan
from ..domain.id_sequences import IdSegment, IdSequences
from . import histories
from .action_table import Chunk, TableState
from .journal import Journal
from .organisation import Organisation, OrganisationState

MAX_SNAPSHOTS: Final = 32
"""Snapshots that one organisation keeps: their actions are bounded by nothing else."""
_CHUNKS_FREED: Final = 3
"""Chunks freed at a time: some 3,000 actions, 2 ms."""
_MOST_DROPPED: Final = 1_000
"""Actions that may be dropped to make room for one: some milliseconds' work."""


class MemoryStore:
    """Keeps at most `max_actions` actions and `max_payload_bytes` bytes of their payloads, metadata and tags.

    Beyond a bound, the organisation that keeps most loses its oldest actions, a thousandth of the bound at a time. So an
    organisation that floods the mock takes nothing from the others. Actions that only snapshots keep are bounded by the
    number of snapshots.
    """

    def __init__(
        self,
        max_actions: int,
        max_payload_bytes: int,
        *,
        journal_limit: int,
        suffix: Callable[[str, int], str],
        seed: int,
    ) -> None:
        """Make a store without organisations.

        Args:
            max_actions: bound on the number of actions, over all organisations.
            max_payload_bytes: bound on their payloads, metadata and tags, in bytes.
            journal_limit: raw entries that each journal keeps.
            suffix: (organisation, seed) → what the organisation's ids end with.
            seed: the seed of organisations that are given none.
        """
        self._max_actions = max_actions
        self._max_payload_bytes = max_payload_bytes
        self._portion = min(_MOST_DROPPED, max(1, max_actions // 1_000))
        """Actions dropped at a time, as dropping one at a time costs more than accepting one."""
        self._journal_limit = journal_limit
        self._suffix = suffix
        self._seed = seed
        self._organisations: dict[str, Organisation] = {}
        self._count = 0
        self._payload_bytes = 0
        self._discarded: deque[Chunk] = deque()
        self._provision: Callable[[ports.Organisation], None] = _leave_empty

    def on_first_use(self, provision: Callable[[ports.Organisation], None]) -> None:
        """Call `provision` with each organisation when it is made."""
        self._provision = provision

    def organisation(self, org_id: str) -> Organisation:
        """Return the organisation, made on first use."""
        found = self._organisations.get(org_id)
        if found is None:
            found = Organisation(org_id, self._fresh(org_id, self._seed), Journal(self._journal_limit))
            self._organisations[org_id] = found
            self._provision(found)
        return found

    def organisations(self) -> list[Organisation]:
        """Return all organisations in use, in the order of their first use."""
        return list(self._organisations.values())

    @property
    def count(self) -> int:
        """Number of kept actions, over all organisations, without those that only snapshots keep."""
        return self._count

    def add_action(self, org_id: str, changes: Changes) -> None:
        """Keep a new action. Beyond a bound older ones are dropped, as many as time allows, but never this one."""
        organisation = self._organisations[org_id]
        self._payload_bytes += organisation.add(changes)
        self._count += 1
        if self._is_full():
            self._make_room(organisation)

    def packed(self, events: Sequence[HistoryEvent], accepted_at: int) -> bytes:
        """Return a history as `place` takes it; its times count in milliseconds from `accepted_at`."""
        return histories.pack(events, accepted_at)

    def place(self, org_id: str, action: Action, history: bytes, last_event: int) -> None:
        """Keep a new action in the state that it has, with a packed history up to the event of number `last_event`.

        The bounds hold as in `add_action`.
        """
        organisation = self._organisations[org_id]
        self._payload_bytes += organisation.place(action, history, last_event)
        self._count += 1
        if self._is_full():
            self._make_room(organisation)

    def continue_ids(self, org_id: str, sequences: IdSequences) -> None:
        """Let the ids of a fresh organisation go on where `sequences` ended."""
        organisation = self._organisations[org_id]
        self._become(organisation, organisation.state().continuing(sequences))

    def reseed(self, org_id: str, seed: int) -> None:
        """Give an organisation another seed from now on; all that it is stays."""
        self._organisations[org_id].reseed(seed, self._suffix(org_id, seed))

    def view(self, org_id: str) -> Organisation:
        """Return a copy of the organisation as it is now, to be read while the organisation itself goes on."""
        return Organisation(org_id, self._organisations[org_id].state(), Journal(0))

    def reset(self, org_id: str, seed: int | None) -> None:
        """Make the organisation as new, with `seed` or the one that the store was made with; its snapshots stay."""
        organisation = self._organisations[org_id]
        self._become(organisation, self._fresh(org_id, self._seed if seed is None else seed))
        organisation.journal.clear()
        organisation.faults = FaultPlan()

    def snapshot(self, org_id: str, name: str) -> None:
        """Keep what the organisation is now under a name, in place of an older snapshot of that name.

        Raises:
            TooManySnapshots: the organisation keeps as many as it may under other names.
        """
        organisation = self._organisations[org_id]
        former = organisation.snapshots.get(name)
        if former is None and len(organisation.snapshots) >= MAX_SNAPSHOTS:
            raise TooManySnapshots(
                f"path name: expected one of the {MAX_SNAPSHOTS} snapshots that organisation "
                f"{organisation.org_id} keeps, got {name!r}; delete one first"
            )
        state = organisation.snapshots[name] = organisation.state()
        if former is not None:
            self._discard(former.table, state.table)

    def restore(self, org_id: str, name: str) -> None:
        """Make the organisation what it was at a snapshot, which exists."""
        organisation = self._organisations[org_id]
        self._become(organisation, organisation.snapshots[name])

    def delete_snapshot(self, org_id: str, name: str) -> None:
        """Delete a snapshot, which exists."""
        organisation = self._organisations[org_id]
        self._discard(organisation.snapshots.pop(name).table, organisation.action_table.state())

    def fork(self, source_id: str, target_id: str, name: str | None) -> None:
        """Make the target what the source is, or was at its snapshot `name`, which exists.

        The target builds ids with a suffix of its own from now on. Its journal is emptied; its snapshots stay.
        """
        source, target = self._organisations[source_id], self._organisations[target_id]
        state = source.state() if name is None else source.snapshots[name]
        self._become(target, state.forked(self._suffix(target_id, state.seed)))
        target.journal.clear()

    def sweep(self) -> bool:
        """Free some discarded chunks, and drop some of the actions that a restore or a fork brought beyond the bounds: a few
        milliseconds' work. Return whether more is left."""
        for _ in range(min(_CHUNKS_FREED, len(self._discarded))):
            self._discarded.popleft()
        more = self._make_room(None)
        return more or bool(self._discarded)

    def _become(self, organisation: Organisation, state: OrganisationState) -> None:
        old = organisation.action_table.state()
        organisation.become(state)
        new = state.table
        self._count += new.kept - old.kept
        self._payload_bytes += new.payload_bytes - old.payload_bytes
        self._discard(old, new)

    def _discard(self, old: TableState, new: TableState) -> None:
        """Queue the chunks that `old` has and `new` does not share, to be freed by `sweep`."""
        kept = new.chunks
        self._discarded.extend(c for key, c in old.chunks.items() if kept.get(key) is not c)

    def _is_full(self) -> bool:
        return self._count > self._max_actions or self._payload_bytes > self._max_payload_bytes

    def _make_room(self, newest: Organisation | None) -> bool:
        """Drop actions until the bounds are kept, but no more than a few milliseconds' worth. Return whether more have to go.

        The latest action of `newest` stays, even when it is larger than the bound by itself.
        """
        for _ in range(_MOST_DROPPED // self._portion):
            if self._count > self._max_actions:
                victim = max(self._organisations.values(), key=lambda o: o.action_table.count)
                most = min(self._portion, victim.action_table.count - (victim is newest))
            elif self._payload_bytes > self._max_payload_bytes:
                victim = max(self._organisations.values(), key=lambda o: o.action_table.payload_bytes)
                most = min(1, victim.action_table.count - (newest is None or victim is newest))
            else:
                return False
            if most < 1:
                return False
            count, freed = victim.drop_oldest(most)
            self._count -= count
            self._payload_bytes -= freed
        return self._is_full()

    def _fresh(self, org_id: str, seed: int) -> OrganisationState:
        return OrganisationState(seed, (IdSegment(self._suffix(org_id, seed)),))


def _leave_empty(organisation: ports.Organisation) -> None:
    """Provision an organisation of a mock that has no seed file."""
