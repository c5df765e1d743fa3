"""A request body, from the wire to a checked JSON value."""

from __future__ import annotations

import asyncio
import json
import types
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from starlette.types import Message, Receive

from arklow_local.formats import json_values, strict_json

from .. import fast_json, schemas
from ..domain.json_text import Json
from ..domain.ports import ProcessPool, TookTooLong
from .document import JSON, Body
from .errors import Refused

LARGE: Final = 64 << 10
"""Bytes from which a body is read at the process_pool, so that nobody waits for it."""
READ_LIMIT: Final = 10.0
"""Seconds the process_pool may take for one body."""

Adapt = Callable[[Any], Any]
"""What a body becomes before it is checked; a function of a module, so that it can travel."""


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


def refuse_media_type(headers: Sequence[tuple[bytes, bytes]]) -> None:
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
    """The whole body, however it is framed.

    Raises:
        Refused: longer than `limit` bytes, or not complete after `seconds`.
        ClientGone: nobody waits for an answer.
    """
    for name, value in headers:
        if name == b"content-length" and int(value) > limit:
            raise _too_large(limit)
    # a body that came with its head, as most do, needs no timer, which costs more than all the rest of this
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
    """The rest of a coroutine that was begun by hand and waits for `awaited`."""
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


def read(text: bytes, body: Body, adapt: Adapt | None) -> Any:
    """The JSON value of a body, checked against the document.

    Raises:
        Refused: it is not JSON we take, or not what the document asks for.
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


async def read_large(
    text: bytes, body: Body, adapt: Adapt | None, document: bytes, process_pool: ProcessPool
) -> Any:
    """As `read`, done at the process_pool, by a document that is given as JSON. Members that may hold any JSON value come back as `Json` texts, those
    that the document does not know not at all.

    Raises:
        Refused: as `read`, or it could not be read in time.
    """
    try:
        refused, value = await process_pool.run(
            READ_LIMIT, _read_apart, text, document, body.pointer, body.members, body.opaque, adapt
        )
    except TookTooLong as reason:
        raise Refused(
            "BODY_UNREADABLE",
            f"body: expected JSON that can be read within {READ_LIMIT:g} s, got {len(text)} bytes ({reason})",
        ) from None
    if refused:
        raise Refused(*refused)
    return value


@lru_cache(maxsize=2)
def _schemas(document: bytes) -> schemas.DocumentSchemas:
    return schemas.DocumentSchemas(json.loads(document))


def _read_apart(
    text: bytes,
    document: bytes,
    pointer: str,
    members: frozenset[str],
    opaque: frozenset[str],
    adapt: Adapt | None,
) -> tuple[tuple[str, str] | None, Any]:
    body = Body(True, pointer, _schemas(document).at(pointer), members, opaque)
    try:
        value = read(text, body, adapt)
    except Refused as refusal:
        return (refusal.code, refusal.message), None
    if isinstance(value, dict) and members:
        value = {name: member for name, member in value.items() if name in members}
        for name in opaque & value.keys():
            member = value[name]
            value[name] = Json(fast_json.dump(member), canonical=json_values.digest(member))
    return None, value


def as_json(member: Any) -> Json:
    """A member that may hold any JSON value, with its text; as `read_large` gave it, or made here."""
    return member if isinstance(member, Json) else Json(fast_json.dump(member), member)
