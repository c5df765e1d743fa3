"""Mutants of the holdout whose answers are not those that the document describes."""

from __future__ import annotations

from typing import Any

from flask import Response

from ..conforming_server import Action, ConformingServer, Definition, Operation, Refused
from ..mutant import Group, mutant
from ..mutations import AltersAnswer, AltersData, without

RESPONSE_SCHEMA = Group("response-schema")


class _AltersIngressData(AltersData):
    operation = "ingress"


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H001(_AltersIngressData):
    """ingress 200: a_def_id is missing [S-ing]"""

    def altered(self, data: Any) -> Any:
        return without(data, "a_def_id")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H002(_AltersIngressData):
    """ingress 200: queue_s is missing [S-ing]"""

    def altered(self, data: Any) -> Any:
        return without(data, "queue_s")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H003(_AltersIngressData):
    """ingress 200: a_va is missing [S-ing]"""

    def altered(self, data: Any) -> Any:
        return without(data, "a_va")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H004(_AltersIngressData):
    """ingress 200: a_id ends with a line feed [S-ing]"""

    def altered(self, data: Any) -> Any:
        return data | {"a_id": data["a_id"] + "\n"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H005(_AltersIngressData):
    """ingress 200: a_def_id is a number [S-ing]"""

    def altered(self, data: Any) -> Any:
        return data | {"a_def_id": int(data["a_def_id"])}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H006(_AltersIngressData):
    """ingress 200: a_ve is a number [S-ing, B022]"""

    def altered(self, data: Any) -> Any:
        return data | {"a_ve": int(data["a_ve"])}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H007(_AltersIngressData):
    """ingress 200: data is a list with one object [S-ing]"""

    def altered(self, data: Any) -> Any:
        return [data]


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H008(AltersAnswer):
    """ingress 200: the members stand beside data, which is missing [S-ing]"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, body["data"])


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H009(_AltersIngressData):
    """ingress 200: a_def_id is an empty string [S-ing]"""

    def altered(self, data: Any) -> Any:
        return data | {"a_def_id": ""}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H010(_AltersIngressData):
    """ingress 200: a_ve is a decimal fraction, "1.0" [S-ing]"""

    def altered(self, data: Any) -> Any:
        return data | {"a_ve": f"{data['a_ve']}.0"}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-4")
class H011(AltersAnswer):
    """ingress 200: the content type is text/json [S-ing]"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.content_type = "text/json"


@mutant(RESPONSE_SCHEMA, "none")
class H012(AltersAnswer):
    """ingress 200: the content type has a charset [RFC 9110 8.3.1: a parameter]"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.content_type = "application/json; charset=utf-8"


@mutant(RESPONSE_SCHEMA, "none")
class H013(AltersAnswer):
    """ingress 200: names of members are written with escapes [RFC 8259 7]"""

    operation = "ingress"

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(response.get_data().replace(b'"a_id"', rb'"\u0061_id"') + b"\r\n")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", delivery="at-once")
class H014(AltersData):
    """modack 200: data is the string "ok" [S-mod]"""

    operation = "modack"

    def altered(self, data: Any) -> Any:
        return "ok"


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", delivery="at-once")
class H015(AltersData):
    """modack 200: status is true [S-mod]"""

    operation = "modack"

    def altered(self, data: Any) -> Any:
        return data | {"status": True}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-1", delivery="at-once")
class H016(AltersAnswer):
    """modack answers the undocumented 201 [S-mod]"""

    operation = "modack"

    def alter(self, response: Response, body: Any) -> None:
        response.status_code = 201


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-4", delivery="at-once")
class H017(AltersAnswer):
    """modack 200: the JSON is labelled text/plain [S-mod]"""

    operation = "modack"

    def alter(self, response: Response, body: Any) -> None:
        response.content_type = "text/plain"


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H018(AltersAnswer):
    """modack 404: errors is an object [S-mod, B007]"""

    operation, status = "modack", 404

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, body | {"errors": body["errors"][0]})


@mutant(RESPONSE_SCHEMA, "violation", caught_by="JSON-7")
class H019(AltersAnswer):
    """modack 404: the body is empty [S-mod, B007]"""

    operation, status = "modack", 404

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(b"")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", stale=409)
class H020(AltersAnswer):
    """modack 409: the error has no message [S-mod, B007]"""

    operation, status = "modack", 409

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, body | {"errors": [without(body["errors"][0], "message")]})


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-4", stale=409)
class H021(AltersAnswer):
    """modack 409: plain text instead of the envelope [S-mod, B007]"""

    operation, status = "modack", 409

    def alter(self, response: Response, body: Any) -> None:
        response.set_data(b"conflict")
        response.content_type = "text/plain"


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H022(AltersAnswer):
    """modack 401: the message of the error is null [S-mod, B007]"""

    operation, status = "modack", 401

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, body | {"errors": [body["errors"][0] | {"message": None}]})


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H023(AltersAnswer):
    """modack 400: data is missing [S-mod, B007]"""

    operation, status = "modack", 400

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, without(body, "data"))


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H024(AltersAnswer):
    """ingress 400: errors is a list of strings [S-ing, B007]"""

    operation, status = "ingress", 400

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, body | {"errors": [error["message"] for error in body["errors"]]})


@mutant(RESPONSE_SCHEMA, "warning", caught_by="PAGE-14")
class H025(AltersAnswer):
    """ingress 400: the list of errors is empty [the schema allows it; a refusal without a reason]"""

    operation, status = "ingress", 400

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, body | {"errors": []})


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-2")
class H026(ConformingServer):
    """ingress refuses bad bodies with the undocumented 422 [S-ing, B019]"""

    def status_of(self, operation: Operation, refused: Refused) -> int:
        status = super().status_of(operation, refused)
        return 422 if (operation, status) == ("ingress", 400) else status


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-2", unknown_variant="refuse")
class H027(ConformingServer):
    """ingress refuses an unknown variant with the undocumented 404 [S-ing, B019, Q6]"""

    def undefined(self, org: str, variant: str) -> Definition:
        raise Refused(404, "UNKNOWN_VARIANT", "no definition has this variant or alias")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-2")
class H028(ConformingServer):
    """modack refuses another organisation's action with the undocumented 403 [S-mod, B133]"""

    def find(self, org: str, action_id: str) -> Action:
        action = self.actions.get(action_id)
        if action is not None and action.definition.org_id != org:
            raise Refused(403, "FOREIGN_ACTION", "the action is another organisation's")
        return super().find(org, action_id)


class _AltersPutData(AltersData):
    operation = "put"


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H029(_AltersPutData):
    """PUT 200: id is a number [S-def, B010]"""

    def altered(self, data: Any) -> Any:
        return data | {"id": int(data["id"])}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H030(_AltersPutData):
    """PUT 200: schema is missing [S-def, B053]"""

    def altered(self, data: Any) -> Any:
        return without(data, "schema")


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H031(_AltersPutData):
    """PUT 200: version has a fraction [S-def]"""

    def altered(self, data: Any) -> Any:
        return data | {"version": data["version"] + 0.5}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H032(_AltersPutData):
    """PUT 200: alias ends with a null [S-def]"""

    def altered(self, data: Any) -> Any:
        return data | {"alias": [*data["alias"], None]}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H033(AltersAnswer):
    """PUT 200: errors is missing [S-def, B008]"""

    operation = "put"

    def alter(self, response: Response, body: Any) -> None:
        self.set_body(response, without(body, "errors"))


@mutant(RESPONSE_SCHEMA, "none")
class H034(AltersAnswer):
    """PUT 200: errors is an empty list, the optional members are left out [S-def]"""

    operation = "put"

    def alter(self, response: Response, body: Any) -> None:
        if body["data"] is not None:
            data = without(without(body["data"], "deleted_at"), "destinations")
            self.set_body(response, body | {"data": data, "errors": []})


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5")
class H035(_AltersPutData):
    """PUT 200: destinations is an object [S-def]"""

    def altered(self, data: Any) -> Any:
        return data | {"destinations": {str(n): link for n, link in enumerate(data["destinations"])}}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-3", control_refusals="4xx")
class H036(AltersAnswer):
    """PUT answers 201 [S-def, B014]"""

    operation = "put"

    def alter(self, response: Response, body: Any) -> None:
        response.status_code = 201


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class H037(ConformingServer):
    """PUT 200: response_time_sla_ms is 0 [S-def, B061]"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"response_time_sla_ms": 0}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class H038(ConformingServer):
    """PUT 200: signaling is enabled without a default [S-def, B060]"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"signaling": {"enabled": True}}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class H039(ConformingServer):
    """PUT 200: a tag of a destination is a number [S-def]"""

    def destination(self, definition: Definition) -> dict[str, Any]:
        return super().destination(definition) | {"tags": {"shard": 3}}


@mutant(RESPONSE_SCHEMA, "violation", caught_by="PAGE-5", destinations=True)
class H040(ConformingServer):
    """PUT 200: a destination has no label [S-def]"""

    def destination(self, definition: Definition) -> dict[str, Any]:
        return without(super().destination(definition), "label")
