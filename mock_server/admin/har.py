"""The exchanges of a journal as an HTTP Archive, HAR 1.2, which browsers and proxies open.

http://www.softwareishard.com/blog/har-12-spec/; members that begin with `_` are ours.
"""

from __future__ import annotations

import base64
from codecs import getincrementaldecoder
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from .. import __version__
from ..domain.journal import (
    DeliveryEntry,
    Entry,
    ExchangeEntry,
    Headers,
)
from ..presenters.journal import header_pairs
from ..timestamps import timestamp

_HTTP: Final = "HTTP/1.1"
_UNKNOWN: Final = -1
_AS_IT_IS: Final = "/?%:@!$&'()*+,;=~[]"
"""Characters that stand as they are in a URL that is made of a kept host, path and query; a `%` is an escape there."""


def is_exchange(entry: Entry) -> bool:
    """Whether an archive has a place for the entry: requests to the mock, and the calls that it made."""
    return isinstance(entry, ExchangeEntry) or (isinstance(entry, DeliveryEntry) and bool(entry.delivery.url))


def archive(exchanges: Iterable[Entry]) -> dict[str, Any]:
    """The whole archive."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "arklow-mock", "version": __version__},
            "entries": [_entry(entry) for entry in exchanges],
        }
    }


def _entry(entry: Entry) -> dict[str, Any]:
    """One exchange, whichever side began it; times of the organisation, durations of the machine."""
    match entry:
        case ExchangeEntry():
            answered = (entry.status, entry.answer_headers, entry.answer, entry.answer_length)
            request = _request(
                entry.method, _url(entry), entry.query, entry.headers, entry.body, entry.body_length
            )
            marked: dict[str, Any] = {"_fault": entry.fault} if entry.fault else {}
            return _exchange(entry, entry.seconds, request, _response(*answered)) | marked
        case DeliveryEntry(delivery=told):
            length = _UNKNOWN if told.answer_length is None else told.answer_length
            query = urlsplit(told.url).query.encode("latin-1", "replace")
            request = _request("POST", told.url, query, told.headers, told.body, told.body_length)
            response = _response(told.status, told.answer_headers, told.answer, length)
            more: dict[str, Any] = {
                "_delivery": {"action_record_id": told.action_id, "attempt": told.attempt}
            }
            return (
                _exchange(entry, told.seconds, request, response)
                | more
                | ({"comment": told.note} if told.note else {})
            )
    raise AssertionError(f"no exchange: {entry}")


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
    url = quote(f"{_value(entry.headers, b'host') or 'localhost'}{entry.path.replace('?', '%3F')}", _AS_IT_IS)
    return f"http://{url}{'?' if entry.query else ''}{quote(entry.query, _AS_IT_IS)}"


def _request(
    method: str, url: str, query: bytes, headers: Headers, body: bytes, length: int
) -> dict[str, Any]:
    asked = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    shown = {
        "method": method,
        "url": url,
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(headers),
        "queryString": [{"name": name, "value": value} for name, value in asked],
        "headersSize": _UNKNOWN,
        "bodySize": length,
    }
    if not body:
        return shown
    text, _ = _text(body, length, binary=False)
    posted = {"mimeType": _value(headers, b"content-type"), "text": text}
    return shown | {"postData": posted | _cut(body, length)}


def _response(status: int, headers: Headers, answer: bytes, length: int) -> dict[str, Any]:
    text, encoding = _text(answer, length, binary=True)
    content = {"size": length, "mimeType": _value(headers, b"content-type"), "text": text}
    return {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(headers),
        "content": content | encoding | _cut(answer, length),
        "redirectURL": _value(headers, b"location"),
        "headersSize": _UNKNOWN,
        "bodySize": length,
    }


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in header_pairs(headers)]


def _value(headers: Headers, sought: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == sought), "")


def _text(data: bytes, length: int, *, binary: bool) -> tuple[str, dict[str, str]]:
    """What is kept of a body as text, and how it is encoded; a character that was cut through is left out."""
    decoder = getincrementaldecoder("utf-8")
    try:
        return decoder("strict").decode(data, final=len(data) == length), {}
    except UnicodeDecodeError:
        if binary:
            return base64.b64encode(data).decode(), {"encoding": "base64"}
        return decoder("backslashreplace").decode(data, final=True), {}


def _cut(kept: bytes, length: int) -> dict[str, str]:
    """A comment where not all of a body was kept."""
    if length == _UNKNOWN:
        return {"comment": f"the first {len(kept)} bytes of more than were read"} if kept else {}
    return {"comment": f"the first {len(kept)} of {length} bytes"} if len(kept) < length else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
