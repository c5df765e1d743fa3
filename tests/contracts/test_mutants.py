"""Every mutant is caught by the rule that it names, and conforming servers are not accused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import pytest

from contracts.core.rules import RULES, Severity
from contracts.phases.scenarios import SCENARIOS, races
from contracts.run.scheduler import ANYWHERE
from tests.contracts.runs import api_at, judged_in_process, titles_by_rule
from tests.contracts.verdicts import ALONE, EVERY_MUTANT, judged_alone, stored, verdict
from tests.mutants import (
    CONFORMING_VARIANTS,
    DEPLOYMENTS,
    HOLDOUT,
    MUTANTS,
    RACES,
    Choices,
    ConformingServer,
    Mutant,
)
from tests.serving import serving


@pytest.mark.parametrize("mutant", ALONE, ids=lambda one: one.id)
def test_a_mutant_is_caught_by_the_rule_that_it_names(mutant: Mutant) -> None:
    """The run listens to that rule alone, ends when it has spoken, and says what it said when its verdict was recorded.

    Where the words are meant to change, `python -m tests.contracts.verdicts record` stores them.
    """
    rule = mutant.caught_by[0]
    run = judged_alone(mutant)

    assert list(titles_by_rule(run)) == [rule]
    assert run.exit_code == (1 if RULES[rule].severity is Severity.VIOLATION else 0)
    assert verdict(run) == stored()[mutant.id]


def test_a_server_that_fails_when_it_is_busy_is_caught_by_a_volley() -> None:
    """Each answer of a volley is judged as if it were alone."""
    mutant = RACES["X03"]
    with serving(mutant()) as url:
        calls = api_at(url)
        races.updates.play(calls)
        calls.client.close()

    found = [one for one in calls.judge.ledger.violations if one.rule in mutant.caught_by]
    assert found
    assert all(one.concurrent for one in found)


def test_every_rule_has_its_mutant() -> None:
    """A check that has never failed proves nothing; READ-2 is shown by the test after this one."""
    first = {one.caught_by[0] for one in (*ALONE, RACES["X03"])}

    assert first | {"READ-2"} == RULES.keys()


def test_another_interpretation_than_the_expected_one_is_a_warning() -> None:
    """A lawful choice has changed between two builds; the one that is as expected is not named."""
    expected = {"unknown variant": "made on the fly", "ingress body": "envelope"}
    everything = Choices(operations="all")
    run = judged_in_process(
        lambda clock: ConformingServer(everything, clock=clock),
        "READ-2",
        expected=expected,
        max_time=_SECONDS,
    )

    assert [(one.rule, one.place) for one in run.warnings] == [("READ-2", "unknown variant")]
    assert run.exit_code == 0


@pytest.mark.parametrize("mutant", EVERY_MUTANT, ids=lambda one: one.id)
def test_a_mutant_names_the_rule_that_must_catch_it_or_says_why_none_does(mutant: Mutant) -> None:
    """The judge has nothing to say of a lawful mutation; where it only warns of a broken promise, that is a miss too."""
    if mutant.verdict == "none":
        assert (mutant.caught_by, mutant.missed) == ((), "")
        return
    assert RULES.keys() >= {*mutant.caught_by}
    severities = {RULES[code].severity for code in mutant.caught_by[:1]}
    enough = {Severity.VIOLATION} if mutant.verdict == "violation" else {*Severity}
    assert severities & enough or mutant.missed


def test_every_mutant_of_the_catalogue_is_caught() -> None:
    """One of them only by a run that listens to every rule."""
    owed = [one for one in MUTANTS.values() if one.verdict != "none"]

    assert [one.id for one in owed if not one.caught_by] == []
    assert [one.id for one in owed if one.missed] == ["S42"]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_listened_to_alone_is_verified(rule: str) -> None:
    """Some sequence is for it, or any exchange may break it."""
    assert rule in ANYWHERE.union(*(scenario.rules for scenario in SCENARIOS))


_SECONDS = 6.0
"""Seconds of the virtual clock in which a conforming server is judged: fifteen hundred requests."""
_LONGER = {"archive": 25.0}
"""Deployment → seconds in which each suspicion of it can be looked into: lost actions are looked for twice, and late."""

LAWFUL = {
    "plain": Choices(operations="all"),
    "open": Choices(
        unknown_variant="create",
        body="raw-without-payload",
        upsert="always-bump",
        alias="steal",
        alias_first=False,
        a_va="as-asked",
        enforce_schema=False,
        ids="small",
        operations="all",
        second_ack="ok",
        nack_after_defer="ignore",
        update_id="changes",
        omitted_alias="emptied",
    ),
    "strict": Choices(
        bad_version="refuse",
        control_refusals="422",
        extra_request_members="refused",
        bad_schema="refused",
        lower_version="refused",
        www_authenticate=False,
        stale=404,
        foreign_org=404,
        html_404=True,
    ),
    "raw": Choices(
        body="raw",
        upsert="keep",
        control_refusals="200-null",
        negative_version="accept",
        lower_version="ignored",
        extra_members=True,
        ids="long",
        destinations=True,
        chunked_answers=True,
        key_order=True,
        error_texts="german",
    ),
    "undelivered": Choices(delivery="never", operations="all"),
    "late": Choices(first_delivery=0.4, extend_from="deadline", operations="all"),
}
"""Name → choices: fewer variants than `CONFORMING_VARIANTS`, which together have every value of every choice."""


@pytest.mark.parametrize("name", LAWFUL)
def test_a_conforming_variant_is_not_accused(name: str) -> None:
    """Whatever interpretations it takes; constructed sequences, walks and generated requests all run."""
    run = judged_in_process(lambda clock: ConformingServer(LAWFUL[name], clock=clock), max_time=_SECONDS)

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)
    assert run.cross_check.differences == ()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_conforming_server_is_not_accused_wherever_it_stands(name: str) -> None:
    """Behind a gateway, on nodes that learn one after the other, beside a sink, with numbers of its own."""
    run = judged_in_process(DEPLOYMENTS[name], max_time=_LONGER.get(name, _SECONDS))

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)


def test_the_lawful_choices_are_those_of_all_conforming_variants() -> None:
    """Each value that any of the conforming variants has."""

    def values(choices: Iterable[Choices]) -> set[tuple[str, object]]:
        return {(one.name, getattr(each, one.name)) for each in choices for one in fields(Choices)}

    assert values(LAWFUL.values()) == values(CONFORMING_VARIANTS.values())


def test_what_no_replay_shows_is_named_as_a_suspicion() -> None:
    """H120 defines unknown variants from the fourth on: that happens once, and the run has not passed."""
    run = judged_alone(HOLDOUT["H120"])

    assert (run.violations, run.exit_code) == ((), 3)
    assert run.suspected["READ-1"].startswith(
        "POST /v1/ingress/{variant} breaks READ-1: unknown variant: made"
    )
