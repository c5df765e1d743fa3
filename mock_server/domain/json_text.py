"""A JSON value as the world keeps it: its exact text, and the parsed value while that is cheap to hold."""

from __future__ import annotations

from enum import Enum
from hashlib import sha256
from typing import Any, Final, NamedTuple


class Absent(Enum):
    """Stands for "not parsed here": `None` is a JSON value of its own. An enum, as it stays itself when it
    travels between processes."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Json(NamedTuple):
    """One JSON value.

    `text` is UTF-8 without blanks, every digit of every number kept. `value` is the parsed value, or
    `ABSENT` for a text too large to parse while others wait. `canonical` is a digest that two values
    share when they are equal as JSON (member order and `1` against `1.0` do not matter); empty when
    nobody needs to compare.
    """

    text: bytes
    value: Any = ABSENT
    canonical: bytes = b""


EMPTY_OBJECT: Final = Json(b"{}", {}, sha256(b"{}").digest())
