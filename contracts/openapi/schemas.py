"""The door to jsonschema-rs: compiled schemas, and each place where a value breaks one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, Registry, ValidationError, ValidationErrorKind

from arklow_local.formats.json_values import show

_INTEGER_FORMATS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
"""Format → its least and its greatest integer."""
_MOST_SHOWN: Final = 2_000
"""Characters of a value in a problem; reports cut it further."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a value breaks its schema."""

    place: str
    """Such as `data/a_id`; empty for the value itself."""
    keyword: str
    """Keyword of the schema that the value breaks, such as `required`."""
    expected: str
    actual: str
    """The value as JSON."""
    value: Any


class SchemaValidator:
    """One schema of the document, compiled on first use."""

    def __init__(self, registry: Registry, pointer: str) -> None:
        self._registry = registry
        self._pointer = (
            pointer.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")
        )

    def problems(self, value: Any) -> list[Problem]:
        """List the places where the value breaks the schema, its formats left out.

        Raises:
            ValueError: the value is beyond what jsonschema-rs can compare.
        """
        if self._without_formats.is_valid(value):
            return []
        found = _problems(self._without_formats, value)
        return list({problem.place + problem.keyword: problem for problem in found}.values())

    def format_problems(self, value: Any) -> list[Problem]:
        """List the places where a string has not the format that the schema names."""
        if self._with_formats.is_valid(value):
            return []
        return [one for one in _problems(self._with_formats, value) if one.keyword == "format"]

    @cached_property
    def _without_formats(self) -> Draft202012Validator:
        return self._compiled(formats=False)

    @cached_property
    def _with_formats(self) -> Draft202012Validator:
        return self._compiled(formats=True)

    def _compiled(self, *, formats: bool) -> Draft202012Validator:
        return Draft202012Validator(
            {"$ref": f"urn:document#{self._pointer}"},
            registry=self._registry,
            validate_formats=formats,
            offline=True,
        )


def _problems(validator: Draft202012Validator, value: Any) -> Iterator[Problem]:
    for error in validator.iter_errors(value):
        deepest = _deepest(error)
        yield _of_no_kind(deepest) or _problem(deepest)


class DocumentSchemas:
    """The schemas of one document. `format: int32` and `int64` count as bounds."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._registry = Registry([("urn:document", _with_bounds(document))])
        self._validators: dict[str, SchemaValidator] = {}

    def at(self, pointer: str) -> SchemaValidator:
        """Find the schema at a JSON pointer such as `/components/schemas/Order`."""
        if pointer not in self._validators:
            self._validators[pointer] = SchemaValidator(self._registry, pointer)
        return self._validators[pointer]


_UNDISPUTED: Final = {
    *("type", "required", "properties", "title", "description", "const", "enum", "minimum", "maximum"),
    *("items", "maxLength", "minLength", "maxProperties"),
}
"""Keywords that mean the same in every dialect of JSON Schema (Q18)."""


def satisfies(schema: Any, value: Any) -> bool | None:
    """Tell whether a value satisfies the schema of a definition; None where dialects may differ, or where it is no schema."""
    text = json.dumps(schema, sort_keys=True)
    validator = _compiled_once(text)
    if validator is None:
        return None
    try:
        return validator.is_valid(value)
    except ValueError:
        return None


@lru_cache(2_000)  # definitions of a run; a night makes more, but uses few at a time
def _compiled_once(text: str) -> Draft202012Validator | None:
    schema = json.loads(text)
    if not _is_undisputed(schema):
        return None
    try:
        return Draft202012Validator(schema, offline=True)
    except ValueError:
        return None


def _is_undisputed(schema: Any) -> bool:
    if not isinstance(schema, dict) or not schema.keys() <= _UNDISPUTED:
        return False
    inner = schema.get("properties", {})
    if not isinstance(inner, dict) or not all(map(_is_undisputed, inner.values())):
        return False
    return "items" not in schema or _is_undisputed(schema["items"])


def _with_bounds(node: Any) -> Any:
    """Copy a part of a document, with the `format` of integers also as `allOf: [{minimum, maximum}]`."""
    if isinstance(node, list):
        return [_with_bounds(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _with_bounds(value) for key, value in node.items()}
    if node.get("type") == "integer" and node.get("format") in _INTEGER_FORMATS:
        low, high = _INTEGER_FORMATS[node["format"]]
        copied["allOf"] = [*copied.get("allOf", []), {"minimum": low, "maximum": high}]
    return copied


def _deepest(error: ValidationError) -> ValidationError:
    """Replace the error of an `anyOf` or `oneOf` by that of the branch that is meant, or came farthest into the value.

    A branch is not meant if a member names another kind of value than the branch does, as `type` does in a destination. Where
    no branch is meant, the error stays what it is.
    """
    kind = error.kind
    if not isinstance(kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)):
        return error
    meant = [
        branch for branch in kind.context if branch and not any(_names_kind(error, one) for one in branch)
    ]
    if not meant and any(kind.context):
        return error
    branches = [[_deepest(inner) for inner in branch] for branch in meant]
    if not branches:
        return error
    return max(
        (branch[0] for branch in branches), key=lambda inner: (len(inner.instance_path), not _is_type(inner))
    )


def _names_kind(error: ValidationError, inner: ValidationError) -> bool:
    """Say whether a member of the value has not the one text that a branch of `error` has for it."""
    named = _only_text(inner)
    return named is not None and list(inner.instance_path)[:-1] == list(error.instance_path)


def _only_text(error: ValidationError) -> str | None:
    """The one text that a value would have to be; None where it may be something else."""
    match error.kind:
        case (
            ValidationErrorKind.Constant(expected_value=str(text))
            | ValidationErrorKind.Enum(options=[str(text)])
        ):
            return text
        case _:
            return None


def _of_no_kind(error: ValidationError) -> Problem | None:
    """Say which kinds of a value there are, where the value names none of them; None for every other error."""
    kind = error.kind
    if not isinstance(kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)):
        return None
    named = [inner for branch in kind.context for inner in branch if _names_kind(error, inner)]
    if not named:
        return None
    first = named[0]
    options = [_only_text(inner) for inner in named if list(inner.instance_path) == list(first.instance_path)]
    place = "/".join(str(step) for step in first.instance_path)
    expected = "one of " + ", ".join(show(option) for option in options)
    return Problem(place, "Enum", expected, show(first.instance, _MOST_SHOWN), first.instance)


def _is_type(error: ValidationError) -> bool:
    return isinstance(error.kind, ValidationErrorKind.Type)


def _problem(error: ValidationError) -> Problem:
    place = "/".join(str(step) for step in error.instance_path)
    kinds = ValidationErrorKind
    actual = show(error.instance, _MOST_SHOWN)
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


__all__ = ["DocumentSchemas", "Problem", "SchemaValidator", "satisfies"]
