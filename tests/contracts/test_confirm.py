"""What stands: suspicions and findings are tried again, and count when they show again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contracts import Finding
from contracts.core.exchange import Exchange
from contracts.core.findings import Key
from contracts.core.ledger import Ledger
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.reproduction.confirm import Confirmation
from contracts.transport.interference import Interference
from contracts.transport.throttle import TimeUp
from tests.clocks import VirtualClock
from tests.contracts.runs import exchange, rules

SOURCE = "a sequence that can be played again"
SHOWS, FAILS = True, False
SENTENCE = "POST /v1/modack breaks LEASE-3: it breaks"
"""Of a suspicion."""


def modack(call: float = 5.0, **members: object) -> Exchange:
    """A modack that was refused long after anything was made."""
    return replace(exchange(MODACK, 409, body=b'{"action_record_id":"77"}'), call=call, back=call, **members)  # type: ignore[arg-type]


def suspicion(rule: str = "LEASE-3", *exchanges: Exchange, **members: object) -> Finding:
    return Finding(rule, MODACK, "It breaks", "this", "that", exchanges or (modack(),), **members)  # type: ignore[arg-type]


class FakeReplay:
    """Shows a finding, or does not, or meets what stands in the script; afterwards it does not show it."""

    def __init__(self, *script: bool | Exception, thrifty: bool = False, takes: float = 0.0) -> None:
        self.clock = VirtualClock()
        self.thrifty = thrifty
        self.explained: set[Key] = set()
        self.calls: list[str] = []
        self._script = list(script)
        self._takes = takes

    def confirm(self, finding: Finding, sequence: Sequence[Exchange]) -> Finding | None:
        return self._played("confirm", finding)

    def play(self, script: Sequence[Exchange], finding: Finding) -> Finding | None:
        return self._played("play", finding)

    def repeat(self, finding: Finding) -> Finding | None:
        return self._played("repeat", finding)

    def shrink(self, finding: Finding) -> Finding | None:
        return self._played("shrink", finding)

    def shows(self, finding: Finding) -> bool:
        return self._played("shows", finding) is not None

    def _played(self, call: str, finding: Finding) -> Finding | None:
        self.calls.append(call)
        self.clock.wait(self._takes)
        result = self._script.pop(0) if self._script else FAILS
        if isinstance(result, Exception):
            raise result
        return replace(finding, actual="again", confirmed=0, attempts=0) if result else None


def actual(ledger: Ledger) -> list[str]:
    return [finding.actual for finding in ledger.all()]


# Suspicions


def test_a_suspicion_that_shows_again_is_a_confirmed_finding() -> None:
    """With the example of the replay; it is reported once."""
    reported: list[Finding] = []
    ledger = Ledger(on_new=reported.append)
    confirmation = Confirmation(FakeReplay(SHOWS), ledger)

    assert confirmation.settle([suspicion(), suspicion()], SOURCE, [modack()]) is False
    assert actual(ledger) == ["again"]
    assert (rules(reported), list(ledger.unconfirmed)) == (["LEASE-3"], [])


def test_a_suspicion_that_does_not_show_is_left_to_a_second_run_of_its_sequence() -> None:
    """Nothing is said of its rule until then."""
    ledger = Ledger()

    assert Confirmation(FakeReplay(FAILS), ledger).settle([suspicion()], SOURCE, [modack()]) is True
    assert (ledger.all(), ledger.doubtful) == ([], {})


def test_a_suspicion_that_only_the_second_run_of_a_sequence_raises_leaves_its_rule_in_doubt() -> None:
    """It was broken once, and kept when it was tried again."""
    ledger = Ledger()
    confirmation = Confirmation(FakeReplay(), ledger)
    confirmation.settle([suspicion("LEASE-3")], SOURCE, [modack()])

    assert confirmation.settle([suspicion("ING-3")], SOURCE, [modack()], repeated=True) is False
    assert ledger.all() == []
    assert ledger.doubtful == {"ING-3": "it was broken once and kept when tried again"}


def test_what_a_sequence_shows_twice_and_no_replay_shows_is_suspected() -> None:
    """A finding would be one that its report cannot show."""
    ledger = Ledger()
    confirmation = Confirmation(FakeReplay(FAILS, FAILS), ledger)

    confirmation.settle([suspicion()], SOURCE, [modack()])
    confirmation.settle([suspicion()], SOURCE, [modack()], repeated=True)

    why = "its sequence has shown it twice, and its requests alone do not"
    assert (ledger.all(), ledger.suspected) == ([], {"LEASE-3": f"{SENTENCE}; {why}"})


def test_a_suspicion_of_a_whole_sequence_counts_when_that_has_shown_it_twice() -> None:
    """It is about all that the sequence has sent: shown one time of one."""
    ledger = Ledger()
    confirmation = Confirmation(FakeReplay(), ledger)

    confirmation.settle([suspicion(needs_sequence=True)], SOURCE, [modack()])
    confirmation.settle([suspicion(needs_sequence=True)], SOURCE, [modack()], repeated=True)

    [finding] = ledger.all()
    assert (finding.confirmed, finding.attempts, list(ledger.unconfirmed)) == (1, 1, [])


def test_a_second_sequence_is_no_proof_of_what_another_one_has_shown() -> None:
    """It has to be the same one."""
    ledger = Ledger()
    confirmation = Confirmation(FakeReplay(), ledger)
    confirmation.settle([suspicion()], SOURCE, [modack()])

    confirmation.settle([suspicion()], "another sequence", [modack()], repeated=True)

    assert ledger.all() == []


REFUSED_TOO_EARLY = (
    exchange(PUT, 200, b'{"data":{"id":"2","variant":"order.created"}}', body=b'{"variant":"order.created"}'),
    replace(exchange(INGRESS, 400, b"{}", body=b"{}"), call=1.0, back=1.0),
)


def test_what_was_refused_while_it_was_fresh_does_not_count_by_its_sequence_alone() -> None:
    """Not all of the target need have known it; the answer to its question is taken back as well."""
    hasty = suspicion("READ-1", *REFUSED_TOO_EARLY, question="unknown variant")
    unlearned: list[str] = []
    ledger = Ledger()
    confirmation = Confirmation(FakeReplay(), ledger, unlearn=unlearned.append)

    confirmation.settle([hasty], SOURCE, [modack()])
    confirmation.settle([hasty], SOURCE, [modack()], repeated=True)

    assert ledger.all() == []
    assert unlearned == ["unknown variant"] * 2


def test_a_lost_action_does_not_count_by_its_sequence_alone() -> None:
    """Another client may have settled it; so it is with what vanished control actions explain."""
    lost, explained = suspicion("ING-11"), suspicion("LEASE-6")
    ledger, replay = Ledger(), FakeReplay()
    replay.explained.add(explained.key)
    confirmation = Confirmation(replay, ledger)

    confirmation.settle([lost, explained], SOURCE, [modack()])
    confirmation.settle([lost, explained], SOURCE, [modack()], repeated=True)

    assert ledger.all() == []


def test_what_only_the_whole_sequence_shows_is_not_replayed() -> None:
    """It counts when its sequence shows it a second time."""
    whole = suspicion("LEASE-3", *REFUSED_TOO_EARLY, needs_sequence=True)
    ledger, replay = Ledger(), FakeReplay(SHOWS)
    confirmation = Confirmation(replay, ledger)

    assert confirmation.settle([whole], SOURCE, [modack()]) is True
    assert confirmation.settle([whole], SOURCE, [modack()], repeated=True) is False
    assert (rules(ledger.all()), replay.calls) == (["LEASE-3"], [])


def test_a_rule_that_another_finding_breaks_is_not_in_doubt() -> None:
    """Whatever becomes of a suspicion elsewhere."""
    ledger = Ledger()
    ledger.add([suspicion(place="attempt")], confirmed=True)

    Confirmation(FakeReplay(), ledger).settle([suspicion()], None, [modack()])

    assert ledger.doubtful == {}


def test_a_suspicion_that_the_baseline_excuses_is_kept_without_a_replay() -> None:
    """It is known, and its owner knows why."""
    ledger, replay = Ledger(), FakeReplay()

    Confirmation(replay, ledger, {suspicion().id}).settle([suspicion()], SOURCE, [modack()])

    assert (rules(ledger.all()), replay.calls) == (["LEASE-3"], [])


@pytest.mark.parametrize(
    "ledger",
    [Ledger(only=frozenset({"PAGE-5"})), Ledger()],
    ids=["its rule is not listened to", "another broken rule explains it"],
)
def test_a_suspicion_that_cannot_count_is_not_tried_again(ledger: Ledger) -> None:
    """No request is spent on it."""
    replay = FakeReplay(SHOWS)
    ledger.add([suspicion("ING-11")], confirmed=True)

    Confirmation(replay, ledger).settle([suspicion("PAGE-11")], SOURCE, [modack()])

    assert "PAGE-11" not in rules(ledger.all())
    assert replay.calls == []


def test_a_finding_that_is_known_is_not_tried_again() -> None:
    """One example is enough."""
    ledger, replay = Ledger(), FakeReplay(SHOWS)
    ledger.add([suspicion()], confirmed=True)

    assert Confirmation(replay, ledger).settle([suspicion()], SOURCE, [modack()]) is False
    assert replay.calls == []


@pytest.mark.parametrize("repeated", [False, True])
def test_suspicions_of_a_target_that_was_restarted_count_for_nothing(repeated: bool) -> None:
    """Its sequence is played again, but not a third time."""
    ledger, replay = Ledger(), FakeReplay(SHOWS)
    confirmation = Confirmation(replay, ledger, has_restarted=lambda: True)

    assert confirmation.settle([suspicion()], SOURCE, [modack()], repeated=repeated) is not repeated
    assert (ledger.all(), ledger.doubtful, replay.calls) == ([], {}, [])


def test_a_target_that_is_restarted_during_the_replay_leaves_the_rule_suspected() -> None:
    """What it lost may have been what the replay needed."""
    restarts = iter([False, True])
    ledger = Ledger()

    Confirmation(FakeReplay(SHOWS), ledger, has_restarted=lambda: next(restarts)).settle(
        [suspicion()], SOURCE, [modack()]
    )

    assert ledger.all() == []
    assert ledger.suspected == {
        "LEASE-3": f"{SENTENCE}; it could not be tried again: the target lost what it knew"
    }


def test_a_replay_that_meets_interference_is_tried_three_times() -> None:
    """The third time may show it."""
    ledger, replay = Ledger(), FakeReplay(Interference("503"), Interference("503"), SHOWS)

    Confirmation(replay, ledger).settle([suspicion()], SOURCE, [modack()])

    assert (rules(ledger.all()), replay.calls) == (["LEASE-3"], ["confirm"] * 3)


@pytest.mark.parametrize(
    ("met", "why"), [([Interference("503")] * 3, "503"), ([TimeUp()], "the time was up")], ids=str
)
def test_a_suspicion_that_could_not_be_tried_again_leaves_its_rule_suspected(
    met: list[Exception], why: str
) -> None:
    """And says what was in the way; a run without time does not ask whether the target has forgotten."""
    ledger, out_of_time = Ledger(), isinstance(met[0], TimeUp)
    confirmation = Confirmation(FakeReplay(*met), ledger, has_forgotten=lambda: out_of_time)

    assert confirmation.settle([suspicion()], SOURCE, [modack()]) is False
    assert ledger.suspected == {"LEASE-3": f"{SENTENCE}; it could not be tried again: {why}"}


@pytest.mark.parametrize(
    ("then", "broken", "doubtful"),
    [(SHOWS, ["LEASE-3"], []), (FAILS, [], ["LEASE-3"])],
    ids=["shows", "keeps"],
)
def test_a_suspicion_that_was_postponed_is_tried_when_there_is_time(
    then: bool, broken: list[str], doubtful: list[str]
) -> None:
    """Once, however often sequences raise it before; then its rule is suspected no more."""
    ledger, replay = Ledger(), FakeReplay(TimeUp(), then)
    confirmation = Confirmation(replay, ledger)
    for _ in range(5):
        confirmation.settle([suspicion()], None, [modack()])
    assert list(ledger.suspected) == ["LEASE-3"]

    confirmation.settle_postponed()

    assert (rules(ledger.all()), list(ledger.doubtful), ledger.suspected) == (broken, doubtful, {})
    assert replay.calls == ["confirm"] * 2


def test_a_suspicion_for_which_there_is_never_time_stays_one() -> None:
    """Its rule is suspected, and no reason says that it was kept."""
    ledger = Ledger()
    confirmation = Confirmation(FakeReplay(*[TimeUp()] * 5), ledger)
    confirmation.settle([suspicion()], None, [modack()])
    for _ in range(4):
        confirmation.settle_postponed()

    assert (list(ledger.suspected), ledger.doubtful) == (["LEASE-3"], {})


def test_a_target_that_forgot_everything_explains_a_suspicion() -> None:
    """Then nothing is in doubt."""
    ledger, replay = Ledger(), FakeReplay(Interference("connection refused"))

    Confirmation(replay, ledger, has_forgotten=lambda: True).settle([suspicion()], SOURCE, [modack()])

    assert (ledger.all(), ledger.doubtful, replay.calls) == ([], {}, ["confirm"])


@pytest.mark.parametrize(("waited", "kept"), [(21.0, ["LEASE-3"]), (19.0, [])])
def test_what_shows_twice_after_a_long_wait_counts_without_another_wait(
    waited: float, kept: list[str]
) -> None:
    """Twenty seconds are not waited for again."""
    late = suspicion("LEASE-3", modack(), modack(call=30.0, waited=waited))
    ledger, replay = Ledger(), FakeReplay()

    Confirmation(replay, ledger).settle([late, late], None, [modack()])

    assert (rules(ledger.all()), replay.calls) == (kept, [] if kept else ["confirm"])


@pytest.mark.parametrize(("source", "length"), [(None, 1), (SOURCE, 501)], ids=["a walk", "a long sequence"])
def test_a_sequence_is_not_played_again_where_that_is_impossible_or_too_long(
    source: str | None, length: int
) -> None:
    """The rule is in doubt at once."""
    ledger = Ledger()

    assert Confirmation(FakeReplay(), ledger).settle([suspicion()], source, [modack()] * length) is False
    assert list(ledger.doubtful) == ["LEASE-3"]


def test_a_suspicion_is_replayed_a_few_times_in_a_run_at_most() -> None:
    """However often sequences raise it."""
    replay = FakeReplay()
    confirmation = Confirmation(replay, Ledger())

    for _ in range(6):
        confirmation.settle([suspicion()], None, [modack()])

    assert replay.calls == ["confirm"] * 3


# Findings of single exchanges


def with_unconfirmed(sightings: int = 1, **members: object) -> Ledger:
    ledger = Ledger()
    ledger.add([suspicion("PAGE-5", **members)] * sightings)
    return ledger


def test_a_finding_that_a_replay_shows_is_confirmed() -> None:
    """With the example of the replay."""
    ledger = with_unconfirmed()

    Confirmation(FakeReplay(SHOWS), ledger).confirm()

    assert (actual(ledger), list(ledger.unconfirmed)) == (["again"], [])


@pytest.mark.parametrize(
    ("thrifty", "calls"),
    [(False, ["play", "repeat", "play", "play"]), (True, ["play", "play", "play"])],
)
def test_a_finding_that_does_not_show_is_repeated_once_unless_requests_are_few(
    thrifty: bool, calls: list[str]
) -> None:
    """A rare fault shows when its request is sent again and again; that takes many requests."""
    ledger, replay = with_unconfirmed(), FakeReplay(thrifty=thrifty)
    confirmation = Confirmation(replay, ledger)

    for _ in range(3):
        confirmation.confirm()

    assert replay.calls == calls
    assert len(ledger.unconfirmed) == 1


def test_a_finding_that_was_seen_often_counts_although_no_replay_shows_it() -> None:
    """Four sightings are no chance; it takes three tries to find that out."""
    ledger = with_unconfirmed(sightings=4)
    confirmation = Confirmation(FakeReplay(), ledger)

    for _ in range(3):
        assert len(ledger.unconfirmed) == 1
        confirmation.confirm()

    assert list(ledger.unconfirmed) == []


def test_a_finding_that_the_baseline_excuses_is_confirmed_without_a_replay() -> None:
    """It is known."""
    ledger, replay = with_unconfirmed(), FakeReplay()

    Confirmation(replay, ledger, {ledger.all()[0].id}).confirm()

    assert (list(ledger.unconfirmed), replay.calls) == ([], [])


def test_what_keeps_a_replay_from_being_tried_says_nothing_of_a_finding() -> None:
    """It stays unconfirmed."""
    ledger = with_unconfirmed()

    Confirmation(FakeReplay(Interference("503")), ledger).confirm()

    assert (len(ledger.all()), len(ledger.unconfirmed)) == (1, 1)


def test_a_finding_that_was_kept_when_tried_again_is_dropped_at_the_end() -> None:
    """Its rule is in doubt, and the report says why."""
    ledger = with_unconfirmed(2)
    confirmation = Confirmation(FakeReplay(), ledger)
    confirmation.confirm()

    confirmation.drop_unconfirmed()

    assert ledger.doubtful == {"PAGE-5": "it was broken 2 times, and kept when tried again"}
    assert (ledger.all(), ledger.suspected) == ([], {})


@pytest.mark.parametrize(
    ("met", "why"), [([], "the time was up"), ([Interference("503")], "503"), ([TimeUp("spent")], "spent")]
)
def test_a_finding_that_could_not_be_tried_again_leaves_its_rule_suspected_at_the_end(
    met: list[Exception], why: str
) -> None:
    """And the report says what was in the way."""
    ledger = with_unconfirmed()
    confirmation = Confirmation(FakeReplay(*met), ledger)
    if met:
        confirmation.confirm()

    confirmation.drop_unconfirmed()

    assert ledger.suspected["PAGE-5"].endswith(f"; it could not be tried again: {why}")
    assert (ledger.all(), ledger.doubtful) == ([], {})
