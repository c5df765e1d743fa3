"""Other names for what a run has made, so that its exchanges can be sent again from nothing."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..core.digits import with_other_numbers

Rename = Callable[[str, int], str]
"""Gives a text the names of a replay; of numbers in it those alone that have so many digits."""

_ID_DIGITS = 6
"""Digits from which on a number in a text that is not JSON is taken for an id: shorter ones are versions and seconds."""
_ALIAS_OFFSETS = 10**6
"""Numbers among which that of a replay is chosen, for an alias that is a number and so cannot have a prefix."""
_NAMING_MEMBERS = {"variant", "action_record_id", "alias"}
"""Members of bodies that name something."""


def names_of(prefix: str) -> re.Pattern[str]:
    """Return the pattern of what the names of a run begin with: its prefix, and that of a replay if there is one."""
    return re.compile(re.escape(prefix) + r"(?:r[0-9a-f]+\.)?")


def renamer(prefix: str, fresh: str, ids: Mapping[str, str]) -> Rename:
    """Return what gives a text names with the prefix `fresh` instead of `prefix`, and ids by `ids`: old → new."""

    def rename(text: str, least_digits: int) -> str:
        return names_of(prefix).sub(fresh, with_other_numbers(text, ids, least_digits))

    return rename


def rewrite_body(body: bytes | None, rename: Rename, fresh: str) -> bytes | None:
    """Return a body with other names: as JSON where it is JSON as the judge writes it, else as text."""
    if body is None:
        return None
    with suppress(ValueError, RecursionError):
        value = json.loads(body)
        if json.dumps(value).encode() == body:
            return json.dumps(_renamed(value, rename, fresh)).encode()
    return rename(body.decode("utf-8", "surrogateescape"), _ID_DIGITS).encode("utf-8", "surrogateescape")


def _renamed(value: Any, rename: Rename, fresh: str) -> Any:
    """Return a JSON value with other names in the members that name something; an alias always becomes a fresh one."""
    if not isinstance(value, dict):
        return value
    named = dict(value)

    def alias(one: Any) -> Any:
        # a fresh one, as another definition may have the old one by now
        if isinstance(one, int) and not isinstance(one, bool):
            return one + zlib.crc32(fresh.encode()) % _ALIAS_OFFSETS
        if not isinstance(one, str) or not one:
            return one
        changed = rename(one, 1)
        return changed if fresh in changed else f"{fresh}{one}"

    for name in value.keys() & _NAMING_MEMBERS:
        member = value[name]
        if name == "alias":
            named[name] = list(map(alias, member)) if isinstance(member, list) else alias(member)
        elif isinstance(member, str):
            named[name] = rename(member, 1)
        elif isinstance(member, int) and not isinstance(member, bool):
            named[name] = int(rename(str(member), 1))
    return named


__all__ = ["Rename", "names_of", "renamer", "rewrite_body"]
