"""OpenAPI overlays: read them, and lay them over a document."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .pointers import (
    _METHODS,
    BadPages,
    Document,
    Place,
    _at,
    _has,
    _text,
    _value,
    is_above_units,
    operations,
    place_of,
    pointer,
    references,
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """An OpenAPI Overlay 1.0."""

    name: str
    actions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Laid:
    """A document with overlays over it."""

    content: Document
    unmatched: tuple[tuple[str, str], ...] = ()
    """Overlay and target of each action that matches nothing."""
    left_out: tuple[str, ...] = ()
    """What of overlays that give way was left out, each as a sentence without its full stop."""


def read_overlays(directory: Path) -> tuple[Overlay, ...]:
    """The overlays of a directory, in the order of their names.

    Raises:
        BadPages: one is none, or a file has a name that no overlay has.
    """
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
    except OSError as error:
        raise BadPages(f"{directory}: {error.strerror}: expected a directory of overlays") from None
    return tuple(map(_overlay, files))


def _overlay(file: Path) -> Overlay:
    if not file.name.endswith(".overlay.yaml"):
        raise BadPages(f"{file.name}: expected overlays to be called *.overlay.yaml")
    content = _value(file.name, _text(file), 1)
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
        _path(file.name, action["target"])
    return Overlay(file.name, tuple(actions))


def applied(document: Document, overlays: Iterable[Overlay]) -> Laid:
    """A document with overlays over it, action after action (OpenAPI Overlay 1.0, §4.4).

    Raises:
        BadPages: the root was to be removed.
    """
    result, unmatched = copy.deepcopy(document), []
    for overlay in overlays:
        for action in overlay.actions:
            path = _path(overlay.name, action["target"])
            found = _found(overlay.name, path, result)
            if not found:
                unmatched.append((overlay.name, action["target"]))
            elif action.get("remove") is True:
                if found[0].context is None:
                    raise BadPages(f"{overlay.name}: expected a target within the document to remove, got $")
                path.filter(lambda _: True, result)
            else:
                for match in found:
                    _update(result, match, action["update"])
    return Laid(result, tuple(unmatched))


def spared(document: Document, overlays: Iterable[Overlay], today: Document) -> Laid:
    """A document with overlays that give way to it: a unit that it has, or that no longer fits it, is left out.

    Components that an overlay refers to and the document has no more are those of `today`, for which it was written.
    """
    result, left_out = copy.deepcopy(document), []
    added: list[tuple[str, Place]] = []
    for overlay in overlays:
        for action in overlay.actions:
            found = _found(overlay.name, _path(overlay.name, action["target"]), result)
            if not found:
                left_out.append(f"{overlay.name}: target {action['target']} matches nothing")
            for match in found:
                for unit, value in _units(action.get("update"), _place(match)):
                    if _has(result, unit):
                        left_out.append(f"{overlay.name}: the pages have {pointer(unit)} themselves")
                    elif isinstance(_at(result, unit[:-1], make=True), dict):
                        _at(result, unit[:-1])[unit[-1]] = copy.deepcopy(value)
                        added.append((overlay.name, unit))
    for name, unit in added:
        for place in map(place_of, references(_at(result, unit))):
            known = _at(today, place)
            if place[0] == "components" and known is not None and _at(result, place) is None:
                _at(result, place[:-1], make=True)[place[-1]] = copy.deepcopy(known)
                added.append((name, place))
    fitting = list(added)
    while unfit := next(((name, unit, why) for name, unit in fitting if (why := _unfit(result, unit))), None):
        name, unit, why = unfit
        fitting.remove((name, unit))
        del _at(result, unit[:-1])[unit[-1]]
        left_out.append(f"{name}: {pointer(unit)} {why}")
    for path in {unit[1] for _, unit in added if unit[0] == "paths"} - document.get("paths", {}).keys():
        if not result["paths"][path].keys() & _METHODS:  # nothing is left that it would be the path of
            del result["paths"][path]
    return Laid(result, left_out=tuple(left_out))


def _units(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """The units of what is to be laid over a place."""
    for key, member in value.items() if isinstance(value, dict) else ():
        here = (*place, key)
        if isinstance(member, dict) and is_above_units(here):
            yield from _units(member, here)
        else:
            yield here, member


def _unfit(document: Document, unit: Place) -> str | None:
    """Why a unit that was added no longer fits the document; None when it does."""
    value = _at(document, unit)
    for reference in references(value):
        if not _leads(document, reference):
            return f"refers to {reference}, which the pages have no more"
    named: dict[str, list[Place]] = {}
    for path, method, operation in operations(document):
        if "operationId" in operation:
            named.setdefault(str(operation["operationId"]), []).append(("paths", path, method))
    for name in _linked(value):
        if name not in named:
            return f"leads to {name}, which the pages have no more"
    if (
        isinstance(value, dict)
        and len(named.get(str(value.get("operationId")), [unit])) > 1
        and len(unit) == 3
    ):
        return f"has the operationId {value['operationId']}, which another operation has"
    return None


def _linked(node: Any) -> Iterator[str]:
    """The ids of the operations that links in a part of a document lead to."""
    if isinstance(node, dict):
        if "operationId" in node and "responses" not in node:
            yield str(node["operationId"])
        for value in node.values():
            yield from _linked(value)


def _leads(document: Document, reference: str) -> bool:
    return _at(document, place_of(reference)) is not None


def _path(name: str, target: str) -> Any:
    """A JSONPath, ready to be used."""
    from jsonpath_ng.exceptions import JSONPathError  # a third of a second, which nobody else has to wait for
    from jsonpath_ng.ext.parser import parse

    try:
        return parse(target)
    except (JSONPathError, ValueError, AttributeError) as error:
        said = " ".join(str(error).split())[:120]
        raise BadPages(f"{name}: expected a JSONPath as target, got {target[:80]!r}: {said}") from None


def _found(name: str, path: Any, document: Document) -> list[Any]:
    """The matches of a JSONPath."""
    try:
        return list(path.find(document))
    except (AttributeError, LookupError, TypeError, ValueError, re.error) as error:
        raise BadPages(f"{name}: target {path} cannot be looked for: {error}") from None


def _place(match: Any) -> Place:
    """Where a match of a JSONPath is."""
    steps: list[str] = []
    while match.context is not None:
        steps.insert(0, str(getattr(match.path, "fields", getattr(match.path, "indices", ("",)))[0]))
        match = match.context
    return tuple(steps)


def _update(document: Document, match: Any, update: Any) -> None:
    """What an update makes of one match: objects are merged, lists get longer, other values are replaced."""
    if isinstance(match.value, dict) and isinstance(update, dict):
        _merge(match.value, update)
    elif isinstance(match.value, list):
        match.value.extend(copy.deepcopy(update if isinstance(update, list) else [update]))
    elif match.context is not None:
        match.full_path.update(document, copy.deepcopy(update))


def _merge(into: Document, update: Mapping[str, Any]) -> None:
    for key, value in update.items():
        there = into.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            _merge(there, value)
        elif isinstance(there, list) and isinstance(value, list):
            there.extend(copy.deepcopy(value))
        else:
            into[key] = copy.deepcopy(value)


__all__ = ["Laid", "Overlay", "applied", "read_overlays", "spared"]
