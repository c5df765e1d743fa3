"""One HTTP answer as every test sees it, and the two ways to get one: by a request, and from an open connection.

A module of its own, since tests of both programs compare answers and neither program may know the other.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, as it came over the wire."""

    status: int
    headers: dict[str, str]
    """Keyed by name in small letters; of a header that came twice, the last value."""
    body: bytes
    closed: bool = False
    """Whether the server announced to close the connection, and did."""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """The data of a success; the status is checked on the way."""
        assert self.status == 200, (self.status, self.body)
        return self.json["data"]

    @property
    def error(self) -> dict[str, str]:
        """The one error of a refusal, with `code` and `message`; the envelope is checked on the way."""
        body = self.json
        assert body.keys() == {"data", "errors"}
        assert body["data"] is None
        [error] = body["errors"]
        assert error.keys() == {"code", "message"}
        return dict(error)

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and error code of a refusal."""
        return self.status, self.error["code"]


def ask(
    url: str,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: dict[str, str] | None = None,
    timeout: float = 60,
) -> Reply:
    """Send one request to the server at `url` on a connection of its own, and return the answer.

    A body that is neither bytes nor None is sent as JSON; `timeout` is in seconds.
    """
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    with contextlib.closing(connection):
        connection.request(method, path, content, headers or {})
        answer = connection.getresponse()
        return Reply(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        )


class Receiving(Protocol):
    """The end of a connection from which an answer is read."""

    def recv(self, size: int, /) -> bytes:
        """Return up to `size` bytes as soon as some are there; none at the end."""
        ...


def read_reply(connection: Receiving, *, head: bool = False) -> Reply:
    """Read one answer from a connection, and the end of the stream where the answer announces it.

    `head`: the request was HEAD, so that the answer has no body whatever its length says.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        assert chunk, f"closed after {data!r}"
        data += chunk
    start, _, rest = data.partition(b"\r\n\r\n")
    status_line, *lines = start.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = 0 if head else int(headers.get("content-length", 0))
    while len(rest) < length:
        chunk = connection.recv(65_536)
        assert chunk, "closed inside the body"
        rest += chunk
    closed = False
    if headers.get("connection") == "close":
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b"", "announced to close, and sent more"
        closed = True
    return Reply(int(status_line.split()[1]), headers, rest, closed)


def answer_from(data: bytes) -> Reply:
    """Return the one answer that these bytes are."""
    return read_reply(_Received(data))


class _Received:
    """Bytes that have all come already."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def recv(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        found, self._left = self._left[:size], self._left[size:]
        return found


__all__ = ["Receiving", "Reply", "answer_from", "ask", "read_reply"]
