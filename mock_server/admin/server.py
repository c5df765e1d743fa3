"""Werkzeug's server on sockets bound before: bounded in connections and time, quiet, one thread a request."""

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

CONNECTIONS: Final = 64
"""Connections that are served at once; more wait."""
PATIENCE: Final = 30.0
"""Seconds in which a request has to arrive, and in which a client has to take what is sent."""


class _Arriving(io.RawIOBase):
    """The bytes of one request, which all have to come within a time."""

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

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    error_message_format = "%(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    rfile: io.BufferedReader

    def setup(self) -> None:
        """Prepare the connection."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Arriving(self.connection, PATIENCE))

    def run_wsgi(self) -> None:
        """Answer, and see that the answer is closed whatever became of the connection."""
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
        """Leave it to `run_wsgi`, which says so too."""
        return True

    def version_string(self) -> str:
        """What the `Server` header tells: no versions."""
        return "arklow-mock"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing; the application logs."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    """The server of one listening socket."""

    timeout = 0
    block_on_close = False
    request_queue_size = 2048

    def __init__(self, listener: socket.socket, app: WSGIApplication, places: _Places) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, _tracked(app), _Handler, fd=listener.fileno())
        self.socket.setblocking(False)  # who left before being accepted keeps nobody waiting
        self.places = places

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread, once there is a place."""
        self.places.take()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.places.give_back()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve; the thread ends with it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.give_back()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what the handler did not expect."""
        if not isinstance(sys.exception(), OSError):
            self.places.log(traceback.format_exc())


class _Places:
    """Counts the connections that are served."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.log = log
        self._changed = threading.Condition()
        self._taken = 0
        self._stopped = False

    def take(self) -> None:
        """Wait for a place and take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken < CONNECTIONS or self._stopped)
            self._taken += 1

    def give_back(self) -> None:
        """Leave a place to others."""
        with self._changed:
            self._taken -= 1
            self._changed.notify_all()

    def stop(self, seconds: float) -> None:
        """Let nobody wait, and wait for who is served, for a moment."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._taken == 0, seconds)


class Servers:
    """All addresses of the admin plane, accepted by one thread."""

    def __init__(
        self, listeners: Sequence[socket.socket], app: WSGIApplication, log: Callable[[str], None]
    ) -> None:
        self._places = _Places(log)
        self._servers = [_Server(listener, app, self._places) for listener in listeners]

    def run(self, wake: socket.socket) -> None:
        """Serve until `wake` can be read."""
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            for server in self._servers:
                selector.register(server, selectors.EVENT_READ, server)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    key.data.handle_request()

    def stop(self, seconds: float) -> None:
        """Give what is under way a moment to end."""
        self._places.stop(seconds)


def _tracked(app: WSGIApplication) -> WSGIApplication:
    """The application, which leaves its answer where the handler closes it, and learns who hung up."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ["werkzeug.socket"]
        environ["arklow.gone"] = lambda: _gone(connection)
        answer = environ["arklow.answer"] = app(environ, start_response)
        return answer

    return call


def _gone(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if not selector.select(0):
            return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
