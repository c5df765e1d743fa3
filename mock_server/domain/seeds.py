"""What organisations begin with, as a seed file says it: frozen plans, and what they become when they are carried out.

Plans are checked when they are made, so that nothing can fail while an organisation is provisioned. `place` says where a plan
stands in its file, as a JSON pointer without its first slash; it does not count when two plans are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from .action_plans import ActionPlan, ExportedAction
from .clock import OrganisationClock
from .definitions import Definition, Registry
from .destinations import Destination, Kind, Link, put
from .errors import ArklowError
from .id_sequences import IdSequences
from .json_text import Json
from .worker import Script, Worker


class SeedRefused(Exception):
    """A seed file asks for something impossible. `place` says where; `text` says what was expected and what came."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(place, text)
        self.place = place
        self.text = text


def refused(place: str, error: ArklowError) -> SeedRefused:
    """Return the domain's refusal of the plan at `place`; the place that its message names is taken as a member there."""
    where, _, text = error.message.partition(": ")
    return SeedRefused(where if where.startswith(place) else place + where.removeprefix("body"), text)


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """What an organisation's clock shows when it begins. Times are milliseconds since the epoch."""

    frozen: bool = False
    now: int | None = None
    """The time that it shows; None for the machine's."""
    ahead_ms: int | None = None
    """Milliseconds that it is ahead of the machine's clock; given instead of `now`."""
    place: str = field(default="", compare=False)

    def at(self, machine: int) -> OrganisationClock:
        """Return the clock that begins while the machine's clock shows `machine` (milliseconds)."""
        if self.ahead_ms is not None:
            return OrganisationClock(ahead_ms=self.ahead_ms)
        now = machine if self.now is None else self.now
        return OrganisationClock(frozen_at=now) if self.frozen else OrganisationClock(ahead_ms=now - machine)

    def target(self, machine: int, now: int) -> int:
        """Return the time, in milliseconds, that a clock in use is moved to.

        It stays at `now`, which it shows, when the plan names no time. `machine` is the machine's time.
        """
        if self.ahead_ms is not None:
            return machine + self.ahead_ms
        return now if self.now is None else self.now


@dataclass(frozen=True, slots=True)
class DestinationPlan:
    """A destination, identified by its label."""

    label: str
    kind: Kind
    config: Mapping[str, Any]
    """What S-def has for its type."""
    tags: Mapping[str, str] | None
    credential: tuple[tuple[str, str], ...] | None
    """Secret headers, (name, value)."""
    place: str = field(default="", compare=False)

    def destination(self, old: Destination | None, new_id: Callable[[], str], now: int) -> Destination:
        """Return the destination, put at `now` (milliseconds); it keeps the id of `old`, the one with its label."""
        return put(
            old,
            self.label,
            self.kind,
            self.config,
            tags=self.tags,
            credential=self.credential,
            new_id=new_id,
            now=now,
        )

    def is_met_by(self, found: Destination | None) -> bool:
        """Return whether a destination is what the plan asks for."""
        return found is not None and self == DestinationPlan(
            found.label,
            found.kind,
            found.config,
            found.tags,
            found.credential.headers if found.credential else None,
        )


@dataclass(frozen=True, slots=True)
class DefinitionPlan:
    """A definition, identified by its variant."""

    variant: str
    schema: Json
    version: int | None = None
    alias: tuple[str, ...] | None = None
    other_versions: tuple[tuple[int, Json], ...] = ()
    """(version, schema) of each version that is not the current one."""
    labels: tuple[str, ...] | None = None
    """Labels of the destinations that it is linked to; None leaves its links alone."""
    default: str | None = None
    """Label of its default destination; None makes the first the default."""
    place: str = field(default="", compare=False)


class DefinitionIds(NamedTuple):
    """The ids of a definition and of its links."""

    id: str
    links: tuple[str, ...]


class DestinationIds(NamedTuple):
    """The ids of a destination and of its credential, and when it was put, in milliseconds since the epoch."""

    id: str
    credential: str
    """Empty without a credential."""
    updated_at: int


@dataclass(frozen=True, slots=True)
class ExportedIds:
    """The ids of an export. With them the organisation has the same ids again, and goes on with the next ones."""

    sequences: IdSequences
    definitions: Mapping[str, DefinitionIds] = field(default_factory=dict)
    """Keyed by variant."""
    destinations: Mapping[str, DestinationIds] = field(default_factory=dict)
    """Keyed by label."""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OrganisationPlan:
    """All that one organisation begins with. None, and what is empty, is as without a seed file."""

    seed: int | None = None
    clock: ClockPlan | None = None
    default: Script | None = None
    """The worker's script for variants without one of their own."""
    scripts: Mapping[str, Script] = field(default_factory=dict)
    """The worker's scripts, keyed by variant."""
    destinations: tuple[DestinationPlan, ...] = ()
    definitions: tuple[DefinitionPlan, ...] = ()
    actions: tuple[ActionPlan | ExportedAction, ...] = ()
    ids: ExportedIds | None = None
    place: str = field(default="", compare=False)

    @property
    def worker(self) -> Worker:
        """The worker that the plan asks for."""
        return Worker(self.default, self.scripts) if self.default else Worker(variants=self.scripts)

    def merged_over(self, template: OrganisationPlan) -> OrganisationPlan:
        """Return the plan with what the template adds.

        Destinations with the same label, and definitions and scripts of the same variant, replace the template's. Actions
        follow the template's. Every other member replaces the template's. An export is complete and takes nothing.
        """
        if self.ids is not None:
            return self
        return replace(
            self,
            seed=template.seed if self.seed is None else self.seed,
            clock=template.clock if self.clock is None else self.clock,
            default=template.default if self.default is None else self.default,
            scripts={**template.scripts, **self.scripts},
            destinations=_merged(template.destinations, self.destinations, lambda plan: plan.label),
            definitions=_merged(template.definitions, self.definitions, lambda plan: plan.variant),
            actions=(*template.actions, *self.actions),
        )

    def registry(self, new_definition: Callable[[], str], new_link: Callable[[], str], now: int) -> Registry:
        """Return its destinations and definitions, put at `now` (milliseconds).

        Ids are given in order: the destinations, then each definition with its links. Those of an export come first.

        Args:
            new_definition: gives the next id of a definition.
            new_link: gives the next id of a destination, a credential or a link.
            now: the organisation's time, in milliseconds since the epoch.
        """
        known = self.ids or ExportedIds(IdSequences(()))
        destinations = {}
        for plan in self.destinations:
            ids = known.destinations.get(plan.label)
            put_at = now if ids is None else ids.updated_at
            destinations[plan.label] = plan.destination(None, _ids_of(ids, new_link), put_at)
        by_variant, by_alias, routes = {}, {}, {}
        for definition in self.definitions:
            definition_ids = known.definitions.get(definition.variant)
            own_id = definition_ids.id if definition_ids else new_definition()
            labels = definition.labels or ()
            default = labels[0] if definition.default is None and labels else definition.default
            new_id = _first(definition_ids.links, new_link) if definition_ids else new_link
            by_variant[definition.variant] = _definition(
                definition, own_id, tuple([Link(new_id(), label, label == default) for label in labels])
            )
            for alias in definition.alias or ():
                by_alias[alias] = definition.variant
            if labels and default is not None:
                routes[definition.variant] = destinations[default]
        return Registry(by_variant, by_alias, destinations, routes)


def _definition(plan: DefinitionPlan, id: str, links: tuple[Link, ...]) -> Definition:
    version = 1 if plan.version is None else plan.version
    versions = {**dict(plan.other_versions), version: plan.schema}
    return Definition(id, plan.variant, version, plan.alias or (), plan.schema, versions, links)


_Plan = TypeVar("_Plan")


def _merged(
    template: tuple[_Plan, ...], own: tuple[_Plan, ...], name: Callable[[_Plan], str]
) -> tuple[_Plan, ...]:
    return tuple(({name(plan): plan for plan in template} | {name(plan): plan for plan in own}).values())


def _ids_of(ids: DestinationIds | None, new_id: Callable[[], str]) -> Callable[[], str]:
    return new_id if ids is None else _first(tuple(filter(None, (ids.id, ids.credential))), new_id)


def _first(ids: tuple[str, ...], new_id: Callable[[], str]) -> Callable[[], str]:
    """Give these ids, one a call, and new ones when they are used up."""
    left = iter(ids)
    return lambda: next(left, None) or new_id()


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """A whole seed file."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """API key → organisation."""
    template: OrganisationPlan = OrganisationPlan()
    """What organisations begin with that the file does not name."""
    organisations: Mapping[str, OrganisationPlan] = field(default_factory=dict)
    """Organisation id → what it begins with, merged over the template."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """The members `keys` and `template` of the file as JSON values, which an export repeats."""

    def plans(self) -> list[OrganisationPlan]:
        """Return the template, then the plans of the organisations that are named."""
        return [self.template, *self.organisations.values()]

    def of(self, org_id: str) -> OrganisationPlan:
        """Return what an organisation begins with."""
        return self.organisations.get(org_id, self.template)
