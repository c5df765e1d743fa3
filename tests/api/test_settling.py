"""Ack, nack and modack: which signals count, until when, and what follows (B120 to B136)."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step
from tests.api.lives import (
    DAY,
    MINUTE,
    SECOND,
    SIGNALS,
    START,
    available,
    elapsed,
    said,
    story,
    wire,
    world,
)

BOUNDARIES = [(-1, (200, "")), (0, (409, "STALE_ATTEMPT")), (1, (409, "STALE_ATTEMPT"))]


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(("offset", "answer"), BOUNDARIES)
@pytest.mark.parametrize("lease", [MINUTE, 5 * SECOND])
def test_a_settle_counts_until_the_deadline(
    name: str, offset: int, answer: tuple[int, str], lease: int
) -> None:
    """B120, B121: one millisecond before the deadline the attempt is held; at the deadline it has ended."""
    mock = world(Step(Do.HOLD, lease=lease), Step(Do.HOLD))
    action = mock.accept()["a_id"]
    mock.clock.advance(lease + offset)

    assert said(mock, name, action) == answer


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(("offset", "answer"), BOUNDARIES)
def test_an_extended_lease_ends_at_its_new_deadline(name: str, offset: int, answer: tuple[int, str]) -> None:
    """B125, B120, Q8: it counts from the modack, for every signal."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(30 * SECOND)
    mock.modack(action, 0, 300)
    mock.clock.advance(300 * SECOND + offset)

    assert said(mock, name, action) == answer


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(
    ("offset", "answer"), [(-1, (200, "")), (0, (409, "FINISHED_ACTION")), (1, (409, "FINISHED_ACTION"))]
)
def test_nothing_is_settled_after_the_lifetime(name: str, offset: int, answer: tuple[int, str]) -> None:
    """B136, B134, B074: a lease that was asked for beyond the lifetime ends with it."""
    mock = world(Step(Do.HOLD, lease=2 * DAY))
    action = mock.accept()["a_id"]
    mock.clock.advance(DAY + offset)

    assert said(mock, name, action) == answer


@pytest.mark.parametrize("name", SIGNALS)
def test_a_stale_settle_is_refused_and_leaves_the_record_as_it_is(name: str) -> None:
    """B120, B121, B126, Q2: the message names the attempt that may be in progress."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(MINUTE)
    before = mock.record(action)

    reply = mock.call("POST", f"/v1/{name}", {"action_record_id": action, "attempt": 0, "mod_ack": 60})

    assert (reply.status, reply.error["code"]) == (409, "STALE_ATTEMPT")
    assert "expected 1, the latest attempt" in reply.error["message"]
    assert mock.record(action) == before
    assert said(mock, name, action, 1) == (200, "")


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("terms", [{}, {"retry_at": START + 30}])
def test_an_attempt_that_was_given_back_is_not_settled_again(name: str, terms: dict[str, int]) -> None:
    """B120, B121: between two attempts there is no authoritative one."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.signal("nack", action, terms=terms)
    before = mock.record(action)

    assert said(mock, name, action, 0) == (409, "STALE_ATTEMPT")
    assert said(mock, name, action, 1) == (409, "FUTURE_ATTEMPT")
    assert mock.record(action) == before


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("attempt", [1, 2, 2**31 - 1])
def test_an_attempt_that_has_not_begun_is_refused(name: str, attempt: int) -> None:
    """B120, B135: while attempt 0 is held."""
    mock = world()
    action = mock.accept()["a_id"]

    assert said(mock, name, action, attempt) == (409, "FUTURE_ATTEMPT")
    assert mock.state(action) == ("ack_wait", 0)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("attempt", [0, 1])
def test_an_action_that_was_never_delivered_is_not_settled(name: str, attempt: int) -> None:
    """B135, Q4: while the action waits for capacity, attempt 0 has not begun."""
    mock = world(Step(Do.WAIT))
    action = mock.accept()["a_id"]
    before = mock.record(action)

    assert said(mock, name, action, attempt) == (409, "FUTURE_ATTEMPT")
    assert mock.record(action) == before


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("end", [Event.ACK, Event.REJECT, Event.TIME_OUT, Event.CANCEL])
@pytest.mark.parametrize("attempt", [0, 1])
def test_an_action_that_has_ended_is_not_settled(name: str, end: Event, attempt: int) -> None:
    """B134, Q3: succeeded, failed in both ways, or canceled; a second ack is refused too. The record stays as it is."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.admin("end_attempt", action, end)
    before = mock.record(action)
    mock.clock.advance(SECOND)

    assert said(mock, name, action, attempt) == (409, "FINISHED_ACTION")
    assert mock.record(action) == before


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_that_is_taken_answers_ok(name: str) -> None:
    """B122, B006: the body is that of modack's page, for the other signals too."""
    mock = world()
    action = mock.accept()["a_id"]

    reply = mock.call("POST", f"/v1/{name}", {"action_record_id": action, "attempt": 0, "mod_ack": 60})

    assert (reply.status, reply.json) == (200, {"data": {"status": "ok"}})


@pytest.mark.parametrize("name", SIGNALS)
def test_each_failure_that_the_page_lists_has_its_cause(name: str) -> None:
    """B123, B007: 400, 401, 404 and 409 with the envelope."""
    mock = world()
    action = mock.accept()["a_id"]
    asked: dict[int, tuple[dict[str, Any], str]] = {
        400: ({"attempt": 0}, "org-42"),
        401: ({"action_record_id": action, "attempt": 0, "mod_ack": 60}, "no-such-key"),
        404: ({"action_record_id": "1", "attempt": 0, "mod_ack": 60}, "org-42"),
        409: ({"action_record_id": action, "attempt": 1, "mod_ack": 60}, "org-42"),
    }
    answers = {
        status: mock.call("POST", f"/v1/{name}", body, key=key) for status, (body, key) in asked.items()
    }

    assert {status: reply.status for status, reply in answers.items()} == {s: s for s in asked}
    assert [reply.error["code"] for reply in answers.values()] == [
        "INVALID_BODY",
        "UNAUTHORIZED",
        "UNKNOWN_ACTION",
        "FUTURE_ATTEMPT",
    ]


BAD_IDS: list[Any] = [None, 1, "", "a", "-1", "1 ", "1\n", "٣", ["1"]]
BAD_ATTEMPTS: list[Any] = [None, -1, 0.5, "0", True, 2**31]
BAD_SECONDS: list[Any] = [None, 0, -1, 1.5, "60", 2**63]


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        *((name, "action_record_id", value) for name in SIGNALS for value in BAD_IDS),
        *((name, "attempt", value) for name in SIGNALS for value in BAD_ATTEMPTS),
        *(("modack", "mod_ack", value) for value in BAD_SECONDS),
    ],
)
def test_members_are_of_their_type_and_within_their_bounds(name: str, member: str, value: Any) -> None:
    """B124, B131: others are a 400, and the action stays as it was."""
    mock = world()
    action = mock.accept()["a_id"]
    before = mock.record(action)
    body = {"action_record_id": action, "attempt": 0, "mod_ack": 60} | {member: value}

    assert mock.call("POST", f"/v1/{name}", body).error["code"] == "INVALID_BODY"
    assert mock.record(action) == before


@pytest.mark.parametrize(
    ("name", "member"),
    [
        *((name, member) for name in SIGNALS for member in ("action_record_id", "attempt")),
        ("modack", "mod_ack"),
    ],
)
def test_required_members_are_required(name: str, member: str) -> None:
    """B124, B131: 400, and the message names the missing member."""
    mock = world()
    body = {"action_record_id": mock.accept()["a_id"], "attempt": 0, "mod_ack": 60}
    del body[member]

    error = mock.call("POST", f"/v1/{name}", body).error
    assert error["code"] == "INVALID_BODY"
    assert f"expected a member '{member}'" in error["message"]


@pytest.mark.parametrize(
    "terms",
    [None, [], "no", {"retry_at": -1}, {"retry_at": 1.5}, {"retry_at": "1"}, {"retry_at": None}]
    + [{"retry": value} for value in ("false", 0, None)],
)
def test_terms_are_of_their_types(terms: Any) -> None:
    """B131: `terms` is optional, but checked when it is sent."""
    mock = world()
    action = mock.accept()["a_id"]

    assert mock.signal("nack", action, terms=terms) == (400, "INVALID_BODY")
    assert mock.state(action) == ("ack_wait", 0)


def test_the_deadline_moves_by_whole_seconds() -> None:
    """B125, B223, Q8: each modack counts from now."""
    mock = world()
    action = mock.accept()["a_id"]
    shown = []
    for seconds in (120, 1, 60):
        mock.clock.advance(500)
        assert mock.modack(action, 0, seconds) == (200, "")
        shown.append(available(mock, action))

    assert shown == [120_500, 2_000, 61_500]
    assert story(mock, action)[3:] == [("extended", "ack_wait", 0)] * 3


def test_an_ack_succeeds() -> None:
    """B127: the action is complete at once, without an error, and for good."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(10 * SECOND)
    assert mock.signal("ack", action) == (200, "")
    record = mock.record(action)
    mock.clock.advance(2 * DAY)

    assert record["state"] == {
        "status": "succeeded",
        "attempt": 0,
        "updated_at": wire(10 * SECOND),
        "available_at": wire(10 * SECOND),
        "timeout_at": wire(DAY),
        "started_at": wire(0),
        "completed_at": wire(10 * SECOND),
        "error_message": None,
    }
    assert mock.record(action) == record


@pytest.mark.parametrize("members", [{}, {"terms": {}}, {"terms": {"retry": True}}, {"terms": {"more": 1}}])
def test_a_nack_that_names_no_time_is_retried_when_arklow_picks(members: dict[str, Any]) -> None:
    """B128, B131, Q13: it is retrying for a second and up to a quarter more; then the next attempt begins."""
    mock = world()
    action = mock.accept()["a_id"]
    assert mock.signal("nack", action, **members) == (200, "")
    pause = available(mock, action)

    assert SECOND <= pause < SECOND * 5 // 4
    mock.clock.advance(pause - 1)
    assert mock.state(action) == ("retrying", 0)
    mock.clock.advance(1)
    assert mock.state(action) == ("ack_wait", 1)


def test_the_pause_doubles_up_to_a_minute() -> None:
    """B128, Q13: 1 s, doubled with each attempt up to 60 s, and up to a quarter more."""
    mock = world(Step(Do.NACK))
    action = mock.accept()["a_id"]
    pauses = []
    for _ in range(9):
        state = mock.record(action)["state"]
        pauses.append(elapsed(state["available_at"]) - elapsed(state["updated_at"]))
        mock.clock.advance(pauses[-1])

    for pause, seconds in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert seconds * SECOND <= pause < seconds * SECOND * 5 // 4


def test_the_pause_differs_by_action_and_is_the_same_every_time() -> None:
    """B128, Q13: the spread is not by chance."""
    runs = []
    for _ in range(2):
        mock = world(Step(Do.NACK))
        runs.append([available(mock, mock.accept()["a_id"]) for _ in range(20)])

    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 10


def test_retry_at_sets_the_time_of_the_next_attempt() -> None:
    """B129, B080: Unix seconds; scheduled until then, to the millisecond."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(500)
    assert mock.signal("nack", action, terms={"retry_at": START + 100}) == (200, "")

    assert available(mock, action) == 100 * SECOND
    mock.clock.advance(100 * SECOND - 500 - 1)
    assert mock.state(action) == ("scheduled", 0)
    mock.clock.advance(1)
    assert mock.state(action) == ("ack_wait", 1)


def test_retry_true_beside_a_time_says_nothing_more() -> None:
    """B129, B130: `retry` is true anyway."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.signal("nack", action, terms={"retry": True, "retry_at": START + 100})

    assert (mock.state(action), available(mock, action)) == (("scheduled", 0), 100 * SECOND)


@pytest.mark.parametrize("retry_at", [0, START - 1, START])
def test_a_retry_at_that_is_not_in_the_future_means_now(retry_at: int) -> None:
    """B129: the next attempt begins at the nack; our choice."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(500)
    assert mock.signal("nack", action, terms={"retry_at": retry_at}) == (200, "")

    assert story(mock, action)[3:] == [
        ("scheduled", "scheduled", 0),
        ("delivered", "running", 1),
        ("handed_off", "ack_wait", 1),
    ]
    assert available(mock, action) == 500 + MINUTE


@pytest.mark.parametrize("retry_at", [START + 86_400, START + 86_401, 2**63, 10**300])
def test_a_retry_at_beyond_the_lifetime_ends_with_it(retry_at: int) -> None:
    """B129, B136, B074: the action waits until the timeout, and no attempt follows."""
    mock = world()
    action = mock.accept()["a_id"]
    assert mock.signal("nack", action, terms={"retry_at": retry_at}) == (200, "")
    assert available(mock, action) == DAY
    mock.clock.advance(DAY - 1)
    assert mock.state(action) == ("scheduled", 0)
    mock.clock.advance(1)

    assert mock.state(action) == ("failed", 0)
    assert story(mock, action)[-1] == ("timed_out", "failed", 0)


@pytest.mark.parametrize("terms", [{"retry": False}, {"retry": False, "retry_at": START + 100}])
def test_retry_false_is_permanent(terms: dict[str, Any]) -> None:
    """B130, B074: the action fails at once, also when a time is sent, and is delivered no more."""
    mock = world()
    action = mock.accept()["a_id"]
    assert mock.signal("nack", action, terms=terms) == (200, "")
    record = mock.record(action)
    mock.clock.advance(2 * DAY)

    assert record["state"] == {
        "status": "failed",
        "attempt": 0,
        "updated_at": wire(0),
        "available_at": wire(0),
        "timeout_at": wire(DAY),
        "started_at": wire(0),
        "completed_at": wire(0),
        "error_message": "attempt 0 was rejected for good",
    }
    assert mock.record(action) == record


@pytest.mark.parametrize("name", SIGNALS)
def test_any_client_that_knows_the_attempt_may_settle_it(name: str) -> None:
    """B132: with another key of the organisation, from another connection."""
    mock = world()
    action = mock.accept()["a_id"]

    assert said(mock, name, action, key="org-42-aaaaaaaa") == (200, "")


@pytest.mark.parametrize("name", SIGNALS)
def test_another_organisations_action_is_unknown(name: str) -> None:
    """B133, Q10: 404, as for an id that was never issued; the action stays as it is."""
    mock = world()
    action = mock.accept()["a_id"]
    before = mock.record(action)
    mock.accept(key="org-7")

    assert said(mock, name, action, key="org-7") == (404, "UNKNOWN_ACTION")
    assert mock.record(action) == before


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("wrong", ["0", "1", "9" * 19, "9" * 400, "neighbour", "definition", "event"])
def test_an_id_that_was_never_issued_is_unknown(name: str, wrong: str) -> None:
    """B133: ids near an action's, and ids of other things, are none."""
    mock = world()
    accepted = mock.accept()
    ids = {
        "neighbour": str(int(accepted["a_id"]) + 10**9),
        "definition": accepted["a_def_id"],
        "event": mock.record(accepted["a_id"])["events"][0]["id"],
    }

    assert said(mock, name, ids.get(wrong, wrong)) == (404, "UNKNOWN_ACTION")


@pytest.mark.parametrize("seconds", [86_400, 10**9, 2**63 - 1])
def test_a_deadline_does_not_move_beyond_the_timeout(seconds: int) -> None:
    """B136, B125, Q12: the record shows where it stopped."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(10 * SECOND)
    assert mock.modack(action, 0, seconds) == (200, "")

    state = mock.record(action)["state"]
    assert (state["available_at"], state["timeout_at"]) == (wire(DAY), wire(DAY))
    mock.clock.advance(DAY - 10 * SECOND)
    assert story(mock, action)[-1] == ("timed_out", "failed", 0)
