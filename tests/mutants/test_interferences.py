"""Each interference does what its docstring says, to a client that is not the judge."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clocks import FIRST_TIME, MachineClock, VirtualClock
from tests.replies import Reply, ask
from tests.serving import serving
from tests.waiting import wait_until

from .client import (
    GOOD,
    NO_KEY,
    PUT_PATH,
    Client,
)
from .interferences import (
    Interference,
    Restarting,
    behind_html,
    cutting,
    failing,
    limited,
    lingering,
    no_lease,
    refusing_puts,
    serving_with_restarts,
    slowing,
)

EVERY: dict[str, Callable[[VirtualClock], Interference]] = {
    "undisturbed": Interference,
    "restarting": Restarting,
    "limited": limited,
    "cutting": cutting,
    "slowing": lambda clock: slowing(clock, 60, 1),
    "lingering": lambda clock: lingering(clock, 2, 1.0),
    "failing": lambda clock: failing(clock, 60, 1),
    "refusing puts": refusing_puts,
    "behind html": behind_html,
    "no lease": no_lease,
}


class Disturbed(Client):
    """A client of an interference."""

    def __init__(self, make: Callable[[VirtualClock], Interference]) -> None:
        clock = VirtualClock()
        self.interference = make(clock)
        super().__init__(self.interference, clock)

    def outcome(self, ask: Callable[[], Reply]) -> int | str:
        """The status of an answer, or what came in its place."""
        try:
            return ask().status
        except ConnectionRefusedError:
            return "refused"
        except ConnectionResetError:
            return "reset"

    def took(self, ask: Callable[[], Reply], status: int = 200) -> float:
        """Seconds until a request is answered with a status."""
        began = self.clock.now()
        assert ask().status == status
        return self.clock.now() - began


def is_page(reply: Reply, status: int) -> bool:
    """Whether this is a gateway's page with this status."""
    return (reply.status, reply.headers["content-type"].partition(";")[0]) == (status, "text/html") and (
        reply.body.startswith(b"<html>")
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_request_is_recorded(name: str) -> None:
    """With method, path, query, headers, body and moment; the server behind reads the same body."""
    client = Disturbed(EVERY[name])
    client.clock.wait(2.5)
    reply = client.call("POST", "/v1/ingress/v?tag.a=b", {"payload": 1})

    [arrival] = client.interference.requests
    assert (arrival.route, arrival.path) == ("POST /v1/ingress/v", "/v1/ingress/v?tag.a=b")
    assert ("x-arklow-auth", GOOD) in arrival.headers
    assert arrival.body == b'{"payload": 1}'
    assert arrival.at == FIRST_TIME + 2.5
    assert reply.refusal == (400, "UNKNOWN_VARIANT")


def test_a_server_restarts() -> None:
    """It serves for a while, then refuses for a while, then an empty world answers; in the end it stays."""
    client = Disturbed(lambda clock: Restarting(clock, times=2, every=3.0, gone=0.5))
    for restarts in (0, 1):
        assert client.put().status == 200
        client.clock.wait(2.75)
        assert client.ingress().status == 200
        assert client.interference.restarts == restarts
        client.clock.wait(0.25)
        assert client.outcome(client.ingress) == "refused"
        client.clock.wait(0.25)
        assert client.outcome(client.ingress) == "refused"
        assert client.interference.restarts == restarts + 1
        client.clock.wait(0.25)
        assert client.ingress().error["code"] == "UNKNOWN_VARIANT"
    client.clock.wait(100)
    assert client.put().status == 200
    assert client.interference.restarts == 2


def test_restarts_that_nobody_saw_are_counted() -> None:
    """The world is empty after them all the same."""
    client = Disturbed(lambda clock: Restarting(clock, times=3, every=3.0, gone=0.5))
    client.put()
    client.clock.wait(9.0)

    assert client.ingress().error["code"] == "UNKNOWN_VARIANT"
    assert client.interference.restarts == 2


@pytest.mark.slow
def test_a_server_restarts_over_sockets() -> None:
    """Its connections are reset, then its port refuses, then an empty world answers."""
    body = b'{"variant": "v", "schema": {}}'
    headers = {"x-arklow-auth": GOOD, "content-type": "application/json"}

    def served() -> int:
        try:
            return ask(url, "PUT", PUT_PATH, body, headers=headers).status
        except ConnectionError:
            return 0

    with serving_with_restarts(times=1, every=2.0, gone=1.0) as (url, interference):
        assert served() == 200
        parts = urlsplit(url)
        idle = http.client.HTTPConnection(parts.hostname or "", parts.port or 0)
        idle.request("GET", "/")
        idle.getresponse().read()
        wait_until(lambda: interference.restarts, "a restart")
        with pytest.raises(ConnectionResetError):
            idle.sock.recv(1)
        idle.close()
        wait_until(lambda: served() == 200, "an answer after the restart")
        assert len(interference.world.definitions) == 1


@pytest.mark.slow
def test_a_server_may_end_while_it_is_gone() -> None:
    """At once, and not when it would be back: else this test would take an hour."""
    with serving_with_restarts(times=1, every=0.01, gone=3_600.0) as (_, interference):
        assert wait_until(lambda: interference.restarts, "a restart") == 1


def test_a_second_has_twenty_requests() -> None:
    """The next one is refused with the seconds to wait, and served after these."""
    client = Disturbed(limited)
    replies = [client.put() for _ in range(22)]
    client.clock.wait(int(replies[-1].headers["retry-after"]))
    later = client.put()

    assert [reply.status for reply in replies] == [200] * 20 + [429] * 2
    assert replies[-1].headers["retry-after"] == "1"
    assert is_page(replies[-1], 429)
    assert later.status == 200


def test_a_limit_may_not_say_how_long_and_speak_json() -> None:
    """As some gateways write it."""
    client = Disturbed(lambda clock: limited(clock, 1, retry_after=None, body="json"))
    reply = [client.put() for _ in range(2)][1]

    assert (reply.status, reply.json) == (429, {"message": "429 Too Many Requests"})
    assert "retry-after" not in reply.headers


def test_a_limit_may_be_by_the_minute() -> None:
    """The header gives the seconds until its end, which is when the next request is served."""
    client = Disturbed(lambda clock: limited(clock, per_minute=60))
    client.clock.wait(2.5)
    statuses = [client.put().status for _ in range(60)]
    refused = client.put()
    client.clock.wait(57.0)

    assert (set(statuses), refused.status, refused.headers["retry-after"]) == ({200}, 429, "58")
    assert client.put().status == 429
    client.clock.wait(0.5)
    assert client.put().status == 200


def test_a_minute_may_have_begun_before() -> None:
    """So that a short run reaches its end."""
    client = Disturbed(lambda clock: limited(clock, per_minute=1, elapsed=59.5))
    replies = [client.put() for _ in range(2)]
    client.clock.wait(0.5)

    assert (replies[1].status, replies[1].headers["retry-after"]) == (429, "1")
    assert client.put().status == 200


def test_a_limit_may_name_a_date() -> None:
    """At which the minute is over, and not before."""
    client = Disturbed(lambda clock: limited(clock, per_minute=1, retry_after="date", elapsed=50))
    refused = [client.put() for _ in range(2)][1]

    until = parsedate_to_datetime(refused.headers["retry-after"]).timestamp()
    assert (refused.status, until) == (429, FIRST_TIME + 10)


def test_one_request_in_so_many_is_cut() -> None:
    """The same ones each time, by the seed."""
    client = Disturbed(lambda clock: cutting(clock, one_in=4, seed=3))
    found = [client.outcome(client.put) for _ in range(40)]

    chance = Random(3)
    assert found == ["reset" if chance.random() < 1 / 4 else 200 for _ in range(40)]
    assert 5 <= found.count("reset") <= 15
    assert len(client.interference.requests) == 40


def test_a_cut_comes_before_the_work_or_after_it() -> None:
    """In turn."""
    client = Disturbed(lambda clock: cutting(clock, one_in=1))
    known = []
    for variant in ("before", "after", "before too"):
        assert client.outcome(lambda: client.put(variant)) == "reset"  # noqa: B023
        known.append(("1", variant) in client.interference.world.definitions)

    assert known == [False, True, False]


def test_a_cut_resets_the_connection() -> None:
    """Over sockets."""
    with (
        serving(cutting(MachineClock(), one_in=1)) as url,
        pytest.raises(ConnectionResetError, match="reset by peer"),
    ):
        ask(url, "PUT", PUT_PATH)


def test_every_answer_may_be_delayed() -> None:
    """Refusals too."""
    client = Disturbed(lambda clock: slowing(clock, 0, 0.25))

    assert client.took(client.put) == 0.25
    assert client.took(lambda: client.put(headers=NO_KEY), 401) == 0.25


def test_answers_that_are_delayed_at_the_same_moment_are_so_side_by_side() -> None:
    """As on a server that has a thread for each."""
    client = Disturbed(lambda clock: slowing(clock, 0, 0.25))
    client.together([client.put] * 8)

    assert client.clock.now() == 0.25


def test_a_server_slows_down_for_a_while() -> None:
    """Half of each delay comes before the work."""
    client = Disturbed(lambda clock: slowing(clock, after=4.0, to=0.5, until=5.0))
    taken = [client.took(client.put)]
    for seconds in (4.0, 1.0):
        client.clock.wait(seconds)
        taken.append(client.took(client.put))

    assert taken == [0.0, 0.5, 0.0]
    assert [arrival.at - FIRST_TIME for arrival in client.interference.requests] == [0.0, 4.0, 5.5]
    assert client.clock.waits == [4.0, 0.25, 0.25, 1.0]


def test_one_answer_may_linger() -> None:
    """The one that is counted."""
    client = Disturbed(lambda clock: lingering(clock, 2, 1.5))

    assert [client.took(client.put) for _ in range(3)] == [0.0, 1.5, 0.0]


def test_a_server_fails_for_a_while() -> None:
    """A share of all requests is not carried out."""
    client = Disturbed(lambda clock: failing(clock, after=4.0, share=0.5, until=5.0, seed=3))
    before = [client.put().status for _ in range(5)]
    client.clock.wait(4.0)
    found = [client.put(f"v{number}").status for number in range(40)]
    known = [("1", f"v{number}") in client.interference.world.definitions for number in range(40)]
    client.clock.wait(1.0)
    after = [client.put().status for _ in range(5)]

    chance = Random(3)
    assert before == after == [200] * 5
    assert found == [500 if chance.random() < 0.5 else 200 for _ in range(40)]
    assert known == [status == 200 for status in found]


def test_a_key_may_not_define() -> None:
    """A gateway forbids PUT in JSON; a caller without a key gets the server's own 401."""
    client = Disturbed(refusing_puts)
    refused, unknown = client.put(), client.put(headers=NO_KEY)

    assert (refused.status, refused.json) == (403, {"message": "403 Forbidden"})
    assert unknown.refusal == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("status", [404, 405])
def test_a_gateway_may_know_no_put(status: Any) -> None:
    """With a key and without one."""
    client = Disturbed(lambda clock: refusing_puts(clock, status))
    replies = [client.put(), client.put(headers=NO_KEY)]

    assert all(is_page(reply, status) for reply in replies)
    assert [reply.headers.get("allow") for reply in replies] == [{405: "GET, POST"}.get(status)] * 2


@pytest.mark.parametrize("key", ["good-key-one", "good-key-two"])
def test_where_no_put_is_allowed_a_definition_exists(key: str) -> None:
    """In both organisations; its schema wants an order's id, and the rest of an action's life works."""
    mine = {"x-arklow-auth": key}
    client = Disturbed(refusing_puts)
    taken = client.ingress("orders.created", mine, payload={"order_id": "8471"})
    refused = [client.ingress("orders.created", mine, payload=one) for one in ({}, {"order_id": 1})]
    extended = client.modack(taken.data["a_id"], headers=mine)

    assert (taken.status, extended.status) == (200, 200)
    assert [reply.error["code"] for reply in refused] == ["PAYLOAD_REJECTED"] * 2


@pytest.mark.parametrize("modack", [True, False])
def test_a_gateway_routes_what_is_published(modack: bool) -> None:
    """All three operations or two of them; other paths and methods get a page."""
    client = Disturbed(lambda clock: behind_html(clock, modack))
    action = client.action()
    extended = client.modack(action)
    others = [
        client.settle("ack", action),
        client.record(action),
        client.call("GET", PUT_PATH),
        client.call("POST", "/v1/ingress/v/w", {"payload": 1}),
        client.call("PUT", "/v1/modack", {}),
    ]

    assert extended.status == 200 if modack else is_page(extended, 404)
    assert all(is_page(reply, 404) for reply in others)


def test_where_nothing_is_delivered_there_is_no_lease() -> None:
    """Every modack of known work is 409; wrong bodies and unknown ids are refused as ever."""
    client = Disturbed(no_lease)
    action = client.action()
    statuses = [client.modack(action, attempt).status for attempt in (0, 1, 0)]
    others = [client.modack("1").status, client.modack(action, -1).status]
    state = client.record(action).data["state"]

    assert (statuses, others) == ([409] * 3, [404, 400])
    assert state["status"] == "queued"
