"""JSON values as text: written, shown in messages, and compared by what they mean."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

from .excerpts import one_line

_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_SORTED: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False
)


def compact(value: Any) -> str:
    """Write a value without blanks; what `strict_json.parse` has read comes back equal."""
    return _COMPACT.encode(value)


def digest(value: Any) -> bytes:
    """Hash a value, so that equal JSON values share a digest: `{"a":1,"b":2}` and `{"b":2,"a":1.0}` do."""
    return sha256(_SORTED.encode(_WHOLE_AS_INTEGERS.decode(compact(value))).encode("utf-8")).digest()


def show(value: Any, limit: int = 120) -> str:
    """Show a value as JSON in one line of at most `limit` characters; what JSON has not is shown as Python's `str` does."""
    return one_line(json.dumps(value, ensure_ascii=False, default=str), limit)


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


_WHOLE_AS_INTEGERS: Final = json.JSONDecoder(parse_float=_number)
"""Reads `1.0` and `1e0` as the integer 1, as both are the same number in JSON."""


__all__ = ["compact", "digest", "show"]
