"""The one door to uvicorn: listening sockets, and a server on them that writes each answer with one system call."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol

_UPGRADE_HEADER: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_CONNECTION: Final = "arklow.connection"
"""Key of the connection in the `state` of a scope, with which the application can `close` or `reset` it."""
_LINGER_0: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The value of SO_LINGER that makes closing a reset: on, 0 seconds."""


class CannotListen(Exception):
    """An address cannot be listened on; the message says which and why."""


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Return listening sockets on one port of every host; port 0 chooses one that is free on all of them.

    Beside other hosts `::1` is left out on a machine without IPv6.

    Raises:
        CannotListen: an address is taken, forbidden or not this machine's.
    """
    usable = [host for host in hosts if host != "::1" or len(hosts) == 1 or _has_ipv6()]
    tries = 20 if port == 0 else 1  # a port that is free on one host may be taken on another
    while True:
        bound: list[socket.socket] = []
        for host in usable:
            number = bound[0].getsockname()[1] if bound else port
            try:
                bound.append(_listener(host, number))
            except OSError as error:
                tries -= 1
                for listener in bound:
                    listener.close()
                if tries == 0 or not bound:
                    reason = error.strerror or str(error)
                    raise CannotListen(f"cannot listen on {host} port {number}: {reason}") from None
                break
        else:
            return bound


def _has_ipv6() -> bool:
    try:
        _listener("::1", 0).close()
    except OSError:
        return False
    return True


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's delay only on sockets that name their protocol
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


class _OneWrite:
    """A transport that gathers what is written during one turn of the loop, and writes it with one system call.

    uvicorn writes the head and the body of an answer separately; a second system call is a tenth of what a request costs.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take bytes, which are sent before the loop waits again."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Close the connection after all that was written."""
        self._flush()
        self._transport.close()

    def reset(self) -> None:
        """Reset the connection (TCP RST), without what is not sent yet."""
        self._held.clear()
        # on a duplicate, as options of uvloop's stand-in for a socket cannot be set; they belong to the connection
        with self._transport.get_extra_info("socket").dup() as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self._transport.abort()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's own choice of HTTP protocol, over a `_OneWrite`.

    A request that offers an upgrade is answered as if it offered none, which RFC 9110 §7.8 allows; some clients offer HTTP/2
    with every first request. uvicorn's fast parser cannot do so, as it ends such a request at its head. So its connection is
    handed to uvicorn's other parser, h11.
    """

    app_state: dict[str, Any]

    def connection_made(self, transport: Any) -> None:
        one_write = _OneWrite(transport, self.loop)
        self.app_state = self.app_state | {_CONNECTION: one_write}
        super().connection_made(one_write)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and _UPGRADE_HEADER.search(data) and not isinstance(self, H11Protocol):
            self._unset_keepalive_if_required()  # else its timer closes the connection that h11 serves
            self.connections.discard(self)
            other = H11Protocol(self.config, self.server_state, self.app_state)
            other.connection_made(self.transport)
            self.transport.set_protocol(other)
            other.data_received(data)
        else:
            super().data_received(data)


Beside = Callable[[asyncio.AbstractEventLoop], contextlib.AbstractContextManager[object]]
"""Given the server's loop, makes a context in which the server runs, from its first request to its last."""
During = Callable[[], contextlib.AbstractAsyncContextManager[object]]
"""Makes such a context that itself runs on the loop; it is entered before the one of `Beside`."""
Headers = Sequence[tuple[str, str]]
"""Pairs of name and value."""
Serve = Callable[[ASGIApp, list[socket.socket], Beside, During, Headers], None]
"""Serves an application until something ends it; the arguments are those of `Server` and of its `run`."""


def configured(app: ASGIApp, headers: Headers = ()) -> uvicorn.Config:
    """Return how uvicorn speaks HTTP for an application; `headers` go with every answer, also with uvicorn's own."""
    # neither bytes that are not HTTP nor clients that are connected at the end are worth a line
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        http=_Protocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        headers=list(headers),
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )


class Server:
    """uvicorn on sockets that listen already; it ends when it is told to, in whatever thread it runs."""

    def __init__(self, app: ASGIApp, headers: Headers = ()) -> None:
        """Serve `app`; `headers`, (name, value), go with every answer, also with those that uvicorn makes itself."""
        self._config = configured(app, headers)
        self._server = uvicorn.Server(self._config)

    def run(
        self,
        sockets: list[socket.socket],
        beside: Beside = lambda _: contextlib.nullcontext(),
        during: During = contextlib.nullcontext,
    ) -> None:
        """Serve on a loop of its own until `stop`, then finish requests that are under way within three seconds.

        In the main thread SIGINT and SIGTERM end it too, and are raised once more afterwards.

        Args:
            sockets: where to listen; they are closed at the end.
            beside: what runs beside the server, such as the admin plane.
            during: what runs on its loop, such as the seed file's watcher.
        """
        with asyncio.Runner(loop_factory=self._config.get_loop_factory()) as runner:
            runner.run(self._serve(sockets, beside, during))

    def stop(self) -> None:
        """Have `run` end soon. Any thread."""
        self._server.should_exit = True

    async def _serve(self, sockets: list[socket.socket], beside: Beside, during: During) -> None:
        async with during():
            with beside(asyncio.get_running_loop()):
                await self._server.serve(sockets)


def serve(
    app: ASGIApp, sockets: list[socket.socket], beside: Beside, during: During, headers: Headers
) -> None:
    """Serve as the one purpose of this process until SIGINT or SIGTERM; the arguments are those of `Server`.

    Raises:
        KeyboardInterrupt: always, at the end.
    """
    # Requests leave few cycles behind, and actions many objects that stay. So young objects are collected often, and
    # old ones never: looking at a million of them takes 0.2 s.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 4, 1_000_000)
    # uvicorn raises the signal that ended it once more: SIGTERM is to end as quietly as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    Server(app, headers).run(sockets, beside, during)
