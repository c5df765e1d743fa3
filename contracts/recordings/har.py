"""HTTP Archives (HAR 1.2) of browsers, proxies and tools: read with patience, each entry with what it has lost.

http://www.softwareishard.com/blog/har-12-spec/. What must be there for an exchange to be one is asked for; anything
else that is missing, or of another type, is a loss. Nothing is guessed: a body whose length is not the one that was
announced is not the body.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ..core.exchange import (
    Exchange,
    Headers,
    media,
    utc,
)


class NoArchive(ValueError):
    """The text is not an HTTP Archive; the message says where, what was expected and what is there."""


class Loss(StrEnum):
    """What an archive may not have kept of an exchange."""

    BODY = "the body of the request was not recorded whole"
    BODY_LENGTH = "nothing says that the recorded body of the request is whole"
    SENT_HEADERS = "headers of the request were not recorded"
    SENT_MEDIA = "the media type of the request was not recorded"
    SENT_REDACTED = "something in the request was redacted"
    ANSWER = "the body of the answer was not recorded whole"
    ANSWER_LENGTH = "nothing says that the recorded body of the answer is whole"
    ANSWER_HEADERS = "headers of the answer were not recorded, or hidden from a page of another origin"
    ANSWER_MEDIA = "the media type of the answer was not recorded as it was sent"
    ANSWER_REDACTED = "something in the answer was redacted"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive: the exchange as far as it was kept, and what was lost."""

    file: str
    number: int
    """Counted from 1."""
    started: datetime | None
    exchange: Exchange
    """With neither operation nor path: which document it is judged by is not known here."""
    losses: frozenset[Loss]
    hidden: tuple[str, ...]
    """Values that are nobody's business: keys, cookies, passwords."""
    void: str = ""
    """Why it is no exchange with a server, or none that counts; empty when it is one."""

    @property
    def name(self) -> str:
        """What it is called where it is spoken of."""
        moment = "at no known time" if self.started is None else utc(self.started)
        return f"entry {self.number} of {self.file}, {moment}"


def read(data: bytes, file: str) -> list[Entry]:
    """The entries of an archive.

    Raises:
        NoArchive: it is none.
    """
    try:
        value = json.loads(data, parse_constant=lambda _: None)  # NaN is a loss as any other
    except RecursionError:
        raise NoArchive(f"{file} is nested too deeply for an HTTP Archive") from None
    except UnicodeDecodeError as error:
        raise NoArchive(f"{file} is not JSON: byte {error.start} is not {error.encoding.upper()}") from None
    except json.JSONDecodeError as error:
        raise NoArchive(f"{file} is not JSON: {error.msg.lower()} in line {error.lineno}") from None
    except ValueError:
        raise NoArchive(f"{file} has a number that is too long") from None
    log = _member(_typed(value, dict, file, ""), "log", dict, file, "")
    entries = _member(log, "entries", list, file, "log")
    return [_entry(one, file, number) for number, one in enumerate(entries, 1)]


_CALLED: Final = {dict: "an object", list: "an array", str: "a string", int: "an integer"}


def _typed(value: Any, kind: type, file: str, place: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        there = f"{json.dumps(value, default=str):.60}" if not isinstance(value, dict | list) else ""
        there = there or ("an object" if isinstance(value, dict) else "an array")
        raise NoArchive(
            f"{file} is not an HTTP Archive: {place or 'the text'} is {there}, expected {_CALLED[kind]}"
        )
    return value


def _member(value: Mapping[str, Any], name: str, kind: type, file: str, place: str) -> Any:
    at = f"{place}/{name}".lstrip("/")
    if name not in value:
        raise NoArchive(f"{file} is not an HTTP Archive: {at} is missing, expected {_CALLED[kind]}")
    return _typed(value[name], kind, file, at)


def _entry(value: Any, file: str, number: int) -> Entry:
    place = f"log/entries/{number - 1}"
    one = _typed(value, dict, file, place)
    request = _member(one, "request", dict, file, place)
    method = _member(request, "method", str, file, f"{place}/request")
    url = _plain(_member(request, "url", str, file, f"{place}/request"))
    answer = one.get("response")
    answer = {} if answer is None else _typed(answer, dict, file, f"{place}/response")
    sent, got = _headers(request), _headers(answer)
    body, lost_of_request, sent = _body(request, sent)
    content, lost_of_answer, got = _content(answer, got)
    hidden = (*_hidden(sent), *_hidden(got), *_cookies(request), *_cookies(answer), *_in_url(url))
    started = _moment(one.get("startedDateTime"))
    exchange = Exchange(
        _plain(method),
        _without_user(url),
        sent,
        body,
        _status(answer),
        got,
        content,
        at=started.timestamp() if started else 0.0,
        trace=next((value for name, value in sent if name.lower() == "traceparent"), ""),
    )
    losses = {*lost_of_request, *lost_of_answer, *_lost(request, sent, got)}
    if looks_redacted(url):
        losses.add(Loss.SENT_REDACTED)
    return Entry(
        file,
        number,
        started,
        exchange,
        frozenset(losses),
        tuple(dict.fromkeys(hidden)),
        _void(one, answer, exchange),
    )


_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")


def _plain(text: str) -> str:
    """A text that every encoding can write: a surrogate without its other half is none."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _status(answer: Mapping[str, Any]) -> int:
    status = answer.get("status")
    if isinstance(status, str) and re.fullmatch("[0-9]{3}", status, re.ASCII):
        status = int(status)
    return status if isinstance(status, int) and not isinstance(status, bool) and 200 <= status < 600 else 0


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year <= 9998 else None


def _headers(message: Mapping[str, Any]) -> Headers:
    """Its headers, without those of the kind that HTTP/2 begins with; tools join those of one name by line ends."""
    listed = message.get("headers")
    found = []
    for one in listed if isinstance(listed, list) else ():
        name, value = (one.get("name"), one.get("value")) if isinstance(one, dict) else (None, None)
        if isinstance(name, str) and isinstance(value, str) and _METHOD.fullmatch(name):
            found += [(name, _plain(line).strip(" \t\r")) for line in value.split("\n")]
    return tuple(found)


def _first(headers: Headers, name: str) -> str | None:
    return next((value for other, value in headers if other.lower() == name), None)


def _length(headers: Headers) -> int | None:
    told = (_first(headers, "content-length") or "").strip()
    return int(told) if re.fullmatch("[0-9]{1,15}", told, re.ASCII) else None


def _number(value: Any) -> int | None:
    """A size that was noted; 0 and less stand for one that was not."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _bytes(text: Any, encoding: Any) -> bytes | None:
    """The bytes that stand as text; None where they cannot be told."""
    if not isinstance(text, str):
        return None
    if encoding == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
    if encoding not in (None, "", "utf-8", "utf8"):
        return None
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None


def _body(request: Mapping[str, Any], headers: Headers) -> tuple[bytes | None, set[Loss], Headers]:
    """The body of a request, what was lost of it, and the headers with its media type."""
    posted = request.get("postData")
    posted = posted if isinstance(posted, dict) else {}
    losses: set[Loss] = set()
    kind = posted.get("mimeType")
    if _first(headers, "content-type") is None:
        if isinstance(kind, str) and media(kind) == "application/json":
            headers = (*headers, ("content-type", _plain(kind)))
        elif headers == () or kind or posted:
            losses.add(Loss.SENT_MEDIA)
    told = _length(headers)
    body = _bytes(posted.get("text"), posted.get("encoding") or posted.get("_encoding"))
    if not body:
        return (b"", losses, headers) if told == 0 else (None, losses | {Loss.BODY}, headers)
    lengths = {one for one in (told, _number(request.get("bodySize"))) if one is not None}
    if told not in (None, len(body)) or (lengths and len(body) not in lengths):
        losses.add(Loss.BODY)
    elif not lengths:
        losses.add(Loss.BODY_LENGTH)
    if looks_redacted(body.decode("utf-8", "replace")):
        losses.add(Loss.SENT_REDACTED)
    return body, losses, headers


def _content(answer: Mapping[str, Any], headers: Headers) -> tuple[bytes, set[Loss], Headers]:
    """The body of an answer, what was lost of it, and the headers with its media type."""
    content = answer.get("content")
    content = content if isinstance(content, dict) else {}
    losses: set[Loss] = set()
    kind = content.get("mimeType")
    if _first(headers, "content-type") is None and kind not in (None, "", "x-unknown"):
        if isinstance(kind, str) and media(kind) == "application/json":
            headers = (*headers, ("content-type", _plain(kind)))
        else:
            losses.add(Loss.ANSWER_MEDIA)
    told = _length(headers)
    body = _bytes(content.get("text"), content.get("encoding"))
    coded = (_first(headers, "content-encoding") or "identity").strip().lower() != "identity"
    if not body:
        empty = told == 0 and not coded and _number(content.get("size")) is None
        return b"", losses | (set() if empty else {Loss.ANSWER}), headers
    size, saved = _number(content.get("size")), content.get("compression")
    sizes = {size, size + saved} if size and isinstance(saved, int) else {size}
    if not coded and told is not None:
        sizes = {told}
    sizes.discard(None)
    if sizes and len(body) not in sizes:
        return b"", losses | {Loss.ANSWER}, headers
    if not sizes:
        losses.add(Loss.ANSWER_LENGTH)
    if looks_redacted(body.decode("utf-8", "replace")):
        losses.add(Loss.ANSWER_REDACTED)
    return body, losses, headers


def _lost(request: Mapping[str, Any], sent: Headers, got: Headers) -> Iterator[Loss]:
    """Headers that were lost: all of them, or those that a browser shows of a finished request alone."""
    listed = request.get("headers")
    names = {name.lower() for name, _ in sent}
    if isinstance(listed, list):
        names |= {str(one.get("name")).lower() for one in listed if isinstance(one, dict)}
    if not names & {"host", ":authority"}:
        yield Loss.SENT_HEADERS
    if not got or "origin" in names:
        yield Loss.ANSWER_HEADERS


_CACHED: Final = ("_fromCache", "fromCache", "_isFromCache")
_WORKERS: Final = (
    "_fetchedViaServiceWorker",
    "_serviceWorkerResponseSource",
    "_wasFulfilled",
    "_wasIntercepted",
)


def _void(entry: Mapping[str, Any], answer: Mapping[str, Any], exchange: Exchange) -> str:
    """Why an entry says nothing about a server."""
    if not _METHOD.fullmatch(exchange.method):
        return "with a method that is none"
    if "_delivery" in entry:
        return "a call of the mock to a webhook"
    if entry.get("_fault") or exchange.got("x-arklow-mock-fault") is not None:
        return "fault that was asked for"
    if any(entry.get(name) or answer.get(name) for name in _WORKERS):
        return "answered by a service worker or a test, not by a server"
    cache = entry.get("cache")
    kept = isinstance(cache, dict) and cache.keys() & {"beforeRequest", "afterRequest"}
    fetched = answer.get("_fetchType") or entry.get("_fetchType") or "Network Load"
    cached = any(entry.get(name) or answer.get(name) for name in _CACHED)
    if kept or cached or exchange.status == 304 or fetched != "Network Load":
        return "answered from a cache"
    if exchange.method == "OPTIONS" and exchange.sent("access-control-request-method") is not None:
        return "a preflight of a browser"
    if answer.get("statusText") == "Internal Redirect" or exchange.got("non-authoritative-reason"):
        return "a redirect that the browser made up"
    return "" if exchange.status else "no answer was recorded"


# What is nobody's business

_SECRET: Final = re.compile(
    "(?:set-)?cookie2?|(?:.*[-_.])?key|.*(?:apikey|auth|token|secret|password|session).*",
    re.IGNORECASE,
)
"""Names of headers, and of members of a query, whose values are not shown."""
_MARKS: Final = re.compile(
    r"\*{3,}|•{3,}|[\[<{(](?:redacted|removed|hidden|filtered|masked|sanitized)[\]>})]|\bredacted\b",
    re.IGNORECASE,
)
_SHORTEST: Final = 6
"""Characters from which on a part of a value is hidden for itself."""


def looks_redacted(text: str) -> bool:
    """Whether a text has the marks of those who black things out."""
    return _MARKS.search(text) is not None


def is_key(value: str) -> bool:
    """Whether the value of a header may be a key as it was sent."""
    return any(c.isalnum() for c in value) and not looks_redacted(value) and value.strip("xX0-. ") != ""


def is_secret(name: str) -> bool:
    """Whether the value of a header is not to be shown."""
    return _SECRET.fullmatch(name) is not None and name.lower() not in _NO_SECRETS


def _hidden(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if is_secret(name):
            yield from _parts(value)


_NO_SECRETS: Final = {"www-authenticate", "proxy-authenticate", "authority"}


def _cookies(message: Mapping[str, Any]) -> Iterator[str]:
    listed = message.get("cookies")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield from _parts(one["value"])


def _in_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="replace", max_num_fields=1_000)
    except ValueError:
        return
    if "@" in parts.netloc:
        yield from _parts(parts.netloc.rpartition("@")[0].partition(":")[2])
    for name, value in pairs:
        if _SECRET.fullmatch(name):
            yield from _parts(value)


def _parts(value: str) -> Iterator[str]:
    """A value, and what is a secret by itself in it: in `Bearer abc`, or in `session=abc; path=/`."""
    value = _plain(value)
    if not value or looks_redacted(value):
        return
    yield value
    for part in re.split(r"\s*[;,]\s*", value):
        name, _, rest = part.partition("=")
        word = rest if rest.strip("=") else part.rpartition(" ")[2]
        if len(word) >= _SHORTEST and word != value and name.strip().lower() not in _ATTRIBUTES:
            yield word


_ATTRIBUTES: Final = {"path", "domain", "expires", "max-age", "samesite", "priority", "httponly", "secure"}
"""Words of a `set-cookie` that are no secret."""


def _without_user(url: str) -> str:
    """A URL with neither user nor fragment; as it is when it is none."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        port = parts.port
    except ValueError:
        return url.rpartition("@")[2]
    if port == {"http": 80, "https": 443}.get(parts.scheme):
        host = host.rpartition(":")[0]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


__all__ = ["Entry", "Loss", "NoArchive", "is_key", "is_secret", "read"]
