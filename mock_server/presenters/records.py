"""Actions and their events as the JSON of the record pages."""

from __future__ import annotations

from typing import Any

import orjson

from ..domain.actions import Action, HistoryEvent
from ..domain.states import Event, State
from ..services.records import Record
from ..timestamps import timestamp
from .definitions import definition_json


def record_json(record: Record) -> dict[str, Any]:
    """Return the members of a record by name; it has events where they were asked for (B078 to B081)."""
    organisation, action, definition = record.organisation, record.action, record.definition
    work = action.work
    members = {
        "id": action.id,
        "org_id": organisation.org_id,
        "action_definition_id": work.definition_id,
        "input": orjson.Fragment(work.payload),
        "timeout": (work.timeout_at - work.accepted_at) / 1_000,
        "tags": dict(work.tags),
        "state": _state(action),
        "definition": definition_json(
            organisation.org_id,
            definition,
            work.version,
            definition.versions.get(work.version, definition.schema),
            organisation.registry.destinations,
        ),
    }
    if record.events is not None:
        members["events"] = [_event(record, event) for event in record.events]
    return members


def _state(action: Action) -> dict[str, Any]:
    return {
        "status": action.state.status.value,
        "attempt": action.attempt,
        "updated_at": timestamp(action.updated_at),
        "available_at": timestamp(action.available_at),
        "timeout_at": timestamp(action.work.timeout_at),
        "started_at": timestamp(action.started_at) if action.started_at else None,
        "completed_at": timestamp(action.updated_at) if action.is_over else None,
        "error_message": _error_message(action),
    }


def _error_message(action: Action) -> str | None:
    if action.state is not State.FAILED:
        return None
    if action.event is Event.REJECT:
        return f"attempt {action.attempt} was rejected for good"
    if not action.started_at:
        return "not delivered within its timeout, for want of capacity"
    return f"not settled within its timeout, after attempt {action.attempt}"


def _event(record: Record, event: HistoryEvent) -> dict[str, Any]:
    """The members of one event of a record (B081)."""
    return {
        "id": record.organisation.event_id(event.number),
        "action_record_id": record.action.id,
        "org_id": record.organisation.org_id,
        "kind": event.kind.value,
        "status": event.state.status.value,
        "attempt": event.attempt,
        "available_at": timestamp(event.available_at),
        "created_at": timestamp(event.at),
    }


__all__ = ["record_json"]
