"""Each race is lost by requests that overlap, and by no others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.replies import Reply, ask
from tests.serving import serving

from . import RACES, Choices, ConformingServer, with_window
from .client import GOOD, PUT_PATH, Client, speaking

ALL = Choices(operations="all")
CROWD = 4
"""Requests of one round."""

Step = Callable[[Client, int], Reply]
Order = Callable[[Client, Step], list[Reply]]


def overlapping(client: Client, step: Step) -> list[Reply]:
    """Make a step four times at the same moment."""
    return client.together([lambda number=number: step(client, number) for number in range(CROWD)])  # type: ignore[misc]


def in_turn(client: Client, step: Step) -> list[Reply]:
    """Make a step four times, one after the other."""
    return [step(client, number) for number in range(CROWD)]


def all_different(values: list[Any]) -> bool:
    """Whether no value comes twice."""
    return len(set(values)) == len(values)


def ids_differ(client: Client, order: Order) -> bool:
    """Whether four posts get an id each."""
    client.put()
    return all_different([reply.data["a_id"] for reply in order(client, lambda c, _: c.ingress())])


def versions_differ(client: Client, order: Order) -> bool:
    """Whether four changes of a definition get a version each."""
    client.put("w", schema={})
    replies = order(client, lambda c, number: c.put("w", schema={"title": str(number)}))
    return all_different([reply.data["version"] for reply in replies])


def all_served(client: Client, order: Order) -> bool:
    """Whether four PUTs are answered with 200."""
    return {reply.status for reply in order(client, lambda c, _: c.put())} == {200}


def one_ack_wins(client: Client, order: Order) -> bool:
    """Whether one of four acks is accepted and the others are refused."""
    action = client.action()
    replies = order(client, lambda c, _: c.settle("ack", action))
    return sorted(reply.status for reply in replies) == [200, 409, 409, 409]


def acked_stays_acked(client: Client, order: Order) -> bool:
    """Whether no modack is accepted that was called after an ack had returned."""
    action = client.action()
    client.settle("ack", action)
    return client.modack(action).status == 409


KEPT: dict[str, Callable[[Client, Order], bool]] = {
    "X01": ids_differ,
    "X02": versions_differ,
    "X03": all_served,
    "X04": one_ack_wins,
    "X05": acked_stays_acked,
}
"""Id of a race → what holds on a server that does not lose it."""
OVERLAPPING = [race for race in KEPT if race != "X05"]
"""The races that overlapping requests lose; X05 loses its own to a request that comes right after the answer."""


def test_every_race_is_shown() -> None:
    """One check for each."""
    assert list(KEPT) == list(RACES) == [f"X0{number}" for number in range(1, 6)]


@pytest.mark.parametrize("race", KEPT)
def test_the_conforming_server_loses_no_race(race: str) -> None:
    """Four requests begin at the same moment."""
    with speaking(ConformingServer, ALL) as client:
        assert KEPT[race](client, overlapping)


@pytest.mark.parametrize("race", OVERLAPPING)
def test_requests_in_turn_see_no_race(race: str) -> None:
    """However long the window is."""
    with speaking(with_window(RACES[race], 3.0), ALL) as client:
        assert KEPT[race](client, in_turn)


@pytest.mark.parametrize("window", [0.003, 0.0002])
@pytest.mark.parametrize("race", OVERLAPPING)
def test_a_race_is_lost_in_a_window(race: str, window: float) -> None:
    """However short the window is: requests of the same moment meet in it."""
    with speaking(with_window(RACES[race], window), ALL) as client:
        assert not KEPT[race](client, overlapping)


def test_a_late_ack_takes_effect_in_the_end() -> None:
    """Once the window has passed, and not before."""
    with speaking(with_window(RACES["X05"], 0.05), ALL) as client:
        action = client.action()
        client.settle("ack", action)
        assert client.modack(action, wait=0.05).status == 200
        assert client.modack(action, wait=0.01).status == 409
        assert client.record(action).data["state"]["status"] == "succeeded"


@pytest.mark.slow
def test_requests_over_sockets_meet_in_a_window_too() -> None:
    """In threads of their own, in some round at least."""

    def served(url: str) -> bool:
        gate = threading.Barrier(CROWD)
        body = b'{"variant": "v", "schema": {}}'

        def put(_: int) -> int:
            gate.wait()
            headers = {"x-arklow-auth": GOOD, "content-type": "application/json"}
            return ask(url, "PUT", PUT_PATH, body, headers=headers).status

        with ThreadPoolExecutor(CROWD) as pool:
            return set(pool.map(put, range(CROWD))) == {200}

    with serving(RACES["X03"](ALL)) as url:
        assert not all(served(url) for _ in range(200))
