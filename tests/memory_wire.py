"""Connections in memory to uvicorn's protocol as the mock configures it: bytes in, bytes out, on a loop of counted time.

A connection looks to its client like a socket. What it sends arrives when the loop runs, which it does while the client
waits for bytes; both ways take as long as the connection is told.
"""

from __future__ import annotations

import asyncio
import io
import socket
import struct
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from mock_server.adapters.http_server import configured
from tests.corpus.still_loop import StillLoop

PATIENCE: Final = 60.0
"""Seconds of the loop's time that a client waits for bytes, unless it says otherwise."""
_PIECE: Final = 1 << 16
"""Bytes that a protocol is given at once."""
_ADDRESS: Final = ("127.0.0.1", 80)


class Connection:
    """The client's end of a connection."""

    def __init__(self, wire: Wire, latency: float = 0.0) -> None:
        """Connect; bytes take half of `latency` each way, in seconds of the loop's time."""
        self._loop = wire.loop
        self._half = latency / 2
        self._server = _ServerEnd(wire, self)
        self._timeout = PATIENCE
        self._sent = bytearray()
        """What was sent since the loop ran, and arrives in one piece."""
        self._received: deque[bytes] = deque()
        self._on_their_way: deque[Callable[[], None]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.ended = ""
        """How the server has ended the connection: "", "close" or "reset"."""
        self.last_arrival = self._loop.time()
        """When something came last."""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sendall(self, data: bytes) -> None:
        """Send bytes, which are gone at once however many they are.

        Raises:
            BrokenPipeError: the server has ended the connection.
        """
        if self.ended:
            raise BrokenPipeError
        if not self._sent:
            self.on_its_way(self._arrive)
        self._sent += data

    def _arrive(self) -> None:
        data = bytes(self._sent)
        self._sent.clear()
        self._server.take(data)

    def recv(self, size: int) -> bytes:
        """Run the loop until bytes come or the server ends the connection, and return up to `size` of them.

        Raises:
            TimeoutError: nothing came in time.
            ConnectionResetError: the server has reset the connection.
        """
        if not self._received and not self.ended:
            self._loop.run_until_complete(self._something())
        if not self._received:
            if self.ended == "reset":
                raise ConnectionResetError
            return b""
        piece = self._received.popleft()
        if piece[size:]:
            self._received.appendleft(piece[size:])
        return piece[:size]

    def settimeout(self, seconds: float) -> None:
        """Wait so long for bytes from now on, in seconds of the loop's time."""
        self._timeout = seconds

    def close(self) -> None:
        """End the connection, which the server learns as late as it learns what was sent before."""
        if not self.ended:
            self.ended = "closed here"
            self.on_its_way(self._server.lose)

    def leave(self) -> None:
        """End the connection and let the server learn it."""
        self.close()
        self._loop.run_until_complete(asyncio.sleep(self._half))

    def on_its_way(self, arrive: Callable[[], None]) -> None:
        """Have something happen half of the latency later, in the order in which it was sent."""
        self._on_their_way.append(arrive)
        self._loop.call_later(self._half, lambda: self._on_their_way.popleft()())

    def take(self, data: bytes) -> None:
        """Take bytes that have arrived."""
        if self.ended != "closed here":
            self._received.append(data)
            self._wake()

    def end(self, how: str) -> None:
        """Take the end of the connection."""
        if not self.ended:
            self.ended = how
            if how == "reset":
                self._received.clear()
            self._wake()

    def _wake(self) -> None:
        self.last_arrival = self._loop.time()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _something(self) -> None:
        self._waiter = self._loop.create_future()
        async with asyncio.timeout(self._timeout):
            await self._waiter


class _ServerEnd(asyncio.Transport):
    """The server's end of a connection, as a protocol of asyncio uses it."""

    def __init__(self, wire: Wire, client: Connection) -> None:
        super().__init__({"socket": _Socket(self)})
        self._wire = wire
        self._loop = wire.loop
        self._client = client
        self._closing = False
        self._lost = False
        self._paused = False
        self._arrived: deque[bytes] = deque()
        self.is_reset = False
        self._protocol: Any = wire.protocol()
        self._protocol.connection_made(self)

    def take(self, data: bytes) -> None:
        """Hand bytes that have arrived to the protocol, as far as it reads."""
        self._wire.tick()
        self._arrived += (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))
        self._deliver()

    def lose(self) -> None:
        """Tell the protocol that the client has gone."""
        self._closing = True
        self._end(None)

    def _deliver(self) -> None:
        while self._arrived and not self._paused and not self._closing:
            self._protocol.data_received(self._arrived.popleft())

    def write(self, data: Any) -> None:
        if data and not self._lost:
            sent = bytes(data)
            self._client.on_its_way(lambda: self._client.take(sent))

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._client.on_its_way(lambda: self._client.end("close"))
            self._loop.call_soon(self._end, None)

    def abort(self) -> None:
        self._closing = True
        how = "reset" if self.is_reset else "close"
        self._client.on_its_way(lambda: self._client.end(how))
        self._loop.call_soon(self._end, None)

    def _end(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(error)

    def is_closing(self) -> bool:
        return self._closing

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._loop.call_soon(self._deliver)


class _Socket:
    """What the server asks of the socket of a connection."""

    def __init__(self, end: _ServerEnd) -> None:
        self._end = end

    def getpeername(self) -> tuple[str, int]:
        return _ADDRESS

    getsockname = getpeername

    def dup(self) -> _Socket:
        return self

    def __enter__(self) -> _Socket:
        return self

    def __exit__(self, *_: object) -> None:
        """Close nothing."""

    def setsockopt(self, _: int, option: int, value: bytes) -> None:
        self._end.is_reset = option == socket.SO_LINGER and value == struct.pack("ii", 1, 0)


class Wire:
    """The way to an application: makes connections, and keeps what uvicorn's server keeps of them."""

    def __init__(self, app: ASGIApp, loop: StillLoop, start: float, headers: Any = ()) -> None:
        """Serve `app` on `loop`, whose time 0 is `start` in seconds since 1970; `headers` go with every answer."""
        self.loop = loop
        self._start = start
        self._config = configured(app, headers)
        self._config.load()
        self._state = ServerState()

    def connect(self, latency: float = 0.0) -> Connection:
        """Connect; bytes take half of `latency` each way, in seconds of the loop's time."""
        return Connection(self, latency)

    def protocol(self) -> Any:
        """Return a protocol for one connection."""
        kind: Any = self._config.http_protocol_class
        return kind(config=self._config, server_state=self._state, app_state={}, _loop=self.loop)

    def tick(self) -> None:
        """Let answers have the date of now."""
        now = format_datetime(datetime.fromtimestamp(self._start + self.loop.time(), UTC), usegmt=True)
        self._state.default_headers = [(b"date", now.encode()), *self._config.encoded_headers]


class _Stream(io.RawIOBase):
    """What a connection receives, as a file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._connection.recv(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def as_file(connection: Connection) -> io.BufferedReader:
    """Return what a connection receives as a file."""
    return io.BufferedReader(_Stream(connection))


__all__ = ["PATIENCE", "Connection", "Wire", "as_file"]
