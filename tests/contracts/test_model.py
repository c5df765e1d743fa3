"""The reference model: what all readings allow, and what none does."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.model import Model, same


def defined(
    model: Model, version: int = 1, answered: dict[str, Any] | None = None, **members: Any
) -> list[str]:
    """Codes of what a PUT breaks that is answered with the definition, but for what is `answered` otherwise."""
    body = {"variant": "v", "schema": {}, **members}
    data = {"id": "d-v", "org_id": "1", "alias": [], **body, "version": version, **(answered or {})}
    return [breach.rule for breach in model.put("1", body, 200, data)]


def accepted(
    model: Model, name: str = "v", number: str = "1", asked: int | None = None, **data: Any
) -> list[str]:
    """Codes of what an accepted POST breaks."""
    body = {"payload": 1} | ({} if asked is None else {"version": asked})
    answer = {"a_id": number, "a_def_id": f"d-{name}", "queue_s": "queued", "a_va": name, "a_ve": "1", **data}
    return [breach.rule for breach in model.ingress("1", name, body, 200, answer)]


def extended(
    model: Model, attempt: int, status: int, at: float, number: str = "1", org: str = "1", mod_ack: int = 300
) -> list[str]:
    """Codes of what the answer to a modack breaks."""
    return [breach.rule for breach in model.modack(org, number, attempt, mod_ack, status, at, at)]


def test_the_happy_path_breaks_nothing() -> None:
    """Define, ingress, modack."""
    model = Model()

    assert [defined(model), accepted(model), extended(model, 0, 200, 0), extended(model, 0, 200, 10)] == [
        []
    ] * 4


@pytest.mark.parametrize(
    ("rule", "members"),
    [
        ("DEF-2", {"version": 2}),
        ("DEF-10", {"answered": {"variant": "w"}}),
        ("DEF-10", {"answered": {"schema": {"title": "old"}}}),
        ("DEF-10", {"answered": {"org_id": "2"}}),
        ("DEF-10", {"alias": ["a"], "answered": {"alias": []}}),
    ],
)
def test_put_answers_with_what_was_put(rule: str, members: dict[str, Any]) -> None:
    """And a new definition begins with version 1."""
    assert defined(Model(), **members) == [rule]


@pytest.mark.parametrize(("version", "broken"), [(1, []), (2, []), (3, ["DEF-3"])])
def test_an_update_keeps_the_version_or_adds_one(version: int, broken: list[str]) -> None:
    """Both are lawful; two steps at once are a warning."""
    model = Model()
    defined(model)

    assert defined(model, version=version, schema={"title": "new"}) == broken


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("ING-3", {"a_ve": "2"}),
        ("ING-9", {"a_def_id": "1"}),
        ("ING-9", {"a_va": "w"}),
        ("ING-10", {"queue_s": "succeeded"}),
    ],
)
def test_an_answer_names_the_definition_its_version_and_the_queue(rule: str, data: dict[str, Any]) -> None:
    """Of a variant that was defined."""
    model = Model()
    defined(model)

    assert accepted(model, **data) == [rule]


def test_two_accepted_posts_have_two_ids() -> None:
    """Even with equal bodies."""
    model = Model()
    defined(model)

    assert accepted(model) + accepted(model) == ["ING-7"]


def test_after_a_lower_explicit_version_either_is_current() -> None:
    """Q5 is open: what was stored last, or the highest."""
    model = Model()
    defined(model, version=7)
    model.put(
        "1",
        {"variant": "v", "schema": {}, "version": 3},
        200,
        {"id": "d-v", "org_id": "1", "variant": "v", "schema": {}, "version": 3, "alias": []},
    )

    assert accepted(model, a_ve="3") + accepted(model, number="2", a_ve="7") == []
    assert accepted(model, number="3", a_ve="5") == ["ING-3"]


@pytest.mark.parametrize("answered", ["1", "999"])
def test_a_version_that_is_not_stored_may_fall_back(answered: str) -> None:
    """C4: to the latest, or be taken at its word; a refusal is lawful too."""
    model = Model()
    defined(model)

    assert accepted(model, asked=999, a_ve=answered) == []
    assert model.ingress("1", "v", {"payload": 1, "version": 999}, 400, {}) == []


def test_an_alias_may_reach_its_definition_or_nothing() -> None:
    """C5: it outranks a variant, gives way to it, or is only a record of other names."""
    model = Model()
    defined(model, alias=["a"])

    assert accepted(model, "a", a_def_id="d-v", a_va="v") == []
    assert accepted(model, "a", "2", a_def_id="d-v", a_va="a") == []
    assert model.ingress("1", "a", {"payload": 1}, 400, {}) == []


def test_work_for_a_known_variant_is_served() -> None:
    """An unknown one may be refused, and so may a payload that breaks its schema."""
    model = Model()
    defined(model)

    assert [b.rule for b in model.ingress("1", "v", {"payload": 1}, 400, {})] == ["PAGE-11"]
    assert model.ingress("1", "w", {"payload": 1}, 400, {}) == []
    assert model.ingress("1", "v", {"payload": 1}, 400, {}, fits=False) == []


def live() -> Model:
    """A model of one action whose attempt 0 is held from second 0 on."""
    model = Model()
    defined(model)
    accepted(model)
    extended(model, 0, 200, 0)
    return model


@pytest.mark.parametrize(
    ("attempt", "status", "at", "broken"),
    [
        (0, 200, 30, []),
        (0, 409, 30, []),
        (0, 404, 30, ["ING-11"]),
        (0, 400, 30, ["PAGE-11"]),
        (0, 404, 70, []),
        (0, 400, 70, []),
        (1, 409, 30, []),
        (1, 200, 30, ["LEASE-3"]),
        (1, 200, 70, []),
        (1, 404, 30, ["LEASE-7"]),
    ],
)
def test_within_its_lease_the_current_attempt_and_no_other_is_extended(
    attempt: int, status: int, at: float, broken: list[str]
) -> None:
    """Beyond a minute nothing is certain, as the action's own timeout is not known."""
    assert extended(live(), attempt, status, at) == broken


def test_that_another_attempt_goes_on_within_the_lease_is_a_broken_lease() -> None:
    """The refusal alone accuses nobody, as a default sink may have settled the action (Q23)."""
    model = live()

    assert extended(model, 0, 409, 10) == []
    assert extended(model, 1, 200, 11) == ["LEASE-8"]


def test_an_extension_beyond_the_lifetime_may_be_refused() -> None:
    """B136 says that the deadline cannot move there, and not how that is said."""
    assert extended(live(), 0, 400, 10, mod_ack=2**53) + extended(live(), 0, 409, 10, mod_ack=2**53) == []


def test_a_definition_made_on_the_fly_has_a_version_already() -> None:
    """The PUT that follows is an update."""
    model = Model()
    model.ingress("1", "v", {"payload": 1}, 200, {"a_id": "1"})

    assert defined(model, version=2) == []


def test_a_version_may_be_answered_with_a_point() -> None:
    """9.0 is an integer to JSON Schema."""
    model = Model()
    body = {"variant": "v", "schema": {}, "version": 9}
    model.put("1", body, 200, {"id": "d-v", "org_id": "1", "alias": [], **body, "version": 9.0})

    assert accepted(model, a_ve="9") == []


def test_an_alias_of_somebody_else_may_be_left_out() -> None:
    """C5: who owns it is open."""
    model = Model()
    defined(model, alias=["a"])
    body = {"variant": "w", "schema": {}, "alias": ["a"]}

    assert model.put("1", body, 200, {"id": "d-w", "org_id": "1", **body, "version": 1, "alias": []}) == []


def test_two_organisations_may_have_actions_of_the_same_id() -> None:
    """Nothing says that ids are unique over all."""
    model = live()
    model.ingress("2", "v", {"payload": 1}, 200, {"a_id": "1"})

    assert extended(model, 0, 200, 1, "1", "2") == []


def test_a_shorter_extension_may_shorten_the_lease() -> None:
    """Q8: counted from now, five seconds end before the minute that was promised first."""
    model = live()
    extended(model, 0, 200, 1, mod_ack=5)

    assert extended(model, 0, 409, 7) == []


def test_where_a_destination_may_settle_nobody_is_accused_of_a_refusal() -> None:
    """Any holder may settle (B132)."""
    model = Model()
    defined(model, answered={"destinations": [{"id": "1"}]})
    accepted(model)
    extended(model, 0, 200, 0)

    assert extended(model, 0, 409, 10) == []


@pytest.mark.parametrize(("number", "org"), [("7", "1"), ("1", "2")])
def test_an_id_of_nobody_or_of_another_organisation_is_not_extended(number: str, org: str) -> None:
    """Whatever the refusal is."""
    assert extended(live(), 0, 200, 1, number, org) == ["LEASE-6"]
    assert extended(live(), 0, 404, 1, number, org) == []


def test_a_deployment_that_never_delivers_breaks_nothing() -> None:
    """Then no attempt can be extended (Q4, Q24)."""
    model = Model()
    defined(model)
    accepted(model)

    assert extended(model, 0, 409, 0) + extended(model, 0, 409, 5) == []


def test_json_values_are_compared_as_json() -> None:
    """Members in any order, 1 is 1.0, true is not 1."""
    assert same({"a": [1, {"b": None}], "c": True}, {"c": True, "a": [1.0, {"b": None}]})
    assert not same({"a": True}, {"a": 1})
    assert not same([1, 2], [2, 1])
