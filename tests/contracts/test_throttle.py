"""How fast requests may go, how many, and until when; on a clock that the test moves."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import contracts
from contracts.transport.throttle import (
    Allowance,
    Cancellation,
    Limits,
    Throttle,
    TimeUp,
    seconds_until,
)
from tests.clocks import VirtualClock


def throttled(**limits: float) -> tuple[Throttle, VirtualClock]:
    """A throttle, and the clock that it reads."""
    clock = VirtualClock()
    return Throttle(Limits(**limits), clock), clock  # type: ignore[arg-type]


def send(
    throttle: Throttle, clock: VirtualClock, count: int, seconds: float = 0.01, status: int = 200
) -> None:
    """Send `count` requests, one after the other, each of which takes so many seconds."""
    for _ in range(count):
        throttle.admit()
        clock.wait(seconds)
        throttle.answered(seconds, status)


@pytest.mark.parametrize(("rate", "count", "seconds"), [(10.0, 51, 5.0), (1.0, 6, 5.0), (math.inf, 500, 0.0)])
def test_no_more_go_in_a_second_than_the_rate_says(rate: float, count: int, seconds: float) -> None:
    """They go at even intervals; without a rate none waits."""
    throttle, clock = throttled(rate=rate)
    began = clock.now()

    send(throttle, clock, count, seconds=0.0)

    assert clock.now() - began == pytest.approx(seconds)


def test_a_volley_takes_as_much_of_the_rate_as_its_requests_one_by_one() -> None:
    """The next request waits as long as for all of them."""
    throttle, clock = throttled(rate=10.0)
    began = clock.now()
    throttle.admit(16)

    throttle.admit()

    assert clock.now() - began == pytest.approx(1.6)
    assert throttle.sent == 17


def test_a_budget_of_requests_can_be_used_to_the_last_one() -> None:
    """The budget is named as the reason that no more may go."""
    throttle, clock = throttled(requests=3)
    send(throttle, clock, 3)

    with pytest.raises(TimeUp, match="the budget of 3 requests was used up"):
        throttle.admit()
    assert throttle.sent == 3


def test_a_reserve_is_left_to_a_later_part_of_the_run() -> None:
    """Which may use it to the last request."""
    throttle, clock = throttled(requests=10)
    throttle.allow(Allowance(reserve=4))
    send(throttle, clock, 6)
    with pytest.raises(TimeUp):
        throttle.admit()

    throttle.allow(Allowance(reserve=0))

    send(throttle, clock, 4)
    assert throttle.left == 0


def test_a_budget_of_writes_counts_definitions_and_actions() -> None:
    """Requests that made neither cost nothing of it."""
    throttle, _ = throttled(writes=2)
    for made in (False, True, False, True):
        throttle.admit()
        throttle.answered(0.01, 200, made=made)

    with pytest.raises(TimeUp, match="the budget of 2 writes was used up"):
        throttle.admit()


def test_a_request_whose_turn_comes_after_the_deadline_is_refused_at_once() -> None:
    """Nothing waits for a turn that will not come."""
    throttle, clock = throttled(rate=0.1)
    throttle.allow(Allowance(deadline=clock.now() + 5))
    throttle.admit()
    began = clock.now()

    with pytest.raises(TimeUp, match="the time was up"):
        throttle.admit()
    assert clock.now() == began


def test_a_request_that_a_limit_holds_back_beyond_the_deadline_is_refused_at_once() -> None:
    """The limit is named, and not the time; what goes after it is not blamed on it any more."""
    throttle, clock = throttled()
    throttle.allow(Allowance(deadline=clock.now() + 5))
    throttle.hold(60.0)
    with pytest.raises(TimeUp, match="the target lets nothing more go before the time is up"):
        throttle.admit()
    assert clock.now() == 0.0

    throttle.allow(Allowance(deadline=clock.now() + 70))
    throttle.admit()
    throttle.allow(Allowance(deadline=clock.now()))
    with pytest.raises(TimeUp, match="the time was up"):
        throttle.admit()


@pytest.mark.parametrize(("seconds", "waited"), [(5.0, True), (5.1, False)])
def test_no_wait_goes_past_the_deadline(seconds: float, waited: bool) -> None:
    """One that would is not begun, so that the time may be used for something else."""
    throttle, clock = throttled()
    throttle.allow(Allowance(deadline=clock.now() + 5.0))

    try:
        throttle.pause(seconds)
    except TimeUp:
        assert not waited
    assert clock.now() == (5.0 if waited else 0.0)


def test_nothing_else_in_the_judge_waits() -> None:
    """A target whose clock is moved is not waited for."""
    root = Path(contracts.__file__).parent
    waiting = {
        f"{file.parent.name}/{file.name}"
        for file in root.rglob("*.py")
        if any(word in file.read_text("utf-8") for word in ("clock.wait(", "time.sleep("))
    }

    assert waiting == {f"transport/{name}.py" for name in ("throttle", "client", "clock")} | {
        "reports/generated_test_runtime.py"
    }


def test_a_run_that_is_cancelled_waits_no_longer() -> None:
    """Than a second."""
    cancellation = Cancellation()

    class Interrupted(VirtualClock):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            if len(self.waits) == 3:
                cancellation.cancel(self.now(), "the run was interrupted")

    clock = Interrupted()

    with pytest.raises(TimeUp, match="the run was interrupted"):
        Throttle(Limits(), clock, cancellation).pause(3_600.0)
    assert clock.waits == [1.0, 1.0, 1.0]


def test_a_limit_is_waited_for_and_then_kept() -> None:
    """After a 429 that asks for a second nothing goes for that second, and then fewer requests than before."""
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
    """And by fifty milliseconds at least, as a smaller difference is noise."""
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
    """Two answers are."""
    throttle, clock = throttled()
    send(throttle, clock, 100)
    send(throttle, clock, 1, seconds=1.2)
    assert throttle.suspicion() is None

    send(throttle, clock, 1, seconds=1.2)
    clock.wait(1)
    assert throttle.suspicion() == "slow"


def test_one_slow_answer_among_many_is_looked_into_and_forgotten() -> None:
    """Another one is no reason to look again."""
    throttle, clock = throttled()
    send(throttle, clock, 100)
    send(throttle, clock, 1, seconds=3.0)
    assert throttle.suspicion() == "slow"

    throttle.relieve()
    send(throttle, clock, 1, seconds=3.0)

    assert throttle.suspicion() is None


def test_no_answer_is_slow_before_the_usual_time_is_known() -> None:
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
    """RFC 9110 §10.2.3; a value that is neither asks for nothing."""
    assert seconds_until(text, 100.0) == seconds


def test_a_long_wait_is_told_with_what_is_waited_for() -> None:
    """A rate limit of the target, or whatever else the caller names; a short wait is not told."""
    told: list[tuple[float, str]] = []
    clock = VirtualClock()
    throttle = Throttle(Limits(rate=10.0), clock, waiting=lambda seconds, why: told.append((seconds, why)))

    send(throttle, clock, 20)
    throttle.hold(30.0)
    throttle.admit()
    throttle.pause(75.0, "a lease to run out")
    throttle.pause(1.0, "a lease to run out")

    assert told == [(pytest.approx(30.0), "the target's rate limit"), (75.0, "a lease to run out")]
