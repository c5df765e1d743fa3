"""Commands that keep what an organisation is, bring it back, and copy it into another organisation."""

from __future__ import annotations

from ..domain.errors import UnknownSnapshot
from ..domain.ports import Organisation, Store
from .sweeper import Sweeper
from .timers import Timers


class Snapshots:
    """Takes, restores, deletes and forks. Event loop only; each command is entered in the journal."""

    def __init__(self, store: Store, timers: Timers, sweeper: Sweeper, most_due: int) -> None:
        """Run at most `most_due` actions that fell due meanwhile before a restore or a fork ends."""
        self._store = store
        self._timers = timers
        self._sweeper = sweeper
        self._most_due = most_due

    def take(self, org_id: str, name: str) -> Organisation:
        """Keep what the organisation is now under a name, without its journal and its other snapshots.

        Raises:
            TooManySnapshots: it keeps as many as it may.
        """
        organisation = self._store.organisation(org_id)
        self._store.snapshot(org_id, name)
        self._enter(organisation, "snapshot", name)
        return organisation

    async def restore(self, org_id: str, name: str) -> Organisation:
        """Make the organisation what it was when the snapshot was taken, with its clock and its ids.

        A running clock is as far from the machine's as it was then; what fell due meanwhile is run.

        Raises:
            UnknownSnapshot: the organisation has none of this name.
        """
        organisation = self._store.organisation(org_id)
        _refuse_unknown(organisation, name)
        self._timers.stop(organisation)
        self._store.restore(org_id, name)
        self._enter(organisation, "restore", name)
        await self._catch_up(organisation)
        return organisation

    def delete(self, org_id: str, name: str) -> Organisation:
        """Delete a snapshot.

        Raises:
            UnknownSnapshot: the organisation has none of this name.
        """
        organisation = self._store.organisation(org_id)
        _refuse_unknown(organisation, name)
        self._store.delete_snapshot(org_id, name)
        self._enter(organisation, "forget", name)
        return organisation

    async def fork(self, org_id: str, to: str, name: str | None) -> Organisation:
        """Make organisation `to` what this one is, or was at a snapshot: the same definitions and actions, under the same ids.

        New ids are its own, and its journal begins anew.

        Raises:
            UnknownSnapshot: this organisation has none of this name.
        """
        source, target = self._store.organisation(org_id), self._store.organisation(to)
        if name is not None:
            _refuse_unknown(source, name)
        self._timers.stop(target)
        self._store.fork(org_id, to, name)
        self._enter(target, "fork", f"of {org_id}" + (f" at {name}" if name else ""))
        await self._catch_up(target)
        return target

    async def _catch_up(self, organisation: Organisation) -> None:
        """Run what fell due meanwhile, and call the webhooks for which actions wait."""
        await self._timers.catch_up(organisation, self._most_due)
        if organisation.registry.routes:
            await self._timers.offer_waiting(organisation, ())

    def _enter(self, organisation: Organisation, name: str, details: str) -> None:
        """Enter a command in the journal, and free what it discarded."""
        organisation.journal.add_command(self._timers.now(organisation), name, details)
        self._sweeper.start()


def _refuse_unknown(organisation: Organisation, name: str) -> None:
    if name not in organisation.snapshots:
        known = ", ".join(sorted(organisation.snapshots)) or "none yet"
        raise UnknownSnapshot(
            f"path name: expected a snapshot of organisation {organisation.org_id} ({known}), got {name[:60]!r}"
        )
