"""What moved between two documents, and what rests on it: rules by the page that they cite, handlers by their operation."""

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
)

from ..core.rules import PAGES, RULES

Content = Mapping[str, Any]

_SAYS: Final = frozenset(
    {"description", "summary", "title", "example", "examples", "externalDocs", "links", "deprecated"}
)
"""Members that tell a person something, and a handler nothing."""
_NAMING: Final = frozenset({"properties", "patternProperties", "$defs", "responses", "schemas", "paths"})
"""Members whose own members are named by whoever writes the document."""
_LONGEST = 60
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    kind: str
    """`added`, `removed` or `changed`."""
    unit: Place
    """What stands or falls as a whole: an operation, a component, or another member."""
    what: str = ""
    """Where in it, and how, when it changed."""

    @property
    def name(self) -> str:
        """The unit as a person calls it."""
        match self.unit:
            case ("paths", path, method):
                return f"{method.upper()} {path}"
            case ("components", kind, one):
                return f"{kind}/{one}"
        return pointer(self.unit)

    def __str__(self) -> str:
        what = {"paths": "operation", "components": "component"}.get(self.unit[0], "document")
        said = f"{what:9} {self.kind:8} {self.name}"
        return f"{said}: {self.what}" if self.what else said


def changes(old: Content, new: Content) -> list[Change]:
    """Every difference, unit by unit; what only describes the whole is none."""
    before, after = dict(_units(old)), dict(_units(new))
    found = []
    for unit in dict.fromkeys([*before, *after]):
        if unit not in after:
            found.append(Change("removed", unit))
        elif unit not in before:
            found.append(Change("added", unit))
        else:
            found += [Change("changed", unit, said) for said in _differences(before[unit], after[unit], ())]
    return found


def rules_touched(old: Content, new: Content, moved: list[Change]) -> dict[str, list[str]]:
    """Source that is a page → the rules that cite it, for each page of which something moved."""
    units = {change.unit for change in moved}
    touched = [page for page, label in PAGES.items() if units & (_reach(old, label) | _reach(new, label))]
    return {page: [rule.code for rule in RULES.values() if page in cited(rule.source)] for page in touched}


def cited(source: str) -> list[str]:
    """The numbers and pages that a rule cites, one by one."""
    return [one.strip() for one in source.split(",")]


def handlers_unfit(old: Content, new: Content) -> dict[str, str]:
    """Operation of the old document → why what was written for it no longer fits the new one.

    Both are documents as the mock serves them, with overlays.
    """
    told: dict[str, str] = {}
    before, after = _shape(old), _shape(new)
    moved = changes(before, after)
    for path, method, _ in operations(before):
        label, unit = f"{method.upper()} {path}", ("paths", path, method)
        if Change("removed", unit) in moved:
            told[label] = "the document has no such operation any more"
        elif units := [one for one in moved if one.unit in _reach(before, label) | _reach(after, label)]:
            names = dict.fromkeys("itself" if one.unit == unit else one.name for one in units)
            told[label] = f"of what it rests on, this moved: {', '.join(names)}"
    return told


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
    """Each difference below a place, as `place: what`."""
    at = f"{'/'.join(place)}: " if place else ""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if name not in new:
                yield f"{at}{name} removed"
            elif name not in old:
                yield f"{at}{name} added, {_shown(new[name])}"
            else:
                yield from _differences(old[name], new[name], (*place, name))
    elif isinstance(old, list) and isinstance(new, list):
        left, right = [canonical(one) for one in old], [canonical(one) for one in new]
        gone = [one for one, text in zip(old, left, strict=True) if text not in right]
        come = [one for one, text in zip(new, right, strict=True) if text not in left]
        for one, other in zip_longest(gone, come, fillvalue=_NOTHING):
            if isinstance(one, dict) and isinstance(other, dict):
                yield from _differences(one, other, (*place, str(old.index(one))))
            else:
                yield from (f"{at}{_shown(value)} removed" for value in [one] if value is not _NOTHING)
                yield from (f"{at}{_shown(value)} added" for value in [other] if value is not _NOTHING)
    elif canonical(old) != canonical(new):
        yield f"{at}{_shown(old)} → {_shown(new)}"


_NOTHING: Final = object()


def _shown(value: Any) -> str:
    text = canonical(value).decode("utf-8", "replace")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _reach(document: Content, label: str) -> set[Place]:
    """The units that an operation rests on: itself, what it refers to, and what holds for all operations."""
    method, _, path = label.partition(" ")
    left: list[Place] = [("paths", path, method.lower()), ("paths", path, "parameters"), ("security",)]
    found: set[Place] = set()
    while left:
        unit = left.pop()
        if unit in found:
            continue
        found.add(unit)
        value = _at(document, unit)
        left += [place_of(reference)[:3] for reference in references(value)]
        requirements = (
            value if unit == ("security",) else value.get("security") if isinstance(value, dict) else None
        )
        for one in requirements if isinstance(requirements, list) else ():
            left += [("components", "securitySchemes", name) for name in one]
    return found


def _at(document: Any, place: Place) -> Any:
    for step in place:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _shape(node: Any, *, named: bool = False) -> Any:
    """A part of a document without what only tells a person something."""
    if isinstance(node, list):
        return [_shape(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _shape(value, named=not named and name in _NAMING)
        for name, value in node.items()
        if named or not (name in _SAYS or name.startswith("x-"))
    }


__all__ = ["Change", "changes", "cited", "handlers_unfit", "rules_touched"]
