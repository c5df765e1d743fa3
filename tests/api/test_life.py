"""The states that an action goes through, and what the script of the worker makes of it (B070 to B077)."""

from __future__ import annotations

import pytest

from mock_server.domain.states import Event, Status
from mock_server.domain.worker import Do, Step, Worker
from tests.api.asgi import World
from tests.api.lives import (
    DAY,
    MINUTE,
    SECOND,
    SIGNALS,
    available,
    listed,
    said,
    story,
    wire,
    world,
)

ACCEPTED = ("accepted", "queued", 0)
DELIVERED = ("delivered", "running", 0)
HANDED_OFF = ("handed_off", "ack_wait", 0)


def test_each_of_the_nine_public_statuses_is_shown() -> None:
    """B070: eight of them by a record, and all nine by events; `queued` is over when the answer is there."""
    mock = world()
    scripts = {
        "dispatch_wait": Step(Do.WAIT),
        "scheduled": Step(Do.NACK, retry_after=90 * SECOND),
        "retrying": Step(Do.NACK),
        "running": Step(Do.ACK, after=1),
        "ack_wait": Step(Do.HOLD),
        "succeeded": Step(Do.ACK),
        "failed": Step(Do.REJECT),
        "canceled": Step(Do.HOLD),
    }
    mock.admin("set_worker", Worker(variants={variant: (step,) for variant, step in scripts.items()}))
    ids = {variant: mock.accept(variant)["a_id"] for variant in scripts}
    mock.admin("end_attempt", ids["canceled"], Event.CANCEL)

    assert {variant: mock.state(action)[0] for variant, action in ids.items()} == {v: v for v in scripts}
    assert {status for action in ids.values() for _, status, _ in story(mock, action)} == set(Status)


def test_an_action_is_queued_in_the_answer_and_with_the_worker_in_its_record() -> None:
    """B021, B070, B071, Q35: the first event is the acceptance, which left it `queued`."""
    mock = world()
    accepted = mock.accept()

    assert accepted["queue_s"] == "queued"
    assert story(mock, accepted["a_id"]) == [ACCEPTED, DELIVERED, HANDED_OFF]


def test_the_usual_path_goes_over_running_to_succeeded() -> None:
    """B071: it is `running` while the worker works on it."""
    mock = world(Step(Do.ACK, after=5 * SECOND))
    action = mock.accept()["a_id"]
    shown = [mock.state(action)]
    for milliseconds in (4_999, 1):
        mock.clock.advance(milliseconds)
        shown.append(mock.state(action))

    assert shown == [("running", 0), ("running", 0), ("succeeded", 0)]
    assert story(mock, action) == [ACCEPTED, DELIVERED, ("acked", "succeeded", 0)]


def test_ack_wait_stands_between_when_the_settlement_comes_later() -> None:
    """B071, B127: queued, running, ack_wait, and after the ack succeeded."""
    mock = world(Step(Do.HOLD, after=5 * SECOND))
    action = mock.accept()["a_id"]
    assert mock.state(action) == ("running", 0)
    mock.clock.advance(5 * SECOND)
    assert mock.state(action) == ("ack_wait", 0)

    assert mock.signal("ack", action) == (200, "")
    assert story(mock, action) == [ACCEPTED, DELIVERED, HANDED_OFF, ("acked", "succeeded", 0)]


def test_an_action_that_waits_for_capacity_was_never_delivered() -> None:
    """B072: `dispatch_wait` comes before any delivery, so the attempt is 0 and has not begun."""
    mock = world(Step(Do.WAIT))
    action = mock.accept()["a_id"]
    mock.clock.advance(3_600 * SECOND)

    assert mock.record(action)["state"] == {
        "status": "dispatch_wait",
        "attempt": 0,
        "updated_at": wire(0),
        "available_at": wire(0),
        "timeout_at": wire(DAY),
        "started_at": None,
        "completed_at": None,
        "error_message": None,
    }
    assert story(mock, action) == [ACCEPTED, ("waiting", "dispatch_wait", 0)]


def test_capacity_that_comes_back_begins_the_waiting_attempt() -> None:
    """B072, B077: it is attempt 0, whose lease counts from then."""
    mock = world(Step(Do.WAIT))
    action = mock.accept()["a_id"]
    mock.clock.advance(10 * SECOND)
    mock.admin("set_worker", Worker())

    assert story(mock, action) == [ACCEPTED, ("waiting", "dispatch_wait", 0), DELIVERED, HANDED_OFF]
    assert mock.record(action)["state"]["started_at"] == wire(10 * SECOND)
    assert available(mock, action) == 70 * SECOND
    assert mock.signal("ack", action) == (200, "")


def test_other_variants_go_on_while_one_waits() -> None:
    """B072, Q24: a script belongs to a variant; capacity for one variant changes nothing for another."""
    mock = world()
    mock.admin("set_worker", Worker(variants={"slow": (Step(Do.WAIT),)}))
    slow, other = mock.accept("slow")["a_id"], mock.accept("other")["a_id"]
    before = mock.record(slow)
    mock.admin("set_worker", Worker((Step(Do.ACK),), {"slow": (Step(Do.WAIT),)}))

    assert mock.record(slow) == before
    assert mock.state(other) == ("ack_wait", 0)
    assert mock.state(mock.accept("another")["a_id"]) == ("succeeded", 0)


@pytest.mark.parametrize(("at", "status"), [(DAY - 1, "dispatch_wait"), (DAY, "failed"), (DAY + 1, "failed")])
def test_the_timeout_runs_while_an_action_waits_for_capacity(at: int, status: str) -> None:
    """B074, B075: a day after acceptance it has failed without an attempt."""
    mock = world(Step(Do.WAIT))
    action = mock.accept()["a_id"]
    mock.clock.advance(at)

    state = mock.record(action)["state"]
    assert (state["status"], state["attempt"], state["started_at"]) == (status, 0, None)


def test_capacity_that_comes_late_finds_the_rest_of_the_lifetime() -> None:
    """B075, B136: the lifetime counts from acceptance, and limits the lease of the late attempt."""
    mock = world(Step(Do.WAIT))
    action = mock.accept()["a_id"]
    mock.clock.advance(DAY - 10 * SECOND)
    mock.admin("set_worker", Worker())
    assert available(mock, action) == DAY
    mock.clock.advance(10 * SECOND)

    assert mock.state(action) == ("failed", 0)


def test_what_failed_for_want_of_capacity_says_so() -> None:
    """B075: the error message mentions no attempt, as there was none."""
    mock = world(Step(Do.WAIT))
    action = mock.accept()["a_id"]
    mock.clock.advance(DAY)

    assert "after attempt" not in mock.record(action)["state"]["error_message"]


@pytest.mark.parametrize(
    ("terms", "kind", "status"),
    [({}, "nacked", "retrying"), ({"retry_at": 1_700_000_090}, "scheduled", "scheduled")],
)
def test_between_two_attempts_it_is_retrying_or_scheduled(
    terms: dict[str, int], kind: str, status: str
) -> None:
    """B073: it is scheduled when the nack asked for a time; the attempt is the one that ended."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.signal("nack", action, terms=terms)
    between = mock.state(action), story(mock, action)[-1]
    mock.clock.advance(90 * SECOND)

    assert between == ((status, 0), (kind, status, 0))
    assert story(mock, action)[4:6] == [("delivered", "running", 1), ("handed_off", "ack_wait", 1)]


def test_a_next_attempt_can_wait_for_capacity_too() -> None:
    """B072, B120: the last attempt has ended by then, so no signal settles it."""
    mock = world(Step(Do.NACK, retry_after=SECOND), Step(Do.WAIT))
    action = mock.accept()["a_id"]
    mock.clock.advance(SECOND)

    assert mock.state(action) == ("dispatch_wait", 0)
    assert {name: said(mock, name, action) for name in SIGNALS} == dict.fromkeys(
        SIGNALS, (409, "STALE_ATTEMPT")
    )
    mock.admin("set_worker", Worker())
    assert mock.state(action) == ("ack_wait", 1)


def test_a_permanent_rejection_fails_an_action() -> None:
    """B074: the first of two reasons for a failure; the record says which it was."""
    mock = world(Step(Do.REJECT))
    state = mock.record(mock.accept()["a_id"])["state"]

    assert (state["status"], state["completed_at"]) == ("failed", wire(0))
    assert "rejected" in state["error_message"]


@pytest.mark.parametrize(("at", "status"), [(DAY - 1, "ack_wait"), (DAY, "failed"), (DAY + 1, "failed")])
def test_running_out_of_the_lifetime_fails_an_action(at: int, status: str) -> None:
    """B074, Q12: the second reason, after as many attempts as fit into a day."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(at)

    assert mock.state(action) == (status, 1_439)


@pytest.mark.parametrize("step", [Step(Do.HOLD), Step(Do.WAIT), Step(Do.NACK), Step(Do.DEFER)])
def test_cancelled_is_an_end_before_success(step: Step) -> None:
    """B076: from every open state, and for good; the admin plane alone can do it."""
    mock = world(step)
    action = mock.accept()["a_id"]
    mock.clock.advance(500)
    mock.admin("end_attempt", action, Event.CANCEL)
    record = mock.record(action)
    mock.clock.advance(DAY)

    assert (record["state"]["status"], record["state"]["completed_at"]) == ("canceled", wire(500))
    assert record["events"][-1]["kind"] == "canceled"
    assert mock.record(action) == record
    assert {said(mock, name, action) for name in SIGNALS} == {(409, "FINISHED_ACTION")}


def test_attempts_count_from_0_under_one_id() -> None:
    """B077: each redelivery is the next attempt of the same action, and no other action is made."""
    mock = world()
    action = mock.accept()["a_id"]
    attempts = []
    for _ in range(4):
        attempts.append(mock.state(action)[1])
        mock.clock.advance(MINUTE)

    assert attempts == [0, 1, 2, 3]
    assert listed(mock) == ([action], 1)
    assert {event["action_record_id"] for event in mock.record(action)["events"]} == {action}


@pytest.mark.parametrize(
    ("step", "then", "available_at"),
    [
        (Step(Do.HOLD), HANDED_OFF, MINUTE),
        (Step(Do.HOLD, lease=5 * SECOND), HANDED_OFF, 5 * SECOND),
        (Step(Do.HOLD, lease=2 * DAY), HANDED_OFF, DAY),
        (Step(Do.ACK), ("acked", "succeeded", 0), 0),
        (Step(Do.NACK, retry_after=7 * SECOND), ("scheduled", "scheduled", 0), 7 * SECOND),
        (Step(Do.NACK, retry_after=2 * DAY), ("scheduled", "scheduled", 0), DAY),
        (Step(Do.REJECT), ("rejected", "failed", 0), 0),
        (Step(Do.DEFER), ("deferred", "ack_wait", 0), MINUTE),
    ],
)
def test_a_worker_does_what_its_step_says(step: Step, then: tuple[str, str, int], available_at: int) -> None:
    """Q24, B071, B073, B074, B127, B129, B130, B136, B140: each step, and how long its effect lasts."""
    mock = world(step)
    action = mock.accept()["a_id"]

    assert story(mock, action) == [ACCEPTED, DELIVERED, then]
    assert available(mock, action) == available_at


@pytest.mark.parametrize("do", [Do.HOLD, Do.ACK, Do.NACK, Do.REJECT, Do.DEFER])
def test_whatever_a_worker_does_it_may_run_first(do: Do) -> None:
    """B071: the action is `running` until then, with the attempt's lease of a minute."""
    mock = world(Step(do, after=30 * SECOND, retry_after=SECOND))
    action = mock.accept()["a_id"]
    mock.clock.advance(30 * SECOND - 1)
    before = mock.state(action), available(mock, action)
    mock.clock.advance(1)

    assert before == (("running", 0), MINUTE)
    assert mock.state(action)[0] != "running"


@pytest.mark.parametrize("after", [MINUTE - 1, MINUTE, MINUTE + 1, 30 * MINUTE])
def test_a_worker_that_takes_longer_than_a_lease_renews_it(after: int) -> None:
    """B220: the attempt stays the worker's until it acts."""
    mock = world(Step(Do.ACK, after=after))
    action = mock.accept()["a_id"]
    mock.clock.advance(after - 1)
    assert mock.state(action) == ("running", 0)
    mock.clock.advance(1)

    assert story(mock, action)[2:] == [("acked", "succeeded", 0)]


def test_a_client_may_settle_before_the_worker_has_acted() -> None:
    """B132: the signal settles the attempt, and the worker's step is not done any more."""
    mock = world(Step(Do.REJECT, after=30 * SECOND))
    action = mock.accept()["a_id"]
    assert mock.signal("ack", action) == (200, "")
    mock.clock.advance(DAY)

    assert story(mock, action) == [ACCEPTED, DELIVERED, ("acked", "succeeded", 0)]


def test_an_extension_does_not_stop_a_worker() -> None:
    """B125: the deadline moves, and work that takes longer than the first lease is done in time."""
    mock = world(Step(Do.ACK, after=90 * SECOND))
    action = mock.accept()["a_id"]
    mock.modack(action, 0, 120)
    mock.clock.advance(90 * SECOND - 1)
    assert mock.state(action) == ("running", 0)
    mock.clock.advance(1)

    assert mock.state(action) == ("succeeded", 0)


def test_a_script_has_a_step_for_each_attempt_and_repeats_its_last() -> None:
    """Q24: nack, nack, then hold, whatever follows."""
    nack = Step(Do.NACK, retry_after=SECOND)
    mock = world(nack, nack, Step(Do.HOLD, lease=10 * SECOND))
    action = mock.accept()["a_id"]
    shown = []
    for milliseconds in (0, SECOND, SECOND, 10 * SECOND, 10 * SECOND):
        mock.clock.advance(milliseconds)
        shown.append(mock.state(action))

    assert shown == [
        ("scheduled", 0),
        ("scheduled", 1),
        ("ack_wait", 2),
        ("ack_wait", 3),
        ("ack_wait", 4),
    ]


def test_scripts_are_for_a_variant_and_others_get_the_default() -> None:
    """Q24: the script is that of the definition's variant, also for work under an alias."""
    mock = world()
    mock.put("good", alias=["nice"])
    mock.admin("set_worker", Worker((Step(Do.REJECT),), {"good": (Step(Do.ACK),)}))

    shown = {name: mock.state(mock.accept(name)["a_id"])[0] for name in ("good", "nice", "other")}
    assert shown == {"good": "succeeded", "nice": "succeeded", "other": "failed"}


def test_a_new_script_counts_from_the_next_attempt_on() -> None:
    """Q24: what is held stays held until its lease ends."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.admin("set_worker", Worker((Step(Do.ACK),)))
    assert mock.state(action) == ("ack_wait", 0)
    mock.clock.advance(MINUTE)

    assert mock.state(action) == ("succeeded", 1)


def test_a_record_that_is_read_late_shows_each_event_at_its_own_time() -> None:
    """B101, B106: it equals a record that was read all along."""
    watched, asleep = (world(Step(Do.NACK), Step(Do.HOLD), Step(Do.ACK, after=SECOND)) for _ in range(2))
    ids = [mock.accept()["a_id"] for mock in (watched, asleep)]
    for _ in range(100):
        watched.clock.advance(SECOND)
        watched.record(ids[0])
    asleep.clock.advance(100 * SECOND)

    assert asleep.record(ids[1]) == watched.record(ids[0])
    assert asleep.state(ids[1]) == ("succeeded", 2)


def _answers(mock: World, ahead: int) -> list[bytes]:
    """Make many calls at a frozen time that moves on while the machine's clock runs; return their answers."""
    mock.clock.advance(ahead)
    mock.admin("clock.set", frozen=True, to=1_800_000_000_000)
    mock.admin("set_worker", Worker((Step(Do.NACK), Step(Do.HOLD)), {"w": (Step(Do.ACK, after=5),)}))
    bodies = []

    def call(method: str, path: str, body: object = None) -> None:
        mock.clock.advance(ahead)
        bodies.append(mock.call(method, path, body).body)

    call("PUT", "/v1/orgs/42/actions/definitions", {"variant": "v", "schema": {"type": "string"}})
    for number in range(5):
        for variant in "vw":
            call("POST", f"/v1/ingress/{variant}?tag.n={number}", {"payload": str(number)})
    ids = listed(mock)[0]
    for milliseconds in (0, 5, 995, 300, 70 * SECOND, DAY):
        mock.admin("clock.advance", milliseconds)
        call("GET", "/v1/orgs/42/actions/records?take=50")
        for action in ids:
            call("GET", f"/v1/orgs/42/actions/records/{action}")
        for signal, action in zip(SIGNALS, ids, strict=False):
            call("POST", f"/v1/{signal}", {"action_record_id": action, "attempt": 1, "mod_ack": 30})
    return bodies


def test_the_same_calls_at_the_same_frozen_time_get_the_same_bytes() -> None:
    """Q11, Q13: ids, times and pauses too, whatever the machine's clock shows."""
    first, second = (_answers(World(auto_define=True, seed=7), ahead) for ahead in (0, 12_345))
    other = _answers(World(auto_define=True, seed=8), 0)

    assert first == second
    assert first != other
