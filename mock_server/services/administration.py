"""What a tester does to an organisation from outside: its clock, its worker, its past."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..domain import actions
from ..domain.actions import Action
from ..domain.clock import OrganisationClock
from ..domain.definitions import Definition, short
from ..domain.destinations import (
    MOST_DESTINATIONS,
    Destination,
    Kind,
    check,
    put,
)
from ..domain.errors import (
    ArklowError,
    ClockGoesBack,
    SettleRefused,
    TooManyDestinations,
    TooMuchDue,
    UnknownDestination,
    UnknownOrganisation,
    UnknownSnapshot,
)
from ..domain.ports import Organisation, Store
from ..domain.states import Event
from ..domain.worker import Worker
from ..timestamps import timestamp
from .timers import Timers

if TYPE_CHECKING:
    from ..domain.seeds import SeedPlan
    from .provisioning import Provisioner
from .signals import find

MOST_DUE: Final = 1_000_000
"""Actions that may fall due in one command: some ten seconds' work."""


class Administration:
    """The commands of the admin plane. Event loop only; each is entered in the organisation's journal."""

    def __init__(
        self,
        store: Store,
        timers: Timers,
        *,
        most_due: int = MOST_DUE,
        provisioner: Callable[[], Provisioner] | None = None,
    ) -> None:
        self._make_provisioner = provisioner
        self._provisioner: Provisioner | None = None
        """Made, and loaded, when there is something to provision with."""
        self._store = store
        self._timers = timers
        self._most_due = most_due
        self._sweeping = False
        self._moving: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One clock is moved by one command at a time."""

    def organisations(self) -> Sequence[Organisation]:
        """All that were used."""
        return self._store.organisations()

    def organisation(self, org_id: str) -> Organisation:
        """One of them, made on first use."""
        return self._store.organisation(org_id)

    def now(self, organisation: Organisation) -> int:
        """The organisation's time, in milliseconds since the epoch."""
        return self._timers.now(organisation)

    async def reset(
        self,
        org_id: str,
        *,
        seed: int | None = None,
        frozen: bool = False,
        to: int | None = None,
        worker: Worker | None = None,
        clock: bool = False,
        provision: bool = True,
    ) -> Organisation:
        """Make the organisation as new: no definitions, no actions, an empty journal, ids from the beginning;
        the clock follows the machine and the worker holds, unless told otherwise. Snapshots stay. With `provision` it
        has then what the seed file has for it; what is said here counts more, with `clock` of the clock too."""
        organisation = self._store.organisation(org_id)
        self._timers.give_up(organisation)
        planned = self._provisioner.seed.of(org_id).seed if self._provisioner and provision else None
        self._store.reset(org_id, planned if seed is None else seed)
        if worker is not None:
            organisation.worker = worker
        machine = self._timers.machine()
        at = machine if to is None else to
        organisation.clock = (
            OrganisationClock(frozen_at=at) if frozen else OrganisationClock(ahead_ms=at - machine)
        )
        self._entered(organisation, "reset", "" if seed is None else f"seed {seed}")
        if self._provisioner and provision:
            told = organisation.clock if clock or frozen or to is not None else None
            self._provisioner.provision(organisation, seed=seed, time=told, worker=worker)
        return organisation

    async def let_go(self, org_ids: Sequence[str]) -> list[Organisation]:
        """Reset those of these organisations that were used, without what the seed file has, and delete their snapshots;
        which they are."""
        used = {organisation.org_id: organisation for organisation in self._store.organisations()}
        found = [used[org_id] for org_id in dict.fromkeys(org_ids) if org_id in used]
        for organisation in found:
            for name in list(organisation.snapshots):
                self._store.delete_snapshot(organisation.org_id, name)
            await self.reset(organisation.org_id, provision=False)
        return found

    def seed(self) -> SeedPlan:
        """The seed that was applied last."""
        from ..domain.seeds import SeedPlan

        return self._provisioner.seed if self._provisioner else SeedPlan()

    async def views(self, org_ids: Sequence[str]) -> list[Organisation]:
        """These organisations, or all that were used, as they are at one moment, after what is due; to be read while
        they go on.

        Raises:
            UnknownOrganisation: one of them was not used.
        """
        used = {organisation.org_id: organisation for organisation in self._store.organisations()}
        for org_id in org_ids:
            if org_id not in used:
                known = ", ".join(islice(used, 10)) or "none yet"
                raise UnknownOrganisation(
                    f"query organisation: expected organisations that were used ({known}), got {org_id}"
                )
        found = [used[org_id] for org_id in org_ids] or list(used.values())
        for organisation in found:
            await self._timers.settle(organisation)
        return [self._store.view(organisation.org_id) for organisation in found]

    async def reseed(self, seed: SeedPlan, applied: Callable[[], None] = lambda: None) -> list[str]:
        """Put a changed seed in the place of the one before, see `Provisioner.apply`; which organisations in use it
        changed. `applied` is called in the moment of the change, before clocks move.

        Raises:
            SeedRefused: it does not go together with what organisations in use are; all is as it was.
            ClockGoesBack, TooMuchDue: see `set_time`, of the first clock that failed; the rest of it was applied.
        """
        if self._provisioner is None:
            if self._make_provisioner is None:
                return []
            self._provisioner = self._make_provisioner()
        if any(d.kind is Kind.WEBHOOK for f in seed.organisation_seeds() for d in f.destinations):
            await self._timers.prepare_calls()
        changes = await self._provisioner.apply(seed)
        applied()
        for change in changes:
            await self._timers.wake(change.organisation, None if change.of_the_worker else ())
        failed: ArklowError | None = None
        for change in changes:
            clock, organisation = change.clock(), change.organisation
            if clock is not None:
                to = clock.moved(self._timers.machine(), self.now(organisation))
                try:
                    await self.set_time(
                        organisation.org_id, frozen=clock.frozen, to=to, real=clock.ahead_ms == 0
                    )
                except ArklowError as error:
                    failed = failed or error
        if failed is not None:
            raise failed
        return [change.organisation.org_id for change in changes]

    async def set_time(
        self, org_id: str, *, frozen: bool = False, to: int | None = None, real: bool = False
    ) -> Organisation:
        """Freeze the clock or let it run, from `to` or from where it is; `real` is from the machine's time. What falls
        due by then is run first.

        Raises:
            ClockGoesBack: the new time is earlier than now, and there are actions.
            TooMuchDue: see `advance`.
        """
        organisation = self._store.organisation(org_id)
        async with self._moving[org_id]:
            machine = self._timers.machine()
            now = organisation.clock.at(machine)
            at = machine if real else now if to is None else to
            if at < now and organisation.action_table.count:
                raise ClockGoesBack(
                    f"body/{'mode' if real else 'now'}: expected a time from {timestamp(now)} on, as organisation "
                    f"{org_id} has actions, got {timestamp(at)}; reset it first"
                )
            mode = "real" if real else "frozen" if frozen else "running"
            organisation.journal.add_command(at, "clock", f"{mode} at {timestamp(at)}")
            await self._pass_to(organisation, now, at, frozen=frozen, real=real)
        return organisation

    async def advance(self, org_id: str, by: int = 0, *, to: int | None = None) -> int:
        """Move the clock forward, by milliseconds or to a time, and run all that falls due on the way, in order and
        each at its own time; returns, when nothing more is due, how many times an action fell due.

        Raises:
            ClockGoesBack: `to` is earlier than now.
            TooMuchDue: as much as may was run, and more is due; the clock is where it was asked to be, and the rest
                runs next, while others are served.
        """
        organisation = self._store.organisation(org_id)
        async with self._moving[org_id]:
            now = self._timers.now(organisation)
            at = now + by if to is None else to
            if at < now:
                raise ClockGoesBack(
                    f"body/to: expected a time from {timestamp(now)} on, where the clock of organisation {org_id} "
                    f"stands, got {timestamp(at)}"
                )
            organisation.journal.add_command(at, "advance", f"{at - now} ms")
            frozen = organisation.clock.frozen_at is not None
            return await self._pass_to(organisation, now, at, frozen=frozen)

    async def set_worker(self, org_id: str, worker: Worker) -> Organisation:
        """Give the worker other scripts, after what was due under the old ones. What waits for capacity is given to
        it, if it has some now.

        Raises:
            TooMuchDue: see `advance`; the scripts are the old ones still.
        """
        organisation = self._store.organisation(org_id)
        await self._settle(organisation)
        organisation.worker = worker
        organisation.journal.add_command(self.now(organisation), "worker", "")
        await self._timers.wake(organisation)
        return organisation

    async def put_destination(
        self,
        org_id: str,
        label: str,
        kind: Kind,
        config: Mapping[str, Any],
        *,
        tags: Mapping[str, str] | None = None,
        credential: Mapping[str, str] | None = None,
    ) -> Destination:
        """Create or replace the destination of a label; its id stays, and what is linked to it stays linked.
        `credential` are headers.

        Raises:
            DestinationRefused: see `destinations.check`.
            TooManyDestinations: the organisation keeps as many as it may.
        """
        check(kind, config, credential or {}, "body")
        if kind is Kind.WEBHOOK:
            await self._timers.prepare_calls()
        organisation = self._store.organisation(org_id)
        old = organisation.registry.destinations.get(label)
        if old is None and len(organisation.registry.destinations) >= MOST_DESTINATIONS:
            raise TooManyDestinations(
                f"body/label: expected one of the {MOST_DESTINATIONS} destinations that organisation {org_id} keeps, "
                f"got {short(label)}; delete one first"
            )
        made = put(
            old,
            label,
            kind,
            config,
            tags=tags,
            credential=tuple(credential.items()) if credential else None,
            new_id=organisation.new_link_id,
            now=self.now(organisation),
        )
        routed = _routed(organisation, label)
        organisation.registry = organisation.registry.with_destination(made)
        organisation.journal.add_command(self.now(organisation), "destination", label)
        await self._timers.wake(organisation, routed)
        return made

    def why_not_called(self, destination: Destination) -> str:
        """Why a webhook is not called; empty for one that is, and where there is nobody to call."""
        return self._timers.why_not_called(destination)

    async def delete_destination(self, org_id: str, id: str) -> Destination:
        """Delete a destination and the links to it; an attempt that is under way there ends there.

        Raises:
            UnknownDestination: the organisation has none of this id.
        """
        organisation = self._store.organisation(org_id)
        registry = organisation.registry
        found = next((known for known in registry.destinations.values() if known.id == id), None)
        if found is None:
            raise UnknownDestination(
                f"path id: expected the id of a destination of organisation {org_id}, got {id}"
            )
        routed = _routed(organisation, found.label)
        organisation.registry = registry.without_destination(found.label)
        organisation.journal.add_command(self.now(organisation), "destination deleted", found.label)
        await self._timers.wake(organisation, routed)
        return found

    async def set_links(
        self, org_id: str, variant: str, labels: Sequence[str], *, default: str | None
    ) -> Definition:
        """Link a definition to the destinations of these labels alone; without a default the first is it.

        Raises:
            UnknownVariant, UnknownDestination: see `Registry.with_links`.
        """
        organisation = self._store.organisation(org_id)
        organisation.registry = organisation.registry.with_links(
            variant, labels, default, organisation.new_link_id
        )
        organisation.journal.add_command(self.now(organisation), "links", variant)
        await self._timers.wake(organisation, {variant})
        return organisation.registry.by_variant[variant]

    def snapshot(self, org_id: str, name: str) -> Organisation:
        """Keep what the organisation is now under a name; its journal and other snapshots are not part of it.

        Raises:
            TooManySnapshots: it keeps as many as it may.
        """
        organisation = self._store.organisation(org_id)
        self._store.snapshot(org_id, name)
        self._entered(organisation, "snapshot", name)
        return organisation

    async def restore(self, org_id: str, name: str) -> Organisation:
        """Make the organisation what it was when the snapshot was taken, its clock and its ids included.

        A running clock goes on as far from the machine's as it was; what fell due meanwhile is run.

        Raises:
            UnknownSnapshot: it has none of this name.
        """
        organisation = self._store.organisation(org_id)
        _refuse_unknown(organisation, name)
        self._timers.give_up(organisation)
        self._store.restore(org_id, name)
        self._entered(organisation, "restore", name)
        await self._become(organisation)
        return organisation

    def forget(self, org_id: str, name: str) -> Organisation:
        """Delete a snapshot.

        Raises:
            UnknownSnapshot: there is none of this name.
        """
        organisation = self._store.organisation(org_id)
        _refuse_unknown(organisation, name)
        self._store.delete_snapshot(org_id, name)
        self._entered(organisation, "forget", name)
        return organisation

    async def fork(self, org_id: str, to: str, name: str | None) -> Organisation:
        """Make organisation `to` what this one is, or was at a snapshot: the same definitions, actions and
        ids; new ids are its own, and its journal begins anew.

        Raises:
            UnknownSnapshot: there is none of this name.
        """
        source, target = self._store.organisation(org_id), self._store.organisation(to)
        if name is not None:
            _refuse_unknown(source, name)
        self._timers.give_up(target)
        self._store.fork(org_id, to, name)
        self._entered(target, "fork", f"of {org_id}" + (f" at {name}" if name else ""))
        await self._become(target)
        return target

    async def end(self, org_id: str, action_id: str, event: Event) -> Action:
        """End an attempt, as if its holder or the passing of time had: `EXPIRE`, `ACK`, `NACK`, `REJECT`,
        `TIME_OUT`, or `CANCEL`, which nobody else can.

        Raises:
            UnknownAction, DroppedAction: see `find`.
            SettleRefused: the attempt is not held, or the action is over.
        """
        organisation = self._store.organisation(org_id)
        action, now = await self._timers.current(
            organisation, lambda: find(organisation, action_id, "path id")
        )
        try:
            after = _ended(action, event, organisation.seed, now)
        except SettleRefused as refused:
            raise type(refused)(f"path id: {refused.message.partition(': ')[2]}") from None
        organisation.journal.add_command(now, "end", f"{action_id} {event}")
        self._timers.save(organisation, (after,), now)
        return organisation.action(action_id) or after

    async def _become(self, organisation: Organisation) -> None:
        """Run what fell due meanwhile, and let those have their turn who wait for a call."""
        await self._timers.settle(organisation, self._most_due)
        if organisation.registry.routes:
            await self._timers.wake(organisation, ())

    async def _settle(self, organisation: Organisation) -> int:
        return self._counted(organisation, await self._timers.settle(organisation, self._most_due + 1))

    async def _pass_to(
        self, organisation: Organisation, now: int, to: int, *, frozen: bool, real: bool = False
    ) -> int:
        """Let time pass, standing still while answers are awaited, and leave the clock at `to`, however it goes on; how
        much fell due."""
        action_table = organisation.action_table
        if organisation.clock.frozen_at is None:
            organisation.clock = OrganisationClock(frozen_at=now)
        try:
            done = await self._timers.pass_to(organisation, to, self._most_due + 1)
        finally:
            if organisation.action_table is action_table:
                if not frozen:
                    machine = self._timers.machine()
                    organisation.clock = (
                        OrganisationClock() if real else OrganisationClock(ahead_ms=to - machine)
                    )
                elif organisation.clock.frozen_at != to:  # back, where there are no actions
                    organisation.clock = OrganisationClock(frozen_at=to)
                self._timers.disarm(organisation)
                self._timers.arm(organisation)
        return self._counted(organisation, done)

    def _counted(self, organisation: Organisation, done: int) -> int:
        if done > self._most_due:
            raise TooMuchDue(
                f"expected at most {self._most_due} actions to fall due in one command, got more: the clock of "
                f"organisation {organisation.org_id} has moved, what is still due runs next, and a reading waits for it"
            )
        return done

    def _entered(self, organisation: Organisation, name: str, details: str) -> None:
        """A command that may have discarded something is told to the journal."""
        organisation.journal.add_command(self.now(organisation), name, details)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_soon(self._sweep)

    def _sweep(self) -> None:
        self._sweeping = self._store.sweep()
        if self._sweeping:
            asyncio.get_running_loop().call_later(0.005, self._sweep)


def _routed(organisation: Organisation, label: str) -> set[str]:
    """The variants whose actions go to a destination."""
    return {variant for variant, to in organisation.registry.routes.items() if to.label == label}


def _ended(action: Action, event: Event, seed: int, now: int) -> Action:
    """After whatever ends the current attempt."""
    match event:
        case Event.EXPIRE:
            return actions.expired(action, now)
        case Event.ACK:
            return actions.acked(action, action.attempt, now)
        case Event.NACK | Event.REJECT:
            retry = event is Event.NACK
            return actions.nacked(action, action.attempt, retry=retry, retry_at=None, seed=seed, now=now)
        case _:
            return actions.ended(action, event, now)


def _refuse_unknown(organisation: Organisation, name: str) -> None:
    if name not in organisation.snapshots:
        known = ", ".join(sorted(organisation.snapshots)) or "none yet"
        raise UnknownSnapshot(
            f"path name: expected a snapshot of organisation {organisation.org_id} ({known}), got {name[:60]!r}"
        )
