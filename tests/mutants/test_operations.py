"""The conforming server settles, defers and shows actions as the guides say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import Choices, ConformingServer
from .client import (
    ABSENT,
    FIRST_TIME,
    OTHER,
    Client,
    speaking,
)

ALL = Choices(operations="all")
LIFETIME = 86_400


def settled(operation: str, wait: float = 0, **terms: Any) -> Callable[[Client], list[Any]]:
    """Probe one signal for a new action: its status, then status and attempt of the record `wait` seconds later."""

    def ask(client: Client) -> list[Any]:
        action = client.action()
        status = client.settle(operation, action, **terms).status
        client.clock.wait(wait)
        state = client.record(action).data["state"]
        return [status, state["status"], state["attempt"]]

    return ask


def then(first: str, second: str, wait: float = 0) -> Callable[[Client], list[Any]]:
    """Probe two signals for attempt 0 of one action, `wait` seconds apart: the second's status, then the record's."""

    def ask(client: Client) -> list[Any]:
        action = client.action()
        client.settle(first, action)
        client.clock.wait(wait)
        reply = client.modack(action) if second == "modack" else client.settle(second, action)
        return [reply.status, client.record(action).data["state"]["status"]]

    return ask


LATER = int(FIRST_TIME) + 100
LIVES: dict[str, tuple[Callable[[Client], Any], Any]] = {
    "ack succeeds": (settled("ack"), [200, "succeeded", 0]),
    "nack is tried again a second later": (settled("nack", 0.9), [200, "retrying", 0]),
    "the next attempt follows a nack": (settled("nack", 1), [200, "ack_wait", 1]),
    "empty terms are none": (settled("nack", terms={}), [200, "retrying", 0]),
    "retry_at waits": (settled("nack", 99, terms={"retry_at": LATER}), [200, "scheduled", 0]),
    "retry_at is kept": (settled("nack", 100, terms={"retry_at": LATER}), [200, "ack_wait", 1]),
    "retry_at beyond the end": (
        settled("nack", LIFETIME, terms={"retry_at": LATER + LIFETIME}),
        [200, "failed", 0],
    ),
    "retry false fails": (settled("nack", terms={"retry": False}), [200, "failed", 0]),
    "retry is a boolean": (settled("nack", terms={"retry": 1}), [400, "ack_wait", 0]),
    "retry_at is from 0": (settled("nack", terms={"retry_at": -1}), [400, "ack_wait", 0]),
    "terms is an object": (settled("nack", terms=None), [400, "ack_wait", 0]),
    "a future attempt": (settled("ack", attempt=1), [409, "ack_wait", 0]),
    "defer holds": (settled("defer", 59), [200, "ack_wait", 0]),
    "silence after defer is success": (settled("defer", 60), [200, "succeeded", 0]),
    "silence is another attempt": (settled("modack", 60), [400, "ack_wait", 1]),
    "the lifetime ends in failure": (settled("modack", LIFETIME), [400, "failed", 1439]),
    "ack after ack": (then("ack", "ack"), [409, "succeeded"]),
    "modack after ack": (then("ack", "modack"), [409, "succeeded"]),
    "defer after ack": (then("ack", "defer"), [409, "succeeded"]),
    "ack after nack": (then("nack", "ack"), [409, "retrying"]),
    "stale ack": (then("nack", "ack", 1), [409, "ack_wait"]),
    "nack after defer": (then("defer", "nack"), [409, "ack_wait"]),
    "ack after defer": (then("defer", "ack", 59), [200, "succeeded"]),
    "modack after defer": (then("defer", "modack", 59), [200, "ack_wait"]),
    "defer after defer": (then("defer", "defer"), [200, "ack_wait"]),
    "unknown id": (lambda c: c.settle("ack", "1").status, 404),
    "unknown record": (lambda c: c.record("1").status, 404),
    "page too large": (lambda c: c.record(query="?take=51").status, 400),
    "negative skip": (lambda c: c.record(query="?skip=-1").status, 400),
}


@pytest.mark.parametrize("name", LIVES)
def test_a_life_goes_as_documented(name: str) -> None:
    """Signals, silence, and refusals on the way."""
    ask, expected = LIVES[name]
    with speaking(ConformingServer, ALL) as client:
        assert ask(client) == expected


def test_a_deferred_action_can_be_nacked_without_effect() -> None:
    """Where the choices say so (Q7)."""
    with speaking(ConformingServer, Choices(operations="all", nack_after_defer="ignore")) as client:
        assert then("defer", "nack")(client) == [200, "ack_wait"]


def test_a_first_delivery_can_be_late() -> None:
    """Until then no attempt holds the action (Q4)."""
    with speaking(ConformingServer, Choices(first_delivery=5.0)) as client:
        action = client.action()
        assert [client.modack(action, wait=wait).status for wait in (4.9, 0.1)] == [409, 200]


def test_by_default_only_the_published_operations_are_served() -> None:
    """The others are not found."""
    with speaking(ConformingServer) as client:
        assert client.settle("ack", client.action()).status == 404


def test_a_record_shows_what_was_accepted() -> None:
    """Input, tags of body and query, definition, and state."""
    with speaking(ConformingServer, ALL) as client:
        made = client.put(alias=["w"], schema={"type": "array"})
        path = "/v1/ingress/w?tag.region=eu&tag.new=1&other=2"
        body = {"payload": [1], "tags": {"region": "us", "kept": ""}, "metadata": {"m": 1}}
        action = client.call("POST", path, body).data["a_id"]
        record = client.record(action).data
    assert record.keys() == {
        "id",
        "org_id",
        "action_definition_id",
        "input",
        "timeout",
        "tags",
        "state",
        "definition",
        "events",
    }
    assert (record["input"], record["timeout"]) == ([1], LIFETIME)
    assert record["tags"] == {"region": "eu", "kept": "", "new": "1"}
    assert record["definition"] == made.data
    assert record["state"] == {
        "status": "ack_wait",
        "attempt": 0,
        "updated_at": "2027-01-15T08:00:00.000Z",
        "available_at": "2027-01-15T08:01:00.000Z",
        "timeout_at": "2027-01-16T08:00:00.000Z",
        "started_at": "2027-01-15T08:00:00.000Z",
        "completed_at": None,
        "error_message": None,
    }


def test_each_transition_has_an_event() -> None:
    """Kind, status and attempt, in their order."""
    with speaking(ConformingServer, ALL) as client:
        action = client.action()
        client.settle("nack", action)
        client.settle("ack", action, 1, wait=1)
        events = client.record(action).data["events"]
    shown = [(event["kind"], event["status"], event["attempt"]) for event in events]
    assert shown == [
        ("accepted", "queued", 0),
        ("delivered", "ack_wait", 0),
        ("nacked", "retrying", 0),
        ("delivered", "ack_wait", 1),
        ("acked", "succeeded", 1),
    ]


def test_a_list_has_pages_and_a_count() -> None:
    """The newest first, unless the oldest are asked for."""
    with speaking(ConformingServer, ALL) as client:
        made = [client.action() for _ in range(3)]
        page = client.record(query="?take=2&skip=1").data
        oldest = client.record(query="?asc=true&take=1").data
        counted = client.record(query="?count_only=true").data
    assert [item["id"] for item in page["items"]] == [made[1], made[0]]
    assert [item["id"] for item in oldest["items"]] == made[:1]
    assert counted == {"items": [], "count": 3}


def test_an_organisation_sees_its_own_records_alone() -> None:
    """In lists, by id, and on its own path."""
    with speaking(ConformingServer, ALL) as client:
        action = client.action()
        path = "/v1/orgs/2/actions/records"
        theirs = {"x-arklow-auth": OTHER}
        assert client.call("GET", path, headers=theirs).data["count"] == 0
        assert client.call("GET", f"{path}/{action}", headers=theirs).status == 404
        assert client.call("GET", path).status == 403


INTERPRETATIONS: list[tuple[dict[str, Any], Callable[[Client], Any], Any]] = [
    ({}, lambda c: (c.put(), c.put(version=3).data["id"] == c.put().data["id"])[1], True),
    (
        {"update_id": "changes"},
        lambda c: len({c.put().data["id"], c.put().data["id"], c.put(version=3).data["id"]}),
        2,
    ),
    ({}, lambda c: (c.put(version=5), c.put(version=2).data["version"])[1], 2),
    ({"lower_version": "refused"}, lambda c: (c.put(version=5), c.put(version=2).status)[1], 409),
    ({"lower_version": "ignored"}, lambda c: (c.put(version=5), c.put(version=2).data["version"])[1], 5),
    ({}, lambda c: (c.put(alias=["w"]), c.put().data["alias"])[1], ["w"]),
    ({"omitted_alias": "emptied"}, lambda c: (c.put(alias=["w"]), c.put().data["alias"])[1], []),
    ({}, lambda c: (c.put(more=1).status, c.ingress(more=1).status), (200, 200)),
    (
        {"extra_request_members": "refused"},
        lambda c: (c.put(more=1).status, c.put().status, c.ingress(more=1).status),
        (400, 200, 400),
    ),
    ({}, lambda c: c.put(schema={"type": 3}).status, 200),
    ({"bad_schema": "refused"}, lambda c: [c.put(schema=s).status for s in ({"type": 3}, 3)], [400, 200]),
    ({"ids": "long"}, lambda c: [len(c.put().data["id"]), len(c.action())], [25, 25]),
    ({"error_texts": "german"}, lambda c: c.put(schema=ABSENT).error["code"], "fehler.invalid_request"),
    ({"key_order": True}, lambda c: c.put().body[:18], b'{\n  "errors": null'),
    (
        {"chunked_answers": True},
        lambda c: [(a := c.put()).headers.get("transfer-encoding"), a.headers.get("content-length")],
        ["chunked", None],
    ),
]


@pytest.mark.parametrize(("choices", "ask", "expected"), INTERPRETATIONS)
def test_interpretations_differ_as_named(
    choices: dict[str, Any], ask: Callable[[Client], Any], expected: Any
) -> None:
    """Each choice has the effect that its docstring names."""
    with speaking(ConformingServer, Choices(**choices)) as client:
        assert ask(client) == expected
