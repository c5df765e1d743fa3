"""Read actions back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from ..domain.actions import Action, HistoryEvent
from ..domain.definitions import Definition, Registry
from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.ports import Organisation, Store
from .signals import find
from .timers import SCANNED, Timers


class Record(NamedTuple):
    """An action with the definition it was accepted under."""

    organisation: Organisation
    action: Action
    definition: Definition
    events: list[HistoryEvent] | None = None
    """The latest ones; None where they were not asked for."""


class Filter(NamedTuple):
    """Which actions are meant; each member that is not empty has to fit."""

    statuses: frozenset[str] = frozenset()
    """As the document spells them, which may have some that no action is ever in."""
    variant: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def fits(self, action: Action) -> bool:
        """Whether the action is meant."""
        return (
            (not self.statuses or action.state.status in self.statuses)
            and (not self.variant or action.work.variant == self.variant)
            and all(tag in action.work.tags for tag in self.tags)
        )


class Page(NamedTuple):
    """Some of the actions that are meant, and how many there are in all."""

    records: list[Record]
    total: int


class Records:
    """The actions of an organisation as its clock shows them now."""

    def __init__(self, store: Store, timers: Timers, interpretations: Interpretations = DEFAULTS) -> None:
        self._store = store
        self._timers = timers
        self._interpretations = interpretations

    async def get(self, org_id: str, action_id: str) -> Record:
        """One action with its events (B078, B081).

        Raises:
            UnknownAction, DroppedAction: see `find`.
        """
        organisation = self._store.organisation(org_id)
        await self._timers.settle(organisation)
        action = find(organisation, action_id, "path id", self._interpretations)
        return _record(organisation, organisation.registry, action)._replace(
            events=organisation.history(action)
        )

    async def page(self, org_id: str, wanted: Filter, *, take: int, skip: int, oldest_first: bool) -> Page:
        """`take` of the actions after the first `skip`, newest first unless asked otherwise (B015, B016)."""
        organisation = self._store.organisation(org_id)
        await self._timers.settle(organisation)
        registry = organisation.registry
        numbers = range(organisation.action_table.oldest, organisation.action_table.end)
        if not oldest_first:
            numbers = numbers[::-1]
        if wanted == Filter():
            found = [organisation.action_table.get(number) for number in numbers[skip : skip + take]]
            count = len(numbers)
        else:
            found, count = await _sought(organisation.action_table.get, numbers, wanted, take, skip)
        records = [_record(organisation, registry, action) for action in found if action is not None]
        return Page(records, count)


async def _sought(
    get: Callable[[int], Action | None], numbers: range, wanted: Filter, take: int, skip: int
) -> tuple[list[Action | None], int]:
    found: list[Action | None] = []
    count = 0
    for looked_at, number in enumerate(numbers):
        if looked_at % SCANNED == SCANNED - 1:
            await asyncio.sleep(0)
        action = get(number)
        if action is not None and wanted.fits(action):
            if skip <= count < skip + take:
                found.append(action)
            count += 1
    return found, count


def _record(organisation: Organisation, registry: Registry, action: Action) -> Record:
    return Record(organisation, action, registry.by_variant[action.work.variant])
