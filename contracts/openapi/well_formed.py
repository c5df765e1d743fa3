"""Whether a document keeps to OpenAPI 3.1, so that everything after it may rely on its form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, Registry, ValidationError, ValidationErrorKind

from arklow_local.formats.excerpts import abridged_pointer, one_line
from arklow_local.openapi import pointers

_MAX_DEPTH: Final = 150
"""Levels: five times as many as documents have, and few enough for every library that reads the document after us."""
_NOT_READ: Final = frozenset({"info", "servers", "tags", "externalDocs", "webhooks"})
"""Members of a document that no target is judged by: what is wrong there is no reason to refuse it."""
_MAY_LACK: Final = frozenset(
    {"content", "description", "info", "required", "responses", "schema", "title", "type", "url", "version"}
)
"""Members that OpenAPI asks for, that documents lack all the same, and without which an operation can be judged."""
_DATA: Final = frozenset({"example", "examples", "default", "const", "enum"})
"""Members of schemas and parameters that hold values, in which `$ref` is a name like any other."""
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def why_ill_formed(content: Mapping[str, Any]) -> str | None:
    """Say where a document breaks the form of OpenAPI 3.1 or of JSON Schema 2020-12, and how; None when it keeps both.

    `content` is keyed by the members of the document.
    """
    if _is_deeper(content, _MAX_DEPTH):
        return f"it is nested more than {_MAX_DEPTH} levels deep"
    for error in map(_deepest, _validator().iter_errors(content)):
        if not _is_harmless(error):
            return f"{abridged_pointer('#', error.instance_path)}: {one_line(error.message, 200)}"
    for reference in _references(content):
        if reference.startswith("#/") and not pointers.resolves(dict(content), reference):
            return f"something refers to {one_line(reference)}, which it does not have"
    return None


def _is_harmless(error: ValidationError) -> bool:
    """Say whether an error is a member that is not read, one more than OpenAPI has, or the lack of one that may lack."""
    place, kind = error.instance_path, error.kind
    lacks = isinstance(kind, ValidationErrorKind.Required) and kind.property in _MAY_LACK
    more = isinstance(
        kind, ValidationErrorKind.UnevaluatedProperties | ValidationErrorKind.AdditionalProperties
    )
    return lacks or more or (bool(place) and place[0] in _NOT_READ)


def _deepest(error: ValidationError) -> ValidationError:
    """Replace the error of an `anyOf` or `oneOf` by that of the branch that came farthest into the value."""
    kind = error.kind
    if not isinstance(kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)):
        return error
    inner = [_deepest(branch[0]) for branch in kind.context if branch]
    return max(inner, key=lambda one: len(one.instance_path), default=error)


def _is_deeper(node: Any, most: int) -> bool:
    """Say whether a value has more than so many levels."""
    pending: list[tuple[Any, int]] = [(node, 1)]
    while pending:
        node, level = pending.pop()
        if isinstance(node, dict | list):
            if level > most:
                return True
            pending += [(below, level + 1) for below in (node.values() if isinstance(node, dict) else node)]
    return False


def _references(node: Any) -> Iterator[str]:
    """Find every reference of a document, and none in the values that it shows."""
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                yield reference
            pending += [member for name, member in node.items() if name not in _DATA]
        elif isinstance(node, list):
            pending += node


@cache
def _validator() -> Draft202012Validator:
    """The schema that the OpenAPI Initiative publishes for 3.1, of 2022-10-07, with JSON Schema 2020-12 for the schemas in it.

    openapi-spec-validator carries the file. Its own code is not asked: it takes half a second to load.
    """
    package = find_spec("openapi_spec_validator")
    assert package is not None
    assert package.submodule_search_locations is not None
    file = Path(package.submodule_search_locations[0]) / "resources" / "schemas" / "v3.1" / "schema.json"
    schema = json.loads(file.read_text("utf-8"))
    whole = {
        "$schema": _DIALECT,
        "$id": "urn:openapi-with-schemas",
        "$ref": schema["$id"],
        "$defs": {"schema": {"$dynamicAnchor": "meta", "$ref": _DIALECT}},
    }
    return Draft202012Validator(whole, registry=Registry([(schema["$id"], schema)]), offline=True)


__all__ = ["why_ill_formed"]
