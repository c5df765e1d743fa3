"""Moving an organisation's clock: what falls due on the way, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from mock_server.adapters.webhook_client import WebhookClient
from mock_server.domain.errors import ClockGoesBack, TooMuchDue
from mock_server.domain.journal import TransitionEntry
from mock_server.domain.json_text import EMPTY_OBJECT
from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step, Worker
from mock_server.services.administration import Administration
from mock_server.services.deliveries import Deliveries
from mock_server.services.timers import Timers
from tests.api.asgi import World
from tests.corpus.still_loop import run_still
from tests.services.parts import SECOND, START, entries, event_kinds, parts, world


def _run(command: Coroutine[Any, Any, Any]) -> Any:
    return run_still(command)


def _transitions(mock: World) -> list[tuple[str, int, str]]:
    """(action id, milliseconds since the start, event) of each event."""
    return [
        (e.action_id, e.at - START, e.event.kind.value)
        for e in entries(mock)
        if isinstance(e, TransitionEntry)
    ]


def test_advance_runs_all_that_falls_due_in_order_and_each_at_its_own_time() -> None:
    """With three leases of different lengths, 150 s have six expiries, each at its time, each followed by an attempt."""
    mock = world()
    mock.admin("clock.set", frozen=True, to=START)
    ids = [mock.accept()["a_id"] for _ in range(3)]
    mock.modack(ids[0], 0, 100)
    mock.modack(ids[2], 0, 10)
    seen = len(_transitions(mock))

    assert mock.admin("clock.advance", 150 * SECOND) == 6
    expired = [(name, at) for name, at, event in _transitions(mock)[seen:] if event == "expired"]
    assert expired == [
        (ids[2], 10 * SECOND),
        (ids[1], 60 * SECOND),
        (ids[2], 70 * SECOND),
        (ids[0], 100 * SECOND),
        (ids[1], 120 * SECOND),
        (ids[2], 130 * SECOND),
    ]


def test_advance_leaves_nothing_due() -> None:
    """A worker that gives every attempt back gets the next ones until the time is reached."""
    mock = world()
    mock.admin("clock.set", frozen=True, to=START)
    mock.admin("set_worker", Worker((Step(Do.NACK, retry_after=SECOND),)))
    action = mock.accept()["a_id"]
    mock.admin("clock.advance", 100 * SECOND)

    assert mock.state(action) == ("scheduled", 100)
    assert mock.record(action)["state"]["available_at"] == "2023-11-14T22:15:01.000Z"


def test_each_organisation_has_a_clock_of_its_own() -> None:
    """One is a day ahead, one is frozen, one is reset; the fourth has the machine's time."""
    mock = world()
    ids = {org: mock.accept(key=f"org-{org}")["a_id"] for org in ("1", "2", "3", "4")}
    _run(mock.app.administration.clock.advance("1", 86_400 * SECOND))
    _run(mock.app.administration.clock.set("2", frozen=True, to=None))
    _run(mock.app.administration.reset("3"))
    mock.clock.advance(90 * SECOND)

    def state(org: str) -> tuple[str, int]:
        found = mock.record(ids[org], key=f"org-{org}", org=org)["state"]
        return found["status"], found["attempt"]

    assert state("1") == ("failed", 1_439)
    assert state("2") == ("ack_wait", 0)
    assert state("4") == ("ack_wait", 1)


def test_a_clock_goes_back_only_where_no_work_was_accepted() -> None:
    """A fresh organisation may begin in any year."""
    mock = world()
    mock.admin("clock.set", frozen=True, to=946_684_800_000)
    action = mock.accept()["a_id"]
    assert mock.record(action)["state"]["updated_at"] == "2000-01-01T00:00:00.000Z"

    with pytest.raises(ClockGoesBack):
        mock.admin("clock.set", frozen=True, to=946_684_799_999)


def test_too_much_due_is_refused_and_the_rest_runs_next() -> None:
    """A day of 1,440 expiries with a bound of 1,000 is an error; the rest runs without a request, on a frozen clock too."""
    store, timers, ingress = parts()
    administration = Administration(store, timers, most_due=1_000)
    organisation = store.organisation("42")

    async def advance() -> int:
        await administration.clock.set("42", frozen=True, to=START)
        await ingress.accept("42", "v", EMPTY_OBJECT, metadata=b"", tags=(), version=None)
        with pytest.raises(TooMuchDue):
            await administration.clock.advance("42", 86_400 * SECOND)
        before = organisation.journal.last
        await asyncio.sleep(0.2)
        return before

    before = run_still(advance())
    assert before < organisation.journal.last
    assert event_kinds(organisation)[-1] is Event.TIME_OUT


def test_exactly_as_much_as_may_fall_due_is_no_error() -> None:
    """The bound itself is allowed."""
    mock = world()
    store = mock.app.store
    timers = Timers(store, mock.clock, Deliveries(WebhookClient()))
    administration = Administration(store, timers, most_due=10)
    mock.admin("clock.set", frozen=True, to=START)
    mock.accept()

    assert _run(administration.clock.advance("42", 600 * SECOND)) == 10
