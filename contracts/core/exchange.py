"""One request and its answer as a frozen value, and the shell script that repeats a few of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from . import strict_json
from .target import Way

Headers = tuple[tuple[str, str], ...]

WEATHER: Final = frozenset({429, 502, 503, 504, *range(520, 528), 530})
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


_QUIET = {
    *("accept-encoding", "connection", "user-agent", "host", "traceparent", "x-schemathesis-testcaseid"),
}
_REQUEST_IDS = (
    *("x-request-id", "request-id", "x-correlation-id", "traceresponse", "x-amzn-requestid"),
    *("x-amzn-trace-id", "x-cloud-trace-context", "x-azure-ref", "cf-ray"),
)
"""Answer headers that name an exchange, those of the application before those of gateways."""
_AGAIN = "# at the same moment, which takes luck by hand: arklow-contracts check … --only does it often"
SHORTEST_PAUSE = 0.3
"""Seconds from which on a pause is part of an example."""
_LONG = 6
"""Characters from which on a key is looked for inside of other text."""
_ISSUED = re.compile(rb'"a_id"\s*:\s*"([0-9]+)"')


@dataclass(slots=True)
class Script:
    """A shell script of curl lines; keys stand as `$NAME`, ids that the target made are captured."""

    secrets: Mapping[str, str]
    """Key → the shell expression that stands for it."""
    way: Way = field(default_factory=Way)
    ids: dict[str, str] = field(default_factory=dict)
    """Action id, in digits or as escaped wide ones, → the shell expression that stands for it."""

    def of(self, exchanges: Sequence[Exchange], *, together: bool = False, times: int = 1) -> str:
        """The lines, one for each exchange; `together`: sent at the same moment; `times`: sent so often."""
        if together:
            return "\n".join([*(f"{self._curl(exchange)} &" for exchange in exchanges), "wait", _AGAIN])
        if times > 1:
            line = self._curl(exchanges[-1]).replace(
                "curl -s", "curl -s -o /dev/null -w '%{http_code}\\n'", 1
            )
            return f"for i in $(seq {times}); do {line}; done | sort | uniq -c"
        later = b"".join(exchange.body or b"" for exchange in exchanges[1:])
        lines = []
        for number, exchange in enumerate(exchanges):
            pause = exchange.waited - exchanges[max(0, number - 1)].waited
            if pause >= SHORTEST_PAUSE:
                lines.append(f"sleep {pause:.1f}")
            line = self._curl(exchange)
            digits = exchange.issued or ""
            if (
                digits
                and number + 1 < len(exchanges)
                and (digits.encode() in later or _wide(digits).encode() in later)
            ):
                name = f"ID{len(self.ids) + 1}"
                self.ids[digits] = f"${name}"
                self.ids[_wide(digits)] = f"$(printf %s \"${name}\" | sed 's/./\\\\uff1&/g')"
                line = f'{name}=$({line} | sed -n \'s/.*"a_id": *"\\([0-9]*\\)".*/\\1/p\')'
            lines.append(line)
        lines[-1:] = [line.replace("curl -s ", "curl -si ", 1) for line in lines[-1:]]  # what is looked at
        return "\n".join(lines)

    def _curl(self, exchange: Exchange) -> str:
        parts = ["curl -s"]
        if exchange.method == "HEAD":
            parts.append("-I")
        elif exchange.method != ("GET" if exchange.body is None else "POST"):
            parts.append(f"-X {shlex.quote(exchange.method)}")
        parts.append(self._quoted(exchange.url))
        parts += self._reached()
        chunked = bool(exchange.chunks)
        for name, value in exchange.headers:
            if (
                name.lower() in _QUIET
                or name.lower() == "content-length"
                or (name.lower(), value) == ("accept", "*/*")
            ):
                continue
            parts.append("-H " + self._header(name, value))
        if chunked:
            parts.append("-H 'transfer-encoding: chunked'")
        if exchange.body is not None and exchange.sent("content-type") is None:
            parts.append("-H 'content-type:'")
        if exchange.body is None:
            return " ".join(parts)
        text = _printable(exchange.body)
        if text is not None:
            parts.append("--data-binary " + self._quoted(text))
            return " ".join(parts)
        octets = "".join(f"\\{byte:03o}" for byte in exchange.body)
        return f"printf '{octets}' | " + " ".join([*parts, "--data-binary @-"])

    def _reached(self) -> Iterator[str]:
        """The words of how the target is reached."""
        way = self.way
        files = (
            ("--cacert", way.ca),
            ("--cert", way.certificate),
            ("--key", way.key),
            ("--proxy", way.proxy),
        )
        yield from (f"{flag} {shlex.quote(given)}" for flag, given in files if given is not None)
        yield from (f'-H {shlex.quote(f"{one.name}: ")}"${one.variable}"' for one in way.headers)

    def _header(self, name: str, value: str) -> str:
        """A header as one shell word; a key that is all of its value becomes a variable however short it is."""
        if value in self.secrets:
            return f'{shlex.quote(f"{name}: ")}"{self.secrets[value]}"'
        return self._quoted(f"{name}: {value}" if value else f"{name};")

    def _quoted(self, text: str) -> str:
        """One shell word; known keys and ids in it become variables."""
        names = {**{key: shown for key, shown in self.secrets.items() if len(key) >= _LONG}, **self.ids}
        if not names:
            return shlex.quote(text)
        known = re.compile("|".join(re.escape(word) for word in sorted(names, key=len, reverse=True)))
        word, start = "", 0
        for found in known.finditer(text):
            if found[0] in self.ids and not _whole(text, found):
                continue
            word += shlex.quote(text[start : found.start()]) if found.start() > start else ""
            word += f'"{names[found[0]]}"'
            start = found.end()
        return word + (shlex.quote(text[start:]) if start < len(text) or not word else "")


def _whole(text: str, found: re.Match[str]) -> bool:
    """Whether a run of digits is not part of a longer one."""
    return not (text[: found.start()][-1:].isdigit() or text[found.end() :][:1].isdigit())


def _wide(digits: str) -> str:
    """Digits as a JSON text escapes their full-width kin."""
    return "".join(f"\\uff1{digit}" for digit in digits)


def _printable(body: bytes) -> str | None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and not text.startswith("@") else None


def redact(text: str, secrets: Mapping[str, str]) -> str:
    """The text without any key that is long enough to be told from other words."""
    for key in sorted(secrets, key=len, reverse=True):
        if len(key) >= _LONG:
            text = text.replace(key, secrets[key])
    return text


def shown(text: str, secrets: Mapping[str, str], limit: int = 300) -> str:
    """At most `limit` characters of a text, in one line and without keys: one that is cut in two is none."""
    return strict_json.excerpt(redact(text, secrets), limit)


__all__ = ["SHORTEST_PAUSE", "WEATHER", "Exchange", "Headers", "Script", "media", "redact", "shown", "utc"]
