"""JSON pointers into an OpenAPI document, and documents as text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from ..formats import yaml_reader, yaml_writer
from ..formats.yaml_reader import Dialect, YamlRefused

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
    return yaml_writer.write_block(document)


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
        return yaml_reader.read(text, name, dialect=Dialect.YAML_1_1, first_line=first_line).value
    except YamlRefused as error:
        if error.problem:
            raise BadPages(f"{error.where}: expected YAML or JSON: {error.problem}") from None
        raise BadPages(str(error)) from None


def _line(text: str, place: Place, first_line: int) -> int | None:
    """The line of a place in a YAML text; of what is above it when it is not there."""
    source = yaml_reader.read(text, "", dialect=Dialect.YAML_1_1, first_line=first_line)
    return source.line(place)


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
