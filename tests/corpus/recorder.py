"""A proxy that hands on bytes as they are, in both directions, and keeps the requests that came by."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_RESET: Final = struct.pack("ii", 1, 0)


class Arrival(NamedTuple):
    """One request as it came over the wire."""

    order: int
    """Larger for what came later."""
    line: str
    """The request line; empty for bytes that no request can be read from, which are the body then."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    answered: int
    """The `order` of what arrived last before its answer began."""


class _Stream:
    """What came from one client, and when the server spoke."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, bytes]] = []
        self.answers: list[int] = []

    def text(self) -> bytes:
        return b"".join(data for _, data in self.parts)

    def order(self, at: int) -> int:
        """When the byte at a place arrived."""
        for order, data in self.parts:
            if at < len(data):
                return order
            at -= len(data)
        raise ValueError("beyond the end of the stream")


class Recorder:
    """The requests that came by so far, connection by connection."""

    def __init__(self, upstream: str) -> None:
        split = urlsplit(upstream)
        self._upstream = (split.hostname or "", split.port or 80)
        self._lock = threading.Lock()
        self._order = 0
        self._streams: list[_Stream] = []

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def arrivals(self) -> list[Arrival]:
        """All requests, in the order in which they began to arrive."""
        with self._lock:
            return sorted(arrival for stream in self._streams for arrival in _requests(stream))

    def _join(self, client: socket.socket) -> None:
        stream = _Stream()
        with self._lock:
            self._streams.append(stream)
        with client, socket.create_connection(self._upstream) as server:
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._pump, args=(server, client, stream, False), daemon=True)
            back.start()
            self._pump(client, server, stream, True)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket, stream: _Stream, asks: bool) -> None:
        try:
            while data := source.recv(65_536):
                with self._lock:
                    if asks:
                        self._order += 1
                        stream.parts.append((self._order, data))
                    else:
                        stream.answers.append(self._order)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # one side has reset the connection: so does the other one then
            with contextlib.suppress(OSError):
                target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                target.shutdown(socket.SHUT_RDWR)


@contextmanager
def recording(upstream: str) -> Iterator[tuple[Recorder, str]]:
    """A recorder in front of a server, and the URL at which it answers."""
    recorder = Recorder(upstream)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        threading.Thread(target=recorder.serve, args=(listener,), daemon=True).start()
        yield recorder, f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _requests(stream: _Stream) -> Iterator[Arrival]:
    """The requests of one connection."""
    text = stream.text()
    at = 0
    while at < len(text):
        order = stream.order(at)
        head, blank, rest = text[at:].partition(b"\r\n\r\n")
        end = _length(head, rest) if blank else None
        answered = next((answer for answer in stream.answers if answer >= order), order)
        if end is None:
            yield Arrival(order, "", (), text[at:], answered)
            return
        line, *lines = head.decode("latin-1").split("\r\n")
        pairs = (one.partition(":") for one in lines)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        yield Arrival(order, line, headers, rest[:end], answered)
        at += len(head) + len(blank) + end


def _length(head: bytes, rest: bytes) -> int | None:
    """How many bytes behind a head are its body; None when that cannot be told, or not all of it has come."""
    if re.search(rb"\r\ntransfer-encoding:", head, re.IGNORECASE):
        found = re.match(
            rb"(?s)(?:[0-9a-fA-F]+[^\r\n]*\r\n.*?\r\n)*?0[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n", rest
        )
        return len(found[0]) if found else None
    length = re.search(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*(?:\r\n|$)", head, re.IGNORECASE)
    if length is None:
        return 0
    return int(length[1]) if int(length[1]) <= len(rest) else None
