"""Example values: the first of a fixed list of candidates that satisfies a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from .validity import KEYWORDS_OF_TYPE, Resolve, Schema, is_valid, types_of, with_format_bounds

_DEEPEST: Final = 8
"""Levels below which every value is "a": a schema that contains itself has no end."""


def example_of(schema: Any, resolve: Resolve, depth: int = 0) -> Any:
    """Make a value that satisfies a schema, or comes near it when no candidate does; `depth` counts the levels above."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return "a"
    whole = {
        name: argument
        for one in reversed(tuple(schemas_at(schema, resolve)))
        for name, argument in with_format_bounds(one).items()
    }
    branches = whole.get("anyOf", whole.get("oneOf", ()))
    candidates = chain(
        [whole["const"]] if "const" in whole else whole.get("enum", ()),
        (example_of(branch, resolve, depth + 1) for branch in branches),
        (value for name in _probable_types(whole) for value in _of_type(name, whole, resolve, depth)),
    )
    refused = []
    for value in candidates:
        if is_valid(schema, value, resolve):
            return value
        refused.append(value)
    return refused[0] if refused else "a"


def schemas_at(schema: Schema, resolve: Resolve, seen: frozenset[str] = frozenset()) -> Iterator[Schema]:
    """List a schema and those that hold at the same place by `$ref` and `allOf`; references that were `seen` are not entered."""
    yield schema
    if "$ref" in schema and schema["$ref"] not in seen:
        seen |= reference_of(schema)
        yield from schemas_at(resolve(schema["$ref"]), resolve, seen)
    for part in schema.get("allOf", ()):
        if isinstance(part, Mapping):
            yield from schemas_at(part, resolve, seen)


def reference_of(schema: Schema) -> frozenset[str]:
    """Give the `$ref` of a schema as a set, empty without one."""
    return frozenset({schema["$ref"]} if "$ref" in schema else ())


def _probable_types(whole: Schema) -> list[str]:
    """List the types that a schema names, or else those whose keywords it has, or else string."""
    by_keywords = [
        name for name, keywords in KEYWORDS_OF_TYPE.items() if not whole.keys().isdisjoint(keywords)
    ]
    return types_of(whole) or by_keywords or ["string"]


_TEXTS: Final = (
    *("eu", "1", "a", "A", "order.created", "a-1", "A1", "00000000-0000-4000-8000-000000000000"),
    *("2026-01-01", "2026-01-01T00:00:00Z", "a@b.example", "https://a.example/", "0.1", "#ffffff", ""),
)
"""One for each of the usual patterns."""


def _of_type(name: str, whole: Schema, resolve: Resolve, depth: int) -> Iterator[Any]:
    match name:
        case "object":
            yield from _objects(whole, resolve, depth)
        case "array":
            yield from _arrays(whole, resolve, depth)
        case "string":
            yield from (text.ljust(whole.get("minLength", 0), "a") for text in _TEXTS)
            yield from (text.ljust(whole.get("minLength", 0), "1") for text in _TEXTS)
        case "integer" | "number":
            yield from _numbers(whole)
        case "boolean":
            yield from (True, False)
        case _:
            yield None


def _arrays(whole: Schema, resolve: Resolve, depth: int) -> Iterator[list[Any]]:
    """Make equal items, then different ones, as some lists must have."""
    item = example_of(whole.get("items", True), resolve, depth + 1)
    count = max(1, whole.get("minItems", 1))
    yield [item] * count
    yield list(range(count))
    yield [f"{item}{n}" for n in range(count)]
    yield []


def _numbers(whole: Schema) -> Iterator[float]:
    """Make small numbers, then those at and around the limits, then multiples near the limits."""
    ends = [whole.get(name) for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")]
    limits = [end for end in ends if end is not None]
    yield from (1, 0, *limits, *(end + step for end in limits for step in (1, -1, 0.5, -0.5)))
    step = whole.get("multipleOf", 1)
    yield from (
        step,
        *(end // step * step for end in limits),
        *(end // step * step + step for end in limits),
    )


def _objects(whole: Schema, resolve: Resolve, depth: int) -> Iterator[dict[str, Any]]:
    """Make the members that are required, then more of them, as some objects must have."""
    properties, others = whole.get("properties", {}), whole.get("additionalProperties", True)
    required = {
        name: example_of(properties.get(name, others), resolve, depth + 1)
        for name in whole.get("required", ())
    }
    if not properties and others is not False:
        yield {**required, "region": example_of(others, resolve, depth + 1) if others is not True else "eu"}
    yield required
    yield {**{name: example_of(below, resolve, depth + 1) for name, below in properties.items()}, **required}
    yield {
        **required,
        **{f"m{n}": example_of(others, resolve, depth + 1) for n in range(whole.get("minProperties", 0))},
    }


SAMPLES: Final[dict[str, Any]] = {
    "string": "a",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
    "array": ["a"],
    "object": {},
}
"""Type → a value of it, where no schema gives one."""


__all__ = ["SAMPLES", "example_of", "reference_of", "schemas_at"]
