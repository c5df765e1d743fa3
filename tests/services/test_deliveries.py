"""Webhook calls without a network: failures of the client itself, and which calls a moved clock waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mock_server.adapters.clocks import ManualClock
from mock_server.adapters.id_suffixes import IdSuffixes
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
from tests.corpus.still_loop import run_still
from tests.pools import PoolHere


class _Caller:
    """A client that answers with an ack after some seconds, or fails as none should."""

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
    """The services around a client, with a webhook for variant v."""

    def __init__(self, caller: _Caller) -> None:
        store = MemoryStore(1_000, 1 << 20, journal_limit=1_000, suffix=IdSuffixes().of, seed=0)
        self.timers = Timers(store, ManualClock(), Deliveries(caller))
        self.ingress = Ingress(
            store,
            self.timers,
            PayloadSchemas(PoolHere()),
            Interpretations(unknown_variant="made on the fly"),
        )
        self.administration = Administration(store, self.timers)
        self.organisation = store.organisation("42")
        self.organisation.clock = OrganisationClock(frozen_at=self.timers.machine_now())

    async def link(self) -> None:
        """Have a webhook called for actions of variant v."""
        await self.accept()
        await self.administration.destinations.put("42", "d", Kind.WEBHOOK, {"url": "http://localhost/"})
        await self.administration.destinations.set_links("42", "v", ["d"], default=None)

    async def accept(self) -> str:
        """Post work, and return the id of its action."""
        action = await self.ingress.accept("42", "v", Json(b"1"), metadata=b"", tags=(), version=None)
        return action.id

    def status(self, action_id: str) -> str:
        """An action's public state."""
        action = self.organisation.action(action_id)
        assert action is not None
        return action.state.status.value


def test_an_unexpected_failure_of_the_client_stops_neither_the_clock_nor_the_queue() -> None:
    """Each action gets another attempt, each failure is reported, and waiting actions get their turn."""

    async def run() -> None:
        mock = _Mock(_Caller(failure=RuntimeError("a fault")))
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        await mock.link()
        ids = [await mock.accept() for _ in range(2 * MAX_CALLS_TO_ONE)]
        await asyncio.wait_for(mock.administration.clock.advance("42", 0), 10)

        assert {mock.status(name) for name in ids} == {"retrying"}
        assert len(reported) == len(ids)

    run_still(run())


def test_a_moved_clock_waits_for_earlier_calls_and_for_those_that_it_begins() -> None:
    """It does not wait for calls of work that keeps coming in, which would have no end."""

    async def run() -> None:
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

    run_still(run())


@pytest.mark.parametrize("command", ["reset", "restore", "fork"])
def test_a_reset_or_restored_organisation_has_room_for_calls_at_once(command: str) -> None:
    """Cancelled calls no longer count when the next one begins."""

    async def run() -> None:
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

    run_still(run())
