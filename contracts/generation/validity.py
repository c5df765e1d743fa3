"""Whether a JSON value satisfies a schema, keyword by keyword.

A validator of our own, as generated bodies must be known to break one keyword and no other: the libraries stop at the first
problem, or name another keyword than the one that was meant. Keywords that it does not know count as satisfied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

Schema = Mapping[str, Any]
Resolve = Callable[[str], Mapping[str, Any]]
"""From a `$ref` to the schema that it leads to."""

INTEGER_FORMATS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
"""Format → its least and its greatest integer."""


def is_valid(schema: Any, value: Any, resolve: Resolve) -> bool:
    """Tell whether a value satisfies a schema, as far as the keywords of this module say it."""
    if not isinstance(schema, Mapping):
        return schema is not False
    return next(broken_keywords(schema, value, resolve), None) is None


def broken_keywords(schema: Schema, value: Any, resolve: Resolve) -> Iterator[str]:
    """Find the keywords of a schema that a value breaks, here or below."""
    for keyword, argument in with_format_bounds(schema).items():
        if keyword in _TYPE_OF_KEYWORD and not is_of_type(_TYPE_OF_KEYWORD[keyword], value):
            continue
        if keyword == "additionalProperties":
            satisfied = _other_members_are_valid(schema, argument, value, resolve)
        else:
            satisfied = keyword not in SATISFIED or SATISFIED[keyword](argument, value, resolve)
        if not satisfied:
            yield keyword


def with_format_bounds(schema: Schema) -> Schema:
    """Add to a schema of integers the bounds that its `format` means, as `minimum` and `maximum`."""
    if schema.get("format") not in INTEGER_FORMATS or "integer" not in types_of(schema):
        return schema
    low, high = INTEGER_FORMATS[schema["format"]]
    bounds = {
        "minimum": max(low, schema.get("minimum", low)),
        "maximum": min(high, schema.get("maximum", high)),
    }
    return {**schema, **bounds}


def types_of(schema: Schema) -> list[str]:
    """List the types that a schema names; none when it names none."""
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def is_of_type(name: str, value: Any) -> bool:
    """Tell whether a value has a type of JSON Schema: 1.0 is an integer, true is no number."""
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return is_of_type("number", value) and value == value // 1
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, Mapping)


def _canonical(value: Any) -> str:
    """Write a value so that equal JSON values have equal texts: 1 and 1.0 have, 1 and true have not."""

    def with_whole_numbers(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: with_whole_numbers(member) for name, member in node.items()}
        if isinstance(node, list):
            return list(map(with_whole_numbers, node))
        return int(node) if isinstance(node, float) and node.is_integer() else node

    return json.dumps(with_whole_numbers(value), sort_keys=True)


def _matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches a pattern of ECMA-262, whose `$` is the end and not a newline before it.

    A pattern that Python cannot read counts as matched, so that no body counts as invalid that may be valid.
    """
    ends = re.sub(r"\\.|\[(?:\\.|[^\]])*\]|\$", lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    try:
        return re.search(ends, text, re.ASCII) is not None
    except re.error:
        return True


def _other_members_are_valid(schema: Schema, below: Any, value: Mapping[str, Any], resolve: Resolve) -> bool:
    """Tell whether the members that `properties` and `patternProperties` do not name satisfy `below`."""
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return all(
        is_valid(below, member, resolve)
        for name, member in value.items()
        if name not in named and not any(_matches(pattern, name) for pattern in patterns)
    )


KEYWORDS_OF_TYPE: Final[dict[str, tuple[str, ...]]] = {
    "string": ("pattern", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems", "uniqueItems", "items"),
    "object": (
        *("required", "minProperties", "maxProperties", "propertyNames", "properties"),
        "additionalProperties",
    ),
}
"""Type → the keywords that look at values of that type alone."""
_TYPE_OF_KEYWORD: Final = {
    keyword: name for name, keywords in KEYWORDS_OF_TYPE.items() for keyword in keywords
}

SATISFIED: Final[dict[str, Callable[[Any, Any, Resolve], bool]]] = {
    "type": lambda names, value, _: any(is_of_type(name, value) for name in types_of({"type": names})),
    "enum": lambda values, value, _: _canonical(value) in map(_canonical, values),
    "const": lambda only, value, _: _canonical(value) == _canonical(only),
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
    "uniqueItems": lambda unique, value, _: not unique or len(set(map(_canonical, value))) == len(value),
    "items": lambda below, value, resolve: all(is_valid(below, item, resolve) for item in value),
    "required": lambda names, value, _: all(name in value for name in names),
    "minProperties": lambda least, value, _: len(value) >= least,
    "maxProperties": lambda most, value, _: len(value) <= most,
    "propertyNames": lambda below, value, resolve: all(is_valid(below, name, resolve) for name in value),
    "properties": lambda below, value, resolve: all(
        is_valid(below[name], member, resolve) for name, member in value.items() if name in below
    ),
    "allOf": lambda parts, value, resolve: all(is_valid(part, value, resolve) for part in parts),
    "anyOf": lambda parts, value, resolve: any(is_valid(part, value, resolve) for part in parts),
    "oneOf": lambda parts, value, resolve: sum(is_valid(part, value, resolve) for part in parts) == 1,
    "$ref": lambda reference, value, resolve: is_valid(resolve(reference), value, resolve),
}
"""Keyword → whether a value satisfies it: called with the keyword's argument, a value of its type, and how to resolve."""


__all__ = [
    "INTEGER_FORMATS",
    "KEYWORDS_OF_TYPE",
    "SATISFIED",
    "Resolve",
    "Schema",
    "broken_keywords",
    "is_of_type",
    "is_valid",
    "types_of",
    "with_format_bounds",
]
