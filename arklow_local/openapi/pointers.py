"""JSON pointers into an OpenAPI document, and documents as text."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import yaml

Document = dict[str, Any]


Place = tuple[str, ...]


DESCRIBING: Final = frozenset({"info", "tags", "servers", "externalDocs"})
"""Members that say nothing of an operation: of pages that differ in them the first one counts."""


_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


class BadPages(Exception):
    """Pages or overlays that cannot be used; the message says what is wrong, where, and what would pass."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document as text that only its content decides."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text, in hexadecimal digits."""
    return hashlib.sha256(canonical(document)).hexdigest()


def written(document: Document) -> str:
    """A document as YAML without anchors, in the order of its source."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


def pointer(place: Place) -> str:
    """A place as a JSON pointer in a URI fragment, as references have it, but for percent signs."""
    return "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in place)


def place_of(reference: str) -> Place:
    """The place that a local reference such as `#/components/schemas/A` leads to."""
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[1:].split("/")[1:])


def references(node: Any) -> Iterator[str]:
    """Every `$ref` in a part of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Path, method and content of each operation."""
    paths = document.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        for method, operation in (item if isinstance(item, dict) else {}).items():
            if method in _METHODS and isinstance(operation, dict):
                yield path, method, operation


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise BadPages(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadPages(f"{file}: expected UTF-8, got another byte at {error.start}") from None


def _value(name: str, text: str, first_line: int) -> Any:
    try:
        return _as_json(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - both are safe
    except yaml.MarkedYAMLError as error:
        line = first_line + (error.problem_mark.line if error.problem_mark else 0)
        raise BadPages(f"{name} line {line}: expected YAML or JSON: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadPages(f"{name}: expected YAML or JSON: {' '.join(str(error).split())[:160]}") from None


def _as_json(node: Any) -> Any:
    """YAML as the JSON it stands for: names are strings, and so are dates."""
    if isinstance(node, dict):
        return {_as_json(str(name)): _as_json(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_as_json(item) for item in node]
    if isinstance(node, str):
        node.encode()  # which half a surrogate pair cannot be
    if isinstance(node, date):
        return node.isoformat()
    if not isinstance(node, str | int | float | None) or (
        isinstance(node, float) and not math.isfinite(node)
    ):
        raise ValueError(f"{str(node)[:60]!r} is no value of JSON")
    return node


def _line(text: str, place: Place) -> int | None:
    """The line of a place in a YAML text, counted from 0; of what is above it when it is not there."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader) if text else None, None
    for step in place:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)] if step.isdecimal() and int(step) < len(node.value) else None
            line = node.start_mark.line if node else line
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        key, node = next(((key, value) for key, value in pairs if key.value == step), (None, None))
        line = key.start_mark.line if key else line
    return line


def is_above_units(place: Place) -> bool:
    """Whether what is at a place is a map of units, or of such maps."""
    return len(place) < 3 and place[0] in ("paths", "components")


def _has(document: Document, unit: Place) -> bool:
    """Whether a document has a unit, under whatever names of parameters in its path."""
    if unit[0] != "paths" or len(unit) < 2:
        return _at(document, unit) is not None
    same = [path for path in document.get("paths", {}) if _nameless(path) == _nameless(unit[1])]
    # a path with other names of parameters is the same path, so nothing may be added beside it
    return any(path != unit[1] or _at(document, unit) is not None for path in same)


def _nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _at(document: Any, place: Place, *, make: bool = False) -> Any:
    """What is at a place; None where nothing is. Maps on the way are made if that is asked for."""
    node = document
    for step in place:
        if isinstance(node, dict):
            node = node.setdefault(step, {}) if make else node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


__all__ = [
    "DESCRIBING",
    "BadPages",
    "Document",
    "Place",
    "canonical",
    "digest",
    "is_above_units",
    "operations",
    "place_of",
    "pointer",
    "references",
    "written",
]
