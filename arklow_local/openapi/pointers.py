"""Parts of an OpenAPI document: where they are, what is there, and what refers to them.

A *place* is the way to a part of a document, as names in order; `pointer` writes it down (RFC 6901). A *unit* stands or falls
as a whole: an operation, a component, or a member of anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

Document = dict[str, Any]
Place = tuple[str, ...]

DESCRIBING: Final = frozenset({"info", "tags", "servers", "externalDocs"})
"""Members that say nothing of an operation: where pages differ in them, the first page counts."""
METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
"""Members of a path that are operations."""


def pointer(place: Place) -> str:
    """Write a place as a JSON pointer in a URI fragment, as references have it, but for percent signs."""
    return "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in place)


def place_of(reference: str) -> Place:
    """Read the place that a local reference such as `#/components/schemas/A` leads to, as names in order."""
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[1:].split("/")[1:])


def value_at(document: Any, place: Place, *, make: bool = False) -> Any:
    """Find what is at a place; None where nothing is. With `make`, objects that are missing on the way are added."""
    node = document
    for step in place:
        if isinstance(node, dict):
            node = node.setdefault(step, {}) if make else node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def references(node: Any) -> Iterator[str]:
    """Find every `$ref` in a part of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def resolves(document: Document, reference: str) -> bool:
    """Tell whether a local reference leads to something."""
    return value_at(document, place_of(reference)) is not None


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Find each operation.

    Yields:
        (path, method in lower case, content of the operation).
    """
    paths = document.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        for method, operation in (item if isinstance(item, dict) else {}).items():
            if method in METHODS and isinstance(operation, dict):
                yield path, method, operation


def is_above_units(place: Place) -> bool:
    """Tell whether what is at a place is an object of units, or of such objects."""
    return len(place) < 3 and place[0] in ("paths", "components")


def has_unit(document: Document, unit: Place) -> bool:
    """Tell whether a document has a unit, under whatever names of parameters in its path."""
    if unit[0] != "paths" or len(unit) < 2:
        return value_at(document, unit) is not None
    same = [path for path in document.get("paths", {}) if _without_names(path) == _without_names(unit[1])]
    # a path with other names of parameters is the same path, so nothing may be added beside it
    return any(path != unit[1] or value_at(document, unit) is not None for path in same)


def _without_names(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


__all__ = [
    "DESCRIBING",
    "METHODS",
    "Document",
    "Place",
    "has_unit",
    "is_above_units",
    "operations",
    "place_of",
    "pointer",
    "references",
    "resolves",
    "value_at",
]
