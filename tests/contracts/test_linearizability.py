"""Linearizability: the checker of histories agrees with an oracle that tries every order of the calls."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.linear import (
    Held,
    Stored,
    Versioned,
    history,
)
from contracts.model.histories import REFUSED, ExplicitVersions, ImplicitVersions, Settlement
from contracts.model.linearizability import Call, HistoryVerdict, Specification, State, check_history

ADDS_ONE = ImplicitVersions(1)
PUT, INGRESS = ("put", "a"), ("ingress",)


def ok(number: int, identity: str = "d") -> tuple[str, int, str]:
    """Return the answer to an accepted put or ingress."""
    return "ok", number, identity


def during(call: float, back: float, op: Any, answer: Any, key: str = "k") -> Call:
    """Make one call that is under way from `call` to `back`."""
    return Call(key, call, back, op, answer)


def one_by_one(*calls: tuple[Any, Any]) -> list[Call]:
    """Make calls of which each is sent after the one before came back."""
    return [during(2 * at, 2 * at + 1, op, answer) for at, (op, answer) in enumerate(calls)]


def at_once(*calls: tuple[Any, Any]) -> list[Call]:
    """Make calls that all overlap."""
    return [during(0, 1, op, answer) for op, answer in calls]


def possible(calls: Sequence[Call], spec: Specification) -> bool:
    """Try every order of every choice of the calls that never came back: the oracle."""
    back = [one for one in calls if one.back < math.inf]
    lost = [one for one in calls if one.back == math.inf]
    return any(
        _in_time(order) and _explains(order, spec)
        for number in range(len(lost) + 1)
        for chosen in combinations(lost, number)
        for order in permutations([*back, *chosen])
    )


def _in_time(order: Sequence[Call]) -> bool:
    latest = -math.inf
    for one in order:
        if one.back < latest:
            return False
        latest = max(latest, one.call)
    return True


def _explains(order: Sequence[Call], spec: Specification) -> bool:
    states: set[State] = set(spec.start())
    for one in order:
        states = {after for state in states for after in spec.step(state, one.op, one.answer)}
    return bool(states)


def windows() -> st.SearchStrategy[tuple[float, float]]:
    """Draw when a call was sent and when it came back; some never do."""
    lasts = st.one_of(st.integers(0, 4), st.integers(0, 4), st.just(math.inf))
    return st.tuples(st.integers(0, 6), lasts).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))


def small(asked: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[list[Call]]:
    """Draw up to six calls; `asked` draws what is asked and answered."""

    def call(drawn: tuple[tuple[float, float], tuple[Any, Any]]) -> Call:
        (sent, back), (op, answer) = drawn
        return during(sent, back, op, None if back == math.inf else answer)

    return st.lists(st.tuples(windows(), asked).map(call), max_size=6)


NUMBERED = st.one_of(
    st.builds(ok, st.integers(1, 3), st.sampled_from(["d", "d", "e"])), st.just(REFUSED), st.none()
)
PUTS = st.tuples(st.just(PUT), NUMBERED) | st.tuples(st.just(INGRESS), NUMBERED)
STORES = st.tuples(st.just(INGRESS), NUMBERED) | st.integers(1, 4).flatmap(
    lambda number: st.tuples(
        st.just(("put", number)), st.sampled_from([ok(number), ok(number), REFUSED, None])
    )
)
SIGNALS = st.tuples(
    st.tuples(st.sampled_from(["ack", "modack"]), st.sampled_from([0, 0, 0, 1])),
    st.sampled_from(["ok", "refused", None]),
)

VERSIONS = st.builds(
    ImplicitVersions,
    st.sampled_from([0, 1, 1, None]).map(lambda step: step),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.booleans(),
)
EXPLICIT = st.builds(ExplicitVersions, st.sampled_from(["last", "highest", None]), st.sampled_from([None, 2]))
SETTLING = st.builds(Settlement, st.sampled_from(["refuse", "ok", None]))

SMALL = st.one_of(
    st.tuples(small(PUTS), VERSIONS), st.tuples(small(STORES), EXPLICIT), st.tuples(small(SIGNALS), SETTLING)
)


@settings(max_examples=400)
@given(SMALL)
def test_the_verdict_is_that_of_trying_every_order(case: tuple[list[Call], Specification]) -> None:
    """It is, for all specifications and interpretations, with calls that never came back or whose answer is not known."""
    calls, spec = case

    verdict = check_history(calls, spec)

    assert (verdict.ok, verdict.undecided) == (possible(calls, spec), False)


@settings(max_examples=200)
@given(SMALL, st.integers(0, 10))
def test_what_a_core_leaves_out_never_makes_a_history_impossible(
    case: tuple[list[Call], Specification], end: int
) -> None:
    """Neither removable groups, nor the calls after a return, nor what a relaxed specification does without."""
    calls, spec = case
    assume(check_history(calls, spec).ok)
    until = [
        one if one.back <= end else replace(one, back=math.inf, answer=None)
        for one in calls
        if one.call <= end
    ]

    assert check_history(until, spec).ok
    for lawful in (spec, spec.relaxed() or spec):
        for group in lawful.removable(calls):
            assert check_history([one for one in calls if one not in group], lawful).ok


@settings(max_examples=60)
@given(SMALL)
def test_a_core_is_impossible_and_part_of_the_history(case: tuple[list[Call], Specification]) -> None:
    """Each of its calls is one of the history, or what was known of that call at the time."""
    calls, spec = case
    verdict = check_history(calls, spec)
    assume(not verdict.ok)

    assert not possible(verdict.core, spec)
    assert {(one.call, one.op) for one in verdict.core} <= {(one.call, one.op) for one in calls}


def test_a_thousand_correct_histories_raise_no_alarm() -> None:
    """Sixteen clients send them, and some of their calls get no answer; the interpretations are known or not."""
    for seed in range(250):
        chance = random.Random(seed)
        for server, specs in (
            (Versioned(), [ADDS_ONE, ImplicitVersions(1, keeps_id=True), ImplicitVersions(None)]),
            (Stored(), [ExplicitVersions("last"), ExplicitVersions()]),
            (Stored(highest=True), [ExplicitVersions("highest"), ExplicitVersions()]),
            (Held(), [Settlement("refuse"), Settlement()]),
        ):
            calls = history(server, seed, 80, keys=chance.choice([1, 3]), unanswered=chance.choice([0, 0.1]))
            assert check_history(calls, chance.choice(specs)) == HistoryVerdict()


@settings(max_examples=30)
@given(st.integers(0), st.integers(2, 20))
def test_a_lost_update_is_found_and_shown_by_two_puts(seed: int, at: int) -> None:
    """Both answer the same version, and nothing else is needed to show it."""
    server = Versioned(lost={0: at})
    calls = history(server, seed, 80, unanswered=0)
    assume(server.puts.get(0, 0) >= at)

    verdict = check_history(calls, ADDS_ONE)

    assert (verdict.ok, verdict.key, len(verdict.core)) == (False, 0, 2)
    one, other = verdict.core
    assert one.answer[1] >= other.answer[1] if one.back < other.call else one.answer == other.answer


@settings(max_examples=30)
@given(st.integers(0), st.data())
def test_a_duplicate_version_is_found(seed: int, data: st.DataObject) -> None:
    """A put answers what another put answered."""
    calls = history(Versioned(), seed, 80, unanswered=0)
    puts = [one for one in calls if one.op[0] == "put"]
    one, other = data.draw(st.sampled_from(list(combinations(puts, 2))))

    changed = [replace(call, answer=one.answer) if call is other else call for call in calls]

    assert not check_history(changed, ADDS_ONE).ok


@settings(max_examples=30)
@given(st.integers(0), st.data())
def test_a_stale_read_after_the_write_returned_is_found(seed: int, data: st.DataObject) -> None:
    """An ingress that was sent after a put came back uses the version before it."""
    calls = history(Versioned(), seed, 80, unanswered=0)
    put = data.draw(st.sampled_from([one for one in calls if one.op[0] == "put" and one.answer[1] > 1]))
    later = math.nextafter(put.back, math.inf)
    stale = Call(0, later, later + data.draw(st.floats(0, 1)), INGRESS, ok(put.answer[1] - 1))

    verdict = check_history([*calls, stale], ADDS_ONE)

    assert not verdict.ok
    assert len(verdict.core) == 2


@settings(max_examples=30)
@given(st.integers(0), st.booleans(), st.data())
def test_a_stale_read_of_an_explicit_version_is_found(seed: int, highest: bool, data: st.DataObject) -> None:
    """It uses a number that had been replaced when it was sent."""
    calls = history(Stored(highest=highest), seed, 80, unanswered=0)
    puts = [one for one in calls if one.op[0] == "put"]
    pairs = [(one, other) for one in puts for other in puts if one.back < other.call]
    if highest:
        pairs = [(one, other) for one in puts for other in puts if one.op[1] < other.op[1]]
    old, new = data.draw(st.sampled_from(pairs))
    later = math.nextafter(new.back, math.inf)
    stale = Call(0, later, later + data.draw(st.floats(0, 1)), INGRESS, old.answer)

    assert not check_history([*calls, stale], ExplicitVersions("highest" if highest else "last")).ok


@settings(max_examples=30)
@given(st.integers(0), st.sampled_from(["refuse", None]), st.data())
def test_a_modack_accepted_after_an_ack_returned_is_found(
    seed: int, interpretation: Any, data: st.DataObject
) -> None:
    """Two calls show it: a modack that was accepted, and a call that shows that the action was not held any more."""
    calls = history(Held(), seed, 80, unanswered=0.05)
    acks = [one for one in calls if one.op == ("ack", 0) and one.answer == "ok"]
    assume(acks)
    later = math.nextafter(acks[0].back, math.inf)
    modack = Call(0, later, later + data.draw(st.floats(0, 1)), ("modack", 0), "ok")

    verdict = check_history([*calls, modack], Settlement(interpretation))

    assert not verdict.ok
    assert len(verdict.core) == 2
    assert (verdict.core[1].op, verdict.core[1].answer) == (("modack", 0), "ok")


@pytest.mark.parametrize(
    ("spec", "calls", "lawful"),
    [
        (ADDS_ONE, [(PUT, ok(1)), (PUT, ok(2)), (INGRESS, ok(2))], True),
        (ADDS_ONE, [(PUT, ok(2))], False),
        (ADDS_ONE, [(PUT, ok(1)), (PUT, ok(3))], False),
        (ADDS_ONE, [(PUT, ok(1)), (PUT, ok(1))], False),
        (ADDS_ONE, [(PUT, ok(1)), (PUT, REFUSED), (INGRESS, ok(1))], True),
        (ADDS_ONE, [(INGRESS, REFUSED), (PUT, ok(1)), (INGRESS, ok(1))], True),
        (ADDS_ONE, [(PUT, ok(1)), (INGRESS, REFUSED)], False),
        (ADDS_ONE, [(INGRESS, ok(1)), (PUT, ok(1))], False),
        (ADDS_ONE, [(PUT, ok(1)), (PUT, None), (INGRESS, ok(2))], True),
        (ADDS_ONE, [(PUT, ok(1)), (PUT, None), (INGRESS, ok(1))], True),
        (ADDS_ONE, [(PUT, ok(1)), (PUT, None), (INGRESS, ok(3))], False),
        (ImplicitVersions(1, version=7), [(INGRESS, ok(7)), (PUT, ok(8))], True),
        (ImplicitVersions(0), [(PUT, ok(1)), (PUT, ok(1)), (INGRESS, ok(1))], True),
        (ImplicitVersions(0), [(PUT, ok(1)), (PUT, ok(2))], False),
        (ImplicitVersions(None), [(PUT, ok(1)), (PUT, ok(1)), (PUT, ok(2))], True),
        (ImplicitVersions(None), [(PUT, ok(1)), (PUT, ok(2)), (INGRESS, ok(1))], False),
        (ADDS_ONE, [(PUT, ok(1, "d")), (PUT, ok(2, "e")), (INGRESS, ok(2, "f"))], True),
        (ImplicitVersions(1, keeps_id=True), [(PUT, ok(1, "d")), (INGRESS, ok(1, "e"))], False),
        (ExplicitVersions("last"), [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(3))], True),
        (ExplicitVersions("last"), [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(7))], False),
        (ExplicitVersions("highest"), [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(7))], True),
        (ExplicitVersions("highest"), [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(3))], False),
        (ExplicitVersions(), [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(3))], True),
        (ExplicitVersions(), [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(5))], False),
        (
            ExplicitVersions(),
            [(("put", 7), ok(7)), (("put", 3), ok(3)), (INGRESS, ok(3)), (INGRESS, ok(7))],
            False,
        ),
        (ExplicitVersions("last"), [(("put", 7), ok(8))], False),
        (ExplicitVersions("last"), [(("put", n), ok(n)) for n in (7, 3, 7)] + [(INGRESS, ok(7))], True),
        (
            ExplicitVersions("last", version=7),
            [(INGRESS, ok(7)), *[(("put", n), ok(n)) for n in (3, 7)], (INGRESS, ok(7))],
            True,
        ),
        (ExplicitVersions("last", version=2), [(INGRESS, ok(2)), (("put", 7), None), (INGRESS, ok(7))], True),
        (ExplicitVersions("last"), [(INGRESS, REFUSED), (("put", 7), REFUSED), (INGRESS, REFUSED)], True),
        (Settlement("refuse"), [(("modack", 0), "ok"), (("ack", 0), "ok"), (("ack", 0), "refused")], True),
        (Settlement("refuse"), [(("ack", 0), "ok"), (("ack", 0), "ok")], False),
        (Settlement("ok"), [(("ack", 0), "ok"), (("ack", 0), "ok"), (("modack", 0), "refused")], True),
        (Settlement("ok"), [(("ack", 0), "ok"), (("ack", 0), "refused")], False),
        (Settlement(), [(("ack", 0), "ok"), (("ack", 0), "refused"), (("ack", 0), "ok")], True),
        (Settlement(), [(("ack", 0), "ok"), (("modack", 0), "ok")], False),
        (Settlement("refuse"), [(("modack", 1), "refused"), (("modack", 0), "ok")], True),
        (Settlement(), [(("ack", 1), "ok")], False),
        (
            Settlement("ok"),
            [(("ack", 0), "refused"), (("modack", 0), "refused"), (("ack", 0), "refused")],
            True,
        ),
        (Settlement("ok"), [(("ack", 0), "refused"), (("ack", 0), "ok")], False),
        (Settlement(), [(("modack", 0), "refused"), (("modack", 0), "ok")], False),
    ],
)
def test_what_may_be_answered_one_by_one(
    spec: Specification, calls: list[tuple[Any, Any]], lawful: bool
) -> None:
    """Each specification is tried without any concurrency."""
    assert check_history(one_by_one(*calls), spec).ok == lawful


def test_calls_that_overlap_may_have_been_in_either_order() -> None:
    """Calls of equal times overlap too."""
    two_puts = at_once((PUT, ok(2)), (PUT, ok(1)))
    touching = [during(0, 1, PUT, ok(2)), during(1, 2, PUT, ok(1))]

    assert check_history(two_puts, ADDS_ONE).ok
    assert check_history(touching, ADDS_ONE).ok
    assert not check_history([during(0, 1, PUT, ok(2)), during(1.5, 2, PUT, ok(1))], ADDS_ONE).ok


def test_a_call_without_an_answer_may_have_its_effect_at_any_later_time() -> None:
    """It may also have none; it has none before it was sent, and never two."""
    lost = during(0, math.inf, PUT, None)
    reads = [during(10, 11, INGRESS, REFUSED), during(12, 13, INGRESS, ok(1))]

    assert check_history([lost, *reads], ADDS_ONE).ok
    assert check_history([lost, reads[0]], ADDS_ONE).ok
    assert not check_history([replace(lost, call=14), *reads], ADDS_ONE).ok
    assert not check_history([lost, *reads, during(14, 15, INGRESS, ok(2))], ADDS_ONE).ok


def test_keys_are_independent_and_the_impossible_one_with_the_fewest_calls_is_named() -> None:
    """The order of the calls does not matter."""
    good = [replace(one, key="good") for one in one_by_one((PUT, ok(1)))]
    bad = [replace(one, key="bad") for one in one_by_one((PUT, ok(1)), (PUT, ok(1)))]
    worse = [replace(one, key="worse") for one in one_by_one((PUT, ok(1)), (PUT, ok(1)), (PUT, ok(1)))]

    assert check_history([*worse, *bad, *good], ADDS_ONE).key == "bad"
    assert check_history([*good, *bad[:1]], ADDS_ONE) == HistoryVerdict()


def test_a_core_keeps_the_puts_that_a_wrong_read_needs() -> None:
    """A version that no put made shows only beside all puts; reads and what came later are left out."""
    calls = one_by_one((PUT, ok(1)), (INGRESS, ok(1)), (PUT, ok(2)), (INGRESS, ok(3)), (PUT, ok(4)))

    verdict = check_history(calls, ADDS_ONE)

    assert verdict.core == (calls[0], calls[2], calls[3])


def test_a_core_leaves_out_a_put_only_with_all_that_read_its_number() -> None:
    """A stale read is shown with the put of its number and the put that replaced it."""
    stored = [(("put", number), ok(number)) for number in (5, 7, 6, 3)]
    calls = one_by_one(*stored[:2], (INGRESS, ok(7)), *stored[2:], (INGRESS, ok(3)), (INGRESS, ok(7)))

    verdict = check_history(calls, ExplicitVersions("last"))

    assert [one.op[0] for one in verdict.core] == ["put", "put", "ingress"]
    assert verdict.core[::2] == (calls[1], calls[-1])


def test_a_core_does_not_know_the_later_answers_of_calls_under_way() -> None:
    """A put that might explain the read stays in it, as a call that was never answered."""
    slow = during(0, 9, PUT, ok(1))

    verdict = check_history([slow, during(1, 2, INGRESS, ok(2)), during(10, 11, PUT, ok(3))], ADDS_ONE)

    assert verdict.core == (replace(slow, back=math.inf, answer=None), during(1, 2, INGRESS, ok(2)))


def test_an_unfinished_search_accuses_nobody() -> None:
    """Another key that is impossible within the budget is still found."""
    hard = [replace(one, key="hard") for one in history(Versioned(lost={0: 20}), 1, 200, unanswered=0)]
    easy = one_by_one((PUT, ok(1)), (PUT, ok(1)))

    assert check_history(hard, ADDS_ONE, budget=10) == HistoryVerdict(undecided=True)
    assert not check_history(hard, ADDS_ONE).ok
    assert check_history([*hard, *easy], ADDS_ONE, budget=10).key == "k"


@pytest.mark.parametrize(
    ("server", "spec", "impossible"),
    [
        (Versioned(), ADDS_ONE, False),
        (Versioned(lost={0: 900}), ADDS_ONE, True),
        (Stored(), ExplicitVersions("last"), False),
        (Stored(lost={0: 900}, highest=True), ExplicitVersions("highest"), True),
        (Held(), Settlement("refuse"), False),
        (Held(lost={0: 1}), Settlement("refuse"), True),
    ],
)
def test_two_thousand_calls_of_sixteen_clients_on_one_key_are_decided(
    server: Versioned | Stored | Held, spec: Specification, impossible: bool
) -> None:
    """The budget is enough, and a few calls show what is impossible."""
    verdict = check_history(history(server, 1, 2_000), spec)

    assert (verdict.ok, verdict.undecided) == (not impossible, False)
    assert len(verdict.core) <= 4


def test_puts_without_an_answer_do_not_multiply_the_search() -> None:
    """It matters how many of them had an effect, not which."""
    lost = [during(0, math.inf, ("put", marker), None) for marker in range(40)]

    assert check_history([*lost, during(1, 2, INGRESS, ok(40))], ADDS_ONE, budget=1_000) == HistoryVerdict()
    assert not check_history([*lost, during(1, 2, INGRESS, ok(41))], ADDS_ONE, budget=1_000).ok


class Lamp(Specification):
    """Either of two switches turns it on; the next one that is used shows which it was."""

    def start(self) -> list[State]:
        return ["off"]

    def step(self, state: Any, op: Any, answer: Any) -> list[State]:
        if op == "look":
            return [state] if state == answer else []
        return ["on" if state == "off" else op]


@pytest.mark.parametrize("second", ["left", "right"])
def test_any_specification_with_a_start_and_a_step_can_be_judged(second: str) -> None:
    """Calls without an answer that are of different kinds are tried in every order."""
    lost = [during(0, math.inf, op, None) for op in ("left", "right")]
    looks = [during(1, 2, "look", "on"), during(3, 4, "look", second)]

    assert check_history([*lost, *looks], Lamp()) == HistoryVerdict()
    assert check_history([lost[0], *looks], Lamp()).core == (lost[0], *looks)


def test_an_empty_history_is_possible() -> None:
    """So is one in which no call came back."""
    assert check_history([], ADDS_ONE) == HistoryVerdict()
    assert check_history([during(0, math.inf, PUT, None)], ADDS_ONE) == HistoryVerdict()
