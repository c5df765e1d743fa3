"""The one door to Pebble: a child process for work that may take long, and that is killed when it does.

Reading a body of megabytes, or applying a hostile schema, holds the interpreter lock, so it must not happen in the process that
answers requests. The child starts when it is first needed, has a low priority and a limit of memory, and does one piece of work
at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from typing import Final, ParamSpec, TypeVar

import pebble

from ..domain.ports import PoolBusy, TookTooLong

WAIT_LIMIT: Final = 60.0
"""Seconds that the caller waits, its turn in the queue included."""
MEMORY_LIMIT: Final = 2 << 30
"""Bytes of address space that the child may use: far more than a body of 10 MiB needs."""

P = ParamSpec("P")
T = TypeVar("T")


def one_child(make: Callable[..., pebble.ProcessPool] = pebble.ProcessPool) -> pebble.ProcessPool:
    """Make a pool of one child, which starts with its first work: anew, as a copy of this process would have its threads' locks."""
    return make(max_workers=1, initializer=_limit_child, context=multiprocessing.get_context("spawn"))


class PebbleProcessPool:
    """Runs plain functions of picklable arguments in a child process, one at a time."""

    def __init__(self, make_pool: Callable[[], pebble.ProcessPool] = one_child) -> None:
        """Have `make_pool` make Pebble's pool when it is first needed, and when it broke."""
        self._make_pool = make_pool
        self._pool: pebble.ProcessPool | None = None

    async def run(self, seconds: float, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `function` returns, or raise what it raises.

        Raises:
            TookTooLong: the child was killed after `seconds`, or ended at `MEMORY_LIMIT`.
            PoolBusy: other work kept the child busy for `WAIT_LIMIT`.
        """
        future = self._ready().schedule(function, args=list(arguments), kwargs=dict(named), timeout=seconds)
        waiting = asyncio.wrap_future(future)
        done, _ = await asyncio.wait([waiting], timeout=WAIT_LIMIT)
        if not done:
            future.cancel()  # type: ignore[no-untyped-call]
            raise PoolBusy(f"its turn did not come within {WAIT_LIMIT:g} s")
        try:
            return waiting.result()
        except TimeoutError:
            raise TookTooLong(f"stopped after {seconds:g} s") from None
        except (pebble.ProcessExpired, BrokenExecutor, MemoryError, OSError, EOFError):
            raise TookTooLong("its process ended, for the memory it took perhaps") from None

    def _ready(self) -> pebble.ProcessPool:
        """The pool, made anew when it broke: a killed child may take its pool along."""
        if self._pool is None or not self._pool.active:
            self.close()
            self._pool = self._make_pool()
        return self._pool

    def close(self) -> None:
        """Kill the child at once."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join(timeout=5)
            self._pool = None


def _limit_child() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # else it would wait for the very code that does not return
    if os.name == "posix":
        import resource

        os.nice(10)
        with contextlib.suppress(ValueError, OSError):  # a tighter limit is set already, or none can be set
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
