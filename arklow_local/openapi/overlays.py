"""OpenAPI overlays (Overlay Specification 1.0): read, and applied to a document."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .document_text import BadPages, read_text, read_value
from .pointers import (
    METHODS,
    Document,
    Place,
    has_unit,
    is_above_units,
    operations,
    place_of,
    pointer,
    references,
    resolves,
    value_at,
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """One overlay: the name of its file, and its actions in order."""

    name: str
    actions: tuple[Mapping[str, Any], ...]
    """Each with a `target`, and an `update` or `remove: true`."""


@dataclass(frozen=True, slots=True)
class Overlaid:
    """A document after overlays were applied."""

    content: Document
    unmatched: tuple[tuple[str, str], ...] = ()
    """(overlay, target) of each action that matches nothing."""
    left_out: tuple[str, ...] = ()
    """What `fill_gaps` left out of the overlays, each as a sentence without its full stop."""


def read_overlays(directory: Path) -> tuple[Overlay, ...]:
    """Read the overlays of a directory, as a tuple in the order of their names.

    Raises:
        BadPages: a file is no overlay, or is called as no overlay is.
    """
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
    except OSError as error:
        raise BadPages(f"{directory}: {error.strerror}: expected a directory of overlays") from None
    return tuple(map(_read_overlay, files))


def _read_overlay(file: Path) -> Overlay:
    if not file.name.endswith(".overlay.yaml"):
        raise BadPages(f"{file.name}: expected overlays to be called *.overlay.yaml")
    content = read_value(file.name, read_text(file), 1)
    if not isinstance(content, dict) or not str(content.get("overlay", "")).startswith("1."):
        raise BadPages(f"{file.name}: expected an OpenAPI Overlay 1.0 (members overlay, info and actions)")
    actions = content.get("actions")
    if not isinstance(actions, list) or not actions:
        raise BadPages(f"{file.name}: expected a list of actions that is not empty")
    for number, action in enumerate(actions):
        if not (
            isinstance(action, dict)
            and isinstance(action.get("target"), str)
            and ("update" in action or action.get("remove") is True)
        ):
            raise BadPages(
                f"{file.name}: expected action {number + 1} to have a target, and an update or remove: true"
            )
        _parse_target(file.name, action["target"])
    return Overlay(file.name, tuple(actions))


# Overlays that win over the document


def apply(document: Document, overlays: Iterable[Overlay]) -> Overlaid:
    """Apply overlays to a copy of a document, action after action (Overlay Specification 1.0, §4.4).

    Raises:
        BadPages: an action removes the root.
    """
    result, unmatched = copy.deepcopy(document), []
    for overlay in overlays:
        for action in overlay.actions:
            path = _parse_target(overlay.name, action["target"])
            matches = _matches(overlay.name, path, result)
            if not matches:
                unmatched.append((overlay.name, action["target"]))
            elif action.get("remove") is True:
                if matches[0].context is None:
                    raise BadPages(f"{overlay.name}: expected a target within the document to remove, got $")
                path.filter(lambda _: True, result)
            else:
                for match in matches:
                    _update(result, match, action["update"])
    return Overlaid(result, tuple(unmatched))


def _update(document: Document, match: Any, update: Any) -> None:
    """Update one match: objects are merged, lists get longer, other values are replaced."""
    if isinstance(match.value, dict) and isinstance(update, dict):
        _merge(match.value, update)
    elif isinstance(match.value, list):
        match.value.extend(copy.deepcopy(update if isinstance(update, list) else [update]))
    elif match.context is not None:
        match.full_path.update(document, copy.deepcopy(update))


def _merge(into: Document, update: Mapping[str, Any]) -> None:
    for key, value in update.items():
        present = into.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(copy.deepcopy(value))
        else:
            into[key] = copy.deepcopy(value)


# Overlays that give way to the document


def fill_gaps(document: Document, overlays: Iterable[Overlay], today: Document) -> Overlaid:
    """Add to a copy of a document those units of overlays that it lacks and that still fit it; leave out the others.

    Components that an overlay refers to and the document has no more are taken from `today`, the document for which the
    overlay was written.
    """
    result = copy.deepcopy(document)
    added, left_out = _add_missing_units(result, overlays)
    for name, unit in added:  # grows, as a component may refer to others
        for place in map(place_of, references(value_at(result, unit))):
            component = value_at(today, place)
            if place[0] == "components" and component is not None and value_at(result, place) is None:
                value_at(result, place[:-1], make=True)[place[-1]] = copy.deepcopy(component)
                added.append((name, place))
    left_out += _remove_unfit_units(result, added)
    for path in {unit[1] for _, unit in added if unit[0] == "paths"} - document.get("paths", {}).keys():
        if not result["paths"][path].keys() & METHODS:  # nothing is left that it would be the path of
            del result["paths"][path]
    return Overlaid(result, left_out=tuple(left_out))


def _add_missing_units(
    document: Document, overlays: Iterable[Overlay]
) -> tuple[list[tuple[str, Place]], list[str]]:
    """Add units to the document, which is changed.

    Returns:
        (overlay and place of each unit that was added, what was left out and why).
    """
    added: list[tuple[str, Place]] = []
    left_out: list[str] = []
    for overlay in overlays:
        for action in overlay.actions:
            matches = _matches(overlay.name, _parse_target(overlay.name, action["target"]), document)
            if not matches:
                left_out.append(f"{overlay.name}: target {action['target']} matches nothing")
            for match in matches:
                for unit, value in _units(action.get("update"), _place(match)):
                    if has_unit(document, unit):
                        left_out.append(f"{overlay.name}: the pages have {pointer(unit)} themselves")
                    elif isinstance(value_at(document, unit[:-1], make=True), dict):
                        value_at(document, unit[:-1])[unit[-1]] = copy.deepcopy(value)
                        added.append((overlay.name, unit))
    return added, left_out


def _remove_unfit_units(document: Document, added: Iterable[tuple[str, Place]]) -> list[str]:
    """Remove units that do not fit the document, which is changed, until all that are left do; say which and why."""
    left_out = []
    fitting = list(added)
    while unfit := next(
        ((name, unit, why) for name, unit in fitting if (why := _why_unfit(document, unit))), None
    ):
        name, unit, why = unfit
        fitting.remove((name, unit))
        del value_at(document, unit[:-1])[unit[-1]]
        left_out.append(f"{name}: {pointer(unit)} {why}")
    return left_out


def _units(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """Find the units in what an overlay adds at a place."""
    for key, member in value.items() if isinstance(value, dict) else ():
        here = (*place, key)
        if isinstance(member, dict) and is_above_units(here):
            yield from _units(member, here)
        else:
            yield here, member


def _why_unfit(document: Document, unit: Place) -> str | None:
    """Say why a unit that was added does not fit the document; None when it does."""
    value = value_at(document, unit)
    for reference in references(value):
        if not resolves(document, reference):
            return f"refers to {reference}, which the pages have no more"
    by_id: dict[str, list[Place]] = {}
    for path, method, operation in operations(document):
        if "operationId" in operation:
            by_id.setdefault(str(operation["operationId"]), []).append(("paths", path, method))
    for operation_id in _linked_operations(value):
        if operation_id not in by_id:
            return f"leads to {operation_id}, which the pages have no more"
    if (
        isinstance(value, dict)
        and len(by_id.get(str(value.get("operationId")), [unit])) > 1
        and len(unit) == 3
    ):
        return f"has the operationId {value['operationId']}, which another operation has"
    return None


def _linked_operations(node: Any) -> Iterator[str]:
    """Find the ids of the operations that links in a part of a document lead to."""
    if isinstance(node, dict):
        if "operationId" in node and "responses" not in node:
            yield str(node["operationId"])
        for value in node.values():
            yield from _linked_operations(value)


# Targets


def _parse_target(name: str, target: str) -> Any:
    # imported here, as it takes a third of a second and few runs have overlays
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse

    try:
        return parse(target)
    except (JSONPathError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise BadPages(f"{name}: expected a JSONPath as target, got {target[:80]!r}: {reason}") from None


def _matches(name: str, path: Any, document: Document) -> list[Any]:
    try:
        return list(path.find(document))
    except (AttributeError, LookupError, TypeError, ValueError, re.error) as error:
        raise BadPages(f"{name}: target {path} cannot be looked for: {error}") from None


def _place(match: Any) -> Place:
    steps: list[str] = []
    while match.context is not None:
        steps.insert(0, str(getattr(match.path, "fields", getattr(match.path, "indices", ("",)))[0]))
        match = match.context
    return tuple(steps)


__all__ = ["Overlaid", "Overlay", "apply", "fill_gaps", "read_overlays"]
