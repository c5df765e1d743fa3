"""Targets that are slow to start, to answer, to learn, or to let anything go: each is judged, or the flag that helps is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response
from werkzeug.http import http_date

from contracts import RunFinished
from tests.clocks import VirtualClock
from tests.contracts.disturbed import disturbed
from tests.contracts.runs import URL, judged_in_process
from tests.mutants import ConformingServer
from tests.mutants.foreign import always, now_and_then, page
from tests.mutants.interferences import Arrival, Interference

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


FAR = 0.25
"""Seconds to a target and back: so much that a run sends few requests."""

# A rate limit at first contact


def limited_at_first(clock: VirtualClock, seconds: float, ahead: float | None = None) -> Interference:
    """Refuse everything for some seconds; `ahead`: Retry-After is a date of a clock that is so many seconds ahead."""
    began = clock.unix_time()

    def refuse(arrival: Arrival) -> Response | None:
        left = began + seconds - arrival.at
        if left <= 0:
            return None
        headers = {"Retry-After": str(int(left + 1))}
        if ahead is not None:
            theirs = arrival.at + ahead
            headers = {"Retry-After": http_date(theirs + left + 1), "Date": http_date(theirs)}
        return Response("{}", 429, headers, content_type="application/json")

    return always(clock, refuse)


@pytest.mark.parametrize("ahead", [None, 600.0, -600.0, 0.0], ids=["seconds", "ahead", "behind", "exact"])
def test_a_limit_at_first_contact_is_waited_for_where_time_allows(ahead: float | None) -> None:
    """A date is one of the server's own clock, which its answer shows."""
    run, interference = disturbed(
        lambda clock: limited_at_first(clock, 30, ahead), latency=FAR, max_time=40.0
    )

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)
    assert run.interference == {"429": 1}
    assert 30 <= interference.requests[1].at - interference.began <= 32.5


@pytest.mark.parametrize("ahead", [None, 600.0, -600.0], ids=["seconds", "ahead", "behind"])
def test_a_limit_at_first_contact_that_leaves_no_time_is_the_reason(ahead: float | None) -> None:
    """Nothing more is sent."""
    run, interference = disturbed(
        lambda clock: limited_at_first(clock, 30, ahead), latency=FAR, max_time=20.0
    )

    assert (run.exit_code, len(interference.requests)) == (3, 1)
    assert (run.inconclusive or "").startswith("The target asked to be left alone for 3")
    assert "(Retry-After), and 20 s were left: allow more with --wait-for or --max-time" in (
        run.inconclusive or ""
    )


def test_a_longer_wait_for_a_first_answer_lets_a_limit_pass() -> None:
    run, _ = disturbed(lambda clock: limited_at_first(clock, 30), latency=FAR, max_time=20.0, wait_for=60.0)

    assert (run.violations, run.exit_code) == ((), 0)


def test_a_limit_that_lets_nothing_go_later_is_no_run_that_conforms() -> None:
    """After three of twenty seconds it asks for thirty: the rest of the run was not there."""

    def later(arrival: Arrival) -> Response | None:
        if arrival.at - began[0] < 3:
            return None
        return Response("{}", 429, {"Retry-After": "30"}, content_type="application/json")

    began: list[float] = []

    def make(clock: VirtualClock) -> Interference:
        began.append(clock.unix_time())
        return always(clock, later)

    run, _ = disturbed(make, latency=FAR)

    assert run.exit_code == 3
    assert (run.inconclusive or "").startswith(
        "The target asked to be left alone for 30 s (Retry-After), and 1"
    )
    assert not any("the time was up" in why for why in run.not_verified.values())


# Slow answers


@pytest.mark.parametrize("seconds", [1.5, 3.3, 6.0])
def test_a_target_far_away_is_judged_when_it_has_the_time(seconds: float) -> None:
    """That all of its answers take long is a warning."""
    run, _ = disturbed(Interference, latency=seconds, max_time=400 * seconds)

    assert (run.violations, run.exit_code) == ((), 0), run.inconclusive
    assert [(one.rule, one.title) for one in run.warnings] == [
        ("HTTP-6", f"Plain answers take {seconds:.1f} s, as all answers do")
    ]


def test_a_target_far_away_that_has_no_time_names_the_flag() -> None:
    run, _ = disturbed(Interference, latency=3.3, min_verified=60.0)

    assert (run.exit_code, run.violations) == (3, ())
    assert "answers take 3.3 s" in (run.inconclusive or "")
    assert "--max-time" in (run.inconclusive or "")


def test_answers_that_take_longer_than_they_may_name_the_flag() -> None:
    """And the flag helps."""
    silent, _ = disturbed(Interference, latency=15.0)
    judged, _ = disturbed(Interference, latency=15.0, timeout=40.0, wait_for=60.0, max_time=6_000.0)

    assert silent.exit_code == 3
    assert (silent.inconclusive or "").startswith(
        f"{URL} could not be reached within 12 s (--wait-for): no answer in time"
    )
    assert "--timeout" in (silent.inconclusive or "")
    assert (judged.violations, judged.exit_code) == ((), 0), judged.inconclusive


@pytest.mark.parametrize("cold", [5.0, 10.0, 11.0])
def test_a_cold_start_of_ten_seconds_is_waited_for(cold: float) -> None:
    """The first answers come late, all others at once."""

    def make(clock: VirtualClock) -> Interference:
        began = clock.unix_time()

        def condition(world: WSGIApplication, _: Arrival) -> WSGIApplication:
            def late(environ: Any, start_response: Any) -> Any:
                clock.pause(max(0.0, began + cold - clock.unix_time()))
                return world(environ, start_response)

            return late

        return Interference(clock, condition)

    run, _ = disturbed(make, latency=FAR)

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)


def test_a_cold_start_that_refuses_connections_is_waited_for_as_long_as_the_flag_says() -> None:
    class Starting(Interference):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            if self.clock.unix_time() < self.began + 40:
                raise ConnectionRefusedError(111, "Connection refused")
            return super().__call__(environ, start_response)

    gone, _ = disturbed(Starting, latency=FAR)
    there, _ = disturbed(Starting, latency=FAR, wait_for=60.0)

    assert gone.inconclusive == f"{URL} could not be reached within 12 s (--wait-for): connection refused."
    assert (there.violations, there.exit_code, there.inconclusive) == ((), 0, None)


# Definitions that are known late


def learning(seconds: float) -> Callable[[VirtualClock], ConformingServer]:
    """Make a server that takes work for a definition only some seconds after its first PUT."""

    class Learning(ConformingServer):
        def __init__(self, clock: VirtualClock) -> None:
            super().__init__(clock=clock)
            self.put_at: dict[tuple[str, str], float] = {}

        def store(self, org: str, requested: Any) -> Any:
            self.put_at.setdefault((org, requested.variant), self.clock.unix_time())
            return super().store(org, requested)

        def resolve(self, org: str, variant: str) -> Any:
            definition = super().resolve(org, variant)
            if self.clock.unix_time() < self.put_at.get((org, definition.variant), 0.0) + seconds:
                return super().resolve(org, f"{variant}-not-yet")
            return definition

    return lambda clock: Learning(clock)


@pytest.mark.parametrize("settle", [2.0, 4.0])
def test_a_definition_that_is_known_after_three_seconds_is_no_finding(settle: float) -> None:
    """The first one shows how long it takes; a flag says it before."""
    run = judged_in_process(learning(3.0), latency=FAR, max_time=200.0, settle=settle)

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)
    assert run.served["POST /v1/ingress/{variant}"] > 20


# Interference


def losing(clock: VirtualClock, one_in: int, route: str = "POST /v1/modack") -> Interference:
    return now_and_then(clock, lambda: page(502), one_in, route)


def judged(one_in: int, **members: Any) -> RunFinished:
    return disturbed(lambda clock: losing(clock, one_in), latency=0.05, **members)[0]


def test_what_a_gateway_loses_of_one_operation_makes_a_run_inconclusive_where_the_flag_says_so() -> None:
    """Every seventh modack is no finding; a share of 5 % is too much of one operation."""
    lenient, strict = judged(7), judged(7, max_interference=5.0)

    assert (lenient.violations, lenient.exit_code) == ((), 0)
    assert 0 < lenient.lost < 14
    assert (strict.violations, strict.exit_code) == ((), 3)
    assert "requests to POST /v1/modack met no answer of the application; --max-interference allows 5 %." in (
        strict.inconclusive or ""
    )


def test_an_operation_that_a_gateway_has_lost_altogether_makes_a_run_inconclusive() -> None:
    """However few of all requests these are."""
    run = judged(1)

    assert (run.violations, run.exit_code) == ((), 3)
    assert (
        "requests to POST /v1/modack met no answer of the application; --max-interference allows 33 %."
        in (run.inconclusive or "")
    )


def test_a_share_below_the_flag_proves_as_much_as_none() -> None:
    run = judged(200, max_interference=5.0)

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)
