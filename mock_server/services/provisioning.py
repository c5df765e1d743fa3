"""Puts into organisations what the seed file has for them: on first use, after a reset, and when the file has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..domain import actions
from ..domain.action_plans import ActionPlan, ExportedAction
from ..domain.actions import Action
from ..domain.clock import OrganisationClock
from ..domain.definitions import Registry, quoted
from ..domain.destinations import MOST_DESTINATIONS
from ..domain.errors import ArklowError
from ..domain.ports import Organisation, Store
from ..domain.routing import Routing
from ..domain.seeds import ClockPlan, DefinitionPlan, OrganisationPlan, SeedPlan, SeedRefused, refused
from ..domain.worker import Worker
from ..timestamps import timestamp
from .timers import Timers

Claim = Callable[[str, int, str], bool]
"""(organisation, seed, suffix) → whether the suffix was free and belongs to the organisation's ids now."""


class PlanChange(NamedTuple):
    """What a changed seed file does to an organisation in use."""

    organisation: Organisation
    old: OrganisationPlan
    new: OrganisationPlan
    added: list[ActionPlan]
    """Actions that the new plan has and the old one has not."""

    def clock(self) -> ClockPlan | None:
        """Return the plan of the clock if it differs from before, else None."""
        return self.new.clock if self.new.clock != self.old.clock else None

    @property
    def changes_worker(self) -> bool:
        """Whether the file has other scripts than before."""
        return (self.new.default, self.new.scripts) != (self.old.default, self.old.scripts)

    def worker(self) -> Worker | None:
        """Return the worker with the scripts that differ from before, None when it stays as it is."""
        current, old, new = self.organisation.worker, self.old, self.new
        default = new.default if new.default and new.default != old.default else current.default
        scripts = {name: script for name, script in new.scripts.items() if script != old.scripts.get(name)}
        worker = Worker(default, {**current.variants, **scripts})
        return worker if worker != current else None

    def registry(self, new_definition: Callable[[], str], new_link: Callable[[], str], now: int) -> Registry:
        """Return the organisation's registry with the plans that differ from before and from what is there.

        Args:
            new_definition: gives the next id of a definition.
            new_link: gives the next id of a destination, a credential or a link.
            now: the organisation's time, in milliseconds since the epoch.

        Raises:
            SeedRefused: a plan contradicts what is there.
        """
        registry = self.organisation.registry
        before = {plan.label: plan for plan in self.old.destinations}
        for destination in self.new.destinations:
            found = registry.destinations.get(destination.label)
            if before.get(destination.label) != destination and not destination.is_met_by(found):
                registry = registry.with_destination(destination.destination(found, new_link, now))
        known = {plan.variant: plan for plan in self.old.definitions}
        changed = [plan for plan in self.new.definitions if known.get(plan.variant) != plan]
        renamed = {plan.variant for plan in changed if plan.alias is not None}
        # an alias that one changed definition gives up may go to another
        kept = {alias: owner for alias, owner in registry.by_alias.items() if owner not in renamed}
        registry = replace(registry, by_alias=kept)
        for plan in changed:
            try:
                registry = _with_definition(registry, plan, new_definition, new_link)
            except ArklowError as error:
                raise refused(plan.place, error) from None
        if len(registry.destinations) > MOST_DESTINATIONS:
            raise SeedRefused(
                f"{self.new.place}/destinations",
                f"expected {MOST_DESTINATIONS} destinations that organisation {self.organisation.org_id} keeps at most, "
                f"got {len(registry.destinations)} with those that it has",
            )
        return registry


def _with_definition(
    registry: Registry, plan: DefinitionPlan, new_definition: Callable[[], str], new_link: Callable[[], str]
) -> Registry:
    """The registry with all versions of a definition, and its links if the plan has some.

    Raises:
        ArklowError: the plan contradicts the registry.
    """
    for number, schema in plan.other_versions:
        registry, _ = registry.put(
            plan.variant, schema, alias=plan.alias, version=number, new_id=new_definition
        )
    registry, definition = registry.put(
        plan.variant, plan.schema, alias=plan.alias, version=plan.version, new_id=new_definition
    )
    labels = tuple(link.label for link in definition.links)
    default = next((link.label for link in definition.links if link.is_default), None)
    wanted = plan.default or (plan.labels[0] if plan.labels else None)
    if plan.labels is not None and (labels, default) != (plan.labels, wanted):
        registry = registry.with_links(plan.variant, plan.labels, plan.default, new_link)
    return registry


class _Placed(NamedTuple):
    """An action in its planned state, as it was placed for the first organisation."""

    at: int
    """The organisation's time then, in milliseconds since the epoch."""
    action: Action
    history: bytes
    last_event: int
    """The number of its last event."""


class Provisioner:
    """Carries out the plans of the seed file. Event loop only."""

    def __init__(self, store: Store, timers: Timers, claim: Claim) -> None:
        self._store = store
        self._timers = timers
        self._claim = claim
        self.seed_plan = SeedPlan()
        """The plan that was applied last."""
        self._placed: dict[tuple[str, int], _Placed] = {}
        """(place of a plan, number of its first event) → the action that it became."""
        store.on_first_use(self.provision)

    def provision(
        self,
        organisation: Organisation,
        *,
        seed: int | None = None,
        clock: OrganisationClock | None = None,
        worker: Worker | None = None,
    ) -> None:
        """Put into a fresh organisation what the seed file has for it; what is due of it runs next.

        `seed`, `clock` and `worker` count more than the file.
        """
        org_id = organisation.org_id
        plan = self.seed_plan.of(org_id)
        if plan.seed is not None and seed is None and plan.seed != organisation.seed:
            self._store.reset(org_id, plan.seed)
        if plan.ids is not None:
            self._store.continue_ids(org_id, plan.ids.sequences)
            if seed is not None:
                self._store.reseed(org_id, seed)
        machine = self._timers.machine_now()
        organisation.clock = clock or (plan.clock.at(machine) if plan.clock else OrganisationClock())
        organisation.worker = worker or plan.worker
        now = self._timers.now(organisation)
        organisation.registry = plan.registry(organisation.new_definition_id, organisation.new_link_id, now)
        for action in plan.actions:
            self._add(organisation, action, now)
        if plan.actions:
            self._timers.start(organisation)

    def _add(self, organisation: Organisation, plan: ActionPlan | ExportedAction, now: int) -> None:
        registry = organisation.registry
        if isinstance(plan, ExportedAction):
            history = self._store.packed(plan.events, plan.accepted_at)
            action = plan.action(registry)
            self._store.place(organisation.org_id, action, history, plan.events[-1].number)
        elif plan.state is None:
            new = actions.accepted(organisation.new_action_id(), plan.work(registry, now))
            recipient = self._timers.recipient(organisation)
            self._timers.add(
                organisation, (new, *actions.dispatched(new, recipient, organisation.seed, now, now))
            )
        else:
            self._place(organisation, plan, now)

    def _place(self, organisation: Organisation, plan: ActionPlan, now: int) -> None:
        """Keep an action in its planned state.

        The histories that one template gives have the same bytes in all organisations, as their times count from the
        acceptance; so what was made for the first organisation is shifted for the others.
        """
        registry, action_id = organisation.registry, organisation.new_action_id()
        placed = self._placed_action(plan, action_id, registry, now, organisation.next_event)
        action = plan.shifted(placed.action, action_id, registry, now - placed.at)
        self._store.place(organisation.org_id, action, placed.history, placed.last_event)

    def _placed_action(
        self, plan: ActionPlan, id: str, registry: Registry, now: int, first_event: int
    ) -> _Placed:
        """The action that a plan becomes when its first event has this number; made once for plans with relative times."""
        known = self._placed.get((plan.place, first_event)) if plan.is_relative else None
        if known is None:
            action, events = plan.place_at(id, registry, now, first_event)
            history = self._store.packed(events, action.work.accepted_at)
            known = _Placed(now, action, history, events[-1].number)
            if plan.is_relative:
                self._placed[plan.place, first_event] = known
        return known

    def _warm_up(self, template: OrganisationPlan) -> None:
        """Make what a template's actions have in common, so that the first organisation is as quick as the others."""
        registry, now = template.registry(str, str, 0), self._timers.machine_now()
        recipient = Routing(template.worker, registry.routes, ())
        first_event = 1
        for plan in template.actions:
            if isinstance(plan, ExportedAction):
                return
            if plan.state is None:
                new = actions.accepted("", plan.work(registry, now))
                first_event += 1 + len(actions.dispatched(new, recipient, 0, now, now))
            else:
                first_event = self._placed_action(plan, "", registry, now, first_event).last_event + 1

    async def apply(self, plan: SeedPlan) -> list[PlanChange]:
        """Replace the plan that was applied last: organisations in use get what differs, those that it names are made.

        All of it happens at once, or nothing does. Clocks are left to the caller.

        Returns:
            What changed, for each organisation in use that changed.

        Raises:
            SeedRefused: the plan contradicts what organisations in use are; all is as it was.
        """
        for organisation in self._store.organisations():
            if plan.of(organisation.org_id) != self.seed_plan.of(organisation.org_id):
                await self._timers.catch_up(organisation)  # what is due is due under the old scripts
        changes = self._changes(plan)  # from here on nothing is awaited
        self.seed_plan = plan
        self._placed.clear()
        self._warm_up(plan.template)
        for change in changes:
            self._carry_out(change)
        for org_id in plan.organisations:
            self._store.organisation(org_id)
        return changes

    def _changes(self, plan: SeedPlan) -> list[PlanChange]:
        """What the plan does to organisations in use.

        Raises:
            SeedRefused: the plan contradicts what they are.
        """
        changes = []
        for organisation in self._store.organisations():
            old, new = self.seed_plan.of(organisation.org_id), plan.of(organisation.org_id)
            if old != new:
                changes.append(self._change(organisation, old, new))
        for org_id, one in plan.organisations.items():
            if one.ids is None:
                continue
            suffix = one.ids.sequences.segments[0].suffix
            if not self._claim(org_id, one.seed or 0, suffix):
                raise SeedRefused(
                    f"{one.ids.place}/lines/0/suffix",
                    f"expected what no other organisation's ids end with, got {suffix!r}",
                )
        return changes

    def _change(self, organisation: Organisation, old: OrganisationPlan, new: OrganisationPlan) -> PlanChange:
        added = Counter(plan for plan in new.actions if isinstance(plan, ActionPlan))
        added.subtract(plan for plan in old.actions if isinstance(plan, ActionPlan))
        change = PlanChange(organisation, old, new, [])
        registry = change.registry(str, str, 0)
        for plan in reversed(new.actions):
            if isinstance(plan, ExportedAction):
                _refuse_new_export(organisation, plan)
            elif added[plan] > 0:
                added[plan] -= 1
                change.added.append(plan)
                _refuse_without_definition(organisation, registry, plan)
        change.added.reverse()
        self._refuse_clock_back(change)
        return change

    def _refuse_clock_back(self, change: PlanChange) -> None:
        clock, organisation = change.clock(), change.organisation
        if clock is None or not organisation.action_table.count:
            return
        now = self._timers.now(organisation)
        to = clock.target(self._timers.machine_now(), now)
        if to < now:
            raise SeedRefused(
                clock.place,
                f"expected a time from {timestamp(now)} on, as organisation {organisation.org_id} has actions, "
                f"got {timestamp(to)}; reset it first",
            )

    def _carry_out(self, change: PlanChange) -> None:
        organisation, new = change.organisation, change.new
        now = self._timers.now(organisation)
        if new.seed is not None and new.seed != change.old.seed and new.seed != organisation.seed:
            self._store.reseed(organisation.org_id, new.seed)
        organisation.worker = change.worker() or organisation.worker
        organisation.registry = change.registry(organisation.new_definition_id, organisation.new_link_id, now)
        for plan in change.added:
            self._add(organisation, plan, now)
        organisation.journal.add_command(now, "seed", "")
        self._timers.set_alarm(organisation)


def _refuse_without_definition(organisation: Organisation, registry: Registry, plan: ActionPlan) -> None:
    if registry.by_alias.get(plan.name, plan.name) not in registry.by_variant:
        raise SeedRefused(
            f"{plan.place}/variant",
            f"expected a definition that organisation {organisation.org_id} has, as it is in use, got "
            f"{quoted(plan.name)}, which was not put there or was taken away; reset it first",
        )


def _refuse_new_export(organisation: Organisation, plan: ExportedAction) -> None:
    """Check that the organisation, which is in use, has or had the exported action."""
    if not (organisation.action(plan.id) or organisation.dropped(plan.id)):
        raise SeedRefused(
            f"{plan.place}/id",
            f"expected an action that organisation {organisation.org_id} has, as it is in use, got {plan.id}; "
            "reset it first, or leave the id out",
        )
