"""More mutants, made from the published pages alone by somebody who had not seen the judge.

They say how well a judge does on faults that nobody had in mind when it was written. Each names the page,
the behaviour (B), the open question (Q), the contradiction (C) or the RFC that its verdict stands on.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from tests.serving import HEADERS

from .catalogue import (
    Mutant,
    ServerClass,
    Verdict,
    names_in,
)
from .conforming_server import (
    CONTROL_PLANE,
    INT32,
    INT64,
    Action,
    ConformingServer,
    Definition,
    Operation,
    Page,
    Refused,
    RequestedDefinition,
    Terms,
    Work,
    bad_request,
    crash,
    depth,
    integer_of,
)

HOLDOUT: dict[str, Mutant] = {}
NAMED = re.compile(r"(?P<text>.+) \[(?P<source>[^]]+)\]")


def hidden(group: str, verdict: Verdict, **needs: Any) -> Callable[[ServerClass], ServerClass]:
    """Registers a mutant whose docstring is its text, and in brackets its source."""

    def register(mutant: ServerClass) -> ServerClass:
        found = NAMED.fullmatch(" ".join((mutant.__doc__ or "").split()))
        assert found, f"{mutant.__name__} has no source"
        name = mutant.__name__
        HOLDOUT[name] = Mutant(name, group, found["text"], verdict, mutant, needs, found["source"])
        return mutant

    return register


class Remembering(ConformingServer):
    """A server with a memory for its lies."""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.count = 0
        self.seen: dict[Any, Any] = {}

    def counted(self) -> int:
        with self.lock:
            self.count += 1
            return self.count


# How answers look


class _Answer(ConformingServer):
    """The answer to one operation, of one status, has another body, status or head."""

    operation: Operation
    status = 200

    def spoil(self, response: Response, body: Any) -> None:
        raise NotImplementedError

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = super().render(operation, status, body)
        if (operation, status) == (self.operation, self.status):
            self.spoil(response, body)
        return response

    def say(self, response: Response, body: Any) -> None:
        response.set_data(self.dump(body))


class _Data(_Answer):
    """The data of an answer is another value."""

    def other(self, data: Any) -> Any:
        raise NotImplementedError

    def spoil(self, response: Response, body: Any) -> None:
        if body["data"] is not None:
            self.say(response, body | {"data": self.other(body["data"])})


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: item for other, item in value.items() if other != name}


class _Ingress(_Data):
    operation = "ingress"


@hidden("response-schema", "violation")
class H001(_Ingress):
    """ingress 200: a_def_id is missing [S-ing]"""

    def other(self, data: Any) -> Any:
        return without(data, "a_def_id")


@hidden("response-schema", "violation")
class H002(_Ingress):
    """ingress 200: queue_s is missing [S-ing]"""

    def other(self, data: Any) -> Any:
        return without(data, "queue_s")


@hidden("response-schema", "violation")
class H003(_Ingress):
    """ingress 200: a_va is missing [S-ing]"""

    def other(self, data: Any) -> Any:
        return without(data, "a_va")


@hidden("response-schema", "violation")
class H004(_Ingress):
    """ingress 200: a_id ends with a line feed [S-ing]"""

    def other(self, data: Any) -> Any:
        return data | {"a_id": data["a_id"] + "\n"}


@hidden("response-schema", "violation")
class H005(_Ingress):
    """ingress 200: a_def_id is a number [S-ing]"""

    def other(self, data: Any) -> Any:
        return data | {"a_def_id": int(data["a_def_id"])}


@hidden("response-schema", "violation")
class H006(_Ingress):
    """ingress 200: a_ve is a number [S-ing, B022]"""

    def other(self, data: Any) -> Any:
        return data | {"a_ve": int(data["a_ve"])}


@hidden("response-schema", "violation")
class H007(_Ingress):
    """ingress 200: data is a list with one object [S-ing]"""

    def other(self, data: Any) -> Any:
        return [data]


@hidden("response-schema", "violation")
class H008(_Answer):
    """ingress 200: the members stand beside data, which is missing [S-ing]"""

    operation = "ingress"

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, body["data"])


@hidden("response-schema", "violation")
class H009(_Ingress):
    """ingress 200: a_def_id is an empty string [S-ing]"""

    def other(self, data: Any) -> Any:
        return data | {"a_def_id": ""}


@hidden("response-schema", "violation")
class H010(_Ingress):
    """ingress 200: a_ve is a decimal fraction, "1.0" [S-ing]"""

    def other(self, data: Any) -> Any:
        return data | {"a_ve": f"{data['a_ve']}.0"}


@hidden("response-schema", "violation")
class H011(_Answer):
    """ingress 200: the content type is text/json [S-ing]"""

    operation = "ingress"

    def spoil(self, response: Response, body: Any) -> None:
        response.content_type = "text/json"


@hidden("response-schema", "none")
class H012(_Answer):
    """ingress 200: the content type has a charset [RFC 9110 8.3.1: a parameter]"""

    operation = "ingress"

    def spoil(self, response: Response, body: Any) -> None:
        response.content_type = "application/json; charset=utf-8"


@hidden("response-schema", "none")
class H013(_Answer):
    """ingress 200: names of members are written with escapes [RFC 8259 7]"""

    operation = "ingress"

    def spoil(self, response: Response, body: Any) -> None:
        response.set_data(response.get_data().replace(b'"a_id"', rb'"\u0061_id"') + b"\r\n")


@hidden("response-schema", "violation", delivery="at-once")
class H014(_Data):
    """modack 200: data is the string "ok" [S-mod]"""

    operation = "modack"

    def other(self, data: Any) -> Any:
        return "ok"


@hidden("response-schema", "violation", delivery="at-once")
class H015(_Data):
    """modack 200: status is true [S-mod]"""

    operation = "modack"

    def other(self, data: Any) -> Any:
        return data | {"status": True}


@hidden("response-schema", "violation", delivery="at-once")
class H016(_Answer):
    """modack answers the undocumented 201 [S-mod]"""

    operation = "modack"

    def spoil(self, response: Response, body: Any) -> None:
        response.status_code = 201


@hidden("response-schema", "violation", delivery="at-once")
class H017(_Answer):
    """modack 200: the JSON is labelled text/plain [S-mod]"""

    operation = "modack"

    def spoil(self, response: Response, body: Any) -> None:
        response.content_type = "text/plain"


@hidden("response-schema", "violation")
class H018(_Answer):
    """modack 404: errors is an object [S-mod, B007]"""

    operation, status = "modack", 404

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, body | {"errors": body["errors"][0]})


@hidden("response-schema", "violation")
class H019(_Answer):
    """modack 404: the body is empty [S-mod, B007]"""

    operation, status = "modack", 404

    def spoil(self, response: Response, body: Any) -> None:
        response.set_data(b"")


@hidden("response-schema", "violation", stale=409)
class H020(_Answer):
    """modack 409: the error has no message [S-mod, B007]"""

    operation, status = "modack", 409

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, body | {"errors": [without(body["errors"][0], "message")]})


@hidden("response-schema", "violation", stale=409)
class H021(_Answer):
    """modack 409: plain text instead of the envelope [S-mod, B007]"""

    operation, status = "modack", 409

    def spoil(self, response: Response, body: Any) -> None:
        response.set_data(b"conflict")
        response.content_type = "text/plain"


@hidden("response-schema", "violation")
class H022(_Answer):
    """modack 401: the message of the error is null [S-mod, B007]"""

    operation, status = "modack", 401

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, body | {"errors": [body["errors"][0] | {"message": None}]})


@hidden("response-schema", "violation")
class H023(_Answer):
    """modack 400: data is missing [S-mod, B007]"""

    operation, status = "modack", 400

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, without(body, "data"))


@hidden("response-schema", "violation")
class H024(_Answer):
    """ingress 400: errors is a list of strings [S-ing, B007]"""

    operation, status = "ingress", 400

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, body | {"errors": [error["message"] for error in body["errors"]]})


@hidden("response-schema", "warning")
class H025(_Answer):
    """ingress 400: the list of errors is empty [the schema allows it; a refusal without a reason]"""

    operation, status = "ingress", 400

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, body | {"errors": []})


@hidden("response-schema", "violation")
class H026(ConformingServer):
    """ingress refuses bad bodies with the undocumented 422 [S-ing, B019]"""

    def status_of(self, operation: Operation, refused: Refused) -> int:
        status = super().status_of(operation, refused)
        return 422 if (operation, status) == ("ingress", 400) else status


@hidden("response-schema", "violation", unknown_variant="refuse")
class H027(ConformingServer):
    """ingress refuses an unknown variant with the undocumented 404 [S-ing, B019, Q6]"""

    def undefined(self, org: str, variant: str) -> Definition:
        raise Refused(404, "UNKNOWN_VARIANT", "no definition has this variant or alias")


@hidden("response-schema", "violation")
class H028(ConformingServer):
    """modack refuses another organisation's action with the undocumented 403 [S-mod, B133]"""

    def find(self, org: str, action_id: str) -> Action:
        action = self.actions.get(action_id)
        if action is not None and action.definition.org_id != org:
            raise Refused(403, "FOREIGN_ACTION", "the action is another organisation's")
        return super().find(org, action_id)


class _Put(_Data):
    operation = "put"


@hidden("response-schema", "violation")
class H029(_Put):
    """PUT 200: id is a number [S-def, B010]"""

    def other(self, data: Any) -> Any:
        return data | {"id": int(data["id"])}


@hidden("response-schema", "violation")
class H030(_Put):
    """PUT 200: schema is missing [S-def, B053]"""

    def other(self, data: Any) -> Any:
        return without(data, "schema")


@hidden("response-schema", "violation")
class H031(_Put):
    """PUT 200: version has a fraction [S-def]"""

    def other(self, data: Any) -> Any:
        return data | {"version": data["version"] + 0.5}


@hidden("response-schema", "violation")
class H032(_Put):
    """PUT 200: alias ends with a null [S-def]"""

    def other(self, data: Any) -> Any:
        return data | {"alias": [*data["alias"], None]}


@hidden("response-schema", "violation")
class H033(_Answer):
    """PUT 200: errors is missing [S-def, B008]"""

    operation = "put"

    def spoil(self, response: Response, body: Any) -> None:
        self.say(response, without(body, "errors"))


@hidden("response-schema", "none")
class H034(_Answer):
    """PUT 200: errors is an empty list, the optional members are left out [S-def]"""

    operation = "put"

    def spoil(self, response: Response, body: Any) -> None:
        if body["data"] is not None:
            data = without(without(body["data"], "deleted_at"), "destinations")
            self.say(response, body | {"data": data, "errors": []})


@hidden("response-schema", "violation")
class H035(_Put):
    """PUT 200: destinations is an object [S-def]"""

    def other(self, data: Any) -> Any:
        return data | {"destinations": {str(n): link for n, link in enumerate(data["destinations"])}}


@hidden("response-schema", "violation", control_refusals="4xx")
class H036(_Answer):
    """PUT answers 201 [S-def, B014]"""

    operation = "put"

    def spoil(self, response: Response, body: Any) -> None:
        response.status_code = 201


@hidden("response-schema", "violation", destinations=True)
class H037(ConformingServer):
    """PUT 200: response_time_sla_ms is 0 [S-def, B061]"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"response_time_sla_ms": 0}


@hidden("response-schema", "violation", destinations=True)
class H038(ConformingServer):
    """PUT 200: signaling is enabled without a default [S-def, B060]"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"signaling": {"enabled": True}}


@hidden("response-schema", "violation", destinations=True)
class H039(ConformingServer):
    """PUT 200: a tag of a destination is a number [S-def]"""

    def destination(self, definition: Definition) -> dict[str, Any]:
        return super().destination(definition) | {"tags": {"shard": 3}}


@hidden("response-schema", "violation", destinations=True)
class H040(ConformingServer):
    """PUT 200: a destination has no label [S-def]"""

    def destination(self, definition: Definition) -> dict[str, Any]:
        return without(super().destination(definition), "label")


# What is accepted though it is broken


class _Takes(ConformingServer):
    """Some values of a member are taken for others."""

    member: str

    def taken_for(self, value: Any) -> Any:
        raise NotImplementedError

    def lenient(self, body: Any) -> Any:
        if isinstance(body, dict) and self.member in body:
            return body | {self.member: self.taken_for(body[self.member])}
        return body


class _TakesSignal(_Takes):
    def read_extension(self, body: Any) -> Any:
        return super().read_extension(self.lenient(body))


class _TakesDefinition(_Takes):
    def read_definition(self, body: Any) -> RequestedDefinition:
        return super().read_definition(self.lenient(body))


class _TakesWork(_Takes):
    def read_work(self, body: Any) -> Work:
        return super().read_work(self.lenient(body))


@hidden("validation", "violation", delivery="at-once")
class H041(_TakesSignal):
    """modack accepts a live id as a number [S-mod, B124]"""

    member = "action_record_id"

    def taken_for(self, value: Any) -> Any:
        return value if isinstance(value, str) or integer_of(value) is None else str(integer_of(value))


@hidden("validation", "violation", delivery="at-once")
class H042(_TakesSignal):
    """modack accepts a live id between blanks [S-mod, B124]"""

    member = "action_record_id"

    def taken_for(self, value: Any) -> Any:
        return value.strip(" ") if isinstance(value, str) else value


@hidden("validation", "warning", delivery="at-once")
class H043(_TakesSignal):
    """modack ignores zeros before a live id [B010: ids are strings, nothing says how they compare]"""

    member = "action_record_id"

    def taken_for(self, value: Any) -> Any:
        return (value.lstrip("0") or "0") if isinstance(value, str) and value.isdecimal() else value


@hidden("validation", "violation", delivery="at-once")
class H044(_TakesSignal):
    """modack accepts the attempt as a string [S-mod, B124]"""

    member = "attempt"

    def taken_for(self, value: Any) -> Any:
        return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value


@hidden("validation", "violation", delivery="at-once")
class H045(_TakesSignal):
    """modack accepts the attempt false as 0 [S-mod, B124]"""

    member = "attempt"

    def taken_for(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@hidden("validation", "violation", delivery="at-once")
class H046(_TakesSignal):
    """modack cuts a fraction off the attempt [S-mod, B124]"""

    member = "attempt"

    def taken_for(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


@hidden("validation", "violation", delivery="at-once")
class H047(_TakesSignal):
    """modack takes the attempt -1 for 0 [S-mod, B124]"""

    member = "attempt"

    def taken_for(self, value: Any) -> Any:
        return 0 if integer_of(value) == -1 else value


@hidden("validation", "violation", delivery="at-once")
class H048(_TakesSignal):
    """modack accepts mod_ack as a string [S-mod, B124]"""

    member = "mod_ack"

    def taken_for(self, value: Any) -> Any:
        return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value


@hidden("validation", "violation", delivery="at-once")
class H049(_TakesSignal):
    """modack rounds a fraction of mod_ack up [S-mod, B124]"""

    member = "mod_ack"

    def taken_for(self, value: Any) -> Any:
        return int(value) + 1 if isinstance(value, float) and integer_of(value) is None else value


@hidden("validation", "violation", delivery="at-once")
class H050(ConformingServer):
    """modack accepts mod_ack 0 [S-mod, B124]"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        return 0 if integer_of(body.get("mod_ack")) == 0 else super().seconds_of(body)


@hidden("validation", "violation", delivery="at-once")
class H051(_TakesSignal):
    """modack accepts a mod_ack beyond int64 [S-mod, B124]"""

    member = "mod_ack"

    def taken_for(self, value: Any) -> Any:
        return min(value, INT64) if isinstance(value, int) else value


@hidden("validation", "violation", delivery="at-once")
class H052(ConformingServer):
    """modack accepts a list with the object in it [S-mod]"""

    def read_extension(self, body: Any) -> Any:
        return super().read_extension(body[0] if isinstance(body, list) and len(body) == 1 else body)


@hidden("validation", "warning", delivery="at-once")
class H053(ConformingServer):
    """modack accepts its members as a form [S-mod names JSON alone; Q27]"""

    def read_body(self, operation: Operation) -> Any:
        if operation != "modack" or request.mimetype != "application/x-www-form-urlencoded":
            return super().read_body(operation)
        form: dict[str, Any] = request.form.to_dict()
        numbers = {name for name in ("attempt", "mod_ack") if re.fullmatch("[0-9]{1,18}", form.get(name, ""))}
        return form | {name: int(form[name]) for name in numbers}


@hidden("validation", "violation", body="envelope")
class H054(_TakesWork):
    """ingress accepts numbers as values of tags [S-ing, B030]"""

    member = "tags"

    def taken_for(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: json.dumps(item) if integer_of(item) is not None else item for name, item in value.items()
        }


@hidden("validation", "violation", body="envelope")
class H055(_TakesWork):
    """ingress leaves out tags whose value is null [S-ing, B030]"""

    member = "tags"

    def taken_for(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if item is not None}


@hidden("validation", "violation", body="envelope")
class H056(_TakesWork):
    """ingress accepts tags as a string "a=b" [S-ing, B030]"""

    member = "tags"

    def taken_for(self, value: Any) -> Any:
        return dict([value.split("=", 1)]) if isinstance(value, str) and "=" in value else value


@hidden("validation", "violation", body="envelope")
class H057(_TakesWork):
    """ingress accepts a version in a list, [1] [S-ing, B031]"""

    member = "version"

    def taken_for(self, value: Any) -> Any:
        return value[0] if isinstance(value, list) and len(value) == 1 else value


@hidden("validation", "warning")
class H058(ConformingServer):
    """a comma before the end of an object is accepted [RFC 8259 9 lets a parser accept more]"""

    def load(self, text: str) -> Any:
        try:
            return super().load(text)
        except json.JSONDecodeError:
            return super().load(re.sub(r",\s*}\s*$", "}", text))


@hidden("validation", "warning")
class H059(ConformingServer):
    """ingress reads JSON in bodies labelled text/plain [S-ing names JSON alone; Q27]"""

    def check_content_type(self, operation: Operation) -> None:
        if operation != "ingress" or request.mimetype != "text/plain":
            super().check_content_type(operation)


@hidden("validation", "violation")
class H060(_TakesDefinition):
    """PUT accepts a number as variant [S-def, B050]"""

    member = "variant"

    def taken_for(self, value: Any) -> Any:
        return str(value) if integer_of(value) is not None else value


@hidden("validation", "violation")
class H061(_TakesDefinition):
    """PUT accepts version true [S-def]"""

    member = "version"

    def taken_for(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@hidden("validation", "violation")
class H062(_TakesDefinition):
    """PUT cuts a fraction off the version [S-def]"""

    member = "version"

    def taken_for(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


@hidden("validation", "violation")
class H063(_TakesDefinition):
    """PUT accepts alias null [S-def, B052]"""

    member = "alias"

    def taken_for(self, value: Any) -> Any:
        return [] if value is None else value


@hidden("validation", "violation")
class H064(_TakesDefinition):
    """PUT accepts an object as alias and takes its names [S-def, B052]"""

    member = "alias"

    def taken_for(self, value: Any) -> Any:
        return list(value) if isinstance(value, dict) else value


@hidden("validation", "violation")
class H065(ConformingServer):
    """PUT takes the digits that an org_id begins with for all of it [S-def, B011]"""

    def check_org(self, org: str, org_id: str) -> None:
        digits = re.match("[0-9]+", org_id)
        super().check_org(org, digits[0] if digits else org_id)


# What is refused though it is good


@hidden("validation", "violation", body="envelope")
class H066(ConformingServer):
    """metadata that is no object is refused [S-ing, B029]"""

    def read_work(self, body: Any) -> Work:
        if isinstance(body, dict) and not isinstance(body.get("metadata", {}), dict):
            raise bad_request("metadata is not an object")
        return super().read_work(body)


@hidden("validation", "violation", body="envelope")
class H067(ConformingServer):
    """a tag with an empty value is refused [S-ing, B030]"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if "" in tags.values():
            raise bad_request("a tag is empty")
        return tags


@hidden("validation", "violation", body="envelope")
class H068(ConformingServer):
    """a tag whose name is not made of ASCII letters, digits, dots and lines is refused [S-ing, B030]"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if not all(re.fullmatch("[A-Za-z0-9._-]*", name) for name in tags):
            raise bad_request("the name of a tag is not allowed")
        return tags


@hidden("validation", "violation", body="envelope")
class H069(ConformingServer):
    """payloads that count as false in scripts are refused: false, 0, "", [] and {} [S-ing, B029]"""

    def payload_of(self, body: dict[str, Any]) -> Any:
        payload = super().payload_of(body)
        if payload is not None and not payload:
            raise bad_request("payload is missing")
        return payload


@hidden("validation", "violation", body="envelope")
class H070(ConformingServer):
    """the version 2147483647 is refused, the current one too [S-ing, B036]"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        if (version := super().version_of(body)) == INT32:
            raise bad_request("version is not an int32")
        return version


@hidden("validation", "violation")
class H071(ConformingServer):
    """modack refuses ids of more than 30 digits as broken [S-mod: any digits]"""

    def id_of(self, body: dict[str, Any]) -> str:
        if len(action_id := super().id_of(body)) > 30:
            raise bad_request("action_record_id is too long")
        return action_id


@hidden("validation", "violation")
class H072(ConformingServer):
    """modack refuses the attempt 2147483647 as broken [S-mod, B124]"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        if (attempt := super().attempt_of(body)) == INT32:
            raise bad_request("attempt is not an int32")
        return attempt


@hidden("validation", "violation", delivery="at-once")
class H073(ConformingServer):
    """modack refuses a mod_ack of more than five minutes as broken [S-mod, B124]"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        if (seconds := super().seconds_of(body)) > 300:
            raise bad_request("mod_ack is more than five minutes")
        return seconds


@hidden("validation", "violation")
class H074(ConformingServer):
    """PUT refuses the schema true [S-def, B051]"""

    def schema_of(self, body: dict[str, Any]) -> Any:
        if (schema := super().schema_of(body)) is True:
            raise bad_request("schema is not an object")
        return schema


@hidden("validation", "warning")
class H075(ConformingServer):
    """PUT of a variant that is there is refused [Q5: the page says only "create"]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        raise Refused(409, "DEFINED_VARIANT", "the variant is there already")


@hidden("validation", "violation")
class H076(ConformingServer):
    """a content type in other case is refused: Application/JSON [RFC 9110 8.3.1]"""

    def check_content_type(self, operation: Operation) -> None:
        super().check_content_type(operation)
        if not request.headers["Content-Type"].startswith("application/json"):
            raise bad_request("the body must be application/json")


@hidden("validation", "violation")
class H077(ConformingServer):
    """blanks and lines before a JSON body are refused [RFC 8259 2]"""

    def decode(self, raw: bytes) -> str:
        if (text := super().decode(raw))[0] in " \t\r\n":
            raise self.unreadable("MALFORMED_JSON")
        return text


@hidden("validation", "violation")
class H078(ConformingServer):
    """names of members that are written with escapes are refused [RFC 8259 8.3]"""

    def decode(self, raw: bytes) -> str:
        text = super().decode(raw)
        if re.search(r'\\u[0-9a-fA-F]{4}[^"]*"\s*:', text):
            raise bad_request("the name of a member is not known")
        return text


@hidden("validation", "warning")
class H079(ConformingServer):
    """bodies of more than 20 levels are refused [RFC 8259 9 lets a parser limit the depth]"""

    def read_body(self, operation: Operation) -> Any:
        if depth(body := super().read_body(operation)) > 20:
            raise self.unreadable("TOO_DEEP")
        return body


@hidden("validation", "warning")
class H080(ConformingServer):
    """bodies of more than 100,000 bytes are refused [Q28: no limit is named]"""

    def decode(self, raw: bytes) -> str:
        if len(raw) > 100_000:
            raise bad_request("the body is too large")
        return super().decode(raw)


class _Variants(ConformingServer):
    """Some variants are refused, on ingress and on PUT."""

    def refuses(self, variant: str) -> bool:
        raise NotImplementedError

    def check_variant(self, variant: str) -> None:
        if self.refuses(variant):
            raise bad_request("the variant is not allowed")

    def read_definition(self, body: Any) -> RequestedDefinition:
        requested = super().read_definition(body)
        self.check_variant(requested.variant)
        return requested

    def resolve(self, org: str, variant: str) -> Definition:
        self.check_variant(variant)
        return super().resolve(org, variant)


@hidden("validation", "violation")
class H081(_Variants):
    """variants of more than 64 characters are refused [S-ing, S-def]"""

    def refuses(self, variant: str) -> bool:
        return len(variant) > 64


@hidden("validation", "violation")
class H082(_Variants):
    """variants with a blank are refused [S-ing, S-def]"""

    def refuses(self, variant: str) -> bool:
        return " " in variant


@hidden("validation", "violation")
class H083(_Variants):
    """variants with a dot are refused [S-ing, S-def, B057]"""

    def refuses(self, variant: str) -> bool:
        return "." in variant


# Who asks


class _Open(ConformingServer):
    """One operation asks nobody for a key."""

    operation: Operation

    def authenticate(self, operation: Operation) -> str:
        try:
            return super().authenticate(operation)
        except Refused:
            if operation != self.operation:
                raise
            return next(iter(self.keys.values()))


@hidden("auth", "violation")
class H084(_Open):
    """ingress has no auth at all [S-ing, B005]"""

    operation = "ingress"


@hidden("auth", "violation")
class H085(_Open):
    """modack has no auth at all [S-mod, B005]"""

    operation = "modack"


@hidden("auth", "violation", delivery="at-once")
class H086(ConformingServer):
    """modack extends the action of another organisation [B133]"""

    def find(self, org: str, action_id: str) -> Action:
        if request.endpoint == "modack" and action_id in self.actions:
            return self.actions[action_id]
        return super().find(org, action_id)


@hidden("auth", "violation")
class H087(ConformingServer):
    """PUT writes on the path of another organisation [Q10: 403 or 404, refused in any case]"""

    def do_put(self, org_id: str) -> Any:
        self.authenticate("put")
        self.check_org(org_id, org_id)
        requested = self.read_definition(self.read_body("put"))
        with self.exclusive():
            return self.put_answer(self.store(org_id, requested))


@hidden("auth", "violation")
class H088(ConformingServer):
    """ingress reaches the definition of another organisation when there is no own one [B133, Q6]"""

    def undefined(self, org: str, variant: str) -> Definition:
        others = [one for one in self.definitions.values() if one.variant == variant]
        return others[0] if others else super().undefined(org, variant)


@hidden("auth", "violation")
class H089(ConformingServer):
    """a good key in Authorization is refused on ingress [S-ing, B002]"""

    def credentials(self, operation: Operation) -> list[str]:
        return super().credentials("put" if operation == "ingress" else operation)


@hidden("auth", "none")
class H090(ConformingServer):
    """the word Bearer may stand before the key in Authorization [B003, Q26: unknown]"""

    def credentials(self, operation: Operation) -> list[str]:
        known = super().credentials(operation)
        if operation in CONTROL_PLANE:
            return known
        return [*known, request.headers.get("Authorization", "").removeprefix("Bearer ")]


@hidden("auth", "violation")
class H091(ConformingServer):
    """a key in a cookie is accepted [B001, B005]"""

    def credentials(self, operation: Operation) -> list[str]:
        return [*super().credentials(operation), *request.cookies.values()]


@hidden("auth", "violation")
class H092(ConformingServer):
    """a key in x-api-key is accepted [B001, B005]"""

    def credentials(self, operation: Operation) -> list[str]:
        return [*super().credentials(operation), request.headers.get("x-api-key", "")]


@hidden("auth", "violation")
class H093(ConformingServer):
    """a key as the user of Basic in Authorization is accepted [B003, B005]"""

    def credentials(self, operation: Operation) -> list[str]:
        known = super().credentials(operation)
        if operation in CONTROL_PLANE:
            return known
        return [*known, self.user_of(request.headers.get("Authorization", ""))]

    def user_of(self, sent: str) -> str:
        with contextlib.suppress(ValueError):
            return base64.b64decode(sent.removeprefix("Basic ")).decode().partition(":")[0]
        return ""


@hidden("auth", "violation")
class H094(ConformingServer):
    """whatever begins with a good key is accepted [B005]"""

    def org_of(self, key: str) -> str | None:
        return next((org for good, org in self.keys.items() if key.startswith(good)), None)


@hidden("auth", "warning")
class H095(ConformingServer):
    """a good x-arklow-auth is refused when Authorization is bad [S-ing, S-mod, B002]"""

    def authenticate(self, operation: Operation) -> str:
        if not all(self.org_of(key) for key in self.credentials(operation)):
            raise self.unauthorized()
        return super().authenticate(operation)


@hidden("auth", "violation")
class H096(ConformingServer):
    """a wrong key on ingress and modack is the undocumented 403 [S-ing, S-mod, B005]"""

    def authenticate(self, operation: Operation) -> str:
        try:
            return super().authenticate(operation)
        except Refused:
            if operation == "put" or not self.credentials(operation):
                raise
            raise Refused(403, "FORBIDDEN", "the key is not good") from None


@hidden("auth", "warning")
class H097(ConformingServer):
    """modack looks for the action before the key (404 for anonymous) [no page tells the order]"""

    def authenticate(self, operation: Operation) -> str:
        if operation == "modack" and self.names_nothing(request.get_data(cache=True)):
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return super().authenticate(operation)

    def names_nothing(self, raw: bytes) -> bool:
        with contextlib.suppress(Refused):
            body = self.parse(self.decode(raw))
            return isinstance(body, dict) and self.id_of(body) not in self.actions
        return False


@hidden("auth", "violation")
class H098(ConformingServer):
    """the name of the header must be written in small letters [B001, RFC 9110 5.1]"""

    def credentials(self, operation: Operation) -> list[str]:
        sent = {name for name, _ in request.environ[HEADERS]}
        known = super().credentials(operation)
        unseen = "x-arklow-auth" in request.headers and "x-arklow-auth" not in sent
        return known[1:] if unseen else known


# What is remembered


@hidden("state", "violation")
class H099(Remembering):
    """the aliases of a definition lead nowhere after it was updated, though answers show them [B038]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        super().update(definition, requested)
        self.seen[definition.org_id, definition.variant] = True

    def resolve(self, org: str, variant: str) -> Definition:
        found = super().resolve(org, variant)
        lost = variant != found.variant and (org, found.variant) in self.seen
        return self.undefined(org, variant) if lost else found


@hidden("state", "violation")
class H100(Remembering):
    """an alias that was taken away still leads to its definition [S-def, B038]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        self.seen |= {(definition.org_id, name): definition for name in definition.alias}
        super().update(definition, requested)

    def undefined(self, org: str, variant: str) -> Definition:
        found: Definition | None = self.seen.get((org, variant))
        return found or super().undefined(org, variant)


@hidden("state", "violation")
class H101(ConformingServer):
    """the alias of another organisation's definition leads to it [B133, B038]"""

    def undefined(self, org: str, variant: str) -> Definition:
        others = [one for one in self.definitions.values() if variant in one.alias]
        return others[0] if others else super().undefined(org, variant)


@hidden("state", "violation")
class H102(ConformingServer):
    """PUT with an empty list of aliases leaves the aliases as they are [S-def]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        super().update(definition, requested if requested.alias else replace(requested, alias=None))


@hidden("state", "violation")
class H103(ConformingServer):
    """PUT refused for its version or alias is stored without them [page: a bad request is refused]"""

    def do_put(self, org_id: str) -> Any:
        try:
            return super().do_put(org_id)
        except Refused as refused:
            if refused.status == 400:
                self.store_the_rest(org_id)
            raise

    def read_body(self, operation: Operation) -> Any:
        request.get_data(cache=True)
        return super().read_body(operation)

    def store_the_rest(self, org_id: str) -> None:
        with contextlib.suppress(Refused), self.lock:
            body = self.read_body("put")
            if isinstance(body, dict):
                self.store(org_id, self.read_definition(without(without(body, "version"), "alias")))


@hidden("state", "violation", upsert="bump")
class H104(ConformingServer):
    """PUT changes the definition of the same variant in every organisation [B133]"""

    def store(self, org: str, requested: RequestedDefinition) -> Definition:
        for other in list(self.definitions.values()):
            if other.variant == requested.variant and other.org_id != org:
                self.update(other, requested)
        return super().store(org, requested)


@hidden("state", "violation", upsert="bump")
class H105(ConformingServer):
    """ingress answers the version before the current one [B035]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        version = super().choose_version(definition, sent)
        before = [one for one in definition.versions if one < version]
        return max(before, default=version) if sent is None else version


@hidden("state", "violation", body="envelope", upsert="bump")
class H106(ConformingServer):
    """ingress answers the first version when the current one is asserted [B036]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        version = super().choose_version(definition, sent)
        return min(definition.versions) if sent == definition.version else version


@hidden("state", "violation", body="envelope")
class H107(ConformingServer):
    """ingress refuses the current version when it is asserted [B036]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        if sent is not None and sent == definition.version:
            raise Refused(400, "UNKNOWN_VERSION", "the definition has no such version")
        return super().choose_version(definition, sent)


@hidden("state", "violation", body="envelope")
class H108(ConformingServer):
    """ingress answers with a version that the definition does not have, as asked [B022, B037]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        if sent is not None:
            definition.versions.setdefault(sent, definition.schema)
        return super().choose_version(definition, sent)


@hidden("state", "violation")
class H109(ConformingServer):
    """new definitions are numbered through: the second one begins with version 2 [B054]"""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        own = sum(one.org_id == org for one in self.definitions.values())
        sent = own + 1 if requested.version is None else requested.version
        return super().define(org, replace(requested, version=sent))


@hidden("state", "violation")
class H110(ConformingServer):
    """a new definition has version 0 [B054]"""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        return super().define(org, replace(requested, version=requested.version or 0))


@hidden("state", "warning")
class H111(ConformingServer):
    """a variant is found in any case of its letters [S-ing: any string; nothing says how they compare]"""

    def undefined(self, org: str, variant: str) -> Definition:
        for one in self.definitions.values():
            if one.org_id == org and one.variant.lower() == variant.lower():
                return one
        return super().undefined(org, variant)


@hidden("state", "violation")
class H112(ConformingServer):
    """PUT trims the variant [S-def: any string]"""

    def read_definition(self, body: Any) -> RequestedDefinition:
        requested = super().read_definition(body)
        return replace(requested, variant=requested.variant.strip())


@hidden("state", "violation")
class H113(ConformingServer):
    """PUT loses the descriptions in a schema [S-def]"""

    def schema_of(self, body: dict[str, Any]) -> Any:
        schema = super().schema_of(body)
        return without(schema, "description") if isinstance(schema, dict) else schema


@hidden("state", "violation")
class H114(Remembering):
    """ids of actions are used again after twenty [B023, B077]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        used = self.seen.setdefault(self.counted() % 20, action.id)
        self.actions[used] = self.actions.pop(action.id)
        action.id = used
        return action


@hidden("state", "violation")
class H115(Remembering):
    """each organisation counts its actions from 1000, and the later one takes the id [B010, B133]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        number = self.seen[definition.org_id] = self.seen.get(definition.org_id, 999) + 1
        del self.actions[action.id]
        action.id = str(number)
        self.actions[action.id] = action
        return action


@hidden("state", "violation")
class H116(Remembering):
    """every seventh action is answered and not kept [B021, custody of accepted work]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        if self.counted() % 7 == 0:
            del self.actions[action.id]
        return action


@hidden("state", "violation")
class H117(Remembering):
    """an Idempotency-Key makes the second post answer with the first action [B024]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        key = (definition.org_id, request.headers.get("Idempotency-Key"))
        if key[1] is None:
            return super().accept(definition, version, posted_as, work)
        if key not in self.seen:
            self.seen[key] = super().accept(definition, version, posted_as, work)
        found: Action = self.seen[key]
        return found


@hidden("state", "violation")
class H118(Remembering):
    """queue_s is "running" from the second action of a definition on [B021]"""

    def action_data(self, action: Action) -> dict[str, Any]:
        data = super().action_data(action)
        again = self.seen.setdefault(data["a_def_id"], action.id) != action.id
        return data | {"queue_s": "running"} if again else data


@hidden("state", "violation")
class H119(ConformingServer):
    """a_def_id is the organisation's first definition [S-ing: a_def_id is the action's definition]"""

    def action_data(self, action: Action) -> dict[str, Any]:
        org = action.definition.org_id
        first = next(one for one in self.definitions.values() if one.org_id == org)
        return super().action_data(action) | {"a_def_id": first.id}


@hidden("state", "warning", unknown_variant="refuse")
class H120(Remembering):
    """unknown variants are refused at first and defined from the fourth on [Q6: each interpretation alone is lawful]"""

    def undefined(self, org: str, variant: str) -> Definition:
        if self.counted() > 3:
            return self.define(org, RequestedDefinition(variant, {}, None, None))
        return super().undefined(org, variant)


@hidden("state", "violation", delivery="at-once")
class H121(ConformingServer):
    """modack ends the lease instead of extending it [B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = self.now()


@hidden("state", "violation", delivery="at-once")
class H122(ConformingServer):
    """modack settles the action [B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds)
        self.succeed(action)


@hidden("state", "violation", delivery="at-once", extend_from="now")
class H123(ConformingServer):
    """a lease that was extended never ends [B101, B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = action.ends


@hidden("state", "violation", delivery="at-once", extend_from="now")
class H124(ConformingServer):
    """mod_ack is kept in 32 bits: 4294967296 seconds are none [S-mod, B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds % 2**32)


@hidden("state", "violation", delivery="at-once", extend_from="now")
class H125(ConformingServer):
    """mod_ack counts from when the action was accepted [B125, Q8: not before now + n]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = min(action.accepted + seconds, action.ends)


@hidden("state", "violation", delivery="at-once")
class H126(ConformingServer):
    """every delivery has attempt 0 [B077, B101]"""

    def deliver(self, action: Action, when: float) -> None:
        super().deliver(action, when)
        action.attempt = 0


@hidden("state", "violation", delivery="at-once")
class H127(ConformingServer):
    """attempts alternate between 0 and 1 [B077]"""

    def deliver(self, action: Action, when: float) -> None:
        super().deliver(action, when)
        action.attempt %= 2


@hidden("state", "violation", delivery="at-once")
class H128(ConformingServer):
    """an expired lease skips an attempt: 2 follows 0 [B101]"""

    def deliver(self, action: Action, when: float) -> None:
        again = action.started is not None
        super().deliver(action, when)
        action.attempt += again


@hidden("state", "violation")
class H129(Remembering):
    """after five unknown ids all of them are accepted by modack [B133]"""

    def do_modack(self) -> Any:
        try:
            return super().do_modack()
        except Refused as refused:
            if refused.status != 404 or self.counted() <= 5:
                raise
            return self.modack_answer()


@hidden("state", "violation", delivery="at-once")
class H130(Remembering):
    """an action is forgotten after its third modack [B125, B133]"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds)
        self.seen[action.id] = self.seen.get(action.id, 0) + 1
        if self.seen[action.id] == 3:
            del self.actions[action.id]


@hidden("state", "violation", operations="all")
class H131(ConformingServer):
    """the record shows the whole body as input, not its payload [B026, B078]"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        enveloped = self.choices.body != "raw" and isinstance(body, dict) and "payload" in body
        return replace(work, payload=body) if enveloped else work


@hidden("state", "violation", operations="all", body="envelope")
class H132(ConformingServer):
    """a tag in the body wins over the same tag in the query [B032]"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        return replace(work, tags=work.tags | self.tags_of(body))


@hidden("state", "violation", operations="all", delivery="at-once")
class H133(ConformingServer):
    """an ack is answered and the work is delivered again [B127]"""

    def succeed(self, action: Action) -> None:
        if request.endpoint != "ack":
            super().succeed(action)


@hidden("state", "violation", operations="all", delivery="at-once")
class H134(ConformingServer):
    """a nack with retry false is tried again [B130]"""

    def reject(self, action: Action) -> None:
        self.schedule_retry(action, Terms())


@hidden("state", "violation", operations="all", delivery="at-once")
class H135(ConformingServer):
    """deferred work is delivered again when its lease ends [B141, B142]"""

    def pass_deadline(self, action: Action, when: float) -> None:
        if action.status == "deferred" and when < action.ends:
            action.status = "held"
        super().pass_deadline(action, when)


@hidden("state", "violation", operations="all", delivery="at-once")
class H136(ConformingServer):
    """a nack of deferred work is accepted and fails it [B143]"""

    def give_back(self, action: Action, terms: Terms) -> None:
        if action.status == "deferred":
            self.reject(action)
        else:
            super().give_back(action, terms)


@hidden("state", "violation", operations="all", delivery="at-once")
class H137(ConformingServer):
    """a nack pays no heed to retry_at [B129]"""

    def schedule_retry(self, action: Action, terms: Terms) -> None:
        super().schedule_retry(action, replace(terms, retry_at=None))


@hidden("state", "warning", operations="all")
class H138(ConformingServer):
    """the count of a list of records is that of its page [B015: inferred for records]"""

    def records_answer(self, found: list[Action], page: Page) -> Any:
        answer = super().records_answer(found, page)
        answer["data"]["count"] = len(answer["data"]["items"])
        return answer


# How robust it is


class _Crashes(ConformingServer):
    """Some bodies are too much, though they can be read."""

    def too_much(self, body: Any) -> bool:
        raise NotImplementedError

    def read_body(self, operation: Operation) -> Any:
        if self.too_much(body := super().read_body(operation)):
            crash()
        return body


class _CrashesOnText(ConformingServer):
    """Some texts are too much, before they are read."""

    def too_much(self, text: str) -> bool:
        raise NotImplementedError

    def decode(self, raw: bytes) -> str:
        with contextlib.suppress(UnicodeDecodeError):
            if self.too_much(raw.decode()):
                crash()
        return super().decode(raw)


class _CrashesOnHead(ConformingServer):
    """Some request lines and headers are too much, from whoever has a key."""

    def too_much(self) -> bool:
        raise NotImplementedError

    def authenticate(self, operation: Operation) -> str:
        org = super().authenticate(operation)
        if self.too_much():
            crash()
        return org


def integers_in(value: Any) -> list[int]:
    """Every integer at any level of a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in integers_in(item)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


@hidden("robustness", "violation", body="envelope")
class H139(ConformingServer):
    """500 on a tag whose name has a dot [S-ing: a good request is served]"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if any("." in name for name in tags):
            crash()
        return tags


@hidden("robustness", "violation")
class H140(_CrashesOnHead):
    """500 on a query that nobody declared [S-ing, S-mod: a good request is served]"""

    def too_much(self) -> bool:
        return bool(request.query_string)


@hidden("robustness", "violation")
class H141(_CrashesOnHead):
    """500 on a header that comes twice [S-ing, S-mod: a good request is served; RFC 9110 5.3]"""

    def too_much(self) -> bool:
        names = [name.lower() for name, _ in request.environ[HEADERS]]
        return len(set(names)) < len(names)


@hidden("robustness", "violation")
class H142(_CrashesOnHead):
    """500 on an Accept header that does not name JSON [S-ing, S-mod: a good request is served]"""

    def too_much(self) -> bool:
        return not request.accept_mimetypes.accept_json and "Accept" in request.headers


@hidden("robustness", "none")
class H143(ConformingServer):
    """406 on an Accept header that does not name JSON, before anything is done [RFC 9110 15.5.7]"""

    def authenticate(self, operation: Operation) -> str:
        org = super().authenticate(operation)
        if "Accept" in request.headers and not request.accept_mimetypes.accept_json:
            raise Refused(406, "NOT_ACCEPTABLE", "answers are JSON")
        return org


@hidden("robustness", "violation")
class H144(_CrashesOnHead):
    """500 on a path with a percent-encoded character [S-ing: any string, RFC 3986 2.1]"""

    def too_much(self) -> bool:
        return "%" in request.environ["REQUEST_URI"].partition("?")[0]


@hidden("robustness", "violation")
class H145(_CrashesOnText):
    """500 on a number with an exponent [RFC 8259 6]"""

    def too_much(self, text: str) -> bool:
        return (
            re.search(r"[\[:,\s]-?[0-9.]+[eE][+-]?[0-9]{1,2}\b", re.sub(r'"[^"]*"', '""', text)) is not None
        )


@hidden("robustness", "violation")
class H146(_Crashes):
    """500 on an integer beyond 64 bits in the payload [S-ing, B029]"""

    def too_much(self, body: Any) -> bool:
        payload = body.get("payload") if isinstance(body, dict) else body
        return any(abs(number) >= 2**64 for number in integers_in(payload))


@hidden("robustness", "violation")
class H147(_Crashes):
    """500 on the body null [S-ing, S-mod: a bad request is 400]"""

    def too_much(self, body: Any) -> bool:
        return body is None


@hidden("robustness", "warning")
class H148(ConformingServer):
    """500 on methods that it has never heard of [RFC 9110 9.1: should be 501 or 405]"""

    def wrong_method(self, allowed: list[str]) -> Response:
        known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"}
        if request.method in known:
            return super().wrong_method(allowed)
        return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))


@hidden("robustness", "violation")
class H149(_CrashesOnText):
    """500 on an escaped NUL in a string [RFC 8259 7]"""

    def too_much(self, text: str) -> bool:
        return r"\u0000" in text


@hidden("robustness", "violation")
class H150(_CrashesOnHead):
    """500 on a variant of more than 255 characters in the path [S-ing: any string]"""

    def too_much(self) -> bool:
        return len(request.path.removeprefix("/v1/ingress/")) > 255


@hidden("robustness", "violation")
class H151(ConformingServer):
    """500 on a number beyond a double, 1e400 [S-ing: served or 400]"""

    def fraction(self, literal: str) -> float:
        try:
            return super().fraction(literal)
        except Refused:
            crash()


@hidden("robustness", "violation")
class H152(_CrashesOnText):
    """500 on a thousand levels of lists [RFC 8259 9, S-ing: served or 400]"""

    def too_much(self, text: str) -> bool:
        return "[" * 900 in text


@hidden("robustness", "violation")
class H153(ConformingServer):
    """500 on half of a surrogate pair in a string [RFC 8259 8.2, S-ing: served or 400]"""

    def unreadable(self, code: str) -> Refused:
        if code == "LONE_SURROGATE":
            crash()
        return super().unreadable(code)


@hidden("robustness", "violation", enforce_schema=True)
class H154(ConformingServer):
    """500 for work whose definition's schema has a $ref [S-ing: served or 400]"""

    def check_payload(self, payload: Any, schema: Any) -> None:
        if "$ref" in names_in(schema):
            crash()
        super().check_payload(payload, schema)


@hidden("robustness", "violation")
class H155(ConformingServer):
    """the connection is closed without an answer to an unknown id [S-mod, B133: 404]"""

    def find(self, org: str, action_id: str) -> Action:
        try:
            return super().find(org, action_id)
        except Refused:
            request.environ["tests.hang_up"] = True
            raise

    def __call__(self, environ: Any, start_response: Any) -> Any:
        answer = super().__call__(environ, start_response)
        if environ.get("tests.hang_up"):
            raise ConnectionResetError
        return answer


@hidden("robustness", "warning")
class H156(ConformingServer):
    """20 s for an answer to a string as payload [policy: latency]"""

    pause = 20.0

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if isinstance(work.payload, str):
            time.sleep(self.pause)
        return work


@hidden("robustness", "warning")
class H157(Remembering):
    """answers get slower with each request, by 4 ms [policy: latency]"""

    def handle(self, operation: Operation, step: Callable[[], Any]) -> Response:
        time.sleep(min(0.004 * self.counted(), 2))
        return super().handle(operation, step)


@hidden("robustness", "violation")
class H158(ConformingServer):
    """500 on an empty alias among others [S-def: any string]"""

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if "" in ((alias := super().alias_of(body)) or []):
            crash()
        return alias


@hidden("robustness", "warning")
class H159(ConformingServer):
    """500 on a slash behind a path [Q29: open, served or not found]"""

    def unrouted(self, error: HTTPException) -> Response:
        if request.path.endswith("/"):
            return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))
        return super().unrouted(error)


@hidden("robustness", "warning")
class H160(ConformingServer):
    """500 on HEAD [RFC 9110 9.1: should be 405 or 501]"""

    def wrong_method(self, allowed: list[str]) -> Response:
        if request.method == "HEAD":
            return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))
        return super().wrong_method(allowed)
