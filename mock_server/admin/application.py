"""The one door to Flask: the admin document as a WSGI application."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, Response, g, request
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from arklow_local.formats.excerpts import excerpt

from ..api import bodies
from ..api.document import Document, Operation, Parameter
from ..api.envelope import Headers, data_and_errors, encode, refusal
from ..api.errors import STATUSES, Refused
from ..domain.errors import ArklowError
from ..schemas import mismatch
from ..services.administration import Administration
from ..services.faults import Faults
from . import har
from .access import Access
from .commands import Call, Command, Commands
from .event_stream import EventStreams
from .faults import FaultCommands
from .loop_bridge import LoopBridge

BODY_LIMIT: Final = 1 << 20
"""Bytes of a request's body at most: a hundred times what the longest worker script needs."""
EVENT_STREAM: Final = "tailJournal"
"""The operation whose answer is a stream."""
HAR: Final = "exportJournal"
"""The operation whose answer is a file without envelope; the caller's thread writes it, as it may be long."""
_PREFLIGHT_AGE: Final = "600"
"""Seconds that a browser may keep the answer to a preflight."""

Log = Callable[[str], None]


def create_application(
    document: Document,
    administration: Administration,
    faults: Faults,
    *,
    bridge: LoopBridge,
    streams: EventStreams,
    access: Access,
    log: Log,
) -> Flask:
    """Make the application, with a route for every operation of the document, in its order."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    operations = _Operations(administration, faults, bridge, streams)
    for operation in document.operations:
        rule = re.sub(r"\{([^}]*)\}", r"<\1>", operation.path)
        _route(app, rule, operation.id, operation.method, operations.view(operation))
    pages = _pages(document)
    for path, page in pages.items():
        _route(app, path, path, "get", page)
    paths = list(dict.fromkeys(operation.path for operation in document.operations))
    boundary = _Boundary(access, bridge, log, public=frozenset(pages), paths=paths)
    app.before_request(boundary.enter)
    app.after_request(boundary.leave)
    app.register_error_handler(Exception, boundary.refuse)
    return app


def _route(app: Flask, path: str, name: str, method: str, view: Callable[..., Response]) -> None:
    # not by `add_url_rule`, which lets HEAD in beside GET
    app.url_map.add(app.url_rule_class(path, endpoint=name, methods=None))
    [rule] = app.url_map.iter_rules(name)
    rule.methods = {method.upper()}
    app.view_functions[name] = view


def _pages(document: Document) -> dict[str, Callable[[], Response]]:
    """What is served without a token, keyed by path."""
    return {
        "/": lambda: _json(200, data_and_errors({"openapi": ["/openapi.yaml", "/openapi.json"]})),
        "/openapi.json": lambda: Response(document.json, mimetype="application/json"),
        "/openapi.yaml": lambda: Response(document.text, mimetype="application/yaml"),
    }


class _Boundary:
    """What happens around each view: access before it, one line of the log after it, refusals in the envelope."""

    def __init__(
        self, access: Access, bridge: LoopBridge, log: Log, *, public: frozenset[str], paths: list[str]
    ) -> None:
        """Take the endpoints that need no token, and the paths that a message names for an unknown one."""
        self._access = access
        self._bridge = bridge
        self._log = log
        self._public = public
        self._paths = paths

    def enter(self) -> Response | None:
        """Check who calls, and answer OPTIONS."""
        g.began = time.perf_counter()
        g.cors = {}
        request.max_content_length = (
            BODY_LIMIT + 1
        )  # Werkzeug cuts a longer chunked body there without a word
        self._access.check_host(request.headers.get("Host"))
        g.cors = self._access.cors_headers(request.headers.get("Origin"))
        if request.method == "OPTIONS":
            return _options()
        if request.endpoint not in self._public:
            self._access.check_token(request.headers.get("Authorization"))
        return None

    def leave(self, response: Response) -> Response:
        """Add the CORS headers, and log the request."""
        response.headers.update(g.get("cors", {}))
        org_id = (request.view_args or {}).get("org_id")
        what = request.endpoint or f"{request.method} {request.path[:100]}"
        line = f"{response.status_code} admin {what}  {f'org {org_id[:19]}' if org_id else '-'}"
        line += f"  {(time.perf_counter() - g.get('began', time.perf_counter())) * 1000:.1f} ms"
        reason = g.get("reason")
        line = excerpt(f"{line}  {reason}" if reason else line, 500)
        self._bridge.call_soon(self._log, line.encode("ascii", "backslashreplace").decode())
        return response

    def refuse(self, error: Exception) -> Response:
        """Answer a request that failed."""
        match error:
            case Refused():
                return _refused(error.code, error.message, error.headers)
            case ArklowError():
                return _refused(error.code, error.message)
            case MethodNotAllowed():
                allow = _allow(error)
                return _refused(
                    "METHOD_NOT_ALLOWED",
                    f"method: expected {allow} for {request.path[:100]!r}, got {request.method[:20]}",
                    ((b"allow", allow.encode()),),
                )
            case RequestEntityTooLarge():
                return _refused("BODY_TOO_LARGE", f"body: expected at most {BODY_LIMIT} bytes, got more")
            case ClientDisconnected():
                return _refused(
                    "BODY_INCOMPLETE",
                    "body: expected the whole body in time, framed as announced, got a part of it",
                )
            case HTTPException():
                known = ", ".join(self._paths)
                return _refused("NOT_FOUND", f"path: expected one of {known}; got {request.path[:100]!r}")
        self._bridge.call_soon(self._log, "".join(traceback.format_exception(error)))
        return _refused("INTERNAL_ERROR", "the mock failed; this is its own fault")


class _Operations:
    """The views of the operations: each reads a checked call from the request, and has the loop run its command."""

    def __init__(
        self,
        administration: Administration,
        faults: Faults,
        bridge: LoopBridge,
        streams: EventStreams,
    ) -> None:
        self._administration = administration
        self._bridge = bridge
        self._streams = streams
        self._commands = Commands(administration).table() | FaultCommands(faults).table()

    def view(self, operation: Operation) -> Callable[..., Response]:
        """Make the view of one operation."""

        def view(**path: str) -> Response:
            call = Call(_path(operation, path), _query(operation), _body(operation))
            if operation.id == EVENT_STREAM:
                return self._stream(call)
            command = self._commands[operation.id]
            if operation.id == HAR:
                return self._archive(command, call)
            return _json(200, data_and_errors(self._bridge.run(lambda: command(call))))

        return view

    def _archive(self, command: Command, call: Call) -> Response:
        response = _json(200, har.archive(self._bridge.run(lambda: command(call))))
        name = f"arklow-{call.path['org_id']}.har"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _stream(self, call: Call) -> Response:
        after = call.query.get("after")
        last = request.headers.get("Last-Event-ID")
        if last is not None:
            if not re.fullmatch(r"[0-9]{1,15}", last):
                raise Refused(
                    "INVALID_PARAMETER", f"header Last-Event-ID: expected a number, got {excerpt(last, 60)!r}"
                )
            after = int(last)
        stream = self._streams.open(
            lambda: self._administration.organisation(call.path["org_id"]).journal,
            after,
            request.environ.get("arklow.gone", _never),
        )
        return Response(stream, mimetype="text/event-stream", headers={"Cache-Control": "no-store"})


def _never() -> bool:
    return False


def _path(operation: Operation, values: Mapping[str, str]) -> dict[str, str]:
    declared = {parameter.name: parameter for parameter in operation.parameters}
    return {name: _value(declared[name], text) for name, text in values.items()}


def _query(operation: Operation) -> dict[str, Any]:
    """The declared parameters, keyed by name; of several values each has to fit, and the last one counts."""
    for parameter in operation.parameters:
        if parameter.location == "query" and parameter.required and parameter.name not in request.args:
            raise Refused("INVALID_PARAMETER", f"query {parameter.name}: expected a value, got none")
    return {
        parameter.name: _value(parameter, text)
        for parameter in operation.parameters
        if parameter.location == "query"
        for text in request.args.getlist(parameter.name)
    }


def _value(parameter: Parameter, text: str) -> Any:
    is_integer = "integer" in parameter.kinds and re.fullmatch(r"-?[0-9]{1,100}", text)
    value = int(text) if is_integer else text
    wrong = mismatch(parameter.validator, value, f"{parameter.location} {parameter.name}")
    if wrong:
        raise Refused("INVALID_PARAMETER", wrong)
    return value


def _body(operation: Operation) -> Any:
    if operation.body is None:
        return None
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    text = request.get_data()
    if len(text) > BODY_LIMIT:
        raise RequestEntityTooLarge
    if not text and not operation.body.required:
        return None
    bodies.require_json_type(headers)
    return bodies.parse_body(text, operation.body, None)


def _options() -> Response:
    """The methods of a path; for a page of an allowed origin this is the answer to its preflight."""
    error = request.routing_exception
    if not isinstance(error, MethodNotAllowed):
        raise NotFound
    allow = _allow(error)
    response = Response(status=204, headers={"Allow": allow})
    if "Access-Control-Allow-Origin" in g.cors:
        response.headers["Access-Control-Allow-Methods"] = allow
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type, last-event-id"
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_AGE
        if "Access-Control-Request-Private-Network" in request.headers:
            response.headers["Access-Control-Allow-Private-Network"] = "true"
    return response


def _allow(error: MethodNotAllowed) -> str:
    return ", ".join([*sorted(set(error.valid_methods or ()) - {"OPTIONS"}), "OPTIONS"])


def _refused(code: str, message: str, headers: Headers = ()) -> Response:
    g.reason = f"{code} {message}"
    response = _json(STATUSES[code].elsewhere, refusal(code, message))
    for name, value in headers:
        response.headers[name.decode()] = value.decode()
    return response


def _json(status: int, body: Any) -> Response:
    return Response(encode(body), status, mimetype="application/json")
