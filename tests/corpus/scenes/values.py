"""Values and bodies that more than one scene uses."""

from __future__ import annotations

from typing import Any, Final

PUT: Final = "/v1/orgs/42/actions/definitions"

OTHER_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, 10**30),
    *(1.0, 1.5, -0.0, 1e308, "", "0", "1", "x", "é", "\0", "😀", "a" * 300, " 1", "01", "1.0"),
    *([], [1], ["a"], ["a", "a"], [None], [[]], {}, {"a": 1}, {"a": "b"}, {"a": None}, {"": ""}),
)
"""What may stand in place of any member; some of it is allowed in some places."""

SCHEMAS: Final[tuple[Any, ...]] = (
    *({}, True, False, None, 1, "text", [], [{}]),
    {"type": "object"},
    {"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "string"}}},
    {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}},
    {"type": ["string", "null"]},
    {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 3},
    {"type": "array", "prefixItems": [{"type": "string"}, {"const": 2}], "items": False},
    {"type": "array", "uniqueItems": True, "contains": {"const": 1}, "minContains": 2},
    {"enum": [1, "a", None, [1], {"a": 1}]},
    {"const": {"a": [1, 2]}},
    {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-z]+$"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "email"},
    {"type": "integer", "format": "int32"},
    {"type": "number", "multipleOf": 0.5, "exclusiveMinimum": 0, "exclusiveMaximum": 10},
    {"anyOf": [{"type": "string"}, {"type": "object", "required": ["sku"]}]},
    {"oneOf": [{"type": "integer"}, {"minimum": 2}]},
    {"allOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"not": {"type": "null"}},
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
    {"dependentRequired": {"a": ["b"]}, "propertyNames": {"maxLength": 3}},
    {"patternProperties": {"^x-": {"type": "string"}}, "minProperties": 1, "maxProperties": 2},
    {"$defs": {"line": {"type": "object", "required": ["sku"]}}, "items": {"$ref": "#/$defs/line"}},
    {"type": "object", "properties": {"child": {"$ref": "#"}}, "unevaluatedProperties": False},
    {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A", "type": "object"},
    {"title": "B", "description": "only described", "type": "object", "examples": [1]},
    {"type": "nonsense"},
    {"type": 12},
    {"required": "a"},
    {"pattern": "("},
    {"minimum": "1"},
    {"$ref": "#/$defs/nothing"},
    {"$ref": "https://schemas.example/other.json"},
    {"$ref": "file:///etc/passwd"},
    {"$dynamicRef": "#node", "$defs": {"a": {"$dynamicAnchor": "node"}}},
    {"$id": "https://schemas.example/a", "$anchor": "a", "properties": {"b": {"$ref": "#a"}}},
    {"properties": {"é": {"type": "string"}, "a/b~c": {"type": "integer"}}, "required": ["é", "a/b~c"]},
    {"x-unknown": 1, "type": "object"},
    {"maximum": 10**30, "minimum": -1e300},
)
"""Schemas of definitions: enforced, not enforceable, and no schemas at all."""

PAYLOADS: Final[tuple[Any, ...]] = (
    *(None, True, 0, 1, 2, 7, 10**30, 2.5, "", "a", "abc", "ABCDE", "2026-01-01T00:00:00Z"),
    *([], [1, 1, 2], ["a", 2], [{"sku": 1}, {"s": 2}]),
    *({}, {"order_id": "8471"}, {"order_id": 1}, {"a": 1}, {"a": 1, "b": 2}, {"x-a": "b", "sku": 1}),
    {"child": {"child": {"other": 1}}},
    {"é": "ü", "a/b~c": 1},
)
"""Payloads, of which each schema takes some."""

BODIES: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "definition": ("PUT", PUT, {"variant": "v", "version": 2, "alias": ["w"], "schema": {"type": "object"}}),
    "work": (
        "POST",
        "/v1/ingress/v",
        {"payload": {"a": 1}, "metadata": {"m": 1}, "tags": {"t": "1"}, "version": 1},
    ),
    "named work": (
        "POST",
        "/v1/ingress",
        {"variant": "v", "payload": {"a": 1}, "metadata": 1, "tags": {"t": "1"}, "version": 1},
    ),
    "modack": ("POST", "/v1/modack", {"action_record_id": "1", "attempt": 0, "mod_ack": 60}),
    "ack": ("POST", "/v1/ack", {"action_record_id": "1", "attempt": 0}),
    "nack": (
        "POST",
        "/v1/nack",
        {"action_record_id": "1", "attempt": 0, "terms": {"retry_at": 1893499300, "retry": True}},
    ),
    "defer": ("POST", "/v1/defer", {"action_record_id": "1", "attempt": 0}),
}
"""A good body of each operation that has one; ids of actions are filled in."""


def deep(levels: int, inside: str = "1") -> bytes:
    """Arrays in arrays, as text."""
    return b"[" * levels + inside.encode() + b"]" * levels


def members(body: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The place of each member, members of `terms` too."""
    found: list[tuple[str, ...]] = []
    for name, value in body.items():
        found.append((*above, name))
        if name == "terms":
            found += members(value, (*above, name))
    return found


def replaced(body: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A body with another value at one place."""
    first, *rest = place
    return body | {first: replaced(body[first], tuple(rest), value) if rest else value}


def without(body: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
    """A body without the member at one place."""
    first, *rest = place
    if rest:
        return body | {first: without(body[first], tuple(rest))}
    return {name: value for name, value in body.items() if name != first}
