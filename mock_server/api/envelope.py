"""The documented envelopes, and the one way an answer leaves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from starlette.types import Send

from .exchange import Exchange

Headers = tuple[tuple[bytes, bytes], ...]

_JSON: Final = (b"content-type", b"application/json")
_READABLE: Final = (b"access-control-allow-origin", b"*")
"""On every answer of ours: a browser page of any origin may read it."""
_HEADERS_TOO: Final = (b"access-control-expose-headers", b"*")
"""Beside headers of ours; each header costs as much as a call."""


class Answer(NamedTuple):
    """What a handler answers: a JSON body, a status, extra headers."""

    body: Any
    status: int = 200
    headers: Headers = ()


def data(value: Any) -> dict[str, Any]:
    """An ingress success (B006)."""
    return {"data": value}


def data_and_errors(value: Any) -> dict[str, Any]:
    """A control-plane success: both members, `errors` null (B008)."""
    return {"data": value, "errors": None}


def refusal(code: str, message: str) -> dict[str, Any]:
    """Every failure, on both planes (B007, B008)."""
    return {"data": None, "errors": [{"code": code, "message": message}]}


def encode(body: Any) -> bytes:
    """The body as JSON text. `orjson.Fragment`s go in as they are, integers of any size exactly."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(_big_integers_as_text(body))


def _big_integers_as_text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return orjson.Fragment(str(value))
    if isinstance(value, dict):
        return {name: _big_integers_as_text(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_big_integers_as_text(item) for item in value]
    return value


async def send_json(send: Send, exchange: Exchange, status: int, text: bytes, headers: Headers = ()) -> None:
    """Send a whole JSON answer, and note it; an empty text is an answer without content."""
    start: Iterable[tuple[bytes, bytes]]
    if text and not headers:
        start = _plain(len(text))
    else:
        start = [_READABLE, _HEADERS_TOO, *headers] if headers else [_READABLE]
        if text:
            start.append(_JSON)
        if status not in (204, 304):
            start.append((b"content-length", b"%d" % len(text)))
    exchange.status = status
    exchange.answer = text
    exchange.answer_headers = start
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": text})


@lru_cache(4_096)
def _plain(length: int) -> Headers:
    """The headers of most answers, which the journal keeps: one value for each length costs less than one an answer."""
    return (_READABLE, _JSON, (b"content-length", b"%d" % length))


def with_headers(start: Iterable[tuple[bytes, bytes]], headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers of an answer of `send_json` with more of ours, which a page may read as well."""
    return [*(header for header in start if header != _HEADERS_TOO), _HEADERS_TOO, *headers]


async def send_bytes(send: Send, content: bytes, media_type: bytes, headers: Headers = ()) -> None:
    """Send a page or a file, status 200."""
    length = b"%d" % len(content)
    start = [(b"content-type", media_type), _READABLE, _HEADERS_TOO, (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": content})
