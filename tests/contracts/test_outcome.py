"""What a run proves: its last event, made of a snapshot of what it knows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts import Finding, Plan, RunFinished
from contracts.core.baseline import BaselineEntry
from contracts.core.events import Checkpoint, CrossChecked, Progress
from contracts.core.ledger import Ledger
from contracts.core.rules import RULES
from contracts.openapi.document import PUBLISHED, load
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.run.outcome import Outcome, Snapshot
from tests.contracts.runs import KEYS, exchange, rules, target

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTCOME = frozenset({"READ-2"})
"""The rule that is verified only where an interpretation is expected."""


def ledger(*, without: frozenset[str] = OUTCOME) -> Ledger:
    """One in which each rule was verified, but some."""
    return Ledger(tested=Counter(dict.fromkeys(RULES.keys() - without, 3)))


def snapshot(known: Ledger | None = None, **members: Any) -> Snapshot:
    """A run that has gone well for ten seconds."""
    served = {PUT: 5, INGRESS: 7, MODACK: 2}
    base = Snapshot(known or ledger(), "contract.x.", "ab" * 16, 100.0, requests=60, served=served)
    return replace(base, **members)


def finished(now: Snapshot, **members: Any) -> RunFinished:
    plan = Plan(target("http://target"), **members)
    return Outcome(plan, load(PUBLISHED), STARTED).finished(now, 110.0)


def finding(rule: str = "LEASE-3") -> Finding:
    return Finding(rule, MODACK, "It breaks", "this", "that", (exchange(MODACK, 409),))


def test_a_run_that_verified_every_rule_and_found_nothing_conforms() -> None:
    """Exit code 0, and nothing is inconclusive."""
    run = finished(snapshot())

    assert (run.exit_code, run.inconclusive, run.not_verified, run.verified) == (0, None, {}, 100.0)


def test_the_last_event_has_what_the_snapshot_and_the_plan_say() -> None:
    """Operations that were never called are served 0 times; interpretations are sorted by their question."""
    now = snapshot(
        served={PUT: 5, INGRESS: 7},
        interpretations={"b": "2", "a": "1"},
        interference={"503": 2},
        not_offered=("POST /v1/ack",),
        cross_check=CrossChecked(3, 40, ()),
    )

    run = finished(now, seed=9, strict=True)

    assert (run.target, run.seed, run.strict, run.prefix, run.run_id) == (
        "http://target",
        9,
        True,
        "contract.x.",
        "ab" * 16,
    )
    assert (run.started, run.seconds, run.requests) == ("2026-03-01T12:00:00+00:00", 10.0, 60)
    assert run.served == {PUT: 5, INGRESS: 7, MODACK: 0}
    assert list(run.interpretations) == ["a", "b"]
    assert (run.interference, run.not_offered, run.cross_check.answers) == ({"503": 2}, ("POST /v1/ack",), 40)
    assert run.keys == tuple((one.org, one.name) for one in KEYS)


def test_a_violation_is_an_exit_code_of_1_and_a_warning_only_where_it_counts() -> None:
    """Violations and warnings are told apart by the severity of their rule."""
    known = ledger()
    known.add([finding("PAGE-15")], confirmed=True)
    lenient, strict = finished(snapshot(known)), finished(snapshot(known), strict=True)
    known.add([finding("LEASE-3")], confirmed=True)
    violated = finished(snapshot(known))

    assert (rules(lenient.warnings), lenient.exit_code, strict.exit_code) == (["PAGE-15"], 0, 1)
    assert (rules(violated.violations), violated.exit_code) == (["LEASE-3"], 1)


def test_what_has_cut_a_run_short_is_what_makes_it_inconclusive() -> None:
    """It is said before anything else that was too little."""
    run = finished(snapshot(ended="The run was interrupted.", served={}))

    assert (run.exit_code, run.inconclusive) == (3, "The run was interrupted.")


@pytest.mark.parametrize(("lost", "exit_code"), [(20, 0), (21, 3)])
def test_a_run_that_lost_more_than_a_third_of_its_requests_proves_nothing(lost: int, exit_code: int) -> None:
    """The kind of interference that was met most often is named."""
    run = finished(snapshot(interference={"503": 1, "connection cut off": lost - 1}))

    assert run.exit_code == exit_code
    if exit_code:
        assert run.inconclusive == (
            "21 of 60 requests met no answer of the application, most often: connection cut off; "
            "--max-interference allows 33 %."
        )


@pytest.mark.parametrize(
    ("served", "declared", "why"),
    [
        ({INGRESS: 7}, {}, f"no definition was accepted ({PUT} never answered 200)"),
        ({PUT: 5}, {}, f"no work was accepted ({INGRESS} never answered 200)"),
        ({INGRESS: 7}, {"orders": 1}, None),
        ({}, {"orders": 1}, f"no work was accepted ({INGRESS} never answered 200)"),
    ],
)
def test_a_run_in_which_nothing_was_accepted_proves_nothing(
    served: dict[str, int], declared: dict[str, int], why: str | None
) -> None:
    """However polite the refusals were; where a variant is declared no definition is needed."""
    run = finished(snapshot(served=served), declared=declared)

    assert run.inconclusive == (why and f"Too little was verified: {why}.")


def test_a_run_for_single_rules_has_to_verify_each_of_them() -> None:
    """And nothing else: not even work has to be accepted."""
    only = frozenset({"LEASE-3", "PAGE-5"})
    complete = finished(snapshot(served={}), only=only)
    partial = finished(snapshot(ledger(without=frozenset({"LEASE-3"})), served={}), only=only)

    assert complete.inconclusive is None
    assert set(complete.tested) == only
    assert (partial.exit_code, partial.inconclusive) == (3, "LEASE-3 could not be verified.")
    assert partial.not_verified == {"LEASE-3": "LEASE-3 could not be verified."}


def test_a_rule_that_was_not_verified_has_the_nearest_reason() -> None:
    """Why it is in doubt, else why a sequence could not verify it, else that no answer did."""
    known = ledger(without=frozenset({"READ-2", "LEASE-3", "PAGE-5", "ING-3"}))
    known.tested["DEF-1"] = 4
    known.doubtful |= {"DEF-1": "it was broken once", "LEASE-3": "it was broken once"}
    known.masked |= {"LEASE-3": "the time was up", "PAGE-5": "the time was up"}

    run = finished(snapshot(known))

    assert run.not_verified == {
        "DEF-1": "it was broken once",
        "LEASE-3": "it was broken once",
        "PAGE-5": "the time was up; --max-time gives more",
        "ING-3": "no answer verified it",
    }
    assert "DEF-1" not in run.tested


def test_a_rule_that_a_finding_breaks_is_not_among_those_that_were_not_verified() -> None:
    """Although it was never kept."""
    known = ledger(without=frozenset({"READ-2", "LEASE-3"}))
    known.add([finding("LEASE-3")], confirmed=True)

    assert finished(snapshot(known)).not_verified == {}


def test_a_rule_that_was_not_verified_in_a_run_that_was_cut_short_says_so() -> None:
    """The sentence of the run is the reason."""
    run = finished(
        snapshot(ledger(without=frozenset({"READ-2", "LEASE-3"})), ended="The run was interrupted.")
    )

    assert run.not_verified == {"LEASE-3": "The run was interrupted."}


@pytest.mark.parametrize(
    ("expected", "missing"), [({}, set()), ({"alias": "reaches its definition"}, {"READ-2"})]
)
def test_an_expected_interpretation_has_to_be_verified(expected: dict[str, str], missing: set[str]) -> None:
    """Without one there is nothing to compare."""
    assert finished(snapshot(), expected=expected).not_verified.keys() == missing


def test_too_few_verified_rules_make_a_run_inconclusive() -> None:
    """The share that was asked for is named."""
    known = Ledger(tested=Counter(["PAGE-5", "PAGE-8"]))

    run = finished(snapshot(known), min_verified=60.0)

    assert run.exit_code == 3
    assert run.inconclusive == "Too little was verified: 3 % of the rules, and 60 % was asked for."


def test_a_finding_that_the_baseline_excuses_does_not_count() -> None:
    """Until the last day that it is excused; then it does."""
    known = ledger()
    known.add([finding()], confirmed=True)

    def judged_until(day: date) -> RunFinished:
        return finished(
            snapshot(known), baseline=(BaselineEntry(finding().id, "what broke", "me", "known", day),)
        )

    excused, expired = judged_until(date(2026, 3, 1)), judged_until(date(2026, 2, 28))

    assert (excused.exit_code, [one.state for one in excused.baseline]) == (0, ["excused"])
    assert (expired.exit_code, [one.state for one in expired.baseline]) == (1, ["expired"])


def test_an_excused_finding_is_gone_only_if_its_rule_was_verified() -> None:
    """What was not looked for may still be there."""
    entry = BaselineEntry(finding().id, "what broke", "me", "known", date(2027, 1, 1))

    [verified] = finished(snapshot(), baseline=(entry,)).baseline
    [missing] = finished(snapshot(ledger(without=frozenset({"LEASE-3"}))), baseline=(entry,)).baseline

    assert (verified.state, missing.state) == ("gone", "not verified")


def test_a_resumed_run_counts_from_its_first_part() -> None:
    """Its begin, its seconds and its requests."""
    first = replace(finished(snapshot()), started="2026-02-28T22:00:00+00:00")

    run = finished(snapshot(), before=Checkpoint(first, Progress()))

    assert (run.started, run.seconds, run.requests) == ("2026-02-28T22:00:00+00:00", 20.0, 120)


def test_a_snapshot_keeps_what_was_known_when_it_was_taken() -> None:
    """Whatever the ledger of the run learns afterwards."""
    known = ledger()
    now = snapshot(known.copy())
    known.add([finding()], confirmed=True)
    known.tested["LEASE-3"] = 0
    known.doubtful["PAGE-5"] = "it was broken once"

    run = finished(now)

    assert (run.violations, run.not_verified, run.tested["LEASE-3"]) == ((), {}, 3)


def test_a_suspicion_that_could_not_be_tried_again_is_told_beside_what_was_not_verified() -> None:
    """It is neither broken nor kept, and counts as a rule that was wanted and not verified."""
    known = ledger()
    known.suspected["LEASE-8"] = "it could not be tried again: the time was up"
    run = finished(snapshot(known))

    assert run.suspected == {"LEASE-8": "it could not be tried again: the time was up; --max-time gives more"}
    assert run.not_verified["LEASE-8"] == run.suspected["LEASE-8"]
    assert "LEASE-8" not in run.tested
    assert run.verified < 100


@pytest.mark.parametrize(
    ("rule", "strict", "code"),
    [("LEASE-8", False, 3), ("ING-7", False, 3), ("AUTH-8", False, 0), ("AUTH-8", True, 3)],
)
def test_a_run_with_a_suspicion_that_was_not_tried_again_has_not_passed(
    rule: str, strict: bool, code: int
) -> None:
    """Unless its rule is one whose breach would not fail the run."""
    known = ledger()
    known.suspected[rule] = "it could not be tried again: the time was up"

    run = finished(snapshot(known), strict=strict)

    assert run.exit_code == code
    assert run.inconclusive == (
        f"{rule} seemed to be broken, and that could not be shown again." if code else None
    )
