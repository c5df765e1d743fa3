"""The requests that generators of values cannot say: bytes, encodings, headers, sizes, odd paths and methods.

They are data; whoever sends them has every exchange judged like any other. A probe may promise to be served, which
is said only where neither a page nor an RFC gives a lawful ground to refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Final

from .bytes import _bytes
from .headers import _chunking, _encodings, _headers, _media_types
from .probe import (
    Good,
    Probe,
)
from .sizes import _counts, _large, _sizes
from .urls import _methods, _paths, _query
from .values import _numbers, _strings


def probes(label: str, good: dict[str, Any]) -> Iterator[Probe]:
    """Every probe of an operation: the most telling of each group first, the large ones last and only then made.

    `good` is a body that is served: work for an open definition, a definition of a variant that nobody else uses, or
    a modack of a live action.
    """
    for row in zip_longest(*(group(label, good) for group in _GROUPS)):
        yield from (probe for probe in row if probe is not None)
    yield from _large(label, good)


# --- bytes


# --- encodings


# --- headers


# --- media types


# --- chunking: a 411 is a lawful refusal (RFC 9110 §15.5.12), and excused where answers are judged


# --- sizes


# --- counts


# --- numbers


# --- strings


# --- query


# --- paths


# --- methods


_GROUPS: Final[tuple[Callable[[str, Good], Iterator[Probe]], ...]] = (
    *(_bytes, _strings, _counts, _media_types, _headers, _chunking),
    *(_numbers, _sizes, _encodings, _query, _methods, _paths),
)


# --- large


__all__ = ["probes"]
