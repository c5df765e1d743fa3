"""Hypothesis strategies for sequences of calls, and the alphabet of calls that they are made of.

Here and nowhere else in the package Hypothesis is imported, as it takes a third of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from hypothesis import strategies as st

Verb = Literal["put", "put version", "work", "work version", "modack"]


@dataclass(frozen=True)
class Letter:
    """One call of a sequence; names and ids are chosen when it is sent, from those that the sequence has made so far."""

    verb: Verb
    name: int = 0
    """Index of the variant; `ALIAS` is an alias of the first one."""
    org: int = 0
    """Index of the organisation; for modack 0 is the one that the action belongs to."""
    schema: Any = None
    """Of the definition that is put."""
    payload: Any = None
    """Of the work that is sent."""
    alias: bool = False
    """Whether the definition that is put takes the alias."""
    number: int = -1
    """Index of the action for modack; distance from the current version for calls with a version."""
    attempt: int = 0
    """Number of the attempt that modack names."""
    seconds: int = 300
    """Lease that modack asks for."""


ALIAS: Final = 2
"""The `name` of letters that use the alias instead of a variant."""

LETTERS: Final = (
    Letter("put", schema={"maxProperties": 101}),
    Letter("put", schema={"maxProperties": 102}, alias=True),
    Letter("put", name=1, schema={"maxProperties": 103}),
    Letter("put version", schema={"maxProperties": 104}, number=3),
    Letter("put version", schema={"maxProperties": 105}, number=-1),
    Letter("work", payload={"n": 1}),
    Letter("work", name=ALIAS, payload={"n": 1}),
    Letter("work version", payload={"n": 1}, number=-1),
    Letter("modack"),
    Letter("modack", attempt=1),
    Letter("put", org=1, schema={"maxProperties": 106}),
    Letter("modack", org=1),
)
"""The calls of which every sequence of two and three is made."""

_SCHEMAS: Final[tuple[Any, ...]] = (
    {},
    {"type": "object"},
    {"maxProperties": 101},
    {"maxProperties": 102},
    {"type": ["object", "null"]},
)
"""Schemas of definitions; each takes any of the payloads below."""
_PAYLOADS: Final[tuple[Any, ...]] = ({}, {"n": 1}, {"n": {"m": [None]}}, {"ü": "😀"}, {"payload": {}})
_SECONDS: Final = (60, 300, 3_600, 2**31)
"""Leases in seconds, long enough that none ends within a sequence."""

_LONG_ALPHABET: Final = (
    *(
        Letter("put", name, org, schema=schema, alias=alias)
        for name in (0, 1)
        for org in (0, 0, 1)
        for schema in _SCHEMAS
        for alias in (False, True)
    ),
    *(
        Letter("put version", name, schema=_SCHEMAS[number % 5], number=number)
        for name in (0, 1)
        for number in range(-3, 12)
    ),
    *(
        Letter("work", name, org, payload=payload)
        for name in (0, 0, 1, ALIAS)
        for org in (0, 0, 1)
        for payload in _PAYLOADS
    ),
    *(
        Letter("work version", name, payload={"n": number}, number=number)
        for name in (0, 1, ALIAS)
        for number in range(-3, 4)
    ),
    *(
        Letter("modack", org=org, number=number, attempt=attempt, seconds=_SECONDS[number % 4])
        for org in (0, 0, 1)
        for number in range(5)
        for attempt in (0, 0, 0, 1, 2)
    ),
)
"""The calls of which long sequences are made; what stands twice is drawn twice as often."""

long_sequences: st.SearchStrategy[list[Letter]] = st.lists(
    st.sampled_from(_LONG_ALPHABET), min_size=8, max_size=40
)
"""Sequences of 8 to 40 calls."""

__all__ = ["ALIAS", "LETTERS", "Letter", "long_sequences"]
