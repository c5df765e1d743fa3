"""The admin plane beside the event loop: nothing is loaded for it until somebody comes."""

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
from ..settings import ADMIN, Admin
from .event_stream import Tails
from .loop_bridge import Bridge

if TYPE_CHECKING:
    from .server import Servers

_FAREWELL: Final = 1.0
"""Seconds that answers under way get at the end."""


class Plane:
    """Serves the admin document on sockets that listen already."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        administration: Administration,
        faults: Faults,
        settings: Admin,
        log: Callable[[str], None],
    ) -> None:
        self._listeners = listeners
        self._administration = administration
        self._faults = faults
        self._settings = settings
        self._log = log
        self._servers: Servers | None = None

    @contextmanager
    def beside(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Serve while the block runs, on the loop that runs it; at its end streams end, and who waits for a
        command is told."""
        bridge = Bridge(loop)
        tails = Tails(bridge)
        asleep, wake = socket.socketpair()
        thread = threading.Thread(
            target=self._serve, args=(bridge, tails, asleep), name="arklow-admin", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            wake.close()
            tails.close()
            bridge.close()
            if self._servers is not None:
                self._servers.stop(_FAREWELL)

    def _serve(self, bridge: Bridge, tails: Tails, asleep: socket.socket) -> None:
        with asleep:
            if self._somebody_came(asleep):
                self._load(bridge, tails).run(asleep)

    def _load(self, bridge: Bridge, tails: Tails) -> Servers:
        # Flask takes a tenth of a second to load, which nobody pays who does not admin
        from ..api.document import Document
        from .access import Gate
        from .application import create_application
        from .server import Servers

        addresses = tuple(listener.getsockname()[0] for listener in self._listeners)
        app = create_application(
            Document(ADMIN),
            self._administration,
            self._faults,
            bridge=bridge,
            tails=tails,
            gate=Gate(self._settings, addresses),
            log=self._log,
        )
        self._servers = Servers(self._listeners, app, lambda text: bridge.tell(self._log, text))
        return self._servers

    def _somebody_came(self, asleep: socket.socket) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(asleep, selectors.EVENT_READ)
            for listener in self._listeners:
                selector.register(listener, selectors.EVENT_READ)
            return asleep not in {key.fileobj for key, _ in selector.select()}
