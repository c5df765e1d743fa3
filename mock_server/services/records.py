"""Reads actions back as records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from ..domain.actions import Action, HistoryEvent
from ..domain.definitions import Definition, Registry
from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.ports import Organisation, Store
from .signals import find
from .timers import SCANNED_AT_A_TIME, Timers


class Record(NamedTuple):
    """An action with its definition as it is now."""

    organisation: Organisation
    action: Action
    definition: Definition
    events: list[HistoryEvent] | None = None
    """The latest events of the action, oldest first; None when they were not asked for."""


class Filter(NamedTuple):
    """Which actions a page lists: those that fit every member that is not empty."""

    statuses: frozenset[str] = frozenset()
    """As the document spells them; it may know some that no action is ever in."""
    variant: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def fits(self, action: Action) -> bool:
        """Return whether an action fits."""
        return (
            (not self.statuses or action.state.status in self.statuses)
            and (not self.variant or action.work.variant == self.variant)
            and all(tag in action.work.tags for tag in self.tags)
        )


class Page(NamedTuple):
    """A part of the actions that fit, and their number."""

    records: list[Record]
    total: int
    """Number of actions that fit, over all pages."""


class Records:
    """The records of organisations, after all that is due."""

    def __init__(self, store: Store, timers: Timers, interpretations: Interpretations = DEFAULTS) -> None:
        self._store = store
        self._timers = timers
        self._interpretations = interpretations

    async def get(self, org_id: str, action_id: str) -> Record:
        """Return one action with its events (B078, B081).

        Raises:
            UnknownAction, DroppedAction: see `find`.
        """
        organisation = self._store.organisation(org_id)
        await self._timers.catch_up(organisation)
        action = find(organisation, action_id, "path id", self._interpretations)
        return _record(organisation, organisation.registry, action)._replace(
            events=organisation.history(action)
        )

    async def page(self, org_id: str, wanted: Filter, *, take: int, skip: int, oldest_first: bool) -> Page:
        """Return at most `take` of the actions that fit, without the first `skip` of them, newest first or else oldest first
        (B015, B016)."""
        organisation = self._store.organisation(org_id)
        await self._timers.catch_up(organisation)
        registry = organisation.registry
        numbers = range(organisation.action_table.oldest, organisation.action_table.end)
        if not oldest_first:
            numbers = numbers[::-1]
        if wanted == Filter():
            found = [organisation.action_table.get(number) for number in numbers[skip : skip + take]]
            count = len(numbers)
        else:
            found, count = await _scan(organisation.action_table.get, numbers, wanted, take, skip)
        records = [_record(organisation, registry, action) for action in found if action is not None]
        return Page(records, count)


async def _scan(
    get: Callable[[int], Action | None], numbers: range, wanted: Filter, take: int, skip: int
) -> tuple[list[Action | None], int]:
    """Look through all actions, between requests. Return those of the page, and the number of all that fit."""
    found: list[Action | None] = []
    count = 0
    for looked_at, number in enumerate(numbers):
        if looked_at % SCANNED_AT_A_TIME == SCANNED_AT_A_TIME - 1:
            await asyncio.sleep(0)
        action = get(number)
        if action is not None and wanted.fits(action):
            if skip <= count < skip + take:
                found.append(action)
            count += 1
    return found, count


def _record(organisation: Organisation, registry: Registry, action: Action) -> Record:
    return Record(organisation, action, registry.by_variant[action.work.variant])
