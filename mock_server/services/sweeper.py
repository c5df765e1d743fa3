"""Frees memory that the store gave up, between requests: freeing a hundred thousand actions at once would take 0.1 s."""

from __future__ import annotations

import asyncio
from typing import Final

from ..domain.ports import Store

PAUSE: Final = 0.005
"""Seconds between two portions, so that requests are answered in between."""


class Sweeper:
    """Calls `Store.sweep` until nothing is left to free. Event loop only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sweeping = False

    def start(self) -> None:
        """Begin to sweep with the next turn of the loop, unless it is under way."""
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_soon(self._sweep)

    def _sweep(self) -> None:
        self._sweeping = self._store.sweep()
        if self._sweeping:
            asyncio.get_running_loop().call_later(PAUSE, self._sweep)
