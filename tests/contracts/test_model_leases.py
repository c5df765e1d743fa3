"""The reference model of leases: which attempt of an action may be extended and settled, and which signal ends it."""

from __future__ import annotations

import pytest

from contracts.model.ingress import accept_action, post
from contracts.model.signals import Kind
from contracts.model.world import Model
from tests.contracts.models import (
    accepted,
    defined,
    extended,
    live,
    settled,
    signal,
)


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
    [breach] = signal(model, "ack", 0, 200, 2)
    assert (breach.rule, breach.title) == ("LIFE-9", "An action that has ended takes an ack")


@pytest.mark.parametrize("ending", ["ack", "nack"])
@pytest.mark.parametrize("kind", ["modack", "nack", "defer"])
def test_an_action_that_has_ended_takes_no_signal(ending: Kind, kind: Kind) -> None:
    """LIFE-9: after an ack, and after a nack that forbids another try (B127, B130, B134)."""
    model = live()
    settled(model, ending, 0, 200, **({"final": True} if ending == "nack" else {}))

    assert [breach.rule for breach in signal(model, kind, 0, 409, 2)] == []
    titles = [(breach.rule, breach.title) for breach in signal(model, kind, 0, 200, 2)]
    assert titles == [("LIFE-9", f"An action that has ended takes a {kind}")]
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


@pytest.mark.parametrize(
    ("number", "org", "status", "broken"),
    [
        ("7" * 18, "1", 409, ["LEASE-6"]),
        ("7" * 18, "1", 400, ["LEASE-6"]),
        ("7" * 19, "1", 400, []),
        ("7" * 19, "1", 409, ["LEASE-6"]),
        ("1" * 18, "2", 409, ["LEASE-6"]),
        ("1" * 18, "2", 400, ["LEASE-6"]),
    ],
)
def test_an_unissued_id_and_one_of_another_organisation_are_not_found(
    number: str, org: str, status: int, broken: list[str]
) -> None:
    """B133: 404; 409 and 400 have other causes, but for an id that is longer than any that was issued."""
    model = live()
    model.longest_id = "1" * 18
    accept_action(model, "1", "1" * 18, unattended=True, at=0)

    assert extended(model, 0, status, 1, number, org) == broken


def test_only_modack_lists_what_an_unknown_action_is_answered_with() -> None:
    """Guides say of ack, nack and defer that they are refused, and not how."""
    assert settled(live(), "ack", 0, 409, number="7" * 18) == []


@pytest.mark.parametrize("status", [400, 409])
def test_a_short_id_is_judged_where_it_cannot_have_been_issued(status: int) -> None:
    """The ids of the organisation are counted, and have not come near it; or all organisations share one counter."""
    counted = live()
    counted.issued_ids.add("1")
    counted.ids_are_counted = counted.ids_are_shared = True

    assert extended(counted, 0, status, 1, "7000000") == ["LEASE-6"]
    assert extended(counted, 0, status, 1, "1", "2") == ["LEASE-6"]
    assert extended(counted, 0, status, 1, "999999") == []
    assert extended(live(), 0, status, 1, "7000000") == []


def test_an_attempt_that_is_over_is_no_bad_request() -> None:
    """Its number keeps the page: 409, or 404 (Q2)."""
    model = live()
    extended(model, 1, 200, 100)

    assert extended(model, 0, 400, 101) == ["PAGE-11"]


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
