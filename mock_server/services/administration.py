"""Commands of the admin plane on whole organisations; those on one part of them are `clock`, `snapshots` and `destinations`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ..domain import actions
from ..domain.actions import Action
from ..domain.clock import OrganisationClock
from ..domain.destinations import Kind
from ..domain.errors import ArklowError, SettleRefused, UnknownOrganisation
from ..domain.ports import Organisation, Store
from ..domain.states import Event
from ..domain.worker import Worker
from .clock_control import MOST_DUE, ClockControl
from .destinations import Destinations
from .signals import find
from .snapshots import Snapshots
from .sweeper import Sweeper
from .timers import Timers

if TYPE_CHECKING:
    from ..domain.seeds import SeedPlan
    from .provisioning import Provisioner


class Administration:
    """All commands of the admin plane but those on injected faults. Event loop only; each is entered in the journal."""

    def __init__(
        self,
        store: Store,
        timers: Timers,
        *,
        most_due: int = MOST_DUE,
        provisioner: Callable[[], Provisioner] | None = None,
    ) -> None:
        """Make the commands.

        Args:
            store: the organisations.
            timers: what runs when it falls due.
            most_due: actions that may fall due in one command.
            provisioner: makes the provisioner when there is a seed file to apply, as other starts need not load it.
        """
        self._make_provisioner = provisioner
        self._provisioner: Provisioner | None = None
        """None until a seed file is applied."""
        self._store = store
        self._timers = timers
        self._sweeper = Sweeper(store)
        self.clock = ClockControl(store, timers, most_due)
        self.destinations = Destinations(store, timers)
        self.snapshots = Snapshots(store, timers, self._sweeper, most_due)

    def organisations(self) -> Sequence[Organisation]:
        """Return all organisations in use, in the order of their first use."""
        return self._store.organisations()

    def organisation(self, org_id: str) -> Organisation:
        """Return an organisation, made on first use."""
        return self._store.organisation(org_id)

    def now(self, organisation: Organisation) -> int:
        """Return the organisation's time in milliseconds since the epoch."""
        return self._timers.now(organisation)

    async def reset(
        self,
        org_id: str,
        *,
        seed: int | None = None,
        frozen: bool = False,
        to: int | None = None,
        worker: Worker | None = None,
        clock_given: bool = False,
        provision: bool = True,
    ) -> Organisation:
        """Make the organisation as new: no definitions, no actions, an empty journal, ids from the first. Snapshots stay.

        Args:
            org_id: the organisation's id.
            seed: its seed; None for that of the seed file, or the mock's.
            frozen: whether its clock is frozen, instead of running.
            to: the time that its clock shows, in milliseconds since the epoch; None for the machine's time.
            worker: its worker; None for one that holds every attempt.
            clock_given: whether its clock is the one that `frozen` and `to` describe even when both are defaults.
            provision: whether it gets what the seed file has for it. The other arguments count more than the file.
        """
        organisation = self._store.organisation(org_id)
        self._timers.stop(organisation)
        planned = self._provisioner.seed_plan.of(org_id).seed if self._provisioner and provision else None
        self._store.reset(org_id, planned if seed is None else seed)
        if worker is not None:
            organisation.worker = worker
        machine = self._timers.machine_now()
        at = machine if to is None else to
        organisation.clock = (
            OrganisationClock(frozen_at=at) if frozen else OrganisationClock(ahead_ms=at - machine)
        )
        self._enter(organisation, "reset", "" if seed is None else f"seed {seed}")
        if self._provisioner and provision:
            asked = organisation.clock if clock_given or frozen or to is not None else None
            self._provisioner.provision(organisation, seed=seed, clock=asked, worker=worker)
        return organisation

    async def discard(self, org_ids: Sequence[str]) -> list[Organisation]:
        """Empty those of these organisations that are in use: no snapshots, and nothing that the seed file has for them.

        Return the ones that were emptied.
        """
        used = {organisation.org_id: organisation for organisation in self._store.organisations()}
        found = [used[org_id] for org_id in dict.fromkeys(org_ids) if org_id in used]
        for organisation in found:
            for name in list(organisation.snapshots):
                self._store.delete_snapshot(organisation.org_id, name)
            await self.reset(organisation.org_id, provision=False)
        return found

    def seed_plan(self) -> SeedPlan:
        """Return the plan of the seed file that was applied last; an empty one before the first."""
        from ..domain.seeds import SeedPlan  # a start without a seed file need not load it

        return self._provisioner.seed_plan if self._provisioner else SeedPlan()

    async def views(self, org_ids: Sequence[str]) -> list[Organisation]:
        """Return copies of these organisations, or of all in use, as they are at one moment, after all that is due.

        Raises:
            UnknownOrganisation: one of them is not in use.
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
            await self._timers.catch_up(organisation)
        return [self._store.view(organisation.org_id) for organisation in found]

    async def apply_seed_plan(
        self, plan: SeedPlan, on_change: Callable[[], None] = lambda: None
    ) -> list[str]:
        """Replace the plan that was applied last, as `Provisioner.apply` does, then move the clocks that the plan moves.

        `on_change` is called in the moment of the change, before clocks move.

        Returns:
            The ids of the organisations in use that changed.

        Raises:
            SeedRefused: the plan contradicts what organisations in use are; all is as it was.
            ClockGoesBack, TooMuchDue: see `ClockControl.set`, of the first clock that failed; the rest was applied.
        """
        if self._provisioner is None:
            if self._make_provisioner is None:
                return []
            self._provisioner = self._make_provisioner()
        if any(d.kind is Kind.WEBHOOK for one in plan.plans() for d in one.destinations):
            await self._timers.prepare_calls()
        changes = await self._provisioner.apply(plan)
        on_change()
        for change in changes:
            await self._timers.offer_waiting(change.organisation, None if change.changes_worker else ())
        failed: ArklowError | None = None
        for change in changes:
            clock, organisation = change.clock(), change.organisation
            if clock is not None:
                to = clock.target(self._timers.machine_now(), self.now(organisation))
                try:
                    await self.clock.set(
                        organisation.org_id, frozen=clock.frozen, to=to, real=clock.ahead_ms == 0
                    )
                except ArklowError as error:
                    failed = failed or error
        if failed is not None:
            raise failed
        return [change.organisation.org_id for change in changes]

    async def set_worker(self, org_id: str, worker: Worker) -> Organisation:
        """Replace the worker, after all that was due under the old one.

        The new worker gets what waits for capacity, if it has some.

        Raises:
            TooMuchDue: see `ClockControl.catch_up`; the worker is still the old one.
        """
        organisation = self._store.organisation(org_id)
        await self.clock.catch_up(organisation)
        organisation.worker = worker
        organisation.journal.add_command(self.now(organisation), "worker", "")
        await self._timers.offer_waiting(organisation)
        return organisation

    async def end_attempt(self, org_id: str, action_id: str, event: Event) -> Action:
        """End the current attempt of an action, or the action itself, and return the action.

        `EXPIRE`, `ACK`, `NACK`, `REJECT` and `TIME_OUT` do what the holder or time would; `CANCEL` has no other source here.

        Raises:
            UnknownAction, DroppedAction: see `find`.
            SettleRefused: no attempt is held, or the action has ended.
        """
        organisation = self._store.organisation(org_id)
        action, now = await self._timers.current_action(
            organisation, lambda: find(organisation, action_id, "path id")
        )
        try:
            after = _ended(action, event, organisation.seed, now)
        except SettleRefused as refused:
            raise type(refused)(f"path id: {refused.message.partition(': ')[2]}") from None
        organisation.journal.add_command(now, "end", f"{action_id} {event}")
        self._timers.save(organisation, (after,), now)
        return organisation.action(action_id) or after

    def _enter(self, organisation: Organisation, name: str, details: str) -> None:
        """Enter a command in the journal, and free what it discarded."""
        organisation.journal.add_command(self.now(organisation), name, details)
        self._sweeper.start()


def _ended(action: Action, event: Event, seed: int, now: int) -> Action:
    """The action after an event that ends its current attempt, or the action."""
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
