"""Answers for operations and members of other documents that the mock does not handle: small, schema-valid, marked."""

from __future__ import annotations

import random
import re
from typing import Any, Final

from ..schemas import mismatch
from .document import JSON, Document, Operation, step
from .envelope import Answer
from .errors import Refused
from .prepared_operation import Handler, Request

_HEADER: Final = b"x-arklow-mock-stub"
"""Marks what was made up: `1` for a whole answer, or the places of the members."""
_DEEPEST: Final = 30
"""Levels of a sample at most: a schema that contains itself would have no end."""
_UNPRINTABLE: Final = re.compile(r"[^ -~]")
"""Characters that no header's value can have."""
_BY_FORMAT: Final = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "uri": "http://localhost/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
}
"""`format` → a string that has it."""


class NoStub(Exception):
    """No valid answer was found; the text says why."""


def stub_handler(document: Document, operation: Operation) -> Handler:
    """Make a handler that always gives the same small answer, of the first success that the document has.

    Raises:
        NoStub: the document has no success, or the value that was made for it breaks its schema.
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
        return Answer(body, code, ((_HEADER, b"1"),))

    return handle


def completed_handler(document: Document, operation: Operation, handler: Handler) -> Handler:
    """Make a handler for another document of one that was written for ours.

    Required members that its answers lack are made up as in a stub, and named in the same header. A request or an
    answer that it cannot deal with becomes a 500 that says so.
    """
    base = f"/paths/{step(operation.path)}/{operation.method}/responses"

    async def handle(request: Request) -> Answer:
        try:
            answer = await handler(request)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise _unfit(operation, f"its request is another one ({type(error).__name__}: {error})") from None
        if str(answer.status) not in operation.responses:
            raise _unfit(operation, f"it answers {answer.status}")
        validator = operation.responses[str(answer.status)]
        if validator is None or validator.is_valid(answer.body):
            return answer
        made_up: list[str] = []
        pointer = document.follow(f"{base}/{answer.status}")[0]
        body = _completed(document, f"{pointer}/content/{step(JSON)}/schema", answer.body, "", made_up)
        if wrong := mismatch(validator, body, "answer"):
            raise _unfit(operation, wrong)
        named = _UNPRINTABLE.sub("?", ", ".join(made_up)).encode()
        return answer._replace(body=body, headers=(*answer.headers, (_HEADER, named)))

    return handle


def _unfit(operation: Operation, why: str) -> Refused:
    name = f"{operation.method.upper()} {operation.path}"
    return Refused("INTERNAL_ERROR", f"the handler of {name} was written for another document: {why}")


def _completed(document: Document, pointer: str, value: Any, place: str, made_up: list[str]) -> Any:
    """A copy of a value with a sample of each member that it lacks and the schema at `pointer` requires.

    The places of these members are added to `made_up`; `place` is that of the value. Of several alternatives the first
    counts that the copy fits.
    """
    pointer, schema = document.follow(pointer)
    if not isinstance(schema, dict):
        return value
    for number in range(len(schema.get("allOf", ()))):
        value = _completed(document, f"{pointer}/allOf/{number}", value, place, made_up)
    for keyword in ("anyOf", "oneOf"):
        for number in range(len(schema.get(keyword, ()))):
            at, made = f"{pointer}/{keyword}/{number}", list[str]()
            tried = _completed(document, at, value, place, made)
            if document.schemas.at(at).is_valid(tried):
                value = tried
                made_up += made
                break
    if isinstance(value, list) and "items" in schema:
        at = f"{pointer}/items"
        return [_completed(document, at, one, f"{place}/{n}", made_up) for n, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    members = schema.get("properties", {})
    done = {
        name: _completed(
            document, f"{pointer}/properties/{step(name)}", one, f"{place}/{name}".lstrip("/"), made_up
        )
        if name in members
        else one
        for name, one in value.items()
    }
    for name in schema.get("required", ()):
        if name not in done:
            done[name] = _sample(document, members.get(name, True), 0)
            made_up.append(f"{place}/{name}".lstrip("/"))
    return done


def _sample(document: Document, schema: Any, depth: int) -> Any:
    """A small value for the common keywords of a schema; the caller checks whether it fits."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
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
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[str(schema["format"])]
    if "pattern" in schema:
        from rstr import Rstr

        return str(Rstr(random.Random(0)).xeger(schema["pattern"]))  # noqa: S311 the same string every time
    return "x" * max(int(schema.get("minLength", 1)), 1)
