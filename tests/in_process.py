"""A WSGI application that is called with the bytes of a request and returns those of its answer, without a socket.

The same handler reads and writes them as behind the sockets of `tests.serving`, so both speak HTTP alike.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tests.serving import Handler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


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
    """Passes on that the application refuses connections; other breaks of a connection end it without a word."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        if isinstance(error, ConnectionRefusedError):
            raise error


def answered(app: WSGIApplication, request: bytes) -> bytes:
    """Return what an application answers to the bytes of a request: nothing where it broke the connection off.

    Raises:
        ConnectionRefusedError: the application says that nothing listens.
    """
    connection = _Connection(request)
    _Handler(connection, ("127.0.0.1", 0), _Server(app))  # type: ignore[arg-type]
    return bytes(connection.answer)


__all__ = ["answered"]
