"""A WSGI application that is called with the bytes of requests and returns those of its answers, without a socket.

The same handler reads and writes them as behind the sockets of `tests.serving`, so both speak HTTP alike.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.clocks import FIRST_TIME
from tests.replies import Reply
from tests.serving import Handler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


_NEVER: Final = 3_600.0
"""Seconds of the machine's clock that a read may take: no byte is awaited."""


class _Server:
    """What a handler asks of its server."""

    ssl_context = None
    multithread = True
    multiprocess = False
    server_address = ("127.0.0.1", 80)
    _server_version = "tests"

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app


class _Connection:
    """The server's end of a connection: the bytes that came, and those that were sent back."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answer = bytearray()
        self._reset = False

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(self._request)

    def sendall(self, data: bytes) -> None:
        if self._reset:
            raise ConnectionResetError
        self.answer += data

    def close(self) -> None:
        """Reset the connection; what was not sent yet never arrives."""
        self._reset = True

    def settimeout(self, *_: Any) -> None:
        """Wait for nothing."""

    setsockopt = shutdown = settimeout


class _Handler(Handler):
    """Passes on that the application refuses connections; other breaks of a connection end it without a word.

    Answers have the same date each time.
    """

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(FIRST_TIME if timestamp is None else timestamp)

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        if isinstance(error, ConnectionRefusedError):
            raise error


def answered(app: WSGIApplication, request: bytes) -> bytes:
    """Return what an application answers to the bytes of one request, or of several: nothing where it broke off.

    Raises:
        ConnectionRefusedError: the application says that nothing listens.
    """
    connection = _Connection(request)
    _Handler(connection, ("127.0.0.1", 0), _Server(app))  # type: ignore[arg-type]
    return bytes(connection.answer)


class ClientEnd:
    """The client's end of a connection: once a request is written and its answer asked for, the application is called.

    It is a socket as `http.client` needs one.
    """

    def __init__(self, app: WSGIApplication) -> None:
        """Connect to an application."""
        self._app = app
        self._request = bytearray()

    def sendall(self, data: bytes) -> None:
        """Write a part of a request."""
        self._request += data

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return the whole answer to what was written.

        Raises:
            ConnectionRefusedError: the application says that nothing listens.
        """
        request, self._request = bytes(self._request), bytearray()
        return io.BufferedReader(io.BytesIO(answered(self._app, request)))

    def gettimeout(self) -> float:
        """Return the seconds that a read may take."""
        return _NEVER

    def settimeout(self, *_: Any) -> None:
        """Wait for nothing."""

    setsockopt = close = shutdown = settimeout


def ask(
    app: WSGIApplication,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request to an application as `tests.replies.ask` does to a server, and return the answer.

    Raises:
        ConnectionError: the application refuses connections, or broke this one off.
    """
    connection = http.client.HTTPConnection("localhost")
    connection.sock = ClientEnd(app)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


__all__ = ["ClientEnd", "answered", "ask"]
