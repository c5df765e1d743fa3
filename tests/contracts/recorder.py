"""A server on a socket that records the bytes it gets, and answers with bytes that no server of HTTP would send."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.waiting import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\nContent-Length: 7\r\n\r\n"

Answering = Callable[[socket.socket, threading.Event], None]
"""Answers on a connection, and closes it then; the event says that the test is over."""


@dataclass
class Recorder:
    """A server that gives every request the same answer."""

    answer: bytes | Answering = OK
    crowd: int = 1
    """Requests that have to have arrived before any is answered."""
    got: list[bytes] = field(default_factory=list)
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over."""
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released each time that a connection was closed."""

    def __post_init__(self) -> None:
        self._together = threading.Barrier(self.crowd)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.take, args=[connection], daemon=True).start()

    def take(self, connection: socket.socket) -> None:
        self.hear(connection)
        self.closed.release()

    def hear(self, connection: socket.socket) -> None:
        with suppress(OSError, threading.BrokenBarrierError), connection:
            while request := read_request(connection):
                self.got.append(request)
                self._together.wait(PATIENCE)
                if callable(self.answer):
                    self.answer(connection, self.over)
                    return
                connection.sendall(self.answer)


def read_request(connection: socket.socket) -> bytes:
    """Read the bytes of one request, framed by length or by chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while (length and len(body) < int(length[1])) or (
        b"chunked" in head.lower() and not body.endswith(b"0\r\n\r\n")
    ):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def recording(answer: bytes | Answering = OK, crowd: int = 1) -> Iterator[Recorder]:
    """Serve a recorder on a free port."""
    recorder = Recorder(answer, crowd)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recorder.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=recorder.serve, args=[listener], daemon=True).start()
        try:
            yield recorder
        finally:
            recorder.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts


def lines(request: bytes) -> list[bytes]:
    """Return the lines of a request's head."""
    return request.partition(b"\r\n\r\n")[0].split(b"\r\n")


__all__ = ["EARLY", "OK", "Answering", "Recorder", "lines", "read_request", "recording"]
