"""JSON as RFC 8259 has it: read strictly, shown shortly."""

from __future__ import annotations

import json
from typing import Any

MARK = b"\xef\xbb\xbf"
"""A byte order mark, that nobody may send, and whoever reads may overlook (RFC 8259 §8.1)."""


class NotJSON(ValueError):
    """The bytes are not a JSON text; the message says why and where."""


class Ambiguous(ValueError):
    """The bytes are JSON that parsers read in different ways, or beyond what is read here; nobody is blamed for it."""


class Doubled(Ambiguous):
    """A member name stands twice in one object."""


def read(text: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        NotJSON: no parser that keeps to the standard accepts it.
        Ambiguous: a member name twice, or too deep or long to say.
    """
    if text.startswith(MARK):
        raise NotJSON("it begins with a byte order mark")
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_members)
    except UnicodeDecodeError as error:
        raise NotJSON(f"it is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise NotJSON(f"{error.msg.lower()} at character {error.pos}") from None
    except (RecursionError, OverflowError) as error:
        raise Ambiguous("it is nested too deeply to say") from error
    except (NotJSON, Ambiguous):
        raise
    except ValueError as error:
        raise Ambiguous("it has a number too long to say") from error


def _no_constant(name: str) -> Any:
    raise NotJSON(f"{name} is not a JSON number")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Doubled("a member name stands twice in one object")
    return members


def show(value: Any, limit: int = 120) -> str:
    """A value as JSON, in at most `limit` characters."""
    return excerpt(json.dumps(value, ensure_ascii=False, default=str), limit)


def excerpt(text: str, limit: int = 120) -> str:
    """At most `limit` characters of a text, in one line."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else f"\\x{ord(c):02x}" for c in text)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


__all__ = ["MARK", "Ambiguous", "Doubled", "NotJSON", "excerpt", "read", "show"]
