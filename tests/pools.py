"""Process pools for tests whose subject is not the pool: what the mock gives to a process beside it is done here."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class PoolHere:
    """Does at once, in this process, what the mock gives to a process beside it."""

    async def run(self, seconds: float, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `function` returns, or raise what it raises, however long it takes."""
        return function(*arguments, **named)

    def close(self) -> None:
        """Do nothing: there is no process."""


class FailingPool(PoolHere):
    """Fails instead of working, but for the first pieces of work."""

    def __init__(self, failure: Exception, *, after: int = 0) -> None:
        """Raise `failure` for all but the first `after` pieces."""
        self.failure = failure
        self._after = after
        self.asked = 0
        """How many pieces of work came."""

    async def run(self, seconds: float, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Raise the failure, or do the work."""
        self.asked += 1
        if self.asked > self._after:
            raise self.failure
        return await super().run(seconds, function, *arguments, **named)


__all__ = ["FailingPool", "PoolHere"]
