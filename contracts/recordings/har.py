"""HTTP Archives (HAR 1.2) of browsers, proxies and tools: read leniently, each entry with what it has lost.

http://www.softwareishard.com/blog/har-12-spec/. What must be there for an exchange to be one is required; anything
else that is missing, or of another type, is a loss. Nothing is guessed: a body whose length is not the one that was
announced is not the body.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from arklow_local.formats.excerpts import excerpt

from ..core.exchange import Exchange, Headers, media_type, utc
from .losses import Loss
from .secrets import looks_redacted, secrets_in_cookies, secrets_in_password, writable


class NotAnArchive(ValueError):
    """The text is not an HTTP Archive; the message says where, what was expected and what is there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive: the exchange as far as it was kept, and what was lost."""

    file: str
    number: int
    """Counted from 1."""
    started: datetime | None
    exchange: Exchange
    """With neither operation nor path: the document that it is judged by is not known here."""
    losses: frozenset[Loss]
    secrets: tuple[str, ...]
    """Cookies that are listed beside the headers, and the password of the URL, which the exchange no longer has."""
    not_judged: str = ""
    """Why it is no exchange with a server, or none that counts; empty when it is one."""

    @property
    def name(self) -> str:
        """What a report calls it."""
        moment = "at no known time" if self.started is None else utc(self.started)
        return f"entry {self.number} of {self.file}, {moment}"


Bodies = Callable[[str], "bytes | None"]
"""Reads a body that lies beside an archive, by its name; None where there is none."""


def read_archive(data: bytes, file: str, bodies: Bodies = lambda _: None) -> list[Entry]:
    """Read the entries of an archive; `file` is its name in messages and reports, `bodies` has what lies beside it.

    Raises:
        NotAnArchive: the text is none, or names a body that is not beside it.
    """
    try:
        value = json.loads(data, parse_constant=lambda _: None)  # NaN is a loss as any other
    except RecursionError:
        raise NotAnArchive(f"{file} is nested too deeply for an HTTP Archive") from None
    except UnicodeDecodeError as error:
        raise NotAnArchive(
            f"{file} is not JSON: byte {error.start} is not {error.encoding.upper()}"
        ) from None
    except json.JSONDecodeError as error:
        raise NotAnArchive(f"{file} is not JSON: {error.msg.lower()} in line {error.lineno}") from None
    except ValueError:
        raise NotAnArchive(f"{file} has a number that is too long") from None
    log = _member(_typed(value, dict, file, ""), "log", dict, file, "")
    entries = _member(log, "entries", list, file, "log")
    found: list[Entry] = []
    for number, one in enumerate(entries, 1):
        found.append(_entry(one, file, number, bodies))
        entries[number - 1] = None  # what is read of it is less than half of it
    return found


# Members that must be there

_TYPE_NAMES: Final = {dict: "an object", list: "an array", str: "a string", int: "an integer"}


def _typed(value: Any, kind: type, file: str, place: str) -> Any:
    """Return a value of an archive that must be of a type."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        actual = _TYPE_NAMES.get(type(value)) if not isinstance(value, int) else None
        raise NotAnArchive(
            f"{file} is not an HTTP Archive: {place or 'the text'} is {actual or json.dumps(value):.60}, expected {_TYPE_NAMES[kind]}"
        )
    return value


def _member(value: Mapping[str, Any], name: str, kind: type, file: str, place: str) -> Any:
    """Return a member that an archive must have."""
    at = f"{place}/{name}".lstrip("/")
    if name not in value:
        raise NotAnArchive(f"{file} is not an HTTP Archive: {at} is missing, expected {_TYPE_NAMES[kind]}")
    return _typed(value[name], kind, file, at)


def _entry(value: Any, file: str, number: int, bodies: Bodies) -> Entry:
    place = f"log/entries/{number - 1}"
    one = _typed(value, dict, file, place)
    request = _member(one, "request", dict, file, place)
    method = _member(request, "method", str, file, f"{place}/request")
    url = writable(_member(request, "url", str, file, f"{place}/request"))
    answer = one.get("response")
    answer = {} if answer is None else _typed(answer, dict, file, f"{place}/response")
    sent, got = _headers(request), _headers(answer)
    posted = _with_body(request.get("postData"), file, f"{place}/request/postData", bodies)
    content = _with_body(answer.get("content"), file, f"{place}/response/content", bodies)
    body, lost_of_request, sent = _request_body(request, posted, sent)
    answered, lost_of_answer, got = _answer_body(content, got)
    secrets = (*secrets_in_cookies(request), *secrets_in_cookies(answer), *secrets_in_password(url))
    started = _time(one.get("startedDateTime"))
    exchange = Exchange(
        _method(method),
        _without_user(url),
        sent,
        body,
        _status(answer),
        got,
        answered,
        at=started.timestamp() if started else 0.0,
        trace=next(
            (value for name, value in sent if name.lower() == "traceparent" and _TRACE.fullmatch(value)), ""
        ),
    )
    losses = {*lost_of_request, *lost_of_answer, *_lost_headers(request, sent, got)}
    if looks_redacted(url):
        losses.add(Loss.SENT_REDACTED)
    return Entry(
        file,
        number,
        started,
        exchange,
        frozenset(losses),
        tuple(dict.fromkeys(secrets)),
        _why_not_judged(one, answer, exchange),
    )


# Members that may be missing

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")
"""A method or the name of a header (RFC 9110 §5.6.2), of a length that is in use."""
_STEP: Final = re.compile(r"[A-Za-z0-9._ @+=-]+")
"""A folder or a file that an archive may name beside itself, on every system."""
_LONGEST_FILE: Final = 400
"""Characters of its path."""
_NORMALISED: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
"""Methods that `fetch` writes in upper case (https://fetch.spec.whatwg.org/#concept-method-normalize); `patch` is not one."""
_TRACE: Final = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""A `traceparent` (W3C Trace Context)."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Scheme → the port that a URL of it need not name."""


def _method(text: str) -> str:
    """A method as it was sent: `fetch` sends some of them in upper case however they are written."""
    return text.upper() if text.upper() in _NORMALISED else writable(text)


def _status(answer: Mapping[str, Any]) -> int:
    """The status of an answer; 0 when none was recorded."""
    status = answer.get("status")
    if isinstance(status, str) and re.fullmatch("[0-9]{3}", status, re.ASCII):
        status = int(status)
    return status if isinstance(status, int) and not isinstance(status, bool) and 200 <= status < 600 else 0


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year <= 9998 else None


def _headers(message: Mapping[str, Any]) -> Headers:
    """The headers of a message, without the pseudo-headers of HTTP/2; tools join those of one name by line ends."""
    listed = message.get("headers")
    found = []
    for one in listed if isinstance(listed, list) else ():
        name, value = (one.get("name"), one.get("value")) if isinstance(one, dict) else (None, None)
        if isinstance(name, str) and isinstance(value, str) and _TOKEN.fullmatch(name):
            found += [(name, writable(line).strip(" \t\r")) for line in value.split("\n")]
    return tuple(found)


def _first(headers: Headers, name: str) -> str | None:
    return next((value for other, value in headers if other.lower() == name), None)


def _announced_length(headers: Headers) -> int | None:
    text = (_first(headers, "content-length") or "").strip()
    return int(text) if re.fullmatch("[0-9]{1,15}", text, re.ASCII) else None


def _size(value: Any) -> int | None:
    """A size in bytes that was noted; 0 and less stand for one that was not."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _with_body(message: Any, file: str, place: str, bodies: Bodies) -> Mapping[str, Any]:
    """The members of a message, with the body that lies beside the archive, as Playwright writes it, under `_bytes`.

    Raises:
        NotAnArchive: the name of the file leads elsewhere.
    """
    if not isinstance(message, dict):
        return {}
    name = message.get("_file")
    if not isinstance(name, str) or isinstance(message.get("text"), str):
        return message
    steps = name.split("/")
    if not all(_STEP.fullmatch(step) and step.strip(". ") for step in steps) or len(name) > _LONGEST_FILE:
        raise NotAnArchive(
            f"{file} is not an HTTP Archive: {place}/_file is {excerpt(json.dumps(name), 60)}, "
            "expected the name of a file beside the archive"
        )
    return message | {"_bytes": bodies(name)}


def _bytes(message: Mapping[str, Any], encoding: Any) -> bytes | None:
    """The bytes that an archive has as text or beside it; None where they cannot be restored."""
    if isinstance(beside := message.get("_bytes"), bytes):
        return beside
    text = message.get("text")
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


def _request_body(
    request: Mapping[str, Any], posted: Mapping[str, Any], headers: Headers
) -> tuple[bytes | None, set[Loss], Headers]:
    """The body of a request, what was lost of it, and the headers with its media type."""
    losses: set[Loss] = set()
    kind = posted.get("mimeType")
    if _first(headers, "content-type") is None:
        if isinstance(kind, str) and media_type(kind) == "application/json":
            headers = (*headers, ("content-type", writable(kind)))
        elif headers == () or kind or posted:
            losses.add(Loss.SENT_MEDIA)
    announced = _announced_length(headers)
    body = _bytes(posted, posted.get("encoding") or posted.get("_encoding"))
    if not body:
        return (b"", losses, headers) if announced == 0 else (None, losses | {Loss.BODY}, headers)
    lengths = {one for one in (announced, _size(request.get("bodySize"))) if one is not None}
    if announced not in (None, len(body)) or (lengths and len(body) not in lengths):
        losses.add(Loss.BODY)
    elif not lengths:
        losses.add(Loss.BODY_LENGTH)
    if looks_redacted(body.decode("utf-8", "replace")):
        losses.add(Loss.SENT_REDACTED)
    return body, losses, headers


def _answer_body(content: Mapping[str, Any], headers: Headers) -> tuple[bytes, set[Loss], Headers]:
    """The body of an answer, what was lost of it, and the headers with its media type."""
    losses: set[Loss] = set()
    kind = content.get("mimeType")
    if _first(headers, "content-type") is None and kind not in (None, "", "x-unknown"):
        if isinstance(kind, str) and media_type(kind) == "application/json":
            headers = (*headers, ("content-type", writable(kind)))
        else:
            losses.add(Loss.ANSWER_MEDIA)
    announced = _announced_length(headers)
    body = _bytes(content, content.get("encoding"))
    is_coded = (_first(headers, "content-encoding") or "identity").strip().lower() != "identity"
    size, saved = _size(content.get("size")), content.get("compression")
    if not body:
        is_empty = announced == 0 and not is_coded and size is None
        return b"", losses | (set() if is_empty else {Loss.ANSWER}), headers
    sizes = {size, size + saved} if size and isinstance(saved, int) else {size}
    if not is_coded and announced is not None:
        sizes = {announced}
    sizes.discard(None)
    if sizes and len(body) not in sizes:
        return b"", losses | {Loss.ANSWER}, headers
    if not sizes:
        losses.add(Loss.ANSWER_LENGTH)
    if looks_redacted(body.decode("utf-8", "replace")):
        losses.add(Loss.ANSWER_REDACTED)
    return body, losses, headers


def _lost_headers(request: Mapping[str, Any], sent: Headers, got: Headers) -> Iterator[Loss]:
    """Headers that were lost: all of them, or those that a browser hides from a page of another origin."""
    listed = request.get("headers")
    names = {name.lower() for name, _ in sent}
    if isinstance(listed, list):
        names |= {str(one.get("name")).lower() for one in listed if isinstance(one, dict)}
    if not names & {"host", ":authority"}:  # which every request has
        yield Loss.SENT_HEADERS
    if not got or "origin" in names:
        yield Loss.ANSWER_HEADERS


# Entries that are not judged

_OF_A_CACHE: Final = ("_fromCache", "fromCache", "_isFromCache")
"""Members by which tools say that a cache has answered."""
_OF_A_WORKER: Final = (
    "_fetchedViaServiceWorker",
    "_serviceWorkerResponseSource",
    "_wasFulfilled",
    "_wasIntercepted",
)
"""Members by which tools say that a service worker or a test has answered."""


def _why_not_judged(entry: Mapping[str, Any], answer: Mapping[str, Any], exchange: Exchange) -> str:
    """Why an entry says nothing about a server; empty when it does."""
    if not _TOKEN.fullmatch(exchange.method):
        return "with a method that is none"
    if "_delivery" in entry:
        return "a call of the mock to a webhook"
    if entry.get("_fault") or exchange.answer_header("x-arklow-mock-fault") is not None:
        return "fault that was asked for"
    if any(entry.get(name) or answer.get(name) for name in _OF_A_WORKER):
        return "answered by a service worker or a test, not by a server"
    cache = entry.get("cache")
    is_cached = isinstance(cache, dict) and cache.keys() & {"beforeRequest", "afterRequest"}
    fetched = answer.get("_fetchType") or entry.get("_fetchType") or "Network Load"
    from_cache = any(entry.get(name) or answer.get(name) for name in _OF_A_CACHE)
    if is_cached or from_cache or exchange.status == 304 or fetched != "Network Load":
        return "answered from a cache"
    if exchange.method == "OPTIONS" and exchange.request_header("access-control-request-method") is not None:
        return "a preflight of a browser"
    if answer.get("statusText") == "Internal Redirect" or exchange.answer_header("non-authoritative-reason"):
        return "a redirect that the browser made up"
    return "" if exchange.status else "no answer was recorded"


def _without_user(url: str) -> str:
    """A URL with neither user, fragment nor default port; unchanged from its host on when it is not a valid URL."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        port = parts.port
    except ValueError:
        return url.rpartition("@")[2]
    if port == _DEFAULT_PORTS.get(parts.scheme):
        host = host.rpartition(":")[0]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


__all__ = ["Bodies", "Entry", "NotAnArchive", "read_archive"]
