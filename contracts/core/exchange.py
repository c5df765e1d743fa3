"""One request and its answer, as a frozen value of the bytes that were sent and received.

Judging, reports and scripts share it. What follows from an exchange and a document is in `checks.facts`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import takewhile
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from arklow_local.formats import strict_json
from arklow_local.formats.excerpts import one_line

from .secrets import SHORTEST_SECRET, recogniser_of

Headers = tuple[tuple[str, str], ...]
"""Pairs of name and value, in the order and spelling in which they were sent."""

INTERFERENCE: Final = frozenset({429, 502, 503, 504, *range(520, 528), 530})
"""Statuses by which a gateway or a limit answers instead of the application: never a finding."""

LONG_TEXT: Final = 1_000
"""Characters of a URL, or of all headers together, from which on a server may refuse a request for its length."""

LONG_ANSWER: Final = 1 << 16
"""Bytes; of a longer answer only the beginning is kept when it has been judged, as a run keeps thousands."""

LONG_ID: Final = 1_000
"""Characters; a longer text is no id that a client could use, and is not remembered as one."""

MANY_HEADERS: Final = 30
"""A server may refuse a request with more headers for their number."""


def media_type(content_type: str | None) -> str:
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
    """When its answer was read, in seconds of the run's clock."""
    waited: float = 0.0
    """Seconds that its sequence had let go by on purpose until it was sent."""
    chunks: tuple[int, ...] = ()
    """Sizes in bytes of the pieces in which the body was sent, if it was sent chunked."""
    at: float = 0.0
    """When it was sent, in seconds since 1970."""
    trace: str = ""
    """The `traceparent` that it carried (W3C Trace Context), by which its server can be asked about it."""
    unread: str = ""
    """Why the body of the answer could not be read, and accuses of nothing (RFC 9110 §12.5.3); empty where it was read."""
    whole: str = ""
    """Size and digest of an answer of which only the beginning is kept, in words; empty where all of it is."""
    outline: Any = field(default=None, compare=False, repr=False)
    """Of an answer of which only the beginning is kept: its envelope with the short members of its `data`."""

    def request_header(self, name: str) -> str | None:
        """The value of the first request header of that name, in any case."""
        return _first(self.headers, name)

    def answer_header(self, name: str) -> str | None:
        """The value of the first answer header of that name, in any case."""
        return _first(self.answer_headers, name)

    @property
    def request_id(self) -> str | None:
        """The id by which the server names this exchange, if its answer has one that is no more than an id."""
        named = (self.answer_header(name) or "" for name in _REQUEST_IDS)
        return next((value for value in named if _REQUEST_ID.fullmatch(value)), None)

    # The URL and the size of the request

    @property
    def query(self) -> str:
        """The query as it was sent, without its question mark."""
        return urlsplit(self.url).query

    @property
    def segment(self) -> str:
        """The last segment of the path, decoded: of an ingress, the variant."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])

    @property
    def has_plain_path(self) -> bool:
        """Whether every router takes the path alike: no empty segment, and nothing encoded without need."""
        segments = urlsplit(self.url).path.split("/")[1:]
        return all(
            segment and ("%" not in segment or segment == quote(unquote(segment), safe=""))
            for segment in segments
        ) and not any(one in (".", "..") or "/" in one for one in map(unquote, segments))

    @property
    def is_unusual(self) -> bool:
        """Whether a server in front of the application may refuse the request before it is routed."""
        names = {name.lower() for name, _ in self.headers}
        return (
            not self.has_plain_path
            or _UNUSUAL_IN_URL.search(self.url) is not None
            or "\ufffd" in unquote(self.url)
            or max(self.header_size, len(self.url)) > LONG_TEXT
            or len(self.headers) > MANY_HEADERS
            or len(names) < len(self.headers)
            or "content-encoding" in names
            or not all(" " <= c <= "~" for _, value in self.headers for c in value)
        )

    @property
    def header_size(self) -> int:
        """Characters in the request's headers."""
        return sum(len(name) + len(value) for name, value in self.headers)

    @property
    def size(self) -> int:
        """Characters of the request's URL and headers, and bytes of its body."""
        return len(self.url) + len(self.body or b"") + self.header_size

    def abridged(self) -> Exchange:
        """Return what is kept of it when it has been judged: all of it, or only the beginning of what is long."""
        one = self
        if sum(len(name) + len(value) for name, value in self.answer_headers) > LONG_ANSWER:
            headers = tuple((name[:LONG_TEXT], value[:LONG_TEXT]) for name, value in self.answer_headers)
            one = replace(one, answer_headers=headers[:MANY_HEADERS])
        if len(self.answer) > LONG_ANSWER:
            digest = hashlib.sha256(self.answer).hexdigest()[:16]
            whole = f"{len(self.answer):,} bytes, SHA-256 {digest}…"
            one = replace(one, answer=self.answer[:_BEGINNING], whole=whole, outline=self._outline())
        return one

    def _outline(self) -> Any:
        """Return the envelope of the answer with the short members of its `data`; None where it is no envelope."""
        if not self.is_envelope:
            return None
        short = {
            name: member
            for name, member in self.data().items()
            if isinstance(member, str | int | None) and len(f"{name}{member}") <= LONG_ID
        }
        return {"data": short if isinstance(self.value().get("data"), dict) else None, "errors": None}

    # The answer

    @property
    def has_envelope(self) -> bool:
        """Whether the answer is the application's own word: an object with `data` or `errors`, as every page has it.

        Pages of gateways, proxies and web servers have neither, whatever their status: they prove nothing of what the
        application has done. An envelope that is damaged or cut short counts where its first member can still be read.
        """
        if self._parsed_answer[1] is not None:
            return _BEGINS_AS_ENVELOPE.match(_in_utf_8(self.answer)) is not None
        return self.is_envelope

    @property
    def is_envelope(self) -> bool:
        """Whether the answer can be read, and is an object with `data` or `errors`."""
        value = self.value()
        return isinstance(value, dict) and not _ENVELOPE.isdisjoint(value)

    @property
    def is_whole_envelope(self) -> bool:
        """Whether the answer can be read, and is an object with `data` and `errors`."""
        value = self.value()
        return isinstance(value, dict) and value.keys() >= _ENVELOPE

    @property
    def is_served(self) -> bool:
        """Whether the application says that it has done what was asked: a success, in the envelope."""
        return 200 <= self.status < 300 and self.has_envelope

    @property
    def created(self) -> bool:
        """Whether a definition was stored, or work accepted."""
        return self.status == 200 and ("a_id" in self.data() or (self.method == "PUT" and bool(self.data())))

    @property
    def is_unreadable(self) -> bool:
        """Whether there is an answer that is not JSON, or JSON that parsers read in different ways."""
        return bool(self.answer) and self._parsed_answer[1] is not None

    @property
    def issued_id(self) -> str | None:
        """The digits of an id that the bytes of the answer give to an action, whether they are JSON or not."""
        found = _ISSUED_ID.search(_in_utf_8(self.answer))
        return found[1].decode() if found else None

    def required_value(self) -> Any:
        """The answer's JSON value.

        Raises:
            NotJSON, Ambiguous: it has none, as `strict_json.read` says.
        """
        value, error = self._parsed_answer
        if error is not None:
            raise error.with_traceback(None)
        return value

    def value(self) -> Any:
        """The answer's JSON value; None when it has none."""
        return self._parsed_answer[0]

    def data(self) -> Mapping[str, Any]:
        """The members of the answer's `data`, name → value; empty when that is not an object."""
        value = self.value()
        data = value.get("data") if isinstance(value, dict) else None
        if not isinstance(data, dict):
            return {}
        if any(len(data[name]) > LONG_ID for name in _IDS & data.keys() if isinstance(data[name], str)):
            return {name: member for name, member in data.items() if name not in _IDS}
        return data

    @property
    def _parsed_answer(self) -> tuple[Any, ValueError | None]:
        """The answer's value, or why it has none: many ask for it, a short one is parsed once."""
        if self.whole:
            unknown = strict_json.Ambiguous("only its beginning is kept")
            return self.outline, None if self.outline is not None else unknown
        return self._parsed_once if len(self.answer) <= _SHORT else _LATEST.parsed(self.answer)

    @cached_property
    def _parsed_once(self) -> tuple[Any, ValueError | None]:
        return _parsed(self.answer)


def _parsed(answer: bytes) -> tuple[Any, ValueError | None]:
    try:
        return strict_json.read(answer), None
    except ValueError as error:
        return None, error


class _Latest:
    """The value of the longer answer that was asked for last: values take up to thirty times the room of their text."""

    def __init__(self) -> None:
        self._latest: tuple[bytes, tuple[Any, ValueError | None]] | None = None

    def parsed(self, answer: bytes) -> tuple[Any, ValueError | None]:
        """Return the answer's value, or why it has none; the value before it is let go first."""
        latest = self._latest
        if latest is not None and latest[0] is answer:
            return latest[1]
        self._latest = latest = None
        parsed = _parsed(answer)
        self._latest = answer, parsed
        return parsed


_LATEST: Final = _Latest()
_SHORT: Final = 2_000
"""Bytes of an answer whose value is kept as long as the answer."""
_BEGINNING: Final = 4_000
"""Bytes that are kept of a long answer; what is shown of it is shorter."""
_IDS: Final = frozenset({"a_id", "a_def_id", "id", "org_id"})
"""Members that identify something."""
_UNUSUAL_IN_URL: Final = re.compile(
    r"%[01][0-9A-Fa-f]|%(?:25|2[EFef]|3[Bb]|5[Cc]|7[Ff])|%(?![0-9A-Fa-f]{2})|[;\\\"<>^`{|}]"
)
"""What proxies refuse in a URL: control characters, escapes that are unescaped twice, and what has to be escaped."""
_REQUEST_IDS: Final = (
    *("x-request-id", "request-id", "x-correlation-id", "traceresponse", "x-amzn-requestid"),
    *("x-amzn-trace-id", "x-cloud-trace-context", "x-azure-ref", "cf-ray"),
)
"""Answer headers that name an exchange, those of the application before those of gateways."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9](?!.*::)[!-~]{0,199}")
"""Visible ASCII, as all servers and gateways make it; what is longer or otherwise is none, and might be meant to do harm."""
_ENVELOPE: Final = frozenset({"data", "errors"})
"""Members of the envelope: each answer of a page has one of them at least."""
_BEGINS_AS_ENVELOPE: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?[ \t\r\n]*\{[ \t\r\n]*"(?:data|errors)"[ \t\r\n]*:'
)
"""The beginning of an envelope whose bytes are not JSON as a whole."""
_ISSUED_ID: Final = re.compile(rb'"a_id"\s*:\s*"([0-9]+)"')


def _in_utf_8(answer: bytes) -> bytes:
    """Return the ASCII text of an answer in UTF-16 or UTF-32 as UTF-8 writes it, and every other answer as it is."""
    return answer.lstrip(b"\xff\xfe").replace(b"\0", b"") if b"\0" in answer[:8] else answer


def leading_definitions(exchanges: Sequence[Exchange]) -> int:
    """Return how many exchanges at the beginning put definitions, before the last one: what is repeated comes after them."""
    puts = takewhile(lambda exchange: exchange.method == "PUT", exchanges[:-1])
    return sum(1 for _ in puts)


def _first(headers: Headers, name: str) -> str | None:
    return next((value for other, value in headers if other.lower() == name), None)


def redact(text: str, secrets: Mapping[str, str], *, is_cut: bool = False) -> str:
    """Replace each secret in a text by what stands for it, and each other form of one by `$NAME (encoded)`.

    `secrets` has each secret, as it is or as an encoder writes it → a shell expression. Keys that may be ordinary words
    are left. `is_cut`: the text is the beginning of a longer one, which may end within a secret.
    """
    return recogniser_of(secrets).mask(text, is_cut=is_cut) if secrets else text


def redacted_line(text: str, secrets: Mapping[str, str], limit: int = 300) -> str:
    """A text in one line of at most `limit` characters. Keys are replaced first, as one cut in two is not found."""
    return one_line(redact(text, secrets), limit)


__all__ = [
    "INTERFERENCE",
    "LONG_ANSWER",
    "LONG_ID",
    "LONG_TEXT",
    "MANY_HEADERS",
    "SHORTEST_SECRET",
    "Exchange",
    "Headers",
    "leading_definitions",
    "media_type",
    "redact",
    "redacted_line",
    "utc",
]
