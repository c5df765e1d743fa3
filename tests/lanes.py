"""The two lanes of the tests: a test that is not marked `slow` starts no process.

`make test` runs the fast lane, which is the same under any load; `make test-slow` runs the other one.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from typing import Any

import pytest

SLOW = "slow"
"""The marker of tests that need real processes, browsers, or sockets over which whole runs go."""
STARTS = frozenset(
    {"subprocess.Popen", "os.system", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.exec"}
)
"""What Python's audit calls the start of a process; those of multiprocessing are not among them."""


class ProcessStarted(AssertionError):  # noqa: N818
    """A fast test has started a process."""


class Lanes:
    """A plugin of pytest that holds fast tests to their lane."""

    def __init__(self) -> None:
        self._fast: str | None = None
        """The fast test that runs now; None while none does."""
        sys.addaudithook(self._hear)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Remember the test while it is set up, runs and is torn down."""
        self._fast = None if item.get_closest_marker(SLOW) else item.nodeid
        try:
            return (yield)
        finally:
            self._fast = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Fail a fast test that leaves a child of multiprocessing behind, such as a pool of workers."""
        before = {child.pid for child in multiprocessing.active_children()}
        result = yield
        started = {child.pid for child in multiprocessing.active_children()} - before
        if started and self._fast is not None:
            raise ProcessStarted(self._complaint("a child of multiprocessing"))
        return result

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Fail where a fast test starts a process; Python calls this for every audited event."""
        if event in STARTS and self._fast is not None:
            raise ProcessStarted(self._complaint(arguments[0] if arguments else event))

    def _complaint(self, what: object) -> str:
        return f"{self._fast} starts {what}: mark it {SLOW}, or start no process"


__all__ = ["SLOW", "Lanes", "ProcessStarted"]
