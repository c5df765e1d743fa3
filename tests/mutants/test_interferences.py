"""Each interference does what its docstring says, to a client that is not the judge."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

import pytest

from tests.replies import Reply

from .client import (
    GOOD,
    NO_KEY,
    PUT_PATH,
    Client,
)
from .interferences import (
    Interference,
    behind_html,
    cutting,
    delaying,
    failing,
    limited,
    no_lease,
    refusing_puts,
    restarting,
    slowing,
)

EVERY: dict[str, Callable[[], AbstractContextManager[Interference]]] = {
    "restarting": restarting,
    "limited": limited,
    "cutting": cutting,
    "delaying": lambda: delaying(0.01),
    "slowing": lambda: slowing(60, 1),
    "failing": lambda: failing(60, 1),
    "refusing puts": refusing_puts,
    "behind html": behind_html,
    "no lease": no_lease,
}


@contextmanager
def under(interferences: AbstractContextManager[Interference]) -> Iterator[tuple[Interference, Client]]:
    """An interference, and a client of its server."""
    with interferences as interference:
        client = Client()
        client.url = interference.url
        yield interference, client


def outcome(ask: Callable[[], Reply]) -> int | type[Exception]:
    """The status of an answer, or the error in its place."""
    try:
        return ask().status
    except ConnectionError as error:
        return type(error)


def took(ask: Callable[[], Reply]) -> float:
    """Seconds until a request is answered with 200."""
    began = time.monotonic()
    assert ask().status == 200
    return time.monotonic() - began


def is_page(reply: Reply, status: int) -> bool:
    """Whether this is a gateway's page with this status."""
    return (reply.status, reply.headers["content-type"].partition(";")[0]) == (status, "text/html") and (
        reply.body.startswith(b"<html>")
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_request_is_recorded(name: str) -> None:
    """With method, path, query, headers, body and moment; the server behind reads the same body."""
    began = time.monotonic()
    with under(EVERY[name]()) as (interference, client):
        reply = client.call("POST", "/v1/ingress/v?tag.a=b", {"payload": 1})

    [arrival] = interference.requests
    assert (arrival.route, arrival.path) == ("POST /v1/ingress/v", "/v1/ingress/v?tag.a=b")
    assert ("x-arklow-auth", GOOD) in arrival.headers
    assert arrival.body == b'{"payload": 1}'
    assert began < arrival.at < time.monotonic()
    assert reply.refusal == (400, "UNKNOWN_VARIANT")


def test_a_server_restarts() -> None:
    """Its connections are reset, then its port refuses, then an empty world answers."""
    with under(restarting(times=2, every=0.3, gone=0.25)) as (interference, client):
        for restarts in (1, 2):
            client.put()
            assert client.ingress().status == 200
            idle = http.client.HTTPConnection(*client.address)
            idle.request("GET", "/")
            idle.getresponse().read()
            while interference.restarts < restarts:
                time.sleep(0.01)

            assert outcome(client.ingress) is ConnectionRefusedError
            with pytest.raises(ConnectionResetError):
                idle.sock.recv(1)
            idle.close()
            while outcome(client.ingress) is ConnectionRefusedError:
                time.sleep(0.01)
            assert client.ingress().error["code"] == "UNKNOWN_VARIANT"
        time.sleep(0.4)
        assert client.put().status == 200


def test_an_interference_may_end_while_the_server_is_gone() -> None:
    """At once, and not when the server would be back."""
    with restarting(times=1, every=0.01, gone=60) as interference:
        while not interference.restarts:
            time.sleep(0.01)
        began = time.monotonic()

    assert time.monotonic() - began < 10


def test_a_second_has_twenty_requests() -> None:
    """The next one is refused with the seconds to wait, and served after these."""
    with under(limited(20)) as (_, client):
        replies = [client.put() for _ in range(22)]
        time.sleep(int(replies[-1].headers["retry-after"]))
        later = client.put()

    assert [reply.status for reply in replies] == [200] * 20 + [429] * 2
    assert replies[-1].headers["retry-after"] == "1"
    assert is_page(replies[-1], 429)
    assert later.status == 200


def test_a_limit_may_not_say_how_long_and_speak_json() -> None:
    """As some gateways write it."""
    with under(limited(1, retry_after=None, body="json")) as (_, client):
        reply = [client.put() for _ in range(2)][1]

    assert (reply.status, reply.json) == (429, {"message": "429 Too Many Requests"})
    assert "retry-after" not in reply.headers


def test_a_limit_may_be_by_the_minute() -> None:
    """The header gives the seconds until its end."""
    with under(limited(per_minute=60)) as (_, client):
        statuses = [client.put().status for _ in range(60)]
        refused = client.put()

    assert (set(statuses), refused.status) == ({200}, 429)
    assert 55 <= int(refused.headers["retry-after"]) <= 60


def test_a_minute_may_have_begun_before() -> None:
    """So that a short run reaches its end."""
    with under(limited(per_minute=1, elapsed=59.5)) as (_, client):
        replies = [client.put() for _ in range(2)]
        time.sleep(0.6)
        assert client.put().status == 200

    assert (replies[1].status, replies[1].headers["retry-after"]) == (429, "1")


def test_a_limit_may_name_a_date() -> None:
    """At which the minute is over, and not before."""
    with under(limited(per_minute=1, retry_after="date", elapsed=50)) as (_, client):
        began = time.time()
        refused = [client.put() for _ in range(2)][1]

    until = parsedate_to_datetime(refused.headers["retry-after"]).timestamp()
    assert (refused.status, began + 9 < until < began + 12) == (429, True)


def test_one_request_in_so_many_is_cut() -> None:
    """The same ones each time, by the seed."""
    with under(cutting(one_in=4, seed=3)) as (interference, client):
        found = [outcome(client.put) for _ in range(40)]

    chance = Random(3)
    assert found == [ConnectionResetError if chance.random() < 1 / 4 else 200 for _ in range(40)]
    assert 5 <= found.count(ConnectionResetError) <= 15
    assert len(interference.requests) == 40


def test_a_cut_comes_before_the_work_or_after_it() -> None:
    """In turn."""
    with under(cutting(one_in=1)) as (interference, client):
        known = []
        for variant in ("before", "after", "before too"):
            assert outcome(lambda: client.put(variant)) is ConnectionResetError  # noqa: B023
            known.append(("1", variant) in interference.world.definitions)

    assert known == [False, True, False]


def test_every_answer_may_be_delayed() -> None:
    """For refusals too."""
    with under(delaying(0.3)) as (_, client):
        assert took(client.put) >= 0.3
        began = time.monotonic()
        assert client.put(headers=NO_KEY).status == 401
        assert time.monotonic() - began >= 0.3


def test_a_server_slows_down() -> None:
    """The recorded moments tell which requests came before and which after."""
    began = time.monotonic()
    with under(slowing(after=0.4, to=0.6)) as (interference, client):
        assert took(client.put) < 0.3
        time.sleep(0.4)
        assert took(client.put) >= 0.6

    assert [arrival.at - began >= 0.4 for arrival in interference.requests] == [False, True]


def test_a_server_begins_to_fail() -> None:
    """A share of all requests is not carried out."""
    with under(failing(after=0.4, share=0.5, seed=3)) as (interference, client):
        assert {client.put().status for _ in range(5)} == {200}
        time.sleep(0.4)
        found = [client.put(f"v{number}").status for number in range(40)]
        known = [("1", f"v{number}") in interference.world.definitions for number in range(40)]

    chance = Random(3)
    assert found == [500 if chance.random() < 0.5 else 200 for _ in range(40)]
    assert known == [status == 200 for status in found]


def test_a_key_may_not_define() -> None:
    """A gateway forbids PUT in JSON; a caller without a key gets the server's own 401."""
    with under(refusing_puts()) as (_, client):
        refused, unknown = client.put(), client.put(headers=NO_KEY)

    assert (refused.status, refused.json) == (403, {"message": "403 Forbidden"})
    assert unknown.refusal == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("status", [404, 405])
def test_a_gateway_may_know_no_put(status: Any) -> None:
    """With a key and without one."""
    with under(refusing_puts(status)) as (_, client):
        replies = [client.put(), client.put(headers=NO_KEY)]

    assert all(is_page(reply, status) for reply in replies)
    assert [reply.headers.get("allow") for reply in replies] == [{405: "GET, POST"}.get(status)] * 2


@pytest.mark.parametrize("key", ["good-key-one", "good-key-two"])
def test_where_no_put_is_allowed_a_definition_exists(key: str) -> None:
    """In both organisations; its schema wants an order's id, and the rest of an action's life works."""
    mine = {"x-arklow-auth": key}
    with under(refusing_puts()) as (_, client):
        taken = client.ingress("orders.created", mine, payload={"order_id": "8471"})
        refused = [client.ingress("orders.created", mine, payload=one) for one in ({}, {"order_id": 1})]
        extended = client.modack(taken.data["a_id"], headers=mine)

    assert (taken.status, extended.status) == (200, 200)
    assert [reply.error["code"] for reply in refused] == ["PAYLOAD_REJECTED"] * 2


@pytest.mark.parametrize("modack", [True, False])
def test_a_gateway_routes_what_is_published(modack: bool) -> None:
    """All three operations or two of them; other paths and methods get a page."""
    with under(behind_html(modack)) as (_, client):
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
    with under(no_lease()) as (_, client):
        action = client.action()
        statuses = [client.modack(action, attempt).status for attempt in (0, 1, 0)]
        others = [client.modack("1").status, client.modack(action, -1).status]
        state = client.record(action).data["state"]

    assert (statuses, others) == ([409] * 3, [404, 400])
    assert state["status"] == "queued"
