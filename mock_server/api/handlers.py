"""The handlers, by operation id: each takes a checked request, calls one service and wraps its result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from arklow_local.formats.json_values import digest

from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.states import Status
from ..presenters.definitions import definition_json
from ..presenters.records import record_json
from ..services.definitions import Definitions
from ..services.ingress import Ingress
from ..services.records import Filter, Records
from ..services.signals import Signals
from .bodies import as_json
from .envelope import Answer, data, data_and_errors
from .prepared_operation import Handler, Request

PUBLISHED: Final = frozenset(
    {"put_v1_orgs_by_org_id_actions_definitions", "createIngressVariantAction", "modAckIngressAction"}
)
"""Ids of the operations of the published pages; the other handlers are for operations of our overlays."""
_OK: Final = {"status": "ok"}


def put_definition(definitions: Definitions) -> Handler:
    """Make the handler of `PUT /v1/orgs/{org_id}/actions/definitions`."""

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
        standing = f"not enforced: {unenforced}" if unenforced else "enforced"
        header = (b"x-arklow-mock-schema", standing.encode("ascii", "backslashreplace"))
        definition = definition_json(
            request.organisation, stored, stored.version, stored.schema, destinations
        )
        return Answer(data_and_errors(definition), headers=(header,))

    return handle


def accept_work(ingress: Ingress, interpretations: Interpretations = DEFAULTS) -> Handler:
    """Make the handler of `POST /v1/ingress/{variant}`, and of `POST /v1/ingress` with the variant in the body (B034)."""
    shows_alias = interpretations.shown_variant == "the alias"

    async def handle(request: Request) -> Answer:
        body: Mapping[str, Any] = request.body
        tags: Mapping[str, str] = body.get("tags") or {}
        if request.query:
            # B032: `tag.<key>` of the query goes before the same tag of the body, and its last value counts
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
                    "queue_s": Status.QUEUED.value,  # B021: even when a worker takes it a moment later
                    "a_va": name if shows_alias else action.work.variant,
                    "a_ve": str(action.work.version),
                }
            )
        )

    return handle


def ack(signals: Signals) -> Handler:
    """Make the handler of `POST /v1/ack`."""

    async def handle(request: Request) -> Answer:
        await signals.ack(request.organisation, *_attempt(request.body))
        return Answer(data(_OK))

    return handle


def nack(signals: Signals) -> Handler:
    """Make the handler of `POST /v1/nack`."""

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
    """Make the handler of `POST /v1/modack`."""

    async def handle(request: Request) -> Answer:
        await signals.modack(request.organisation, *_attempt(request.body), int(request.body["mod_ack"]))
        return Answer(data(_OK))

    return handle


def defer(signals: Signals) -> Handler:
    """Make the handler of `POST /v1/defer`."""

    async def handle(request: Request) -> Answer:
        await signals.defer(request.organisation, *_attempt(request.body))
        return Answer(data(_OK))

    return handle


def list_records(records: Records) -> Handler:
    """Make the handler of `GET /v1/orgs/{org_id}/actions/records`."""

    async def handle(request: Request) -> Answer:
        query = dict(request.query)
        count_only = query.get("count_only") == "true"
        page = await records.page(
            request.organisation,
            Filter(
                statuses=frozenset(value for name, value in request.query if name == "status"),
                variant=query.get("variant", ""),
                tags=tuple(_tags(request.query)),
            ),
            take=0 if count_only else int(query.get("take", 20)),
            skip=int(query.get("skip", 0)),
            oldest_first=query.get("asc") == "true",
        )
        items = [record_json(record) for record in page.records]
        return Answer(data_and_errors({"items": items, "count": page.total}))

    return handle


def get_record(records: Records) -> Handler:
    """Make the handler of `GET /v1/orgs/{org_id}/actions/records/{id}`."""

    async def handle(request: Request) -> Answer:
        record = await records.get(request.organisation, request.path["id"])
        return Answer(data_and_errors(record_json(record)))

    return handle


def handlers(
    definitions: Definitions,
    ingress: Ingress,
    signals: Signals,
    records: Records,
    interpretations: Interpretations = DEFAULTS,
) -> dict[str, Handler]:
    """Return all handlers, keyed by operation id."""
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
    """The action's id and the number of the attempt that a signal is about."""
    return body["action_record_id"], int(body["attempt"])


def _tags(query: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Pairs of key and value of the parameters `tag.<key>`."""
    return ((name[4:], value) for name, value in query if name.startswith("tag."))
