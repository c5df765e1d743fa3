"""One operation from the headers to the answer, with all that it needs prepared at the start."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

from .. import schemas
from ..domain.ports import ProcessPool
from ..services.faults import Faults
from ..settings import Settings
from . import bodies, faults
from .body_adapters import Adapter
from .document import Body, Document, Operation, Parameter
from .envelope import Answer, encode, send_json
from .errors import Refused
from .exchange import EXCHANGE, Exchange
from .security import Keys, Security


class Request(NamedTuple):
    """What a handler is given: values that fit the document."""

    organisation: str
    """The id of the key's organisation; empty where the operation asks for no key."""
    path: Mapping[str, Any]
    """Name → value."""
    query: list[tuple[str, str]]
    """(name, text) in the order they came, parameters that the document does not name included."""
    body: Any
    """Its members that may hold any JSON value have to go through `bodies.as_json`."""


Handler = Callable[[Request], Awaitable[Answer]]


class OperationContext(NamedTuple):
    """What all operations of an application share."""

    document: Document
    keys: Keys
    settings: Settings
    process_pool: ProcessPool
    """Where large bodies are parsed."""
    faults: Faults
    adapters: Mapping[str, Adapter]
    """Operation id → what a body becomes before it is checked."""


class PreparedOperation:
    """One operation as an ASGI application: authenticate, read, check, handle, check the answer, send it."""

    def __init__(self, context: OperationContext, operation: Operation, handler: Handler) -> None:
        self._operation = operation
        self._handler = handler
        self._security = Security(operation.security, context.document.security_schemes, context.keys)
        self._path = [p for p in operation.parameters if p.location == "path"]
        self._query = [p for p in operation.parameters if p.location == "query"]
        self._document = context.document
        self._adapt = context.adapters.get(operation.id)
        self._settings = context.settings
        self._process_pool = context.process_pool
        self._faults = context.faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI).

        Raises:
            Refused: the request breaks the document, or has no valid key.
            ArklowError: the handler refuses.
        """
        operation = self._operation
        exchange: Exchange = scope[EXCHANGE]
        exchange.operation = operation.id
        exchange.is_ingress = operation.is_ingress
        headers = scope["headers"]
        exchange.organisation = organisation = self._security.authenticate(headers)
        path = self._path_values(scope, exchange)
        path_organisation = str(path.get("org_id", organisation))
        if organisation and path_organisation != organisation:
            raise Refused(
                "FORBIDDEN_ORGANISATION",
                f"path org_id: expected {organisation}, the organisation of the key, got {path_organisation[:40]}",
            )
        query_string = scope["query_string"]
        if self._faults.any_active or faults.may_request(headers, query_string):
            ways = await self._under_fault(scope, receive, send)
            if ways is None:
                return
            receive, send = ways
        query = self._query_values(query_string)
        body = None
        if operation.body is not None:
            body = await self._body(operation.body, headers, receive, exchange)
        answer = await self._handler(Request(organisation, path, query, body))
        validator = self._checked(answer)
        text = b"" if validator is None and answer.body is None else encode(answer.body)
        await send_json(send, exchange, answer.status, text, answer.headers)

    async def _under_fault(self, scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send] | None:
        """Where to receive the request from and where to send the answer, when a fault may hit it.

        None when the fault has answered the request. The body is received first: then a hit is an answer in any case,
        and the connection can be used again.
        """
        exchange: Exchange = scope[EXCHANGE]
        organisation, operation, settings = exchange.organisation, self._operation.id, self._settings
        headers = scope["headers"]
        requested, applied = faults.requested(headers, scope["query_string"])
        if requested is None and not (organisation and self._faults.may_hit(organisation, operation)):
            return receive, send
        text = await bodies.receive_body(receive, headers, settings.max_body, settings.body_timeout)
        if requested is not None:
            faulty = faults.FaultyAnswer(requested, faults.PREFER, scope, receive, send)
            faulty.headers += applied
        else:
            planned = self._faults.next_fault(organisation, operation)
            if planned is None:
                return faults.replay_body(text), send
            faulty = faults.FaultyAnswer(planned.fault, str(planned.number), scope, receive, send)
        exchange.body = text
        if faulty.is_carried_out:
            return faults.replay_body(text), faulty.send
        await faulty.answer()
        return None

    def _path_values(self, scope: Scope, exchange: Exchange) -> dict[str, Any]:
        values: dict[str, Any] = scope["path_params"]
        for parameter in self._path:
            text = values[parameter.name]
            if exchange.is_escaped:
                text = unquote(text)
            values[parameter.name] = _value(parameter, text)
        return values

    def _query_values(self, query_string: bytes) -> list[tuple[str, str]]:
        """Check the declared parameters; (name, text) of all but those that ask for a fault."""
        if not query_string and not self._query:
            return []
        try:
            pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise Refused(
                "INVALID_PARAMETER", "query: expected percent-encoded UTF-8, got other bytes"
            ) from None
        for parameter in self._query:
            sent = [value for name, value in pairs if name == parameter.name]
            if not sent and parameter.required:
                raise Refused("INVALID_PARAMETER", f"query {parameter.name}: expected a value, got none")
            for text in sent:
                _value(parameter, text)
        return [pair for pair in pairs if pair[0] not in faults.RESERVED]

    async def _body(
        self, body: Body, headers: list[tuple[bytes, bytes]], receive: Receive, exchange: Exchange
    ) -> Any:
        settings = self._settings
        if body.required or any(name == b"content-type" for name, _ in headers):
            bodies.require_json_type(headers)
        text = await bodies.receive_body(receive, headers, settings.max_body, settings.body_timeout)
        exchange.body = text
        if not text and not body.required:
            return None
        if len(text) <= bodies.LARGE:
            return bodies.parse_body(text, body, self._adapt)
        return await bodies.parse_large_body(text, body, self._adapt, self._document.json, self._process_pool)

    def _checked(self, answer: Answer) -> schemas.Validator | None:
        """The validator that an answer of ours fits, None where the document declares no JSON.

        Raises:
            AssertionError: the answer breaks the document, which is a defect of the mock.
        """
        try:
            validator = self._operation.response(answer.status)
        except KeyError:
            raise AssertionError(
                f"{self._operation.id} answers {answer.status}, which is not documented"
            ) from None
        wrong = validator and schemas.mismatch(validator, answer.body, "answer")
        if wrong:
            raise AssertionError(f"{self._operation.id} answers against the document: {wrong}")
        return validator


def _value(parameter: Parameter, text: str) -> Any:
    """The JSON value of a parameter's text.

    Raises:
        Refused: no value that the text may stand for fits the schema.
    """
    candidates = _candidates(parameter.kinds, text)
    for candidate in candidates:
        if parameter.validator.is_valid(candidate):
            return candidate
    wrong = schemas.mismatch(parameter.validator, candidates[0], f"{parameter.location} {parameter.name}")
    raise Refused("INVALID_PARAMETER", wrong or parameter.name)


def _candidates(kinds: frozenset[str], text: str) -> list[Any]:
    """The JSON values of these types that a text may stand for, the likeliest first; the text itself is the last."""
    candidates: list[Any] = []
    if "integer" in kinds and re.fullmatch(r"-?[0-9]{1,4300}", text):  # Python refuses longer ones
        candidates.append(int(text))
    if "number" in kinds:
        with contextlib.suppress(ValueError):
            candidates.append(float(text))
    if "boolean" in kinds and text in ("true", "false"):
        candidates.append(text == "true")
    return [*candidates, [text], text] if "array" in kinds else [*candidates, text]


__all__ = ["Handler", "OperationContext", "PreparedOperation", "Request"]
