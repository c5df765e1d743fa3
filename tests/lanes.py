"""The two lanes of the tests: a test that is not marked `slow` starts no process.

`make test` runs the fast lane, which is the same under any load; `make test-slow` runs the other one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

SLOW = "slow"
"""The marker of tests that need real processes, browsers, or sockets over which whole runs go."""


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

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Fail where a fast test starts a process; Python calls this for every audited event."""
        if event == "subprocess.Popen" and self._fast is not None:
            raise ProcessStarted(f"{self._fast} starts {arguments[0]}: mark it {SLOW}, or start no process")


__all__ = ["SLOW", "Lanes", "ProcessStarted"]
