"""The ledger: one finding for one broken promise, with the shortest example that was met."""

from __future__ import annotations

import pytest

from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.core.ledger import Ledger
from contracts.core.rules import RULES, Severity
from contracts.phases.requests import INGRESS, MODACK, PUT

EXPLAINED_BY = {code: rule.explained_by for code, rule in RULES.items() if rule.explained_by}
"""Code → codes of the rules of which each is reason enough for it."""


def exchange(size: int = 1) -> Exchange:
    """A request of some length."""
    return Exchange("POST", "http://target/v1/modack", (), b"x" * size, 200, (), b"")


def finding(
    rule: str = "PAGE-5", operation: str = MODACK, place: str = "200 data", size: int = 1, requests: int = 1
) -> Finding:
    """A finding with an example of so many requests."""
    shown = tuple(exchange(size) for _ in range(requests))
    return Finding(rule, operation, "`data` breaks its schema", "an object", "null", shown, place)


def test_one_promise_that_is_broken_in_one_place_is_one_finding() -> None:
    """Whichever operations break it; the others are named beside it."""
    ledger = Ledger()
    ledger.add([finding(operation=one) for one in (MODACK, INGRESS, PUT, INGRESS)])

    [kept] = ledger.all()

    assert (kept.operation, kept.other_operations) == (MODACK, (INGRESS, PUT))


@pytest.mark.parametrize("other", [finding(place="200 data/a_id"), finding("PAGE-4")])
def test_another_place_or_rule_is_another_finding(other: Finding) -> None:
    """Both are told."""
    ledger = Ledger()
    ledger.add([finding(), other])

    assert len(ledger.all()) == 2


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        (finding(operation=PUT), finding(requests=2)),
        (finding(operation=PUT, size=3), finding(size=4)),
        (finding(operation=PUT, size=900), finding(size=1, requests=2)),
    ],
    ids=["fewer requests", "fewer bytes", "requests before bytes"],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_shorter_example_wins_whenever_it_comes(shorter: Finding, longer: Finding, order: int) -> None:
    """With its operation; the other one is not forgotten."""
    ledger = Ledger()
    ledger.add([shorter, longer][::order])

    [kept] = ledger.all()

    assert (kept.exchanges, kept.operation, kept.other_operations) == (shorter.exchanges, PUT, (MODACK,))


def test_a_better_example_takes_the_place_of_the_one_that_is_kept() -> None:
    """Even if it is longer: it was asked for."""
    ledger = Ledger()
    ledger.add([finding(), finding(operation=INGRESS)])

    ledger.replace_example(finding(operation=INGRESS, requests=3))

    [kept] = ledger.all()
    assert (len(kept.exchanges), kept.operation, kept.other_operations) == (3, INGRESS, (MODACK,))


@pytest.mark.parametrize("way", ["add", "add a shorter one", "put"])
def test_the_words_of_a_finding_are_few_and_hold_no_key(way: str) -> None:
    """Whatever the target answers; a key at the edge is taken out before the rest is."""
    heard: list[Finding] = []
    ledger = Ledger(on_new=heard.append, secrets={"good-key-one": "$KEY"})
    words = "x" * 290 + "good-key-one" * 1_000
    one = Finding("PAGE-5", MODACK, words, f"a\n{words}", words, (exchange(),), "200 data")
    if way == "add a shorter one":
        ledger.add([finding(size=9)])
    ledger.replace_example(one) if way == "put" else ledger.add([one], confirmed=True)

    [kept] = ledger.all()

    for text in (kept.title, kept.expected, kept.actual):
        assert "x$KEY" in text
        assert "good" not in text
        assert (len(text), len(text.splitlines())) == (300, 1)
    assert heard == ([kept] if way == "add" else heard)


def test_a_finding_is_told_once() -> None:
    """When it has shown a second time."""
    heard: list[Finding] = []
    ledger = Ledger(on_new=heard.append)
    ledger.add([finding(), finding(operation=PUT), finding(size=9)])
    assert heard == []

    ledger.confirm(finding().key)
    ledger.confirm(finding().key)

    assert heard == ledger.all()


@pytest.mark.parametrize("rule", ["PAGE-8", "RACE-1"])
def test_what_is_its_own_proof_is_told_at_once(rule: str) -> None:
    """A server error, and a history that no order explains."""
    heard: list[Finding] = []
    Ledger(on_new=heard.append).add([finding(rule)])

    assert [one.rule for one in heard] == [rule]


def test_what_does_not_show_again_does_not_stand() -> None:
    """Then nothing can be said of its rule, if nothing else has broken it."""
    ledger = Ledger()
    ledger.add([finding(), finding("PAGE-4"), finding("PAGE-4", place="elsewhere")])

    for one in (finding(), finding("PAGE-4")):
        ledger.drop(one.key, "it was kept when tried again")

    assert [(one.rule, one.place) for one in ledger.all()] == [("PAGE-4", "elsewhere")]
    assert ledger.doubtful == {"PAGE-5": "it was kept when tried again"}


def test_rules_that_nobody_asked_for_are_not_heard() -> None:
    """And a run is settled when each of the others has spoken."""
    ledger = Ledger(only=frozenset({"PAGE-4", "PAGE-5"}))
    ledger.add([finding(), finding("PAGE-1")], confirmed=True)
    assert ([one.rule for one in ledger.all()], ledger.all_found) == (["PAGE-5"], False)

    ledger.add([finding("PAGE-4")])
    assert not ledger.all_found
    ledger.confirm(finding("PAGE-4").key)

    assert ledger.all_found
    assert not Ledger().all_found


@pytest.mark.parametrize("rule", EXPLAINED_BY)
def test_what_another_broken_rule_is_reason_enough_for_is_not_said_beside_it(rule: str) -> None:
    """Whichever of them came first; alone it is said."""
    for reason in EXPLAINED_BY[rule]:
        heard: list[str] = []
        ledger = Ledger(on_new=lambda one, heard=heard: heard.append(one.rule))  # type: ignore[misc]
        ledger.add([finding(rule)], confirmed=True)
        assert [one.rule for one in (*ledger.violations, *ledger.warnings)] == [rule]

        ledger.add([finding(reason), finding(rule, place="elsewhere")], confirmed=True)

        assert rule not in [one.rule for one in (*ledger.violations, *ledger.warnings)]
        assert heard == [rule, reason]


def test_what_explains_is_a_rule_and_explains_nothing_that_explains_it() -> None:
    """Else two rules would keep each other silent."""
    assert EXPLAINED_BY.keys() <= RULES.keys()
    for rule, reasons in EXPLAINED_BY.items():
        assert reasons <= RULES.keys()
        assert rule not in reasons
        assert all(rule not in EXPLAINED_BY.get(reason, ()) for reason in reasons)


def test_a_violation_is_not_kept_silent_by_a_warning() -> None:
    """What weighs less explains nothing that weighs more."""
    for rule, reasons in EXPLAINED_BY.items():
        if RULES[rule].severity is Severity.VIOLATION:
            assert {RULES[reason].severity for reason in reasons} == {Severity.VIOLATION}


def test_findings_come_in_the_order_of_their_rules() -> None:
    """Violations and warnings apart."""
    ledger = Ledger()
    ledger.add([finding("LEASE-3"), finding("PAGE-14"), finding("AUTH-4"), finding("AUTH-9", place="x")])

    assert [one.rule for one in ledger.violations] == ["AUTH-4", "LEASE-3"]
    assert [one.rule for one in ledger.warnings] == ["PAGE-14"]


def test_what_was_not_the_application_is_forgotten() -> None:
    """First contact with something else proves nothing."""
    ledger = Ledger()
    ledger.add([finding()])
    ledger.tested["PAGE-5"] += 1
    ledger.masked["PAGE-4"] = "no"

    ledger.clear()

    assert (ledger.all(), dict(ledger.tested), ledger.masked) == ([], {}, {})


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("A 401 names no scheme", "a 401 names no scheme"),
        ("OPTIONS names nothing", "OPTIONS names nothing"),
        ("PUT answers with an older one", "PUT answers with an older one"),
        ("`data/a_id` breaks its schema", "`data/a_id` breaks its schema"),
    ],
)
def test_a_sentence_names_the_operation_and_the_rule(title: str, said: str) -> None:
    """And goes on in small letters, but for names."""
    one = Finding("AUTH-8", MODACK, title, "", "", ())

    assert one.sentence == f"POST /v1/modack breaks AUTH-8: {said}"
