"""Each race is lost by requests that overlap, and by no others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.replies import Reply

from . import (
    RACES,
    RACING,
    Choices,
    ConformingServer,
)
from .client import Client, speaking

ALL = Choices(operations="all")
ROUNDS = 200
CROWD = 4

Step = Callable[[Client, int], Reply]


def overlapping(client: Client, step: Step) -> list[Reply]:
    gate = threading.Barrier(CROWD)

    def called(number: int) -> Reply:
        gate.wait()
        return step(client, number)

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(called, range(CROWD)))


def in_turn(client: Client, step: Step) -> list[Reply]:
    return [step(client, number) for number in range(CROWD)]


Order = Callable[[Client, Step], list[Reply]]


def all_different(values: list[Any]) -> bool:
    return len(set(values)) == len(values)


def ids_differ(client: Client, order: Order) -> bool:
    client.put()
    return all_different([reply.data["a_id"] for reply in order(client, lambda c, _: c.ingress())])


def versions_differ(client: Client, order: Order) -> bool:
    client.put("w", schema={})
    replies = order(client, lambda c, number: c.put("w", schema={"title": str(number)}))
    return all_different([reply.data["version"] for reply in replies])


def all_served(client: Client, order: Order) -> bool:
    return {reply.status for reply in order(client, lambda c, _: c.put())} == {200}


def one_ack_wins(client: Client, order: Order) -> bool:
    action = client.action()
    replies = order(client, lambda c, _: c.settle("ack", action))
    return sorted(reply.status for reply in replies) == [200, 409, 409, 409]


def acked_stays_acked(client: Client, order: Order) -> bool:
    """Whether no modack is accepted that was called after an ack had returned."""
    action = client.action()
    client.settle("ack", action)
    return client.modack(action).status == 409


KEPT: dict[str, Callable[[Client, Order], bool]] = {
    "duplicate-ids": ids_differ,
    "lost-update": versions_differ,
    "concurrent-500": all_served,
    "double-ack": one_ack_wins,
    "late-ack": acked_stays_acked,
}


def test_every_race_is_shown() -> None:
    assert KEPT.keys() == RACES.keys()
    assert list(RACING) == [f"X0{number}" for number in range(1, 6)]


@pytest.mark.parametrize("name", KEPT)
def test_the_conforming_variant_loses_no_race(name: str) -> None:
    with speaking(ConformingServer, ALL) as client:
        assert all(KEPT[name](client, overlapping) for _ in range(10))


@pytest.mark.parametrize("name", [name for name in KEPT if name != "late-ack"])
def test_whoever_asks_in_turn_sees_no_race(name: str) -> None:
    with speaking(partial(RACES[name], 0.003), ALL) as client:
        assert KEPT[name](client, in_turn)


@pytest.mark.parametrize("window", [0.003, 0.001, 0.0002])
@pytest.mark.parametrize("name", [name for name in KEPT if name != "late-ack"])
def test_a_race_is_lost_in_a_window(name: str, window: float) -> None:
    with speaking(partial(RACES[name], window), ALL) as client:
        assert not all(KEPT[name](client, overlapping) for _ in range(ROUNDS))


def test_a_late_ack_takes_effect_in_the_end() -> None:
    with speaking(partial(RACES["late-ack"], 0.05), ALL) as client:
        action = client.action()
        client.settle("ack", action)
        assert client.modack(action).status == 200
        threading.Event().wait(0.1)
        assert client.modack(action).status == 409
        assert client.record(action).data["state"]["status"] == "succeeded"
