"""Whether a request is so ordinary that only the application itself can have a reason to refuse it.

Proxies, web servers and JSON parsers may refuse what is long, deep or oddly spelled, and no page describes those
refusals. They accuse the application of nothing, and tell nothing of what it has stored.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.exchange import Exchange


def is_ordinary(exchange: Exchange, body: Any) -> bool:
    """Whether a request, with this JSON value as its body, has nothing that a proxy or a parser may refuse."""
    headers = {name.lower(): value for name, value in exchange.headers}
    return (
        not exchange.is_unusual
        and headers.keys() <= _ORDINARY_HEADERS
        and headers.get("accept", "*/*") == "*/*"
        and len(exchange.body or b"") <= _LARGEST_BODY
        and _is_modest(body, 0)
        and all(c.isalnum() or c in _IN_NAMES for c in exchange.segment)
        and exchange.segment.strip(" .") == exchange.segment
        and len(exchange.segment) <= _LONGEST_NAME
    )


def _is_modest(value: Any, depth: int) -> bool:
    """Whether a JSON value is within what any parser reads: RFC 8259 §9 allows limits."""
    match value:
        case dict():
            return depth < _DEEPEST and all(
                _is_modest(one, depth + 1) for pair in value.items() for one in pair
            )
        case list():
            return depth < _DEEPEST and all(_is_modest(one, depth + 1) for one in value)
        case str():
            return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        case bool() | None:
            return True
        case _:
            return bool(abs(value) <= _LARGEST_NUMBER)


_ORDINARY_HEADERS: Final = frozenset(
    {
        *("x-arklow-auth", "authorization", "content-type", "content-length", "transfer-encoding", "accept"),
        *("accept-encoding", "connection", "user-agent", "host", "traceparent", "x-schemathesis-testcaseid"),
    }
)
"""Headers that every client may send, those of the judge and of Schemathesis among them."""
_IN_NAMES: Final = frozenset(" ._-:@~😀")
"""Characters beside letters and digits that a variant may have without a proxy taking offence."""
_LARGEST_BODY: Final = 10_000
"""Bytes: far below the smallest limit that servers are shipped with."""
_LARGEST_NUMBER: Final = 2**63
"""Beyond it parsers with 64-bit integers overflow."""
_DEEPEST: Final = 16
"""Levels of nesting, below the limits of all common parsers."""
_LONGEST_NAME: Final = 128
"""Characters of a path segment."""


__all__ = ["is_ordinary"]
