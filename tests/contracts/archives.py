"""HTTP Archives as recorders write them: a proxy keeps everything, a browser does not."""

from __future__ import annotations

import base64
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
from tests.contracts.runs import target

DOCUMENT = load(PUBLISHED)


def recorded(
    url: str, *only: str, seconds: float = 10.0, **members: Any
) -> tuple[RunFinished, list[Exchange]]:
    """Run the judge; return what it found, and every exchange that it judged."""
    seen: list[Exchange] = []
    plan = Plan(target(url), seed=7, max_time=seconds, only=frozenset(only), **members)
    return Run(plan, observers=[seen.append]).judge(), seen


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
