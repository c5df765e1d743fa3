"""Hypothesis strategies for what a caller of Arklow chooses, and the alphabet of plain calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from hypothesis import strategies as st

Verb = Literal["put", "put version", "work", "work version", "modack"]


@dataclass(frozen=True)
class Letter:
    """One call, without the names and ids that it gets when it is made."""

    verb: Verb
    name: int = 0
    """Which of the variants; the last one is an alias."""
    org: int = 0
    schema: Any = None
    payload: Any = None
    alias: bool = False
    number: int = -1
    """Which action, or how far from the current version."""
    attempt: int = 0
    seconds: int = 300


ALIAS: Final = 2

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
"""The calls of which every short sequence is made."""

_SCHEMAS: Final[tuple[Any, ...]] = (
    {},
    {"type": "object"},
    {"maxProperties": 101},
    {"maxProperties": 102},
    {"type": ["object", "null"]},
)
"""Schemas of definitions. All take an object as payload."""
_PAYLOADS: Final[tuple[Any, ...]] = ({}, {"n": 1}, {"n": {"m": [None]}}, {"ü": "😀"}, {"payload": {}})
_SECONDS: Final = (60, 300, 3_600, 2**31)
"""Long enough that nothing expires within a sequence."""

_MANY: Final = (
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

letters: st.SearchStrategy[list[Letter]] = st.lists(st.sampled_from(_MANY), min_size=8, max_size=40)
"""Long sequences of plain calls."""

__all__ = ["ALIAS", "LETTERS", "Letter", "letters"]
