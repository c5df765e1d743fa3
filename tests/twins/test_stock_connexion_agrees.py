"""Stock Connexion with slow validators and our own operations give the same verdict on the same bytes.

Both serve the published document with handlers that accept everything, so that security, routing and validation alone
decide. Stock Connexion gets help with two things that it cannot do: it does not check that the version is 3.0, and its
body validator is `jsonschema` for draft 2020-12 with int32 and int64 as format checks.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase
from jsonschema import Draft202012Validator, FormatChecker
from schemathesis.generation import GenerationMode

from mock_server.api.connexion_app import connexion_app
from mock_server.api.document import Document
from mock_server.api.envelope import Answer
from mock_server.api.error_boundary import ErrorBoundary
from mock_server.api.pages import Pages
from mock_server.api.prepared_operation import Handler, OperationContext, Request
from mock_server.api.security import Keys
from mock_server.app import create_app
from mock_server.settings import PUBLISHED, Settings
from tests.pools import PoolHere

SAMPLES = {
    "createIngressVariantAction": {"data": {"a_id": "1", "a_def_id": "1", "queue_s": "queued", "a_va": "v", "a_ve": "1"}},
    "modAckIngressAction": {"data": {"status": "ok"}},
    "put_v1_orgs_by_org_id_actions_definitions": {"data": None, "errors": None},
}  # fmt: skip
KEYS = Keys({})
FORMATS = FormatChecker(formats=())


@FormatChecker.checks(FORMATS, "int32")
def _int32(value: object) -> bool:
    return not isinstance(value, int | float) or -(2**31) <= value < 2**31


@FormatChecker.checks(FORMATS, "int64")
def _int64(value: object) -> bool:
    return not isinstance(value, int | float) or -(2**63) <= value < 2**63


@cache
def our_app() -> Any:
    """Make our application over handlers that accept everything; every key is accepted."""
    document = Document(PUBLISHED)

    def handler(body: Any) -> Handler:
        async def handle(request: Request) -> Answer:
            return Answer(body)

        return handle

    settings = Settings(document=PUBLISHED)
    faults = create_app(settings, document=document).faults
    context = OperationContext(document, KEYS, settings, PoolHere(), faults, adapters={})
    handlers = {name: handler(body) for name, body in SAMPLES.items()}
    app = connexion_app(context, handlers, otherwise=Pages(document))
    return ErrorBoundary(
        app, [(op.method, op.path) for op in document.operations], lambda _: None, lambda *_: None
    )


@cache
def stock_app() -> Any:
    """Make Connexion's own AsyncApp, with its routing, security and request validation."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import connexion
        from connexion.datastructures import MediaTypeDict
        from connexion.middleware.main import API
        from connexion.resolver import Resolver
        from connexion.security import ApiKeySecurityHandler
        from connexion.spec import OpenAPISpecification
        from connexion.validators import VALIDATOR_MAP
        from connexion.validators.json import JSONRequestBodyValidator

    class Specification31(OpenAPISpecification):
        @classmethod
        def _validate_spec(cls, spec: Any) -> None:
            pass

    class Slow(JSONRequestBodyValidator):
        @property
        def _validator(self) -> Draft202012Validator:
            return Draft202012Validator(self._schema, format_checker=FORMATS)

    def look_up(key: str, required_scopes: Any = None) -> Any:
        organisation = KEYS.organisation(key.strip(" \t"))
        return organisation and {"sub": organisation}

    class Key(ApiKeySecurityHandler):
        def _resolve_func(self, security_scheme: Any) -> Any:
            return look_up

    def function(name: str) -> Any:
        async def handle(**_: Any) -> Any:
            return SAMPLES[name]

        return handle

    app = connexion.AsyncApp(__name__)
    specification = Specification31(yaml.safe_load(PUBLISHED.read_text()))
    options = app.middleware.options.replace(
        resolver=Resolver(function),
        validator_map=VALIDATOR_MAP | {"body": MediaTypeDict({"*/*json": Slow})},
        security_map={"apiKey": Key},
        swagger_ui_options=connexion.options.SwaggerUIOptions(swagger_ui=False, serve_spec=False),
    )
    app.middleware.apis.append(API(specification, base_path="", name="stock", **options.__dict__))
    return app


@cache
def _loop() -> asyncio.Runner:
    return asyncio.Runner()


@pytest.fixture(autouse=True, scope="module")
def _end() -> Iterator[None]:
    yield
    _loop().close()
    _loop.cache_clear()


def ask(app: Any, method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """Send one request without a socket, and return its status."""
    from urllib.parse import unquote

    parts = urlsplit(url)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "method": method,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": headers,
    }
    status: list[int] = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        status.append(message.get("status", 0))

    async def run() -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            status.insert(0, 500)

    _loop().run(run())
    return status[0]


def verdict(status: int) -> str:
    """Return what a status says of the request."""
    return {200: "accepted", 401: "no key", 404: "no such path", 405: "no such method"}.get(
        status, "refused" if status < 500 else "failed"
    )


def both(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Return our verdict and that of stock Connexion."""
    sent = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    sent.append((b"content-length", b"%d" % len(body)))
    return verdict(ask(our_app(), method, url, sent, body)), verdict(
        ask(stock_app(), method, url, sent, body)
    )


def explained(url: str, headers: dict[str, str], body: bytes, ours: str, stock: str) -> str | None:
    """Return why the two verdicts may differ, None when nothing explains this pair."""
    path = urlsplit(url).path
    if stock == "no such path" and re.search("%2F|%0A", path, re.IGNORECASE):
        return "%2F or a line feed in a segment hides the path from stock Connexion's router"
    if (ours, stock) == ("refused", "failed"):
        return "stock Connexion answers 500 to bytes that are not UTF-8 and to unusual forms"
    if (ours, stock) == ("refused", "accepted"):
        if re.match("/v1/orgs/[0-9]{20,}/", path):
            return "no key of ours names an organisation of more than 19 digits, so it is another's: 403"
        if "application/json" not in headers.get("content-type", ""):
            return "a body without a JSON media type reaches stock Connexion's handler"
        if body.strip() in (b"", b"null"):
            return "stock Connexion takes an empty body for none"
    return None


@cache
def published() -> Any:
    """Load the published document as Schemathesis has it."""
    return schemathesis.openapi.from_path(str(PUBLISHED))


def compare(operation_id: str, mode: GenerationMode, count: int, seen: Counter[str]) -> None:
    """Draw requests of one kind from the document by Schemathesis, send them to both, and count what is seen."""
    operation = published().find_operation_by_id(operation_id)

    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask_both(case: Any) -> None:
        arguments = case.as_transport_kwargs(base_url="http://localhost")
        known = ("method", "url", "headers", "params", "data", "json", "cookies")
        prepared = requests.Request(**{k: v for k, v in arguments.items() if k in known}).prepare()
        headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
        headers.pop("content-length", None)
        organisation = re.match("http://localhost/v1/orgs/([0-9]{1,19})/", str(prepared.url))
        headers["x-arklow-auth"] = f"org-{organisation[1]}" if organisation else "org-42"
        body = prepared.body if isinstance(prepared.body, bytes) else str(prepared.body or "").encode()
        mine, stock = both(str(prepared.method), str(prepared.url), headers, body)
        seen["compared"] += 1
        seen[f"{mode.value}: {mine}"] += 1
        if mine != stock:
            reason = explained(str(prepared.url), headers, body, mine, stock)
            assert reason, f"{prepared.method} {prepared.url} {headers} {body!r}: ours {mine}, stock {stock}"
            seen[reason] += 1

    ask_both()


@pytest.mark.parametrize("times", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_the_verdicts_agree_on_generated_requests(examples: int, times: int) -> None:
    """Good and bad ones, 150 here, 900 in the slow lane and 3,600 in `make fuzz`: the verdict is the same, or the list has a
    reason."""
    count, seen = times * examples, Counter[str]()
    for operation_id in SAMPLES:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            compare(operation_id, mode, count, seen)

    print(dict(seen))
    assert seen["compared"] >= 5 * count, seen
    assert seen["positive: accepted"] >= 2 * count, seen
    assert seen["negative: refused"] >= 1.5 * count, seen


LISTED = [
    # body, our verdict, stock's: where the two differ on purpose
    (b'{"payload":1,"payload":2}', "refused", "accepted", "RFC 8259 §4: names should be unique; what differs must not be guessed"),
    (b'{"payload":NaN}', "refused", "accepted", "RFC 8259 §6: NaN is no number"),
    (b'{"payload":"\\ud800"}', "refused", "accepted", "RFC 8259 §8.2: a lone surrogate cannot be sent on"),
    (b'{"payload":1e400}', "refused", "accepted", "RFC 8259 §6: beyond a double it would come out as Infinity"),
    (b'{"payload":' + b"[" * 501 + b"]" * 501 + b"}", "refused", "accepted", "depth is bounded here; stock Connexion ends in a RecursionError somewhat deeper"),
    (b'{"payload":"\xff"}', "refused", "failed", "RFC 8259 §8.1: not UTF-8; 500 in stock Connexion"),
    (b'{"payload":' + b"1" * 4301 + b"}", "refused", "failed", "CPython's limit; 500 in stock Connexion"),
    (b'{"payload":1} x', "refused", "refused", ""),
    (b'{"payload":1,"version":2147483648}', "refused", "refused", ""),
    (b'{"payload":1,"version":1.0}', "accepted", "accepted", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "mine", "stock", "reason"), LISTED, ids=lambda value: repr(value)[:40])
def test_where_the_verdicts_differ_there_is_a_reason(body: bytes, mine: str, stock: str, reason: str) -> None:
    """The reasons are those of docs/decisions/0003; each of them holds as written."""
    headers = {"x-arklow-auth": "org-42", "content-type": "application/json"}

    assert both("POST", "http://localhost/v1/ingress/v", headers, body) == (mine, stock)
    assert bool(reason) == (mine != stock)
