"""Werkzeug's server on sockets that listen already, with a limit of connections, deadlines, and no log of its own."""

from __future__ import annotations

import io
import selectors
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_CONNECTIONS: Final = 64
"""Connections that are served at once, each by a thread; further ones wait in the system's queue."""
PATIENCE: Final = 30.0
"""Seconds in which a request has to arrive whole, and in which a client has to take a part of the answer."""
_QUEUE: Final = 2048
"""Connections that wait in the system's queue, as many as for the ports of the API."""


class _RequestBytes(io.RawIOBase):
    """The bytes of one request, all of which have to arrive within one time, however slowly they trickle in."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._seconds)


class _Handler(WSGIRequestHandler):
    """One request on a connection of its own."""

    server: _Server
    protocol_version = "HTTP/1.1"
    error_message_format = "%(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    rfile: io.BufferedReader

    def setup(self) -> None:
        """Read the connection with a deadline."""
        super().setup()
        self.connection.settimeout(self.server.patience)
        self.rfile.close()
        self.rfile = io.BufferedReader(_RequestBytes(self.connection, self.server.patience))

    def run_wsgi(self) -> None:
        """Answer the request, and close the answer even when the connection broke before its first byte."""
        try:
            urlsplit(self.path)
        except ValueError:
            self.send_error(400, "Bad request target")
            return
        try:
            super().run_wsgi()
        finally:
            close = getattr(getattr(self, "environ", {}).get("arklow.answer"), "close", None)
            if close is not None:
                close()

    def handle_expect_100(self) -> bool:
        """Do nothing: `run_wsgi` sends the interim answer too."""
        return True

    def version_string(self) -> str:
        """Return the `Server` header, without versions."""
        return "arklow-mock"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: the application logs its requests."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing: what else there is to say concerns broken connections."""


class _Server(ThreadedWSGIServer):
    """The server of one listening socket."""

    timeout = 0
    block_on_close = False
    request_queue_size = _QUEUE

    def __init__(
        self, listener: socket.socket, app: WSGIApplication, limit: _ConnectionLimit, patience: float
    ) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, _tracked(app), _Handler, fd=listener.fileno())
        self.socket.setblocking(False)  # a client that left the queue must not block the next `accept`
        self.limit = limit
        self.patience = patience

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, once the limit allows it."""
        self.limit.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.limit.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection; its thread ends with it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.limit.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log an exception that the handler did not expect; those of broken connections are ordinary."""
        if not isinstance(sys.exception(), OSError):
            self.limit.log(traceback.format_exc())


class _ConnectionLimit:
    """Counts the connections that are served, over all servers."""

    def __init__(self, log: Callable[[str], None], most: int) -> None:
        self.log = log
        self._most = most
        self._changed = threading.Condition()
        self._served = 0
        self._stopped = False

    def acquire(self) -> None:
        """Wait until one more connection may be served, and count it."""
        with self._changed:
            self._changed.wait_for(lambda: self._served < self._most or self._stopped)
            self._served += 1

    def release(self) -> None:
        """Count one connection less."""
        with self._changed:
            self._served -= 1
            self._changed.notify_all()

    def stop(self, seconds: float) -> None:
        """Let waiting connections through, and wait `seconds` at most until none is served."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._served == 0, seconds)


class Servers:
    """The servers of all addresses of the admin plane; one thread accepts for all of them."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        app: WSGIApplication,
        log: Callable[[str], None],
        *,
        most: int = MAX_CONNECTIONS,
        patience: float = PATIENCE,
    ) -> None:
        """Serve `app` on `listeners`.

        Args:
            listeners: sockets that listen already.
            app: the application.
            log: given a traceback when a request fails as none should; called in any thread.
            most: connections that are served at once.
            patience: seconds that a client has for its request, and for taking a part of the answer.
        """
        self._limit = _ConnectionLimit(log, most)
        self._servers = [_Server(listener, app, self._limit, patience) for listener in listeners]

    def run(self, ending: socket.socket) -> None:
        """Serve until `ending` can be read."""
        with selectors.DefaultSelector() as selector:
            selector.register(ending, selectors.EVENT_READ)
            for server in self._servers:
                selector.register(server, selectors.EVENT_READ, server)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    key.data.handle_request()

    def stop(self, seconds: float) -> None:
        """Give answers under way `seconds` to end."""
        self._limit.stop(seconds)

    def close(self) -> None:
        """Close the servers' own sockets, which are duplicates of the listeners."""
        for server in self._servers:
            server.server_close()


def _tracked(app: WSGIApplication) -> WSGIApplication:
    """The application, with two more entries in `environ`.

    `arklow.gone` tells whether the client has disconnected; `arklow.answer` is the answer, for the handler to close.
    """

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ["werkzeug.socket"]
        environ["arklow.gone"] = lambda: _is_gone(connection)
        answer = environ["arklow.answer"] = app(environ, start_response)
        return answer

    return call


def _is_gone(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if not selector.select(0):
            return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
