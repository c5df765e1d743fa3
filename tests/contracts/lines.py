"""A message over something that looks like a connected socket: written as urllib3 does, and its answer read as http.client does."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from contracts.core.exchange import Headers
from contracts.transport.answers import UnreadBody, read_body
from contracts.transport.connections import Head, Line
from contracts.transport.wire import Message


def written(message: Message, sock: Any) -> Line:
    """Write a message, and return the connection from which its answer can be read."""
    request, parts = message.request, urlsplit(message.base)
    line = Line(parts.hostname or "", parts.port)
    line.sock = sock
    line.request(
        request.method,
        message.base,
        list(message.pieces()) if request.chunks else request.body,
        Head(f"{parts.path}{request.path}", message.headers),
        chunked=bool(request.chunks),
        preload_content=False,
        decode_content=False,
    )
    return line


def answer_on(line: Line, method: str) -> tuple[int, Headers, bytes, str]:
    """Read the answer to a request of `method`: its status, headers and body, and why the body could not be read.

    Raises:
        Interference: the answer cannot be used.
        OSError, http.client.HTTPException, ValueError: it did not arrive, or is not HTTP.
    """
    answer = line.getresponse()
    body, unread = b"", ""
    try:
        body = read_body(answer, method)
    except UnreadBody as why:
        unread = str(why)
    headers = tuple((str(name), str(value)) for name, value in answer.headers.items())
    return answer.status, headers, body, unread


__all__ = ["answer_on", "written"]
