"""What stands at the end of a run: every finding is tried again by the example that is printed, and examples are made smaller."""

from __future__ import annotations

import pytest

from contracts.core.exchange import Exchange
from contracts.core.ledger import Ledger
from contracts.reproduction.confirm import Confirmation
from contracts.transport.interference import Interference
from contracts.transport.throttle import TimeUp
from tests.contracts.runs import rules
from tests.contracts.test_confirm import FAILS, SHOWS, FakeReplay, modack, suspicion


def confirmed_ledger(**members: object) -> Ledger:
    ledger = Ledger()
    ledger.add([suspicion("PAGE-5", **members)], confirmed=True)
    return ledger


def test_the_report_says_how_often_a_finding_showed_at_the_end() -> None:
    """Of three attempts."""
    ledger = confirmed_ledger()

    Confirmation(FakeReplay(SHOWS, FAILS, SHOWS), ledger).confirm_again()

    [finding] = ledger.all()
    assert (finding.confirmed, finding.attempts) == (2, 3)


def test_an_attempt_that_meets_interference_is_not_counted() -> None:
    """Neither for nor against the finding."""
    ledger = confirmed_ledger()

    Confirmation(FakeReplay(SHOWS, Interference("503"), TimeUp()), ledger).confirm_again()

    [finding] = ledger.all()
    assert (finding.confirmed, finding.attempts) == (1, 1)


def test_a_finding_that_never_shows_at_the_end_is_dropped_unless_it_was_seen_often() -> None:
    """Three attempts against at most three sightings."""
    seldom, often = confirmed_ledger(), confirmed_ledger()
    often.add([suspicion("PAGE-5")] * 3)

    Confirmation(FakeReplay(), seldom).confirm_again()
    Confirmation(FakeReplay(), often).confirm_again()

    assert seldom.doubtful == {"PAGE-5": "it was broken, and kept 3 times when tried again at the end"}
    assert rules(often.all()) == ["PAGE-5"]


def test_findings_are_tried_again_as_long_as_there_is_time() -> None:
    """Each attempt takes a second of two."""
    ledger, replay = confirmed_ledger(), FakeReplay(SHOWS, SHOWS, SHOWS, takes=1.0)

    Confirmation(replay, ledger).confirm_again(seconds=1.5)

    assert replay.calls == ["shows"] * 2


@pytest.mark.parametrize(
    "members",
    [{"together": 1}, {"needs_sequence": True}],
    ids=lambda one: next(iter(one)),
)
def test_what_a_replay_cannot_show_is_not_tried_at_the_end(members: dict[str, object]) -> None:
    """Nor does it count against the finding."""
    ledger, replay = confirmed_ledger(**members), FakeReplay()

    Confirmation(replay, ledger).confirm_again()

    assert (rules(ledger.all()), replay.calls) == (["PAGE-5"], [])


def test_what_shows_now_and_then_is_repeated_each_time() -> None:
    """As one request alone would seldom show it."""
    ledger, replay = confirmed_ledger(times=300), FakeReplay(SHOWS, FAILS, SHOWS)

    Confirmation(replay, ledger).confirm_again()

    [finding] = ledger.all()
    assert (replay.calls, finding.confirmed, finding.attempts) == (["repeat"] * 3, 2, 3)


def test_what_is_proof_by_itself_is_tried_again_and_kept_though_it_does_not_show() -> None:
    """A report says of each finding whether its example shows it; a server error stays one."""
    ledger, replay = Ledger(), FakeReplay(FAILS, FAILS, FAILS)
    ledger.add([suspicion("PAGE-8")])

    Confirmation(replay, ledger).confirm_again()

    [finding] = ledger.all()
    assert (finding.confirmed, finding.attempts, finding.evidence) == (0, 3, "seen once, which is proof")


def test_a_smaller_example_takes_the_place_of_the_other() -> None:
    """How often it shows is counted afterwards, with the example that is printed."""
    ledger = confirmed_ledger()

    Confirmation(FakeReplay(SHOWS), ledger).shrink(2.0)

    [finding] = ledger.all()
    assert finding.actual == "again"


def test_an_example_that_does_not_show_at_once_is_repeated_before_it_is_left_as_it_is() -> None:
    """As a rare fault may show then."""
    replay = FakeReplay()

    Confirmation(replay, confirmed_ledger()).shrink(2.0)

    assert replay.calls == ["shrink", "repeat"]


def test_examples_are_made_smaller_as_long_as_there_is_time() -> None:
    """The first one takes all of it."""
    ledger, replay = confirmed_ledger(), FakeReplay(SHOWS, SHOWS, takes=3.0)
    ledger.add([suspicion("PAGE-4")], confirmed=True)

    Confirmation(replay, ledger).shrink(2.0)

    assert replay.calls == ["shrink"]


@pytest.mark.parametrize(
    ("rule", "exchanges"),
    [("AUTH-1", (modack(),)), ("LEASE-3", (modack(), modack(call=90.0, waited=75.0)))],
    ids=["it is asked for elsewhere", "it waits"],
)
def test_an_example_that_a_quick_replay_cannot_show_is_left_as_it_is(
    rule: str, exchanges: tuple[Exchange, ...]
) -> None:
    """No request is spent on it."""
    ledger, replay = Ledger(), FakeReplay(SHOWS)
    ledger.add([suspicion(rule, *exchanges)], confirmed=True)

    Confirmation(replay, ledger).shrink(2.0)

    assert replay.calls == []
