"""Actions read back: what a record shows (B078 to B081), and which ones a list has (B015, B016)."""

from __future__ import annotations

import pytest

from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step, Worker
from tests.api.asgi import World
from tests.api.lives import (
    DAY,
    MINUTE,
    RECORDS,
    SECOND,
    SIGNALS,
    elapsed,
    listed,
    said,
    story,
    wire,
    world,
)


def test_a_record_shows_what_was_accepted_and_how_it_stands() -> None:
    """B078, B079, B081, B008, Q12: input, timeout in seconds, tags, state, the definition, and the events."""
    mock = World()
    definition = mock.put("v", schema={"type": "object"}, alias=["w"]).json["data"]
    action = mock.accept("w", payload={"n": 1}, tags={"a": "b"}, metadata={"not": "shown"})["a_id"]

    reply = mock.call("GET", f"{RECORDS}/{action}")
    record = reply.json["data"]
    common = {"action_record_id": action, "org_id": "42", "attempt": 0, "created_at": wire(0)}
    happened = [
        ("accepted", "queued", 0),
        ("delivered", "running", MINUTE),
        ("handed_off", "ack_wait", MINUTE),
    ]

    assert reply.json.keys() == {"data", "errors"}
    assert reply.json["errors"] is None
    assert record == {
        "id": action,
        "org_id": "42",
        "action_definition_id": definition["id"],
        "input": {"n": 1},
        "timeout": 86_400,
        "tags": {"a": "b"},
        "state": {
            "status": "ack_wait",
            "attempt": 0,
            "updated_at": wire(0),
            "available_at": wire(MINUTE),
            "timeout_at": wire(DAY),
            "started_at": wire(0),
            "completed_at": None,
            "error_message": None,
        },
        "definition": definition,
        "events": [
            common | {"id": event["id"], "kind": kind, "status": status, "available_at": wire(at)}
            for event, (kind, status, at) in zip(record["events"], happened, strict=True)
        ],
    }


def test_a_list_shows_the_same_without_events() -> None:
    """B078, B015: only a single record has events."""
    mock = world()
    record = mock.record(mock.accept(payload=[1], tags={"a": "b"})["a_id"])
    del record["events"]

    assert mock.call("GET", RECORDS).json == {"data": {"items": [record], "count": 1}, "errors": None}


def test_a_record_keeps_the_version_that_it_was_accepted_under() -> None:
    """B078, B036: later versions of the definition do not change it."""
    mock = World()
    mock.put("v", schema={"const": 1})
    action = mock.accept("v", payload=1)["a_id"]
    mock.put("v", schema={"const": 2})

    definition = mock.record(action)["definition"]
    assert (definition["version"], definition["schema"]) == (1, {"const": 1})


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        (Event.ACK, "succeeded", None),
        (Event.CANCEL, "canceled", None),
        (Event.REJECT, "failed", "attempt 1 was rejected for good"),
        (Event.TIME_OUT, "failed", "not settled within its timeout, after attempt 1"),
    ],
)
def test_a_state_tells_when_it_began_and_ended_and_why_it_failed(
    end: Event, status: str, message: str | None
) -> None:
    """B079, B080, B074: started with attempt 0, complete in terminal states alone, with a message if it failed."""
    mock = world()
    action = mock.accept()["a_id"]
    mock.clock.advance(90 * SECOND)
    open_state = mock.record(action)["state"]
    mock.admin("end_attempt", action, end)

    common = {"attempt": 1, "timeout_at": wire(DAY), "started_at": wire(0)}
    assert open_state == common | {
        "status": "ack_wait",
        "updated_at": wire(60 * SECOND),
        "available_at": wire(120 * SECOND),
        "completed_at": None,
        "error_message": None,
    }
    assert mock.record(action)["state"] == common | {
        "status": status,
        "updated_at": wire(90 * SECOND),
        "available_at": wire(90 * SECOND),
        "completed_at": wire(90 * SECOND),
        "error_message": message,
    }


def test_available_at_is_when_the_next_attempt_may_begin() -> None:
    """B080: in each state it is the time at which the next attempt then began, or the end."""
    mock = world(
        Step(Do.HOLD, lease=5 * SECOND),
        Step(Do.NACK),
        Step(Do.NACK, retry_after=7 * SECOND),
        Step(Do.ACK, after=3 * SECOND),
    )
    action = mock.accept()["a_id"]
    foretold = []
    for _ in range(3):
        foretold.append(mock.record(action)["state"]["available_at"])
        mock.clock.advance(elapsed(foretold[-1]) - mock.clock.now() + 1_700_000_000_000)

    began = [event["created_at"] for event in mock.record(action)["events"] if event["kind"] == "delivered"]
    assert began[1:] == foretold


def test_every_transition_is_an_event() -> None:
    """B081: the event has its kind, the status and attempt that followed, its time, and until when they last."""
    mock = world(Step(Do.HOLD, after=SECOND), Step(Do.HOLD))
    action = mock.accept()["a_id"]
    mock.clock.advance(2 * SECOND)
    mock.modack(action, 0, 8)
    mock.clock.advance(8 * SECOND)
    mock.signal("nack", action, 1, terms={"retry_at": 1_700_000_020})
    mock.clock.advance(11 * SECOND)
    mock.signal("defer", action, 2)
    mock.signal("ack", action, 2)

    shown = [
        (*told, elapsed(event["created_at"]), elapsed(event["available_at"]))
        for told, event in zip(story(mock, action), mock.record(action)["events"], strict=True)
    ]
    assert shown == [
        ("accepted", "queued", 0, 0, 0),
        ("delivered", "running", 0, 0, 60_000),
        ("handed_off", "ack_wait", 0, 1_000, 61_000),
        ("extended", "ack_wait", 0, 2_000, 10_000),
        ("expired", "retrying", 0, 10_000, 10_000),
        ("delivered", "running", 1, 10_000, 70_000),
        ("handed_off", "ack_wait", 1, 10_000, 70_000),
        ("scheduled", "scheduled", 1, 10_000, 20_000),
        ("delivered", "running", 2, 20_000, 80_000),
        ("handed_off", "ack_wait", 2, 20_000, 80_000),
        ("deferred", "ack_wait", 2, 21_000, 81_000),
        ("acked", "succeeded", 2, 21_000, 21_000),
    ]


def test_the_last_event_is_the_state() -> None:
    """B079, B081: whatever happens, the two agree."""
    mock = world(Step(Do.NACK), Step(Do.HOLD, after=5 * SECOND), Step(Do.DEFER, after=9 * SECOND))
    action = mock.accept()["a_id"]
    for _ in range(40):
        record = mock.record(action)
        state, event = record["state"], record["events"][-1]
        assert {name: event[name] for name in ("status", "attempt", "available_at")} == {
            name: state[name] for name in ("status", "attempt", "available_at")
        }
        assert event["created_at"] == state["updated_at"]
        mock.clock.advance(5 * SECOND)

    assert mock.state(action) == ("succeeded", 2)


def test_moments_are_in_order() -> None:
    """B018, B079, B080: no time comes before an earlier cause, in the state and from event to event."""
    mock = world(Step(Do.NACK), Step(Do.HOLD, after=SECOND), Step(Do.NACK, retry_after=SECOND), Step(Do.ACK))
    action = mock.accept()["a_id"]
    for _ in range(30):
        record = mock.record(action)
        state = record["state"]
        created = [event["created_at"] for event in record["events"]]
        assert created == sorted(created)
        assert state["started_at"] <= state["updated_at"] <= state["available_at"] <= state["timeout_at"]
        assert state["completed_at"] in (None, state["updated_at"])
        mock.clock.advance(3 * SECOND)

    assert mock.state(action)[0] == "succeeded"


def test_ids_of_events_are_digits_and_unique_in_their_organisation() -> None:
    """B010, B081, Q11: 19 digits that grow, over all actions of the organisation."""
    mock = world()
    actions = [mock.accept()["a_id"] for _ in range(3)]
    mock.clock.advance(2 * MINUTE)
    found = [event["id"] for action in actions for event in mock.record(action)["events"]]

    assert len(set(found)) == len(found) == 3 * 9
    assert all(event.isdecimal() and len(event) == 19 for event in found)
    for action in actions:
        ids = [int(event["id"]) for event in mock.record(action)["events"]]
        assert ids == sorted(ids)


def test_the_latest_sixteen_events_are_kept() -> None:
    """B081: older ones are dropped; our choice."""
    mock = world()
    action = mock.accept()["a_id"]
    counts = []
    for _ in range(20):
        counts.append(len(mock.record(action)["events"]))
        mock.modack(action)

    assert counts == [min(3 + number, 16) for number in range(20)]
    assert story(mock, action) == [("extended", "ack_wait", 0)] * 16
    mock.signal("ack", action)
    assert story(mock, action)[-2:] == [("extended", "ack_wait", 0), ("acked", "succeeded", 0)]


def test_a_refused_signal_is_no_event() -> None:
    """B081, B121: a refusal leaves no trace."""
    mock = world()
    action = mock.accept()["a_id"]
    before = mock.record(action)
    for name in SIGNALS:
        said(mock, name, action, 5)

    assert mock.record(action) == before


def test_records_are_there_at_once_and_reading_changes_nothing() -> None:
    """Q35: a record can be read right after the answer to the POST, and any number of times."""
    mock = world()
    action = mock.accept()["a_id"]

    assert mock.call("GET", f"{RECORDS}/{action}").body == mock.call("GET", f"{RECORDS}/{action}").body
    assert listed(mock) == listed(mock) == ([action], 1)


@pytest.mark.parametrize("id", ["1", "9" * 19, "9" * 400])
def test_an_unknown_id_is_404(id: str) -> None:
    """B133: on the control plane too, with its envelope."""
    reply = world().call("GET", f"{RECORDS}/{id}")

    assert (reply.status, reply.error["code"]) == (404, "UNKNOWN_ACTION")


@pytest.mark.parametrize("id", ["abc", "-1", "1.5", "%20", "1%0A"])
def test_an_id_is_digits(id: str) -> None:
    """B010: another text is refused as a parameter."""
    reply = world().call("GET", f"{RECORDS}/{id}")

    assert (reply.status, reply.error["code"]) == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize("path", ["", "/{action}"])
def test_another_organisations_path_is_refused(path: str) -> None:
    """Q10: 403 for the list and for a record, also for a record that belongs to the key's organisation."""
    mock = world()
    path = path.format(action=mock.accept()["a_id"])

    reply = mock.call("GET", RECORDS + path, key="org-7")
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN_ORGANISATION")


def test_another_organisations_record_is_unknown_and_its_list_is_its_own() -> None:
    """B133: the caller does not find another organisation's action under its own path."""
    mock = world()
    mine, theirs = mock.accept()["a_id"], mock.accept(key="org-7")["a_id"]

    reply = mock.call("GET", f"/v1/orgs/7/actions/records/{mine}", key="org-7")
    assert (reply.status, reply.error["code"]) == (404, "UNKNOWN_ACTION")
    assert listed(mock) == ([mine], 1)
    assert listed(mock, key="org-7", org="7") == ([theirs], 1)


def test_only_x_arklow_auth_opens_the_records() -> None:
    """B004, B005: `Authorization` is for ingress."""
    mock = world()
    headers = {"authorization": "org-42", "x-arklow-auth": ""}
    body = {"action_record_id": "1", "attempt": 0}

    assert mock.call("GET", RECORDS, headers=headers).status == 401
    assert mock.call("POST", "/v1/ack", body, headers=headers).status == 404


@pytest.mark.parametrize("name", [*SIGNALS, "read"])
def test_a_dropped_action_is_said_to_be_dropped(name: str) -> None:
    """B133: 404, and the code tells that it existed; our choice."""
    mock = world(max_actions=2)
    dropped, *kept = (mock.accept()["a_id"] for _ in range(3))
    reply = mock.call("GET", f"{RECORDS}/{dropped}")
    read = reply.status, reply.error["code"]

    assert (read if name == "read" else said(mock, name, dropped)) == (404, "DROPPED_ACTION")
    assert listed(mock) == (kept[::-1], 2)


def test_the_organisation_that_keeps_most_makes_room() -> None:
    """One that floods the mock loses its own oldest actions, open or not, and takes nothing from others; ours."""
    mock = world(max_actions=5)
    ids = [mock.accept()["a_id"] for _ in range(4)]
    for action in ids[2:]:
        mock.signal("ack", action)
    others = [mock.accept(key="org-7")["a_id"] for _ in range(2)]
    ids.append(mock.accept()["a_id"])

    assert listed(mock, "?asc=true") == (ids[2:], 3)
    assert listed(mock, "?asc=true", key="org-7", org="7") == (others, 2)


def _fifty_five() -> tuple[World, list[str]]:
    """Make a mock with 55 actions, and return it with their ids."""
    mock = world()
    return mock, [mock.accept()["a_id"] for _ in range(55)]


def test_pages_are_of_twenty_and_the_newest_comes_first() -> None:
    """B015, B016, Q21: `count` counts all actions; `asc` reverses the order."""
    mock, ids = _fifty_five()

    assert listed(mock) == (ids[::-1][:20], 55)
    assert listed(mock, "?asc=false") == (ids[::-1][:20], 55)
    assert listed(mock, "?asc=true") == (ids[:20], 55)


@pytest.mark.parametrize("take", [1, 7, 50])
@pytest.mark.parametrize("order", ["true", "false"])
def test_pages_that_follow_each_other_are_the_whole(take: int, order: str) -> None:
    """B016: take 1 to 50, skip from 0; no action is there twice or missing, and beyond the end there are none."""
    mock, ids = _fifty_five()
    expected = ids if order == "true" else ids[::-1]
    found: list[str] = []
    while True:
        page, count = listed(mock, f"?take={take}&skip={len(found)}&asc={order}")
        assert count == 55
        assert len(page) == min(take, 55 - len(found))
        if not page:
            break
        found += page

    assert found == expected


@pytest.mark.parametrize("skip", [55, 56, 10**18, 2**63 - 1])
def test_a_page_beyond_the_end_is_empty(skip: int) -> None:
    """B016: it is no error."""
    mock, _ = _fifty_five()

    assert listed(mock, f"?skip={skip}") == ([], 55)
    assert listed(mock, f"?skip={skip}&variant=v") == ([], 55)


def test_count_only_counts() -> None:
    """B016: there are no items, whatever page is asked for; filters apply."""
    mock, ids = _fifty_five()
    mock.signal("ack", ids[0])

    assert listed(mock, "?count_only=true") == ([], 55)
    assert listed(mock, "?count_only=true&take=5&skip=50") == ([], 55)
    assert listed(mock, "?count_only=true&status=succeeded") == ([], 1)
    assert listed(mock, "?count_only=false&take=1") == ([ids[-1]], 55)


@pytest.mark.parametrize(
    "query",
    [
        *("take=0", "take=51", "take=-1", "take=--5", "take=1.5", "take=x", "take=", "take=%2B5", "take=1e1"),
        *("skip=-1", "skip=--1", "skip=x", "skip=1.5", "skip=9223372036854775808"),
        *("count_only=1", "count_only=yes", "count_only=", "asc=1", "asc=True", "take=5&take=51"),
        *("status=done", "status=", "status=queued,failed", "status=queued&status=done", "status=deferred"),
    ],
)
def test_what_is_out_of_bounds_is_refused(query: str) -> None:
    """B016, Q1, Q21: 400, and the message names the parameter."""
    reply = world().call("GET", f"{RECORDS}?{query}")

    assert (reply.status, reply.error["code"]) == (400, "INVALID_PARAMETER")
    assert reply.error["message"].startswith(f"query {query.partition(chr(61))[0]}")


@pytest.mark.parametrize(
    ("query", "bound"), [("take=51", "50"), ("take=0", "1"), ("skip=-1", "0"), ("status=done", "succeeded")]
)
def test_a_refused_parameter_is_told_what_was_expected(query: str, bound: str) -> None:
    """Q9: the message has the place, what was expected and what came; an integer out of bounds is an integer."""
    error = world().call("GET", f"{RECORDS}?{query}").error

    assert bound in error["message"].partition(", got")[0]


def test_lists_are_filtered_by_one_status_or_several() -> None:
    """B070, Q21: each status is a parameter of its own; custody is `ack_wait` (B145)."""
    mock = world()
    steps = {"succeeded": Do.ACK, "failed": Do.REJECT, "ack_wait": Do.HOLD, "deferred": Do.DEFER}
    steps |= {"dispatch_wait": Do.WAIT, "retrying": Do.NACK}
    mock.admin("set_worker", Worker(variants={name: (Step(do),) for name, do in steps.items()}))
    ids = {name: mock.accept(name)["a_id"] for name in steps}

    def found(*statuses: str) -> set[str]:
        page, count = listed(mock, "?" + "&".join(f"status={status}" for status in statuses))
        assert count == len(page)
        return {name for name in ids if ids[name] in page}

    assert found("succeeded") == {"succeeded"}
    assert found("ack_wait") == {"ack_wait", "deferred"}
    assert found("failed", "dispatch_wait", "failed") == {"failed", "dispatch_wait"}
    assert found("queued", "scheduled", "running", "canceled") == set()


def test_a_status_is_the_one_of_now() -> None:
    """B142, Q21: what fell due before the request has happened."""
    mock = world(Step(Do.DEFER))
    action = mock.accept()["a_id"]
    mock.clock.advance(MINUTE)

    assert listed(mock, "?status=ack_wait") == ([], 0)
    assert listed(mock, "?status=succeeded") == ([action], 1)


def test_lists_are_filtered_by_variant_and_tags() -> None:
    """Q21: every filter has to fit, whole values are compared, and pages are pages of what fits."""
    mock = world()
    mock.put("v", alias=["w"])
    ids = [
        mock.accept(variant, tags=tags)["a_id"]
        for variant, tags in [
            ("v", {"region": "eu", "tier": "gold"}),
            ("w", {"region": "eu"}),
            ("x", {"region": "eu"}),
            ("v", {"region": "us", "": "empty"}),
            ("v", {}),
        ]
    ]
    expected = {
        "variant=v": [0, 1, 3, 4],
        "variant=w": [],
        "variant=x": [2],
        "tag.region=eu": [0, 1, 2],
        "tag.region=e": [],
        "tag.region=": [],
        "tag.=empty": [3],
        "variant=v&tag.region=eu": [0, 1],
        "tag.region=eu&tag.tier=gold": [0],
        "tag.region=eu&tag.region=us": [],
        "variant=v&take=2&skip=1": [1, 3],
        "variant=v&status=ack_wait&tag.region=us": [3],
        "variant=v&status=failed": [],
        "region=eu": [0, 1, 2, 3, 4],
    }

    assert {query: listed(mock, f"?{query}&asc=true")[0] for query in expected} == {
        query: [ids[place] for place in places] for query, places in expected.items()
    }
    assert listed(mock, "?variant=v&take=2&skip=1")[1] == 4


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_records_are_only_read(method: str) -> None:
    """B078: no other method is documented."""
    reply = world().call(method, RECORDS, {})

    assert (reply.status, reply.headers["allow"]) == (405, "GET, OPTIONS")
