"""Organisations as a seed file has them, so that a mock that starts with it goes on where they are."""

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

_SLICE: Final = 200
"""Actions that are written before others get their turn: some two milliseconds."""


async def export_seed(
    seed: SeedPlan, views: Sequence[Organisation], org_ids: Sequence[str]
) -> dict[str, Any]:
    """The seed's keys and template, and organisations that nobody changes; with ids, the keys of those alone. JSON values
    that were kept as texts are fragments."""
    keys = {
        key: given
        for key, given in seed.source.get("keys", {}).items()
        if not org_ids or seed.keys[key] in org_ids
    }
    shown = {"keys": keys} if keys else {}
    if "template" in seed.source:
        shown["template"] = seed.source["template"]
    shown["organisations"] = {view.org_id: await _organisation(view) for view in views}
    return shown


async def _organisation(view: Organisation) -> dict[str, Any]:
    registry = view.registry
    destinations, definitions = registry.destinations.values(), registry.by_variant.values()
    actions = []
    for number, action in enumerate(view.actions()):
        if number % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        actions.append(_action(view, action))
    shown: dict[str, Any] = {
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
    return {name: value for name, value in shown.items() if value != []} | {
        "ids": {name: value for name, value in ids.items() if value}
    }


def _clock(time: OrganisationClock) -> dict[str, Any]:
    if time.frozen_at is not None:
        return {"mode": "frozen", "now": timestamp(time.frozen_at)}
    return {"mode": "running", "ahead_ms": time.ahead_ms} if time.ahead_ms else {"mode": "real"}


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
    shown: dict[str, Any] = {
        "label": destination.label,
        "type": destination.kind.value,
        "config": destination.config,
    }
    if destination.tags is not None:
        shown["tags"] = destination.tags
    if destination.credential:
        shown["credential"] = {"headers": dict(destination.credential.headers)}
    return shown


def _destination_ids(destination: Destination) -> dict[str, str]:
    credential = {"credential": destination.credential.id} if destination.credential else {}
    return {"id": destination.id, **credential, "updated_at": timestamp(destination.updated_at)}


def _definition(definition: Definition) -> dict[str, Any]:
    shown: dict[str, Any] = {
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
        shown["versions"] = older
    if definition.links:
        shown["destinations"] = [link.label for link in definition.links]
        shown["default"] = next(link.label for link in definition.links if link.is_default)
    return shown


def _definition_ids(definition: Definition) -> dict[str, Any]:
    links = {"links": [link.id for link in definition.links]} if definition.links else {}
    return {"id": definition.id, **links}


def _action(view: Organisation, action: Action) -> dict[str, Any]:
    work = action.work
    shown: dict[str, Any] = {
        "id": action.id,
        "variant": work.variant,
        "version": work.version,
        "payload": orjson.Fragment(work.payload),
    }
    if work.metadata:
        shown["metadata"] = orjson.Fragment(work.metadata)
    if work.tags:
        shown["tags"] = dict(work.tags)
    shown |= {
        "status": action.state.value,
        "event": action.event.value,
        "attempt": action.attempt,
        "accepted_at": timestamp(work.accepted_at),
        "timeout_at": timestamp(work.timeout_at),
        "available_at": timestamp(action.available_at),
    }
    if action.acts_at != NEVER:
        shown["acts_at"] = timestamp(action.acts_at)
    if action.started_at:
        shown["started_at"] = timestamp(action.started_at)
    return shown | {
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
