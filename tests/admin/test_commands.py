"""Each operation of the admin document: its effect, and its refusals."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from mock_server.admin.application import EVENT_STREAM
from mock_server.admin.commands import Commands
from mock_server.admin.faults import FaultCommands
from tests.admin.desk import NOON, Desk, document
from tests.running_mock import PUT
from tests.waiting import wait_until


def test_every_operation_has_a_command_and_every_command_an_operation(desk: Desk) -> None:
    """The table is complete; the one operation without a command is the stream."""
    operations = {operation.id for operation in document().operations}

    tables = [Commands(desk.app.administration).table(), FaultCommands(desk.app.faults).table()]
    commands = [name for table in tables for name in table]

    assert sorted([*commands, EVENT_STREAM]) == sorted(operations)


def test_organisations_are_listed_once_they_are_used(desk: Desk) -> None:
    """In the order of their first use, with how much they hold."""
    assert desk.admin("GET", "/organisations").data == {"items": [], "count": 0}

    desk.accept(key="org-7")
    desk.put("v", key="org-42")

    assert desk.admin("GET", "/organisations").data == {
        "items": [
            {"org_id": "7", "definitions": 1, "destinations": 0, "actions": {"kept": 1, "dropped": 0}},
            {"org_id": "42", "definitions": 1, "destinations": 0, "actions": {"kept": 0, "dropped": 0}},
        ],
        "count": 2,
    }


def test_an_organisation_is_shown_whole(desk: Desk) -> None:
    """It is made on first use, as by the API."""
    desk.clock.advance(123)

    assert desk.admin("GET", "42").data == {
        "org_id": "42",
        "seed": 0,
        "clock": {"mode": "real", "now": "2023-11-14T22:13:20.123Z", "ahead_ms": 0},
        "worker": {"default": [{"do": "hold", "after": 0, "lease": 60}], "variants": {}},
        "definitions": 0,
        "destinations": 0,
        "actions": {"kept": 0, "dropped": 0},
        "snapshots": [],
        "journal": {"last": 0},
    }


def test_actions_that_were_dropped_are_counted() -> None:
    """These are the actions that were dropped to keep memory bounded."""
    with Desk(max_actions=2) as desk:
        for _ in range(5):
            desk.accept()

        assert desk.admin("GET", "42").data["actions"] == {"kept": 2, "dropped": 3}


def _day(desk: Desk) -> list[bytes]:
    """Make some calls of the API; return the bodies of their answers, and the journal."""
    answers = [
        desk.put("order").body,
        *(json.dumps(desk.accept("order")).encode() for _ in range(3)),
        desk.admin("POST", "42/clock/advance", {"seconds": 3_600}).body,
        desk.call("GET", "/v1/orgs/42/actions/records").body,
        desk.call("GET", "/v1/orgs/42/actions/records?status=ack_wait").body,
    ]
    return [*answers, desk.admin("GET", "42/journal?limit=1000").body, desk.admin("GET", "42").body]


def test_the_same_seed_and_time_give_the_same_bytes(desk: Desk) -> None:
    """Ids, back-offs and times; another seed gives others."""
    reset: dict[str, Any] = {
        "seed": 5,
        "clock": {"mode": "frozen", "now": NOON},
        "worker": {"default": ["nack", "hold"]},
    }
    days = []
    for seed in (5, 5, 6):
        desk.admin("POST", "42/reset", reset | {"seed": seed})
        desk.clock.advance(12_345)
        days.append(_day(desk))

    assert days[0] == days[1]
    assert days[0][0] != days[2][0]


def test_a_reset_empties_all_but_the_snapshots(desk: Desk) -> None:
    """Without a body: the machine's clock, a worker that holds, the mock's own seed."""
    desk.freeze()
    desk.admin("PUT", "42/worker", {"default": "ack"})
    desk.accept()
    desk.admin("PUT", "42/snapshots/before")

    after = desk.admin("POST", "42/reset").data

    assert after["actions"] == {"kept": 0, "dropped": 0}
    assert after["definitions"] == 0
    assert after["clock"]["mode"] == "real"
    assert after["worker"]["default"][0]["do"] == "hold"
    assert after["snapshots"] == ["before"]
    assert after["journal"] == {"last": 1}


def test_discarded_organisations_keep_nothing_and_the_others_all(desk: Desk) -> None:
    """Snapshots are deleted too, and an unused organisation is not made."""
    desk.freeze()
    desk.accept()
    desk.admin("PUT", "42/snapshots/before")
    desk.admin("PUT", "7/snapshots/mine")

    left = desk.admin("DELETE", "/organisations?organisation=42,9,42").data
    after = desk.admin("GET", "42").data

    assert [one["org_id"] for one in left["items"]] == ["42"]
    assert left["items"][0]["actions"] == {"kept": 0, "dropped": 0}
    assert (after["definitions"], after["snapshots"], after["clock"]["mode"]) == (0, [], "real")
    assert after["journal"] == {"last": 1}
    assert desk.admin("GET", "7/snapshots").data["items"] == ["mine"]
    assert desk.admin("GET", "/organisations").data["count"] == 2


@pytest.mark.parametrize("query", ["", "?organisation=", "?organisation=x", "?organisation=1,,2"])
def test_only_named_organisations_are_discarded(desk: Desk, query: str) -> None:
    """A forgotten parameter does not stand for all organisations."""
    assert desk.admin("DELETE", f"/organisations{query}").refusal == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("clock", "shown"),
    [
        ({}, ("real", "2023-11-14T22:13:20.000Z")),
        ({"mode": "real", "now": NOON}, ("real", "2023-11-14T22:13:20.000Z")),
        ({"mode": "frozen"}, ("frozen", "2023-11-14T22:13:20.000Z")),
        ({"now": NOON}, ("running", NOON)),
        (
            {"mode": "frozen", "now": "2030-01-01T13:00:00.123999+01:00"},
            ("frozen", "2030-01-01T12:00:00.123Z"),
        ),
    ],
)
def test_a_reset_sets_the_clock_as_asked(desk: Desk, clock: Any, shown: tuple[str, str]) -> None:
    """Times may have any offset; digits finer than a millisecond are cut off."""
    after = desk.admin("POST", "42/reset", {"clock": clock}).data["clock"]

    assert (after["mode"], after["now"]) == shown


def test_a_clock_freezes_and_goes_on_from_where_it_stands(desk: Desk) -> None:
    """Until a command has it show the machine's time again."""
    start = 1_893_499_200_000 - 1_700_000_000_000
    frozen = {"mode": "frozen", "now": NOON, "ahead_ms": None}

    assert desk.admin("PUT", "42/clock", {"mode": "frozen", "now": NOON}).data == frozen
    desk.clock.advance(5_000)
    assert desk.admin("PUT", "42/clock", {"mode": "frozen"}).data == frozen
    assert desk.admin("PUT", "42/clock", {"mode": "running"}).data == {
        "mode": "running",
        "now": NOON,
        "ahead_ms": start - 5_000,
    }
    desk.clock.advance(1_500)
    assert desk.admin("GET", "42").data["clock"]["now"] == "2030-01-01T12:00:01.500Z"
    assert desk.admin("PUT", "42/clock", {"mode": "real"}).data == {
        "mode": "real",
        "now": "2023-11-14T22:13:26.500Z",
        "ahead_ms": 0,
    }


def test_an_organisation_with_actions_does_not_go_back(desk: Desk) -> None:
    """Neither to an earlier time nor to an earlier machine time; one without actions does."""
    desk.freeze()
    desk.accept()

    for clock in ({"mode": "real"}, {"mode": "frozen", "now": "2029-01-01T00:00:00Z"}):
        assert desk.admin("PUT", "42/clock", clock).refusal == (409, "CLOCK_GOES_BACK")
    back = desk.admin("POST", "42/clock/advance", {"to": "2029-01-01T00:00:00Z"})
    assert back.refusal == (409, "CLOCK_GOES_BACK")
    assert back.error["message"] == (
        "body/to: expected a time from 2030-01-01T12:00:00.000Z on, where the clock of organisation 42 stands, "
        "got 2029-01-01T00:00:00.000Z"
    )


def test_advancing_runs_everything_due_in_order_and_at_its_own_time(desk: Desk) -> None:
    """Three actions with different leases expire again and again for an hour."""
    desk.freeze()
    leases = {"a": 600, "b": 700, "c": 1_100}
    scripts = {name: [{"do": "hold", "lease": lease}] for name, lease in leases.items()}
    desk.admin("PUT", "42/worker", {"variants": scripts})
    ids = {desk.accept(name)["a_id"]: name for name in leases}
    last = desk.admin("GET", "42").data["journal"]["last"]

    answer = desk.admin("POST", "42/clock/advance", {"to": "2030-01-01T13:00:00Z"}).data

    journal = desk.admin("GET", f"42/journal?kind=transition&after={last}&limit=1000").data["entries"]
    expired = [entry for entry in journal if entry["event"] == "expired"]
    assert answer["ran"] == len(expired) == 6 + 5 + 3
    assert answer["clock"]["now"] == "2030-01-01T13:00:00.000Z"
    assert [entry["at"] for entry in journal] == sorted(entry["at"] for entry in journal)
    first = {ids[e["action_record_id"]]: e["at"] for e in reversed(expired)}
    assert first == {
        "a": "2030-01-01T12:10:00.000Z",
        "b": "2030-01-01T12:11:40.000Z",
        "c": "2030-01-01T12:18:20.000Z",
    }


def test_an_advance_ends_when_ten_thousand_actions_have_fallen_due(desk: Desk) -> None:
    """The API is served meanwhile, and nothing is left to run afterwards."""
    desk.freeze()
    desk.put("v")

    async def flood() -> None:
        content = b'{"payload":1}'
        for _ in range(2_000):
            await desk._call(
                "POST",
                "/v1/ingress/v",
                content,
                {"x-arklow-auth": "org-42", "content-type": "application/json"},
            )

    desk.on_loop(flood())

    assert desk.admin("POST", "42/clock/advance", {"seconds": 300}).data["ran"] == 10_000
    assert desk.admin("POST", "42/clock/advance", {"seconds": 0.001}).data["ran"] == 0


def test_a_day_later_everything_is_over(desk: Desk) -> None:
    """An action that is never settled fails at the end of its lifetime."""
    desk.freeze()
    action = desk.accept()["a_id"]

    desk.admin("POST", "42/clock/advance", {"seconds": 86_400})

    assert desk.record(action)["state"]["status"] == "failed"


def test_a_worker_is_shown_in_full_and_taken_back_as_shown(desk: Desk) -> None:
    """Words, steps and scripts of one step are spelled out; 0.0005 s counts as nothing."""
    given = {
        "default": ["nack", {"do": "hold", "after": 1.5, "lease": 5.0}],
        "variants": {"x": "ack", "y": [{"do": "nack", "retry_after": 7, "after": 0.0004}]},
    }

    shown = desk.admin("PUT", "42/worker", given).data

    assert shown == {
        "default": [{"do": "nack", "after": 0, "lease": 60}, {"do": "hold", "after": 1.5, "lease": 5}],
        "variants": {
            "x": [{"do": "ack", "after": 0, "lease": 60}],
            "y": [{"do": "nack", "after": 0, "lease": 60, "retry_after": 7}],
        },
    }
    assert desk.admin("PUT", "42/worker", shown).data == shown
    assert desk.admin("GET", "42").data["worker"] == shown
    assert desk.admin("PUT", "42/worker", {}).data["default"] == [{"do": "hold", "after": 0, "lease": 60}]


def test_a_script_is_followed_step_by_step(desk: Desk) -> None:
    """A nack, a pause, another attempt that runs for two seconds, an ack."""
    desk.freeze()
    desk.admin("PUT", "42/worker", {"default": [{"do": "nack", "retry_after": 7}, {"do": "ack", "after": 2}]})
    action = desk.accept()["a_id"]
    seen = []
    for seconds in (6.999, 0.001, 1.999, 0.001):
        desk.admin("POST", "42/clock/advance", {"seconds": seconds})
        seen.append(desk.record(action)["state"]["status"])

    assert seen == ["scheduled", "running", "running", "succeeded"]


def test_work_waits_while_the_worker_has_no_capacity(desk: Desk) -> None:
    """It is delivered as soon as the script changes."""
    desk.freeze()
    desk.admin("PUT", "42/worker", {"default": "wait"})
    action = desk.accept()["a_id"]
    assert desk.record(action)["state"]["status"] == "dispatch_wait"

    desk.admin("PUT", "42/worker", {"default": "defer"})

    assert desk.record(action)["state"]["status"] == "ack_wait"


def test_a_snapshot_brings_back_what_was_and_its_ids(desk: Desk) -> None:
    """What came after the snapshot is gone, and when it is done again it gets the same ids."""
    desk.freeze()
    desk.accept()
    desk.admin("PUT", "42/snapshots/a.b-c_1")
    before = desk.call("GET", "/v1/orgs/42/actions/records").body
    later = desk.accept()["a_id"]
    desk.admin("POST", "42/clock/advance", {"seconds": 60})

    restored = desk.admin("POST", "42/snapshots/a.b-c_1/restore").data

    assert restored["clock"]["now"] == NOON
    assert desk.call("GET", "/v1/orgs/42/actions/records").body == before
    assert desk.accept()["a_id"] == later


def test_snapshots_are_named_listed_replaced_and_deleted(desk: Desk) -> None:
    """An unknown name is a 404 that names the known ones; an organisation keeps 32."""
    for name in ("b", "a", "b"):
        assert name in desk.admin("PUT", f"42/snapshots/{name}").data["snapshots"]
    assert desk.admin("GET", "42/snapshots").data == {"items": ["a", "b"], "count": 2}
    assert desk.admin("DELETE", "42/snapshots/a").data["snapshots"] == ["b"]

    for method, path in (("DELETE", "42/snapshots/a"), ("POST", "42/snapshots/a/restore")):
        assert desk.admin(method, path).refusal == (404, "UNKNOWN_SNAPSHOT")
    assert desk.admin("POST", "42/fork", {"to": "1", "snapshot": "a"}).refusal == (404, "UNKNOWN_SNAPSHOT")
    for number in range(31):
        assert desk.admin("PUT", f"42/snapshots/{number}").status == 200
    assert desk.admin("PUT", "42/snapshots/one-more").refusal == (409, "TOO_MANY_SNAPSHOTS")
    assert desk.admin("PUT", "42/snapshots/b").status == 200


def test_a_fork_is_the_same_and_then_another(desk: Desk) -> None:
    """Later changes of one do not reach the other; new ids differ."""
    desk.freeze()
    shared = desk.accept()["a_id"]
    desk.admin("PUT", "42/snapshots/s")
    desk.accept()

    assert desk.admin("POST", "42/fork", {"to": "43"}).data["actions"]["kept"] == 2
    assert desk.admin("POST", "42/fork", {"to": "44", "snapshot": "s"}).data["actions"]["kept"] == 1

    desk.admin("POST", f"43/actions/{shared}/end", {"as": "ack"})
    desk.admin("POST", "44/clock/advance", {"seconds": 60})
    statuses = {org: desk.record(shared, key=f"org-{org}", org=org)["state"] for org in ("42", "43", "44")}
    assert [(s["status"], s["attempt"]) for s in statuses.values()] == [
        ("ack_wait", 0),
        ("succeeded", 0),
        ("ack_wait", 1),
    ]
    fresh = {desk.accept(key=f"org-{org}")["a_id"] for org in ("42", "43", "44")}
    assert len(fresh) == 3
    assert desk.admin("GET", "43/journal?limit=1").data["entries"][0]["name"] == "fork"
    assert desk.admin("POST", "42/fork", {"to": "42"}).refusal == (409, "SAME_ORGANISATION")


@pytest.mark.parametrize(
    ("how", "status", "attempt"),
    [
        ("expire", "ack_wait", 1),
        ("ack", "succeeded", 0),
        ("nack", "retrying", 0),
        ("reject", "failed", 0),
        ("time_out", "failed", 0),
        ("cancel", "canceled", 0),
    ],
)
def test_an_attempt_ends_as_asked(desk: Desk, how: str, status: str, attempt: int) -> None:
    """An attempt that is over does not end again."""
    desk.freeze()
    action = desk.accept()["a_id"]

    after = desk.admin("POST", f"42/actions/{action}/end", {"as": how}).data

    assert after == {"id": action, "status": status, "attempt": attempt}
    state = desk.record(action)["state"]
    assert (state["status"], state["attempt"]) == (status, attempt)
    if status in ("succeeded", "failed", "canceled"):
        assert desk.admin("POST", f"42/actions/{action}/end", {"as": "cancel"}).refusal == (
            409,
            "FINISHED_ACTION",
        )


def test_the_journal_tells_requests_transitions_and_commands_in_order(desk: Desk) -> None:
    """Requests with their answers, as text."""
    desk.freeze()
    action = desk.accept("v", query="?tag.a=%C3%A9")["a_id"]
    desk.call("POST", "/v1/ingress/v", b'\xff{"payload"')

    journal = desk.admin("GET", "42/journal").data

    kinds = [
        (e["number"], e["kind"], e.get("name") or e.get("event") or e["status"]) for e in journal["entries"]
    ]
    assert kinds == [
        (1, "command", "reset"),
        (2, "transition", "accepted"),
        (3, "transition", "delivered"),
        (4, "transition", "handed_off"),
        (5, "request", 200),
        (6, "request", 400),
    ]
    assert journal["entries"][1] == {
        "number": 2,
        "at": NOON,
        "kind": "transition",
        "action_record_id": action,
        "event": "accepted",
        "status": "queued",
        "attempt": 0,
        "available_at": NOON,
    }
    request = journal["entries"][4]
    assert (request["method"], request["path"], request["query"]) == (
        "POST",
        "/v1/ingress/v",
        "tag.a=%C3%A9",
    )
    assert json.loads(request["body"]) == {"payload": None}
    assert json.loads(request["answer"])["data"]["a_id"] == action
    assert journal["entries"][5]["body"] == '\\xff{"payload"'
    assert (journal["last"], journal["first"], journal["dropped"]) == (6, 1, 0)
    assert not any("cut" in entry for entry in journal["entries"])


def test_the_journal_is_read_in_parts(desk: Desk) -> None:
    """By number, count, kind and action; a body that is kept in part says so."""
    desk.freeze()
    ids = [desk.accept(payload="x" * 5_000)["a_id"] for _ in range(2)]

    def numbers(query: str) -> list[int]:
        return [entry["number"] for entry in desk.admin("GET", f"42/journal?{query}").data["entries"]]

    assert numbers("after=2&limit=3") == [3, 4, 5]
    assert numbers("kind=request") == [5, 9]
    assert numbers("kind=command") == [1]
    assert numbers(f"action={ids[1]}") == [6, 7, 8, 9]
    assert numbers(f"action={ids[1]}&kind=transition&limit=1") == [6]
    assert numbers("after=999") == []
    assert desk.admin("GET", "42/journal?kind=request").data["entries"][0]["cut"] is True


def test_what_the_journal_lost_is_counted() -> None:
    """The oldest entries are dropped first."""
    with Desk(journal=5) as desk:
        for _ in range(3):
            desk.accept()

        journal = desk.admin("GET", "42/journal").data

        numbers = [entry["number"] for entry in journal["entries"]]
        first = journal["first"]
        assert numbers == list(range(first, 13))
        assert 1 < first <= 8
        assert (journal["last"], journal["dropped"]) == (12, first - 1)


def test_a_command_that_takes_long_goes_on_without_its_caller() -> None:
    """The caller is told so when the limit is over."""
    with Desk(limit=0.1) as desk:
        held = threading.Event()
        desk.loop.call_soon_threadsafe(held.wait)
        answer = desk.admin("POST", "42/reset", {"seed": 9})
        held.set()

        async def seed() -> int:
            return desk.app.administration.organisation("42").seed

        assert answer.refusal == (503, "TIMED_OUT")
        wait_until(lambda: desk.on_loop(seed()) == 9, "the reset")


def test_callers_are_told_when_the_mock_ends() -> None:
    """Those with a command under way, and those that come later."""
    with Desk() as desk:
        desk.bridge.close()

        assert desk.admin("GET", "42").refusal == (503, "SHUTTING_DOWN")
        assert desk.admin("GET", "42/journal/tail").refusal == (503, "SHUTTING_DOWN")
        assert len(desk.streams) == 0


def test_the_api_goes_on_as_documented_beside_all_this(desk: Desk) -> None:
    """A definition of one organisation is put while another's clock moves."""
    desk.freeze()

    assert desk.call("PUT", PUT, {"variant": "v", "schema": {}}).status == 200
    assert desk.admin("POST", "43/clock/advance", {"seconds": 10}).data["clock"]["mode"] == "running"
    assert desk.admin("GET", "42").data["clock"]["now"] == NOON
