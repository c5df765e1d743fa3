"""The in-memory store: the organisations, bounded over all of them, and what is let go slowly."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..domain.actions import Action, Course, Happening
from ..domain.errors import TooManySnapshots
from ..domain.faults import Plan
from ..domain.id_sequences import Line, Numbers
from . import histories
from .journal import Journal
from .organisation import Content, Organisation
from .shelf import Chunk, Stock

MAX_SNAPSHOTS: Final = 32
"""Snapshots that one organisation keeps."""
_SWEPT: Final = 3
"""Chunks let go at a time: some 3,000 actions, 2 ms."""
_DROPPED: Final = 1_000
"""Actions that may be dropped to make room for one."""


class MemoryStore:
    """Keeps at most `max_actions` actions and `max_payload_bytes` bytes of their payloads, metadata and tags.

    When a bound is passed the organisation that keeps most loses its oldest ones, a thousandth at a time, so that one that floods
    the mock takes nothing from the others. What snapshots alone keep is bounded by their number.
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
        self._max_actions = max_actions
        self._max_payload_bytes = max_payload_bytes
        self._portion = min(_DROPPED, max(1, max_actions // 1_000))
        """Actions dropped at a time, as one at a time costs more than accepting one."""
        self._journal_limit = journal_limit
        self._suffix = suffix
        self._seed = seed
        self._organisations: dict[str, Organisation] = {}
        self._count = 0
        self._payload_bytes = 0
        self._discarded: deque[Chunk] = deque()
        self._provision: Callable[[Organisation], None] = _nothing

    def on_first_use(self, provision: Callable[[Any], None]) -> None:
        """Have each organisation provisioned when it is made."""
        self._provision = provision

    def organisation(self, org_id: str) -> Organisation:
        """The organisation, made on first use."""
        found = self._organisations.get(org_id)
        if found is None:
            found = Organisation(org_id, self._fresh(org_id, self._seed), Journal(self._journal_limit))
            self._organisations[org_id] = found
            self._provision(found)
        return found

    def organisations(self) -> list[Organisation]:
        """All that were used, in the order of their first use."""
        return list(self._organisations.values())

    @property
    def count(self) -> int:
        """Actions kept over all organisations, those that snapshots alone keep not counted."""
        return self._count

    def add_action(self, organisation: Organisation, course: Course) -> None:
        """Keep a new action; older ones go while a bound is passed, as many as time allows, this one never."""
        self._payload_bytes += organisation.add(course)
        self._count += 1
        if self._is_full():
            self._make_room(organisation)

    def packed(self, happenings: Sequence[Happening], accepted_at: int) -> bytes:
        """A history as `place` takes it; times in it count from the acceptance."""
        return histories.packed(happenings, accepted_at)

    def place(self, organisation: Organisation, action: Action, history: bytes, last: int) -> None:
        """Keep an action in the state that it has, after a history up to the event of a number; the bounds hold as for a
        new one."""
        self._payload_bytes += organisation.place(action, history, last)
        self._count += 1
        if self._is_full():
            self._make_room(organisation)

    def recall(self, organisation: Organisation, numbers: Numbers) -> None:
        """Let the ids of an organisation that is as new go on as they did elsewhere."""
        self.become(organisation, organisation.content().recalled(numbers))

    def reseed(self, organisation: Organisation, seed: int) -> None:
        """Give an organisation another seed from now on; all that it is stays."""
        organisation.reseed(seed, self._suffix(organisation.org_id, seed))

    def view(self, organisation: Organisation) -> Organisation:
        """What the organisation is now, to be read while it goes on."""
        return Organisation(organisation.org_id, organisation.content(), Journal(0))

    def reset(self, organisation: Organisation, seed: int | None) -> None:
        """Make it as new, with another seed or the one that the store was made with; snapshots stay."""
        self.become(organisation, self._fresh(organisation.org_id, self._seed if seed is None else seed))
        organisation.journal.clear()
        organisation.faults = Plan()

    def become(self, organisation: Organisation, content: Content) -> None:
        """Put other content in the place of what the organisation is."""
        old = organisation.shelf.stock()
        organisation.become(content)
        new = content.stock
        self._count += new.kept - old.kept
        self._payload_bytes += new.payload_bytes - old.payload_bytes
        self._discard(old, new)

    def snapshot(self, organisation: Organisation, name: str) -> None:
        """Keep what the organisation is now under a name, in place of what the name stood for.

        Raises:
            TooManySnapshots: it keeps as many as it may under other names.
        """
        former = organisation.snapshots.get(name)
        if former is None and len(organisation.snapshots) >= MAX_SNAPSHOTS:
            raise TooManySnapshots(
                f"path name: expected one of the {MAX_SNAPSHOTS} snapshots that organisation "
                f"{organisation.org_id} keeps, got {name!r}; delete one first"
            )
        content = organisation.snapshots[name] = organisation.content()
        if former is not None:
            self._discard(former.stock, content.stock)

    def forget(self, organisation: Organisation, name: str) -> None:
        """Delete a snapshot that there is."""
        self._discard(organisation.snapshots.pop(name).stock, organisation.shelf.stock())

    def fork(self, organisation: Organisation, content: Content) -> None:
        """Make the organisation what another one was, with ids of its own from now on; its snapshots stay."""
        self.become(organisation, content.forked(self._suffix(organisation.org_id, content.seed)))
        organisation.journal.clear()

    def sweep(self) -> bool:
        """Let go a little of what was discarded, and of what a restore or a fork has brought beyond the bounds, a few
        milliseconds' worth; whether more is left."""
        for _ in range(min(_SWEPT, len(self._discarded))):
            self._discarded.popleft()
        more = self._make_room(None)
        return more or bool(self._discarded)

    def _discard(self, old: Stock, new: Stock) -> None:
        """Let go slowly what only `old` holds; what others share stays with them."""
        kept = new.chunks
        self._discarded.extend(c for key, c in old.chunks.items() if kept.get(key) is not c)

    def _is_full(self) -> bool:
        return self._count > self._max_actions or self._payload_bytes > self._max_payload_bytes

    def _make_room(self, newest: Organisation | None) -> bool:
        """Drop actions until the bounds are kept, but not so many at once that others wait for it; whether more are to
        go. The newest action stays, also one that is larger than the bound alone."""
        for _ in range(_DROPPED // self._portion):
            if self._count > self._max_actions:
                victim = max(self._organisations.values(), key=lambda o: o.shelf.count)
                most = min(self._portion, victim.shelf.count - (victim is newest))
            elif self._payload_bytes > self._max_payload_bytes:
                victim = max(self._organisations.values(), key=lambda o: o.shelf.payload_bytes)
                most = min(1, victim.shelf.count - (newest is None or victim is newest))
            else:
                return False
            if most < 1:
                return False
            count, freed = victim.drop_oldest(most)
            self._count -= count
            self._payload_bytes -= freed
        return self._is_full()

    def _fresh(self, org_id: str, seed: int) -> Content:
        return Content(seed, (Line(self._suffix(org_id, seed)),))


def _nothing(organisation: Organisation) -> None:
    """What an organisation is provisioned with where nothing was said."""
