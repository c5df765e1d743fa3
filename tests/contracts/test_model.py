"""The reference model: what every interpretation allows breaks nothing, and what none allows is a breach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.core.findings import Breach
from contracts.model import definitions, signals
from contracts.model.ingress import accept_action, post
from contracts.model.interpretations import QUESTIONS
from contracts.model.signals import Kind, Signal
from contracts.model.world import Model, equal_json

Way = Callable[[Model, str], list[Breach]]
"""Does something to a model under a fresh name; returns the breaches."""


def put(
    model: Model,
    version: int | float = 1,
    answered: dict[str, Any] | None = None,
    variant: str = "v",
    sent: int | None = None,
    org: str = "1",
    **members: Any,
) -> list[Breach]:
    """Put a definition; its answer shows what was put, except for the members `answered`. Return the breaches."""
    body = {"variant": variant, "schema": {}, **members} | ({} if sent is None else {"version": sent})
    defaults = {"id": f"d-{variant}", "org_id": org, "alias": [], "destinations": []}
    data = {**defaults, **body, "version": version, **(answered or {})}
    return definitions.put(model, org, body, 200, data)


def defined(model: Model, version: int | float = 1, **members: Any) -> list[str]:
    """Put a definition; return the codes of the broken rules."""
    return [breach.rule for breach in put(model, version, **members)]


def work(
    model: Model, name: str = "v", number: str = "1", asked: int | None = None, org: str = "1", **data: Any
) -> list[Breach]:
    """Post work that is accepted; return the breaches."""
    body = {"payload": 1} | ({} if asked is None else {"version": asked})
    answer = {"a_id": number, "a_def_id": f"d-{name}", "queue_s": "queued", "a_va": name, "a_ve": "1", **data}
    return post(model, org, name, body, 200, answer)


def accepted(model: Model, name: str = "v", number: str = "1", **members: Any) -> list[str]:
    """Post work that is accepted; return the codes of the broken rules."""
    return [breach.rule for breach in work(model, name, number, **members)]


def turned_away(
    model: Model, name: str = "v", status: int = 400, asked: int | None = None, at: float = 10.0, **more: Any
) -> list[Breach]:
    """Post work that is refused, by default long after its definition was put; return the breaches."""
    body = {"payload": 1} | ({} if asked is None else {"version": asked})
    return post(model, "1", name, body, status, {}, at=at, **more)


def refused(model: Model, name: str = "v", **members: Any) -> list[str]:
    """Post work that is refused; return the codes of the broken rules."""
    return [breach.rule for breach in turned_away(model, name, **members)]


def signal(
    model: Model, kind: Kind, attempt: int, status: int, at: float = 1, number: str = "1", **more: Any
) -> list[Breach]:
    """Send a signal of the first organisation; return what its answer breaks."""
    seconds = 300 if kind == "modack" else 0
    return signals.follow(model, Signal(kind, "1", number, attempt, status, at, at, seconds=seconds, **more))


def extended(
    model: Model, attempt: int, status: int, at: float, number: str = "1", org: str = "1", mod_ack: int = 300
) -> list[str]:
    """Send a modack; return the codes of the rules that its answer breaks."""
    found = signals.follow(model, Signal("modack", org, number, attempt, status, at, at, seconds=mod_ack))
    return [breach.rule for breach in found]


def settled(model: Model, kind: Kind, attempt: int, status: int, at: float = 1, **more: Any) -> list[str]:
    """Send an ack, nack or defer; return the codes of the rules that its answer breaks."""
    return [breach.rule for breach in signal(model, kind, attempt, status, at, **more)]


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


def lowered(model: Model, variant: str = "v") -> Model:
    """Put version 7, then version 3."""
    defined(model, 7, variant=variant, sent=7)
    defined(model, 3, variant=variant, sent=3)
    return model


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


def live() -> Model:
    """Make a model of one action whose attempt 0 is held from second 0 on."""
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
        (1, 400, 30, ["PAGE-11"]),
        (5, 200, 30, ["LEASE-3"]),
    ],
)
def test_within_its_lease_the_current_attempt_and_no_other_is_extended(
    attempt: int, status: int, at: float, broken: list[str]
) -> None:
    """After a minute nothing is certain, as the action's own timeout is not known."""
    assert extended(live(), attempt, status, at) == broken


def test_that_another_attempt_goes_on_within_the_lease_is_a_broken_lease() -> None:
    """The refusal alone breaks nothing, as a default sink may have settled the action (Q23)."""
    model = live()

    assert extended(model, 0, 409, 10) == []
    assert extended(model, 1, 200, 11) == ["LEASE-8"]


def test_an_extension_beyond_the_lifetime_may_be_refused() -> None:
    """B136 says that the deadline cannot move there, and not how that is answered."""
    assert extended(live(), 0, 400, 10, mod_ack=2**53) + extended(live(), 0, 409, 10, mod_ack=2**53) == []


def test_an_attempt_below_one_that_has_begun_stays_over() -> None:
    """B077, B120: attempts only go up, however long ago the last lease was granted."""
    model = live()
    assert extended(model, 1, 200, 100) == []

    assert extended(model, 0, 409, 101) == []
    assert extended(model, 0, 200, 1_000) == ["LEASE-3"]
    assert extended(model, 2, 200, 1_000) == []
    assert [extended(model, attempt, 200, 2_000) for attempt in (0, 1)] == [["LEASE-3"], ["LEASE-3"]]


def test_a_nack_gives_its_attempt_back() -> None:
    """B128: that attempt is over, and the next one may begin at any time."""
    model = live()
    assert settled(model, "nack", 0, 200) == []

    assert extended(model, 0, 409, 2) == []
    assert extended(model, 0, 200, 2) == ["LEASE-3"]
    assert extended(model, 1, 409, 2) == []
    assert extended(model, 1, 200, 3) == []


def test_an_ack_after_a_nack_that_ended_the_action_is_no_second_ack() -> None:
    """Q3 is about an action that was acked, and this one has failed for good (B130, B134)."""
    model = live()
    settled(model, "nack", 0, 200, final=True)

    assert settled(model, "ack", 0, 409) == []
    assert "a second ack" not in model.first_answers
    assert settled(model, "ack", 0, 200) == ["LIFE-9"]


@pytest.mark.parametrize("ending", ["ack", "nack"])
@pytest.mark.parametrize("kind", ["modack", "nack", "defer"])
def test_an_action_that_has_ended_takes_no_signal(ending: Kind, kind: Kind) -> None:
    """LIFE-9: after an ack, and after a nack that forbids another try (B127, B130, B134)."""
    model = live()
    settled(model, ending, 0, 200, **({"final": True} if ending == "nack" else {}))

    assert [breach.rule for breach in signal(model, kind, 0, 409, 2)] == []
    assert [breach.rule for breach in signal(model, kind, 0, 200, 2)] == ["LIFE-9"]
    assert [breach.rule for breach in signal(model, kind, 1, 200, 100)] == ["LIFE-9"]


@pytest.mark.parametrize("kind", ["ack", "nack", "defer"])
def test_a_signal_that_was_refused_ends_nothing(kind: Kind) -> None:
    """Only an accepted signal settles an action."""
    model = live()
    assert settled(model, kind, 0, 409) == []

    assert extended(model, 0, 200, 2) == []


@pytest.mark.parametrize("kind", ["ack", "nack", "defer"])
def test_only_the_current_attempt_settles(kind: Kind) -> None:
    """B120: neither the next attempt nor one that is over does."""
    model = live()
    assert settled(model, kind, 1, 200) == ["LEASE-3"]

    extended(model, 1, 200, 100)

    assert settled(model, kind, 0, 200, 101) == ["LEASE-3"]
    assert settled(model, kind, 0, 409, 101) == []


def test_a_deferred_attempt_stays_the_current_one() -> None:
    """B141, B144: it is extended and acked, and no other attempt begins while its lease goes on."""
    model = live()
    assert settled(model, "defer", 0, 200) == []

    assert extended(model, 0, 200, 2) == []
    assert extended(model, 1, 409, 3) == []
    assert extended(model, 1, 200, 3) == ["LIFE-11"]
    assert settled(model, "ack", 0, 200, 4) == []
    assert extended(model, 0, 200, 5) == ["LIFE-9"]


def test_a_nack_does_not_give_a_deferred_attempt_back() -> None:
    """B143: whether it is refused or taken without effect, the attempt goes on."""
    for status in (200, 409):
        model = live()
        settled(model, "defer", 0, 200)
        assert settled(model, "nack", 0, status) == []

        assert extended(model, 0, 200, 2) == []
        assert extended(model, 1, 200, 3) == ["LIFE-11"]


def test_a_deferred_action_is_never_delivered_again() -> None:
    """B141, B142: when its lease is over it has succeeded, and no other attempt begins."""
    model = live()
    settled(model, "defer", 0, 200)

    assert extended(model, 0, 409, 10_000) == []
    assert extended(model, 1, 200, 10_001) == ["LIFE-11"]


def test_no_attempt_begins_before_the_time_that_a_nack_asked_for() -> None:
    """B129: neither the one that was given back nor the next."""
    model = live()
    assert settled(model, "nack", 0, 200, far=True) == []

    assert extended(model, 1, 409, 2) == []
    assert extended(model, 1, 200, 2) == ["LIFE-7"]
    assert extended(model, 0, 200, 2) == ["LEASE-3"]


def test_an_id_with_zeros_before_it_is_another_id() -> None:
    """B010: ids are strings; that it reaches the action is a warning, and not LEASE-6."""
    assert extended(live(), 0, 404, 1, "001") == []
    assert extended(live(), 0, 200, 1, "001") == ["LEASE-9"]
    assert extended(live(), 0, 200, 1, "0" * 12 + "2") == ["LEASE-6"]


def test_an_id_with_fewer_zeros_than_it_was_issued_with_is_the_same_number() -> None:
    """Where ids have a fixed number of digits, missing zeros may be overlooked as additional ones are."""
    model = Model()
    defined(model)
    accepted(model, number="00000000000000000041")

    assert extended(model, 0, 200, 3, "0000000000041") == ["LEASE-9"]


def test_an_id_that_was_answered_to_any_request_was_issued() -> None:
    """The model need not have followed that request; an id of another organisation is refused all the same."""
    seven, eight = "7" * 18, "8" * 18
    model = live()
    model.issued_ids |= {seven, eight}
    accept_action(model, "2", eight, unattended=True, at=0)

    assert extended(model, 0, 200, 1, seven) == []
    assert extended(model, 0, 200, 1, eight) == ["LEASE-6"]
    assert extended(model.scratch(), 0, 200, 1, seven) == []


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


def test_two_organisations_may_have_actions_of_the_same_id() -> None:
    """No source says that ids are unique over all organisations."""
    model = live()
    post(model, "2", "v", {"payload": 1}, 200, {"a_id": "1"})

    assert extended(model, 0, 200, 1, "1", "2") == []


def test_a_shorter_extension_may_shorten_the_lease() -> None:
    """Q8: counted from now, five seconds end before the minute that was granted first."""
    model = live()
    extended(model, 0, 200, 1, mod_ack=5)

    assert extended(model, 0, 409, 7) == []


def test_a_refusal_breaks_nothing_where_a_destination_may_settle_the_action() -> None:
    """Any holder may settle it (B132)."""
    model = Model()
    defined(model, answered={"destinations": [{"id": "1"}]})
    accepted(model)
    extended(model, 0, 200, 0)

    assert extended(model, 0, 409, 10) == []


@pytest.mark.parametrize(("number", "org"), [("7" * 18, "1"), ("1" * 18, "2")])
def test_an_unissued_id_and_one_of_another_organisation_are_not_extended(number: str, org: str) -> None:
    """A refusal breaks nothing."""
    model = live()
    accept_action(model, "1", "1" * 18, unattended=True, at=0)

    assert extended(model, 0, 200, 1, number, org) == ["LEASE-6"]
    assert extended(model, 0, 404, 1, number, org) == []


def test_a_short_id_may_be_that_of_another_clients_action() -> None:
    """Each organisation may count its own ids, unless the target has shown that it counts all together."""
    assert extended(live(), 0, 200, 1, "7") == []
    assert extended(live(), 0, 200, 1, "1", "2") == []

    counted = live()
    counted.ids_are_shared = True

    assert extended(counted, 0, 200, 1, "1", "2") == ["LEASE-6"]


def test_a_deployment_that_never_delivers_breaks_nothing() -> None:
    """No attempt can be extended then (Q4, Q24)."""
    model = Model()
    defined(model)
    accepted(model)

    assert extended(model, 0, 409, 0) + extended(model, 0, 409, 5) == []


def test_json_values_are_compared_as_json() -> None:
    """Members in any order, 1 is 1.0, true is not 1."""
    assert equal_json({"a": [1, {"b": None}], "c": True}, {"c": True, "a": [1.0, {"b": None}]})
    assert not equal_json({"a": True}, {"a": 1})
    assert not equal_json([1, 2], [2, 1])


# Interpretations


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
