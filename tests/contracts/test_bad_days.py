"""A correct deployment on a bad day is never accused, and what could not be verified is named by its rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts import Plan, Run, RunFinished
from contracts.core.events import Event, PhaseStarted
from contracts.phases.requests import NotReached
from contracts.phases.scenarios import leases
from contracts.transport.throttle import Limits
from tests.clocks import MachineClock, VirtualClock
from tests.contracts.disturbed import Make, disturbed
from tests.contracts.replays import on
from tests.contracts.runs import URL, target
from tests.mutants import ConformingServer, interferences
from tests.mutants.interferences import Interference, Restarting
from tests.serving import serving

DECLARED = {"declared": {"orders.created": {"order_id": "8471"}}}
NEVER = {"PAGE-6", "PAGE-7", "ING-15"}
"""Rules that need what a plain deployment does not show: destinations, or a variant found in other letters."""
SPARED = {"HTTP-7", "RACE-1"}
"""Rules that need large bodies, or requests at the same moment."""
OF_LEASES = {"ING-11", "LEASE-3", "LEASE-7", "LEASE-8", "LEASE-9", "PAGE-16"}
OF_IDS = {"ING-12", "LEASE-6", "PAGE-12"}
"""Rules that the application's own refusals of a modack verify, and no page of a gateway."""
OF_SIGNALS = {"LIFE-7", "LIFE-9", "LIFE-11", "LIFE-13"}
OF_DEFINITIONS = {
    *("DEF-1", "DEF-2", "DEF-3", "DEF-7", "DEF-10", "DEF-11", "DEF-12", "ING-1", "ING-3"),
    *("ING-9", "ING-11", "ING-14"),
    "PAGE-11",
}
FAR = 0.25
"""Seconds to a target and back: so much that minutes take a few hundred requests."""


def judged(make: Make, requests: int, **members: Any) -> tuple[RunFinished, Interference]:
    """Run the judge by a budget of requests, as a gate does off loopback."""
    return disturbed(
        make,
        **{
            "seed": 0,
            "max_time": 90.0,
            "name_prefix": "bad-days",
            "limits": Limits(requests=requests),
            "intrusive": False,
            "steady": True,
            "min_verified": 60.0,
            **members,
        },
    )


@pytest.mark.parametrize(
    ("make", "requests", "members", "not_verified"),
    [
        (Interference, 1_000, {}, NEVER | SPARED | {"DEF-2"}),
        (interferences.cutting, 1_500, {}, NEVER | SPARED | {"DEF-2"}),
        (interferences.behind_html, 1_000, {}, NEVER | SPARED | OF_SIGNALS | {"DEF-2", "HTTP-1", "HTTP-8"}),
        (
            lambda clock: interferences.behind_html(clock, modack=False),
            *(
                1_000,
                {},
                NEVER | SPARED | OF_SIGNALS | OF_LEASES | OF_IDS | {"DEF-2", "HTTP-1", "HTTP-8"},
            ),
        ),
        (interferences.no_lease, 1_000, {}, NEVER | SPARED | OF_SIGNALS | OF_LEASES | {"DEF-2"}),
        (interferences.refusing_puts, 1_000, DECLARED, NEVER | SPARED | OF_DEFINITIONS),
        (
            lambda clock: interferences.refusing_puts(clock, 404),
            *(1_000, DECLARED, NEVER | SPARED | OF_DEFINITIONS),
        ),
    ],
    ids=["calm", "cut off", "HTML 404", "no modack", "no lease", "no PUT: 403", "no PUT: 404"],
)
def test_what_is_not_verified_is_exactly_what_the_condition_hides(
    make: Make, requests: int, members: dict[str, Any], not_verified: set[str]
) -> None:
    """The run conforms all the same, as enough else was verified; nothing is a violation."""
    run, interference = judged(make, requests, **members)

    assert run.violations == ()
    assert set(run.not_verified) == not_verified
    assert (run.exit_code, run.inconclusive) == (0, None)
    assert run.requests == len(interference.requests) >= 0.9 * requests


@pytest.mark.parametrize(
    ("make", "seconds", "refused"),
    [
        (interferences.limited, 6.0, 1),
        (lambda clock: interferences.limited(clock, retry_after=None), 6.0, 1),
        (lambda clock: interferences.limited(clock, per_minute=60, retry_after="date", elapsed=57), 60.0, 2),
        (lambda clock: interferences.slowing(clock, 0, 0.3), 39.0, 0),
    ],
    ids=["20 a second", "20 a second, without Retry-After", "60 a minute, with a date", "300 ms away"],
)
def test_a_rate_limit_or_a_long_way_costs_time_and_nothing_else(
    make: Make, seconds: float, refused: int
) -> None:
    """A hundred and fifty requests verify what they verify on a calm day."""
    (expected, calm), (run, interference) = judged(Interference, 150), judged(make, 150)

    assert run.violations == ()
    assert set(run.not_verified) == set(expected.not_verified)
    assert run.exit_code == expected.exit_code == 0
    assert run.interference.get("429", 0) == refused
    assert len(interference.requests) == len(calm.requests)
    assert run.seconds - expected.seconds >= seconds


def test_a_rate_limit_refuses_requests_once() -> None:
    """Afterwards no more than it allows are sent."""
    run, interference = judged(interferences.limited, 100)
    times = [one.at for one in interference.requests]
    last_refused = 21

    assert (len(times), run.interference) == (90, {"429": 1})
    for first, last in zip(times[last_refused:], times[last_refused + 20 :], strict=False):
        assert last - first >= 1.0


@pytest.mark.parametrize("draw", range(3))
def test_a_network_that_cuts_off_every_second_connection_leads_to_no_finding(draw: int) -> None:
    """That some requests are cut off several times in a row is chance."""
    run, _ = judged(lambda clock: interferences.cutting(clock, one_in=2, seed=draw), 1_500, intrusive=True)

    assert ([*run.violations, *run.warnings], run.interference["connection cut off"] > 300) == ([], True)
    assert run.exit_code in (0, 3)


@pytest.mark.parametrize("gone", [0.4, 3.0])
def test_restarts_lead_to_no_finding(gone: float) -> None:
    """Five times the target loses everything, and refuses connections."""
    run, interference = disturbed(
        lambda clock: Restarting(clock, 5, every=20.0, gone=gone),
        latency=0.1,
        max_time=120.0,
        min_verified=60.0,
    )

    assert (run.violations, run.warnings) == ((), ())
    assert run.interference.keys() == {"connection refused"}
    assert interference.restarts == 5
    assert (run.exit_code, run.inconclusive) == (0, None)


def test_a_target_that_goes_away_for_good_ends_the_run() -> None:
    """After four seconds; what was verified before stands."""
    run, _ = disturbed(lambda clock: Restarting(clock, 1, every=20.0, gone=1e9), latency=0.1, max_time=120.0)

    assert run.inconclusive == f"{URL} went away during the run and did not come back."
    assert (run.exit_code, run.violations) == (3, ())
    assert run.seconds == pytest.approx(24.0, abs=1.0)
    assert run.verified > 60


def test_leases_of_a_minute_are_waited_for_whatever_comes_between() -> None:
    """While they run out, everything else is played."""
    events: list[Event] = []
    run, interference = disturbed(
        lambda clock: interferences.cutting(clock, one_in=60),
        latency=0.1,
        max_time=60.0,
        wait=75.0,
        listeners=[events.append],
    )
    titles = [event.title for event in events if isinstance(event, PhaseStarted)]

    assert (run.violations, run.exit_code) == ((), 0)
    assert titles.count("leases of the length that every destination has") == 3
    assert interference.requests[-1].at - interference.began >= 75.0


def test_a_key_that_may_not_put_proves_nothing_unless_a_variant_is_declared() -> None:
    """The judge has to know a variant that exists."""
    run, _ = judged(interferences.refusing_puts, 300)

    assert run.exit_code == 3
    assert run.violations == ()
    assert "its definitions are answered with 403" in (run.inconclusive or "")
    assert "then --variant declares what exists" in (run.inconclusive or "")
    assert run.requests <= 10


def test_operations_that_a_target_does_not_have_are_not_offered() -> None:
    """No answer to them is a finding."""
    run, _ = judged(lambda clock: interferences.behind_html(clock, modack=False), 300)

    assert run.not_offered == ("POST /v1/modack",)
    assert (run.violations, run.warnings) == ((), ())


def test_each_signal_of_the_guides_that_a_target_does_not_have_is_named() -> None:
    """A deployment of the three published pages has none of them."""
    api = on(ConformingServer).api
    for scenario in (leases.settling, leases.rejected, leases.deferred):
        with pytest.raises(NotReached):
            list(scenario.play(api) or ())

    assert api.context.learned.not_offered == {"POST /v1/ack", "POST /v1/nack", "POST /v1/defer"}


def test_thirty_requests_verify_something_and_too_little() -> None:
    """The report says what they verified, and that it is not enough."""
    run, _ = judged(Interference, 30)

    assert run.exit_code == 3
    assert run.verified > 40
    assert "Too little was verified" in (run.inconclusive or "")


# Brown-outs


SLOW = "answers take more than 750 ms, three times as long as at first"
FAILING = "more than 5 % of plain requests fail"
MINUTE_2 = 120.0


@pytest.mark.parametrize(
    ("brown_out", "why", "looks"),
    [
        (lambda clock, until: interferences.slowing(clock, MINUTE_2, 1.0, until), SLOW, 2),
        (lambda clock, until: interferences.failing(clock, MINUTE_2, 0.5, until=until), FAILING, 20),
    ],
    ids=["slow", "failing"],
)
@pytest.mark.parametrize("for_good", [True, False], ids=["for good", "for half a minute"])
def test_a_target_that_suffers_from_minute_2_on_is_left_alone(
    brown_out: Callable[[VirtualClock, float], Interference], why: str, looks: int, for_good: bool
) -> None:
    """Within ten seconds no more requests are sent to it; after a minute a few plain ones tell whether to go on."""
    until = 1e9 if for_good else MINUTE_2 + 30
    run, interference = disturbed(lambda clock: brown_out(clock, until), latency=FAR, max_time=240.0)
    late = [one.at - interference.began for one in interference.requests]
    late = [at for at in late if at > MINUTE_2 + 10]

    assert late[0] - MINUTE_2 > 60
    if for_good:
        assert run.inconclusive == f"The circuit breaker opened, as {why}."
        assert run.interference[f"the circuit breaker, as {why}"] == 2
        assert run.exit_code != 0
        assert len(late) <= looks
    else:
        assert run.interference[f"the circuit breaker, as {why}"] == 1
        assert run.inconclusive is None
        assert late[-1] > 230.0
    if why == SLOW:
        assert (run.violations, run.exit_code) == ((), 3 if for_good else 0)


def test_a_gateway_that_has_no_server_for_a_while_leads_to_no_finding() -> None:
    """It answers 503, which is no answer of the application."""
    run, _ = disturbed(
        lambda clock: interferences.failing(clock, MINUTE_2, 1.0, until=MINUTE_2 + 30, status=503),
        latency=FAR,
        max_time=240.0,
        min_verified=60.0,
    )

    assert (run.violations, run.warnings, run.exit_code) == ((), (), 0)
    assert run.interference.keys() == {"503", f"the circuit breaker, as {FAILING}"}


def test_a_budget_that_the_first_contact_uses_up_proves_nothing() -> None:
    """The budget is named as the reason."""
    run, _ = disturbed(Interference, limits=Limits(requests=2))

    assert run.inconclusive == "Nothing could be judged: the budget of 2 requests was used up."


# Over sockets


def over_sockets(url: str, **members: Any) -> RunFinished:
    """Judge the server at a URL for as long as it takes."""
    return Run(Plan(target(url), seed=7, **members)).judge()


@pytest.mark.slow
def test_connections_that_are_reset_lead_to_no_finding() -> None:
    """Before the work is done and after it."""
    with serving(interferences.cutting(MachineClock())) as url:
        run = over_sockets(url, max_time=90.0, limits=Limits(requests=600), steady=True, min_verified=60.0)

    assert run.violations == ()
    assert run.interference.get("connection cut off")
    assert run.exit_code == 0


@pytest.mark.slow
def test_restarts_over_sockets_lead_to_no_finding() -> None:
    """The port refuses connections meanwhile."""
    with interferences.serving_with_restarts(times=5, every=2.0, gone=0.4) as (url, interference):
        run = over_sockets(url, max_time=14.0)

    assert run.violations == ()
    assert interference.restarts >= 2
    assert run.interference.get("connection refused") or run.interference.get("connection cut off")
    assert run.exit_code in (0, 3)
