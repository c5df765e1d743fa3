"""Exports organisations as a seed file: a mock that starts with it goes on where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import orjson

from ..domain.actions import NEVER, Action
from ..domain.clock import OrganisationClock
from ..domain.definitions import Definition
from ..domain.destinations import Destination
from ..domain.id_sequences import IdSequences
from ..domain.ports import Organisation
from ..domain.seeds import SeedPlan
from ..timestamps import timestamp
from . import scripts

_ACTIONS_AT_A_TIME: Final = 200
"""Actions that are written before requests get their turn: some two milliseconds."""


async def export_seed(
    plan: SeedPlan, views: Sequence[Organisation], org_ids: Sequence[str]
) -> dict[str, Any]:
    """Return the members of a seed file with these organisations, and the keys and the template of `plan`.

    JSON texts that the mock keeps are `orjson.Fragment`s.

    Args:
        plan: the plan that was applied last.
        views: copies of the organisations, which do not change meanwhile.
        org_ids: the organisations that were asked for; only their keys are written. Empty for all.
    """
    keys = {
        key: given
        for key, given in plan.source.get("keys", {}).items()
        if not org_ids or plan.keys[key] in org_ids
    }
    members = {"keys": keys} if keys else {}
    if "template" in plan.source:
        members["template"] = plan.source["template"]
    members["organisations"] = {view.org_id: await _organisation(view) for view in views}
    return members


async def _organisation(view: Organisation) -> dict[str, Any]:
    registry = view.registry
    destinations, definitions = registry.destinations.values(), registry.by_variant.values()
    actions = []
    for number, action in enumerate(view.actions()):
        if number % _ACTIONS_AT_A_TIME == _ACTIONS_AT_A_TIME - 1:
            await asyncio.sleep(0)
        actions.append(_action(view, action))
    members: dict[str, Any] = {
        "seed": view.seed,
        "clock": _clock(view.clock),
        "worker": scripts.to_json(view.worker),
        "destinations": [_destination(destination) for destination in destinations],
        "definitions": [_definition(definition) for definition in definitions],
        "actions": actions,
    }
    ids: dict[str, Any] = _sequences(view.id_sequences()) | {
        "destinations": {destination.label: _destination_ids(destination) for destination in destinations},
        "definitions": {definition.variant: _definition_ids(definition) for definition in definitions},
    }
    return {name: value for name, value in members.items() if value != []} | {
        "ids": {name: value for name, value in ids.items() if value}
    }


def _clock(clock: OrganisationClock) -> dict[str, Any]:
    if clock.frozen_at is not None:
        return {"mode": "frozen", "now": timestamp(clock.frozen_at)}
    return {"mode": "running", "ahead_ms": clock.ahead_ms} if clock.ahead_ms else {"mode": "real"}


def _sequences(sequences: IdSequences) -> dict[str, Any]:
    return {
        "lines": [
            {"suffix": segment.suffix, "actions": segment.first_action, "events": segment.events_before}
            for segment in sequences.segments
        ],
        "counted": {
            "definitions": sequences.definitions,
            "links": sequences.links,
            "events": sequences.events,
            "dropped": sequences.dropped,
        },
    }


def _destination(destination: Destination) -> dict[str, Any]:
    members: dict[str, Any] = {
        "label": destination.label,
        "type": destination.kind.value,
        "config": destination.config,
    }
    if destination.tags is not None:
        members["tags"] = destination.tags
    if destination.credential:
        members["credential"] = {"headers": dict(destination.credential.headers)}
    return members


def _destination_ids(destination: Destination) -> dict[str, str]:
    credential = {"credential": destination.credential.id} if destination.credential else {}
    return {"id": destination.id, **credential, "updated_at": timestamp(destination.updated_at)}


def _definition(definition: Definition) -> dict[str, Any]:
    members: dict[str, Any] = {
        "variant": definition.variant,
        "version": definition.version,
        "alias": list(definition.alias),
        "schema": orjson.Fragment(definition.schema.text),
    }
    older = [
        {"version": number, "schema": orjson.Fragment(schema.text)}
        for number, schema in definition.versions.items()
        if number != definition.version
    ]
    if older:
        members["versions"] = older
    if definition.links:
        members["destinations"] = [link.label for link in definition.links]
        members["default"] = next(link.label for link in definition.links if link.is_default)
    return members


def _definition_ids(definition: Definition) -> dict[str, Any]:
    links = {"links": [link.id for link in definition.links]} if definition.links else {}
    return {"id": definition.id, **links}


def _action(view: Organisation, action: Action) -> dict[str, Any]:
    work = action.work
    members: dict[str, Any] = {
        "id": action.id,
        "variant": work.variant,
        "version": work.version,
        "payload": orjson.Fragment(work.payload),
    }
    if work.metadata:
        members["metadata"] = orjson.Fragment(work.metadata)
    if work.tags:
        members["tags"] = dict(work.tags)
    members |= {
        "status": action.state.value,
        "event": action.event.value,
        "attempt": action.attempt,
        "accepted_at": timestamp(work.accepted_at),
        "timeout_at": timestamp(work.timeout_at),
        "available_at": timestamp(action.available_at),
    }
    if action.acts_at != NEVER:
        members["acts_at"] = timestamp(action.acts_at)
    if action.started_at:
        members["started_at"] = timestamp(action.started_at)
    return members | {
        "updated_at": timestamp(action.updated_at),
        "events": [
            {
                "number": event.number,
                "at": timestamp(event.at),
                "event": event.kind.value,
                "status": event.state.value,
                "attempt": event.attempt,
                "available_at": timestamp(event.available_at),
            }
            for event in view.history(action)
        ],
    }
