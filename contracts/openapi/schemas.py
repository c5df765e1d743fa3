"""The door to jsonschema-rs: compiled validators, and each place where a value breaks its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, Registry, ValidationError, ValidationErrorKind

from arklow_local.formats.json_values import show

_BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a value breaks its schema."""

    place: str
    """Such as `data/a_id`; empty for the value itself."""
    keyword: str
    expected: str
    actual: str
    value: Any


class Shape:
    """One schema of the document, compiled when first asked."""

    def __init__(self, registry: Registry, pointer: str) -> None:
        self._registry = registry
        self._pointer = (
            pointer.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")
        )

    def problems(self, value: Any) -> list[Problem]:
        """Every place where the value breaks the schema; formats are not looked at.

        Raises:
            ValueError: the value is beyond what can be compared.
        """
        if self._plain.is_valid(value):
            return []
        return list(
            {problem.place + problem.keyword: problem for problem in self._found(self._plain, value)}.values()
        )

    def formats(self, value: Any) -> list[Problem]:
        """Every place where a string has not the format that the schema names."""
        if self._formats.is_valid(value):
            return []
        return [problem for problem in self._found(self._formats, value) if problem.keyword == "format"]

    @cached_property
    def _plain(self) -> Draft202012Validator:
        return self._compiled(formats=False)

    @cached_property
    def _formats(self) -> Draft202012Validator:
        return self._compiled(formats=True)

    def _compiled(self, *, formats: bool) -> Draft202012Validator:
        return Draft202012Validator(
            {"$ref": f"urn:document#{self._pointer}"},
            registry=self._registry,
            validate_formats=formats,
            offline=True,
        )

    def _found(self, validator: Draft202012Validator, value: Any) -> Iterator[Problem]:
        for error in validator.iter_errors(value):
            yield _problem(_deepest(error))


class Shapes:
    """The schemas of one document. `format: int32` and `int64` are bounds."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._registry = Registry([("urn:document", _with_bounds(document))])
        self._made: dict[str, Shape] = {}

    def at(self, pointer: str) -> Shape:
        """The schema at a JSON pointer such as `/components/schemas/Order`."""
        if pointer not in self._made:
            self._made[pointer] = Shape(self._registry, pointer)
        return self._made[pointer]


_SAFE: Final = {
    *("type", "required", "properties", "title", "description", "const", "enum", "minimum", "maximum"),
    *("items", "maxLength", "minLength", "maxProperties"),
}
"""Keywords that every dialect reads alike (Q18)."""


def keeps(schema: Any, value: Any) -> bool | None:
    """Whether a value keeps a schema that a definition was given; None where dialects may differ, or it is none."""
    text = json.dumps(schema, sort_keys=True)
    validator = _compiled_once(text)
    if validator is None:
        return None
    try:
        return validator.is_valid(value)
    except ValueError:
        return None


@lru_cache(2_000)
def _compiled_once(text: str) -> Draft202012Validator | None:
    schema = json.loads(text)
    if not _is_safe(schema):
        return None
    try:
        return Draft202012Validator(schema, offline=True)
    except ValueError:
        return None


def _is_safe(schema: Any) -> bool:
    if not isinstance(schema, dict) or not schema.keys() <= _SAFE:
        return False
    inner = schema.get("properties", {})
    if not isinstance(inner, dict) or not all(map(_is_safe, inner.values())):
        return False
    return "items" not in schema or _is_safe(schema["items"])


def _with_bounds(node: Any) -> Any:
    """A copy in which an integer's `format` also stands as `allOf: [{minimum, maximum}]`."""
    if isinstance(node, list):
        return [_with_bounds(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _with_bounds(value) for key, value in node.items()}
    if node.get("type") == "integer" and node.get("format") in _BOUNDS:
        low, high = _BOUNDS[node["format"]]
        copied["allOf"] = [*copied.get("allOf", []), {"minimum": low, "maximum": high}]
    return copied


def _deepest(error: ValidationError) -> ValidationError:
    """Of the branches of an `anyOf` or `oneOf`, the complaint of the one that came farthest."""
    kind = error.kind
    if not isinstance(kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)):
        return error
    branches = [[_deepest(inner) for inner in branch] for branch in kind.context if branch]
    if not branches:
        return error
    return max(
        (branch[0] for branch in branches), key=lambda inner: (len(inner.instance_path), not _is_type(inner))
    )


def _is_type(error: ValidationError) -> bool:
    return isinstance(error.kind, ValidationErrorKind.Type)


def _problem(error: ValidationError) -> Problem:
    place = "/".join(str(step) for step in error.instance_path)
    kinds = ValidationErrorKind
    actual = show(error.instance, 2_000)
    match error.kind:
        case kinds.Type(types=types):
            expected = "of type " + " or ".join(types)
        case kinds.Required(property=name):
            place, expected, actual = f"{place}/{name}".lstrip("/"), "present", "absent"
        case kinds.Minimum(limit=limit):
            expected = f"at least {limit}"
        case kinds.Maximum(limit=limit):
            expected = f"at most {limit}"
        case kinds.MinLength(limit=limit):
            expected = f"of at least {limit} characters"
        case kinds.Pattern(pattern=pattern):
            expected = f"a string that matches {pattern}"
        case kinds.Enum(options=options):
            expected = "one of " + ", ".join(show(option) for option in options)
        case kinds.Format(format=name):
            expected = f"of format {name}"
        case kinds.AdditionalProperties(unexpected=names):
            expected, actual = "without other members", "with " + ", ".join(map(repr, names[:3]))
        case _:
            expected = f"what the keyword {error.kind.name} asks for"
    return Problem(place, error.kind.name, expected, actual, error.instance)


__all__ = ["Problem", "Shape", "Shapes", "keeps"]
