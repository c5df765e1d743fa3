"""A request body on its way from the wire to a checked JSON value."""

from __future__ import annotations

import asyncio
import json
import types
from collections.abc import Awaitable, Generator, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from starlette.types import Message, Receive

from arklow_local.formats import json_values, strict_json

from .. import fast_json, schemas
from ..domain.json_text import Json
from ..domain.ports import ProcessPool, TookTooLong
from .body_adapters import Adapter
from .document import JSON, Body
from .errors import Refused

LARGE: Final = 64 << 10
"""Bytes; a longer body is parsed in a worker process, as parsing it here would delay all other requests."""
PARSE_LIMIT: Final = 10.0
"""Seconds a worker process may take for one body: it takes one at a time, so others wait for it."""


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


def require_json_type(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Return when the headers announce plain JSON; parameters such as charset are ignored (RFC 8259 §11).

    Raises:
        Refused: they announce something else, or nothing.
    """
    announced = ""
    for name, value in headers:
        if name == b"content-type":
            if value == b"application/json":
                announced = JSON
                continue
            announced = value.decode("latin-1")
            media_type = announced.split(";")[0].strip(" \t").lower()
            if media_type != JSON:
                break
            announced = JSON
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Refused(
                "UNSUPPORTED_MEDIA_TYPE",
                f"header Content-Encoding: expected none, got {value.decode('latin-1')[:60]!r}",
            )
    if announced != JSON:
        got = repr(announced[:60]) if announced else "none"
        raise Refused("UNSUPPORTED_MEDIA_TYPE", f"header Content-Type: expected {JSON}, got {got}")


async def receive_body(
    receive: Receive, headers: Sequence[tuple[bytes, bytes]], limit: int, seconds: float
) -> bytes:
    """Return the whole body, however it is framed.

    Raises:
        Refused: it is longer than `limit` bytes, or not complete after `seconds`.
        ClientGone: the client closed the connection.
    """
    for name, value in headers:
        if name == b"content-length" and int(value) > limit:
            raise _too_large(limit)
    # most bodies arrive with their head; one step by hand finds them without a timer, which would cost more
    # than all the rest of this function
    first = receive()
    try:
        awaited = first.send(None)  # type: ignore[attr-defined]
    except StopIteration as there:
        message = there.value
        if message["type"] != "http.disconnect" and not message.get("more_body", False):
            body: bytes = message["body"]
            if len(body) > limit:
                raise _too_large(limit) from None
            return body
        return await _receive_rest(_already(message), receive, limit, seconds)
    return await _receive_rest(_resumed(first, awaited), receive, limit, seconds)


async def _already(message: Message) -> Message:
    return message


@types.coroutine
def _resumed(coroutine: Any, awaited: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that was begun by hand and waits for `awaited`."""
    while True:
        try:
            sent = yield awaited
        except BaseException as error:
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, sent)
        try:
            awaited = step()
        except StopIteration as end:
            return end.value


async def _receive_rest(first: Awaitable[Message], receive: Receive, limit: int, seconds: float) -> bytes:
    parts: list[bytes] = []
    length = 0
    waiting = first
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await waiting
                if message["type"] == "http.disconnect":
                    raise ClientGone
                parts.append(message["body"])
                length += len(parts[-1])
                if length > limit or not message.get("more_body", False):
                    break
                waiting = receive()
    except (TimeoutError, asyncio.CancelledError) as reason:
        # the time is over, or the server ends: an answer is due in both cases
        task = asyncio.current_task()
        if task is not None and isinstance(reason, asyncio.CancelledError):
            task.uncancel()
        raise Refused(
            "BODY_INCOMPLETE",
            f"body: expected the whole body within {seconds:g} s and before the mock ends, got a part of it",
            ((b"connection", b"close"),),
        ) from None
    if length > limit:
        raise _too_large(limit)
    return b"".join(parts)


def _too_large(limit: int) -> Refused:
    return Refused("BODY_TOO_LARGE", f"body: expected at most {limit} bytes, got more")


def parse_body(text: bytes, body: Body, adapt: Adapter | None) -> Any:
    """Return the JSON value of a body, adapted and checked against the document.

    Raises:
        Refused: the text is no JSON that the mock takes, or its value is not what the document asks for.
    """
    try:
        value = strict_json.parse(text)
    except strict_json.JsonRefused as refusal:
        raise Refused(refusal.code, refusal.message) from None
    if adapt is not None:
        value = adapt(value)
    wrong = schemas.mismatch(body.validator, value, "body")
    if wrong:
        raise Refused("INVALID_BODY", wrong)
    return value


async def parse_large_body(
    text: bytes, body: Body, adapt: Adapter | None, document: bytes, process_pool: ProcessPool
) -> Any:
    """Do as `parse_body` in a worker process, which is given the document as JSON.

    Members that may hold any JSON value come back as `Json`, whose text needs no second dump here; members that the
    document does not name are left out.

    Raises:
        Refused: as for `parse_body`, or parsing took longer than `PARSE_LIMIT`.
    """
    try:
        refused, value = await process_pool.run(
            PARSE_LIMIT, _parse_apart, text, document, body.pointer, body.members, body.opaque, adapt
        )
    except TookTooLong as reason:
        raise Refused(
            "BODY_UNREADABLE",
            f"body: expected JSON that can be read within {PARSE_LIMIT:g} s, got {len(text)} bytes ({reason})",
        ) from None
    if refused:
        raise Refused(*refused)
    return value


@lru_cache(maxsize=2)
def _schemas(document: bytes) -> schemas.DocumentSchemas:
    return schemas.DocumentSchemas(json.loads(document))


def _parse_apart(
    text: bytes,
    document: bytes,
    pointer: str,
    members: frozenset[str],
    opaque: frozenset[str],
    adapt: Adapter | None,
) -> tuple[tuple[str, str] | None, Any]:
    """Runs in the worker process. A pair: code and message of a refusal or None, and the value."""
    body = Body(True, pointer, _schemas(document).at(pointer), members, opaque)
    try:
        value = parse_body(text, body, adapt)
    except Refused as refusal:
        return (refusal.code, refusal.message), None
    if isinstance(value, dict) and members:
        value = {name: member for name, member in value.items() if name in members}
        for name in opaque & value.keys():
            member = value[name]
            value[name] = Json(fast_json.dump(member), canonical=json_values.digest(member))
    return None, value


def as_json(member: Any) -> Json:
    """Return a member that may hold any JSON value together with its text, which a large body has already."""
    return member if isinstance(member, Json) else Json(fast_json.dump(member), member)
