"""The handlers, by operation id: read, call a service, wrap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import orjson

from arklow_local.formats.json_values import digest

from ..domain.actions import Action, HistoryEvent
from ..domain.definitions import Definition, short
from ..domain.destinations import Destination, Link
from ..domain.interpretations import USUAL, Interpretations
from ..domain.json_text import Json
from ..domain.states import Event, State, Status
from ..services.definitions import Definitions
from ..services.ingress import Ingress
from ..services.records import Filter, Record, Records
from ..services.signals import Signals
from ..timestamps import timestamp
from .bodies import Adapt, as_json
from .connexion_app import Handler, Request
from .document import Operation
from .envelope import Answer, data, data_and_errors
from .errors import Refused

PUBLISHED: Final = frozenset(
    {"put_v1_orgs_by_org_id_actions_definitions", "createIngressVariantAction", "modAckIngressAction"}
)
"""The operations of the published pages; the others are there when an overlay asks for them."""
_OK: Final = {"status": "ok"}


def put_definition(definitions: Definitions) -> Handler:
    """PUT /v1/orgs/{org_id}/actions/definitions"""

    async def handle(request: Request) -> Answer:
        body = request.body
        schema = as_json(body["schema"])
        if not schema.canonical:
            schema = schema._replace(canonical=digest(schema.value))
        version = body.get("version")
        alias = body.get("alias")
        stored, unenforced, destinations = await definitions.put(
            request.organisation,
            body["variant"],
            schema,
            alias=None if alias is None else tuple(alias),
            version=None if version is None else int(version),
        )
        shown = _definition(request.organisation, stored, stored.version, stored.schema, destinations)
        standing = f"not enforced: {unenforced}" if unenforced else "enforced"
        header = (b"x-arklow-mock-schema", standing.encode("ascii", "backslashreplace"))
        return Answer(data_and_errors(shown), headers=(header,))

    return handle


def accept_work(ingress: Ingress, interpretations: Interpretations = USUAL) -> Handler:
    """POST /v1/ingress/{variant}, and POST /v1/ingress, which names the variant in its body (B034)"""
    shows_alias = interpretations.shown_variant == "the alias"

    async def handle(request: Request) -> Answer:
        body: Mapping[str, Any] = request.body
        tags: Mapping[str, str] = body.get("tags") or {}
        if request.query:
            # B032: tag.<key> of the query merges over the body's tags; of several values the last one counts
            tags = {**tags, **dict(_tags(request.query))}
        version = body.get("version")
        metadata = body.get("metadata")
        name = request.path["variant"] if "variant" in request.path else body["variant"]
        action = await ingress.accept(
            request.organisation,
            name,
            as_json(body.get("payload")),
            metadata=as_json(metadata).text if "metadata" in body else b"",
            tags=tuple(tags.items()),
            version=None if version is None else int(version),
        )
        return Answer(
            data(
                {
                    "a_id": action.id,
                    "a_def_id": action.work.definition_id,
                    "queue_s": Status.QUEUED.value,  # B021, whatever takes it a moment later
                    "a_va": name if shows_alias else action.work.variant,
                    "a_ve": str(action.work.version),
                }
            )
        )

    return handle


def ack(signals: Signals) -> Handler:
    """POST /v1/ack"""

    async def handle(request: Request) -> Answer:
        await signals.ack(request.organisation, *_attempt(request.body))
        return Answer(data(_OK))

    return handle


def nack(signals: Signals) -> Handler:
    """POST /v1/nack"""

    async def handle(request: Request) -> Answer:
        terms = request.body.get("terms") or {}
        retry_at = terms.get("retry_at")
        await signals.nack(
            request.organisation,
            *_attempt(request.body),
            retry=terms.get("retry", True),
            retry_at=None if retry_at is None else int(retry_at),
        )
        return Answer(data(_OK))

    return handle


def modack(signals: Signals) -> Handler:
    """POST /v1/modack"""

    async def handle(request: Request) -> Answer:
        await signals.modack(request.organisation, *_attempt(request.body), int(request.body["mod_ack"]))
        return Answer(data(_OK))

    return handle


def defer(signals: Signals) -> Handler:
    """POST /v1/defer"""

    async def handle(request: Request) -> Answer:
        await signals.defer(request.organisation, *_attempt(request.body))
        return Answer(data(_OK))

    return handle


def list_records(records: Records) -> Handler:
    """GET /v1/orgs/{org_id}/actions/records"""

    async def handle(request: Request) -> Answer:
        asked = dict(request.query)
        count_only = asked.get("count_only") == "true"
        page = await records.page(
            request.organisation,
            Filter(
                statuses=frozenset(value for name, value in request.query if name == "status"),
                variant=asked.get("variant", ""),
                tags=tuple(_tags(request.query)),
            ),
            take=0 if count_only else int(asked.get("take", 20)),
            skip=int(asked.get("skip", 0)),
            oldest_first=asked.get("asc") == "true",
        )
        items = [record_shown(record) for record in page.records]
        return Answer(data_and_errors({"items": items, "count": page.total}))

    return handle


def get_record(records: Records) -> Handler:
    """GET /v1/orgs/{org_id}/actions/records/{id}"""

    async def handle(request: Request) -> Answer:
        return Answer(
            data_and_errors(record_shown(await records.one(request.organisation, request.path["id"])))
        )

    return handle


def handlers(
    definitions: Definitions,
    ingress: Ingress,
    signals: Signals,
    records: Records,
    interpretations: Interpretations = USUAL,
) -> dict[str, Handler]:
    """Operation id → handler."""
    return {
        "put_v1_orgs_by_org_id_actions_definitions": put_definition(definitions),
        "createIngressVariantAction": accept_work(ingress, interpretations),
        "createIngressAction": accept_work(ingress, interpretations),
        "ackIngressAction": ack(signals),
        "nackIngressAction": nack(signals),
        "modAckIngressAction": modack(signals),
        "deferIngressAction": defer(signals),
        "get_v1_orgs_by_org_id_actions_records": list_records(records),
        "get_v1_orgs_by_org_id_actions_records_by_id": get_record(records),
    }


def _attempt(body: Mapping[str, Any]) -> tuple[str, int]:
    return body["action_record_id"], int(body["attempt"])


def _tags(query: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name[4:], value) for name, value in query if name.startswith("tag."))


def _definition(
    org_id: str,
    definition: Definition,
    version: int,
    schema: Json,
    destinations: Mapping[str, Destination],
) -> dict[str, Any]:
    return {
        "id": definition.id,
        "org_id": org_id,
        "variant": definition.variant,
        "version": version,
        "alias": list(definition.alias),
        "schema": orjson.Fragment(schema.text),
        "deleted_at": None,
        "destinations": [
            link_shown(org_id, definition, link, destinations[link.label]) for link in definition.links
        ],
    }


def link_shown(org_id: str, definition: Definition, link: Link, destination: Destination) -> dict[str, Any]:
    """A link with its destination (B058)."""
    return {
        "id": link.id,
        "action_definition_id": definition.id,
        "destination_id": destination.id,
        "org_id": org_id,
        "is_default": link.is_default,
        "destination": destination_shown(org_id, destination),
    }


def destination_shown(org_id: str, destination: Destination) -> dict[str, Any]:
    """A destination as S-def has it; what its credential holds is shown nowhere (B202)."""
    return {
        "id": destination.id,
        "org_id": org_id,
        "updated_at": timestamp(destination.updated_at),
        "deleted_at": None,
        "label": destination.label,
        "tags": destination.tags,
        "credential_id": destination.credential.id if destination.credential else None,
        "type": destination.kind.value,
        "config": destination.config,
    }


def record_shown(record: Record) -> dict[str, Any]:
    """An action as the record pages show it (B078 to B081)."""
    org_id, action, definition = record.organisation.org_id, record.action, record.definition
    work = action.work
    schema = definition.versions.get(work.version, definition.schema)
    shown = {
        "id": action.id,
        "org_id": org_id,
        "action_definition_id": work.definition_id,
        "input": orjson.Fragment(work.payload),
        "timeout": (work.timeout_at - work.accepted_at) / 1_000,
        "tags": dict(work.tags),
        "state": {
            "status": action.state.status.value,
            "attempt": action.attempt,
            "updated_at": timestamp(action.updated_at),
            "available_at": timestamp(action.available_at),
            "timeout_at": timestamp(work.timeout_at),
            "started_at": timestamp(action.started_at) if action.started_at else None,
            "completed_at": timestamp(action.updated_at) if action.is_over else None,
            "error_message": _error_message(action),
        },
        "definition": _definition(
            org_id, definition, work.version, schema, record.organisation.registry.destinations
        ),
    }
    if record.events is not None:
        shown["events"] = [event_shown(record, event) for event in record.events]
    return shown


def event_shown(record: Record, event: HistoryEvent) -> dict[str, Any]:
    """One event of a record (B081)."""
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


def _error_message(action: Action) -> str | None:
    if action.state is not State.FAILED:
        return None
    if action.event is Event.REJECT:
        return f"attempt {action.attempt} was rejected for good"
    if not action.started_at:
        return "not delivered within its timeout, for want of capacity"
    return f"not settled within its timeout, after attempt {action.attempt}"


def enveloped(value: Any) -> Any:
    """The guides' interpretation of an ingress body: without a `payload` member all of it is the payload (C1, B027)."""
    return value if isinstance(value, dict) and "payload" in value else {"payload": value}


def whole(value: Any) -> Any:
    """The guides' latest interpretation: all of a body is the payload, whatever it is (C1, B028)."""
    return {"payload": value}


def named_alone(value: Any, *, members: Sequence[str]) -> Any:
    """A body of no other members than these.

    Raises:
        Refused: it has another (B044).
    """
    other = next((name for name in value if name not in members), None) if isinstance(value, dict) else None
    if other is not None:
        raise Refused(
            "INVALID_BODY", f"body: expected no members but {', '.join(members)}, got {short(other)}"
        )
    return value


def adapters(interpretations: Interpretations, operations: Iterable[Operation]) -> dict[str, Adapt]:
    """Operation id → what its body becomes before it is checked."""
    variant, named = "createIngressVariantAction", "createIngressAction"
    match interpretations.ingress_body:
        case "whole body":
            found: dict[str, Adapt] = {variant: whole}
        case "envelope, whole without payload":
            found = {variant: enveloped}
        case _:
            found = {}
    if interpretations.unnamed_members == "ignored":
        return found
    for operation in operations:
        if operation.id in (variant, named) and operation.body is not None and operation.body.members:
            checked = partial(named_alone, members=sorted(operation.body.members))
            first = found.get(operation.id)
            found[operation.id] = checked if first is None else partial(_both, first=first, then=checked)
    return found


def _both(value: Any, *, first: Adapt, then: Adapt) -> Any:
    return then(first(value))
