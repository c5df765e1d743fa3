"""HTTP Archives as recorders write them: a proxy keeps everything, a browser does not."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from contracts import Credential, RunFinished
from contracts.core.exchange import Exchange
from contracts.openapi.document import PUBLISHED, load
from contracts.recordings.har import read_archive
from contracts.recordings.recorded_traffic import RecordingJudge
from contracts.run.engine import Run
from contracts.run.plan import Plan
from tests.contracts.commands import Make, ports_to
from tests.contracts.runs import URL, exchange, target

DOCUMENT = load(PUBLISHED)


def recorded(make: Make, *only: str, **members: Any) -> tuple[RunFinished, list[Exchange]]:
    """Run the judge in this process; return what it found, and every exchange that it judged."""
    seen: list[Exchange] = []
    ports = ports_to(make)
    plan = Plan(target(URL), seed=7, only=frozenset(only), **members)
    run = Run(plan, clock=ports.clock, transport=ports.transport, observers=[seen.append])
    return run.judge(), seen


def pairs(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return headers in the form of an archive."""
    return [{"name": name, "value": value} for name, value in headers]


def entry(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as a proxy writes it that keeps everything."""
    body = exchange.body
    sent = [("host", "recorded"), *exchange.headers]
    if exchange.request_header("content-length") is None and not exchange.chunks:
        sent.append(("content-length", str(len(body or b""))))
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": pairs(sent),
        "queryString": [],
        "headersSize": -1,
        "bodySize": len(body or b""),
    }
    if body:
        request["postData"] = {"mimeType": exchange.request_header("content-type") or "", **text(body)}
    answer = exchange.answer
    return {
        "startedDateTime": datetime.fromtimestamp(exchange.at, UTC).isoformat(),
        "time": 1,
        "request": request,
        "response": {
            "status": exchange.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": pairs(exchange.answer_headers),
            "content": {
                "size": len(answer),
                "mimeType": exchange.answer_header("content-type") or "",
                **text(answer),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(answer),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 1, "receive": 0},
    }


def text(data: bytes) -> dict[str, str]:
    """Return bytes as text, or in Base64 where they are not UTF-8."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(data).decode(), "encoding": "base64"}


def archive(*entries: Any) -> bytes:
    """Return the bytes of an archive with these entries."""
    log = {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": list(entries)}
    return json.dumps({"log": log}).encode()


def judged(data: bytes, credential: Credential | None = None, **members: Any) -> RunFinished:
    """Judge one archive."""
    return RecordingJudge(DOCUMENT, credential=credential, **members).judge([read_archive(data, "a.har")])


# Entries of three operations

INGRESS = "POST /v1/ingress/{variant}"
PUT = "PUT /v1/orgs/{org_id}/actions/definitions"
TAKEN = b'{"data":{"a_id":"30","a_def_id":"10","queue_s":"queued","a_va":"order.created","a_ve":"1"}}'
DEFINED = (
    b'{"data":{"id":"10","org_id":"1","variant":"v","version":1,"alias":[],"schema":{},"deleted_at":null,'
    b'"destinations":[]},"errors":null}'
)
PAYLOAD = b'{"payload":{"order_id":"8471"}}'
REFUSED = b'{"data":null,"errors":[{"code":"UNAUTHORIZED","message":"no key"}]}'

Entry = dict[str, Any]


def work(**members: Any) -> Entry:
    """Make work that is accepted, as a proxy records it; the answer announces its length."""
    made = exchange(INGRESS, 200, TAKEN, body=PAYLOAD, **members)
    one = entry(made)
    one["response"]["headers"].append({"name": "Content-Length", "value": str(len(TAKEN))})
    return one


def defined(answer: bytes = DEFINED, body: bytes = b'{"variant":"v","schema":{}}', **members: Any) -> Entry:
    """Make a definition that is put, as a proxy records it."""
    return answered(entry(exchange(PUT, 200, answer, body=body, **members)), answer)


def changed(one: Entry, *path: str, to: Any = None) -> Entry:
    """Replace a member of an entry; None removes it."""
    one = copy.deepcopy(one)
    inner = one
    for name in path[:-1]:
        inner = inner[name]
    if to is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = to
    return one


def without(one: Entry, side: str, *names: str) -> Entry:
    """Remove headers from the request or the response of an entry."""
    kept = [header for header in one[side]["headers"] if header["name"].lower() not in names]
    return changed(one, side, "headers", to=kept)


def answered(one: Entry, content: bytes, status: int = 200) -> Entry:
    """Replace the answer of an entry; the length that it announces is right."""
    one = without(one, "response", "content-length")
    one["response"]["headers"].append({"name": "content-length", "value": str(len(content))})
    one["response"]["content"] |= {"size": len(content), "text": ""} | text(content)
    return changed(one, "response", "status", to=status)


# As browsers and proxies write them


def chrome(one: Entry) -> Entry:
    """HTTP/2; `Authorization`, cookies and lengths are left out."""
    one = without(one, "request", "authorization", "cookie", "content-length", "host")
    one = without(one, "response", "set-cookie", "content-length")
    one["request"]["headers"] = [
        {"name": ":authority", "value": "recorded"},
        {"name": ":method", "value": one["request"]["method"]},
        *one["request"]["headers"],
        *pairs([("origin", "https://app"), ("user-agent", "Mozilla/5.0"), ("sec-fetch-mode", "cors")]),
    ]
    one["request"]["httpVersion"] = "h2"
    content = one["response"]["content"]
    content["mimeType"] = content["mimeType"] or "x-unknown"
    return one | {"_resourceType": "fetch", "_priority": "High", "_initiator": {"type": "script"}}


def firefox(one: Entry) -> Entry:
    """Answers are cut, and their sizes are those of the whole."""
    content = one["response"]["content"]
    if isinstance(content.get("text"), str):
        content |= {"text": content["text"][:20], "comment": "Response body is truncated"}
    return changed(one, "request", "headersSize", to=300)


def mitmproxy(one: Entry) -> Entry:
    """`content.size` is that of the compressed body; a request without a body has `params` and an empty text."""
    size = one["response"]["content"]["size"]
    one["response"]["content"] |= {"size": size // 2, "compression": size - size // 2}
    one["request"].setdefault("postData", {"mimeType": "", "text": ""})["params"] = []
    return one
