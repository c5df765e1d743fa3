"""The documented envelopes, and the only functions that send an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from starlette.types import Send

from .exchange import Exchange

Headers = tuple[tuple[bytes, bytes], ...]
"""Pairs of name, in lower case, and value."""

_JSON: Final = (b"content-type", b"application/json")
_ANY_ORIGIN: Final = (b"access-control-allow-origin", b"*")
"""On every answer: pages of any origin may read it, so that the API can be tried from a browser."""
_EXPOSE_HEADERS: Final = (b"access-control-expose-headers", b"*")
"""On answers with headers of ours alone, as each header costs as much time as a call."""
_EMPTY: Final = (204, 304)
"""Statuses whose answers have no `Content-Length` (RFC 9110 §8.6)."""


class Answer(NamedTuple):
    """What a handler answers."""

    body: Any
    """A JSON value."""
    status: int = 200
    headers: Headers = ()
    """Beside those that every answer has."""


def data(value: Any) -> dict[str, Any]:
    """Return the members of an ingress success by name: `data` alone (B006)."""
    return {"data": value}


def data_and_errors(value: Any) -> dict[str, Any]:
    """Return the members of a control-plane success by name: `data`, and `errors` as None (B008)."""
    return {"data": value, "errors": None}


def refusal(code: str, message: str) -> dict[str, Any]:
    """Return the members of a failure by name; they are the same on both planes (B007, B008)."""
    return {"data": None, "errors": [{"code": code, "message": message}]}


def encode(body: Any) -> bytes:
    """Return the body as JSON text: `orjson.Fragment`s as they are, integers of any size exactly."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(_with_big_integers(body))


def _with_big_integers(value: Any) -> Any:
    """A copy that orjson can write: it refuses integers of more than 64 bits, but takes their text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return orjson.Fragment(str(value))
    if isinstance(value, dict):
        return {name: _with_big_integers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_big_integers(item) for item in value]
    return value


async def send_json(send: Send, exchange: Exchange, status: int, text: bytes, headers: Headers = ()) -> None:
    """Send a JSON answer and note it in the exchange; an empty text is an answer without content."""
    start: Sequence[tuple[bytes, bytes]]
    if text and not headers:
        start = _usual_headers(len(text))
    else:
        start = [_ANY_ORIGIN, _EXPOSE_HEADERS, *headers] if headers else [_ANY_ORIGIN]
        if text:
            start.append(_JSON)
        if status not in _EMPTY:
            start.append((b"content-length", b"%d" % len(text)))
    exchange.answered(status, text, start)
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": text})


@lru_cache(4_096)
def _usual_headers(length: int) -> Headers:
    """The headers of most answers. The journal keeps them, so one value for each length saves memory and time."""
    return (_ANY_ORIGIN, _JSON, (b"content-length", b"%d" % length))


def with_headers(start: Iterable[tuple[bytes, bytes]], headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer of `send_json` and further ones, as pairs; a page may read those too."""
    return [*(header for header in start if header != _EXPOSE_HEADERS), _EXPOSE_HEADERS, *headers]


async def send_file(
    send: Send, exchange: Exchange, content: bytes, media_type: bytes, headers: Headers = ()
) -> None:
    """Send a page or a file with status 200; the exchange notes the status alone, as no journal has pages."""
    length = b"%d" % len(content)
    start = [
        (b"content-type", media_type),
        _ANY_ORIGIN,
        _EXPOSE_HEADERS,
        (b"content-length", length),
        *headers,
    ]
    exchange.answered(200)
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": content})
