"""What an organisation begins with, put into it: on first use, by a reset, and when the seed file has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..domain import actions
from ..domain.actions import Action
from ..domain.clock import OrganisationClock
from ..domain.definitions import Registry, short
from ..domain.destinations import MOST_DESTINATIONS
from ..domain.errors import ArklowError
from ..domain.ports import Organisation, Store
from ..domain.routing import Routing
from ..domain.seeds import (
    ActionPlan,
    ClockPlan,
    ExportedAction,
    OrganisationPlan,
    SeedPlan,
    SeedRefused,
    refused,
)
from ..domain.worker import Worker
from ..timestamps import timestamp
from .timers import Timers

Claim = Callable[[str, int, str], bool]
"""Gives out the end of an organisation's ids; whether it was free."""


class Change(NamedTuple):
    """What a changed seed does to an organisation in use."""

    organisation: Organisation
    old: OrganisationPlan
    new: OrganisationPlan
    added: list[ActionPlan]

    def clock(self) -> ClockPlan | None:
        """Where the clock is to go; None when the file says of it what it said before."""
        return self.new.clock if self.new.clock != self.old.clock else None

    @property
    def of_the_worker(self) -> bool:
        """Whether the file has other scripts than before."""
        return (self.new.default, self.new.scripts) != (self.old.default, self.old.scripts)

    def worker(self) -> Worker | None:
        """The scripts, if the file has others than before."""
        kept, old, new = self.organisation.worker, self.old, self.new
        default = new.default if new.default and new.default != old.default else kept.default
        scripts = {name: script for name, script in new.scripts.items() if script != old.scripts.get(name)}
        worker = Worker(default, {**kept.variants, **scripts})
        return worker if worker != kept else None

    def registry(self, new_definition: Callable[[], str], new_link: Callable[[], str], now: int) -> Registry:
        """The organisation's definitions and destinations with what differs from the seed before, and from what is there.

        Raises:
            SeedRefused: it does not go together with what is there.
        """
        registry = self.organisation.registry
        before = {plan.label: plan for plan in self.old.destinations}
        for destination in self.new.destinations:
            found = registry.destinations.get(destination.label)
            if before.get(destination.label) != destination and not destination.is_there(found):
                registry = registry.with_destination(destination.made(found, new_link, now))
        known = {plan.variant: plan for plan in self.old.definitions}
        named_anew = {
            p.variant for p in self.new.definitions if known.get(p.variant) != p and p.alias is not None
        }
        free = {alias: owner for alias, owner in registry.by_alias.items() if owner not in named_anew}
        registry = replace(registry, by_alias=free)  # what one gives up another may take
        for plan in self.new.definitions:
            if known.get(plan.variant) == plan:
                continue
            try:
                for number, schema in plan.older:
                    registry, _ = registry.put(
                        plan.variant, schema, alias=plan.alias, version=number, new_id=new_definition
                    )
                registry, definition = registry.put(
                    plan.variant, plan.schema, alias=plan.alias, version=plan.version, new_id=new_definition
                )
                links = tuple(link.label for link in definition.links)
                default = next((link.label for link in definition.links if link.is_default), None)
                wanted = plan.default or (plan.labels[0] if plan.labels else None)
                if plan.labels is not None and (links, default) != (plan.labels, wanted):
                    registry = registry.with_links(plan.variant, plan.labels, plan.default, new_link)
            except ArklowError as error:
                raise refused(plan.place, error) from None
        if len(registry.destinations) > MOST_DESTINATIONS:
            raise SeedRefused(
                f"{self.new.place}/destinations",
                f"expected {MOST_DESTINATIONS} destinations that organisation {self.organisation.org_id} keeps at most, "
                f"got {len(registry.destinations)} with those that it has",
            )
        return registry


class Provisioner:
    """Puts into organisations what the seed has for them. Event loop only."""

    def __init__(self, store: Store, timers: Timers, claim: Claim) -> None:
        self._store = store
        self._timers = timers
        self._claim = claim
        self.seed = SeedPlan()
        """What was applied last."""
        self._placed: dict[tuple[str, int], tuple[int, Action, bytes, int]] = {}
        """Place of a plan, number of its first event → when and what was made of it, its history, its last event."""
        store.on_first_use(self.provision)

    def provision(
        self,
        organisation: Organisation,
        *,
        seed: int | None = None,
        time: OrganisationClock | None = None,
        worker: Worker | None = None,
    ) -> None:
        """Put into an organisation that is as new what the seed has for it; what is said here counts more. What is due
        of it runs next."""
        plan = self.seed.of(organisation.org_id)
        if plan.seed is not None and seed is None and plan.seed != organisation.seed:
            self._store.reset(organisation.org_id, plan.seed)
        if plan.ids is not None:
            self._store.continue_ids(organisation.org_id, plan.ids.sequences)
            if seed is not None:
                self._store.reseed(organisation.org_id, seed)
        machine = self._timers.machine()
        organisation.clock = time or (plan.clock.at(machine) if plan.clock else OrganisationClock())
        organisation.worker = worker or plan.worker
        now = self._timers.now(organisation)
        organisation.registry = plan.registry(organisation.new_definition_id, organisation.new_link_id, now)
        for action in plan.actions:
            self._add(organisation, action, now)
        if plan.actions:
            self._timers.provisioned(organisation)

    def _add(self, organisation: Organisation, plan: ActionPlan | ExportedAction, now: int) -> None:
        registry = organisation.registry
        if isinstance(plan, ExportedAction):
            history = self._store.packed(plan.events, plan.accepted_at)
            self._store.place(organisation.org_id, plan.action(registry), history, plan.events[-1].number)
        elif plan.state is None:
            new = actions.accepted(organisation.new_action_id(), plan.work(registry, now))
            recipient = self._timers.recipient(organisation)
            self._timers.add(
                organisation, (new, *actions.dispatched(new, recipient, organisation.seed, now, now))
            )
        else:
            self._place(organisation, plan, now)

    def _place(self, organisation: Organisation, plan: ActionPlan, now: int) -> None:
        """Keep an action in its state. From one template the histories of all organisations have the same bytes, as
        their times count from the acceptance; what was made for one is moved to the others."""
        registry, name = organisation.registry, organisation.new_action_id()
        then, action, history, last = self._made(plan, name, registry, now, organisation.next_event)
        self._store.place(organisation.org_id, plan.moved(action, name, registry, now - then), history, last)

    def _made(
        self, plan: ActionPlan, name: str, registry: Registry, now: int, first: int
    ) -> tuple[int, Action, bytes, int]:
        """When and what was made of a plan whose first event has a number, its history, and its last event's number."""
        known = self._placed.get((plan.place, first)) if plan.is_relative else None
        if known is None:
            action, told = plan.placed(name, registry, now, first)
            known = now, action, self._store.packed(told, action.work.accepted_at), told[-1].number
            if plan.is_relative:
                self._placed[plan.place, first] = known
        return known

    def _warm_up(self, template: OrganisationPlan) -> None:
        """Make what a template's actions have in common, so that the first organisation is as quick as the others."""
        registry, now = template.registry(str, str, 0), self._timers.machine()
        recipient = Routing(template.worker, registry.routes, ())
        first = 1
        for plan in template.actions:
            if isinstance(plan, ExportedAction):
                return
            if plan.state is None:
                new = actions.accepted("", plan.work(registry, now))
                first += 1 + len(actions.dispatched(new, recipient, 0, now, now))
            else:
                first = self._made(plan, "", registry, now, first)[-1] + 1

    async def apply(self, seed: SeedPlan) -> list[Change]:
        """Put a changed seed in the place of the one before: organisations in use get what differs, those that it names
        are made. All of it happens at once, or nothing does; the clocks are left to the caller.

        Raises:
            SeedRefused: it does not go together with what organisations in use are; all is as it was.
        """
        for organisation in self._store.organisations():
            if seed.of(organisation.org_id) != self.seed.of(organisation.org_id):
                await self._timers.settle(organisation)  # what is due is due under the old scripts
        changes = self._changes(seed)  # from here on nothing is awaited
        self.seed = seed
        self._placed.clear()
        self._warm_up(seed.template)
        for change in changes:
            self._change(change)
        for org_id in seed.organisations:
            self._store.organisation(org_id)
        return changes

    def _changes(self, seed: SeedPlan) -> list[Change]:
        changes = []
        for organisation in self._store.organisations():
            old, new = self.seed.of(organisation.org_id), seed.of(organisation.org_id)
            if old != new:
                changes.append(self._examined(organisation, old, new))
        for org_id, plan in seed.organisations.items():
            if plan.ids is not None and not self._claim(
                org_id, plan.seed or 0, plan.ids.sequences.segments[0].suffix
            ):
                raise SeedRefused(
                    f"{plan.ids.place}/lines/0/suffix",
                    f"expected what no other organisation's ids end with, got {plan.ids.sequences.segments[0].suffix!r}",
                )
        return changes

    def _examined(self, organisation: Organisation, old: OrganisationPlan, new: OrganisationPlan) -> Change:
        added = Counter(plan for plan in new.actions if isinstance(plan, ActionPlan))
        added.subtract(plan for plan in old.actions if isinstance(plan, ActionPlan))
        change = Change(organisation, old, new, [])
        registry = change.registry(str, str, 0)
        for plan in reversed(new.actions):
            if isinstance(plan, ActionPlan):
                if added[plan] > 0:
                    added[plan] -= 1
                    change.added.append(plan)
                    if registry.by_alias.get(plan.name, plan.name) not in registry.by_variant:
                        raise SeedRefused(
                            f"{plan.place}/variant",
                            f"expected a definition that organisation {organisation.org_id} has, as it is in use, got "
                            f"{short(plan.name)}, which was not put there or was taken away; reset it first",
                        )
            elif not (organisation.action(plan.id) or organisation.dropped(plan.id)):
                raise SeedRefused(
                    f"{plan.place}/id",
                    f"expected an action that organisation {organisation.org_id} has, as it is in use, got {plan.id}; "
                    "reset it first, or leave the id out",
                )
        change.added.reverse()
        clock, now = change.clock(), self._timers.now(organisation)
        if clock is not None and organisation.action_table.count:
            to = clock.moved(self._timers.machine(), now)
            if to < now:
                raise SeedRefused(
                    clock.place,
                    f"expected a time from {timestamp(now)} on, as organisation {organisation.org_id} has actions, "
                    f"got {timestamp(to)}; reset it first",
                )
        return change

    def _change(self, change: Change) -> None:
        organisation, new = change.organisation, change.new
        now = self._timers.now(organisation)
        if new.seed is not None and new.seed != change.old.seed and new.seed != organisation.seed:
            self._store.reseed(organisation.org_id, new.seed)
        organisation.worker = change.worker() or organisation.worker
        organisation.registry = change.registry(organisation.new_definition_id, organisation.new_link_id, now)
        for plan in change.added:
            self._add(organisation, plan, now)
        organisation.journal.add_command(now, "seed", "")
        self._timers.arm(organisation)
