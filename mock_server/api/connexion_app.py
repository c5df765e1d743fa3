"""The one door to Connexion: it loads the document, resolves handlers and routes; the contract is ours.

Stock Connexion refuses OpenAPI 3.1 and checks requests with Draft 4 validators built anew each time. Its
own extension points are used instead: a `Specification` that takes 3.1, a `Resolver` that gives every
operation a unique id, and a `RoutedMiddleware` that prepares security, validators and handler once per
operation (docs/decisions/0002-connexion-as-middleware.md).
"""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import schemas
from ..domain.ports import ProcessPool
from ..services.faults import Faults
from ..settings import Settings
from . import bodies, faults
from .body_adapters import Adapter
from .document import (
    Body,
    Document,
    Operation,
    Parameter,
)
from .envelope import Answer, encode, send_json
from .errors import Refused
from .exchange import Exchange
from .security import Keys, Security

with warnings.catch_warnings():
    # connexion 3.3 imports two things that starlette and jsonschema have deprecated since
    warnings.simplefilter("ignore")
    # and it imports Flask where there is one, which costs every start 15 ms; the admin plane loads it
    # when it needs it
    loaded = sys.modules.get("flask")
    if loaded is None:
        sys.modules["flask"] = None  # type: ignore[assignment]
    from connexion import ConnexionMiddleware
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
    from connexion.middleware.main import API
    from connexion.middleware.routing import RoutingMiddleware, RoutingOperation
    from connexion.operations import AbstractOperation, OpenAPIOperation
    from connexion.resolver import Resolution, Resolver
    from connexion.spec import OpenAPISpecification

    if loaded is None:
        del sys.modules["flask"]


class Request(NamedTuple):
    """What a handler is given: values checked against the document; for members see `bodies.as_json`."""

    organisation: str
    path: Mapping[str, Any]
    query: list[tuple[str, str]]
    body: Any


Handler = Callable[[Request], Awaitable[Answer]]

STUB_HEADER: Final = (b"x-arklow-mock-stub", b"1")


class _Specification31(OpenAPISpecification):
    """A specification that takes 3.1: `Document` has checked it against the right meta-schema."""

    class _Operation(OpenAPIOperation):
        def get_path_parameter_types(self) -> dict[str, str]:
            """Nothing: path parameters stay text until the contract has judged them."""
            return {}

    operation_cls = _Operation

    @classmethod
    def _validate_spec(cls, spec: object) -> None:
        pass


class _ById(Resolver):
    """Gives each operation the document's unique id, and the handler that goes by it."""

    def __init__(self, operations: tuple[Operation, ...], handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self._ids = {(operation.path, operation.method): operation.id for operation in operations}
        self._handlers = handlers

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """The handler and the id, by path and method."""
        name = self._ids[operation.path, operation.method]
        return Resolution(self._handlers[name], name)


class _Shared(NamedTuple):
    """What every prepared operation shares."""

    document: Document
    operations: Mapping[str, Operation]
    keys: Keys
    settings: Settings
    process_pool: ProcessPool
    faults: Faults
    adapters: Mapping[str, Adapter]


class _PreparedOperation:
    """One operation with everything prepared: authenticate, read, check, handle, check, send."""

    def __init__(self, shared: _Shared, operation: Operation, handler: Handler) -> None:
        self._operation = operation
        self._handler = handler
        self._security = Security(operation.security, shared.document.security_schemes, shared.keys)
        self._path = [p for p in operation.parameters if p.location == "path"]
        self._query = [p for p in operation.parameters if p.location == "query"]
        self._document = shared.document
        self._adapt = shared.adapters.get(operation.id)
        self._settings = shared.settings
        self._process_pool = shared.process_pool
        self._faults = shared.faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operation
        exchange: Exchange = scope["arklow.exchange"]
        exchange.operation = operation.id
        exchange.ingress = operation.ingress
        headers = scope["headers"]
        exchange.organisation = organisation = self._security.authenticate(headers)
        path = self._path_values(scope, exchange)
        asked = str(path.get("org_id", organisation))
        if organisation and asked != organisation:
            raise Refused(
                "FORBIDDEN_ORGANISATION",
                f"path org_id: expected {organisation}, the organisation of the key, got {asked[:40]}",
            )
        query_string = scope["query_string"]
        if self._faults.any_active or faults.may_ask(headers, query_string):
            met = await self._meet_fault(scope, receive, send)
            if met is None:
                return
            receive, send = met
        query = self._query_values(query_string)
        body = None
        if operation.body is not None:
            body = await self._body(operation.body, headers, receive, exchange)
        answer = await self._handler(Request(organisation, path, query, body))
        validator = self._check(answer)
        text = b"" if validator is None and answer.body is None else encode(answer.body)
        await send_json(send, exchange, answer.status, text, answer.headers)

    async def _meet_fault(self, scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send] | None:
        """Where the request comes from now and where its answer goes; None when it is answered already.

        What hits it is decided when its body has come, so that each hit is an answer, and the connection can be used
        again.
        """
        exchange: Exchange = scope["arklow.exchange"]
        organisation, operation, settings = exchange.organisation, self._operation.id, self._settings
        headers = scope["headers"]
        asked, applied = faults.asked(headers, scope["query_string"])
        if asked is None and not (organisation and self._faults.may_hit(organisation, operation)):
            return receive, send
        text = await bodies.receive_body(receive, headers, settings.max_body, settings.body_timeout)
        if asked is not None:
            faulty = faults.FaultyAnswer(asked, faults.OWN, scope, receive, send)
            faulty.headers += applied
        else:
            planned = self._faults.next_fault(organisation, operation)
            if planned is None:
                return faults.again(text), send
            faulty = faults.FaultyAnswer(planned.fault, str(planned.number), scope, receive, send)
        exchange.body = text
        if faulty.is_carried_out:
            return faults.again(text), faulty.send
        await faulty.answer()
        return None

    def _path_values(self, scope: Scope, exchange: Exchange) -> dict[str, Any]:
        values: dict[str, Any] = scope["path_params"]
        for parameter in self._path:
            text = values[parameter.name]
            if exchange.escaped:
                text = unquote(text)
            values[parameter.name] = _value(parameter, text)
        return values

    def _query_values(self, query_string: bytes) -> list[tuple[str, str]]:
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

    def _check(self, answer: Answer) -> schemas.Validator | None:
        """Our own answers are held to the document too; one that breaks it is our fault. None: no JSON is
        declared."""
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
    """A parameter's text as the JSON value its schema asks for.

    Raises:
        Refused: no reading of it fits the schema.
    """
    interpretations = _interpretations(parameter.kinds, text)
    for reading in interpretations:
        if parameter.validator.is_valid(reading):
            return reading
    wrong = schemas.mismatch(
        parameter.validator, interpretations[0], f"{parameter.location} {parameter.name}"
    )
    raise Refused("INVALID_PARAMETER", wrong or parameter.name)


def _interpretations(kinds: frozenset[str], text: str) -> list[Any]:
    interpretations: list[Any] = []
    if "integer" in kinds and re.fullmatch(r"-?[0-9]{1,4300}", text):
        interpretations.append(int(text))
    if "number" in kinds:
        with contextlib.suppress(ValueError):
            interpretations.append(float(text))
    if "boolean" in kinds and text in ("true", "false"):
        interpretations.append(text == "true")
    return [*interpretations, [text], text] if "array" in kinds else [*interpretations, text]


class _OperationAPI(RoutedAPI[_PreparedOperation]):
    def __init__(self, *arguments: Any, shared: _Shared, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._shared = shared
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _PreparedOperation:
        """Prepare one operation; Connexion calls this once for each."""
        resolution = self.resolver.resolve(operation)
        declared = self._shared.operations[resolution.operation_id]
        return _PreparedOperation(self._shared, declared, resolution.function)


class _OperationMiddleware(RoutedMiddleware[_OperationAPI]):
    api_cls = _OperationAPI


class _Routing(RoutingMiddleware):
    """Connexion's routing for one document at the root: no mount to pass, and no redirects, as a 307 is no
    documented answer."""

    def add_api(self, *arguments: Any, **named: Any) -> None:
        """Register the document's paths."""
        super().add_api(*arguments, **named)
        [mount] = self.router.routes
        assert isinstance(mount, Mount)
        assert isinstance(mount.app, Router)
        self.router: Router = mount.app
        self.router.redirect_slashes = False

    def lead_to(self, operations: Mapping[str, _PreparedOperation], otherwise: ASGIApp) -> None:
        """Let each route end at its operation. Connexion's own way there is a copy of the scope, a context variable
        and two look-ups for the sake of base paths, which there are none of here."""
        for route in self.router.routes:
            assert isinstance(route, Route)
            assert isinstance(route.app, RoutingOperation)
            route.app = operations[route.app.operation_id]
        self.router.default = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the operation and call it."""
        scope["app"] = self  # so that the router raises what it refuses
        await self.router.app(scope, receive, send)


class _ConnexionApp(ConnexionMiddleware):
    """Connexion's stack around `app`, with one specification given as a value and built at once."""

    def __init__(self, app: ASGIApp, specification: OpenAPISpecification, **named: Any) -> None:
        super().__init__(app, middlewares=[_Routing, _OperationMiddleware])
        self.apis.append(API(specification, base_path="", name="arklow", **self.options.__dict__ | named))
        self.app, self.middleware_stack = self._build_middleware_stack()
        routing, operations, _ = self.middleware_stack
        [api] = operations.apis[""]
        routing.lead_to(api.operations, app)


def connexion_app(
    document: Document,
    handlers: Mapping[str, Handler],
    *,
    adapters: Mapping[str, Adapter],
    otherwise: ASGIApp,
    keys: Keys,
    settings: Settings,
    process_pool: ProcessPool,
    faults: Faults,
) -> ASGIApp:
    """The document as an application: each operation handled under its contract, other paths by `otherwise`.

    Routing and validators are built here, so what is wrong with them is said at start.
    """
    operations = {operation.id: operation for operation in document.operations}
    paths = dict.fromkeys(operation.path for operation in document.operations)
    ordered = document.raw | {"paths": {path: document.raw["paths"][path] for path in paths}}
    stack = _ConnexionApp(
        otherwise,
        _Specification31(ordered),
        resolver=_ById(document.operations, handlers),
        shared=_Shared(document, operations, keys, settings, process_pool, faults, adapters),
    )
    routed: ASGIApp = stack.app
    return routed
