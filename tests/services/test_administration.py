"""The commands of the admin plane, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from mock_server.adapters.clocks import SystemClock
from mock_server.adapters.id_suffixes import IdSuffixes
from mock_server.adapters.process_pool import PebbleProcessPool
from mock_server.adapters.webhook_client import WebhookClient
from mock_server.domain.clock import OrganisationClock
from mock_server.domain.errors import ClockGoesBack, TooMuchDue, UnknownSnapshot
from mock_server.domain.interpretations import Interpretations
from mock_server.domain.journal import ExchangeEntry, TransitionEntry
from mock_server.domain.json_text import EMPTY_OBJECT
from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step, Worker
from mock_server.services.administration import Administration
from mock_server.services.deliveries import Deliveries
from mock_server.services.ingress import Ingress
from mock_server.services.payloads import PayloadSchemas
from mock_server.services.signals import Signals
from mock_server.services.timers import Timers
from mock_server.storage.memory import MemoryStore
from tests.api.asgi import World

SECOND = 1_000
START = 1_700_000_000_000


def _run(command: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(command)


def _world(**settings: Any) -> World:
    return World(auto_define=True, **settings)


def _transitions(world: World, org_id: str = "42") -> list[tuple[str, int, str]]:
    """Action, time since the start, event."""
    entries = world.app.administration.organisation(org_id).journal.entries()
    return [
        (e.action_id, e.at - START, e.event.kind.value) for e in entries if isinstance(e, TransitionEntry)
    ]


def test_advance_runs_all_that_falls_due_in_order_and_each_at_its_own_time() -> None:
    """Three leases of different lengths, 150 s: every expiry and every redelivery in between, by time."""
    world = _world()
    world.admin("clock.set", frozen=True, to=START)
    ids = [world.accept()["a_id"] for _ in range(3)]
    world.modack(ids[0], 0, 100)
    world.modack(ids[2], 0, 10)
    seen = len(_transitions(world))

    assert world.admin("clock.advance", 150 * SECOND) == 6
    lost = [(name, at) for name, at, event in _transitions(world)[seen:] if event == "expired"]
    assert lost == [
        (ids[2], 10 * SECOND),
        (ids[1], 60 * SECOND),
        (ids[2], 70 * SECOND),
        (ids[0], 100 * SECOND),
        (ids[1], 120 * SECOND),
        (ids[2], 130 * SECOND),
    ]


def test_advance_leaves_nothing_due() -> None:
    """A worker that gives everything back at once is asked again until the time is reached."""
    world = _world()
    world.admin("clock.set", frozen=True, to=START)
    world.admin("set_worker", Worker((Step(Do.NACK, retry_after=SECOND),)))
    action = world.accept()["a_id"]
    world.admin("clock.advance", 100 * SECOND)

    assert world.state(action) == ("scheduled", 100)
    assert world.record(action)["state"]["available_at"] == "2023-11-14T22:15:01.000Z"


def test_organisations_never_feel_each_others_clock() -> None:
    """One is a day ahead, one stands, one is reset; the fourth has the machine's time."""
    world = _world()
    ids = {org: world.accept(key=f"org-{org}")["a_id"] for org in ("1", "2", "3", "4")}
    _run(world.app.administration.clock.advance("1", 86_400 * SECOND))
    _run(world.app.administration.clock.set("2", frozen=True, to=None))
    _run(world.app.administration.reset("3"))
    world.clock.advance(90 * SECOND)

    def state(org: str) -> tuple[str, int]:
        shown = world.record(ids[org], key=f"org-{org}", org=org)["state"]
        return shown["status"], shown["attempt"]

    assert state("1") == ("failed", 1_439)
    assert state("2") == ("ack_wait", 0)
    assert state("4") == ("ack_wait", 1)


def test_a_clock_goes_back_only_where_nothing_was_accepted() -> None:
    """A fresh organisation may begin in any year."""
    world = _world()
    world.admin("clock.set", frozen=True, to=946_684_800_000)
    action = world.accept()["a_id"]
    assert world.record(action)["state"]["updated_at"] == "2000-01-01T00:00:00.000Z"

    with pytest.raises(ClockGoesBack):
        world.admin("clock.set", frozen=True, to=946_684_799_999)


def test_too_much_due_is_said_and_the_rest_runs_next() -> None:
    """A day of 1,440 expiries with a bound of a thousand: an error, and the rest by itself, though the clock stands."""
    store, timers, ingress = _parts()
    administration = Administration(store, timers, most_due=1_000)
    organisation = store.organisation("42")

    async def lives() -> int:
        await administration.clock.set("42", frozen=True, to=START)
        await ingress.accept("42", "v", EMPTY_OBJECT, metadata=b"", tags=(), version=None)
        with pytest.raises(TooMuchDue):
            await administration.clock.advance("42", 86_400 * SECOND)
        before = organisation.journal.last
        await asyncio.sleep(0.2)
        return before

    before = asyncio.run(lives())
    events = [e.event.kind for e in organisation.journal.entries() if isinstance(e, TransitionEntry)]
    assert before < organisation.journal.last
    assert events[-1] is Event.TIME_OUT


def test_exactly_as_much_as_may_fall_due_is_no_error() -> None:
    """The bound itself is allowed."""
    world = _world()
    store = world.app.store
    administration = Administration(
        store, Timers(store, world.clock, Deliveries(WebhookClient())), most_due=10
    )
    world.admin("clock.set", frozen=True, to=START)
    world.accept()

    assert _run(administration.clock.advance("42", 600 * SECOND)) == 10


def test_new_scripts_change_nothing_that_was_due_before() -> None:
    """What the old ones owe happens first, in the past."""
    world = _world()
    action = world.accept()["a_id"]
    world.clock.advance(90 * SECOND)
    world.admin("set_worker", Worker((Step(Do.ACK),)))

    assert world.state(action) == ("ack_wait", 1)


def test_a_signal_to_an_action_with_a_long_past_lets_others_have_their_turn() -> None:
    """A day of leases of a second is caught up in pieces; the settle comes after all of it."""
    store, timers, ingress = _parts()
    organisation = store.organisation("42")
    organisation.worker = Worker((Step(Do.HOLD, lease=SECOND),))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def lives() -> None:
        organisation.clock = OrganisationClock(frozen_at=START)
        action = await ingress.accept("42", "v", EMPTY_OBJECT, metadata=b"", tags=(), version=None)
        organisation.clock = OrganisationClock(frozen_at=START + 10_000 * SECOND)
        other = asyncio.create_task(others())
        await Signals(store, timers).ack("42", action.id, 10_000)
        other.cancel()

    asyncio.run(lives())
    assert turns >= 50


def _parts() -> tuple[MemoryStore, Timers, Ingress]:
    store = MemoryStore(10, 1 << 20, journal_limit=100, suffix=IdSuffixes().of, seed=0)
    timers = Timers(store, SystemClock(), Deliveries(WebhookClient()))
    return (
        store,
        timers,
        Ingress(
            store,
            timers,
            PayloadSchemas(PebbleProcessPool()),
            Interpretations(unknown_variant="made on the fly"),
        ),
    )


def test_a_restored_clock_stands_where_it_stood_and_leases_hold_again() -> None:
    """The whole organisation goes back: actions, attempts, time, ids to come."""
    world = _world()
    world.admin("clock.set", frozen=True, to=START)
    action = world.accept()["a_id"]
    world.admin("snapshots.take", "s")
    world.admin("clock.advance", 600 * SECOND)
    later = world.accept()["a_id"]
    assert world.state(action)[1] == 10
    world.admin("snapshots.restore", "s")

    assert world.state(action) == ("ack_wait", 0)
    assert world.modack(action, 0) == (200, "")
    assert world.modack(later, 0) == (404, "UNKNOWN_ACTION")
    world.admin("clock.advance", 600 * SECOND)
    assert world.accept()["a_id"] == later


def test_an_unknown_snapshot_is_named_with_those_there_are() -> None:
    """The error says what would pass."""
    world = _world()
    world.admin("snapshots.take", "one")

    with pytest.raises(UnknownSnapshot, match=r"expected a snapshot of organisation 42 \(one\), got 'two'"):
        world.admin("snapshots.restore", "two")


def test_the_journal_tells_requests_with_their_answers_in_order() -> None:
    """What came, what was answered, and what it did, numbered from 1."""
    world = _world()
    action = world.accept(payload={"a": 1})["a_id"]
    world.signal("ack", action)
    entries = list(world.app.administration.organisation("42").journal.entries())

    assert [entry.number for entry in entries] == list(range(1, 7))
    assert [type(entry) for entry in entries] == [TransitionEntry] * 3 + [
        ExchangeEntry,
        TransitionEntry,
        ExchangeEntry,
    ]
    answered = entries[3]
    assert isinstance(answered, ExchangeEntry)
    assert (answered.method, answered.path, answered.body, answered.status) == (
        "POST",
        "/v1/ingress/v",
        b'{"payload": {"a": 1}}',
        200,
    )
    assert action.encode() in answered.answer


def test_the_journal_is_bounded_and_its_numbers_go_on() -> None:
    """The oldest entries go first."""
    world = _world(journal=5)
    for _ in range(10):
        world.accept()
    entries = list(world.app.administration.organisation("42").journal.entries())

    assert entries[-1].number == 40
    assert len({entry.number for entry in entries}) == len(entries) <= 5 * 3


def test_the_same_calls_on_a_clock_that_stands_leave_the_same_journal() -> None:
    """Whatever the machine's clock shows: entry by entry, ids and times included; how long answers took is the machine's."""

    def journal(machine: int) -> list[tuple[Any, ...]]:
        world = _world(seed=3)
        world.clock.advance(machine)
        world.admin("clock.set", frozen=True, to=START)
        for number in range(20):
            action = world.accept(payload=number)["a_id"]
            if number % 3 == 0:
                world.signal("nack", action)
            world.admin("clock.advance", 7 * SECOND)
            world.clock.advance(machine)
        entries = world.app.administration.organisation("42").journal.entries()
        return [e._replace(seconds=0) if isinstance(e, ExchangeEntry) else e for e in entries]

    assert journal(0) == journal(12_345)


def test_what_falls_due_on_a_real_clock_happens_without_a_look() -> None:
    """Leases of 50 ms, and a step after 20 ms beside a lease that ends later: nobody asks, and the journal has all of
    it in time."""
    store, _, ingress = _parts()
    organisation = store.organisation("42")
    slow = (Step(Do.HOLD, lease=50),)
    organisation.worker = Worker(slow, {"quick": (Step(Do.ACK, after=20),)})

    async def lives() -> None:
        for variant in ("slow", "quick"):
            await ingress.accept("42", variant, EMPTY_OBJECT, metadata=b"", tags=(), version=None)
        await asyncio.sleep(0.3)

    asyncio.run(lives())
    events = [e.event.kind for e in organisation.journal.entries() if isinstance(e, TransitionEntry)]
    assert events[:7] == [
        *(Event.ACCEPT, Event.DELIVER, Event.HAND_OFF, Event.ACCEPT, Event.DELIVER),
        *(Event.ACK, Event.EXPIRE),
    ]
