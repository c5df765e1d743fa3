"""The honest servers cover every reading, and each goes through a life as documented."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest

from . import STRANGERS, Manners, Stranger
from .client import speaking

READINGS = {
    (name, value)
    for name, kind in get_type_hints(Manners).items()
    for value in ((True, False) if kind is bool else get_args(kind))
}


def test_every_value_of_every_manner_occurs() -> None:
    found = {
        (one.name, getattr(manners, one.name)) for manners in STRANGERS.values() for one in fields(Manners)
    }
    assert READINGS - found == set()
    assert {manners.first_delivery > 0 for manners in STRANGERS.values()} == {True, False}


def test_no_two_strangers_are_alike() -> None:
    assert len(set(STRANGERS.values())) == len(STRANGERS) >= 14


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_takes_work_and_holds_it(name: str) -> None:
    manners = STRANGERS[name]
    with speaking(Stranger, manners) as client:
        made = client.put(alias=["w"])
        taken = client.ingress()
        client.time += manners.first_delivery
        kept = client.modack(taken.data["a_id"])
    assert (made.status, taken.status) == (200, 200)
    assert (taken.data["a_def_id"], taken.data["a_ve"]) == (made.data["id"], str(made.data["version"]))
    assert kept.status == (409 if manners.delivery == "never" else 200)


@pytest.mark.parametrize(
    ("manners", "expected"), [({"second_ack": "refuse"}, 409), ({"second_ack": "ok"}, 200)]
)
def test_a_second_ack_is_read_either_way(manners: Any, expected: int) -> None:
    with speaking(Stranger, Manners(operations="all", **manners)) as client:
        action = client.action()
        assert [client.settle("ack", action).status for _ in range(2)] == [200, expected]
