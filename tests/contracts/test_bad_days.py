"""A correct deployment on a bad day is never accused, and what could not be verified is named by its rules."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from contracts import Plan, Run, RunFinished
from contracts.phases.requests import PUT, NotReached
from contracts.phases.scenarios import leases
from contracts.transport.throttle import Limits
from tests.contracts.runs import api_at, target
from tests.mutants import ConformingServer, interferences
from tests.mutants.interferences import Interference
from tests.serving import serving

Condition = Callable[[], AbstractContextManager[Interference]]

DECLARED = {"declared": {"orders.created": {"order_id": "8471"}}}
NEVER = {"PAGE-6", "PAGE-7", "ING-15"}
"""Rules that need what a plain deployment does not show: destinations, or a variant found in other letters."""
SPARED = {"HTTP-7", "RACE-1"}
"""Rules that need large bodies, or requests at the same moment."""
OF_LEASES = {"ING-11", "LEASE-3", "LEASE-7", "LEASE-8", "LEASE-9", "PAGE-16"}
OF_SIGNALS = {"LIFE-7", "LIFE-9", "LIFE-11", "LIFE-13"}
OF_DEFINITIONS = {
    *("DEF-1", "DEF-2", "DEF-3", "DEF-7", "DEF-10", "DEF-11", "ING-1", "ING-3", "ING-9", "ING-11", "ING-14"),
    "PAGE-11",
}


def judged(url: str, requests: int, **members: Any) -> RunFinished:
    """Run the judge by a budget of requests, so that what it verifies does not depend on the machine."""
    plan = Plan(
        target(url),
        max_time=90.0,
        name_prefix="bad-days",
        limits=Limits(requests=requests),
        intrusive=False,
        steady=True,
        min_verified=60.0,
        **members,
    )
    return Run(plan).judge()


@pytest.mark.parametrize(
    ("condition", "requests", "members", "exit_code", "not_verified"),
    [
        (lambda: interferences.delaying(0.0), 1_000, {}, 0, NEVER | SPARED | {"DEF-2"}),
        (lambda: interferences.cutting(40), 1_500, {}, 0, NEVER | SPARED | {"DEF-2"}),
        (
            interferences.behind_html,
            1_000,
            {},
            0,
            NEVER | SPARED | OF_SIGNALS | {"DEF-2", "HTTP-1", "HTTP-8"},
        ),
        (
            lambda: interferences.behind_html(modack=False),
            1_000,
            {},
            0,
            NEVER | SPARED | OF_SIGNALS | OF_LEASES | {"DEF-2", "HTTP-1", "HTTP-8"},
        ),
        (interferences.no_lease, 1_000, {}, 0, NEVER | SPARED | OF_SIGNALS | OF_LEASES | {"DEF-2"}),
        (lambda: interferences.refusing_puts(403), 1_000, DECLARED, 0, NEVER | SPARED | OF_DEFINITIONS),
        (lambda: interferences.refusing_puts(404), 1_000, DECLARED, 0, NEVER | SPARED | OF_DEFINITIONS),
    ],
    ids=["calm", "cut off", "HTML 404", "no modack", "no lease", "no PUT: 403", "no PUT: 404"],
)
def test_what_is_not_verified_is_exactly_what_the_condition_hides(
    condition: Condition, requests: int, members: dict[str, Any], exit_code: int, not_verified: set[str]
) -> None:
    """The run conforms all the same, as enough else was verified; nothing is a violation."""
    with condition() as interference:
        run = judged(interference.url, requests, **members)

    assert run.violations == ()
    assert set(run.not_verified) == not_verified
    assert (run.exit_code, run.inconclusive) == (exit_code, None)


@pytest.mark.parametrize(
    "condition",
    [
        lambda: interferences.limited(20),
        lambda: interferences.limited(20, retry_after=None),
        lambda: interferences.delaying(0.05),
    ],
    ids=["20 a second", "20 a second, without Retry-After", "far away"],
)
def test_a_rate_limit_or_a_long_way_costs_time_and_nothing_else(condition: Condition) -> None:
    """A hundred and fifty requests verify what they verify on a calm day."""
    with interferences.delaying(0.0) as calm, condition() as interference:
        expected, run = judged(calm.url, 150), judged(interference.url, 150)

    assert run.violations == ()
    assert set(run.not_verified) == set(expected.not_verified)
    assert run.exit_code == expected.exit_code == 0
    assert run.interference.get("429", 0) <= 3


def test_a_rate_limit_refuses_requests_once() -> None:
    """Afterwards no more than it allows are sent."""
    with interferences.limited(20) as interference:
        judged(interference.url, 100)
        refused = [one for one in interference.requests if one.at > interference.requests[60].at]

    assert len(interference.requests) <= 100
    for first, last in zip(refused, refused[20:], strict=False):
        assert last.at - first.at > 0.9


def test_restarts_lead_to_no_finding() -> None:
    """Five times the target loses everything, and refuses connections."""
    with interferences.restarting(times=5, every=2.0) as interference:
        run = Run(Plan(target(interference.url), seed=7, max_time=14.0, min_verified=60.0)).judge()

    assert run.violations == ()
    assert run.interference.get("connection refused")
    assert run.exit_code in (0, 3)


def test_a_key_that_may_not_put_proves_nothing_unless_a_variant_is_declared() -> None:
    """The judge has to know a variant that exists."""
    with interferences.refusing_puts(403) as interference:
        run = judged(interference.url, 300)

    assert run.exit_code == 3
    assert run.violations == ()
    assert (
        run.inconclusive == f"Too little was verified: no definition was accepted ({PUT} never answered 200)."
    )


def test_operations_that_a_target_does_not_have_are_not_offered() -> None:
    """No answer to them is a finding."""
    with interferences.behind_html(modack=False) as interference:
        run = judged(interference.url, 300)

    assert run.not_offered == ("POST /v1/modack",)
    assert (run.violations, run.warnings) == ((), ())


def test_each_signal_of_the_guides_that_a_target_does_not_have_is_named() -> None:
    """A deployment of the three published pages has none of them."""
    with serving(ConformingServer()) as url:
        api = api_at(url)
        for scenario in (leases.settling, leases.rejected, leases.deferred):
            with pytest.raises(NotReached):
                list(scenario.play(api) or ())
        api.client.close()

    assert api.context.learned.not_offered == {"POST /v1/ack", "POST /v1/nack", "POST /v1/defer"}


def test_thirty_requests_verify_something_and_too_little() -> None:
    """The report says what they verified, and that it is not enough."""
    with interferences.delaying(0.0) as interference:
        run = judged(interference.url, 30)

    assert run.exit_code == 3
    assert run.verified > 40
    assert "Too little was verified" in (run.inconclusive or "")


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (lambda: interferences.slowing(5, 0.4), "three times as long"),
        (lambda: interferences.failing(5, 0.3), "more than 5 % of plain requests fail"),
    ],
    ids=["slow", "failing"],
)
def test_a_target_that_suffers_is_left_alone(condition: Condition, why: str) -> None:
    """Within ten seconds no more requests are sent to it, and the run is not green."""
    with condition() as interference:
        began = interference.requests[0].at if interference.requests else None
        run = Run(Plan(target(interference.url), seed=7, max_time=25.0)).judge()
        began = interference.requests[0].at if began is None else began
        late = [one for one in interference.requests if one.at > began + 5 + 10]

    assert any(why in reason for reason in run.interference)
    assert "The circuit breaker opened" in str(run.inconclusive)
    assert run.exit_code != 0
    assert late == []


def test_a_budget_that_the_first_contact_uses_up_proves_nothing() -> None:
    """The budget is named as the reason."""
    with interferences.delaying(0.0) as interference:
        run = Run(Plan(target(interference.url), limits=Limits(requests=2))).judge()

    assert run.inconclusive == "Nothing could be judged: the budget of 2 requests was used up."
