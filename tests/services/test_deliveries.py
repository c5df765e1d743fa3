"""Calls, without a network: what becomes of them when the caller itself fails, and who is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mock_server.adapters.clocks import ManualClock
from mock_server.adapters.id_suffixes import IdSuffixes
from mock_server.adapters.process_pool import PebbleProcessPool
from mock_server.domain.clock import OrganisationClock
from mock_server.domain.destinations import Kind
from mock_server.domain.interpretations import Interpretations
from mock_server.domain.json_text import Json
from mock_server.domain.webhook_answers import Reply
from mock_server.services.administration import Administration
from mock_server.services.deliveries import MAX_CALLS_TO_ONE, Deliveries
from mock_server.services.ingress import Ingress
from mock_server.services.payloads import PayloadSchemas
from mock_server.services.timers import Timers
from mock_server.storage.memory import MemoryStore


class _Caller:
    """Answers after a moment, or fails as no caller should."""

    def __init__(self, seconds: float = 0.0, failure: Exception | None = None) -> None:
        self.seconds, self.failure, self.calls = seconds, failure, 0

    async def prepare(self) -> None:
        pass

    def why_not_called(self, url: str) -> str:
        return ""

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure
        return Reply(200, (("x-arklow-signaling", "ack"),), b"", True, None)

    async def close(self) -> None:
        pass


class _Mock:
    """The services around a caller, with a webhook for variant v."""

    def __init__(self, caller: _Caller) -> None:
        store = MemoryStore(1_000, 1 << 20, journal_limit=1_000, suffix=IdSuffixes().of, seed=0)
        self.timers = Timers(store, ManualClock(), Deliveries(caller))
        self.process_pool = PebbleProcessPool()
        self.ingress = Ingress(
            store,
            self.timers,
            PayloadSchemas(self.process_pool),
            Interpretations(unknown_variant="made on the fly"),
        )
        self.administration = Administration(store, self.timers)
        self.organisation = store.organisation("42")
        self.organisation.clock = OrganisationClock(frozen_at=self.timers.machine_now())

    async def link(self) -> None:
        """Let the actions of variant v be called about."""
        await self.accept()
        await self.administration.destinations.put("42", "d", Kind.WEBHOOK, {"url": "http://localhost/"})
        await self.administration.destinations.set_links("42", "v", ["d"], default=None)

    async def accept(self) -> str:
        """The id of a new action."""
        action = await self.ingress.accept("42", "v", Json(b"1"), metadata=b"", tags=(), version=None)
        return action.id

    def status(self, action_id: str) -> str:
        """An action's public state."""
        action = self.organisation.action(action_id)
        assert action is not None
        return action.state.status.value


def test_a_caller_that_fails_as_none_should_stops_neither_clock_nor_line() -> None:
    """Each action is tried again, the failure is told of, and who waited has its turn."""

    async def go() -> None:
        mock = _Mock(_Caller(failure=RuntimeError("a fault")))
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        await mock.link()
        ids = [await mock.accept() for _ in range(2 * MAX_CALLS_TO_ONE)]
        await asyncio.wait_for(mock.administration.clock.advance("42", 0), 10)

        assert {mock.status(name) for name in ids} == {"retrying"}
        assert len(told) == len(ids)
        mock.process_pool.close()

    asyncio.run(go())


def test_a_moved_clock_waits_for_the_calls_before_it_and_for_its_own() -> None:
    """Not for those of work that keeps coming in, which would have no end."""

    async def go() -> None:
        mock = _Mock(_Caller(seconds=0.1))
        await mock.link()
        first = await mock.accept()
        stop = False

        async def traffic() -> None:
            while not stop:
                await mock.accept()
                await asyncio.sleep(0.02)

        beside = asyncio.create_task(traffic())
        await asyncio.sleep(0.05)
        await asyncio.wait_for(mock.administration.clock.advance("42", 1_000), 10)
        assert mock.status(first) == "succeeded"
        stop = True
        await beside
        mock.process_pool.close()

    asyncio.run(go())


@pytest.mark.parametrize("command", ["reset", "restore", "fork"])
def test_an_organisation_that_became_another_has_room_at_once(command: str) -> None:
    """The calls that were given up are out of the books before anything else begins."""

    async def go() -> None:
        caller = _Caller(seconds=0.2)
        mock = _Mock(caller)
        await mock.link()
        mock.administration.snapshots.take("42", "s")
        for _ in range(MAX_CALLS_TO_ONE):
            await mock.accept()
        await asyncio.sleep(0.05)
        if command == "reset":
            await mock.administration.reset("42", frozen=True)
            await mock.link()
        elif command == "restore":
            await mock.administration.snapshots.restore("42", "s")
        else:
            await mock.administration.snapshots.fork("42", "43", "s")
            await mock.administration.snapshots.fork("43", "42", None)
        assert mock.status(await mock.accept()) == "running"
        await mock.administration.clock.advance("42", 0)
        mock.process_pool.close()

    asyncio.run(go())
