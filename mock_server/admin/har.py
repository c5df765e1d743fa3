"""The exchanges of a journal as an HTTP Archive, HAR 1.2, which browsers and proxies open.

The format is http://www.softwareishard.com/blog/har-12-spec/; members that begin with `_` are ours.
"""

from __future__ import annotations

import base64
from codecs import getincrementaldecoder
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from .. import __version__
from ..domain.journal import DeliveryEntry, Entry, ExchangeEntry, Headers
from ..presenters.journal import header_pairs
from ..timestamps import timestamp

_HTTP: Final = "HTTP/1.1"
_UNKNOWN: Final = -1
"""A size that was not counted; the format asks for -1."""
_UNQUOTED: Final = "/?%:@!$&'()*+,;=~[]"
"""Characters that a URL keeps when it is put together of a host, a path and a query; there a `%` begins an escape."""


def is_exchange(entry: Entry) -> bool:
    """Tell whether an archive has a place for the entry: a request to the mock, or a call that the mock made."""
    return isinstance(entry, ExchangeEntry) or (isinstance(entry, DeliveryEntry) and bool(entry.delivery.url))


def archive(exchanges: Iterable[Entry]) -> dict[str, Any]:
    """Return the archive of entries that are exchanges, its members keyed by name."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "arklow-mock", "version": __version__},
            "entries": [_entry(entry) for entry in exchanges],
        }
    }


def _entry(entry: Entry) -> dict[str, Any]:
    """One exchange. Its time is the organisation's, its duration is measured by the machine's clock."""
    match entry:
        case ExchangeEntry():
            return _request_entry(entry)
        case DeliveryEntry():
            return _delivery_entry(entry)
    raise AssertionError(f"no exchange: {entry}")


def _request_entry(entry: ExchangeEntry) -> dict[str, Any]:
    request = _request(entry.method, _url(entry), entry.query, entry.headers, entry.body, entry.body_length)
    response = _response(entry.status, entry.answer_headers, entry.answer, entry.answer_length)
    fault: dict[str, Any] = {"_fault": entry.fault} if entry.fault else {}
    return _exchange(entry, entry.seconds, request, response) | fault


def _delivery_entry(entry: DeliveryEntry) -> dict[str, Any]:
    call = entry.delivery
    length = _UNKNOWN if call.answer_length is None else call.answer_length
    query = urlsplit(call.url).query.encode("latin-1", "replace")
    request = _request("POST", call.url, query, call.headers, call.body, call.body_length)
    response = _response(call.status, call.answer_headers, call.answer, length)
    delivery: dict[str, Any] = {"_delivery": {"action_record_id": call.action_id, "attempt": call.attempt}}
    note: dict[str, Any] = {"comment": call.note} if call.note else {}
    return _exchange(entry, call.seconds, request, response) | delivery | note


def _exchange(
    entry: Entry, seconds: float, request: dict[str, Any], response: dict[str, Any]
) -> dict[str, Any]:
    milliseconds = round(seconds * 1_000, 3)
    return {
        "startedDateTime": timestamp(entry.at),
        "time": milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_number": entry.number,
    }


def _url(entry: ExchangeEntry) -> str:
    host = _value(entry.headers, b"host") or "localhost"
    url = quote(f"{host}{entry.path.replace('?', '%3F')}", _UNQUOTED)
    return f"http://{url}{'?' if entry.query else ''}{quote(entry.query, _UNQUOTED)}"


def _request(
    method: str, url: str, query: bytes, headers: Headers, body: bytes, length: int
) -> dict[str, Any]:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    members = {
        "method": method,
        "url": url,
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(headers),
        "queryString": [{"name": name, "value": value} for name, value in pairs],
        "headersSize": _UNKNOWN,
        "bodySize": length,
    }
    if not body:
        return members
    text, _ = _text(body, length, binary=False)
    posted = {"mimeType": _value(headers, b"content-type"), "text": text}
    return members | {"postData": posted | _cut_comment(body, length)}


def _response(status: int, headers: Headers, answer: bytes, length: int) -> dict[str, Any]:
    text, encoding = _text(answer, length, binary=True)
    content = {"size": length, "mimeType": _value(headers, b"content-type"), "text": text}
    return {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(headers),
        "content": content | encoding | _cut_comment(answer, length),
        "redirectURL": _value(headers, b"location"),
        "headersSize": _UNKNOWN,
        "bodySize": length,
    }


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in header_pairs(headers)]


def _value(headers: Headers, sought: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == sought), "")


def _text(data: bytes, length: int, *, binary: bool) -> tuple[str, dict[str, str]]:
    """The kept part of a body as text, and the member that says how it is encoded.

    A character that was cut through is left out. Other bytes become Base64 where the format allows it (`binary`).
    """
    decoder = getincrementaldecoder("utf-8")
    try:
        return decoder("strict").decode(data, final=len(data) == length), {}
    except UnicodeDecodeError:
        if binary:
            return base64.b64encode(data).decode(), {"encoding": "base64"}
        return decoder("backslashreplace").decode(data, final=True), {}


def _cut_comment(kept: bytes, length: int) -> dict[str, str]:
    """A comment where only a part of a body was kept."""
    if length == _UNKNOWN:
        return {"comment": f"the first {len(kept)} bytes of more than were read"} if kept else {}
    return {"comment": f"the first {len(kept)} of {length} bytes"} if len(kept) < length else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
