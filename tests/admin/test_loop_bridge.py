"""From a thread to the event loop and back: results, errors, the limit, and the end of the mock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from mock_server.admin.loop_bridge import LIMIT, LoopBridge
from mock_server.api.errors import Refused
from tests.waiting import PATIENCE


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(PATIENCE)
    made.close()


async def _five() -> int:
    return 5


async def _for_ever() -> None:
    await asyncio.Event().wait()


def test_a_result_comes_back_and_so_does_an_error(loop: asyncio.AbstractEventLoop) -> None:
    """A timeout of the command itself is an error like any other."""

    async def fail(error: Exception) -> None:
        raise error

    bridge = LoopBridge(loop, PATIENCE)

    assert bridge.run(_five) == 5
    for error in (ZeroDivisionError("a"), TimeoutError("b")):
        with pytest.raises(type(error), match=str(error)):
            bridge.run(lambda error=error: fail(error))  # type: ignore[misc]


def test_a_caller_is_refused_when_the_limit_is_over(loop: asyncio.AbstractEventLoop) -> None:
    """The message has the limit; by default that is two minutes."""
    with pytest.raises(Refused) as refused:
        LoopBridge(loop, 0.01).run(_for_ever)

    assert (refused.value.code, refused.value.message) == (
        "TIMED_OUT",
        "mock: expected an end within 0.01 s, got none yet; the command goes on",
    )
    assert LIMIT == 120


def test_a_command_under_way_is_refused_at_the_end(loop: asyncio.AbstractEventLoop) -> None:
    """And so is each that comes later, which is not begun."""
    bridge = LoopBridge(loop, PATIENCE)
    begun = threading.Event()
    refusals: list[Refused] = []

    async def wait() -> None:
        begun.set()
        await _for_ever()

    def call() -> None:
        with pytest.raises(Refused) as refused:
            bridge.run(wait)
        refusals.append(refused.value)

    caller = threading.Thread(target=call)
    caller.start()
    assert begun.wait(PATIENCE)
    bridge.close()
    caller.join(PATIENCE)
    begun.clear()
    call()

    assert [one.code for one in refusals] == ["SHUTTING_DOWN"] * 2
    assert {one.message for one in refusals} == {"mock: expected one that runs, got one that is about to end"}
    assert not begun.is_set()


def test_the_loop_calls_functions_until_the_end(loop: asyncio.AbstractEventLoop) -> None:
    """In their order, with their arguments; a loop that is closed is not asked."""
    bridge = LoopBridge(loop, PATIENCE)
    called: list[int] = []
    bridge.call_soon(called.append, 1)
    bridge.call_soon(called.append, 2)
    bridge.run(_five)
    bridge.close()
    bridge.call_soon(called.append, 3)
    asyncio.run_coroutine_threadsafe(_five(), loop).result(PATIENCE)

    assert called == [1, 2]
