"""Whether a JSON value keeps a schema, keyword by keyword."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

Schema = Mapping[str, Any]


Resolve = Callable[[str], Mapping[str, Any]]


Value = tuple[str, Any]
"""A value, and what it is in words."""


_BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def _bounded(schema: Schema) -> Schema:
    """An integer's `format` as the bounds that it means."""
    if schema.get("format") not in _BOUNDS or "integer" not in _kinds(schema):
        return schema
    low, high = _BOUNDS[schema["format"]]
    bounds = {
        "minimum": max(low, schema.get("minimum", low)),
        "maximum": min(high, schema.get("maximum", high)),
    }
    return {**schema, **bounds}


def _kinds(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return _is("number", value) and value == value // 1
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, Mapping)


def _same(value: Any) -> str:
    """A text that is equal for equal JSON values: 1 and 1.0 are, 1 and true are not."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: plain(member) for name, member in node.items()}
        if isinstance(node, list):
            return list(map(plain, node))
        return int(node) if isinstance(node, float) and node.is_integer() else node

    return json.dumps(plain(value), sort_keys=True)


def _matches(pattern: str, text: str) -> bool:
    """Whether a text has a pattern of ECMA-262, whose `$` is the end and not a newline before it.

    A pattern that cannot be read is taken to match, so that nobody is sent what may be valid.
    """
    ends = re.sub(r"\\.|\[(?:\\.|[^\]])*\]|\$", lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    try:
        return re.search(ends, text, re.ASCII) is not None
    except re.error:
        return True


_OF: Final[dict[str, tuple[str, ...]]] = {
    "string": ("pattern", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems", "uniqueItems", "items"),
    "object": (
        "required",
        "minProperties",
        "maxProperties",
        "propertyNames",
        "properties",
        "additionalProperties",
    ),
}
"""Kind → the keywords that look at values of that kind alone."""


_KIND: Final = {keyword: kind for kind, names in _OF.items() for keyword in names}


_Keeps = Callable[[Any, Any, Resolve], bool]


_KEEPS: Final[dict[str, _Keeps]] = {
    "type": lambda kinds, value, _: any(_is(kind, value) for kind in _kinds({"type": kinds})),
    "enum": lambda values, value, _: _same(value) in map(_same, values),
    "const": lambda only, value, _: _same(value) == _same(only),
    "pattern": lambda pattern, value, _: _matches(pattern, value),
    "minLength": lambda least, value, _: len(value) >= least,
    "maxLength": lambda most, value, _: len(value) <= most,
    "minimum": lambda least, value, _: value >= least,
    "maximum": lambda most, value, _: value <= most,
    "exclusiveMinimum": lambda limit, value, _: value > limit,
    "exclusiveMaximum": lambda limit, value, _: value < limit,
    "multipleOf": lambda step, value, _: Fraction(str(value)) % Fraction(str(step)) == 0,
    "minItems": lambda least, value, _: len(value) >= least,
    "maxItems": lambda most, value, _: len(value) <= most,
    "uniqueItems": lambda unique, value, _: not unique or len(set(map(_same, value))) == len(value),
    "items": lambda below, value, resolve: all(_fits(below, item, resolve) for item in value),
    "required": lambda names, value, _: all(name in value for name in names),
    "minProperties": lambda least, value, _: len(value) >= least,
    "maxProperties": lambda most, value, _: len(value) <= most,
    "propertyNames": lambda below, value, resolve: all(_fits(below, name, resolve) for name in value),
    "properties": lambda below, value, resolve: all(
        _fits(below[name], member, resolve) for name, member in value.items() if name in below
    ),
    "allOf": lambda parts, value, resolve: all(_fits(part, value, resolve) for part in parts),
    "anyOf": lambda parts, value, resolve: any(_fits(part, value, resolve) for part in parts),
    "oneOf": lambda parts, value, resolve: sum(_fits(part, value, resolve) for part in parts) == 1,
    "$ref": lambda reference, value, resolve: _fits(resolve(reference), value, resolve),
}


def _fits(schema: Any, value: Any, resolve: Resolve) -> bool:
    """Whether a value keeps a schema, as far as the keywords above say it."""
    if not isinstance(schema, Mapping):
        return schema is not False
    return next(_broken(schema, value, resolve), None) is None


def _broken(schema: Schema, value: Any, resolve: Resolve) -> Iterator[str]:
    """The keywords of a schema that a value breaks, here or below."""
    for keyword, argument in _bounded(schema).items():
        if keyword in _KIND and not _is(_KIND[keyword], value):
            continue
        if keyword == "additionalProperties":
            kept = _others_fit(schema, argument, value, resolve)
        else:
            kept = keyword not in _KEEPS or _KEEPS[keyword](argument, value, resolve)
        if not kept:
            yield keyword


def _others_fit(schema: Schema, below: Any, value: Mapping[str, Any], resolve: Resolve) -> bool:
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return all(
        _fits(below, member, resolve)
        for name, member in value.items()
        if name not in named and not any(_matches(pattern, name) for pattern in patterns)
    )


__all__ = ["Resolve", "Schema", "Value"]
