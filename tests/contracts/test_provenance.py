"""Provenance: what made an id or a variant, what happened to it, and what showed an answer first."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from contracts.checks.context import CheckContext
from contracts.checks.facts import Facts, derive_facts
from contracts.core.exchange import Exchange
from contracts.oracle.provenance import Provenance
from contracts.phases.requests import JSON, MODACK
from tests.contracts.exchanges import THEIRS, asked, modack, put, refusal, work
from tests.contracts.runs import check_context

CONTEXT: CheckContext = check_context()
QUESTION = "unknown variant"
HISTORY = 13
"""Exchanges of one name that are remembered: the first one and the latest twelve."""


def facts(exchange: Exchange) -> Facts:
    return derive_facts(exchange, CONTEXT)


def having_learned(*exchanges: Exchange, most_names: int = 100) -> Provenance:
    """Provenance that has seen these exchanges, in this order."""
    provenance = Provenance(CONTEXT, most_names)
    for exchange in exchanges:
        provenance.learn(facts(exchange))
    return provenance


def needed(provenance: Provenance, exchange: Exchange) -> list[float]:
    """The times of what has to be sent, up to the exchange itself."""
    return [one.call for one in provenance.needed(facts(exchange))]


def history(provenance: Provenance, exchange: Exchange, first_of: str | None = None) -> list[float]:
    """The times of what happened, up to the exchange itself."""
    return [one.call for one in provenance.history(facts(exchange), first_of)]


def times(*exchanges: Exchange) -> list[float]:
    return [exchange.call for exchange in exchanges]


# What made an id or a variant


def test_work_needs_the_put_that_stored_its_variant() -> None:
    """The latest one, as an update may have been needed."""
    first, second, posted = put(), put(version=2), work()

    assert needed(having_learned(first, second), posted) == times(second, posted)


def test_a_signal_needs_the_work_that_its_action_comes_from_and_what_that_needed() -> None:
    """So that three requests repeat it from nothing."""
    defined, posted, other, extended = put(), work("900"), work("901"), modack("900")

    assert needed(having_learned(defined, posted, other), extended) == times(defined, posted, extended)


def test_work_for_an_alias_needs_the_put_that_gave_the_alias() -> None:
    """As the answer shows it, whatever was sent."""
    defined, posted = put(), work(segment="a")
    defined = replace(defined, answer=defined.answer.replace(b'"alias": []', b'"alias": ["a"]'))

    assert needed(having_learned(defined), posted) == times(defined, posted)


def test_each_key_needs_what_it_has_put_itself() -> None:
    """Two organisations may have definitions of the same name."""
    ours, theirs = put(), put(headers=(THEIRS, JSON))
    provenance = having_learned(ours, theirs)
    posted, posted_by_them = work(), work(headers=(THEIRS, JSON))

    assert needed(provenance, posted) == times(ours, posted)
    assert needed(provenance, posted_by_them) == times(theirs, posted_by_them)


def test_a_key_tells_whose_definition_is_meant_in_either_header() -> None:
    """Ingress reads it in two of them."""
    ours, theirs = put(), put(headers=(THEIRS, JSON))
    posted_by_them = work(headers=(("authorization", THEIRS[1]), JSON))

    assert needed(having_learned(ours, theirs), posted_by_them) == times(theirs, posted_by_them)


def test_a_put_needs_nothing() -> None:
    """Even if its variant is there already."""
    again = put(version=2)

    assert needed(having_learned(put()), again) == times(again)


@pytest.mark.parametrize("theirs_first", [True, False])
def test_a_request_without_such_a_key_needs_the_put_of_the_first_key(theirs_first: bool) -> None:
    """Whichever was stored first: that key is there in every run."""
    ours, theirs = put(), put(headers=(THEIRS, JSON))
    keyless = work(headers=(JSON,))
    provenance = having_learned(*((theirs, ours) if theirs_first else (ours, theirs)))

    assert needed(provenance, keyless) == times(ours, keyless)


def test_a_request_without_such_a_key_needs_any_put_where_the_first_key_made_none() -> None:
    """Better than none."""
    theirs, keyless = put(headers=(THEIRS, JSON)), work(headers=(JSON,))

    assert needed(having_learned(theirs), keyless) == times(theirs, keyless)


def test_what_was_refused_has_made_nothing() -> None:
    """Neither a definition nor an action, whatever its answer says."""
    rejected, posted = put(status=409), work()
    turned_away, extended = refusal(data={"a_id": "900"}), modack("900")

    assert needed(having_learned(rejected), posted) == times(posted)
    assert needed(having_learned(put(), turned_away), extended) == times(extended)


@pytest.mark.parametrize(
    "body",
    [
        {"action_record_id": 900, "attempt": 0, "mod_ack": 300},
        {"action_record_id": "action 900!", "attempt": 0, "mod_ack": 300},
        {"action_record_id": "\uff19\uff10\uff10", "attempt": 0, "mod_ack": 300},
        {"action_record_id": ["900"], "attempt": 0},
    ],
    ids=["a number", "in a text", "full-width digits", "in a list"],
)
def test_an_id_is_found_however_a_request_spells_it(body: object) -> None:
    """The catalogue of raw requests spells ids in odd ways on purpose."""
    defined, posted, odd = put(), work("900"), asked(MODACK, body, 400)

    assert needed(having_learned(defined, posted), odd) == times(defined, posted, odd)


def test_digits_that_are_no_id_need_nothing() -> None:
    """Attempts and seconds are digits too."""
    extended = modack("5", attempt=3)

    assert needed(having_learned(put(), work("900")), extended) == times(extended)


def test_a_request_to_a_path_that_the_document_does_not_have_needs_nothing() -> None:
    """It is repeated alone, even if it names an id."""
    odd = asked("POST /v1/elsewhere", {"action_record_id": "900"}, 404)

    assert needed(having_learned(put(), work("900")), odd) == times(odd)


def test_an_example_holds_the_beginning_of_each_answer() -> None:
    """A night remembers thousands of them; a report shows less than 4,000 bytes of each."""
    defined = put()
    long = replace(defined, answer=defined.answer + b" " * 10_000)

    before, last = having_learned(long).needed(facts(work()))

    assert (before.answer, last.status) == (long.answer[:4_000], 200)


# What happened to it


def test_a_history_has_all_that_happened_to_a_name_in_order_of_time() -> None:
    """The exchange itself is the last one, and there once."""
    defined, posted, refused, again = put(), work(), refusal(), put(version=2)
    provenance = having_learned(defined, posted, refused, again)

    assert history(provenance, again) == times(defined, posted, refused, again)


def test_a_history_leads_from_an_action_to_its_variant() -> None:
    """A lease depends on the action, that on its definition, and that on its updates."""
    defined, updated, posted, first, second = put(), put(version=2), work("900"), modack("900"), modack("900")
    provenance = having_learned(defined, updated, posted, first)

    assert history(provenance, second) == times(defined, updated, posted, first, second)


def test_a_history_leads_through_aliases() -> None:
    """Another definition may have taken one over (C5)."""
    first = put(body={"variant": "v", "schema": {}, "alias": ["a"]})
    second = put(body={"variant": "w", "schema": {}, "alias": ["a"]})
    posted = work(segment="v")

    assert history(having_learned(first, second), posted) == times(first, second, posted)


def test_a_history_has_nothing_of_other_names() -> None:
    """Or examples would be as long as the run."""
    defined, other, theirs, posted = put("v"), put("w"), work("901", segment="w"), work("900")

    assert history(having_learned(defined, other, theirs), posted) == times(defined, posted)


def test_a_history_has_nothing_that_came_later() -> None:
    """A suspicion may be looked into when the run has gone on."""
    defined, posted, refused = put(), work(), refusal()

    assert history(having_learned(defined, posted, refused), posted) == times(defined, posted)


def test_a_history_has_what_was_refused_unless_its_request_was_sent_again() -> None:
    """While a fresh definition is not known everywhere only the last answer stands."""
    defined, refused, posted = put(), refusal(), work()
    provenance = having_learned(defined, refused)
    assert history(provenance, posted) == times(defined, refused, posted)

    provenance.forget(facts(refused))

    assert history(provenance, posted) == times(defined, posted)


def test_a_long_history_has_the_first_exchange_and_the_latest() -> None:
    """The first one made the definition; of the others the latest tell most."""
    defined = put()
    works = [work(str(900 + number)) for number in range(20)]
    last = refusal()

    told = history(having_learned(defined, *works), last)

    assert told == times(defined, *works[-(HISTORY - 1) :], last)


def test_a_long_history_still_has_what_made_the_name() -> None:
    """Even if it was neither the first exchange nor one of the latest."""
    refused, defined = refusal(), put()
    works = [work(str(900 + number)) for number in range(20)]
    last = refusal()

    told = history(having_learned(refused, defined, *works), last)

    assert told == times(refused, defined, *works[-(HISTORY - 1) :], last)


# Forgetting


def test_the_names_that_were_made_first_are_forgotten_first() -> None:
    """So that a night needs no more room than an hour."""
    definitions = [put(f"v{number}") for number in range(4)]
    for defined, number in zip(definitions, range(4), strict=True):
        data = json.loads(defined.answer)["data"] | {"variant": f"v{number}"}
        definitions[number] = replace(defined, answer=json.dumps({"data": data}).encode())
    provenance = having_learned(*definitions, most_names=4)  # two names each: with the key, and without
    first, last = work(segment="v0"), work(segment="v3")

    assert needed(provenance, first) == times(first)
    assert needed(provenance, last) == times(definitions[3], last)


def test_histories_are_forgotten_name_by_name() -> None:
    """The oldest name goes, and what happened to the others stays."""
    refusals = [refusal(segment=f"v{number}") for number in range(4)]
    provenance = having_learned(*refusals, most_names=3)
    first, second = refusal(segment="v0"), refusal(segment="v1")

    assert history(provenance, first) == times(first)
    assert history(provenance, second) == times(refusals[1], second)


# What showed an answer first


def test_the_first_exchange_that_answers_a_question_is_remembered_with_its_history() -> None:
    """Later ones are passed over, as the first answer is the one to be kept."""
    defined, first, second = put("w"), refusal(segment="w"), refusal(segment="x")
    provenance = having_learned(defined)

    provenance.witness(QUESTION, facts(first))
    provenance.witness(QUESTION, facts(second))

    assert times(*provenance.first(QUESTION)) == times(defined, first)


def test_a_history_has_what_showed_the_first_answer_to_a_question() -> None:
    """Going back on an answer takes two exchanges to show, of names that have nothing in common."""
    first, defined, second = refusal(segment="w"), put(), work()
    provenance = having_learned(first, defined)
    provenance.witness(QUESTION, facts(first))

    assert history(provenance, second, QUESTION) == times(first, defined, second)
    assert history(provenance, second, "alias") == times(defined, second)
    assert history(provenance, second) == times(defined, second)


def test_what_is_unlearned_has_shown_nothing() -> None:
    """The next exchange that answers is then the first."""
    provenance = having_learned()
    first, second = refusal(segment="w"), refusal(segment="x")
    provenance.witness(QUESTION, facts(first))

    provenance.unlearn(QUESTION)
    assert provenance.first(QUESTION) == ()

    provenance.witness(QUESTION, facts(second))
    assert times(*provenance.first(QUESTION)) == times(second)
