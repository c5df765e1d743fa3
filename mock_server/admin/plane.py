"""The admin plane beside the event loop. It loads nothing, not even its document, before the first connection."""

from __future__ import annotations

import asyncio
import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..services.administration import Administration
from ..services.faults import Faults
from ..settings import ADMIN, AdminSettings
from .event_stream import EventStreams
from .loop_bridge import LoopBridge

if TYPE_CHECKING:
    from .server import Servers

_FAREWELL: Final = 1.0
"""Seconds that answers under way have at the end; the process has three for all that it ends."""


class AdminPlane:
    """Serves the admin document on sockets that listen already."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        administration: Administration,
        faults: Faults,
        settings: AdminSettings,
        log: Callable[[str], None],
    ) -> None:
        self._listeners = listeners
        self._administration = administration
        self._faults = faults
        self._settings = settings
        self._log = log
        self._servers: Servers | None = None

    @contextmanager
    def serving(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Serve while the block runs, which is on `loop`. At its end streams end, and pending commands are refused."""
        bridge = LoopBridge(loop)
        streams = EventStreams(bridge)
        ending, end = socket.socketpair()  # `ending` can be read as soon as `end` is closed
        thread = threading.Thread(
            target=self._serve, args=(bridge, streams, ending), name="arklow-admin", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            end.close()
            streams.close()
            bridge.close()
            if self._servers is not None:
                self._servers.stop(_FAREWELL)
            thread.join(_FAREWELL)

    def _serve(self, bridge: LoopBridge, streams: EventStreams, ending: socket.socket) -> None:
        with ending:
            if self._wait_for_connection(ending):
                servers = self._load(bridge, streams)
                servers.run(ending)
                servers.close()

    def _wait_for_connection(self, ending: socket.socket) -> bool:
        """Wait, and tell whether a client connects before the end."""
        with selectors.DefaultSelector() as selector:
            selector.register(ending, selectors.EVENT_READ)
            for listener in self._listeners:
                selector.register(listener, selectors.EVENT_READ)
            return ending not in {key.fileobj for key, _ in selector.select()}

    def _load(self, bridge: LoopBridge, streams: EventStreams) -> Servers:
        # Flask takes a tenth of a second to load, which a mock without admin calls need not spend
        from ..api.document import Document
        from .access import Access
        from .application import create_application
        from .server import Servers

        addresses = tuple(listener.getsockname()[0] for listener in self._listeners)
        app = create_application(
            Document(ADMIN),
            self._administration,
            self._faults,
            bridge=bridge,
            streams=streams,
            access=Access(self._settings, addresses),
            log=self._log,
        )
        self._servers = Servers(self._listeners, app, lambda text: bridge.call_soon(self._log, text))
        return self._servers
