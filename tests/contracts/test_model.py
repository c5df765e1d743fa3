"""The reference model of definitions and work: what every interpretation allows breaks nothing, what none allows is a breach."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.model import definitions
from contracts.model.ingress import post
from contracts.model.world import Model, equal_json
from tests.contracts.models import (
    accepted,
    defined,
    extended,
    live,
    lowered,
    refused,
    turned_away,
)


def test_a_definition_its_work_and_a_lease_break_nothing() -> None:
    """The way that every client goes."""
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
    """A new definition begins with version 1."""
    assert defined(Model(), **members) == [rule]


@pytest.mark.parametrize(("version", "broken"), [(1, []), (2, []), (3, ["DEF-3"])])
def test_an_update_keeps_the_version_or_adds_one(version: int, broken: list[str]) -> None:
    """Both are lawful; a version that moves by two is a warning."""
    model = Model()
    defined(model)

    assert defined(model, version, schema={"title": "new"}) == broken


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("ING-3", {"a_ve": "2"}),
        ("ING-9", {"a_def_id": "1"}),
        ("ING-9", {"a_va": "w"}),
        ("ING-10", {"queue_s": "succeeded"}),
    ],
)
def test_an_answer_to_work_names_the_definition_its_version_and_the_queue(
    rule: str, data: dict[str, Any]
) -> None:
    """They are those of the variant that was defined."""
    model = Model()
    defined(model)

    assert accepted(model, **data) == [rule]


def test_two_accepted_posts_have_two_ids() -> None:
    """Equal bodies do not make them one."""
    model = Model()
    defined(model)

    assert accepted(model) + accepted(model) == ["ING-7"]


@pytest.mark.parametrize(("shown", "other"), [("3", "7"), ("7", "3")])
def test_after_a_lower_explicit_version_either_is_current_until_one_was_used(shown: str, other: str) -> None:
    """Q5 is open: what was stored last, or the highest; work narrows it."""
    model = lowered(Model())
    assert model.definitions["1", "v"].current_versions == {3, 7}
    assert accepted(model, number="1", a_ve="5") == ["ING-3"]

    assert accepted(model, number="2", a_ve=shown) == []
    assert model.definitions["1", "v"].current_versions == {int(shown)}
    assert accepted(model, number="3", a_ve=other) == ["ING-3"]


@pytest.mark.parametrize(("shown", "current"), [("3", {3}), ("7", {7})])
def test_what_is_current_after_a_lower_version_is_asked_once_for_all_definitions(
    shown: str, current: set[int]
) -> None:
    """For the next definition the question is settled."""
    model = lowered(Model())
    accepted(model, a_ve=shown)

    lowered(model, "w")

    assert model.definitions["1", "w"].current_versions == current


def test_work_for_a_version_that_is_not_stored_may_use_the_current_one() -> None:
    """C4: a refusal is lawful too, and any other version is not."""
    model = Model()
    defined(model)

    assert accepted(model, asked=999, a_ve="1") == []
    assert refused(model.scratch(), asked=999) == []
    assert accepted(model, number="2", asked=999, a_ve="999") == ["ING-3"]
    assert accepted(model, number="3", asked=999, a_ve="2") == ["ING-3"]


def test_work_may_name_the_current_version() -> None:
    """It is served, and the answer names that version."""
    model = Model()
    defined(model)

    assert refused(model, asked=1) == ["PAGE-11"]
    assert accepted(model, asked=1, a_ve="2") == ["ING-3"]


@pytest.mark.parametrize("data", [{"a_def_id": "d-v", "a_va": "v"}, {"a_def_id": "d-a", "a_va": "a"}])
def test_an_alias_may_reach_its_definition_or_be_a_variant_of_its_own(data: dict[str, str]) -> None:
    """C5: it may also be only a record of other names, and reach nothing."""
    model = Model()
    defined(model, alias=["a"])

    assert accepted(model, "a", **data) == []
    assert [breach.rule for breach in turned_away(model.scratch(), "a")] == []


def test_under_an_alias_the_current_version_of_its_definition_is_used() -> None:
    """A stale version is as wrong there as under the variant."""
    model = Model()
    defined(model, alias=["a"])
    defined(model, 2, alias=["a"], schema={"title": "new"})

    assert accepted(model, "a", a_def_id="d-v", a_va="v", a_ve="1") == ["ING-3"]


def test_a_name_belongs_to_the_definitions_that_have_it_as_an_alias_now() -> None:
    """C5: two may have it after it was taken over, and none after it was removed."""
    model = Model()
    defined(model, alias=["a"])
    assert [one.variant for one in model.definitions_with_alias("1", "a")] == ["v"]
    assert model.definitions_with_alias("2", "a") == []

    defined(model, variant="w", alias=["a"])
    assert [one.variant for one in model.definitions_with_alias("1", "a")] == ["v", "w"]

    defined(model, alias=[])
    assert [one.variant for one in model.definitions_with_alias("1", "a")] == ["w"]


def test_what_an_alias_reaches_is_open_once_another_definition_was_given_it() -> None:
    """C5: it may belong to the new one or still to the old one, or be left out of the next update."""
    model = Model()
    defined(model, alias=["a"])
    defined(model, variant="w", alias=["a"])

    assert accepted(model, "a", a_def_id="d-w", a_va="w") == []
    assert accepted(model, "a", "2", a_def_id="d-v", a_va="v") == []
    assert refused(model, "a") == []
    assert defined(model, answered={"alias": []}) == []
    assert "alias" not in model.first_answers


def test_work_for_a_known_variant_is_served() -> None:
    """Work for an unknown variant may be refused, and so may a payload that breaks its schema."""
    model = Model(fits=lambda *_: True)
    defined(model)

    assert refused(model) == ["PAGE-11"]
    assert refused(model, "w") == []
    assert refused(model, fits=False) == []


@pytest.mark.parametrize(("fits", "broken"), [(True, ["PAGE-11"]), (False, []), (None, [])])
def test_a_refusal_is_a_breach_only_where_every_dialect_takes_the_payload(
    fits: bool | None, broken: list[str]
) -> None:
    """Q18: the dialect of a schema is open."""
    model = Model(fits=lambda *_: fits)
    defined(model)

    assert refused(model) == broken


def test_the_schema_of_any_version_that_was_put_may_be_in_force() -> None:
    """A schema that takes the payload beside one that does not leaves it open."""
    model = Model(fits=lambda schema, _: "closed" not in schema)
    defined(model)
    assert refused(model) == ["PAGE-11"]

    defined(model, 2, schema={"closed": 1})

    assert refused(model) == []


def test_the_whole_body_may_be_the_payload_where_bodies_are_not_known_to_be_envelopes() -> None:
    """C1: a schema that the payload satisfies and the body does not settles nothing."""
    model = Model(fits=lambda _, payload: payload == 1)
    defined(model)

    assert refused(model, enveloped=False) == []
    assert refused(model, asked=999, enveloped=False) == []
    assert "a version that was never stored" not in model.first_answers
    assert refused(model) == ["PAGE-11"]


def test_a_fresh_definition_may_take_two_seconds_to_be_known() -> None:
    """No source says that it is known at once; a definition that has accepted work is not fresh any more."""
    model = Model()
    defined(model)
    assert refused(model, at=1) == []

    accepted(model)

    assert refused(model, at=1) == ["PAGE-11"]


def test_a_lower_version_may_be_refused() -> None:
    """Q5: the definition stays as it was."""
    model = Model()
    defined(model, 7, sent=7)

    assert definitions.put(model, "1", {"variant": "v", "schema": {}, "version": 3}, 409, {}) == []
    assert accepted(model, a_ve="7") == []


def test_an_update_with_doubled_aliases_does_not_tell_what_an_equal_definition_does() -> None:
    """Q5: the list is another one although its names are the same, so the answers of both updates may differ."""
    model = Model()
    defined(model, alias=["a"])
    assert defined(model, 1, alias=["a"]) == []

    assert defined(model, 2, alias=["a", "a"]) == []


def test_a_scratch_model_knows_the_interpretations_and_the_ids_and_nothing_else() -> None:
    """A replay is judged by it; the question that the replay is about is open again."""
    model = live()
    extended(model, 1, 409, 1)
    accepted(model, "unknown", "2")
    model.issued_ids.add("1")

    fresh = model.scratch(without="unknown variant")

    assert fresh.first_answers == {"delivery": "at once", "an attempt that has not begun": "409"}
    assert (fresh.issued_ids, fresh.definitions, fresh.actions, fresh.organisations) == ({"1"}, {}, {}, set())


def test_a_definition_made_on_the_fly_has_a_version_already() -> None:
    """The PUT that follows is an update of it."""
    model = Model()
    post(model, "1", "v", {"payload": 1}, 200, {"a_id": "1"})

    assert defined(model, 2) == []


def test_what_follows_from_a_put_of_open_outcome_breaks_nothing() -> None:
    """Any version and any alias are lawful then, and so are refusals."""
    model = Model()
    defined(model, 3, alias=["a"])
    model.forget("1", "v")

    assert refused(model) + accepted(model, number="1", a_ve="9", a_def_id="x", a_va="v") == []
    assert defined(model, 8, answered={"alias": ["old"]}) == []
    assert (
        accepted(model, number="2", asked=5, a_ve="5") + accepted(model, number="3", asked=5, a_ve="8") == []
    )
    assert refused(model, asked=5) == []
    assert model.first_answers == {}


def test_a_put_after_one_of_open_outcome_makes_its_definition_known() -> None:
    """Its version is then the one to be used and to be moved."""
    model = Model()
    model.forget("1", "v")
    defined(model, 8)

    assert accepted(model, a_ve="7") == ["ING-3"]
    assert defined(model, 11) == ["DEF-3"]


def test_work_for_an_undefined_name_does_not_reach_another_definition() -> None:
    """A name that begins alike is a breach; one in another case of its letters is a warning."""
    model = Model()
    defined(model)

    assert accepted(model, "vx", a_def_id="d-v", a_va="v") == ["ING-9"]
    assert accepted(model, "V", "2", a_def_id="d-v", a_va="v") == ["ING-15"]


def test_work_for_a_name_that_may_be_defined_may_reach_any_definition() -> None:
    """Its own definition may have become any other."""
    model = Model()
    defined(model)
    for name in ("v", "V", "vx"):
        model.forget("1", name)

        assert accepted(model, name, name, a_def_id="d-v", a_va="v") == []


def nested(levels: int, deepest: Any) -> Any:
    """Nest a value in objects with one member."""
    for _ in range(levels):
        deepest = {"not": deepest}
    return deepest


def test_deep_schemas_are_compared_to_their_deepest_level() -> None:
    """As deep as the judge sends them: more than Python recurses."""
    model = Model()
    defined(model, schema=nested(2_000, {"title": "a"}))
    defined(model, schema=nested(2_000, {"title": "b"}))
    defined(model, 2, schema=nested(2_000, {"type": "string"}))

    assert model.first_answers["a definition with other annotations"] == "same version"
    assert model.first_answers["a changed definition"] == "version + 1"


def test_a_definition_has_an_id_of_its_own() -> None:
    """Links and actions name a definition by its id, so that no other one of the organisation has it."""
    model = Model()
    defined(model, answered={"id": "7"})

    assert defined(model, variant="w", answered={"id": "7"}) == ["DEF-12"]
    assert defined(model, variant="x", answered={"id": "8"}) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"variant": "v", "alias": ["w"]}, {"variant": "w"}),
        ({"variant": "v"}, {"variant": "w", "alias": ["v"]}),
        ({"variant": "e\u0301"}, {"variant": "é"}),
        ({"variant": "v"}, {"variant": " v"}),
        ({"variant": "v"}, {"variant": "v", "schema": {"a": 1}}),
        ({"variant": "v", "org": "2"}, {"variant": "w"}),
    ],
    ids=["alias", "variant as an alias", "form of a letter", "blanks", "update", "organisation"],
)
def test_two_names_may_be_one_definition(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Where one is an alias of the other, or a target compares loosely; each organisation may count its own ids."""
    model = Model()
    defined(model, answered={"id": "123456789012"}, **first)

    assert defined(model, answered={"id": "123456789012"}, **second) == []


def test_what_was_an_alias_once_may_still_be_the_same_definition() -> None:
    """Whether an update removes aliases is open (Q5)."""
    model = Model()
    defined(model, answered={"id": "7"}, alias=["w"])
    defined(model, answered={"id": "7", "alias": []}, alias=[])

    assert defined(model, variant="w", answered={"id": "7"}) == []


@pytest.mark.parametrize(
    ("number", "broken"),
    [("123456789012", ["ING-7"]), ("12", []), ("0000000000000012", []), ("12345678901x", [])],
)
def test_an_action_of_another_organisation_has_another_id(number: str, broken: list[str]) -> None:
    """B023, B133: unless the id is short, as each organisation may count its own."""
    model = Model()
    defined(model)
    defined(model, org="2")
    accepted(model, number=number, org="2")

    assert accepted(model, number=number) == broken


def test_each_organisation_may_count_from_the_same_high_number() -> None:
    """Ids that are next to each other are numbers of a sequence, of which each organisation may have one."""
    model = Model()
    defined(model)
    defined(model, org="2")
    model.issued_ids |= {"100000000001", "100000000002"}
    accepted(model, number="100000000001", org="2")

    assert accepted(model, number="100000000001") == []


@pytest.mark.parametrize(("identity", "broken"), [("123456789012", ["ORG-1"]), ("12", [])])
def test_a_definition_serves_its_own_organisation_alone(identity: str, broken: list[str]) -> None:
    """Short ids break nothing, as each organisation may count its own."""
    model = Model()
    defined(model, answered={"id": identity}, org="2")

    assert accepted(model, org="1", a_def_id=identity) == broken


def test_the_same_definition_in_two_organisations_is_two() -> None:
    """An update of one does not move the version of the other."""
    model = Model()
    defined(model)
    defined(model, org="2")
    defined(model, 2, org="2", schema={"title": "new"})

    assert accepted(model, a_ve="1") == []
    assert accepted(model, number="2", a_ve="2") == ["ING-3"]


def test_an_update_may_give_a_new_id_and_the_old_one_stays_valid() -> None:
    """Q5: work may show either of them."""
    model = Model()
    defined(model)
    defined(model, answered={"id": "d-new"})
    assert "id of a changed definition" not in model.first_answers  # as it was not changed

    assert accepted(model, a_def_id="d-v") + accepted(model, number="2", a_def_id="d-new") == []
    assert accepted(model, number="3", a_def_id="d-other") == ["ING-9"]


def test_a_version_may_be_answered_with_a_decimal_point() -> None:
    """9.0 is an integer to JSON Schema."""
    model = Model()
    defined(model, 9.0, sent=9)

    assert accepted(model, a_ve="9") == []


def test_an_alias_of_another_definition_may_be_left_out() -> None:
    """C5: which of the two has it is open."""
    model = Model()
    defined(model, alias=["a"])

    assert defined(model, variant="w", alias=["a"], answered={"alias": []}) == []


def test_json_values_are_compared_as_json() -> None:
    """Members in any order, 1 is 1.0, true is not 1."""
    assert equal_json({"a": [1, {"b": None}], "c": True}, {"c": True, "a": [1.0, {"b": None}]})
    assert not equal_json({"a": True}, {"a": 1})
    assert not equal_json([1, 2], [2, 1])


@pytest.mark.parametrize("settles", [True, False])
def test_what_an_earlier_run_may_have_stored_is_open_until_a_put(settles: bool) -> None:
    """What this run knew of it does not count any more, and the version after the put does."""
    model = Model()
    defined(model)
    model.reopen("1", "v", next_put_settles=settles)
    assert ("1", "v") not in model.definitions
    assert model.may_exist(("1", "v"))
    assert not model.may_exist(("1", "w"))

    assert refused(model) + defined(model, 8) == []
    assert defined(model, 11) == ["DEF-3"]


def test_a_night_keeps_only_the_latest_definitions_and_names() -> None:
    """What is used all the time is kept; a name that was forgotten may be defined, and tells nothing."""
    model = Model()
    for number in range(60):
        definitions.put(
            model,
            "1",
            {"variant": f"v{number}", "schema": {}},
            200,
            stored(f"v{number}", str(number), f"a{number}"),
        )
        definitions.put(model, "1", {"variant": "always", "schema": {}}, 200, stored("always", "900"))
        model.forget("1", f"gone{number}")
    model.trim(10)

    assert len(model.definitions) == 10
    assert ("1", "always") in model.definitions
    assert ("1", "v0") not in model.definitions
    assert (len(model.by_id), model.possibly_defined) == (10, set())
    assert model.definitions_with_alias("1", "a0") == []
    assert [one.variant for one in model.definitions_with_alias("1", "a59")] == ["v59"]
    assert (
        post(model, "1", "v0", {"payload": 1}, 200, {"a_id": "7", "a_def_id": "0", "a_va": "v0", "a_ve": "1"})
        == []
    )
    assert "unknown variant" not in model.first_answers


def stored(variant: str, identity: str, *alias: str) -> dict[str, Any]:
    """The data of an answer to a PUT."""
    names = list(alias)
    return {"id": identity, "org_id": "1", "variant": variant, "version": 1, "alias": names, "schema": {}}
