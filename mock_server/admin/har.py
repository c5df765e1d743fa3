"""The exchanges of a journal as an HTTP Archive, HAR 1.2, which browsers and proxies open.

http://www.softwareishard.com/blog/har-12-spec/; members that begin with `_` are ours.
"""

from __future__ import annotations

import base64
from codecs import getincrementaldecoder
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from .. import __version__
from ..domain.journal import Entry, Exchanged, Headers
from ..timestamps import timestamp
from .entries import pairs

_HTTP: Final = "HTTP/1.1"
_UNKNOWN: Final = -1
_AS_IT_IS: Final = "/?%:@!$&'()*+,;=~[]"
"""Characters that stand as they are in a URL that is made of a kept host, path and query; a `%` is an escape there."""


def is_exchange(entry: Entry) -> bool:
    """Whether an archive has a place for the entry; another kind of exchange is another type here."""
    return isinstance(entry, Exchanged)


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
    """One exchange; each kind of it has a case."""
    match entry:
        case Exchanged():
            return _served(entry)
    raise AssertionError(f"no exchange: {entry}")


def _served(entry: Exchanged) -> dict[str, Any]:
    """A request to the mock and its answer; times of the organisation, durations of the machine."""
    milliseconds = round(entry.seconds * 1_000, 3)
    shown = {
        "startedDateTime": timestamp(entry.at),
        "time": milliseconds,
        "request": _request(entry),
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_number": entry.number,
    }
    return shown | {"_trouble": entry.trouble} if entry.trouble else shown


def _request(entry: Exchanged) -> dict[str, Any]:
    query = entry.query.decode("latin-1")
    url = quote(f"{_value(entry.headers, b'host') or 'localhost'}{entry.path.replace('?', '%3F')}", _AS_IT_IS)
    shown = {
        "method": entry.method,
        "url": f"http://{url}{'?' if query else ''}{quote(entry.query, _AS_IT_IS)}",
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(entry.headers),
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)
        ],
        "headersSize": _UNKNOWN,
        "bodySize": entry.body_length,
    }
    if not entry.body:
        return shown
    text, _ = _text(entry.body, entry.body_length, binary=False)
    posted = {"mimeType": _value(entry.headers, b"content-type"), "text": text}
    return shown | {"postData": posted | _cut(entry.body, entry.body_length)}


def _response(entry: Exchanged) -> dict[str, Any]:
    headers = entry.answer_headers
    text, encoding = _text(entry.answer, entry.answer_length, binary=True)
    content = {"size": entry.answer_length, "mimeType": _value(headers, b"content-type"), "text": text}
    return {
        "status": entry.status,
        "statusText": _phrase(entry.status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(headers),
        "content": content | encoding | _cut(entry.answer, entry.answer_length),
        "redirectURL": _value(headers, b"location"),
        "headersSize": _UNKNOWN,
        "bodySize": entry.answer_length,
    }


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs(headers)]


def _value(headers: Headers, sought: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == sought), "")


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
    return {"comment": f"the first {len(kept)} of {length} bytes"} if len(kept) < length else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
