"""The conforming variants cover every interpretation, and each serves an action's life as documented."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest

from . import CONFORMING_VARIANTS, Choices, ConformingServer
from .client import speaking

INTERPRETATIONS = {
    (name, value)
    for name, kind in get_type_hints(Choices).items()
    for value in ((True, False) if kind is bool else get_args(kind))
}


def test_every_value_of_every_choice_occurs() -> None:
    """Each interpretation is taken by some variant."""
    found = {
        (one.name, getattr(choices, one.name))
        for choices in CONFORMING_VARIANTS.values()
        for one in fields(Choices)
    }
    assert INTERPRETATIONS - found == set()
    assert {choices.first_delivery > 0 for choices in CONFORMING_VARIANTS.values()} == {True, False}


def test_no_two_conforming_variants_are_alike() -> None:
    """And they are not few."""
    assert len(set(CONFORMING_VARIANTS.values())) == len(CONFORMING_VARIANTS) >= 14


@pytest.mark.parametrize("name", CONFORMING_VARIANTS)
def test_a_conforming_variant_takes_work_and_holds_it(name: str) -> None:
    """Define, post, extend."""
    choices = CONFORMING_VARIANTS[name]
    with speaking(ConformingServer, choices) as client:
        made = client.put(alias=["w"])
        taken = client.ingress()
        client.clock.wait(choices.first_delivery)
        extended = client.modack(taken.data["a_id"])
    assert (made.status, taken.status) == (200, 200)
    assert (taken.data["a_def_id"], taken.data["a_ve"]) == (made.data["id"], str(made.data["version"]))
    assert extended.status == (409 if choices.delivery == "never" else 200)


@pytest.mark.parametrize(
    ("choices", "expected"), [({"second_ack": "refuse"}, 409), ({"second_ack": "ok"}, 200)]
)
def test_a_second_ack_is_refused_or_without_effect(choices: Any, expected: int) -> None:
    """As the choices say (Q3)."""
    with speaking(ConformingServer, Choices(operations="all", **choices)) as client:
        action = client.action()
        assert [client.settle("ack", action).status for _ in range(2)] == [200, expected]
