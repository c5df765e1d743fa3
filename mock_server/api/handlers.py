"""The handlers, by operation id: read, call a service, wrap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..domain.states import Status
from ..services.definitions import Definitions
from ..services.ingress import Ingress
from ..services.signals import Signals
from ..strict_json import digest
from .bodies import Adapt, as_json
from .contract import Handler, Request
from .envelope import Answer, data, data_and_errors


def put_definition(definitions: Definitions) -> Handler:
    """PUT /v1/orgs/{org_id}/actions/definitions"""

    async def handle(request: Request) -> Answer:
        body = request.body
        schema = as_json(body["schema"])
        if not schema.canonical:
            schema = schema._replace(canonical=digest(schema.value))
        version = body.get("version")
        alias = body.get("alias")
        stored, unenforced = await definitions.put(
            request.organisation,
            body["variant"],
            schema,
            alias=None if alias is None else tuple(alias),
            version=None if version is None else int(version),
        )
        shown = {
            "id": stored.id,
            "org_id": stored.org_id,
            "variant": stored.variant,
            "version": stored.version,
            "alias": list(stored.alias),
            "schema": orjson.Fragment(stored.schema.text),
            "deleted_at": None,
            "destinations": [],
        }
        standing = f"not enforced: {unenforced}" if unenforced else "enforced"
        header = (b"x-arklow-mock-schema", standing.encode("ascii", "backslashreplace"))
        return Answer(data_and_errors(shown), headers=(header,))

    return handle


def accept_work(ingress: Ingress) -> Handler:
    """POST /v1/ingress/{variant}"""

    async def handle(request: Request) -> Answer:
        body: Mapping[str, Any] = request.body
        tags: Mapping[str, str] = body.get("tags") or {}
        if request.query:
            # B032: tag.<key> of the query merges over the body's tags; of several values the last one counts
            tags = {**tags, **{name[4:]: value for name, value in request.query if name.startswith("tag.")}}
        version = body.get("version")
        metadata = body.get("metadata")
        action = await ingress.accept(
            request.organisation,
            request.path["variant"],
            as_json(body["payload"]),
            metadata=as_json(metadata).text if "metadata" in body else b"",
            tags=tuple(tags.items()),
            version=None if version is None else int(version),
        )
        return Answer(
            data(
                {
                    "a_id": action.id,
                    "a_def_id": action.definition_id,
                    "queue_s": Status.QUEUED.value,  # B021, whatever takes it a moment later
                    "a_va": action.variant,
                    "a_ve": str(action.version),
                }
            )
        )

    return handle


def modack(signals: Signals) -> Handler:
    """POST /v1/modack"""

    async def handle(request: Request) -> Answer:
        body = request.body
        signals.modack(
            request.organisation, body["action_record_id"], int(body["attempt"]), int(body["mod_ack"])
        )
        return Answer(data({"status": "ok"}))

    return handle


def handlers(definitions: Definitions, ingress: Ingress, signals: Signals) -> dict[str, Handler]:
    """Operation id → handler."""
    return {
        "put_v1_orgs_by_org_id_actions_definitions": put_definition(definitions),
        "createIngressVariantAction": accept_work(ingress),
        "modAckIngressAction": modack(signals),
    }


def enveloped(value: Any) -> Any:
    """The guides' reading of an ingress body: without a `payload` member all of it is the payload (C1, B027)."""
    return value if isinstance(value, dict) and "payload" in value else {"payload": value}


def adapters(*, raw_bodies: bool) -> dict[str, Adapt]:
    """Operation id → what its body becomes before it is checked."""
    return {"createIngressVariantAction": enveloped} if raw_bodies else {}
