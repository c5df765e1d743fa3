"""Renames what a run made, so that exchanges can be sent again from nothing."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def _renamer(prefix: str, fresh: str, ids: dict[str, str]) -> Callable[[str, int], str]:
    """Replaces names, and ids of at least so many digits."""
    known = {**ids, **{_wide(old): _wide(new) for old, new in ids.items()}}

    def rename(text: str, shortest: int) -> str:
        found = _DIGITS.sub(
            lambda run: known.get(run[0], run[0]) if len(run[0]) >= shortest else run[0], text
        )
        return names_of(prefix).sub(fresh, found)

    return rename


def names_of(prefix: str) -> re.Pattern[str]:
    """What the names of a run begin with, those of an earlier replay too."""
    return re.compile(re.escape(prefix) + r"(?:r[0-9a-f]+\.)?")


def _wide(digits: str) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)


def _rewritten(body: bytes | None, rename: Callable[[str, int], str], fresh: str) -> bytes | None:
    """A body with other names; as JSON where it is JSON as we write it, else as text."""
    if body is None:
        return None
    with suppress(ValueError, RecursionError):
        value = json.loads(body)
        if json.dumps(value).encode() == body:
            return json.dumps(_renamed(value, rename, fresh)).encode()
    return rename(body.decode("latin-1"), _LONG).encode("latin-1")


def _renamed(value: Any, rename: Callable[[str, int], str], fresh: str) -> Any:
    """The members that name something; what else a body says is left as it is. An alias is always a fresh one."""
    if not isinstance(value, dict):
        return value
    named = dict(value)

    def alias(one: Any) -> Any:
        if isinstance(one, int) and not isinstance(one, bool):
            return one + zlib.crc32(fresh.encode()) % 10**6  # which may be somebody's by now
        if not isinstance(one, str) or not one:
            return one
        changed = rename(one, 1)
        return changed if fresh in changed else f"{fresh}{one}"

    for name in value.keys() & {"variant", "action_record_id", "alias"}:
        member = value[name]
        if name == "alias":
            named[name] = list(map(alias, member)) if isinstance(member, list) else alias(member)
        elif isinstance(member, str):
            named[name] = rename(member, 1)
        elif isinstance(member, int) and not isinstance(member, bool):
            named[name] = int(rename(str(member), 1))
    return named


_DIGITS = re.compile(r"\d+")


_LONG = 6
"""Digits from which on a number in a text that is no JSON is taken for an id."""


__all__ = ["names_of"]
