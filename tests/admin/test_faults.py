"""Faults as the admin plane adds, counts, removes and refuses them."""

from __future__ import annotations

import pytest

from mock_server.domain.faults import MAX_FAULTS
from tests.admin.desk import Desk

FULL = {
    "number": 1,
    "operation": "modAckIngressAction",
    "times": 3,
    "share": 0.5,
    "status": 429,
    "code": "SLOW_DOWN",
    "message": "not so fast",
    "delay": 0.25,
    "cut": None,
    "retry_after": 5,
    "carried_out": True,
    "hit": 0,
    "left": 3,
}


def test_a_fault_is_shown_in_full(desk: Desk) -> None:
    """With its members as they were given, and how often it has hit; members that were not given are null."""
    given = {name: FULL[name] for name in FULL.keys() - {"number", "cut", "hit", "left"}}

    assert desk.admin("POST", "42/faults", given).data == FULL
    least = desk.admin("POST", "42/faults", {"cut": "half"}).data
    assert {name: value for name, value in least.items() if value is not None} == {
        "number": 2,
        "share": 1,
        "cut": "half",
        "carried_out": False,
        "hit": 0,
    }
    assert desk.admin("GET", "42/faults").data == {"items": [FULL, least], "count": 2}
    assert desk.admin("GET", "43/faults").data == {"items": [], "count": 0}


def test_what_was_hit_is_counted(desk: Desk) -> None:
    """With what is left to hit; a fault that is used up stays in the list."""
    desk.admin("POST", "42/faults", {"times": 2, "status": 503})
    statuses = [desk.call("POST", "/v1/ingress/v", {"payload": 1}).status for _ in range(3)]

    [fault] = desk.admin("GET", "42/faults").data["items"]
    assert statuses == [503, 503, 200]
    assert (fault["hit"], fault["left"]) == (2, 0)


def test_faults_are_removed_one_by_one_or_all(desk: Desk) -> None:
    """The next answer is not hit by them any more."""
    for status in (500, 501, 502):
        desk.admin("POST", "42/faults", {"status": status})

    def met() -> int:
        return desk.call("GET", "/v1/orgs/42/actions/records").status

    assert met() == 500
    assert desk.admin("DELETE", "42/faults/1").data["count"] == 2
    assert met() == 501
    assert desk.admin("DELETE", "42/faults/1").refusal == (404, "UNKNOWN_FAULT")
    assert desk.admin("DELETE", "42/faults").data == {"items": [], "count": 0}
    assert met() == 200
    assert desk.admin("POST", "42/faults", {"status": 500}).data["number"] == 4


def test_a_reset_removes_them_and_a_restore_does_not(desk: Desk) -> None:
    """FAULT-9: after the reset their numbers begin at 1 again."""
    desk.admin("PUT", "42/snapshots/s")
    desk.admin("POST", "42/faults", {"status": 500})
    desk.admin("POST", "42/snapshots/s/restore")
    assert desk.admin("GET", "42/faults").data["count"] == 1

    desk.admin("POST", "42/reset")

    assert desk.admin("GET", "42/faults").data["count"] == 0
    assert desk.admin("POST", "42/faults", {"status": 500}).data["number"] == 1


def test_commands_and_hits_stand_in_the_journal(desk: Desk) -> None:
    """FAULT-8: in the order in which they happened."""
    desk.freeze()
    desk.admin("POST", "42/faults", {"times": 1, "status": 503})
    desk.call("POST", "/v1/ingress/v", {"payload": 1})
    desk.admin("DELETE", "42/faults/1")
    desk.admin("DELETE", "42/faults")

    entries = desk.admin("GET", "42/journal").data["entries"]
    shown = [(e.get("name"), e.get("details"), e.get("status"), e.get("fault")) for e in entries[1:]]
    assert shown == [
        ("fault", "1 added", None, None),
        (None, None, 503, "1"),
        ("fault", "1 removed", None, None),
        ("fault", "all removed", None, None),
    ]


def test_an_organisation_keeps_a_hundred(desk: Desk) -> None:
    """FAULT-9: one that is used up makes room."""
    desk.admin("POST", "42/faults", {"operation": "ackIngressAction", "times": 1, "status": 500})
    for _ in range(MAX_FAULTS - 1):
        desk.admin("POST", "42/faults", {"operation": "nackIngressAction", "status": 500})

    full = desk.admin("POST", "42/faults", {"status": 500})
    desk.signal("ack", "1")
    after = desk.admin("POST", "42/faults", {"status": 500})

    assert full.refusal == (409, "TOO_MANY_FAULTS")
    assert after.data["number"] == MAX_FAULTS + 1
    assert desk.admin("GET", "42/faults").data["items"][0]["number"] == 2


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "body"),
        ({"times": 1}, "body"),
        ({"status": 500, "x": 1}, "body"),
        ({"status": 199}, "body/status"),
        ({"status": 600}, "body/status"),
        ({"status": "500"}, "body/status"),
        ({"status": 500, "cut": "half"}, "body"),
        ({"cut": "gently"}, "body/cut"),
        ({"delay": -1}, "body/delay"),
        ({"delay": 301}, "body/delay"),
        ({"status": 500, "share": 0}, "body/share"),
        ({"status": 500, "share": 1.1}, "body/share"),
        ({"status": 500, "times": 0}, "body/times"),
        ({"status": 500, "code": "lower"}, "body/code"),
        ({"status": 500, "code": "X" * 61}, "body/code"),
        ({"status": 500, "message": ""}, "body/message"),
        ({"status": 500, "retry_after": -1}, "body/retry_after"),
        ({"status": 500, "operation": ""}, "body/operation"),
        ({"delay": 1, "code": "X"}, "body"),
        ({"cut": "close", "message": "x"}, "body"),
        ({"delay": 1, "retry_after": 1}, "body"),
        ({"delay": 1, "carried_out": True}, "body"),
        ([], "body"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(desk: Desk, body: object, place: str) -> None:
    """The message names the place, and what is allowed."""
    answer = desk.admin("POST", "42/faults", body)

    assert answer.refusal == (400, "INVALID_BODY")
    assert answer.error["message"].startswith(f"{place}: expected ")
    assert desk.admin("GET", "42/faults").data["count"] == 0


def test_an_operation_that_is_not_served_is_refused_with_those_that_are(desk: Desk) -> None:
    """The message lists the ids of the served document."""
    answer = desk.admin("POST", "42/faults", {"operation": "modack", "status": 500})

    assert answer.refusal == (404, "UNKNOWN_OPERATION")
    assert answer.error["message"].startswith(
        "body/operation: expected one of ackIngressAction, createIngressAction, "
    )
    assert answer.error["message"].endswith("; got 'modack'")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "9007199254740992"])
def test_an_unknown_number_is_refused(desk: Desk, number: str) -> None:
    """The one in the path."""
    assert desk.admin("DELETE", f"42/faults/{number}").refusal == (400, "INVALID_PARAMETER")
