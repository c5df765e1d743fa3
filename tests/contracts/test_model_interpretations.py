"""The reference model of open questions: the first answer to one binds every definition and every action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.checks.context import CheckContext
from contracts.core.findings import Breach
from contracts.model import definitions
from contracts.model.ingress import accept_action, post
from contracts.model.interpretations import QUESTIONS
from contracts.model.signals import Kind
from contracts.model.world import Model
from tests.contracts.models import (
    accepted,
    extended,
    live,
    lowered,
    put,
    signal,
    turned_away,
    work,
)

Way = Callable[[Model, str], list[Breach]]
"""Does something to a model under a fresh name; returns the breaches."""


def held(model: Model, number: str) -> None:
    """Add an action whose attempt 0 is held from second 0 on."""
    accept_action(model, "1", number, unattended=True, at=0)
    signal(model, "modack", 0, 200, 0, number)


def updated(first: dict[str, Any], second: dict[str, Any], version: int = 1) -> Way:
    """Put a definition twice; the second answer has that version."""
    return lambda model, name: (
        put(model, variant=name, **first),
        put(model, version, variant=name, **second),
    )[-1]


def after_put(step: Way, **members: Any) -> Way:
    """Do something with a definition that was put before."""
    return lambda model, name: (put(model, variant=name, **members), step(model, name))[-1]


def through_alias(step: Way) -> Way:
    """Do something with the alias of a definition."""
    return lambda model, name: (put(model, variant=name, alias=[f"{name}-a"]), step(model, name))[-1]


def beside_a_variant(step: Way) -> Way:
    """Do something with a name that is a variant and the alias of another definition."""
    return lambda model, name: (
        put(model, variant=name),
        put(model, variant=f"{name}-b", alias=[name]),
        step(model, name),
    )[-1]


def with_action(begin: Callable[[Model, str], None], *steps: Callable[[Model, str], list[Breach]]) -> Way:
    """Do something with an action."""

    def way(model: Model, name: str) -> list[Breach]:
        number = {"one": "41", "two": "42"}[name]
        begin(model, number)
        return [step(model, number) for step in steps][-1]

    return way


def sends(kind: Kind, attempt: int, status: int, at: float = 2) -> Callable[[Model, str], list[Breach]]:
    return lambda model, number: signal(model, kind, attempt, status, at, number)


NEW = {"schema": {"type": "object"}}


WAYS: dict[str, tuple[Way, Way]] = {
    "payload against its schema": (
        after_put(lambda m, name: turned_away(m, name, fits=False)),
        after_put(
            lambda m, name: post(m, "1", name, {"payload": 1}, 200, {"a_def_id": f"d-{name}"}, fits=False)
        ),
    ),
    "unknown variant": (turned_away, lambda m, name: work(m, name, "90")),
    "a version that was never stored": (
        after_put(lambda m, name: turned_away(m, name, asked=999)),
        after_put(lambda m, name: work(m, name, "90", asked=999)),
    ),
    "an older version": (
        lambda m, name: (updated({}, NEW, 2)(m, name), turned_away(m, name, asked=1))[-1],
        lambda m, name: (updated({}, NEW, 2)(m, name), work(m, name, "90", asked=1))[-1],
    ),
    "a changed definition": (updated({}, NEW), updated({}, NEW, 2)),
    "an equal definition": (updated({}, {}), updated({}, {}, 2)),
    "a definition with other aliases": (updated({}, {"alias": ["x"]}), updated({}, {"alias": ["y"]}, 2)),
    "an explicit version of a new definition": (
        lambda m, name: put(m, 5, variant=name, sent=5),
        lambda m, name: put(m, 1, variant=name, sent=5),
    ),
    "a higher explicit version": (updated({}, {"sent": 5}, 5), updated({}, {"sent": 5}, 1)),
    "a lower explicit version": (
        updated({"sent": 7, "version": 7}, {"sent": 3}, 3),
        updated({"sent": 7, "version": 7}, {"sent": 3}, 7),
    ),
    "id of a changed definition": (
        updated({}, NEW),
        updated({}, {**NEW, "answered": {"id": "d-new"}}),
    ),
    "an alias left out of an update": (
        updated({"alias": ["k"]}, {"answered": {"alias": ["k"]}}),
        updated({"alias": ["l"]}, {"answered": {"alias": []}}),
    ),
    "aliases of an update": (
        updated({"alias": ["k"]}, {"alias": ["l"], "answered": {"alias": ["k", "l"]}}),
        updated({"alias": ["m"]}, {"alias": ["n"]}),
    ),
    "alias": (
        through_alias(lambda m, name: work(m, f"{name}-a", "90", a_def_id=f"d-{name}", a_va=name)),
        through_alias(lambda m, name: turned_away(m, f"{name}-a")),
    ),
    "alias against a variant of the same name": (
        beside_a_variant(lambda m, name: work(m, name, "90", a_def_id=f"d-{name}-b", a_va=f"{name}-b")),
        beside_a_variant(lambda m, name: work(m, name, "91")),
    ),
    "a_va under an alias": (
        through_alias(lambda m, name: work(m, f"{name}-a", "90", a_def_id=f"d-{name}", a_va=name)),
        through_alias(lambda m, name: work(m, f"{name}-a", "91", a_def_id=f"d-{name}", a_va=f"{name}-a")),
    ),
    "negative version of a definition": (
        lambda m, name: put(m, -3, variant=name, sent=-3),
        lambda m, name: definitions.put(m, "1", {"variant": name, "schema": {}, "version": -3}, 409, {}),
    ),
    "a second ack": (
        with_action(held, sends("ack", 0, 200), sends("ack", 0, 409)),
        with_action(held, sends("ack", 0, 200), sends("ack", 0, 200)),
    ),
    "noughts before an id": (
        with_action(held, lambda m, number: signal(m, "modack", 0, 404, 2, f"0{number}")),
        with_action(held, lambda m, number: signal(m, "modack", 0, 200, 2, f"0{number}")),
    ),
    "a nack after a defer": (
        with_action(held, sends("defer", 0, 200), sends("nack", 0, 409)),
        with_action(held, sends("defer", 0, 200), sends("nack", 0, 200)),
    ),
}
"""Binding question → two ways to answer it, with different answers."""


OF_SEQUENCES = {
    *("ingress body", "alias that another definition has", "members that the page does not name"),
    "a definition that is put again",
}
"""Binding questions of which a sequence finds an answer from more than one exchange."""


OF_ONE_ANSWER = {"a variant in other letters"}
"""Binding questions of which only the answer that deserves a warning is written down."""


@pytest.mark.parametrize(
    ("before", "after", "question"),
    [
        ({}, {"title": "a"}, "a definition with other annotations"),
        ({}, {"properties": {"title": {"description": "a"}}}, "a changed definition"),
        (
            {"properties": {"title": {}}},
            {"properties": {"title": {"x-a": 1}}},
            "a definition with other annotations",
        ),
        ({"enum": [{"title": 1}]}, {"enum": [{"title": 2}]}, "a changed definition"),
        ({"allOf": [{"default": 1}]}, {"allOf": [{}]}, "a definition with other annotations"),
        ({"type": "object"}, {}, "a changed definition"),
    ],
)
def test_other_annotations_are_no_other_schema(before: Any, after: Any, question: str) -> None:
    """Whether they make a new version is a question of its own (JSON Schema, validation §9)."""
    model = Model()
    updated({"schema": before}, {"schema": after})(model, "one")

    assert question in model.first_answers


def test_every_binding_question_has_its_ways() -> None:
    """A question without a test might be one that no exchange answers."""
    binding = {name for name, question in QUESTIONS.items() if question.binding}

    assert binding == WAYS.keys() | OF_SEQUENCES | OF_ONE_ANSWER | {"after a lower explicit version"}


@pytest.mark.parametrize("question", WAYS)
@pytest.mark.parametrize("order", [1, -1])
def test_going_back_on_an_interpretation_is_a_breach_and_taking_it_is_none(question: str, order: int) -> None:
    """READ-1: the first answer binds every definition and every action."""
    first, second = WAYS[question][::order]
    model = Model(fits=lambda *_: True)

    began, again = first(model, "one"), first(model.scratch(), "one")
    assert question in model.first_answers
    back = second(model, "two")

    assert [breach for breach in (*began, *again) if breach.rule == "READ-1"] == []
    assert question in [breach.question for breach in back if breach.rule == "READ-1"]


@pytest.mark.parametrize(("over", "attempt", "at"), [(True, 0, 101), (False, 1, 2)])
def test_the_refusal_of_another_attempt_may_differ_from_case_to_case(
    over: bool, attempt: int, at: float
) -> None:
    """Q2: 404 is a warning each time, and does not break READ-1."""
    model = live()
    if over:
        extended(model, 1, 200, 100)

    broken = [extended(model, attempt, status, at) for status in (409, 404, 409)]

    assert broken == [[], ["LEASE-7"], []]


def test_lower_versions_of_two_definitions_have_one_interpretation() -> None:
    """Q5: the lower version is current of both, or of neither."""
    model = lowered(lowered(Model()), "w")

    assert accepted(model, "v", "1", a_ve="3") == []
    assert accepted(model, "w", "2", a_ve="7") == ["READ-1"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_only_a_binding_question_binds_its_later_answers(name: str) -> None:
    """Delivery, refusals of the control plane and the start of a lease may differ from case to case."""
    model, question = Model(), QUESTIONS[name]

    first, again, other = (model.note(name, answer) for answer in ("so", "so", "otherwise"))

    assert first + again == []
    assert [(breach.rule, breach.expected, breach.actual) for breach in other] == (
        [("READ-1", "so", "otherwise")] if question.binding else []
    )
    assert model.take_observations().interpretations == ((name, "so"), (name, "so"), (name, "otherwise"))


def refused_put(model: Model, variant: str, version: int, schema: Any = (), **members: Any) -> None:
    """Put a definition with a version that is refused."""
    body = {"variant": variant, "schema": {} if schema == () else schema, "version": version, **members}
    definitions.put(model, "1", body, 409, {})


@pytest.mark.parametrize(
    ("members", "taken"),
    [
        ({"alias": ["other"]}, ""),
        ({"alias": ["v"]}, ""),
        ({}, "v"),
        ({"schema": 0.0}, ""),
        ({"schema": {"type": "nope"}}, ""),
        ({"more": 1}, ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("version", [3, -1])
def test_a_refusal_with_another_reason_says_nothing_of_a_version(
    members: dict[str, Any], taken: str, version: int
) -> None:
    """A name that may be taken, a schema that need not be one, a member that no page has."""
    model = Model(fits=CheckContext.fits)
    put(model, 7, sent=7)
    put(model, variant="other", alias=[taken] if taken else [])

    refused_put(model, "v", version, **members)
    assert not any("version of a definition" in one or "lower" in one for one in model.first_answers)

    put(model, variant="w", version=7, sent=7)
    refused_put(model, "w", version)
    question = "a lower explicit version" if version > 0 else "negative version of a definition"
    assert model.first_answers[question] == "refused"
