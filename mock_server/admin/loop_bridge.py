"""From a thread of the admin plane to the event loop and back: the world is changed there alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar

from ..api.errors import Refused

LIMIT: Final = 120.0
"""Seconds that a command may take before its caller is told to look later."""

_T = TypeVar("_T")


class Bridge:
    """Runs coroutines on the loop for other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float = LIMIT) -> None:
        self._loop = loop
        self._limit = limit
        self._lock = threading.Lock()
        self._pending: set[Future[Any]] = set()
        self._closed = False

    def run(self, start: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """What the coroutine returns or raises; blocks this thread.

        Raises:
            Refused: the mock ends, or the limit is over; the coroutine then goes on without its caller.
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
            if future.done():
                raise
            raise Refused(
                "TIMED_OUT",
                f"mock: expected an end within {self._limit:g} s, got none yet; the command goes on",
            ) from None
        finally:
            with self._lock:
                self._pending.discard(future)

    def tell(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have a function called on the loop soon; not at all when the mock ends."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(function, *arguments)

    def close(self) -> None:
        """Let go everybody who waits, and take nothing more. Call on the loop, before it ends."""
        with self._lock:
            self._closed = True
            pending = list(self._pending)
        for future in pending:
            future.cancel()


def _ending() -> Refused:
    return Refused("SHUTTING_DOWN", "mock: expected one that runs, got one that is about to end")
