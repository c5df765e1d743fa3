"""How fast requests may go and how many: held on a clock that the test moves."""

from __future__ import annotations

import math

import pytest

from contracts.transport.throttle import (
    Allowance,
    Limits,
    Throttle,
    TimeUp,
    seconds_until,
)
from tests.contracts.ports import VirtualClock


def throttled(**limits: float) -> tuple[Throttle, VirtualClock]:
    """A throttle, and the clock that it reads."""
    clock = VirtualClock()
    return Throttle(Limits(**limits), clock), clock  # type: ignore[arg-type]


def send(
    throttle: Throttle, clock: VirtualClock, count: int, seconds: float = 0.01, status: int = 200
) -> None:
    """So many requests, one after the other."""
    for _ in range(count):
        throttle.admit()
        clock.wait(seconds)
        throttle.answered(seconds, status)


@pytest.mark.parametrize(("rate", "count", "seconds"), [(10.0, 51, 5.0), (1.0, 6, 5.0), (math.inf, 500, 0.0)])
def test_no_more_go_in_a_second_than_the_rate_says(rate: float, count: int, seconds: float) -> None:
    """Evenly, and nothing is held up where there is no rate."""
    throttle, clock = throttled(rate=rate)
    began = clock.now()

    send(throttle, clock, count, seconds=0.0)

    assert clock.now() - began == pytest.approx(seconds)


def test_many_at_once_cost_as_much_as_one_after_the_other() -> None:
    """What comes next waits for all of them."""
    throttle, clock = throttled(rate=10.0)
    began = clock.now()
    throttle.admit(16)

    throttle.admit()

    assert clock.now() - began == pytest.approx(1.6)
    assert throttle.sent == 17


def test_a_budget_of_requests_is_kept_to_the_last_one() -> None:
    """And says that it was the budget."""
    throttle, clock = throttled(requests=3)
    send(throttle, clock, 3)

    with pytest.raises(TimeUp, match="the budget of 3 requests was used up"):
        throttle.admit()
    assert throttle.sent == 3


def test_a_reserve_is_kept_until_it_is_let_go() -> None:
    """For what comes last."""
    throttle, clock = throttled(requests=10)
    throttle.allow(Allowance(reserve=4))
    send(throttle, clock, 6)
    with pytest.raises(TimeUp):
        throttle.admit()

    throttle.allow(Allowance(reserve=0))

    send(throttle, clock, 4)
    assert throttle.left == 0


def test_a_budget_of_writes_counts_what_was_made() -> None:
    """Refusals cost nothing of it."""
    throttle, _ = throttled(writes=2)
    for made in (False, True, False, True):
        throttle.admit()
        throttle.answered(0.01, 200, made=made)

    with pytest.raises(TimeUp, match="the budget of 2 writes was used up"):
        throttle.admit()


def test_nothing_goes_when_its_turn_comes_after_the_end() -> None:
    """The clock is not slept away."""
    throttle, clock = throttled(rate=0.1)
    throttle.allow(Allowance(deadline=clock.now() + 5))
    throttle.admit()
    began = clock.now()

    with pytest.raises(TimeUp, match="the time was up"):
        throttle.admit()
    assert clock.now() == began


def test_a_limit_is_waited_for_and_then_kept() -> None:
    """After a 429 that asks for a second nothing goes for that second, and then less than before."""
    throttle, clock = throttled()
    send(throttle, clock, 20, seconds=0.04)
    refused = clock.now()

    throttle.hold(1.0)
    send(throttle, clock, 19, seconds=0.0)

    assert clock.now() - refused == pytest.approx(1.0 + 18 / 18)
    assert throttle.rate == 18


@pytest.mark.parametrize(
    ("taken", "suspected"), [(0.02, None), (0.055, None), (0.07, "slow"), (0.5, "slow"), (4.0, "slow")]
)
def test_answers_of_three_times_the_usual_time_are_suspicious(taken: float, suspected: str | None) -> None:
    """And by fifty milliseconds at least, as less is noise."""
    throttle, clock = throttled()
    send(throttle, clock, 600)

    send(throttle, clock, max(1, round(4 / taken)), seconds=taken)

    assert throttle.suspicion() == suspected


@pytest.mark.parametrize(("share", "suspected"), [(0, None), (4, None), (6, "failing"), (100, "failing")])
def test_a_share_of_server_errors_is_suspicious(share: int, suspected: str | None) -> None:
    """More than five in a hundred of the latest hundred."""
    throttle, clock = throttled()
    send(throttle, clock, 100 - share)
    send(throttle, clock, share, status=500)

    assert throttle.suspicion() == suspected


def test_one_answer_that_hesitates_is_no_reason_to_look() -> None:
    """Two are."""
    throttle, clock = throttled()
    send(throttle, clock, 100)
    send(throttle, clock, 1, seconds=1.2)
    assert throttle.suspicion() is None

    send(throttle, clock, 1, seconds=1.2)
    clock.wait(1)
    assert throttle.suspicion() == "slow"


def test_one_slow_answer_among_many_is_looked_into_and_forgotten() -> None:
    """Until as much comes again."""
    throttle, clock = throttled()
    send(throttle, clock, 100)
    send(throttle, clock, 1, seconds=3.0)
    assert throttle.suspicion() == "slow"

    throttle.relieve()
    send(throttle, clock, 1, seconds=3.0)

    assert throttle.suspicion() is None


def test_what_is_usual_is_learnt_first() -> None:
    """A target that is slow from the beginning is not slowing down."""
    throttle, clock = throttled()
    send(throttle, clock, 10, seconds=2.0)

    assert throttle.suspicion() is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    """RFC 9110 §10.2.3; what is neither asks for nothing."""
    assert seconds_until(text, 100.0) == seconds
