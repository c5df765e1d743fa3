"""Listening sockets, and uvicorn on them: in any thread until it is told to end, or until a signal ends the process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from mock_server.adapters.http_server import CannotListen, Server, listen, serve
from tests.replies import ask, read_reply
from tests.waiting import PATIENCE

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
LOCAL = ["127.0.0.1"]


async def _ok(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def _url(sockets: list[socket.socket]) -> str:
    return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def test_one_port_is_listened_on_at_every_address() -> None:
    """A free one is chosen that is free at all of them."""
    sockets = listen(["127.0.0.1", "::1"], 0)
    try:
        assert [one.family for one in sockets] == [socket.AF_INET, socket.AF_INET6]
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert sockets[0].getsockname()[1] > 0
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, sockets[0].getsockname()[1])).close()
        assert sockets[1].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        assert sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
    finally:
        _close(sockets)


def test_a_port_that_is_taken_is_named() -> None:
    """At whichever address it is taken; nothing stays open."""
    taken = listen(["::1"], 0)
    port = taken[0].getsockname()[1]
    try:
        with pytest.raises(CannotListen, match=f"^cannot listen on ::1 port {port}: Address already in use$"):
            listen(["127.0.0.1", "::1"], port)
        _close(listen(LOCAL, port))
    finally:
        _close(taken)


@pytest.mark.parametrize("port", [0, 4_711])
def test_an_address_of_another_machine_is_refused(port: int) -> None:
    """Whatever the port."""
    with pytest.raises(CannotListen, match=f"^cannot listen on 203.0.113.1 port {port}: "):
        listen(["203.0.113.1"], port)


@contextlib.contextmanager
def _running(server: Server, sockets: list[socket.socket], **around: Any) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=server.run, args=(sockets,), kwargs=around)
    thread.start()
    try:
        yield thread
    finally:
        server.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_server_serves_between_its_two_contexts_until_it_is_told_to_end() -> None:
    """The one that runs on its loop is the outer one; the sockets are closed afterwards."""
    order: list[str] = []

    @contextlib.asynccontextmanager
    async def during() -> AsyncIterator[None]:
        order.append("during")
        yield
        order.append("after during")

    @contextlib.contextmanager
    def beside(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        assert loop is asyncio.get_running_loop()
        order.append("beside")
        yield
        order.append("after beside")

    sockets = listen(LOCAL, 0)
    with _running(Server(_ok, [("x-more", "1")]), sockets, beside=beside, during=during):
        reply = ask(_url(sockets), "GET", "/")
        order.append("answer")
        url = _url(sockets)

    assert (reply.status, reply.body, reply.headers["x-more"]) == (200, b"ok", "1")
    assert "server" not in reply.headers
    assert order == ["during", "beside", "answer", "after beside", "after during"]
    with pytest.raises(ConnectionRefusedError):
        ask(url, "GET", "/")


def test_a_request_under_way_has_its_answer_at_the_end() -> None:
    """The connection is closed behind it."""
    came, let = threading.Event(), threading.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        came.set()
        while not let.is_set():
            await asyncio.sleep(0.001)
        await _ok(scope, receive, send)

    sockets = listen(LOCAL, 0)
    server = Server(slow)
    with _running(server, sockets), socket.create_connection(sockets[0].getsockname()) as client:
        client.sendall(GET)
        assert came.wait(PATIENCE)
        server.stop()
        let.set()
        assert read_reply(client).body == b"ok"
        assert client.recv(1) == b""


def test_an_answer_leaves_in_one_piece() -> None:
    """Head and body, so that a client needs one read; what is written later leaves later."""
    pieces: list[bytes] = []

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            pieces.append(bytes(data))

        def is_closing(self) -> bool:
            return False

    from mock_server.adapters.http_server import _OneWrite

    async def run() -> None:
        one = _OneWrite(Transport(), asyncio.get_running_loop())
        one.write(b"head ")
        one.write(b"body")
        assert pieces == []
        await asyncio.sleep(0)
        assert pieces == [b"head body"]
        one.write(b"more")
        await asyncio.sleep(0)
        assert pieces == [b"head body", b"more"]

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_what_serves_as_the_purpose_of_the_process(number: signal.Signals) -> None:
    """As Ctrl-C does, after the answers; old objects are not looked at by the collector meanwhile."""
    before = gc.get_threshold(), signal.getsignal(signal.SIGTERM)
    sockets = listen(LOCAL, 0)
    found: list[Any] = []

    def ask_and_end() -> None:
        found.append(ask(_url(sockets), "GET", "/").body)
        found.append((gc.get_threshold(), gc.get_freeze_count() > 0))
        signal.raise_signal(number)

    client = threading.Thread(target=ask_and_end)

    @contextlib.contextmanager
    def beside(_: asyncio.AbstractEventLoop) -> Iterator[None]:
        client.start()
        yield

    try:
        with pytest.raises(KeyboardInterrupt):
            serve(_ok, sockets, beside, contextlib.nullcontext, [])
    finally:
        gc.unfreeze()
        gc.set_threshold(*before[0])
        signal.signal(signal.SIGTERM, before[1])
        client.join(PATIENCE)
    assert found == [b"ok", ((5_000, 4, 1_000_000), True)]
