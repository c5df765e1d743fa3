"""Work in a child process: results and failures come back, and work that takes too long or too much is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from typing import Any

import pebble
import pytest

from mock_server.adapters.process_pool import MEMORY_LIMIT, WAIT_LIMIT, PebbleProcessPool, one_child
from mock_server.api.bodies import as_json
from mock_server.domain.errors import PayloadUndecided
from mock_server.domain.ports import PoolBusy, TookTooLong
from mock_server.services.payloads import PayloadSchemas
from tests.corpus.still_loop import run_still
from tests.services.test_payloads import doubling
from tests.waiting import wait_until

Outcome = Callable[[Future[Any]], None]


class _Pool:
    """Pebble's pool of one child, as far as it is used; each piece of work ends as it is told."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.active = True
        self.given: list[tuple[Any, ...]] = []
        self.futures: list[Future[Any]] = []
        self.ended: list[str] = []

    def schedule(self, function: Any, *, args: list[Any], kwargs: dict[str, Any], timeout: float) -> Any:
        self.given.append((function, args, kwargs, timeout))
        self.futures.append(Future())
        self._outcome(self.futures[-1])
        return self.futures[-1]

    def stop(self) -> None:
        self.ended.append("stop")

    def join(self, timeout: float) -> None:
        self.ended.append("join")


def _fails(error: BaseException) -> Outcome:
    return lambda future: future.set_exception(error)


def _pool(outcome: Outcome) -> tuple[PebbleProcessPool, list[_Pool]]:
    """A pool whose work ends so, and the pools of Pebble that it makes."""
    made: list[_Pool] = []

    def make() -> _Pool:
        made.append(_Pool(outcome))
        return made[-1]

    return PebbleProcessPool(make), made  # type: ignore[arg-type]


def test_work_is_handed_over_with_its_time_and_its_result_comes_back() -> None:
    """One pool of Pebble's serves all work; it is made for the first piece."""
    pool, made = _pool(lambda future: future.set_result(7))
    assert made == []

    assert run_still(pool.run(1.5, max, 3, 7, key=abs)) == 7
    assert run_still(pool.run(2, len, "x")) == 7
    [one] = made
    assert one.given == [(max, [3, 7], {"key": abs}, 1.5), (len, ["x"], {}, 2)]


def test_what_the_work_raises_is_raised() -> None:
    """As it is."""
    pool, _ = _pool(_fails(ZeroDivisionError("division by zero")))

    with pytest.raises(ZeroDivisionError):
        run_still(pool.run(1, divmod, 1, 0))


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (TimeoutError(), "stopped after 2.5 s"),
        (pebble.ProcessExpired("killed"), "its process ended, for the memory it took perhaps"),  # type: ignore[no-untyped-call]
        (BrokenExecutor("All workers expired"), "its process ended, for the memory it took perhaps"),
        (MemoryError(), "its process ended, for the memory it took perhaps"),
        (BrokenPipeError(), "its process ended, for the memory it took perhaps"),
        (EOFError(), "its process ended, for the memory it took perhaps"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_work_that_was_ended_took_too_long(failure: Exception, reason: str) -> None:
    """Or too much memory; the message says what is known."""
    pool, _ = _pool(_fails(failure))

    with pytest.raises(TookTooLong) as error:
        run_still(pool.run(2.5, len, ""))
    assert type(error.value) is TookTooLong
    assert str(error.value) == reason


def test_work_whose_turn_does_not_come_is_taken_back() -> None:
    """The caller waits a minute for it."""
    pool, made = _pool(lambda _: None)

    async def run() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(PoolBusy, match="its turn did not come within 60 s"):
            await pool.run(2, len, "")
        return loop.time() - began

    assert run_still(run()) == pytest.approx(WAIT_LIMIT)
    assert made[0].futures[0].cancelled()


def test_a_pool_has_one_child_that_is_started_anew() -> None:
    """And no copy of this process, whose locks other threads may hold."""
    given: dict[str, Any] = {}

    def make(**arguments: Any) -> Any:
        given.update(arguments)

    one_child(make)
    assert (given["max_workers"], given["context"].get_start_method()) == (1, "spawn")
    assert callable(given["initializer"])


def test_a_pool_that_broke_is_made_anew() -> None:
    """What is left of the old one is ended."""
    pool, made = _pool(lambda future: future.set_result(None))
    run_still(pool.run(1, len, ""))
    made[0].active = False
    run_still(pool.run(1, len, ""))

    assert len(made) == 2
    assert (made[0].ended, made[1].ended) == (["stop", "join"], [])


def test_a_pool_is_ended_once_and_may_be_used_again() -> None:
    """One that did no work has nothing to end."""
    pool, made = _pool(lambda future: future.set_result(None))
    pool.close()
    assert made == []
    run_still(pool.run(1, len, ""))
    pool.close()
    pool.close()
    assert made[0].ended == ["stop", "join"]
    run_still(pool.run(1, len, ""))
    assert len(made) == 2


@pytest.fixture(scope="module")
def children() -> Iterator[PebbleProcessPool]:
    """A pool with a real child process."""
    pool = PebbleProcessPool()
    yield pool
    pool.close()


def _remember(size: int) -> int:
    return len(bytearray(size))


@pytest.mark.slow
def test_a_schema_of_exponential_cost_is_killed_while_requests_go_on(children: PebbleProcessPool) -> None:
    """32 levels of `anyOf` with two references each give no verdict in time, and the event loop goes on meanwhile."""
    schemas = PayloadSchemas(children)

    async def run() -> int:
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        beside = asyncio.create_task(take_turns())
        with pytest.raises(PayloadUndecided, match="within 2 s"):
            await schemas.check(as_json(doubling(32)), as_json("x"))
        beside.cancel()
        return turns

    assert asyncio.run(run()) > 20


@pytest.mark.slow
def test_a_child_ends_at_its_time_or_its_memory_and_another_one_works(children: PebbleProcessPool) -> None:
    """A signal that ends it makes no difference to later work."""
    with pytest.raises(TookTooLong, match=r"stopped after 0\.2 s"):
        asyncio.run(children.run(0.2, time.sleep, 3_600))
    with pytest.raises(TookTooLong, match="memory"):
        asyncio.run(children.run(60, _remember, MEMORY_LIMIT))
    child = asyncio.run(children.run(60, os.getpid))
    os.kill(child, signal.SIGKILL)

    def another() -> int:
        with contextlib.suppress(TookTooLong):  # until the end of the killed one was noticed
            return asyncio.run(children.run(60, os.getpid))
        return 0

    assert wait_until(another, "another child") not in (child, os.getpid())
    assert asyncio.run(children.run(60, os.getpriority, os.PRIO_PROCESS, 0)) >= 10


@pytest.mark.slow
def test_a_schema_that_takes_too_long_to_compile_checks_nothing_and_says_so(
    children: PebbleProcessPool,
) -> None:
    """Tens of thousands of Unicode classes take too long; the PUT is answered all the same."""
    schemas = PayloadSchemas(children)
    schema = as_json({"pattern": r"\w{500}" * 7_000})

    assert "it could not be compiled" in asyncio.run(schemas.why_not_enforced(schema))
