"""An event loop whose time is counted and not measured: a wait of an hour is over at once, and always as long."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_LONGEST: Final = 60.0
"""Real seconds after which a loop that waits for another thread gives up."""


class _Selector(selectors.SelectSelector):
    """Moves the loop's time forward instead of sleeping."""

    def __init__(self, move: Callable[[float], None]) -> None:
        super().__init__()
        self._move = move

    def select(self, timeout: float | None = None) -> list[Any]:
        """What is ready; where only time is awaited, that time is over."""
        if timeout is None:  # a thread is awaited, such as the one that reads a seed file
            found = super().select(_LONGEST)
            if not found:
                raise RuntimeError("the loop waits for what never happens")
            return found
        found = super().select(0)
        if not found and timeout > 0:
            self._move(timeout)
        return found


class StillLoop(asyncio.SelectorEventLoop):
    """Runs coroutines on its own time, which begins at 0."""

    def __init__(self) -> None:
        self._nanoseconds = 0
        super().__init__(_Selector(self._move))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._nanoseconds / 1_000_000_000

    def milliseconds(self) -> int:
        """Whole milliseconds since the loop was made."""
        return self._nanoseconds // 1_000_000

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Call a function at once: a thread would take time that is not counted."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _move(self, seconds: float) -> None:
        self._nanoseconds += math.ceil(seconds * 1_000_000_000)


def run_still(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own whose time is counted, and return its result."""
    with asyncio.Runner(loop_factory=StillLoop) as runner:
        return runner.run(coroutine)


class LoopClock:
    """The machine's clock for what runs on a `StillLoop`: it moves as the loop's time does."""

    def __init__(self, start: int, loop: StillLoop | None = None) -> None:
        """Show `start`, in milliseconds since the epoch, when the loop is made; without one it is the loop that runs."""
        self._start = start
        self._loop = loop

    def now(self) -> int:
        """Return the time in milliseconds since the Unix epoch."""
        loop = self._loop or asyncio.get_running_loop()
        assert isinstance(loop, StillLoop)
        return self._start + loop.milliseconds()
