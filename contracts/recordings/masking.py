"""What a report may show of a recording: what rules look at, by allow list; of all else its name and its type.

A recording holds the secrets of systems that the judge was never told of, under names that no list has. So the names of
secrets are not searched for: what is not known to be harmless is masked (decision 29).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from arklow_local.formats.excerpts import one_line

from ..checks.context import CheckContext
from ..core.exchange import Exchange, Headers
from ..core.secrets import SHORTEST_SECRET, SecretRecogniser
from .har import Entry
from .secrets import is_secret, parts_of, secrets_in_query

MASK: Final = "***"
"""Stands for a value that is not shown. URLs, headers and shells take it as it is."""
HEADERS_IN_CLEAR: Final = frozenset(
    {
        *(
            "content-type",
            "content-length",
            "content-encoding",
            "transfer-encoding",
            "accept",
            "accept-encoding",
        ),
        *("allow", "connection", "date", "host", "retry-after", "server", "vary"),
        *(
            "x-request-id",
            "request-id",
            "x-correlation-id",
            "traceresponse",
            "x-amzn-requestid",
            "x-amzn-trace-id",
        ),
        *("x-cloud-trace-context", "x-azure-ref", "cf-ray", "traceparent"),
    }
)
"""Headers that rules look at, or by which the log of a server is searched."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
"""The name of a member that may be shown: a word. What has digits in it may be a key, an address or a number."""
_MEMBERS_IN_CLEAR: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(
        ("a_id", "a_def_id", "a_ve", "id", "org_id", "action_record_id", "version"),
        re.compile("-?[0-9]{1,30}"),
    ),
    **dict.fromkeys(("attempt", "mod_ack"), re.compile("-?[0-9]{1,20}")),
    **dict.fromkeys(("a_va", "variant", "alias"), re.compile(r"[\w.:~ -]{1,64}")),
    **dict.fromkeys(("code", "status", "queue_s", "type"), re.compile("[A-Za-z_]{1,40}")),
    **dict.fromkeys(("deleted_at", "updated_at"), re.compile("[0-9T:.Z+ -]{1,40}")),
}
"""Members of the documented bodies that rules look at → what their values look like. Others are never shown."""
_OPAQUE: Final = frozenset({"payload", "metadata", "tags", "schema", "config", "message"})
"""Members whose content is the client's own, or free text."""
_AGAIN: Final = " (again)"
"""Stands after the name of a member that another one of its object has too."""
_LONGEST_VALUE: Final = 80
"""Characters of a value that a finding is about."""
_MOST_MEMBERS: Final = 50
"""Members of an object, or items of a list, that are described."""
_DEEPEST: Final = 6
"""Levels of a body that are described: the documented ones have five."""


def structure(body: bytes) -> str:
    """Describe a body: JSON with its documented values in clear and the types of all others; else its length alone."""
    if not body:
        return ""
    try:
        value = json.loads(body, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        return f"<{len(body)} bytes that are not JSON>"
    return json.dumps(_described(value, "", 0), ensure_ascii=False)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep the members of an object apart that have one name."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        members[f"{name}{_AGAIN}" if name in members else name] = value
    return members


def _described(value: Any, name: str, depth: int) -> Any:
    """Describe a value of a body that has this name."""
    if name in _OPAQUE or depth > _DEEPEST:
        return _kind(value)
    match value:
        case dict():
            members = list(value.items())[:_MOST_MEMBERS]
            found = {
                one if _NAME.fullmatch(one.removesuffix(_AGAIN)) else f"<member {number}>": _described(
                    inner, one, depth + 1
                )
                for number, (one, inner) in enumerate(members, 1)
            }
            return found | ({"…": f"{len(value)} members"} if len(value) > len(members) else {})
        case list():
            items = [_described(inner, name, depth + 1) for inner in value[:_MOST_MEMBERS]]
            return [*items, *([f"… {len(value)} items"] if len(value) > len(items) else [])]
        case bool() | None:
            return value
        case _:
            form = _MEMBERS_IN_CLEAR.get(name)
            return value if form is not None and form.fullmatch(str(value)) else _kind(value)


def _kind(value: Any) -> Any:
    """Name the type of a value, without any of it; null is itself."""
    match value:
        case None:
            return None
        case bool():
            return "<boolean>"
        case str():
            return "<string>"
        case dict():
            return f"<object of {len(value)} members>"
        case list():
            return f"<array of {len(value)} items>"
        case _:
            return "<number>"


def masked_exchange(exchange: Exchange, recogniser: SecretRecogniser, keys: Mapping[str, str]) -> Exchange:
    """Return an exchange of which everything may be shown. `keys` are masked where they are shown: key → its variable."""
    body = exchange.body and structure(exchange.body).encode("utf-8", "replace")
    answer = structure(exchange.answer).encode("utf-8", "replace")
    return replace(
        exchange,
        url=_masked_url(exchange.url, recogniser),
        headers=_masked_headers(exchange.headers, recogniser, keys),
        body=body and recogniser.mask(body.decode()).encode(),
        answer_headers=_masked_headers(exchange.answer_headers, recogniser, {}),
        answer=recogniser.mask(answer.decode()).encode(),
    )


def _masked_headers(headers: Headers, recogniser: SecretRecogniser, keys: Mapping[str, str]) -> Headers:
    def shown(name: str, value: str) -> str:
        if value in keys or not value:
            return value
        return recogniser.mask(value) if name.lower() in HEADERS_IN_CLEAR else MASK

    return tuple((name, shown(name, value)) for name, value in headers)


def _masked_url(url: str, recogniser: SecretRecogniser) -> str:
    """Mask the values in the query of a URL: no operation of the document reads any."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    members = [one.partition("=") for one in parts.query.split("&")] if parts.query else []
    query = "&".join(
        f"{name}={MASK}" if value and _NAME.fullmatch(name) else MASK for name, _, value in members
    )
    whole = urlunsplit((parts.scheme, parts.netloc, recogniser.mask(parts.path), query, ""))
    return "".join(c if c.isprintable() else quote(c, errors="replace") for c in whole)


def secrets_of(entry: Entry) -> Iterator[str]:
    """Yield what an entry shows and a report does not: values of headers, cookies, the query and the request's body."""
    exchange = entry.exchange
    for name, value in (*exchange.headers, *exchange.answer_headers):
        if name.lower() not in HEADERS_IN_CLEAR:
            yield from parts_of(value)
    yield from secrets_in_query(exchange.url)
    yield from entry.secrets
    with suppress(ValueError, RecursionError):
        yield from _hidden_texts(json.loads(exchange.body or b"null"), "")
    for body in (exchange.body, exchange.answer):
        with suppress(ValueError, RecursionError):
            yield from _hidden_names(json.loads(body or b"null"))


def _hidden_texts(value: Any, name: str, depth: int = 0) -> Iterator[str]:
    """Yield the texts of a body that `structure` does not show; those that may be ordinary words are left."""
    if depth > 2 * _DEEPEST:
        return
    if isinstance(value, dict):
        for one, inner in value.items():
            yield from _hidden_texts(inner, one if name not in _OPAQUE else name, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _hidden_texts(inner, name, depth + 1)
    elif isinstance(value, str) and (name not in _MEMBERS_IN_CLEAR) and not value.isalpha():
        yield value


def _hidden_names(value: Any, depth: int = 0, *, is_opaque: bool = False) -> Iterator[str]:
    """Yield the names of members that `structure` does not show, and that may be no words."""
    if depth > 2 * _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            if is_opaque and not name.isalpha():
                yield name
            yield from _hidden_names(inner, depth + 1, is_opaque=is_opaque or name in _OPAQUE)
    elif isinstance(value, list):
        for inner in value:
            yield from _hidden_names(inner, depth + 1, is_opaque=is_opaque)


@dataclass(frozen=True, slots=True)
class UnwordedContext(CheckContext):
    """A check context for exchanges of which no report is made: their answers are not described."""

    def value(self, text: str, place: str = "", limit: int = _LONGEST_VALUE) -> str:
        """The value that a finding is about, as it is."""
        return text[:limit]

    def shown(self, text: str | bytes, limit: int = 120, clear: bytes = b"") -> str:
        """Describe nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class WordedContext(CheckContext):
    """A check context whose words show of an exchange what a report may show."""

    recogniser: SecretRecogniser = field(default_factory=lambda: SecretRecogniser({}))
    """Recognises what the exchange has that is not shown."""

    def shown(self, text: str | bytes, limit: int = 120, clear: bytes = b"") -> str:
        """An answer by its structure, in one line of at most `limit` characters; of it `clear` as it is."""
        body = text.encode("utf-8", "replace") if isinstance(text, str) else text
        described = clear.decode("utf-8", "replace") or structure(body)
        return one_line(self.recogniser.mask(described), limit)

    def value(self, text: str, place: str = "", limit: int = _LONGEST_VALUE) -> str:
        """The value that a finding is about: in clear, unless it is no single value, or its place is that of a secret."""
        if text[:1] in ("{", "["):
            return self.shown(text, limit)
        if any(is_secret(step) for step in place.split("/")):
            return "<string>" if text[:1] == '"' else "<value>"
        return one_line(self.recogniser.mask(text), limit)


def recogniser_for(entry: Entry, keys: Mapping[str, str]) -> SecretRecogniser:
    """Return what recognises the secrets of an entry; `keys` are those of the recording: key → its variable."""
    own = {one: MASK for one in secrets_of(entry) if len(one) >= SHORTEST_SECRET}
    return SecretRecogniser({**own, **keys})


__all__ = [
    "HEADERS_IN_CLEAR",
    "MASK",
    "UnwordedContext",
    "WordedContext",
    "masked_exchange",
    "recogniser_for",
    "structure",
]
