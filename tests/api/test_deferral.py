"""POST /v1/defer: custody of an action, and what follows from it (B140 to B145)."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step
from tests.api.asgi import World
from tests.api.lives import (
    DAY,
    MINUTE,
    SECOND,
    available,
    listed,
    story,
    wire,
    world,
)

YEAR = 365 * 86_400


def _deferred() -> tuple[World, str]:
    """Make an action whose attempt 0 is deferred 10 s after acceptance."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(10 * SECOND)
    assert mock.signal("defer", action) == (200, "")
    return mock, action


def test_a_defer_takes_custody() -> None:
    """B140, B122, B145, Q25: the answer is that of every signal; the action waits unsettled for a minute."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(10 * SECOND)

    reply = mock.call("POST", "/v1/defer", {"action_record_id": action, "attempt": 0})

    assert (reply.status, reply.json) == (200, {"data": {"status": "ok"}})
    assert story(mock, action)[-1] == ("deferred", "ack_wait", 0)
    assert available(mock, action) == 70 * SECOND


def test_deferred_work_counts_as_unsettled() -> None:
    """B145: the action is listed as `ack_wait`, and is not complete."""
    mock, action = _deferred()

    assert listed(mock, "?status=ack_wait") == ([action], 1)
    assert mock.record(action)["state"]["completed_at"] is None


def test_after_a_defer_nothing_is_redelivered() -> None:
    """B141: no next attempt begins, however long custody lasts."""
    mock, action = _deferred()
    for _ in range(5):
        assert mock.signal("modack", action, 0, mod_ack=60) == (200, "")
        mock.clock.advance(MINUTE - 1)

    assert mock.state(action) == ("ack_wait", 0)
    mock.clock.advance(DAY)
    assert mock.state(action) == ("succeeded", 0)
    assert [kind for kind, *_ in story(mock, action)].count("delivered") == 1


@pytest.mark.parametrize("name", ["ack", "nack", "modack", "defer"])
def test_the_deferred_attempt_stays_the_authoritative_one(name: str) -> None:
    """B141, B120: no other attempt has begun, so signals must name this one."""
    mock, action = _deferred()
    before = mock.record(action)

    assert mock.signal(name, action, 1, mod_ack=60) == (409, "FUTURE_ATTEMPT")
    assert mock.record(action) == before


@pytest.mark.parametrize(
    ("at", "shown"),
    [(59_999, ("ack_wait", 0)), (60_000, ("succeeded", 0)), (60_001, ("succeeded", 0))],
)
def test_a_deferred_lease_that_runs_out_means_done(at: int, shown: tuple[str, int]) -> None:
    """B142, C11, Q25: the action has succeeded at the deadline, and is not redelivered."""
    mock, action = _deferred()
    mock.clock.advance(at)

    assert mock.state(action) == shown


def test_what_ran_out_in_custody_is_complete_at_its_deadline() -> None:
    """B142, B080: also when the record is read later; there is no error message."""
    mock, action = _deferred()
    mock.clock.advance(3_600 * SECOND)

    state = mock.record(action)["state"]
    assert (state["completed_at"], state["error_message"]) == (wire(70 * SECOND), None)
    assert story(mock, action)[-2:] == [("deferred", "ack_wait", 0), ("expired", "succeeded", 0)]
    assert mock.signal("ack", action) == (409, "FINISHED_ACTION")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"terms": {}},
        {"terms": {"retry": True}},
        {"terms": {"retry": False}},
        {"terms": {"retry_at": 1_700_000_020}},
        {"terms": {"retry": False, "retry_at": 1_700_000_020}},
    ],
)
def test_a_deferred_action_is_not_given_back(members: dict[str, Any]) -> None:
    """B143, Q7: a nack is a 409 whatever its terms, and no member of the record changes."""
    mock, action = _deferred()
    before = mock.record(action)

    assert mock.signal("nack", action, **members) == (409, "DEFERRED_ACTION")
    assert mock.record(action) == before


def test_silence_is_no_rejection_either() -> None:
    """B143, C11: after a day without a signal the action has not failed."""
    mock, action = _deferred()
    mock.clock.advance(DAY)

    assert mock.state(action) == ("succeeded", 0)


def test_a_modack_extends_custody() -> None:
    """B144, B125, Q8: the new deadline counts from now, later or earlier than the old one."""
    mock, action = _deferred()

    assert mock.modack(action, 0, 300) == (200, "")
    assert available(mock, action) == 310 * SECOND
    assert mock.modack(action, 0, 1) == (200, "")
    assert available(mock, action) == 11 * SECOND
    assert story(mock, action)[-1] == ("extended", "ack_wait", 0)


def test_an_ack_ends_custody_in_success() -> None:
    """B144, B127: the action is complete at once."""
    mock, action = _deferred()

    assert mock.signal("ack", action) == (200, "")
    assert story(mock, action)[-1] == ("acked", "succeeded", 0)


def test_a_second_defer_changes_nothing() -> None:
    """B140, B141: the attempt holds custody already; our choice."""
    mock, action = _deferred()
    mock.modack(action, 0, 300)
    before = mock.record(action)
    mock.clock.advance(SECOND)

    assert mock.signal("defer", action) == (200, "")
    assert mock.record(action) == before


def test_custody_does_not_outlive_the_action() -> None:
    """B136, B142, C11: at the end of the lifetime the lease is over, which means done."""
    mock, action = _deferred()
    assert mock.modack(action, 0, YEAR) == (200, "")
    assert available(mock, action) == DAY
    mock.clock.advance(DAY - 10 * SECOND - 1)
    assert mock.state(action) == ("ack_wait", 0)
    mock.clock.advance(1)

    assert mock.state(action) == ("succeeded", 0)


def test_a_timeout_that_is_brought_forward_ends_custody_in_the_same_way() -> None:
    """B143, C11: also when the admin plane ends the lifetime."""
    mock, action = _deferred()
    mock.admin("end_attempt", action, Event.TIME_OUT)

    assert story(mock, action)[-1] == ("timed_out", "succeeded", 0)


def test_the_first_lease_of_a_late_defer_ends_with_the_action() -> None:
    """B136, Q25: custody lasts a minute, or until the timeout if that is nearer."""
    mock = world(Step(Do.HOLD, lease=2 * DAY))
    action = mock.accept()["a_id"]
    mock.clock.advance(DAY - 10 * SECOND)

    assert mock.signal("defer", action) == (200, "")
    assert available(mock, action) == DAY


def test_a_worker_that_defers_leaves_the_same_custody() -> None:
    """B140 to B144: a deferral by the built-in worker leads to the same state."""
    mock = world(Step(Do.DEFER))
    given, kept = (mock.accept()["a_id"] for _ in range(2))

    assert mock.signal("nack", given) == (409, "DEFERRED_ACTION")
    assert mock.signal("ack", given) == (200, "")
    mock.clock.advance(MINUTE)
    assert mock.state(kept) == ("succeeded", 0)
    assert [kind for kind, *_ in story(mock, kept)] == ["accepted", "delivered", "deferred", "expired"]


def test_a_later_attempt_can_be_deferred_and_an_earlier_one_cannot() -> None:
    """B120, B140, B141: custody is of the current attempt."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(MINUTE)

    assert mock.signal("defer", action, 0) == (409, "STALE_ATTEMPT")
    assert mock.signal("defer", action, 1) == (200, "")
    mock.clock.advance(MINUTE)
    assert mock.state(action) == ("succeeded", 1)
