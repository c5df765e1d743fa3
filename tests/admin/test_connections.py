"""The server of the admin plane around any application: how many connections, for how long, and what breaks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from mock_server.adapters.http_server import listen
from mock_server.admin.server import Servers
from tests.replies import Reply, read_reply
from tests.waiting import PATIENCE, wait_until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GET = b"GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n"
Address = tuple[str, int]


def _ok(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


class _Served:
    """Servers in a thread of their own."""

    def __init__(self, address: Address, servers: Servers) -> None:
        self.address = address
        self.servers = servers
        self.log: list[str] = []

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, PATIENCE)

    def ask(self, data: bytes = GET) -> Reply:
        with self.connect() as connection:
            connection.sendall(data)
            return read_reply(connection)


@contextmanager
def _served(app: WSGIApplication, **limits: Any) -> Iterator[_Served]:
    """Serve an application on a free port, and end that afterwards."""
    listeners = listen(["127.0.0.1"], 0)
    log: list[str] = []
    servers = Servers(listeners, app, log.append, **limits)
    served = _Served(listeners[0].getsockname(), servers)
    served.log = log
    ending, end = socket.socketpair()
    thread = threading.Thread(target=servers.run, args=(ending,))
    thread.start()
    try:
        yield served
    finally:
        end.close()
        servers.stop(PATIENCE)
        thread.join(PATIENCE)
        servers.close()
        ending.close()
        for listener in listeners:
            listener.close()


class _Held:
    """An application that answers when it is let, and knows how many of its answers were awaited at one time."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self._lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.let.wait(PATIENCE)
        with self._lock:
            self.inside -= 1
        return _ok(environ, start_response)


def test_an_answer_names_no_version_and_closes_its_connection() -> None:
    """Neither the server's nor Python's."""
    with _served(_ok) as served:
        reply = served.ask()

    assert (reply.status, reply.body, reply.closed) == (200, b"ok", True)
    assert reply.headers["server"] == "arklow-mock"
    assert served.log == []


def test_as_many_connections_are_served_at_once_as_may_be() -> None:
    """The next ones wait for their turn, and get it."""
    held = _Held()
    with _served(held, most=3) as served, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(served.connect()) for _ in range(5)]
        for connection in connections:
            connection.sendall(GET)
        wait_until(lambda: held.inside == 3)
        held.let.set()
        replies = [read_reply(connection).status for connection in connections]

    assert replies == [200] * 5
    assert held.most == 3


def test_a_connection_that_says_nothing_in_time_is_closed() -> None:
    """It makes room for another one."""
    with _served(_ok, most=1, patience=0.05) as served, served.connect() as idle:
        assert served.ask().status == 200
        assert idle.recv(1) == b""


def test_a_request_that_trickles_in_is_closed_when_its_time_is_over() -> None:
    """However often a byte comes; the time is that of the whole request."""
    with _served(_ok, patience=0.1) as served, served.connect() as slow:
        with contextlib.suppress(OSError):
            for byte in GET * 100:
                slow.sendall(bytes([byte]))
                if _readable(slow, 0.01):
                    break
        rest = _until_end(slow)

    assert rest == b""


def _readable(connection: socket.socket, seconds: float) -> bool:
    import select

    return bool(select.select([connection], [], [], seconds)[0])


def _until_end(connection: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            found += chunk
    return found


@pytest.mark.parametrize(
    ("error", "is_logged"), [(RuntimeError("a fault"), True), (BrokenPipeError(), False)]
)
def test_what_breaks_in_the_handler_is_logged_and_a_broken_connection_is_not(
    error: Exception, is_logged: bool
) -> None:
    """The server goes on after both."""
    closes = []

    class Answer:
        """Breaks when the handler closes it, which the server has done already."""

        def __iter__(self) -> Iterator[bytes]:
            yield b"ok"

        def close(self) -> None:
            closes.append(1)
            if len(closes) == 2:
                raise error

    def breaking(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _ok(environ, start_response)
        return Answer()

    with _served(breaking) as served:
        assert [served.ask().body for _ in range(2)] == [b"ok", b"ok"]
        wait_until(lambda: len(closes) == 4)

    assert ["RuntimeError: a fault" in text for text in served.log] == [True] * is_logged


def test_a_client_that_has_gone_is_noticed_and_its_answer_is_closed() -> None:
    """By the application, which is told; then by the server."""
    told: list[bool] = []
    closed = threading.Event()

    class Answer:
        """An answer without end, as a stream is."""

        def __init__(self, gone: Callable[[], bool]) -> None:
            self._gone = gone

        def __iter__(self) -> Iterator[bytes]:
            yield b"listening"
            told.append(self._gone())
            wait_until(self._gone)
            told.append(True)

        def close(self) -> None:
            closed.set()

    def stream(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Answer(environ["arklow.gone"])

    with _served(stream) as served:
        with served.connect() as connection:
            connection.sendall(GET)
            while b"listening" not in connection.recv(65_536):
                pass
            wait_until(lambda: told)
        assert closed.wait(PATIENCE)

    assert told == [False, True]


def test_the_answer_of_a_connection_that_was_reset_before_its_first_byte_is_closed() -> None:
    """So that a stream does not stay open without a client."""
    closed, reset = threading.Event(), threading.Event()

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            reset.wait(PATIENCE)
            yield b"x" * 10_000_000

        def close(self) -> None:
            closed.set()

    def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Answer()

    with _served(late) as served:
        with served.connect() as connection:
            connection.sendall(GET)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        reset.set()
        assert closed.wait(PATIENCE)


@pytest.mark.parametrize("target", [b"http://[", b"http://[::1/x"])
def test_a_target_that_is_no_url_is_refused(target: bytes) -> None:
    """Before the application sees it."""
    with _served(_ok) as served:
        reply = served.ask(b"GET " + target + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")

    assert (reply.status, reply.body) == (400, b"Bad request target\n")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_at_the_end_waiting_connections_are_let_through_and_answers_have_time() -> None:
    """No longer than was said."""
    held = _Held()
    with _served(held, most=1) as served, served.connect() as first, served.connect() as second:
        first.sendall(GET)
        wait_until(lambda: held.inside == 1)
        second.sendall(GET)
        served.servers.stop(0.01)
        held.let.set()

        assert [read_reply(one).status for one in (first, second)] == [200, 200]
