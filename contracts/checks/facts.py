"""What follows from one exchange alone: derived once, then handed to the checks, the model and the provenance.

A module of its own, as everything that judges looks at the same facts: a body that two of them parsed by rules of their
own could be refused by one and believed by the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from arklow_local.formats import strict_json

from ..core.exchange import Exchange, media_type
from ..openapi.document import Operation
from ..openapi.schemas import Problem
from .context import CheckContext
from .ordinary import is_ordinary

KEY_HEADERS: Final = frozenset({"x-arklow-auth", "authorization"})
"""Headers in which some operation reads a key, in lower case."""

Parse = Callable[[bytes], Any]
"""Reads a JSON text as `strict_json.read` does."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The JSON value of a request's body, or why it has none."""

    value: Any = None
    """None also when there is no value."""
    error: ValueError | None = None
    """`NotJSON` or `Ambiguous`, when there is no value."""
    has_byte_order_mark: bool = False
    """Its bytes begin with one, which no sender may write and some receivers overlook (RFC 8259 §8.1)."""
    problems: tuple[Problem, ...] | None = None
    """Where the value breaks the schema of its operation; None when that cannot be told."""


@dataclass(frozen=True)
class Facts:
    """One exchange, and what follows from its bytes, the document and the keys of the target."""

    exchange: Exchange
    operation: Operation | None
    """The document's operation that was called."""
    owner: str | None
    """The organisation of the key, when the request shows one key, in a header that its operation reads."""
    organisation: str | None
    """The organisation in the path, if the path has one."""
    body: RequestBody
    media_types: tuple[str, ...]
    """What each `content-type` of the request names, in lower case and without parameters."""
    accepted: bool
    """The application says that the operation was carried out; a control-plane 200 without data is a refusal (B009), and a
    success without the envelope is the word of no application."""
    value: Any
    """The JSON value of the answer; None when it has none."""
    data: Mapping[str, Any]
    """The `data` of the answer's envelope; empty when it has none."""

    @property
    def media_type(self) -> str:
        """The media type of the request's body: JSON where none is announced."""
        return self.media_types[0] if self.exchange.request_header("content-type") else "application/json"

    @property
    def enveloped(self) -> bool:
        """Whether the answer has the envelope's list of errors."""
        return isinstance(self.value, dict) and "errors" in self.value

    @property
    def leaves_open(self) -> bool:
        """Whether it cannot be told if the operation was carried out: a success that is not the application's word."""
        return 200 <= self.exchange.status < 300 and not self.exchange.has_envelope

    @property
    def issued_id(self) -> str | None:
        """The id that the answer gives to an action."""
        number = self.data.get("a_id")
        return number if isinstance(number, str) else None

    @property
    def definition_names(self) -> set[str]:
        """The names that the request gives to a definition: its variant and its aliases."""
        return set(definition_names(self.body.value))

    @cached_property
    def is_ordinary_request(self) -> bool:
        """Whether only the application itself can have a reason to refuse the request."""
        return is_ordinary(self.exchange, self.body.value)

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """What the request reads or changes: `variant NAME` for each name of a definition, and the id of each action."""
        exchange = self.exchange
        if exchange.path is not None and exchange.path.endswith("/{variant}"):
            number = self.issued_id
            return (f"variant {exchange.segment}", *([] if number is None else [number]))
        body = self.body.value if self.body.error is None else _loosely_parsed(exchange.body)
        number = action_id(body)
        return (
            *(f"variant {name}" for name in definition_names(body)),
            *([] if number is None else [number]),
        )


def derive_facts(exchange: Exchange, context: CheckContext, parse: Parse = strict_json.read) -> Facts:
    """Derive the facts of an exchange; its body is parsed once, by `parse`."""
    operation = context.operation(exchange.operation)
    value = exchange.value()
    return Facts(
        exchange,
        operation,
        _owner(exchange, operation, context),
        _organisation(exchange, operation),
        parse_body(exchange, operation, context, parse),
        tuple(media_type(value) for name, value in exchange.headers if name.lower() == "content-type"),
        _accepted(exchange, operation, value),
        value,
        exchange.data(),
    )


def parse_body(
    exchange: Exchange, operation: Operation | None, context: CheckContext, parse: Parse
) -> RequestBody:
    """Parse the body of a request, and compare it with the schema of its operation."""
    text = exchange.body or b""
    has_mark = text.startswith(strict_json.MARK)
    try:
        value = parse(text.removeprefix(strict_json.MARK))
    except ValueError as error:
        return RequestBody(error=error.with_traceback(None), has_byte_order_mark=has_mark)
    problems = None
    if operation is not None and operation.request_schema is not None:
        with suppress(ValueError):  # it is beyond what can be compared
            problems = tuple(context.schemas.at(operation.request_schema).problems(value))
    return RequestBody(value, None, has_mark, problems)


def request_value(exchange: Exchange) -> Any:
    """Parse the body of a request that is not judged; None when it has no JSON value."""
    try:
        return strict_json.read((exchange.body or b"").removeprefix(strict_json.MARK))
    except ValueError:
        return None


def definition_names(body: Any) -> list[str]:
    """The names that a body gives to a definition: its variant, then its aliases."""
    if not isinstance(body, dict):
        return []
    alias = body.get("alias")
    names = (body.get("variant"), *(alias if isinstance(alias, list) else ()))
    return [name for name in names if isinstance(name, str)]


def action_id(body: Any) -> str | None:
    """The id of the action that the body of a signal names."""
    number = body.get("action_record_id") if isinstance(body, dict) else None
    return number if isinstance(number, str) else None


def _owner(exchange: Exchange, operation: Operation | None, context: CheckContext) -> str | None:
    keys = [(name.lower(), value) for name, value in exchange.headers if name.lower() in KEY_HEADERS]
    listed = operation.key_headers if operation is not None else ("x-arklow-auth",)
    if len(keys) != 1 or keys[0][0] not in listed:
        return None
    owners = {credential.key: credential.org for credential in context.target.credentials}
    return owners.get(keys[0][1])


def _organisation(exchange: Exchange, operation: Operation | None) -> str | None:
    if operation is None or not operation.control_plane:
        return None
    template = operation.path.strip("/").split("/")
    segments = urlsplit(exchange.url).path.strip("/").split("/")[-len(template) :]
    return unquote(segments[template.index("{org_id}")]) if "{org_id}" in template else None


def _accepted(exchange: Exchange, operation: Operation | None, value: Any) -> bool:
    if operation is None or not exchange.is_served:
        return False
    if not operation.control_plane:
        return True
    return not (isinstance(value, dict) and value.get("data") is None and "data" in value)


def _loosely_parsed(body: bytes | None) -> Any:
    """The value that a lenient parser reads from a body that is not strictly JSON; None when it reads none."""
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        return None


__all__ = [
    "KEY_HEADERS",
    "Facts",
    "Parse",
    "RequestBody",
    "action_id",
    "definition_names",
    "derive_facts",
    "parse_body",
    "request_value",
]
