"""Clocks for the servers of the tests: the machine's, and a virtual one on which time passes only where something waits."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

FIRST_TIME = 1_800_000_000.0
"""Seconds since 1970 where every virtual clock begins: a whole number, so that times compare exactly."""


class Clock(Protocol):
    """Time as a server of the tests needs it."""

    def unix_time(self) -> float:
        """Return the seconds since 1970."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when `seconds` have passed."""
        ...

    def pause(self, seconds: float) -> None:
        """Return when `seconds` have passed, in which other requests of the same moment go on."""
        ...


class MachineClock:
    """The clock of this machine; other threads go on while one waits."""

    def unix_time(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    pause = wait


class TimedOut(BaseException):
    """The client gave the answer up while the server waited; no handler of the server may catch it."""


class VirtualClock:
    """A clock on which time passes only while something waits; it serves a client, its server, or both at once."""

    def __init__(self, start: float = FIRST_TIME) -> None:
        self._start = start
        self._passed = 0.0
        self.waits: list[float] = []
        """Seconds of each wait."""
        self._limits = threading.local()
        self._turns: _Turns | None = None

    def now(self) -> float:
        """Return the seconds since the clock was made."""
        return self._passed

    def unix_time(self) -> float:
        """Return the seconds since 1970."""
        return self._start + self._passed

    def wait(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            TimedOut: the client gives up before; the time is then that moment.
        """
        self.waits.append(seconds)
        self.reach(self._passed + max(0.0, seconds))

    def pause(self, seconds: float) -> None:
        """Let time pass, in which the other calls of `together` have their turn."""
        if self._turns is None:
            self.wait(seconds)
        else:
            self.pause_until(self._passed + seconds)

    def pause_until(self, moment: float) -> None:
        """Let time pass until a moment, in which the other calls of `together` have their turn.

        Raises:
            TimedOut: the client gives up before; the time is then that moment.
        """
        if self._turns is not None and moment > self._passed:
            self._turns.sleep(min(moment, self._limit))
        self.reach(moment)

    def reach(self, moment: float) -> None:
        """Let time pass until a moment, which may be over already.

        Raises:
            TimedOut: the client gives up before.
        """
        limit = self._limit
        self._passed = max(self._passed, min(moment, limit))
        if moment > limit:
            raise TimedOut

    @property
    def _limit(self) -> float:
        """When the client of this thread gives up."""
        return float(self._limits.__dict__.get("at", math.inf))

    @contextmanager
    def limited(self, moment: float) -> Iterator[None]:
        """Have whatever waits in this thread beyond a moment given up then."""
        self._limits.at = moment
        try:
            yield
        finally:
            del self._limits.at

    def together(self, calls: Sequence[Callable[[], None]]) -> None:
        """Make calls at the same moment: one runs until it pauses, then the next one goes on, always in the same order."""
        self._turns = _Turns(self, calls)
        try:
            self._turns.run()
        finally:
            self._turns = None


class _Turns:
    """Calls in threads of their own, of which one alone runs at any time; so they meet in the same way each time."""

    def __init__(self, clock: VirtualClock, calls: Sequence[Callable[[], None]]) -> None:
        self._clock = clock
        self._over = threading.Semaphore(0)
        """Released when the call that runs pauses or ends."""
        self._turn = [threading.Semaphore(0) for _ in calls]
        self._wakes = dict.fromkeys(range(len(calls)), clock.now())
        """Index of each call that has not ended → when it goes on."""
        self._running = -1
        self._threads = [
            threading.Thread(target=self._call, args=(index, call), daemon=True)
            for index, call in enumerate(calls)
        ]

    def run(self) -> None:
        """Give each call its turn until all have ended."""
        for thread in self._threads:
            thread.start()
        while self._wakes:
            self._running = min(self._wakes, key=lambda index: (self._wakes[index], index))
            self._clock.reach(self._wakes[self._running])
            self._turn[self._running].release()
            self._over.acquire()
        for thread in self._threads:
            thread.join()

    def sleep(self, until: float) -> None:
        """Let the others go on; called by the call whose turn it is."""
        index = self._running
        self._wakes[index] = until
        self._over.release()
        self._turn[index].acquire()

    def _call(self, index: int, call: Callable[[], None]) -> None:
        self._turn[index].acquire()
        try:
            call()
        finally:
            del self._wakes[index]
            self._over.release()


__all__ = ["FIRST_TIME", "Clock", "MachineClock", "TimedOut", "VirtualClock"]
