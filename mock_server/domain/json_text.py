"""A JSON value as the mock keeps it: its exact text, and the parsed value where that is cheap to hold."""

from __future__ import annotations

from enum import Enum
from hashlib import sha256
from typing import Any, Final, NamedTuple


class Absent(Enum):
    """Stands for a value that is not parsed here, as `None` is a JSON value of its own.

    It is an enum, as a member of an enum stays the same object when it is sent between processes.
    """

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Json(NamedTuple):
    """One JSON value."""

    text: bytes
    """UTF-8 without blanks, with every digit of every number."""
    value: Any = ABSENT
    """The parsed value; `ABSENT` for a text too large to parse on the event loop."""
    canonical: bytes = b""
    """A digest that values share which are equal as JSON: the order of members, and `1` against `1.0`, do not count. Empty for
    values that are never compared."""


EMPTY_OBJECT: Final = Json(b"{}", {}, sha256(b"{}").digest())
