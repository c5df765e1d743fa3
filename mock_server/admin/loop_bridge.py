"""The way from a thread of the admin plane to the event loop, where alone the world is changed, and back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar

from ..api.errors import Refused

LIMIT: Final = 120.0
"""Seconds that a command may take before its caller is refused: enough for a clock to pass hundreds of webhook calls."""

_T = TypeVar("_T")


class LoopBridge:
    """Runs coroutines on the event loop for the threads of the admin plane."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float = LIMIT) -> None:
        """Bridge to `loop`; a command may take `limit` seconds."""
        self._loop = loop
        self._limit = limit
        self._lock = threading.Lock()
        self._pending: set[Future[Any]] = set()
        self._closed = False

    def run(self, start: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Run the coroutine that `start` makes, and return what it returns or raise what it raises; blocks the thread.

        Raises:
            Refused: the mock ends, or the limit is over, after which the coroutine goes on by itself.
        """
        with self._lock:
            if self._closed:
                raise _ending()
            future = asyncio.run_coroutine_threadsafe(start(), self._loop)
            self._pending.add(future)
        try:
            return future.result(self._limit)
        except CancelledError:
            raise _ending() from None
        except TimeoutError:
            if future.done():  # the coroutine itself raised it
                raise
            raise Refused(
                "TIMED_OUT",
                f"mock: expected an end within {self._limit:g} s, got none yet; the command goes on",
            ) from None
        finally:
            with self._lock:
                self._pending.discard(future)

    def call_soon(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have the loop call a function soon; do nothing when the mock ends."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(function, *arguments)

    def close(self) -> None:
        """Refuse what is pending, and all that comes. Call on the loop, before it ends."""
        with self._lock:
            self._closed = True
            pending = list(self._pending)
        for future in pending:
            future.cancel()


def _ending() -> Refused:
    return Refused("SHUTTING_DOWN", "mock: expected one that runs, got one that is about to end")
