"""What organisations begin with, as a seed file says it: frozen plans, and what they become at a time.

Plans are checked when they are made, so that nothing can fail when an organisation is provisioned. `place` says where a
plan stands in its file and makes no difference between two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from .actions import (
    NEVER,
    Action,
    HistoryEvent,
    Work,
)
from .clock import OrganisationClock
from .definitions import Definition, Registry
from .destinations import (
    Destination,
    Kind,
    Link,
    put,
)
from .errors import ArklowError
from .id_sequences import IdSequences
from .json_text import Json
from .leases import LEASE, LIFETIME
from .states import (
    FOLLOWS,
    HELD,
    TERMINAL,
    Event,
    State,
)
from .worker import Script, Worker

_TOLD: Final = 5
"""Earlier attempts that the made-up history of an action tells of: all that is kept of one, and more."""


class SeedRefused(Exception):
    """A seed asks for what cannot be. `place` says where, the text what was expected and what came."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(place, text)
        self.place = place
        self.text = text


def refused(place: str, error: ArklowError) -> SeedRefused:
    """What the world refused of the plan at a place; the place of its message stands for a member there."""
    where, _, text = error.message.partition(": ")
    return SeedRefused(where if where.startswith(place) else place + where.removeprefix("body"), text)


class PlannedTime(NamedTuple):
    """A moment, in milliseconds since the epoch, or from the organisation's now."""

    at: int
    absolute: bool = False

    def seen(self, now: int) -> int:
        """The moment when it is now `now`."""
        return self.at if self.absolute else now + self.at


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """Where a clock begins."""

    frozen: bool = False
    now: int | None = None
    """None: where the machine's clock is."""
    ahead_ms: int | None = None
    """How far it is ahead of the machine's, instead of `now`."""
    place: str = field(default="", compare=False)

    def at(self, machine: int) -> OrganisationClock:
        """The clock that begins when the machine's shows `machine`."""
        if self.ahead_ms is not None:
            return OrganisationClock(ahead_ms=self.ahead_ms)
        now = machine if self.now is None else self.now
        return OrganisationClock(frozen_at=now) if self.frozen else OrganisationClock(ahead_ms=now - machine)

    def moved(self, machine: int, now: int) -> int:
        """Where a clock in use, which shows `now`, is to go: where it is, if the plan names no time."""
        if self.ahead_ms is not None:
            return machine + self.ahead_ms
        return now if self.now is None else self.now


@dataclass(frozen=True, slots=True)
class DestinationPlan:
    """A destination, by its label."""

    label: str
    kind: Kind
    config: Mapping[str, Any]
    tags: Mapping[str, str] | None
    credential: tuple[tuple[str, str], ...] | None
    place: str = field(default="", compare=False)

    def made(self, old: Destination | None, new_id: Callable[[], str], now: int) -> Destination:
        """The destination; one that there was keeps its id."""
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

    def is_there(self, found: Destination | None) -> bool:
        """Whether a destination is what the plan asks for."""
        return found is not None and self == DestinationPlan(
            found.label,
            found.kind,
            found.config,
            found.tags,
            found.credential.headers if found.credential else None,
        )


@dataclass(frozen=True, slots=True)
class DefinitionPlan:
    """A definition, by its variant."""

    variant: str
    schema: Json
    version: int | None = None
    alias: tuple[str, ...] | None = None
    older: tuple[tuple[int, Json], ...] = ()
    """Other versions, with their schemas."""
    labels: tuple[str, ...] | None = None
    """Of the destinations that it is linked to; None says nothing of them."""
    default: str | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ExportedAction:
    """An action as an export has it."""

    id: str
    variant: str
    version: int
    payload: bytes
    metadata: bytes
    tags: tuple[tuple[str, str], ...]
    event: Event
    state: State
    attempt: int
    accepted_at: int
    timeout_at: int
    available_at: int
    acts_at: int
    started_at: int
    updated_at: int
    events: tuple[HistoryEvent, ...]
    place: str = field(default="", compare=False)

    def action(self, registry: Registry) -> Action:
        """The action, of a definition that is there."""
        work = Work(
            registry.by_variant[self.variant].id,
            self.variant,
            self.version,
            self.payload,
            self.metadata,
            self.tags,
            self.accepted_at,
            self.timeout_at,
        )
        return Action(
            self.id,
            work,
            self.event,
            self.state,
            self.attempt,
            self.available_at,
            self.acts_at,
            self.started_at,
            self.updated_at,
        )


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """An action that is accepted when the organisation is provisioned, or is in a state then."""

    name: str
    """The variant or an alias of its definition."""
    payload: bytes
    metadata: bytes = b""
    tags: tuple[tuple[str, str], ...] = ()
    version: int | None = None
    state: State | None = None
    """None: it is given to whoever takes it."""
    attempt: int | None = None
    accepted: PlannedTime | None = None
    available: PlannedTime | None = None
    ended: PlannedTime | None = None
    place: str = field(default="", compare=False)

    def work(self, registry: Registry, now: int) -> Work:
        """What is accepted, by a definition that is there."""
        definition = registry.by_variant[registry.by_alias.get(self.name, self.name)]
        return Work(
            definition.id,
            definition.variant,
            definition.available(self.version),
            self.payload,
            self.metadata,
            self.tags,
            now,
            now + LIFETIME,
        )

    def times(self, now: int) -> tuple[int, int, int]:
        """When it was accepted, when it changed last at most, and when its state ends by itself; all within its lifetime."""
        ended = now if self.ended is None else min(now, self.ended.seen(now))
        if self.accepted is None:
            accepted = ended - min(self._attempts * LEASE, LIFETIME - LEASE)
        else:
            accepted = min(ended, self.accepted.seen(now))
        ended = min(ended, accepted + LIFETIME)
        if self.state in TERMINAL:
            return accepted, ended, ended
        available = now + LEASE if self.available is None else self.available.seen(now)
        return accepted, ended, max(accepted, min(available, accepted + LIFETIME))

    @property
    def _attempts(self) -> int:
        """How many attempts ended before the one that it stands in."""
        if self.state is State.QUEUED or self.state is State.DISPATCH_WAIT:
            return 0 if self.attempt is None else self.attempt + 1
        return self.attempt or 0

    @property
    def is_relative(self) -> bool:
        """Whether all its times count from the organisation's now."""
        return not any(when and when.absolute for when in (self.accepted, self.available, self.ended))

    def moved(self, placed: Action, id: str, registry: Registry, by: int) -> Action:
        """What `placed` gave, as it is in another organisation and so much later."""
        return Action(
            id,
            self.work(registry, placed.work.accepted_at + by),
            placed.event,
            placed.state,
            placed.attempt,
            placed.available_at + by,
            NEVER,
            placed.started_at and placed.started_at + by,
            placed.updated_at + by,
        )

    def placed(self, id: str, registry: Registry, now: int, number: int) -> tuple[Action, list[HistoryEvent]]:
        """The action in its state, with a history that could have been: attempts follow each other evenly, and each
        lease but the last ran out. `number` is that of its first event."""
        accepted, changed, available = self.times(now)
        work = self.work(registry, accepted)
        events = [HistoryEvent(number, accepted, Event.ACCEPT, State.QUEUED, 0, accepted)]
        before, state = self._attempts, self.state or State.QUEUED
        begins = [accepted + (changed - accepted) * n // (before + 1) for n in range(before + 1)]
        begins.append(changed)

        def tell(event: Event, attempt: int, at: int, until: int) -> None:
            last = events[-1]
            after = FOLLOWS[last.state][event]
            events.append(HistoryEvent(last.number + 1, at, event, after, attempt, until))

        for attempt in range(max(0, before - _TOLD), before):
            tell(Event.DELIVER, attempt, begins[attempt], begins[attempt + 1])
            tell(Event.HAND_OFF, attempt, begins[attempt], begins[attempt + 1])
            tell(Event.EXPIRE, attempt, begins[attempt + 1], begins[attempt + 1])
        if state is State.DISPATCH_WAIT:
            tell(Event.WAIT, max(0, before - 1), begins[before], begins[before])
        elif state is not State.QUEUED:
            began = begins[before]
            if not (state is State.CANCELED and self.attempt is None):
                tell(Event.DELIVER, before, began, available)
                if state is State.ACK_WAIT:
                    tell(Event.HAND_OFF, before, began, available)
            ending = _ENDINGS.get(state)
            if ending is not None:
                tell(ending, before, began if state in HELD else changed, available)
        last = events[-1]
        started = begins[0] if last.attempt or any(e.kind is Event.DELIVER for e in events) else 0
        action = Action(
            id, work, last.kind, last.state, last.attempt, last.available_at, NEVER, started, last.at
        )
        return action, events


_ENDINGS: Final = {
    State.SCHEDULED: Event.SCHEDULE,
    State.RETRYING: Event.NACK,
    State.DEFERRED: Event.DEFER,
    State.SUCCEEDED: Event.ACK,
    State.FAILED: Event.REJECT,
    State.CANCELED: Event.CANCEL,
}
"""What ended the last attempt of an action in a state."""


class DefinitionIds(NamedTuple):
    """The ids of a definition and of its links."""

    id: str
    links: tuple[str, ...]


class DestinationIds(NamedTuple):
    """The ids of a destination and of its credential, and when it was put."""

    id: str
    credential: str
    updated_at: int


@dataclass(frozen=True, slots=True)
class ExportedIds:
    """The ids of an export: with them an organisation is the very same again."""

    sequences: IdSequences
    definitions: Mapping[str, DefinitionIds] = field(default_factory=dict)
    """By variant."""
    destinations: Mapping[str, DestinationIds] = field(default_factory=dict)
    """By label."""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OrganisationPlan:
    """All that one organisation begins with; None and nothing are what it has without a seed."""

    seed: int | None = None
    clock: ClockPlan | None = None
    default: Script | None = None
    """The worker's script for variants without one of their own."""
    scripts: Mapping[str, Script] = field(default_factory=dict)
    destinations: tuple[DestinationPlan, ...] = ()
    definitions: tuple[DefinitionPlan, ...] = ()
    actions: tuple[ActionPlan | ExportedAction, ...] = ()
    ids: ExportedIds | None = None
    place: str = field(default="", compare=False)

    @property
    def worker(self) -> Worker:
        """The worker that it asks for."""
        return Worker(self.default, self.scripts) if self.default else Worker(variants=self.scripts)

    def over(self, template: OrganisationPlan) -> OrganisationPlan:
        """With what the template has beside it: destinations by label, definitions by variant and scripts by variant
        replace those of the template, actions follow its actions, and every other member replaces the template's. An
        export is whole by itself."""
        if self.ids is not None:
            return self
        return replace(
            self,
            seed=template.seed if self.seed is None else self.seed,
            clock=template.clock if self.clock is None else self.clock,
            default=template.default if self.default is None else self.default,
            scripts={**template.scripts, **self.scripts},
            destinations=_joined(template.destinations, self.destinations, lambda plan: plan.label),
            definitions=_joined(template.definitions, self.definitions, lambda plan: plan.variant),
            actions=(*template.actions, *self.actions),
        )

    def registry(self, new_definition: Callable[[], str], new_link: Callable[[], str], now: int) -> Registry:
        """Its destinations, then its definitions, each with its links: ids as if they were put in this order."""
        known = self.ids or ExportedIds(IdSequences(()))
        destinations = {}
        for destination in self.destinations:
            ids = known.destinations.get(destination.label)
            made = destination.made(None, _of(ids, new_link), now if ids is None else ids.updated_at)
            destinations[destination.label] = made
        by_variant, by_alias, routes = {}, {}, {}
        for plan in self.definitions:
            given = known.definitions.get(plan.variant)
            version = 1 if plan.version is None else plan.version
            name = given.id if given else new_definition()
            labels = plan.labels or ()
            default = labels[0] if plan.default is None and labels else plan.default
            new = _next(given.links, new_link) if given else new_link
            links = tuple([Link(new(), label, label == default) for label in labels])
            versions = {**dict(plan.older), version: plan.schema}
            by_variant[plan.variant] = Definition(
                name, plan.variant, version, plan.alias or (), plan.schema, versions, links
            )
            for alias in plan.alias or ():
                by_alias[alias] = plan.variant
            if labels and default is not None:
                routes[plan.variant] = destinations[default]
        return Registry(by_variant, by_alias, destinations, routes)


def _joined(template: tuple[Any, ...], own: tuple[Any, ...], name: Callable[[Any], str]) -> tuple[Any, ...]:
    return tuple(({name(plan): plan for plan in template} | {name(plan): plan for plan in own}).values())


def _of(ids: DestinationIds | None, new_id: Callable[[], str]) -> Callable[[], str]:
    return new_id if ids is None else _next(tuple(filter(None, (ids.id, ids.credential))), new_id)


def _next(ids: tuple[str, ...], new_id: Callable[[], str]) -> Callable[[], str]:
    """Gives these ids, then new ones."""
    left = iter(ids)
    return lambda: next(left, None) or new_id()


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """A whole seed file. `given` is its own text as a value, which an export passes on."""

    keys: Mapping[str, str] = field(default_factory=dict)
    template: OrganisationPlan = OrganisationPlan()
    organisations: Mapping[str, OrganisationPlan] = field(default_factory=dict)
    """Those that are named, each over the template."""
    given: Mapping[str, Any] = field(default_factory=dict)

    def organisation_seeds(self) -> list[OrganisationPlan]:
        """The template's, and those of the organisations that are named."""
        return [self.template, *self.organisations.values()]

    def of(self, org_id: str) -> OrganisationPlan:
        """What an organisation begins with."""
        return self.organisations.get(org_id, self.template)
