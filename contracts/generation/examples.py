"""An example value of a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from .validity import _OF, Resolve, Schema, _bounded, _fits, _kinds


def _references(schema: Schema) -> frozenset[str]:
    return frozenset({schema["$ref"]} if "$ref" in schema else ())


def _holding(schema: Schema, resolve: Resolve, seen: frozenset[str] = frozenset()) -> Iterator[Schema]:
    """A schema and those that hold at the same place by `$ref` and `allOf`."""
    yield schema
    if "$ref" in schema and schema["$ref"] not in seen:
        seen |= _references(schema)
        yield from _holding(resolve(schema["$ref"]), resolve, seen)
    for part in schema.get("allOf", ()):
        if isinstance(part, Mapping):
            yield from _holding(part, resolve, seen)


_TEXTS: Final = (
    *("eu", "1", "a", "A", "order.created", "a-1", "A1", "00000000-0000-4000-8000-000000000000"),
    *("2026-01-01", "2026-01-01T00:00:00Z", "a@b.example", "https://a.example/", "0.1", "#ffffff", ""),
)


def made(schema: Any, resolve: Resolve, depth: int = 0) -> Any:
    """A value that keeps a schema, or comes near it."""
    if not isinstance(schema, Mapping) or depth > 8:
        return "a"
    whole = {
        name: argument
        for one in reversed(tuple(_holding(schema, resolve)))
        for name, argument in _bounded(one).items()
    }
    branches = whole.get("anyOf", whole.get("oneOf", ()))
    candidates = chain(
        [whole["const"]] if "const" in whole else whole.get("enum", ()),
        (made(branch, resolve, depth + 1) for branch in branches),
        (value for kind in _likely(whole) for value in _of_kind(kind, whole, resolve, depth)),
    )
    tried = []
    for value in candidates:
        if _fits(schema, value, resolve):
            return value
        tried.append(value)
    return tried[0] if tried else "a"


def _likely(whole: Schema) -> list[str]:
    """The types that a schema names, or those whose keywords it has."""
    told = [kind for kind, names in _OF.items() if not whole.keys().isdisjoint(names)]
    return _kinds(whole) or told or ["string"]


def _of_kind(kind: str, whole: Schema, resolve: Resolve, depth: int) -> Iterator[Any]:
    match kind:
        case "object":
            yield from _objects(whole, resolve, depth)
        case "array":
            item = made(whole.get("items", True), resolve, depth + 1)
            count = max(1, whole.get("minItems", 1))
            yield [item] * count
            yield list(range(count))
            yield [f"{item}{n}" for n in range(count)]
            yield []
        case "string":
            yield from (text.ljust(whole.get("minLength", 0), "a") for text in _TEXTS)
            yield from (text.ljust(whole.get("minLength", 0), "1") for text in _TEXTS)
        case "integer" | "number":
            ends = [
                whole.get(name) for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
            ]
            limits = [end for end in ends if end is not None]
            yield from (1, 0, *limits, *(end + step for end in limits for step in (1, -1, 0.5, -0.5)))
            step = whole.get("multipleOf", 1)
            yield from (
                step,
                *(end // step * step for end in limits),
                *(end // step * step + step for end in limits),
            )
        case "boolean":
            yield from (True, False)
        case _:
            yield None


def _objects(whole: Schema, resolve: Resolve, depth: int) -> Iterator[dict[str, Any]]:
    """With the members that are required, then with more of them, as some must have."""
    properties, others = whole.get("properties", {}), whole.get("additionalProperties", True)
    members = {
        name: made(properties.get(name, others), resolve, depth + 1) for name in whole.get("required", ())
    }
    if not properties and others is not False:
        yield {**members, "region": made(others, resolve, depth + 1) if others is not True else "eu"}
    yield members
    yield {**{name: made(below, resolve, depth + 1) for name, below in properties.items()}, **members}
    yield {
        **members,
        **{f"m{n}": made(others, resolve, depth + 1) for n in range(whole.get("minProperties", 0))},
    }


_SAMPLES: Final[dict[str, Any]] = {
    "string": "a",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
    "array": ["a"],
    "object": {},
}


__all__ = ["made"]
