"""A server that keeps every promise of the document, written without a look at any other one."""

from __future__ import annotations

import json
import math
import re
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from flask import Flask, Response, request
from jsonschema import Draft202012Validator
from referencing import Registry
from werkzeug.exceptions import HTTPException, MethodNotAllowed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Operation = Literal["put", "ingress", "modack", "ack", "nack", "defer", "records", "record", "none"]
Status = Literal["queued", "held", "deferred", "retrying", "scheduled", "succeeded", "failed"]

INT32 = 2**31 - 1
INT64 = 2**63 - 1
DIGITS = re.compile("[0-9]+")
LEASE = 60.0
LIFETIME = 86_400.0
BACK_OFF = 1.0
DEEPEST = 200
LONGEST_VERSION = 4_000
EPOCH_MS = 1_262_304_000_000
KEYS = {"good-key-one": "1", "good-key-two": "2"}
CONTROL: set[Operation] = {"put", "records", "record"}
SETTLING = {"action_record_id", "attempt"}
DONE: set[Status] = {"succeeded", "failed"}
SHORTEST_LONG_ID = 10**24


@dataclass(frozen=True)
class Choices:
    """The interpretations a server may choose where the pages are silent or contradict one another."""

    unknown_variant: Literal["refuse", "create"] = "refuse"
    """Work for a variant nobody defined is 400, or defines it with an open schema (Q6)."""
    bad_version: Literal["latest", "refuse"] = "latest"
    """A version that is not stored falls back to the current one, or is 400 (C4)."""
    body: Literal["envelope", "raw-without-payload", "raw"] = "envelope"
    """A body without payload is 400, or is the payload; or every body is the payload (C1)."""
    upsert: Literal["bump", "always-bump", "keep"] = "bump"
    """A changed PUT adds one; every PUT does; or only a version that is sent counts (Q5)."""
    alias: Literal["refuse", "steal"] = "refuse"
    """An alias of another definition is 409, or goes to who asked last (C5)."""
    alias_first: bool = True
    """An alias outranks a variant of the same name, or gives way to it (C5)."""
    a_va: Literal["variant", "as-asked"] = "variant"
    """Under an alias the answer names the definition's variant, or the alias."""
    extend_from: Literal["now", "deadline"] = "now"
    """Seconds of mod_ack count from now, or from the deadline that stands (Q8)."""
    delivery: Literal["at-once", "never"] = "at-once"
    """A built-in worker holds each action at once for 60 s, or nobody ever does (Q24)."""
    control_refusals: Literal["4xx", "422", "200-null"] = "4xx"
    """PUT refuses with 400 and its like, with 422 for 400, or with 200 and null data (Q1)."""
    negative_version: Literal["refuse", "accept"] = "refuse"
    """A negative version on PUT is refused, or stored and answered (C16)."""
    extra_members: bool = False
    """Answers have members that the document does not name."""
    html_404: bool = False
    """Paths that are not routed get a page instead of JSON."""
    enforce_schema: bool = True
    """A payload that breaks its definition's schema is 400 (C6)."""
    ids: Literal["snowflake", "small", "long"] = "snowflake"
    """Ids have 19 digits, or count from 1, or have 25 digits in no order (Q11)."""
    www_authenticate: bool = True
    """A 401 says which scheme is asked for (RFC 9110 11.6.1)."""
    stale: Literal[409, 404] = 409
    """The status for an attempt that is not the current one (Q2)."""
    foreign_org: Literal[403, 404] = 403
    """The status of PUT on another organisation's path (Q10)."""
    destinations: bool = False
    """Definitions have one linked destination."""
    operations: Literal["three", "all"] = "three"
    """Only the published operations, or ack, nack, defer and the records as well."""
    second_ack: Literal["refuse", "ok"] = "refuse"
    """An ack of the attempt that was acked is 409, or 200 and nothing more (Q3)."""
    nack_after_defer: Literal["refuse", "ignore"] = "refuse"
    """A nack of deferred work is 409, or 200 and nothing more (Q7)."""
    update_id: Literal["stays", "changes"] = "stays"
    """A definition keeps its id, or a PUT that changes it gives it another one (Q5)."""
    lower_version: Literal["stored", "refused", "ignored"] = "stored"
    """A PUT with a version below the current one sets it, is 409, or counts as one without (Q5)."""
    omitted_alias: Literal["kept", "emptied"] = "kept"
    """A PUT without alias leaves the aliases, or takes them away."""
    extra_request_members: Literal["ignored", "refused"] = "ignored"
    """Members that the document does not name have no effect, or are 400 (B044)."""
    first_delivery: float = 0.0
    """Seconds until attempt 0 is delivered; before that every attempt is 409 (Q4)."""
    bad_schema: Literal["stored", "refused"] = "stored"
    """An object that is no JSON Schema is stored and never applied, or is refused on PUT (Q19)."""
    chunked_answers: bool = False
    """Answers are chunked instead of having a length."""
    key_order: bool = False
    """Members come in another order, one on each line."""
    error_texts: Literal["english", "german"] = "english"
    """Refusals are worded in one way or another, code and message (Q9)."""


PLAIN = Choices()


class Refused(Exception):  # noqa: N818
    """A request that is not served, and why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Definition:
    """What may be asked under a variant; every version keeps its schema."""

    id: str
    org_id: str
    variant: str
    version: int
    alias: list[str]
    schema: Any
    versions: dict[int, Any] = field(default_factory=dict)


@dataclass
class Action:
    """Accepted work, its attempt, and until when its status stands (seconds since 1970)."""

    id: str
    definition: Definition
    version: int
    asked: str
    work: Work
    accepted: float
    deadline: float
    attempt: int = 0
    status: Status = "queued"
    acked: bool = False
    started: float | None = None
    completed: float | None = None
    updated: float = 0.0
    error: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ends(self) -> float:
        return self.accepted + LIFETIME

    @property
    def public_status(self) -> str:
        return "ack_wait" if self.status in ("held", "deferred") else self.status


@dataclass(frozen=True)
class Wanted:
    """A definition as a PUT asks for it; what was not sent is None."""

    variant: str
    schema: Any
    version: int | None
    alias: list[str] | None


@dataclass(frozen=True)
class Work:
    """An ingress body, read."""

    payload: Any
    tags: dict[str, str]
    version: int | None
    metadata: Any = None


@dataclass(frozen=True)
class Signal:
    """A modack body, read."""

    action_id: str
    attempt: int
    seconds: int


@dataclass(frozen=True)
class Terms:
    """What a nack asks for."""

    retry_at: int | None = None
    retry: bool = True


@dataclass(frozen=True)
class Settlement:
    """A body of ack, nack or defer, read; terms are a nack's."""

    action_id: str
    attempt: int
    terms: Terms


@dataclass(frozen=True)
class Page:
    """Which records are asked for."""

    take: int = 20
    skip: int = 0
    count_only: bool = False
    ascending: bool = False


def bad(message: str) -> Refused:
    """A body or parameter that the document does not allow."""
    return Refused(400, "INVALID_REQUEST", message)


def whole(value: Any) -> int | None:
    """The integer that a JSON value is, `1.0` too; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def canonical(value: Any) -> Any:
    """A form in which two JSON values are equal exactly when they are the same value."""
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, bool):
        return ("bool", value)
    return value


def reordered(value: Any) -> Any:
    """The same value, the members of its objects from the last to the first."""
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def depth(value: Any) -> int:
    """How many levels of arrays and objects a value has."""
    levels, row = 0, [value]
    while row := [item for item in row if isinstance(item, dict | list)]:
        levels += 1
        row = [inner for item in row for inner in (item.values() if isinstance(item, dict) else item)]
    return levels


def compiled(schema: Any) -> Draft202012Validator | None:
    """A validator, when the schema is an object that can be one; no reference is ever fetched."""
    try:
        Draft202012Validator.check_schema(schema)
    except Exception:
        return None
    if not isinstance(schema, dict):
        return None
    return Draft202012Validator(schema, registry=Registry())


def moment(seconds: float | None) -> str | None:
    """A time as the control plane writes it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def breaks(payload: Any, schema: Any) -> bool:
    """Whether a payload breaks a schema; one that cannot be applied is never broken."""
    validator = compiled(schema)
    try:
        return validator is not None and not validator.is_valid(payload)
    except Exception:
        return False


class ConformingServer:
    """The honest server; each step is a method, so that a mutant is a subclass with one step changed."""

    def __init__(
        self,
        choices: Choices = PLAIN,
        keys: dict[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.choices = choices
        self.keys = KEYS if keys is None else keys
        self.clock = clock
        self.lock = threading.RLock()
        self.last_id = 0
        self.issued: set[int] = set()
        self.definitions: dict[tuple[str, str], Definition] = {}
        self.actions: dict[str, Action] = {}
        self.flask = self.routed()

    def routed(self) -> Flask:
        flask = Flask("conforming variant", static_folder=None)
        flask.url_map.merge_slashes = False
        for path, method, view in self.routes():
            flask.add_url_rule(path, view.__name__, view, methods=[method], provide_automatic_options=False)
        flask.register_error_handler(HTTPException, self.unrouted)
        flask.register_error_handler(Exception, self.broken)
        return flask

    def routes(self) -> list[tuple[str, str, Callable[..., Response]]]:
        published: list[tuple[str, str, Callable[..., Response]]] = [
            ("/v1/orgs/<org_id>/actions/definitions", "PUT", self.put),
            ("/v1/ingress/<variant>", "POST", self.ingress),
            ("/v1/modack", "POST", self.modack),
        ]
        if self.choices.operations == "three":
            return published
        return [
            *published,
            ("/v1/ack", "POST", self.ack),
            ("/v1/nack", "POST", self.nack),
            ("/v1/defer", "POST", self.defer),
            ("/v1/orgs/<org_id>/actions/records", "GET", self.records),
            ("/v1/orgs/<org_id>/actions/records/<record_id>", "GET", self.record),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.flask(environ, start_response)

    # The published operations

    def put(self, org_id: str) -> Response:
        return self.served("put", lambda: self.do_put(org_id))

    def do_put(self, org_id: str) -> Any:
        org = self.authenticate("put")
        self.check_org(org, org_id)
        wanted = self.read_definition(self.read_body("put"))
        with self.exclusive():
            return self.put_answer(self.store(org, wanted))

    def ingress(self, variant: str) -> Response:
        return self.served("ingress", lambda: self.do_ingress(variant))

    def do_ingress(self, variant: str) -> Any:
        org = self.authenticate("ingress")
        work = self.read_work(self.read_body("ingress"))
        with self.exclusive():
            definition = self.resolve(org, variant)
            version = self.choose_version(definition, work.version)
            self.check_payload(work.payload, definition.versions[version])
            return self.ingress_answer(self.accept(definition, version, variant, work))

    def modack(self) -> Response:
        return self.served("modack", self.do_modack)

    def do_modack(self) -> Any:
        org = self.authenticate("modack")
        signal = self.read_signal(self.read_body("modack"))
        with self.exclusive():
            action = self.find(org, signal.action_id)
            self.elapse(action)
            self.check_unfinished(action)
            self.check_attempt(action, signal.attempt)
            self.extend(action, signal.seconds)
            return self.modack_answer()

    # The other operations

    def ack(self) -> Response:
        return self.served("ack", lambda: self.do_settle("ack"))

    def nack(self) -> Response:
        return self.served("nack", lambda: self.do_settle("nack"))

    def defer(self) -> Response:
        return self.served("defer", lambda: self.do_settle("defer"))

    def do_settle(self, operation: Operation) -> Any:
        org = self.authenticate(operation)
        settlement = self.read_settlement(operation, self.read_body(operation))
        with self.exclusive():
            action = self.find(org, settlement.action_id)
            self.elapse(action)
            if not self.is_repeated(operation, action, settlement.attempt):
                self.check_unfinished(action)
                self.check_attempt(action, settlement.attempt)
                self.settle(operation, action, settlement.terms)
            return self.settle_answer()

    def records(self, org_id: str) -> Response:
        return self.served("records", lambda: self.do_records(org_id))

    def do_records(self, org_id: str) -> Any:
        org = self.authenticate("records")
        self.check_org(org, org_id)
        page = self.read_page()
        with self.exclusive():
            return self.records_answer(self.actions_of(org), page)

    def record(self, org_id: str, record_id: str) -> Response:
        return self.served("record", lambda: self.do_record(org_id, record_id))

    def do_record(self, org_id: str, record_id: str) -> Any:
        org = self.authenticate("record")
        self.check_org(org, org_id)
        with self.exclusive():
            action = self.find(org, record_id)
            self.elapse(action)
            return self.record_answer(action)

    # Who asks

    def credentials(self, operation: Operation) -> list[str]:
        """What the request offers in the headers that this operation reads."""
        names = ["x-arklow-auth"] if operation in CONTROL else ["x-arklow-auth", "authorization"]
        return [request.headers[name].strip(" \t") for name in names if name in request.headers]

    def org_of(self, key: str) -> str | None:
        return self.keys.get(key)

    def authenticate(self, operation: Operation) -> str:
        """The organisation of the first good key; one good key beside a bad one is enough."""
        for key in self.credentials(operation):
            if (org := self.org_of(key)) is not None:
                return org
        raise self.unauthorized()

    def unauthorized(self) -> Refused:
        return Refused(401, "UNAUTHORIZED", "a valid key is needed")

    def check_org(self, org: str, org_id: str) -> None:
        if not DIGITS.fullmatch(org_id):
            raise bad("org_id is not made of digits")
        if org != org_id:
            raise Refused(
                self.choices.foreign_org, "FOREIGN_ORGANISATION", "the key is not of this organisation"
            )

    # How a body is read

    def read_body(self, operation: Operation) -> Any:
        self.check_content_type(operation)
        return self.parse(self.decode(request.get_data(cache=False)))

    def check_content_type(self, operation: Operation) -> None:
        if request.mimetype != "application/json":
            status = 415 if operation == "put" else 400
            raise Refused(status, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json")

    def unreadable(self, code: str) -> Refused:
        return Refused(400, code, "the body cannot be read as JSON")

    def decode(self, raw: bytes) -> str:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise self.unreadable("NOT_UTF8") from None
        if text.startswith("\ufeff"):
            raise self.unreadable("NOT_UTF8")
        if not text.strip(" \t\r\n"):
            raise self.unreadable("EMPTY_BODY")
        return text

    def parse(self, text: str) -> Any:
        try:
            value = self.load(text)
            if "\\ud" in text.lower():
                json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise self.unreadable("LONE_SURROGATE") from None
        except RecursionError:
            raise self.unreadable("TOO_DEEP") from None
        except ValueError:
            raise self.unreadable("MALFORMED_JSON") from None
        if text.count("[") + text.count("{") > DEEPEST and depth(value) > DEEPEST:
            raise self.unreadable("TOO_DEEP")
        return value

    def load(self, text: str) -> Any:
        return json.loads(
            text,
            object_pairs_hook=self.members,
            parse_constant=self.constant,
            parse_float=self.fraction,
        )

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise self.unreadable("DUPLICATE_KEY")
        return found

    def constant(self, literal: str) -> Any:
        raise self.unreadable("NOT_A_NUMBER")

    def fraction(self, literal: str) -> float:
        if math.isinf(value := float(literal)):
            raise self.unreadable("NUMBER_OUT_OF_RANGE")
        return value

    def check_members(self, body: dict[str, Any], named: set[str]) -> None:
        if self.choices.extra_request_members == "refused" and not body.keys() <= named:
            raise bad("the body has a member that is not known")

    # Definitions

    def read_definition(self, body: Any) -> Wanted:
        if not isinstance(body, dict):
            raise bad("the body is not an object")
        if not isinstance(body.get("variant"), str):
            raise bad("variant is not a string")
        self.check_members(body, {"variant", "schema", "version", "alias"})
        return Wanted(
            body["variant"], self.schema_of(body), self.definition_version_of(body), self.alias_of(body)
        )

    def schema_of(self, body: dict[str, Any]) -> Any:
        if "schema" not in body:
            raise bad("schema is missing")
        schema = body["schema"]
        if self.choices.bad_schema == "refused" and isinstance(schema, dict) and compiled(schema) is None:
            raise bad("schema is no JSON Schema")
        return schema

    def definition_version_of(self, body: dict[str, Any]) -> int | None:
        if "version" not in body:
            return None
        if (version := whole(body["version"])) is None:
            raise bad("version is not an integer")
        if version < 0 and self.choices.negative_version == "refuse":
            raise bad("version is negative")
        if abs(version) >= 10**LONGEST_VERSION:
            raise bad("version is too long")
        return version

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if "alias" not in body:
            return None
        alias = body["alias"]
        if not isinstance(alias, list) or not all(isinstance(item, str) for item in alias):
            raise bad("alias is not an array of strings")
        return alias

    def store(self, org: str, wanted: Wanted) -> Definition:
        definition = self.definitions.get((org, wanted.variant))
        if definition is not None:
            wanted = self.heeded(definition, wanted)
        self.claim(org, definition, wanted.alias or [])
        if definition is None:
            return self.define(org, wanted)
        self.update(definition, wanted)
        return definition

    def heeded(self, definition: Definition, wanted: Wanted) -> Wanted:
        """What counts of a PUT to a definition that is there."""
        if wanted.alias is None and self.choices.omitted_alias == "emptied":
            wanted = replace(wanted, alias=[])
        if wanted.version is None or wanted.version >= definition.version:
            return wanted
        if self.choices.lower_version == "refused":
            raise Refused(409, "LOWER_VERSION", "the definition has a higher version")
        return replace(wanted, version=None) if self.choices.lower_version == "ignored" else wanted

    def claim(self, org: str, own: Definition | None, names: list[str]) -> None:
        """Nobody else has these aliases from here on, or the PUT is refused."""
        for other in self.definitions.values():
            if other.org_id != org or other is own or not (taken := set(names) & set(other.alias)):
                continue
            if self.choices.alias == "refuse":
                raise Refused(409, "ALIAS_TAKEN", "another definition has this alias")
            other.alias = [name for name in other.alias if name not in taken]

    def define(self, org: str, wanted: Wanted) -> Definition:
        version = 1 if wanted.version is None else wanted.version
        definition = Definition(
            self.new_id(), org, wanted.variant, version, wanted.alias or [], wanted.schema
        )
        definition.versions[version] = wanted.schema
        self.definitions[org, wanted.variant] = definition
        return definition

    def update(self, definition: Definition, wanted: Wanted) -> None:
        alias = definition.alias if wanted.alias is None else wanted.alias
        same_schema = canonical(definition.schema) == canonical(wanted.schema)
        changed = alias != definition.alias or not same_schema
        version = self.next_version(definition.version, wanted.version, changed)
        if self.choices.update_id == "changes" and (changed or version != definition.version):
            definition.id = self.new_id()
        definition.version = version
        definition.alias, definition.schema = alias, wanted.schema
        definition.versions[definition.version] = wanted.schema

    def next_version(self, current: int, sent: int | None, changed: bool) -> int:
        if sent is not None:
            return sent
        always, never = self.choices.upsert == "always-bump", self.choices.upsert == "keep"
        return self.bumped(current) if always or (changed and not never) else current

    def bumped(self, version: int) -> int:
        return version + 1

    def put_answer(self, definition: Definition) -> Any:
        return {"data": self.definition_data(definition), "errors": None}

    def definition_data(self, definition: Definition) -> dict[str, Any]:
        data = {
            "id": definition.id,
            "org_id": definition.org_id,
            "variant": definition.variant,
            "version": definition.version,
            "alias": definition.alias,
            "schema": definition.schema,
            "deleted_at": None,
            "destinations": [],
        }
        if self.choices.destinations:
            data["destinations"] = [self.link(definition)]
        return data

    def link(self, definition: Definition) -> dict[str, Any]:
        return {
            "id": "71",
            "action_definition_id": definition.id,
            "destination_id": "72",
            "org_id": definition.org_id,
            "is_default": True,
            "destination": self.destination(definition),
        }

    def destination(self, definition: Definition) -> dict[str, Any]:
        return {
            "id": "72",
            "org_id": definition.org_id,
            "updated_at": "2026-07-22T09:30:00.000Z",
            "deleted_at": None,
            "label": "orders",
            "tags": {"region": "eu"},
            "credential_id": None,
            "type": "webhook",
            "config": self.destination_config(),
        }

    def destination_config(self) -> dict[str, Any]:
        return {
            "url": "https://example.com/hook",
            "headers": {"x-team": "orders"},
            "signaling": {"enabled": True, "default": "ack"},
            "response_time_sla_ms": 5000,
        }

    # Accepting work

    def read_work(self, body: Any) -> Work:
        enveloped = isinstance(body, dict) and "payload" in body
        if self.choices.body == "raw" or (self.choices.body == "raw-without-payload" and not enveloped):
            return Work(body, self.query_tags(), self.query_version())
        if not isinstance(body, dict):
            raise bad("the body is not an object")
        self.check_members(body, {"payload", "metadata", "tags", "version"})
        tags = self.tags_of(body)
        payload, version = self.payload_of(body), self.version_of(body)
        return Work(payload, tags | self.query_tags(), version, body.get("metadata"))

    def query_tags(self) -> dict[str, str]:
        return {name[4:]: value for name, value in request.args.items() if name.startswith("tag.")}

    def query_version(self) -> int | None:
        text = request.args.get("version", "")
        return int(text) if re.fullmatch("[0-9]{1,10}", text) else None

    def payload_of(self, body: dict[str, Any]) -> Any:
        if "payload" not in body:
            raise bad("payload is missing")
        return body["payload"]

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = body.get("tags", {})
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            raise bad("tags is not a map of strings")
        return tags

    def version_of(self, body: dict[str, Any]) -> int | None:
        if "version" not in body:
            return None
        version = whole(body["version"])
        if version is None or not 1 <= version <= INT32:
            raise bad("version is not an int32 of at least 1")
        return version

    def resolve(self, org: str, variant: str) -> Definition:
        by_variant = self.definitions.get((org, variant))
        by_alias = next(
            (one for one in self.definitions.values() if one.org_id == org and variant in one.alias), None
        )
        order = (by_alias, by_variant) if self.choices.alias_first else (by_variant, by_alias)
        return order[0] or order[1] or self.undefined(org, variant)

    def undefined(self, org: str, variant: str) -> Definition:
        if self.choices.unknown_variant == "refuse":
            raise Refused(400, "UNKNOWN_VARIANT", "no definition has this variant or alias")
        return self.define(org, Wanted(variant, {}, None, None))

    def choose_version(self, definition: Definition, asked: int | None) -> int:
        if asked is None:
            return definition.version
        if asked in definition.versions:
            return asked
        if self.choices.bad_version == "refuse":
            raise Refused(400, "UNKNOWN_VERSION", "the definition has no such version")
        return definition.version

    def check_payload(self, payload: Any, schema: Any) -> None:
        if self.choices.enforce_schema and schema and breaks(payload, schema):
            raise Refused(400, "PAYLOAD_REJECTED", "the payload breaks the schema of its definition")

    def accept(self, definition: Definition, version: int, asked: str, work: Work) -> Action:
        now = self.now()
        begins = now + (LIFETIME if self.choices.delivery == "never" else self.choices.first_delivery)
        action = Action(self.new_id(), replace(definition), version, asked, work, now, begins)
        self.actions[action.id] = action
        self.note(action, "accepted", now)
        return action

    def ingress_answer(self, action: Action) -> Any:
        return {"data": self.action_data(action)}

    def action_data(self, action: Action) -> dict[str, Any]:
        return {
            "a_id": action.id,
            "a_def_id": action.definition.id,
            "queue_s": "queued",
            "a_va": action.definition.variant if self.choices.a_va == "variant" else action.asked,
            "a_ve": str(action.version),
        }

    # Leases

    def read_signal(self, body: Any) -> Signal:
        if not isinstance(body, dict):
            raise bad("the body is not an object")
        self.check_members(body, {"action_record_id", "attempt", "mod_ack"})
        return Signal(self.id_of(body), self.attempt_of(body), self.seconds_of(body))

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        if not isinstance(value, str) or not DIGITS.fullmatch(value):
            raise bad("action_record_id is not a string of digits")
        return value

    def attempt_of(self, body: dict[str, Any]) -> int:
        attempt = whole(body.get("attempt"))
        if attempt is None or not 0 <= attempt <= INT32:
            raise bad("attempt is not an int32 of at least 0")
        return attempt

    def seconds_of(self, body: dict[str, Any]) -> int:
        seconds = whole(body.get("mod_ack"))
        if seconds is None or not 1 <= seconds <= INT64:
            raise bad("mod_ack is not an int64 of at least 1")
        return seconds

    def find(self, org: str, action_id: str) -> Action:
        action = self.actions.get(action_id)
        if action is None or action.definition.org_id != org:
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action

    def elapse(self, action: Action) -> None:
        """At each deadline that has passed, what happens by itself has happened."""
        now = self.now()
        while action.status not in DONE and action.deadline <= now:
            self.turn(action, action.deadline)

    def turn(self, action: Action, when: float) -> None:
        if action.status == "deferred":
            self.end(action, "succeeded", "expired", when)
        elif when >= action.ends:
            action.error = "the action has timed out"
            self.end(action, "failed", "timed_out", when)
        else:
            self.deliver(action, when)

    def deliver(self, action: Action, when: float) -> None:
        """The next attempt holds the action; the first one has number 0."""
        if action.started is None:
            action.started = when
        else:
            action.attempt += 1
        action.status = "held"
        action.deadline = min(when + LEASE, action.ends)
        self.note(action, "delivered", when)

    def check_unfinished(self, action: Action) -> None:
        if action.status in DONE:
            raise Refused(409, "FINISHED_ACTION", "the action has ended")

    def check_attempt(self, action: Action, attempt: int) -> None:
        if action.status == "queued":
            raise Refused(409, "NOT_DELIVERED", "no attempt has begun")
        if attempt != action.attempt:
            self.reject_attempt(attempt < action.attempt)
        if action.status in ("retrying", "scheduled"):
            raise Refused(409, "ENDED_ATTEMPT", "the attempt has ended and the next has not begun")

    def reject_attempt(self, stale: bool) -> None:
        raise Refused(self.choices.stale, "WRONG_ATTEMPT", "the attempt is not the current one")

    def extend(self, action: Action, seconds: float) -> None:
        base = self.now() if self.choices.extend_from == "now" else action.deadline
        action.deadline = min(base + seconds, action.ends)

    def modack_answer(self) -> Any:
        return {"data": {"status": "ok"}}

    # Settling

    def read_settlement(self, operation: Operation, body: Any) -> Settlement:
        if not isinstance(body, dict):
            raise bad("the body is not an object")
        self.check_members(body, SETTLING | {"terms"} if operation == "nack" else SETTLING)
        terms = self.terms_of(body) if operation == "nack" else Terms()
        return Settlement(self.id_of(body), self.attempt_of(body), terms)

    def terms_of(self, body: dict[str, Any]) -> Terms:
        terms = body.get("terms", {})
        if not isinstance(terms, dict):
            raise bad("terms is not an object")
        self.check_members(terms, {"retry_at", "retry"})
        retry, retry_at = terms.get("retry", True), whole(terms.get("retry_at", 0))
        if not isinstance(retry, bool):
            raise bad("terms.retry is not a boolean")
        if retry_at is None or retry_at < 0:
            raise bad("terms.retry_at is not an integer of at least 0")
        return Terms(retry_at if "retry_at" in terms else None, retry)

    def is_repeated(self, operation: Operation, action: Action, attempt: int) -> bool:
        """Whether this is an ack of the attempt that was acked, and may be one."""
        again = action.acked and attempt == action.attempt
        return operation == "ack" and again and self.choices.second_ack == "ok"

    def settle(self, operation: Operation, action: Action, terms: Terms) -> None:
        if operation == "ack":
            self.succeed(action)
        elif operation == "defer":
            self.take_custody(action)
        else:
            self.give_back(action, terms)

    def succeed(self, action: Action) -> None:
        action.acked = True
        self.end(action, "succeeded", "acked", self.now())

    def take_custody(self, action: Action) -> None:
        """Silence is success from here on; a second defer changes nothing."""
        if action.status == "deferred":
            return
        action.status = "deferred"
        action.deadline = min(max(action.deadline, self.now() + LEASE), action.ends)
        self.note(action, "deferred", self.now())

    def give_back(self, action: Action, terms: Terms) -> None:
        if action.status == "deferred":
            self.keep_custody()
        elif not terms.retry:
            self.reject(action)
        else:
            self.wait(action, terms)

    def keep_custody(self) -> None:
        if self.choices.nack_after_defer == "refuse":
            raise Refused(409, "DEFERRED_ACTION", "deferred work is not given back")

    def reject(self, action: Action) -> None:
        action.error = "the attempt was rejected"
        self.end(action, "failed", "rejected", self.now())

    def wait(self, action: Action, terms: Terms) -> None:
        """The next attempt begins at the time asked for, or a second later."""
        now = self.now()
        action.status = "retrying" if terms.retry_at is None else "scheduled"
        begins = now + BACK_OFF if terms.retry_at is None else max(now, terms.retry_at)
        action.deadline = min(begins, action.ends)
        self.note(action, "nacked", now)

    def end(self, action: Action, status: Status, kind: str, when: float) -> None:
        action.status, action.completed = status, when
        self.note(action, kind, when)

    def note(self, action: Action, kind: str, when: float) -> None:
        """One event for each transition."""
        action.updated = when
        action.events.append(
            {
                "id": self.new_id(),
                "action_record_id": action.id,
                "org_id": action.definition.org_id,
                "kind": kind,
                "status": action.public_status,
                "attempt": action.attempt,
                "available_at": self.available_at(action),
            }
        )

    def available_at(self, action: Action) -> str | None:
        """When the next attempt may begin; nobody knows while no first one is meant."""
        known = action.status not in DONE and self.choices.delivery == "at-once"
        return moment(action.deadline) if known else None

    def settle_answer(self) -> Any:
        return {"data": {"status": "ok"}}

    # Records

    def read_page(self) -> Page:
        return Page(
            self.bounded("take", 20, 1, 50),
            self.bounded("skip", 0, 0, INT32),
            self.flag("count_only"),
            self.flag("asc"),
        )

    def bounded(self, name: str, default: int, least: int, most: int) -> int:
        text = request.args.get(name, str(default))
        if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= most:
            raise bad(f"{name} is not an integer from {least} to {most}")
        return int(text)

    def flag(self, name: str) -> bool:
        if (text := request.args.get(name, "false")) not in ("true", "false"):
            raise bad(f"{name} is not true or false")
        return text == "true"

    def actions_of(self, org: str) -> list[Action]:
        found = [action for action in self.actions.values() if action.definition.org_id == org]
        for action in found:
            self.elapse(action)
        return found

    def records_answer(self, found: list[Action], page: Page) -> Any:
        ordered = found if page.ascending else found[::-1]
        shown = [] if page.count_only else ordered[page.skip : page.skip + page.take]
        items = [self.record_data(action) for action in shown]
        return {"data": {"items": items, "count": len(found)}, "errors": None}

    def record_answer(self, action: Action) -> Any:
        return {"data": self.record_data(action) | {"events": action.events}, "errors": None}

    def record_data(self, action: Action) -> dict[str, Any]:
        return {
            "id": action.id,
            "org_id": action.definition.org_id,
            "action_definition_id": action.definition.id,
            "input": action.work.payload,
            "timeout": LIFETIME,
            "tags": action.work.tags,
            "state": self.state_data(action),
            "definition": self.definition_data(action.definition),
        }

    def state_data(self, action: Action) -> dict[str, Any]:
        return {
            "status": action.public_status,
            "attempt": action.attempt,
            "updated_at": moment(action.updated),
            "available_at": self.available_at(action),
            "timeout_at": moment(action.ends),
            "started_at": moment(action.started),
            "completed_at": moment(action.completed),
            "error_message": action.error,
        }

    # What every step uses

    def now(self) -> float:
        return self.clock()

    def exclusive(self) -> AbstractContextManager[Any]:
        """Holds all state: what one request sees and changes, no other does meanwhile."""
        return self.lock

    def new_id(self) -> str:
        """Called with all state held; never the same twice."""
        if self.choices.ids == "long":
            return str(self.drawn_id())
        if self.choices.ids == "small":
            self.last_id += 1
        else:
            self.last_id = max(self.last_id + 1, (int(time.time() * 1000) - EPOCH_MS) << 22)
        return str(self.last_id)

    def drawn_id(self) -> int:
        drawn = SHORTEST_LONG_ID + secrets.randbelow(9 * SHORTEST_LONG_ID)
        if drawn in self.issued:
            return self.drawn_id()
        self.issued.add(drawn)
        return drawn

    def answered(self) -> None:
        """Called on a request's own thread when its answer has left; nothing to do."""

    # Answers

    def served(self, operation: Operation, step: Callable[[], Any]) -> Response:
        try:
            return self.render(operation, 200, self.adorned(step()))
        except Refused as refused:
            return self.refuse(operation, refused)

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        return self.render(
            operation, self.status_of(operation, refused), self.adorned(self.envelope(refused))
        )

    def status_of(self, operation: Operation, refused: Refused) -> int:
        if operation not in CONTROL or refused.status >= 500:
            return refused.status
        if self.choices.control_refusals == "200-null":
            return 200
        return 422 if self.choices.control_refusals == "422" and refused.status == 400 else refused.status

    def envelope(self, refused: Refused) -> Any:
        code, message = refused.code, refused.message
        if self.choices.error_texts == "german":
            code = f"fehler.{code.lower()}"
            message = "Die Anfrage wurde abgelehnt; die Kennung sagt, weshalb (größte Länge: 80)."
        return {"data": None, "errors": [{"code": code, "message": message}]}

    def adorned(self, body: Any) -> Any:
        if self.choices.extra_members:
            body["meta"] = {"node": "a1"}
            for part in (body["data"], *(body.get("errors") or [])):
                if part is not None:
                    part["note"] = ["more", 1]
        return body

    def dump(self, body: Any) -> bytes:
        if self.choices.key_order:
            return json.dumps(reordered(body), indent=2, allow_nan=False).encode()
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = Response(self.dump(body), status, content_type="application/json")
        if status == 401 and self.choices.www_authenticate:
            response.headers["WWW-Authenticate"] = "ApiKey"
        if self.choices.chunked_answers:
            response.headers["Transfer-Encoding"] = "chunked"
        return response

    def unrouted(self, error: HTTPException) -> Response:
        if isinstance(error, MethodNotAllowed):
            allowed = sorted(error.valid_methods or [])
            return self.options(allowed) if request.method == "OPTIONS" else self.wrong_method(allowed)
        if self.choices.html_404:
            return Response("<!doctype html><title>Not found</title><h1>Not found</h1>", 404)
        return self.refuse("none", Refused(404, "NOT_FOUND", "nothing is here"))

    def options(self, allowed: list[str]) -> Response:
        response = Response(status=204, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
        del response.headers["Content-Type"]
        return response

    def wrong_method(self, allowed: list[str]) -> Response:
        response = self.refuse("none", Refused(405, "METHOD_NOT_ALLOWED", "the path has no such method"))
        response.headers["Allow"] = ", ".join([*allowed, "OPTIONS"])
        return response

    def broken(self, error: Exception) -> Response:
        """A mistake of this server itself; the honest one never comes here."""
        traceback.print_exception(error, file=sys.stderr)
        return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))


def crash() -> NoReturn:
    """The 500 of a mutant."""
    raise Refused(500, "INTERNAL_ERROR", "a mistake of the server")
