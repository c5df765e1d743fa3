"""The HTTP server: listening sockets, and uvicorn on them, one system call an answer."""

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

_UPGRADE: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_CONNECTION: Final = "arklow.connection"
"""Where the application finds the connection of a request, in the `state` of its scope, to `close` or `reset` it."""
_NO_FAREWELL: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER, on and 0 seconds: closing is a reset then."""


class CannotListen(Exception):
    """An address cannot be had; the message says which and why."""


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Listening sockets on one port of every host; port 0 stands for one that is free on all of them.

    A machine without IPv6 is no error as long as another host is there.

    Raises:
        CannotListen: an address is taken, forbidden or not this machine's.
    """
    usable = [host for host in hosts if host != "::1" or len(hosts) == 1 or _has_ipv6()]
    tries = 20 if port == 0 else 1
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
    # the protocol is named because asyncio turns off Nagle's delay only on sockets that name it
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
    """A transport that holds what is written until the loop comes round, then writes it in one go.

    uvicorn writes head and body of an answer apart; two system calls are a tenth of what a request costs.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take bytes that are on the wire before the loop waits again."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Close after everything written."""
        self._flush()
        self._transport.close()

    def reset(self) -> None:
        """Close without what is held, as a reset (RST) for the other side."""
        self._held.clear()
        # of a copy, as uvloop's own stand-in for its socket cannot be set; the option is the connection's
        with self._transport.get_extra_info("socket").dup() as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_FAREWELL)
        self._transport.abort()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's own choice of HTTP protocol, over a `_OneWrite`.

    A request that offers to upgrade (some clients offer HTTP/2 with every first request) is answered as if it
    had not, which RFC 9110 §7.8 allows. The fast parser cannot: it ends the request at its head. So such a
    connection goes over to the other one that uvicorn brings.
    """

    app_state: dict[str, Any]

    def connection_made(self, transport: Any) -> None:
        one_write = _OneWrite(transport, self.loop)
        self.app_state = self.app_state | {_CONNECTION: one_write}
        super().connection_made(one_write)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and _UPGRADE.search(data) and not isinstance(self, H11Protocol):
            self._unset_keepalive_if_required()  # or its timer closes the connection under the other's hands
            self.connections.discard(self)
            other = H11Protocol(self.config, self.server_state, self.app_state)
            other.connection_made(self.transport)
            self.transport.set_protocol(other)
            other.data_received(data)
        else:
            super().data_received(data)


Beside = Callable[[asyncio.AbstractEventLoop], contextlib.AbstractContextManager[object]]
"""What runs beside the server, from before its first request until after its last."""
During = Callable[[], contextlib.AbstractAsyncContextManager[object]]
"""What goes on on the loop, from before the first request until after the last."""


def serve(
    app: ASGIApp,
    sockets: list[socket.socket],
    beside: Beside = lambda _: contextlib.nullcontext(),
    during: During = contextlib.nullcontext,
    headers: Sequence[tuple[str, str]] = (),
) -> None:
    """Serve until SIGINT or SIGTERM, then let what is under way finish for up to three seconds.

    `headers` go with every answer, whoever makes it.

    Raises:
        KeyboardInterrupt: always, at the end.
    """
    config = uvicorn.Config(
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
    # Requests leave few cycles behind and actions many objects that stay: look at the young ones in short
    # pieces, and never again at those that stay or that start-up made, as a look at a million takes 0.2 s.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 4, 1_000_000)
    logging.getLogger("uvicorn.error").setLevel(
        logging.CRITICAL
    )  # what is not HTTP is no news, nor is who waits at the end
    # uvicorn raises the signal that ended it once more: let SIGTERM end as quietly as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(uvicorn.Server(config), sockets, beside, during))


async def _serve(
    server: uvicorn.Server, sockets: list[socket.socket], beside: Beside, during: During
) -> None:
    async with during():
        with beside(asyncio.get_running_loop()):
            await server.serve(sockets)
