"""Answers for operations that the document has and the mock does not handle: small, schema-valid, marked."""

from __future__ import annotations

import random
from typing import Any

from ..schemas import mismatch
from .contract import STUB_HEADER, Handler, Request
from .document import Document, Operation
from .envelope import Answer


class NoStub(Exception):
    """No valid answer was found; the text says why."""


def stub(document: Document, operation: Operation) -> Handler:
    """A handler that always answers with the same smallest value of the first documented success.

    Raises:
        NoStub: the document has no success, or the value made for it breaks its schema.
    """
    status = next((s for s in operation.responses if s.startswith("2")), None)
    if status is None:
        raise NoStub("the document has no success for it")
    validator = operation.responses[status]
    body: Any = None
    if validator is not None:
        body = _sample(document, document.response_schema(operation, status), 0)
        wrong = mismatch(validator, body, "answer")
        if wrong:
            raise NoStub(f"no valid answer was found ({wrong})")
    code = int(status) if status.isdecimal() else 200

    async def handle(_: Request) -> Answer:
        return Answer(body, code, (STUB_HEADER,))

    return handle


def _sample(document: Document, schema: Any, depth: int) -> Any:
    """A small instance of the common keywords; the caller checks it."""
    if not isinstance(schema, dict) or depth > 30:
        return None
    if "$ref" in schema:
        return _sample(document, document.follow(schema["$ref"].removeprefix("#"))[1], depth + 1)
    for keyword in ("const", "default", "example"):
        if keyword in schema:
            return schema[keyword]
    for keyword in ("enum", "examples"):
        if schema.get(keyword):
            return schema[keyword][0]
    if "allOf" in schema:
        parts = [_sample(document, part, depth + 1) for part in schema["allOf"]]
        own = {k: v for k, v in schema.items() if k != "allOf"}
        parts += [_sample(document, own, depth + 1)] if "properties" in own or "type" in own else []
        if all(isinstance(part, dict) for part in parts):
            return {name: member for part in parts for name, member in part.items()}
        return next((part for part in parts if part is not None), None)
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return _sample(document, schema[keyword][0], depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "null")
    return _of_type(document, kind if isinstance(kind, str) else kind[0], schema, depth)


def _of_type(document: Document, kind: str, schema: dict[str, Any], depth: int) -> Any:
    match kind:
        case "object":
            members = schema.get("properties", {})
            return {n: _sample(document, members.get(n, True), depth + 1) for n in schema.get("required", [])}
        case "array":
            return [_sample(document, schema.get("items", True), depth + 1)] * schema.get("minItems", 0)
        case "integer" | "number":
            return max(schema.get("minimum", 0), schema.get("exclusiveMinimum", -1) + 1)
        case "boolean":
            return False
        case "string":
            return _string(schema)
        case _:
            return None


def _string(schema: dict[str, Any]) -> str:
    by_format = {
        "date-time": "2026-01-01T00:00:00Z",
        "date": "2026-01-01",
        "uri": "http://localhost/",
        "uuid": "00000000-0000-4000-8000-000000000000",
        "email": "someone@example.com",
    }
    if schema.get("format") in by_format:
        return by_format[str(schema["format"])]
    if "pattern" in schema:
        from rstr import Rstr

        return str(Rstr(random.Random(0)).xeger(schema["pattern"]))  # noqa: S311 the same string every time
    return "x" * max(int(schema.get("minLength", 1)), 1)
