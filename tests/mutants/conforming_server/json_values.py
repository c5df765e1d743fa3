"""Questions about JSON values that several steps of the server ask."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry


def integer_of(value: Any) -> int | None:
    """Return the integer that a JSON value is, `1.0` too; None for every other value."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def canonical(value: Any) -> Any:
    """Return a form in which two JSON values are equal exactly when they are the same value.

    Python alone takes `true` for `1`.
    """
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, bool):
        return ("bool", value)
    return value


def reordered(value: Any) -> Any:
    """Return the same value with the members of all its objects from the last to the first."""
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def depth(value: Any) -> int:
    """Count the levels of arrays and objects; row by row, since a hostile body may have more than Python can recurse."""
    levels, row = 0, [value]
    while row := [item for item in row if isinstance(item, dict | list)]:
        levels += 1
        row = [inner for item in row for inner in (item.values() if isinstance(item, dict) else item)]
    return levels


def compiled(schema: Any) -> Draft202012Validator | None:
    """Return a validator, or None where the schema is no object or no JSON Schema; no reference is ever fetched."""
    try:
        Draft202012Validator.check_schema(schema)
    except Exception:
        return None
    if not isinstance(schema, dict):
        return None
    return Draft202012Validator(schema, registry=Registry())


def violates(payload: Any, schema: Any) -> bool:
    """Whether a payload breaks a schema; no payload breaks a schema that cannot be applied."""
    validator = compiled(schema)
    try:
        return validator is not None and not validator.is_valid(payload)
    except Exception:
        return False


__all__ = ["canonical", "compiled", "depth", "integer_of", "reordered", "violates"]
