"""The mutants: each is the conforming variant with one fault, named by the fault's id.

The verdict is what a judge owes the fault: an accusation, a warning, or nothing since it is lawful.
A mutant keeps the choices it is given but those that its fault needs, which its registration names.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from flask import Response, request

from .conforming_server import (
    CONTROL_PLANE,
    DEFAULT_CHOICES,
    INT32,
    KEYS,
    TERMINAL,
    Action,
    Choices,
    ConformingServer,
    Definition,
    Operation,
    Refused,
    RequestedDefinition,
    Work,
    bad_request,
    canonical,
    crash,
    integer_of,
)

Verdict = Literal["violation", "warning", "none"]


@dataclass(frozen=True)
class Mutant:
    """One fault: what it is, what a judge owes it, and how its mutant is made."""

    id: str
    group: str
    text: str
    verdict: Verdict
    mutant: type[ConformingServer]
    needs: dict[str, Any]
    source: str = ""

    def __call__(
        self,
        choices: Choices = DEFAULT_CHOICES,
        keys: dict[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> ConformingServer:
        return self.mutant(replace(choices, **self.needs), keys or KEYS, clock)


MUTANTS: dict[str, Mutant] = {}
NOT_SHOWN = {
    "S10": "An explicit version is stored as sent (Q5), so a lower one rolls the honest server back as well.",
}

ServerClass = type[ConformingServer]


def mutant(group: str, verdict: Verdict, **needs: Any) -> Callable[[ServerClass], ServerClass]:
    """Registers a mutant under its class's name, with its docstring as text and the choices it needs."""

    def register(mutant: ServerClass) -> ServerClass:
        text = " ".join((mutant.__doc__ or "").split())
        MUTANTS[mutant.__name__] = Mutant(mutant.__name__, group, text, verdict, mutant, needs)
        return mutant

    return register


# Who asks


class _AnyKey(ConformingServer):
    """Some keys that are none are the first organisation's."""

    def lets_in(self, key: str) -> bool:
        raise NotImplementedError

    def org_of(self, key: str) -> str | None:
        return super().org_of(key) or (next(iter(self.keys.values())) if self.lets_in(key) else None)


@mutant("auth", "violation")
class A02(_AnyKey):
    """empty key is accepted"""

    def lets_in(self, key: str) -> bool:
        return not key


@mutant("auth", "violation")
class A03(_AnyKey):
    """any wrong key gives 200"""

    def lets_in(self, key: str) -> bool:
        return bool(key)


@mutant("auth", "violation")
class A07(ConformingServer):
    """any value in Authorization is accepted"""

    def authenticate(self, operation: Operation) -> str:
        if operation not in CONTROL_PLANE and request.headers.get("Authorization"):
            return next(iter(self.keys.values()))
        return super().authenticate(operation)


@mutant("auth", "warning")
class A08(ConformingServer):
    """PUT also accepts Authorization (not declared there)"""

    def credentials(self, operation: Operation) -> list[str]:
        return super().credentials("ingress")


@mutant("auth", "violation")
class A12(_AnyKey):
    """key prefix / case-insensitive match accepted"""

    def lets_in(self, key: str) -> bool:
        return bool(key) and any(good.lower().startswith(key.lower()) for good in self.keys)


@mutant("auth", "violation")
class A13(ConformingServer):
    """key with trailing space or dot accepted"""

    def org_of(self, key: str) -> str | None:
        return super().org_of(key.rstrip(" ."))


@mutant("auth", "warning")
class A14(ConformingServer):
    """body is validated before auth (400 for anonymous)"""

    def authenticate(self, operation: Operation) -> str:
        readers: dict[Operation, Callable[[Any], object]] = {
            "put": self.read_definition,
            "ingress": self.read_work,
            "modack": self.read_extension,
        }
        if operation in readers:
            readers[operation](self.read_body(operation))
        return super().authenticate(operation)

    def read_body(self, operation: Operation) -> Any:
        request.get_data(cache=True)
        return super().read_body(operation)


@mutant("auth", "violation")
class A15(ConformingServer):
    """PUT has no auth at all"""

    def authenticate(self, operation: Operation) -> str:
        org_id: str = (request.view_args or {}).get("org_id", "")
        return org_id if operation == "put" else super().authenticate(operation)


@mutant("auth", "violation")
class A16(ConformingServer):
    """bad x-arklow-auth plus good Authorization gives 500"""

    def authenticate(self, operation: Operation) -> str:
        known = [self.org_of(key) is not None for key in self.credentials(operation)]
        if "x-arklow-auth" in request.headers and known == [False, True]:
            crash()
        return super().authenticate(operation)


@mutant("auth", "violation")
class A17(ConformingServer):
    """key accepted from the query string"""

    def credentials(self, operation: Operation) -> list[str]:
        return [*super().credentials(operation), *request.args.values()]


@mutant("auth", "warning")
class A19(ConformingServer):
    """401 message echoes the key and hints a valid one"""

    def authenticate(self, operation: Operation) -> str:
        try:
            return super().authenticate(operation)
        except Refused:
            sent, good = ", ".join(self.credentials(operation)), next(iter(self.keys))
            raise Refused(401, "UNAUTHORIZED", f"{sent!r} is no key, did you mean {good!r}?") from None


# How robust it is


class _CrashesOnBody(ConformingServer):
    """Some bodies are too much."""

    def too_much(self, body: Any) -> bool:
        raise NotImplementedError

    def read_body(self, operation: Operation) -> Any:
        body = super().read_body(operation)
        if self.too_much(body):
            crash()
        return body


def names_in(value: Any) -> set[str]:
    """Every member name at any level of a JSON value."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    return set(value).union(*map(names_in, value.values())) if isinstance(value, dict) else set()


@mutant("robustness", "violation")
class B01(_CrashesOnBody):
    """500 on a non-BMP character"""

    def too_much(self, body: Any) -> bool:
        return max(json.dumps(body, ensure_ascii=False)) > "\uffff"


@mutant("robustness", "warning")
class B09(ConformingServer):
    """1.5 s answer for array payloads"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if isinstance(work.payload, list):
            time.sleep(1.5)
        return work


@mutant("robustness", "violation")
class B13(ConformingServer):
    """405 without Allow"""

    def wrong_method(self, allowed: list[str]) -> Response:
        response = super().wrong_method(allowed)
        del response.headers["Allow"]
        return response


@mutant("robustness", "warning")
class B14(ConformingServer):
    """undeclared methods give 200"""

    def wrong_method(self, allowed: list[str]) -> Response:
        return self.render("none", 200, {"data": None, "errors": None})


@mutant("robustness", "none")
class B15(ConformingServer):
    """undeclared methods give 404, not 405"""

    def wrong_method(self, allowed: list[str]) -> Response:
        return self.refuse("none", Refused(404, "NOT_FOUND", "nothing is here"))


class _CrashesUnreadable(ConformingServer):
    """One kind of unreadable body is too much."""

    code: str

    def unreadable(self, code: str) -> Refused:
        if code == self.code:
            crash()
        return super().unreadable(code)


@mutant("robustness", "violation")
class B19(_CrashesUnreadable):
    """500 on duplicate JSON keys"""

    code = "DUPLICATE_KEY"


@mutant("robustness", "violation")
class B20(_CrashesUnreadable):
    """500 on invalid UTF-8"""

    code = "NOT_UTF8"


@mutant("robustness", "violation")
class B21(_CrashesUnreadable):
    """500 on an empty body with JSON content type"""

    code = "EMPTY_BODY"


@mutant("robustness", "violation")
class B22(_CrashesOnBody):
    """500 on __proto__ / constructor keys"""

    def too_much(self, body: Any) -> bool:
        return bool(names_in(body) & {"__proto__", "constructor"})


@mutant("robustness", "violation")
class B23(ConformingServer):
    """500 on non-ASCII header bytes"""

    def authenticate(self, operation: Operation) -> str:
        if not all(value.isascii() for value in request.headers.values()):
            crash()
        return super().authenticate(operation)


@mutant("robustness", "violation", body="envelope")
class B24(ConformingServer):
    """500 when tags has more than 10 keys"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if len(tags) > 10:
            crash()
        return tags


@mutant("robustness", "violation")
class B25(ConformingServer):
    """500 on a charset parameter"""

    def check_content_type(self, operation: Operation) -> None:
        if "charset" in request.mimetype_params:
            crash()
        super().check_content_type(operation)


@mutant("robustness", "warning")
class B26(ConformingServer):
    """connection dropped for bodies over 64 KB"""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if int(environ.get("CONTENT_LENGTH") or 0) > 65_536:
            raise ConnectionResetError
        return super().__call__(environ, start_response)


@mutant("robustness", "violation")
class B27(ConformingServer):
    """500 on chunked transfer encoding"""

    def read_body(self, operation: Operation) -> Any:
        if "Transfer-Encoding" in request.headers:
            crash()
        return super().read_body(operation)


@mutant("robustness", "violation")
class B28(ConformingServer):
    """500 on version 1.0 (a valid integer)"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        if isinstance(body.get("version"), float) and integer_of(body["version"]) is not None:
            crash()
        return super().version_of(body)

    def definition_version_of(self, body: dict[str, Any]) -> int | None:
        if isinstance(body.get("version"), float) and integer_of(body["version"]) is not None:
            crash()
        return super().definition_version_of(body)


@mutant("robustness", "violation")
class B29(ConformingServer):
    """500 on an empty-string key in the payload"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if "" in names_in(work.payload):
            crash()
        return work


@mutant("robustness", "violation")
class B30(ConformingServer):
    """500 on mod_ack near int64 max"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        seconds = super().seconds_of(body)
        if seconds > 2**62:
            crash()
        return seconds


@mutant("robustness", "violation")
class B32(ConformingServer):
    """500 on ids longer than 19 digits"""

    def id_of(self, body: dict[str, Any]) -> str:
        action_id = super().id_of(body)
        if len(action_id) > 19:
            crash()
        return action_id


@mutant("robustness", "warning")
class B34(ConformingServer):
    """OPTIONS Allow header lists the wrong methods"""

    def options(self, allowed: list[str]) -> Response:
        return super().options(["DELETE", "GET"])


@mutant("robustness", "none")
class B35(ConformingServer):
    """OPTIONS gives 405"""

    def options(self, allowed: list[str]) -> Response:
        return self.wrong_method(allowed)


# How answers look


class _ActionData(ConformingServer):
    """An ingress answer has other data."""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def action_data(self, action: Action) -> dict[str, Any]:
        data = super().action_data(action)
        return data | self.other(data)


@mutant("response-schema", "violation")
class R03(_ActionData):
    """ingress 200: a_id is an integer"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_id": int(data["a_id"])}


@mutant("response-schema", "violation")
class R04(_ActionData):
    """ingress 200: a_id = "act_12" (not digits)"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_id": "act_12"}


@mutant("response-schema", "violation")
class R07(_ActionData):
    """ingress 200: a_ve = "v1" """

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_ve": f"v{data['a_ve']}"}


@mutant("response-schema", "violation")
class R10(_ActionData):
    """ingress 200: queue_s = "succeeded" for a new action (schema says only string)"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"queue_s": "succeeded"}


@mutant("response-schema", "violation", delivery="at-once")
class R11(ConformingServer):
    """modack 200: status = "OK" (enum is "ok")"""

    def modack_answer(self) -> Any:
        return {"data": {"status": "OK"}}


@mutant("response-schema", "violation", delivery="at-once")
class R12(ConformingServer):
    """modack 200: status missing"""

    def modack_answer(self) -> Any:
        return {"data": {}}


class _Success(ConformingServer):
    """The answer to an operation that went well is rendered in another way."""

    operation: Operation

    def spoil(self, response: Response) -> None:
        raise NotImplementedError

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = super().render(operation, status, body)
        if operation == self.operation and status == 200:
            self.spoil(response)
        return response


@mutant("response-schema", "violation", delivery="at-once")
class R13(_Success):
    """modack 200: empty body with JSON content type"""

    operation = "modack"

    def spoil(self, response: Response) -> None:
        response.set_data(b"")


@mutant("response-schema", "violation")
class R15(_Success):
    """ingress 200: no Content-Type header"""

    operation = "ingress"

    def spoil(self, response: Response) -> None:
        del response.headers["Content-Type"]


@mutant("response-schema", "violation")
class R17(_Success):
    """ingress returns undocumented 202"""

    operation = "ingress"

    def spoil(self, response: Response) -> None:
        response.status_code = 202


@mutant("response-schema", "violation", delivery="at-once")
class R18(_Success):
    """modack returns undocumented 204"""

    operation = "modack"

    def spoil(self, response: Response) -> None:
        response.status_code = 204
        response.set_data(b"")
        del response.headers["Content-Type"]


class _Envelope(ConformingServer):
    """Refusals of one status have another envelope."""

    status: int

    def other(self, refused: Refused) -> Any:
        raise NotImplementedError

    def envelope(self, refused: Refused) -> Any:
        return self.other(refused) if refused.status == self.status else super().envelope(refused)

    def with_extra_members(self, body: Any) -> Any:
        with contextlib.suppress(KeyError, TypeError):
            return super().with_extra_members(body)
        return body


@mutant("response-schema", "violation")
class R21(_Envelope):
    """400 envelope: errors is a string"""

    status = 400

    def other(self, refused: Refused) -> Any:
        return {"data": None, "errors": refused.message}


@mutant("response-schema", "violation")
class R22(_Envelope):
    """400 envelope: error item without code"""

    status = 400

    def other(self, refused: Refused) -> Any:
        return {"data": None, "errors": [{"message": refused.message}]}


@mutant("response-schema", "violation")
class R23(_Envelope):
    """400 envelope: code is an integer"""

    status = 400

    def other(self, refused: Refused) -> Any:
        return {"data": None, "errors": [{"code": 4001, "message": refused.message}]}


@mutant("response-schema", "violation")
class R25(ConformingServer):
    """401 is HTML (text/html), not the envelope"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = super().render(operation, status, body)
        if status == 401:
            response.set_data("<!doctype html><title>Unauthorized</title><h1>Unauthorized</h1>")
            response.content_type = "text/html; charset=utf-8"
        return response


@mutant("response-schema", "violation")
class R26(_Envelope):
    """401 envelope lacks errors"""

    status = 401

    def other(self, refused: Refused) -> Any:
        return {"data": None}


@mutant("response-schema", "violation", stale=409)
class R28(_Envelope):
    """409 envelope: data not null"""

    status = 409

    def other(self, refused: Refused) -> Any:
        return {"data": {}, "errors": [{"code": refused.code, "message": refused.message}]}


class _DefinitionData(ConformingServer):
    """A definition is answered with other data."""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def definition_data(self, definition: Definition) -> dict[str, Any]:
        data = super().definition_data(definition)
        return data | self.other(data)


@mutant("response-schema", "violation")
class R30(_DefinitionData):
    """PUT 200: version is a string"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"version": str(data["version"])}


@mutant("response-schema", "violation")
class R31(_DefinitionData):
    """PUT 200: alias is null"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"alias": None}


@mutant("response-schema", "violation", destinations=True)
class R32(ConformingServer):
    """PUT 200: destination link lacks action_definition_id"""

    def link(self, definition: Definition) -> dict[str, Any]:
        link = super().link(definition)
        del link["action_definition_id"]
        return link


@mutant("response-schema", "violation", destinations=True)
class R33(ConformingServer):
    """PUT 200: extra key in destination config (additionalProperties:false)"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"retries": 3}


@mutant("response-schema", "violation", destinations=True)
class R34(ConformingServer):
    """PUT 200: destination type not in enum"""

    def destination(self, definition: Definition) -> dict[str, Any]:
        return super().destination(definition) | {"type": "carrier_pigeon"}


@mutant("response-schema", "violation")
class R35(_DefinitionData):
    """PUT 200: deleted_at = "yesterday" (format date-time)"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"deleted_at": "yesterday"}


@mutant("response-schema", "violation")
class R40(_Success):
    """ingress 200: truncated JSON body"""

    operation = "ingress"

    def spoil(self, response: Response) -> None:
        response.set_data(response.get_data()[:-4])


@mutant("response-schema", "violation")
class R41(_Success):
    """ingress 200: NaN literal in the JSON body"""

    operation = "ingress"

    def spoil(self, response: Response) -> None:
        response.set_data(response.get_data()[:-1] + b', "took": NaN}')


@mutant("response-schema", "violation")
class R43(_Success):
    """ingress 200: body starts with a UTF-8 BOM"""

    operation = "ingress"

    def spoil(self, response: Response) -> None:
        response.set_data(b"\xef\xbb\xbf" + response.get_data())


@mutant("response-schema", "warning")
class R45(ConformingServer):
    """400 message leaks a stack trace"""

    def envelope(self, refused: Refused) -> Any:
        if refused.status == 400:
            trace = 'Traceback (most recent call last):\n  File "/srv/arklow/app.py", line 71, in serve\n'
            refused.message = f"{trace}ValueError: {refused.message}"
        return super().envelope(refused)


@mutant("response-schema", "violation")
class R46(_DefinitionData):
    """PUT 200: org_id is an integer"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"org_id": int(data["org_id"])}


@mutant("response-schema", "violation")
class R47(_ActionData):
    """ingress 200: a_va is null"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_va": None}


@mutant("response-schema", "violation")
class R50(_Success):
    """ingress 200: Latin-1 bytes labelled JSON"""

    operation = "ingress"

    def spoil(self, response: Response) -> None:
        response.set_data(response.get_data()[:-1] + ', "node": "Zürich"}'.encode("latin-1"))


@mutant("response-schema", "warning", destinations=True)
class R53(ConformingServer):
    """PUT 200: destination url is not a URI (format uri)"""

    def destination_config(self) -> dict[str, Any]:
        return super().destination_config() | {"url": "not a uri"}


# What is remembered


@mutant("state", "violation")
class S01(ConformingServer):
    """modack on an unknown id gives 200"""

    def do_modack(self) -> Any:
        try:
            return super().do_modack()
        except Refused as refused:
            if refused.status != 404:
                raise
            return self.modack_answer()


@mutant("state", "violation", delivery="at-once")
class S04(ConformingServer):
    """stale attempt accepted"""

    def reject_attempt(self, stale: bool) -> None:
        if not stale:
            super().reject_attempt(stale)


@mutant("state", "violation", delivery="at-once")
class S05(ConformingServer):
    """future attempt accepted"""

    def reject_attempt(self, stale: bool) -> None:
        if stale:
            super().reject_attempt(stale)


@mutant("state", "warning", delivery="at-once")
class S06(ConformingServer):
    """stale attempt gives 404 instead of 409"""

    def reject_attempt(self, stale: bool) -> None:
        if stale:
            raise Refused(404, "STALE_ATTEMPT", "the attempt is not the current one")
        super().reject_attempt(stale)


@mutant("state", "violation", operations="all", delivery="at-once")
class S07(ConformingServer):
    """modack on a settled action accepted (double settle)"""

    def check_unfinished(self, action: Action) -> None:
        if request.endpoint != "modack":
            super().check_unfinished(action)

    def check_attempt(self, action: Action, attempt: int) -> None:
        if action.status not in TERMINAL:
            super().check_attempt(action, attempt)


@mutant("state", "none", upsert="keep")
class S08(ConformingServer):
    """changed PUT does not bump the version"""


@mutant("state", "warning", upsert="bump")
class S09(ConformingServer):
    """changed PUT bumps the version twice"""

    def bumped(self, version: int) -> int:
        return version + 2


@mutant("state", "warning", alias="steal")
class S11(ConformingServer):
    """alias already owned by another definition is stolen silently"""


@mutant("state", "warning", alias_first=False)
class S13(ConformingServer):
    """variant name wins over alias (docs say alias wins)"""


@mutant("state", "violation", upsert="bump")
class S15(ConformingServer):
    """ingress reports a stale a_ve after a PUT (cache)"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        cache: dict[tuple[str, str], int] = self.__dict__.setdefault("cache", {})
        if sent is not None:
            return super().choose_version(definition, sent)
        return cache.setdefault((definition.org_id, definition.variant), definition.version)


@mutant("state", "warning", a_va="as-asked")
class S16(ConformingServer):
    """a_va echoes the alias, not the canonical variant"""


class Raced(ConformingServer):
    """Between two steps of one request there is a window for others."""

    window = 0.003

    def pause(self) -> None:
        """Lets others in for the window's seconds; called with all state held."""
        self.lock.release()
        time.sleep(self.window)
        self.lock.acquire()


@mutant("state", "violation")
class S20(Raced):
    """duplicate a_ids under concurrency"""

    def new_id(self) -> str:
        found = self.last_id or int(super().new_id())
        self.pause()
        self.last_id = found + 1
        return str(self.last_id)


@mutant("state", "violation", delivery="at-once")
class S23(ConformingServer):
    """mod_ack read as milliseconds"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds / 1000)


@mutant("state", "none", extend_from="deadline", delivery="at-once")
class S24(ConformingServer):
    """mod_ack added to the old deadline, not to now"""


@mutant("state", "violation")
class S28(ConformingServer):
    """identical payloads are deduplicated (same a_id)"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        seen: dict[str, Action] = self.__dict__.setdefault("seen", {})
        key = json.dumps([definition.id, canonical(work.payload)], sort_keys=True)
        if key not in seen:
            seen[key] = super().accept(definition, version, posted_as, work)
        return seen[key]


@mutant("state", "violation")
class S29(_ActionData):
    """a_def_id equals a_id (mixed up)"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_def_id": data["a_id"]}


@mutant("state", "violation")
class S32(ConformingServer):
    """a 401 PUT is stored anyway"""

    def do_put(self, org_id: str) -> Any:
        try:
            return super().do_put(org_id)
        except Refused as refused:
            if refused.status == 401:
                with contextlib.suppress(Refused):
                    self.store(org_id, self.read_definition(self.read_body("put")))
            raise


@mutant("state", "violation")
class S33(ConformingServer):
    """every 50th request gives 500"""

    def handle(self, operation: Operation, step: Callable[[], Any]) -> Response:
        with self.lock:
            count = self.__dict__["count"] = self.__dict__.get("count", 0) + 1
        return super().handle(operation, crash if count % 50 == 0 else step)


@mutant("state", "warning")
class S35(ConformingServer):
    """new action invisible for 200 ms (404)"""

    def find(self, org: str, action_id: str) -> Action:
        action = super().find(org, action_id)
        if self.now() < action.accepted + 0.2:
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action


@mutant("state", "violation")
class S36(ConformingServer):
    """actions evicted after 20 newer ones"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        for old in list(self.actions)[:-20]:
            del self.actions[old]
        return action


@mutant("state", "violation")
class S37(ConformingServer):
    """PUT answers with the previous version of the definition"""

    def store(self, org: str, requested: RequestedDefinition) -> Definition:
        before = self.definitions.get((org, requested.variant))
        before = before and replace(before)
        after = super().store(org, requested)
        return before or after


@mutant("state", "violation")
class S39(_DefinitionData):
    """PUT answers with another org's org_id"""

    def other(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"org_id": data["org_id"] + "9"}


@mutant("state", "violation", delivery="at-once")
class S41(ConformingServer):
    """each modack bumps the attempt counter"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds)
        action.attempt += 1


@mutant("state", "violation", delivery="at-once")
class S42(ConformingServer):
    """modack extends the wrong action"""

    def extend(self, action: Action, seconds: float) -> None:
        others = [other for other in self.actions.values() if other is not action]
        super().extend(others[-1] if others else action, seconds)


@mutant("state", "violation")
class S43(ConformingServer):
    """all state is lost after any 4xx"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        if 400 <= status < 500:
            with self.lock:
                self.definitions.clear()
                self.actions.clear()
        return super().render(operation, status, body)


# What is accepted


@mutant("validation", "warning", body="envelope")
class V01(ConformingServer):
    """ingress accepts a body without payload"""

    def payload_of(self, body: dict[str, Any]) -> Any:
        return body.get("payload")


class _Version(ConformingServer):
    """Some versions on ingress that are none mean the current one, in every body that has members."""

    def lets_pass(self, version: Any) -> bool:
        raise NotImplementedError

    def version_of(self, body: dict[str, Any]) -> int | None:
        if "version" in body and self.lets_pass(body["version"]):
            return None
        return super().version_of(body)


@mutant("validation", "warning", body="envelope")
class V02(_Version):
    """ingress accepts version 0"""

    def lets_pass(self, version: Any) -> bool:
        return integer_of(version) == 0


@mutant("validation", "warning", body="envelope")
class V03(_Version):
    """ingress accepts negative versions"""

    def lets_pass(self, version: Any) -> bool:
        return (integer_of(version) or 0) < 0


@mutant("validation", "warning", body="envelope")
class V04(_Version):
    """ingress accepts version 2^31 (over int32)"""

    def lets_pass(self, version: Any) -> bool:
        return (integer_of(version) or 0) > INT32


@mutant("validation", "violation", body="envelope")
class V05(ConformingServer):
    """ingress accepts version "1" (string coerced)"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        version = body.get("version")
        if isinstance(version, str) and re.fullmatch("[0-9]{1,9}", version):
            body = body | {"version": int(version)}
        return super().version_of(body)


@mutant("validation", "warning", body="envelope")
class V06(ConformingServer):
    """ingress accepts version 1.5 (truncated)"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        if isinstance(body.get("version"), float):
            body = body | {"version": int(body["version"])}
        return super().version_of(body)


@mutant("validation", "violation", body="envelope")
class V07(_Version):
    """ingress accepts version true"""

    def lets_pass(self, version: Any) -> bool:
        return version is True


@mutant("validation", "violation", body="envelope")
class V08(_Version):
    """ingress accepts version null"""

    def lets_pass(self, version: Any) -> bool:
        return version is None


@mutant("validation", "violation", body="envelope")
class V10(ConformingServer):
    """ingress accepts tags as an array"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        return {} if isinstance(body.get("tags"), list) else super().tags_of(body)


@mutant("validation", "violation", body="envelope")
class V11(ConformingServer):
    """ingress accepts tags null"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        return {} if body.get("tags") is None else super().tags_of(body)


@mutant("validation", "violation", delivery="at-once")
class V13(ConformingServer):
    """modack accepts missing attempt"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        return super().attempt_of({"attempt": 0} | body)


@mutant("validation", "violation", delivery="at-once")
class V14(ConformingServer):
    """modack accepts missing mod_ack"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        return super().seconds_of({"mod_ack": 60} | body)


@mutant("validation", "violation", delivery="at-once")
class V18(ConformingServer):
    """modack accepts negative mod_ack"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        seconds = integer_of(body.get("mod_ack"))
        return seconds if seconds is not None and seconds < 0 else super().seconds_of(body)


@mutant("validation", "violation", delivery="at-once")
class V21(ConformingServer):
    """modack accepts id + trailing newline ($ regex slip)"""

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        if isinstance(value, str) and re.match("^[0-9]+$", value):
            return value.removesuffix("\n")
        return super().id_of(body)


@mutant("validation", "violation", delivery="at-once")
class V22(ConformingServer):
    """modack accepts full-width Unicode digits"""

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        if isinstance(value, str) and value.isdecimal():
            value = "".join(str(int(digit)) for digit in value)
        return super().id_of(body | {"action_record_id": value})


@mutant("validation", "violation")
class V24(ConformingServer):
    """PUT accepts missing schema"""

    def schema_of(self, body: dict[str, Any]) -> Any:
        return body.get("schema", {})


@mutant("validation", "violation")
class V25(ConformingServer):
    """PUT accepts alias as a string"""

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if isinstance(body.get("alias"), str):
            return [body["alias"]]
        return super().alias_of(body)


@mutant("validation", "violation")
class V26(ConformingServer):
    """PUT accepts non-string alias items"""

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if isinstance(body.get("alias"), list):
            return [item if isinstance(item, str) else json.dumps(item) for item in body["alias"]]
        return super().alias_of(body)


@mutant("validation", "violation")
class V27(ConformingServer):
    """PUT accepts version as a string"""

    def definition_version_of(self, body: dict[str, Any]) -> int | None:
        version = body.get("version")
        if isinstance(version, str):
            body = body | {"version": int(version) if re.fullmatch("[0-9]{1,9}", version) else 1}
        return super().definition_version_of(body)


@mutant("validation", "warning")
class V34(ConformingServer):
    """NaN/Infinity literals accepted"""

    def constant(self, literal: str) -> Any:
        return None


@mutant("validation", "warning")
class V35(ConformingServer):
    """trailing garbage after the JSON document accepted"""

    def load(self, text: str) -> Any:
        try:
            return super().load(text)
        except json.JSONDecodeError as error:
            if error.msg != "Extra data":
                raise
            return super().load(text[: error.pos])


@mutant("validation", "violation")
class V37(ConformingServer):
    """empty body accepted"""

    def decode(self, raw: bytes) -> str:
        if not raw and request.endpoint == "ingress":
            return '{"payload": null}'
        return super().decode(raw)


@mutant("validation", "none")
class V40(ConformingServer):
    """missing Content-Type accepted"""

    def check_content_type(self, operation: Operation) -> None:
        if request.headers.get("Content-Type"):
            super().check_content_type(operation)


@mutant("validation", "violation")
class V41(ConformingServer):
    """valid payload: null rejected"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if work.payload is None:
            raise bad_request("payload is missing")
        return work


@mutant("validation", "violation")
class V43(ConformingServer):
    """valid attempt 0 rejected with 400"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        if not (attempt := super().attempt_of(body)):
            raise bad_request("attempt is missing")
        return attempt


@mutant("validation", "violation")
class V45(ConformingServer):
    """non-ASCII variant rejected"""

    def read_definition(self, body: Any) -> RequestedDefinition:
        requested = super().read_definition(body)
        if not requested.variant.isascii():
            raise bad_request("variant is not ASCII")
        return requested

    def resolve(self, org: str, variant: str) -> Definition:
        if not variant.isascii():
            raise bad_request("variant is not ASCII")
        return super().resolve(org, variant)


@mutant("validation", "violation", body="envelope")
class V46(ConformingServer):
    """empty tags object rejected"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        if not (tags := super().tags_of(body)) and "tags" in body:
            raise bad_request("tags is empty")
        return tags


@mutant("validation", "warning")
class V49(ConformingServer):
    """modack skips the id pattern (bad ids give 404, not 400)"""

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        return value if isinstance(value, str) else super().id_of(body)


@mutant("validation", "violation", delivery="at-once")
class V50(ConformingServer):
    """modack accepts attempt over int32"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        attempt = integer_of(body.get("attempt"))
        return super().attempt_of(body | {"attempt": 0} if (attempt or 0) > INT32 else body)
