"""Mutants whose answers are not those that the document describes."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import Response

from ..conforming_server import ConformingServer, Definition, Operation, Refused
from ..mutant import Group, mutant
from ..mutations import AltersActionData, AltersAnswer, AltersDefinitionData

RESPONSE_SCHEMA = Group("response-schema")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R03(AltersActionData):
    """ingress 200: a_id is an integer"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_id": int(data["a_id"])}


@mutant(RESPONSE_SCHEMA, "violation", caught_by=("PAGE-5", "ING-7", "PAGE-12"))
class R04(AltersActionData):
    """ingress 200: a_id = "act_12" (not digits)"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_id": "act_12"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R07(AltersActionData):
    """ingress 200: a_ve = "v1" """

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_ve": f"v{data['a_ve']}"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="ING-10")
class R10(AltersActionData):
    """ingress 200: queue_s = "succeeded" for a new action (schema says only string)"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"queue_s": "succeeded"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", delivery="at-once")
class R11(ConformingServer):
    """modack 200: status = "OK" (enum is "ok")"""

    def modack_answer(self) -> Any:
        return {"data": {"status": "OK"}}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", delivery="at-once")
class R12(ConformingServer):
    """modack 200: status missing"""

    def modack_answer(self) -> Any:
        return {"data": {}}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="JSON-7", delivery="at-once")
class R13(AltersAnswer):
    """modack 200: empty body with JSON content type"""

    operation = "modack"

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(b"")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-4")
class R15(AltersAnswer):
    """ingress 200: no Content-Type header"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        del response.headers["Content-Type"]


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-1")
class R17(AltersAnswer):
    """ingress returns undocumented 202"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.status_code = 202


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-1", delivery="at-once")
class R18(AltersAnswer):
    """modack returns undocumented 204"""

    operation = "modack"

    def alter(self, response: Response, body: Any) -> None:
        response.status_code = 204
        response.set_data(b"")
        del response.headers["Content-Type"]


class _AltersEnvelope(ConformingServer):
    """Refusals of one status have another envelope."""

    status: int

    def altered(self, refused: Refused) -> Any:
        """The envelope of a refusal."""
        raise NotImplementedError

    def envelope(self, refused: Refused) -> Any:
        return self.altered(refused) if refused.status == self.status else super().envelope(refused)

    def with_extra_members(self, body: Any) -> Any:
        with contextlib.suppress(KeyError, TypeError):
            return super().with_extra_members(body)
        return body


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R21(_AltersEnvelope):
    """400 envelope: errors is a string"""

    status = 400

    def altered(self, refused: Refused) -> Any:
        return {"data": None, "errors": refused.message}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R22(_AltersEnvelope):
    """400 envelope: error item without code"""

    status = 400

    def altered(self, refused: Refused) -> Any:
        return {"data": None, "errors": [{"message": refused.message}]}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R23(_AltersEnvelope):
    """400 envelope: code is an integer"""

    status = 400

    def altered(self, refused: Refused) -> Any:
        return {"data": None, "errors": [{"code": 4001, "message": refused.message}]}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-4")
class R25(ConformingServer):
    """401 is HTML (text/html), not the envelope"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = super().render(operation, status, body)
        if status == 401:
            response.set_data("<!doctype html><title>Unauthorized</title><h1>Unauthorized</h1>")
            response.content_type = "text/html; charset=utf-8"
        return response


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R26(_AltersEnvelope):
    """401 envelope lacks errors"""

    status = 401

    def altered(self, refused: Refused) -> Any:
        return {"data": None}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", stale=409)
class R28(_AltersEnvelope):
    """409 envelope: data not null"""

    status = 409

    def altered(self, refused: Refused) -> Any:
        return {"data": {}, "errors": [{"code": refused.code, "message": refused.message}]}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R30(AltersDefinitionData):
    """PUT 200: version is a string"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"version": str(data["version"])}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R31(AltersDefinitionData):
    """PUT 200: alias is null"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"alias": None}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class R32(ConformingServer):
    """PUT 200: destination link lacks action_definition_id"""

    def link(self, definition: Definition) -> dict[str, Any]:
        link = super().link(definition)
        del link["action_definition_id"]
        return link


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class R33(ConformingServer):
    """PUT 200: extra key in destination config (additionalProperties:false)"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"retries": 3}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class R34(ConformingServer):
    """PUT 200: destination type not in enum"""

    def destination(self, definition: Definition) -> dict[str, Any]:
        return super().destination(definition) | {"type": "carrier_pigeon"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-6")
class R35(AltersDefinitionData):
    """PUT 200: deleted_at = "yesterday" (format date-time)"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"deleted_at": "yesterday"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="JSON-7")
class R40(AltersAnswer):
    """ingress 200: truncated JSON body"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(response.get_data()[:-4])


@mutant(RESPONSE_SCHEMA, "violation", caught_by=("JSON-7", "LEASE-6"))
class R41(AltersAnswer):
    """ingress 200: NaN literal in the JSON body"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(response.get_data()[:-1] + b', "took": NaN}')


@mutant(RESPONSE_SCHEMA, "violation", caught_by="JSON-7")
class R43(AltersAnswer):
    """ingress 200: body starts with a UTF-8 BOM"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(b"\xef\xbb\xbf" + response.get_data())


@mutant(RESPONSE_SCHEMA, "warning", caught_by="SAFE-2")
class R45(ConformingServer):
    """400 message leaks a stack trace"""

    def envelope(self, refused: Refused) -> Any:
        if refused.status == 400:
            trace = 'Traceback (most recent call last):\n  File "/srv/arklow/app.py", line 71, in serve\n'
            refused.message = f"{trace}ValueError: {refused.message}"
        return super().envelope(refused)


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R46(AltersDefinitionData):
    """PUT 200: org_id is an integer"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"org_id": int(data["org_id"])}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class R47(AltersActionData):
    """ingress 200: a_va is null"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_va": None}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="JSON-7")
class R50(AltersAnswer):
    """ingress 200: Latin-1 bytes labelled JSON"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(response.get_data()[:-1] + ', "node": "Zürich"}'.encode("latin-1"))


@mutant(RESPONSE_SCHEMA, "warning", caught_by="PAGE-7", destinations=True)
class R53(ConformingServer):
    """PUT 200: destination url is not a URI (format uri)"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"url": "not a uri"}
