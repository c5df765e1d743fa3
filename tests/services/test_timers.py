"""What falls due runs in order, whether a request comes or not, and requests get their turn meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

from mock_server.domain.clock import OrganisationClock
from mock_server.domain.journal import ExchangeEntry
from mock_server.domain.json_text import EMPTY_OBJECT
from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step, Worker
from mock_server.services.signals import Signals
from tests.corpus.still_loop import run_still
from tests.services.parts import SECOND, START, entries, event_kinds, parts, world


def test_new_scripts_change_nothing_that_was_due_before() -> None:
    """What was due under the old scripts happens first."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(90 * SECOND)
    mock.admin("set_worker", Worker((Step(Do.ACK),)))

    assert mock.state(action) == ("ack_wait", 1)


def test_a_signal_to_an_action_with_a_long_past_lets_other_requests_have_their_turn() -> None:
    """10,000 leases of a second are caught up in pieces; the ack comes after all of them."""
    store, timers, ingress = parts()
    organisation = store.organisation("42")
    organisation.worker = Worker((Step(Do.HOLD, lease=SECOND),))
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def ack() -> None:
        organisation.clock = OrganisationClock(frozen_at=START)
        action = await ingress.accept("42", "v", EMPTY_OBJECT, metadata=b"", tags=(), version=None)
        organisation.clock = OrganisationClock(frozen_at=START + 10_000 * SECOND)
        other = asyncio.create_task(take_turns())
        await Signals(store, timers).ack("42", action.id, 10_000)
        other.cancel()

    run_still(ack())
    assert turns >= 50


def test_the_same_calls_on_a_frozen_clock_leave_the_same_journal() -> None:
    """The machine's clock makes no difference, but for how long answers took: ids and times are the same."""

    def journal(machine: int) -> list[tuple[Any, ...]]:
        mock = world(seed=3)
        mock.clock.advance(machine)
        mock.admin("clock.set", frozen=True, to=START)
        for number in range(20):
            action = mock.accept(payload=number)["a_id"]
            if number % 3 == 0:
                mock.signal("nack", action)
            mock.admin("clock.advance", 7 * SECOND)
            mock.clock.advance(machine)
        return [e._replace(seconds=0) if isinstance(e, ExchangeEntry) else e for e in entries(mock)]

    assert journal(0) == journal(12_345)


def test_what_falls_due_on_a_running_clock_happens_without_a_request() -> None:
    """With leases of 50 ms, and a step after 20 ms beside a lease that ends later, the journal has all events in time."""
    store, _, ingress = parts()
    organisation = store.organisation("42")
    slow = (Step(Do.HOLD, lease=50),)
    organisation.worker = Worker(slow, {"quick": (Step(Do.ACK, after=20),)})

    async def accept() -> None:
        for variant in ("slow", "quick"):
            await ingress.accept("42", variant, EMPTY_OBJECT, metadata=b"", tags=(), version=None)
        await asyncio.sleep(0.3)

    run_still(accept())
    assert event_kinds(organisation)[:7] == [
        *(Event.ACCEPT, Event.DELIVER, Event.HAND_OFF, Event.ACCEPT, Event.DELIVER),
        *(Event.ACK, Event.EXPIRE),
    ]
