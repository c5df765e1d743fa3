"""The corpus in order: every probe of an operation, the large ones by themselves.

The probes are data; every exchange that they make is judged like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Final

from .bytes import byte_probes
from .headers import chunking_probes, encoding_probes, header_probes, media_type_probes
from .probe import Good, Probe
from .sizes import count_probes, depth_probes, large_probes, size_probes
from .urls import method_probes, path_probes, query_probes
from .values import number_probes, string_probes

_GROUPS: Final[tuple[Callable[[str, Good], Iterator[Probe]], ...]] = (
    *(byte_probes, string_probes, count_probes, media_type_probes, header_probes, chunking_probes),
    *(number_probes, size_probes, encoding_probes, query_probes, method_probes, path_probes),
    depth_probes,
)
"""They take turns, so that a small budget has something of each."""


def probes(label: str, good: dict[str, Any]) -> Iterator[Probe]:
    """Make every probe of the operation `label` but the large ones, the most telling of each group first.

    `good` is a body that is served: work for an open definition, a definition of a variant that no other definition uses,
    or a modack of a live action.
    """
    for row in zip_longest(*(group(label, good) for group in _GROUPS)):
        yield from (probe for probe in row if probe is not None)


__all__ = ["large_probes", "probes"]
