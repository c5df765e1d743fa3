"""Differences between two documents, and what they affect: rules by the page that they cite, the mock's handlers by their
operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from arklow_local.openapi.document_text import canonical
from arklow_local.openapi.pointers import (
    DESCRIBING,
    Place,
    is_above_units,
    operations,
    place_of,
    pointer,
    references,
    value_at,
)

from ..core.rules import PAGES, RULES

Content = Mapping[str, Any]

_PROSE: Final = frozenset(
    {"description", "summary", "title", "example", "examples", "externalDocs", "links", "deprecated"}
)
"""Members that people read, and that no handler depends on."""
_NAMING: Final = frozenset({"properties", "patternProperties", "$defs", "responses", "schemas", "paths"})
"""Members whose own members have names that the author of the document chose."""
_LONGEST: Final = 60
"""Characters of a value that are shown: a line names the place and the value."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    kind: str
    """`added`, `removed` or `changed`."""
    unit: Place
    """The place of an operation, a component, or another member: see `arklow_local.openapi.pointers`."""
    what: str = ""
    """Where in it, and how, when it changed."""

    @property
    def name(self) -> str:
        """The unit as people call it: `POST /v1/modack`, `schemas/Order`."""
        match self.unit:
            case ("paths", path, method):
                return f"{method.upper()} {path}"
            case ("components", kind, one):
                return f"{kind}/{one}"
        return pointer(self.unit)

    def __str__(self) -> str:
        what = {"paths": "operation", "components": "component"}.get(self.unit[0], "document")
        line = f"{what:9} {self.kind:8} {self.name}"
        return f"{line}: {self.what}" if self.what else line


def changes(old: Content, new: Content) -> list[Change]:
    """List the differences, unit by unit, but for members that describe the whole document."""
    before, after = dict(_units(old)), dict(_units(new))
    found = []
    for unit in dict.fromkeys([*before, *after]):
        if unit not in after:
            found.append(Change("removed", unit))
        elif unit not in before:
            found.append(Change("added", unit))
        else:
            found += [Change("changed", unit, what) for what in _differences(before[unit], after[unit], ())]
    return found


def affected_rules(old: Content, new: Content, changed: list[Change]) -> dict[str, list[str]]:
    """Find the rules whose page has changed: page, as rules cite it → codes of the rules that cite it."""
    units = {change.unit for change in changed}
    pages = [page for page, label in PAGES.items() if units & (_units_of(old, label) | _units_of(new, label))]
    return {page: [rule.code for rule in RULES.values() if page in citations(rule.source)] for page in pages}


def citations(source: str) -> list[str]:
    """Split the source of a rule into the numbers and pages that it cites."""
    return [one.strip() for one in source.split(",")]


def unfit_handlers(old: Content, new: Content) -> dict[str, str]:
    """Find the handlers that were written for the old document and do not fit the new one: operation → why.

    Both are documents as the mock serves them, with overlays.
    """
    unfit: dict[str, str] = {}
    before, after = _without_prose(old), _without_prose(new)
    changed = changes(before, after)
    for path, method, _ in operations(before):
        label, unit = f"{method.upper()} {path}", ("paths", path, method)
        used = _units_of(before, label) | _units_of(after, label)
        if Change("removed", unit) in changed:
            unfit[label] = "the document has no such operation any more"
        elif units := [one for one in changed if one.unit in used]:
            names = dict.fromkeys("itself" if one.unit == unit else one.name for one in units)
            unfit[label] = f"these parts that it uses have changed: {', '.join(names)}"
    return unfit


def _units(document: Content, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    for name, value in document.items():
        here = (*place, name)
        if not place and name in DESCRIBING:
            continue
        if isinstance(value, dict) and is_above_units(here):
            yield from _units(value, here)
        else:
            yield here, value


def _differences(old: Any, new: Any, place: Place) -> Iterator[str]:
    """Describe each difference below a place, as `place: what`."""
    at = f"{'/'.join(place)}: " if place else ""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if name not in new:
                yield f"{at}{name} removed"
            elif name not in old:
                yield f"{at}{name} added, {_excerpt(new[name])}"
            else:
                yield from _differences(old[name], new[name], (*place, name))
    elif isinstance(old, list) and isinstance(new, list):
        left, right = [canonical(one) for one in old], [canonical(one) for one in new]
        removed = [one for one, text in zip(old, left, strict=True) if text not in right]
        added = [one for one, text in zip(new, right, strict=True) if text not in left]
        for one, other in zip_longest(removed, added, fillvalue=_NOTHING):
            if isinstance(one, dict) and isinstance(other, dict):
                yield from _differences(one, other, (*place, str(old.index(one))))
            else:
                yield from (f"{at}{_excerpt(value)} removed" for value in [one] if value is not _NOTHING)
                yield from (f"{at}{_excerpt(value)} added" for value in [other] if value is not _NOTHING)
    elif canonical(old) != canonical(new):
        yield f"{at}{_excerpt(old)} → {_excerpt(new)}"


_NOTHING: Final = object()
"""Stands for an item that has no counterpart; null is an item."""


def _excerpt(value: Any) -> str:
    text = canonical(value).decode("utf-8", "replace")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _units_of(document: Content, label: str) -> set[Place]:
    """Find the units that an operation uses: itself, what it refers to, and what holds for all operations."""
    method, _, path = label.partition(" ")
    left: list[Place] = [("paths", path, method.lower()), ("paths", path, "parameters"), ("security",)]
    found: set[Place] = set()
    while left:
        unit = left.pop()
        if unit in found:
            continue
        found.add(unit)
        value = value_at(document, unit)
        left += [place_of(reference)[:3] for reference in references(value)]
        requirements = (
            value if unit == ("security",) else value.get("security") if isinstance(value, dict) else None
        )
        for one in requirements if isinstance(requirements, list) else ():
            left += [("components", "securitySchemes", name) for name in one]
    return found


def _without_prose(node: Any, *, named: bool = False) -> Any:
    """Copy a part of a document without what only people read; `named` when the author chose the names of its members."""
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _without_prose(value, named=not named and name in _NAMING)
        for name, value in node.items()
        if named or not (name in _PROSE or name.startswith("x-"))
    }


__all__ = ["Change", "affected_rules", "changes", "citations", "unfit_handlers"]
