"""One request and its answer as a frozen value, and the shell script that repeats a few of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from arklow_local.formats import strict_json
from arklow_local.formats.excerpts import one_line

Headers = tuple[tuple[str, str], ...]

INTERFERENCE: Final = frozenset({429, 502, 503, 504, *range(520, 528), 530})
"""Statuses that a gateway or a limit gives, whoever stands behind it: never a finding."""


def media(content_type: str | None) -> str:
    """The media type that a `content-type` names, in lower case and without parameters; empty when it names none."""
    return (content_type or "").partition(";")[0].strip().lower()


def utc(at: datetime) -> str:
    """A time as RFC 3339 has it, in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Exchange:
    """What was sent, byte for byte, and what came back."""

    method: str
    url: str
    headers: Headers
    body: bytes | None
    status: int
    answer_headers: Headers
    answer: bytes
    operation: str | None = None
    """The document's operation whose path and method this is, as `POST /v1/modack`; None for every other."""
    path: str | None = None
    """The document's path template that the URL fits, whatever the method; None when it fits none."""
    call: float = 0.0
    """When it was sent, in seconds of the run's clock."""
    back: float = 0.0
    """When its answer was read."""
    waited: float = 0.0
    """Seconds that its sequence had let go by on purpose until it was sent."""
    chunks: tuple[int, ...] = ()
    """Sizes of the pieces in which the body was sent, if it was sent chunked."""
    at: float = 0.0
    """When it was sent, in seconds since 1970."""
    trace: str = ""
    """The `traceparent` that it carried (W3C Trace Context), by which its server can be asked about it."""

    @property
    def request_id(self) -> str | None:
        """How the server names this exchange, if its answer says so."""
        return next((value for name in _REQUEST_IDS if (value := self.got(name))), None)

    @property
    def query(self) -> str:
        """The query as it was sent, without its question mark."""
        return urlsplit(self.url).query

    def sent(self, name: str) -> str | None:
        """The first request header of that name, in any case."""
        return _first(self.headers, name)

    def got(self, name: str) -> str | None:
        """The first answer header of that name, in any case."""
        return _first(self.answer_headers, name)

    @property
    def segment(self) -> str:
        """The last segment of the path, decoded: an ingress' variant."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])

    @property
    def plain_path(self) -> bool:
        """Whether the path is written as every router reads it: no empty segment, nothing encoded without need."""
        segments = urlsplit(self.url).path.split("/")[1:]
        return all(
            segment and ("%" not in segment or segment == quote(unquote(segment), safe=""))
            for segment in segments
        ) and not any(one in (".", "..") or "/" in one for one in map(unquote, segments))

    @property
    def made(self) -> bool:
        """Whether a definition was stored, or work accepted."""
        return self.status == 200 and ("a_id" in self.data() or (self.method == "PUT" and bool(self.data())))

    @property
    def strange(self) -> bool:
        """Whether a server in front of the application may refuse this before anybody routes it."""
        names = {name.lower() for name, _ in self.headers}
        return (
            not self.plain_path
            or _STRANGE.search(self.url) is not None
            or "\ufffd" in unquote(self.url)
            or max(self.head, len(self.url)) > 1_000
            or len(self.headers) > 30
            or len(names) < len(self.headers)
            or "content-encoding" in names
            or not all(" " <= c <= "~" for _, value in self.headers for c in value)
        )

    @property
    def head(self) -> int:
        """Characters in the request's headers."""
        return sum(len(name) + len(value) for name, value in self.headers)

    @property
    def size(self) -> int:
        """How much there is to read in the request."""
        return len(self.url) + len(self.body or b"") + self.head

    @cached_property
    def _reading(self) -> tuple[Any, ValueError | None]:
        """The answer's value, or why it has none: every check asks, it is read once."""
        try:
            return strict_json.read(self.answer), None
        except ValueError as error:
            return None, error

    def read(self) -> Any:
        """The answer's JSON value.

        Raises:
            NotJSON, Ambiguous: as `strict_json.read` does.
        """
        value, error = self._reading
        if error is not None:
            raise error.with_traceback(None)
        return value

    def value(self) -> Any:
        """The answer's JSON value, or None when it has none."""
        return self._reading[0]

    @property
    def unread(self) -> bool:
        """Whether there is an answer that cannot be read, or be read in two ways."""
        return bool(self.answer) and self._reading[1] is not None

    @property
    def issued(self) -> str | None:
        """The digits of an id that the bytes of the answer give to an action, whether they are JSON or not."""
        found = _ISSUED.search(self.answer)
        return found[1].decode() if found else None

    def data(self) -> Mapping[str, Any]:
        """The answer's `data` when that is an object, else nothing."""
        value = self.value()
        data = value.get("data") if isinstance(value, dict) else None
        return data if isinstance(data, dict) else {}


_STRANGE = re.compile(
    r"%[01][0-9A-Fa-f]|%(?:25|2[EFef]|3[Bb]|5[Cc]|7[Ff])|%(?![0-9A-Fa-f]{2})|[;\\\"<>^`{|}]"
)
"""What fronts refuse in a URL: control characters, escapes that are unescaped twice, and what has to be escaped."""


def _first(headers: Headers, name: str) -> str | None:
    return next((value for other, value in headers if other.lower() == name), None)


_REQUEST_IDS = (
    *("x-request-id", "request-id", "x-correlation-id", "traceresponse", "x-amzn-requestid"),
    *("x-amzn-trace-id", "x-cloud-trace-context", "x-azure-ref", "cf-ray"),
)
"""Answer headers that name an exchange, those of the application before those of gateways."""
SHORTEST_SECRET: Final = 6
"""Characters; a shorter key is not looked for inside of other text, as it might be an ordinary word."""
_ISSUED = re.compile(rb'"a_id"\s*:\s*"([0-9]+)"')


def redact(text: str, secrets: Mapping[str, str]) -> str:
    """The text without any key that is long enough to be told from other words."""
    for key in sorted(secrets, key=len, reverse=True):
        if len(key) >= SHORTEST_SECRET:
            text = text.replace(key, secrets[key])
    return text


def shown(text: str, secrets: Mapping[str, str], limit: int = 300) -> str:
    """At most `limit` characters of a text, in one line and without keys: one that is cut in two is none."""
    return one_line(redact(text, secrets), limit)


__all__ = ["INTERFERENCE", "SHORTEST_SECRET", "Exchange", "Headers", "media", "redact", "shown", "utc"]
