"""The ledger keeps each broken rule at one place once, with the smallest example that was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.core.exchange import Exchange
from contracts.core.findings import Breach, Finding, finding_of
from contracts.core.ledger import Ledger
from contracts.core.rules import RULES, Severity
from contracts.phases.requests import INGRESS, MODACK
from tests.contracts.runs import exchange as answered

EXPLAINED_BY = {code: rule.explained_by for code, rule in RULES.items() if rule.explained_by}
"""Code → codes of the rules of which each is reason enough for it."""


def exchange(size: int = 1) -> Exchange:
    """Return an exchange whose request has a body of `size` bytes."""
    return Exchange("POST", "http://target/v1/modack", (), b"x" * size, 200, (), b"")


def finding(
    rule: str = "PAGE-5", operation: str = MODACK, place: str = "200 data", size: int = 1, requests: int = 1
) -> Finding:
    """Return a finding with an example of `requests` requests, each with a body of `size` bytes."""
    shown = tuple(exchange(size) for _ in range(requests))
    return Finding(rule, operation, "`data` breaks its schema", "an object", "null", shown, place)


def test_one_rule_broken_at_one_operation_in_one_way_is_one_finding() -> None:
    """However often it is seen."""
    ledger = Ledger()
    ledger.add([finding(), finding()])

    assert len(ledger.all()) == 1


@pytest.mark.parametrize(
    "other",
    [
        finding(place="200 data/a_id"),
        finding("PAGE-4"),
        finding(operation=INGRESS),
        replace(finding(), fault="of type string"),
        replace(finding(), title="`data` is absent"),
    ],
    ids=["place", "rule", "operation", "fault", "title"],
)
def test_another_rule_operation_or_fault_is_another_finding(other: Finding) -> None:
    """The ledger keeps both, and their ids differ."""
    ledger = Ledger()
    ledger.add([finding(), other])

    assert len({one.id for one in ledger.all()}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            replace(finding(), title="Attempt 3 is extended"),
            replace(finding(), title="Attempt 12 is extended"),
        ),
        (replace(finding(), title='It is "a"'), replace(finding(), title='It is "b"')),
        (finding(place="200 data/0/a"), finding(place="200 data/17/a")),
        (replace(finding(), fault="x", title="a"), replace(finding(), fault="x", title="b")),
        (finding(), replace(finding(), expected="7", actual="8")),
    ],
    ids=["numbers", "values", "positions", "a fault that is said", "what was expected"],
)
def test_what_differs_from_run_to_run_is_no_part_of_an_id(one: Finding, other: Finding) -> None:
    """Else a baseline would excuse a finding in one run only."""
    assert one.id == other.id


def test_a_path_that_fits_no_template_has_no_name_of_the_run() -> None:
    """Names are random, and an id is the same in each run."""
    labels = {
        finding_of(Breach("HTTP-5", "t", "e", "a"), replace(exchange(), url=f"http://h{path}"), ()).operation
        for path in ("/v1/ingress/contract.1a2b3c4d.v1/x", "/v1/ingress/contract.ci-2.v77/x")
    }

    assert labels == {"POST /v1/ingress/{variant}/x"}


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        (finding(), finding(requests=2)),
        (finding(size=3), finding(size=4)),
        (finding(size=900), finding(size=1, requests=2)),
    ],
    ids=["fewer requests", "fewer bytes", "requests before bytes"],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_smaller_example_is_kept_whichever_comes_first(
    shorter: Finding, longer: Finding, order: int
) -> None:
    """So that a reader has the least to send."""
    ledger = Ledger()
    ledger.add([shorter, longer][::order])

    [kept] = ledger.all()

    assert kept.exchanges == shorter.exchanges


def test_an_example_can_be_replaced_by_a_larger_one() -> None:
    """Where the caller asks for it."""
    ledger = Ledger()
    ledger.add([finding()])

    ledger.replace_example(finding(requests=3))

    [kept] = ledger.all()
    assert len(kept.exchanges) == 3


@pytest.mark.parametrize("way", ["add", "add a shorter one", "put"])
def test_the_words_of_a_finding_are_one_short_line_without_keys(way: str) -> None:
    """Whatever the target answers; keys are replaced before the text is cut, so that none is cut in two."""
    heard: list[Finding] = []
    ledger = Ledger(on_new=heard.append, secrets={"good-key-one": "$KEY"})
    words = "x" * 290 + "good-key-one" * 1_000
    one = Finding("PAGE-5", MODACK, words, f"a\n{words}", words, (exchange(),), "200 data", fault="an object")
    if way == "add a shorter one":
        ledger.add([replace(finding(size=9), fault="an object")])
    ledger.replace_example(one) if way == "put" else ledger.add([one], confirmed=True)

    [kept] = ledger.all()

    for text in (kept.title, kept.expected, kept.actual):
        assert "x$KEY" in text
        assert "good" not in text
        assert (len(text), len(text.splitlines())) == (300, 1)
    assert heard == ([kept] if way == "add" else heard)


def test_a_finding_is_reported_once() -> None:
    """When it is confirmed for the first time."""
    heard: list[Finding] = []
    ledger = Ledger(on_new=heard.append)
    ledger.add([finding(), finding(), finding(size=9)])
    assert heard == []

    ledger.confirm(finding().key)
    ledger.confirm(finding().key)

    assert heard == ledger.all()


@pytest.mark.parametrize("rule", ["PAGE-8", "RACE-1"])
def test_a_rule_whose_sighting_is_proof_is_reported_at_once(rule: str) -> None:
    """A server error, and a history of concurrent calls that no order explains."""
    heard: list[Finding] = []
    Ledger(on_new=heard.append).add([finding(rule)])

    assert [one.rule for one in heard] == [rule]


def test_a_finding_that_was_not_confirmed_is_dropped() -> None:
    """Its rule is then doubtful, unless another finding breaks it."""
    ledger = Ledger()
    ledger.add([finding(), finding("PAGE-4"), finding("PAGE-4", place="elsewhere")])

    for one in (finding(), finding("PAGE-4")):
        ledger.drop(one.key, "it was kept when tried again")

    assert [(one.rule, one.place) for one in ledger.all()] == [("PAGE-4", "elsewhere")]
    assert ledger.doubtful == {"PAGE-5": "it was kept when tried again"}


def test_findings_of_rules_that_were_not_asked_for_are_left_out() -> None:
    """All is found when each rule that was asked for has a confirmed finding."""
    ledger = Ledger(only=frozenset({"PAGE-4", "PAGE-5"}))
    ledger.add([finding(), finding("PAGE-1")], confirmed=True)
    assert ([one.rule for one in ledger.all()], ledger.all_found) == (["PAGE-5"], False)

    ledger.add([finding("PAGE-4")])
    assert not ledger.all_found
    ledger.confirm(finding("PAGE-4").key)

    assert ledger.all_found
    assert not Ledger().all_found


@pytest.mark.parametrize("rule", EXPLAINED_BY)
def test_a_finding_that_another_broken_rule_explains_is_left_out(rule: str) -> None:
    """Whichever of the two came first; alone it is reported."""
    for reason in EXPLAINED_BY[rule]:
        heard: list[str] = []
        ledger = Ledger(on_new=lambda one, heard=heard: heard.append(one.rule))  # type: ignore[misc]
        ledger.add([finding(rule)], confirmed=True)
        assert [one.rule for one in (*ledger.violations, *ledger.warnings)] == [rule]

        ledger.add([finding(reason), finding(rule, place="elsewhere")], confirmed=True)

        assert rule not in [one.rule for one in (*ledger.violations, *ledger.warnings)]
        assert heard == [rule, reason]


def test_no_two_rules_explain_each_other() -> None:
    """Else a deployment that breaks both would get neither finding."""
    assert EXPLAINED_BY.keys() <= RULES.keys()
    for rule, reasons in EXPLAINED_BY.items():
        assert reasons <= RULES.keys()
        assert rule not in reasons
        assert all(rule not in EXPLAINED_BY.get(reason, ()) for reason in reasons)


def test_a_warning_explains_no_violation() -> None:
    """Else a broken rule of more weight would be left out."""
    for rule, reasons in EXPLAINED_BY.items():
        if RULES[rule].severity is Severity.VIOLATION:
            assert {RULES[reason].severity for reason in reasons} == {Severity.VIOLATION}


def test_findings_come_in_the_order_of_their_rules() -> None:
    """Violations and warnings each for themselves."""
    ledger = Ledger()
    ledger.add([finding("LEASE-3"), finding("PAGE-14"), finding("AUTH-4"), finding("AUTH-9", place="x")])

    assert [one.rule for one in ledger.violations] == ["AUTH-4", "LEASE-3"]
    assert [one.rule for one in ledger.warnings] == ["PAGE-14"]


def test_a_cleared_ledger_has_nothing_left() -> None:
    """As the answers so far were not the application's."""
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
    """The title goes on in lower case, but for names such as PUT."""
    one = Finding("AUTH-8", MODACK, title, "", "", ())

    assert one.sentence == f"POST /v1/modack breaks AUTH-8: {said}"


@pytest.mark.parametrize(
    ("status", "answer", "media", "said"),
    [
        (400, b'{"errors":[]}', "application/json", "the application, as the answer is its envelope"),
        (200, b'{"data":1}', "application/json", "the application, as the answer is its envelope"),
        (400, b'{"message":"m"}', "application/json", "the answer (application/json) is not the envelope"),
        (404, b"<html>", "text/html", "the answer (text/html) is not the envelope"),
        (404, b"", None, "the answer (no content-type) is not the envelope"),
        (0, b"", None, "no answer came, and others got one"),
    ],
)
def test_a_finding_says_which_part_of_a_deployment_answered(
    status: int, answer: bytes, media: str | None, said: str
) -> None:
    """As far as the answer tells."""
    last = answered(MODACK, status, answer, media=media)

    assert Finding("PAGE-8", MODACK, "", "", "", (last,)).responsible.endswith(said)
