"""What a webhook is sent, and what its answers make of the action: a real receiver, and a frozen clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.admin.desk import Desk
from tests.deliveries.receiver import (
    Answer,
    Receiver,
    advance,
    answer,
    deliveries,
    link,
    linked,
    signal,
    story,
)


def _pause(desk: Desk, action: str) -> float:
    """Seconds from the latest event to the next attempt, or to the end of the lease."""
    state = desk.record(action)["state"]
    updated, available = (datetime.fromisoformat(state[name]) for name in ("updated_at", "available_at"))
    return (available - updated) / timedelta(seconds=1)


def _one(desk: Desk, receiver: Receiver, *answers: Answer, **config: Any) -> str:
    """The id of an action that was delivered once."""
    if answers:
        receiver.answers[:] = answers
    linked(desk, receiver.url, **config)
    action: str = desk.accept()["a_id"]
    advance(desk)
    return action


def test_the_events_of_several_attempts_are_recorded_in_order(desk: Desk, receiver: Receiver) -> None:
    """A 503, a nack with two seconds, a mod_ack, and an ack over the API (B081, B093, B097, B098, B101, B103)."""
    receiver.answers[:] = [answer(503), signal("nack", 2), signal("mod_ack", 30), signal("mod_ack", 30)]
    linked(desk, receiver.url)

    action = desk.accept()["a_id"]
    advance(desk, 2)  # the back-off is a second and up to a quarter
    advance(desk, 2)
    assert desk.state(action) == ("ack_wait", 2)
    assert desk.signal("ack", action, 2) == (200, "")

    assert story(desk, action) == [
        ("accepted", 0),
        ("delivered", 0),
        ("unavailable", 0),
        ("delivered", 1),
        ("scheduled", 1),
        ("delivered", 2),
        ("handed_off", 2),
        ("acked", 2),
    ]
    assert [got.attempt for got in receiver.got] == [0, 1, 2]
    events = desk.record(action)["events"]
    times = [datetime.fromisoformat(event["created_at"]) for event in events]
    assert timedelta(seconds=1) <= times[3] - times[2] <= timedelta(seconds=1.25)
    assert times[5] - times[4] == timedelta(seconds=2)


def test_a_call_is_the_payload_alone_and_names_the_action(desk: Desk, receiver: Receiver) -> None:
    """It is a POST of JSON with three headers of Arklow's (B090, B091), without metadata and tags (B043)."""
    linked(desk, receiver.url)
    payload = {"order": "8471", "n": 1.50, "many": 12345678901234567890123}
    action = desk.accept(payload=payload, metadata={"secret": 1}, tags={"k": "v"})["a_id"]
    advance(desk)

    [got] = receiver.got
    assert (got.method, got.path) == ("POST", "/hook")
    assert json.loads(got.body) == payload
    assert got.header("content-type") == "application/json"
    assert got.header("x-arklow-actionid") == action
    assert got.header("x-arklow-attempt") == "0"
    assert sorted(name.lower() for name, _ in got.headers) == [
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-arklow-actionid",
        "x-arklow-attempt",
    ]


def test_headers_of_destination_and_credential_are_added(desk: Desk, receiver: Receiver) -> None:
    """The credential wins for the same name in the same case; in another case both are sent (B092). Arklow's own stay (ours)."""
    linked(desk, receiver.url)
    made = desk.admin(
        "PUT",
        "42/destinations",
        {
            "label": "hook",
            "type": "webhook",
            "config": {
                "url": receiver.url,
                "headers": {"X-A": "1", "X-B": "1", "content-type": "text/plain", "X-Arklow-Attempt": "7"},
            },
            "credential": {"headers": {"X-B": "secret", "x-a": "secret"}},
        },
    )
    assert made.data["credential_id"]
    assert b"secret" not in made.body
    desk.accept()
    advance(desk)

    [got] = receiver.got
    assert [(n, v) for n, v in got.headers if n.lower() in ("x-a", "x-b")] == [
        ("X-A", "1"),
        ("X-B", "secret"),
        ("x-a", "secret"),
    ]
    assert got.header("content-type") == "application/json"
    assert got.attempt == 0
    [entry] = deliveries(desk)
    assert (entry["headers"]["X-B"], entry["headers"]["x-a"]) == ("***", "***")
    assert "secret" not in json.dumps(entry)


SIGNALS = {
    "ack": (signal("ack"), "succeeded"),
    "an ack with a value": (signal("ack", 5), "succeeded"),
    "nack": (signal("nack"), "retrying"),
    "nack with seconds": (signal("nack", 7), "scheduled"),
    "mod_ack": (signal("mod_ack"), "ack_wait"),
    "mod_ack with seconds": (signal("mod_ack", 7), "ack_wait"),
    "ack in the body": (answer(200, '{"__arklow__": {"signal": "ack"}, "more": 1}'), "succeeded"),
    "nack in the body": (answer(201, '{"__arklow__": {"signal": "nack", "value": 7}}'), "scheduled"),
    "mod_ack in the body": (answer(202, '{"__arklow__": {"signal": "mod_ack", "value": 7}}'), "ack_wait"),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_settles_gives_back_or_holds(desk: Desk, receiver: Receiver, name: str) -> None:
    """A signal is in the headers (B093) or in the body (B094): ack (B096), nack (B097) or mod_ack (B098)."""
    given, status = SIGNALS[name]
    action = _one(desk, receiver, given)

    assert desk.state(action) == (status, 0)
    if "seconds" in name or ("body" in name and status != "succeeded"):
        assert _pause(desk, action) == 7
    elif name == "mod_ack":
        assert _pause(desk, action) == 60


def test_headers_win_over_the_body(desk: Desk, receiver: Receiver) -> None:
    """Signal and value come from the same place (B095)."""
    body = '{"__arklow__": {"signal": "ack", "value": 9}}'
    action = _one(desk, receiver, answer(200, body, x_arklow_signaling="mod_ack"))

    assert desk.state(action) == ("ack_wait", 0)
    assert _pause(desk, action) == 60


@pytest.mark.parametrize(
    ("signaling", "status"),
    [
        ({"enabled": True, "default": "ack"}, "succeeded"),
        ({"enabled": True, "default": "mod_ack"}, "ack_wait"),
        ({"enabled": False, "default": "ack"}, "ack_wait"),
        ({"enabled": False}, "ack_wait"),
        (None, "ack_wait"),
    ],
)
def test_an_answer_without_a_signal_means_what_the_destination_says(
    desk: Desk, receiver: Receiver, signaling: Any, status: str
) -> None:
    """It settles the attempt where the destination says so (B099), else holds it for 60 s (B100)."""
    action = _one(desk, receiver, answer(204), **({} if signaling is None else {"signaling": signaling}))

    assert desk.state(action) == (status, 0)
    if status == "ack_wait":
        assert _pause(desk, action) == 60


NO_SIGNALS = {
    "another word": signal("defer"),
    "another casing": signal("ACK"),
    "a number in the body": answer(200, '{"__arklow__": {"signal": 1}}'),
    "a body that is no JSON": answer(200, '{"__arklow__": {"signal": "ack"'),
    "a body that is a list": answer(200, '["__arklow__", {"signal": "ack"}]'),
    "deep nonsense": answer(200, '{"__arklow__": ' * 9_000),
    "no object": answer(200, '{"__arklow__": "ack"}'),
}


@pytest.mark.parametrize("name", NO_SIGNALS)
def test_an_unknown_signal_is_ignored(desk: Desk, receiver: Receiver, name: str) -> None:
    """`defer` is no signal here (B111), nor is any other word or form (Q33); the journal says which word was ignored."""
    action = _one(desk, receiver, NO_SIGNALS[name])

    assert desk.state(action) == ("ack_wait", 0)
    assert _pause(desk, action) == 60
    [entry] = deliveries(desk)
    assert ("not heeded" in entry["note"]) == (
        name in ("another word", "another casing", "a number in the body")
    )


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "soon", "1e3", "9" * 40])
def test_a_value_that_is_no_number_of_seconds_is_ignored(desk: Desk, receiver: Receiver, value: str) -> None:
    """The default is used, and the journal says why (Q34)."""
    action = _one(desk, receiver, signal("mod_ack", value))

    assert _pause(desk, action) == 60
    assert "x-arklow-signaling-val" in deliveries(desk)[0]["note"]


def test_no_lease_and_no_pause_outlives_the_action(desk: Desk, receiver: Receiver) -> None:
    """A deadline beyond the lifetime is its end (B136)."""
    for given in (signal("mod_ack", 10**9), signal("nack", 10**9), answer(429, retry_after="999999999")):
        action = _one(desk, receiver, given)
        state = desk.record(action)["state"]
        assert state["available_at"] == state["timeout_at"]


def test_an_unsettled_attempt_is_redelivered_at_its_deadline(desk: Desk, receiver: Receiver) -> None:
    """It is the same action with the next attempt number (B101, B108, B077)."""
    action = _one(desk, receiver, answer(200))
    advance(desk, 59.999)
    assert len(receiver.got) == 1
    advance(desk, 0.001)

    assert [(got.header("x-arklow-actionid"), got.attempt) for got in receiver.got] == [
        (action, 0),
        (action, 1),
    ]
    assert desk.state(action) == ("ack_wait", 1)
    assert desk.signal("ack", action, 0) == (409, "STALE_ATTEMPT")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 501, 505, 599, 301, 302, 307, 308, 304])
def test_an_unavailable_receiver_gets_other_attempts_with_back_off(
    desk: Desk, receiver: Receiver, status: int
) -> None:
    """So do the four statuses of the guide (B103), and unlisted ones, with redirects, which are not followed (Q30)."""
    action = _one(desk, receiver, answer(status, location="/other", retry_after="1000"))
    gaps = []
    for _ in range(4):
        assert desk.state(action)[0] == "retrying"
        gaps.append(_pause(desk, action))
        advance(desk, gaps[-1])

    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps))
    assert [got.path for got in receiver.got] == ["/hook"] * 5
    assert story(desk, action)[2] == ("unavailable", 0)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("2", 2, 2),
        ("0", 1, 1),
        ("in an hour", 3_500, 3_601),
        ("soon", 1, 1.25),
        ("", 1, 1.25),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", 1, 1.25),
        ("Mon, 01 Jan 2030 00:00:00 +99999999999999999999", 1, 1.25),
    ],
)
def test_a_rate_limit_is_honoured(
    desk: Desk, receiver: Receiver, retry_after: str, least: float, most: float
) -> None:
    """A 429 may have Retry-After in seconds (B102; at least one, ours), or as a date.

    A date counts from the answer's own, not from the organisation's clock (Q31). Without Retry-After the back-off holds.
    """
    if retry_after == "in an hour":
        retry_after = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    action = _one(desk, receiver, answer(429, retry_after=retry_after))

    assert story(desk, action)[2] == ("rate_limited", 0)
    assert desk.state(action) == ("retrying", 0)
    assert least <= _pause(desk, action) <= most


@pytest.mark.parametrize("status", [408, 409, 425])
def test_some_4xx_lead_to_another_attempt_after_the_back_off(
    desk: Desk, receiver: Receiver, status: int
) -> None:
    """Retry-After makes no difference to them (B104; ours)."""
    action = _one(desk, receiver, answer(status, retry_after="500"))

    assert desk.state(action) == ("retrying", 0)
    assert 1 <= _pause(desk, action) <= 1.25


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 499])
def test_other_4xx_lead_to_another_attempt_later(desk: Desk, receiver: Receiver, status: int) -> None:
    """The pause is a minute, or what Retry-After says (B105); a signal in such an answer is ignored (Q32)."""
    action = _one(desk, receiver, answer(status, x_arklow_signaling="ack"))
    assert desk.state(action) == ("retrying", 0)
    assert _pause(desk, action) == 60

    action = _one(desk, receiver, answer(status, retry_after="7"))
    assert _pause(desk, action) == 7
    advance(desk, 7)
    assert [got.attempt for got in receiver.got][-2:] == [0, 1]


def test_attempts_go_on_until_the_end_of_the_lifetime(desk: Desk, receiver: Receiver) -> None:
    """After a day of refusals the action fails, and the receiver is not called any more (B106, B074)."""
    action = _one(desk, receiver, answer(400, retry_after="3600"))
    advance(desk, 2 * 86_400)

    record = desk.record(action)
    assert (record["state"]["status"], record["state"]["attempt"]) == ("failed", 23)
    assert record["state"]["completed_at"] == record["state"]["timeout_at"]
    assert [got.attempt for got in receiver.got] == list(range(24))


def test_an_action_whose_receiver_acked_takes_no_signal(desk: Desk, receiver: Receiver) -> None:
    """An ack in the answer settles the attempt (B110)."""
    action = _one(desk, receiver, signal("ack"))

    for word in ("defer", "ack", "nack"):
        assert desk.signal(word, action, 0) == (409, "FINISHED_ACTION")


def test_a_receiver_that_defers_during_its_call_is_called_no_more(desk: Desk, receiver: Receiver) -> None:
    """Its answer gives nothing back, and at the end of the lease the action has succeeded (B141, B142, B143)."""
    linked(desk, receiver.url)
    replies: list[tuple[int, str]] = []

    def hook() -> Any:
        replies.append(desk.signal("defer", str(receiver.got[-1].header("x-arklow-actionid")), 0))
        return answer(503)

    receiver.answers[:] = [hook]
    action = desk.accept()["a_id"]
    advance(desk)

    assert replies == [(200, "")]
    assert story(desk, action)[-1] == ("deferred", 0)
    [entry] = deliveries(desk)
    assert (entry["status"], entry["outcome"]) == (503, None)
    advance(desk, 86_400)
    assert desk.state(action) == ("succeeded", 0)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(("word", "status"), [("ack", "succeeded"), ("nack", "retrying")])
def test_a_receiver_may_settle_over_the_api_before_it_answers(
    desk: Desk, receiver: Receiver, word: str, status: str
) -> None:
    """Its answer comes too late then, and changes nothing (B132)."""
    linked(desk, receiver.url)

    def hook() -> Any:
        assert desk.signal(word, str(receiver.got[-1].header("x-arklow-actionid")), 0) == (200, "")
        return signal("mod_ack", 500)

    receiver.answers[:] = [hook]
    action = desk.accept()["a_id"]
    advance(desk)

    assert desk.state(action) == (status, 0)
    assert deliveries(desk)[0]["outcome"] is None


def test_an_extension_during_the_call_outlasts_an_answer_without_a_signal(
    desk: Desk, receiver: Receiver
) -> None:
    """The longer of the two leases holds (ours); a signal would replace it."""
    linked(desk, receiver.url)

    def hook() -> Any:
        assert desk.modack(str(receiver.got[-1].header("x-arklow-actionid")), 0, 300) == (200, "")
        return answer(200)

    receiver.answers[:] = [hook]
    action = desk.accept()["a_id"]
    advance(desk)

    assert desk.state(action) == ("ack_wait", 0)
    assert _pause(desk, action) == 300


def test_the_default_destination_is_called_and_no_other(desk: Desk, receiver: Receiver) -> None:
    """No rule chooses another (B059); the definition and its records have both links (B058)."""
    linked(desk, f"{receiver.url}/one", label="one")
    link(desk, f"{receiver.url}/two", label="two")
    done = desk.admin("PUT", "42/links", {"variant": "v", "destinations": ["one", "two"], "default": "two"})
    assert [entry["is_default"] for entry in done.data["items"]] == [False, True]
    action = desk.accept()["a_id"]
    advance(desk)

    assert [got.path for got in receiver.got] == ["/hook/two"]
    links = desk.record(action)["definition"]["destinations"]
    assert [(entry["destination"]["label"], entry["is_default"]) for entry in links] == [
        ("one", False),
        ("two", True),
    ]
    assert desk.put("v").json["data"]["destinations"] == links


def test_the_next_attempt_goes_to_a_new_destination(desk: Desk, receiver: Receiver) -> None:
    """Each attempt goes to the default of its moment; without a link it goes to the worker (Q24)."""
    action = _one(desk, receiver, answer(400))
    link(desk, f"{receiver.url}/new", label="new")
    advance(desk, 60)
    assert [got.path for got in receiver.got] == ["/hook", "/hook/new"]

    new = desk.admin("GET", "42/destinations").data["items"][1]["id"]
    gone = desk.admin("DELETE", f"42/destinations/{new}")
    assert gone.data["deleted_at"]
    advance(desk, 60)
    assert desk.state(action) == ("ack_wait", 2)
    assert len(receiver.got) == 2
    assert desk.record(action)["definition"]["destinations"] == []


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("google_pubsub", {"project_id": "p", "topic_id": "t", "more": 1}),
        ("aws_sqs", {"queue_url": "https://sqs.example/q"}),
        ("mcp", {"endpoint": "https://mcp.example/"}),
        ("default_sink", {}),
    ],
)
def test_a_sink_acks_each_attempt(desk: Desk, kind: str, config: Any) -> None:
    """Pub/Sub succeeds when the topic takes the message (B112), and so do the others (B063, Q23). The journal has each."""
    desk.freeze()
    desk.put("v")
    assert desk.admin("PUT", "42/destinations", {"label": "d", "type": kind, "config": config}).status == 200
    assert desk.admin("PUT", "42/links", {"variant": "v", "destinations": ["d"]}).status == 200
    action = desk.accept(payload={"n": 1})["a_id"]

    assert desk.state(action) == ("succeeded", 0)
    assert story(desk, action) == [("accepted", 0), ("delivered", 0), ("acked", 0)]
    [entry] = deliveries(desk)
    assert (entry["type"], entry["body"], entry["outcome"], entry["url"]) == (kind, '{"n":1}', "acked", None)


def test_the_worker_takes_the_attempts_of_an_sdk_destination(desk: Desk) -> None:
    """It follows its script (ours)."""
    desk.freeze()
    desk.put("v")
    desk.admin("PUT", "42/destinations", {"label": "d", "type": "sdk", "config": {"namespace": "n"}})
    desk.admin("PUT", "42/links", {"variant": "v", "destinations": ["d"]})
    desk.admin("PUT", "42/worker", {"default": "ack"})

    assert desk.state(desk.accept()["a_id"]) == ("succeeded", 0)
    assert deliveries(desk) == []


def test_a_delivery_is_in_the_archive_beside_the_requests(desk: Desk) -> None:
    """The HAR has both directions, and leaves open what is not known."""
    with Receiver([answer(418, "no", content_type="text/plain")]) as receiver:
        _one(desk, receiver)
    advance(desk, 60)  # the receiver has gone

    archive = json.loads(desk.admin("GET", "42/journal.har").body)["log"]
    calls = [entry for entry in archive["entries"] if "_delivery" in entry]
    assert [call["_delivery"]["attempt"] for call in calls] == [0, 1]
    assert [call["request"]["url"] for call in calls] == [receiver.url] * 2
    assert calls[0]["request"]["postData"] == {"mimeType": "application/json", "text": "null"}
    assert (calls[0]["response"]["status"], calls[0]["response"]["content"]["text"]) == (418, "no")
    assert (calls[1]["response"]["status"], calls[1]["response"]["bodySize"]) == (0, -1)
    assert "no usable answer" in calls[1]["comment"]
    assert [entry["request"]["method"] for entry in archive["entries"] if "_delivery" not in entry] == [
        "PUT",
        "POST",
    ]
