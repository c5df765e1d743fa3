"""When plain requests suffer, the target is left alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from contracts.core.exchange import Exchange
from contracts.phases.requests import MODACK
from contracts.transport.circuit_breaker import CircuitBreaker
from contracts.transport.interference import Interference
from contracts.transport.throttle import Allowance, Limits, Throttle
from contracts.transport.wire import Request
from tests.clocks import VirtualClock
from tests.contracts.runs import exchange

PLAIN = Request("POST", "/v1/modack")
SECONDS = 100.0
"""How long the run goes on."""

Target = Callable[[VirtualClock], int]
"""Answers a plain request: lets time pass, and returns a status or raises."""


class World:
    """A circuit breaker, and all that it is handed; the first answers took 10 ms each."""

    def __init__(self, *target: Target) -> None:
        self.clock = VirtualClock()
        self.throttle = Throttle(Limits(), self.clock)
        self.throttle.allow(Allowance(self.clock.now() + SECONDS))
        self.met: list[str] = []
        self.asked: list[float] = []
        """When each plain request was sent."""
        self._target = list(target)
        self.breaker = CircuitBreaker(self.throttle, self.clock, self._status_of, self.met.append)
        self.breaker.arm(PLAIN)
        for _ in range(20):
            self.throttle.answered(0.01, 200)

    def _status_of(self, request: Request, timeout: float) -> int:
        assert request is PLAIN
        assert timeout >= 1.0
        self.asked.append(self.clock.now())
        return (self._target.pop(0) if len(self._target) > 1 else self._target[0])(self.clock)

    @property
    def pauses(self) -> list[int]:
        """Seconds, of answers too, between plain requests that did not follow at once."""
        return [round(after - before) for before, after in pairwise(self.asked) if after - before > 2]

    def see(self, seconds: float = 0.01, status: int = 200, times: int = 20) -> None:
        """Answers to other requests."""
        for _ in range(times):
            self.throttle.answered(seconds, status)


def well(clock: VirtualClock) -> int:
    clock.wait(0.01)
    return 200


def slowly(clock: VirtualClock) -> int:
    clock.wait(1.0)
    return 200


def failing(_: VirtualClock) -> int:
    return 500


def cut_off(_: VirtualClock) -> int:
    raise Interference("connection cut off")


def test_a_target_that_goes_well_is_not_looked_at() -> None:
    """No plain request is sent."""
    this = World(well)
    this.see()

    this.breaker.check()

    assert (this.asked, this.met) == ([], [])


def test_without_a_plain_request_there_is_nothing_to_measure_by() -> None:
    """Before the first contact is over."""
    clock = VirtualClock()
    throttle = Throttle(Limits(), clock)
    for seconds in (*[0.01] * 20, *[5.0] * 5):
        throttle.answered(seconds, 200)

    CircuitBreaker(throttle, clock, lambda *_: 500, lambda _: None).check()

    assert clock.waits == []


@pytest.mark.parametrize(
    ("seconds", "status", "sent"), [(2.0, 200, 2), (0.01, 500, 20)], ids=["slow", "failing"]
)
def test_plain_requests_that_go_well_are_a_reason_to_go_on(seconds: float, status: int, sent: int) -> None:
    """Two for slow answers, twenty for failing ones; then the suspicion is forgotten for a while."""
    this = World(well)
    this.see(seconds, status)

    this.breaker.check()
    this.breaker.check()

    assert (len(this.asked), this.met) == (sent, [])
    assert this.throttle.spent is None


@pytest.mark.parametrize(
    ("target", "seconds", "status", "why"),
    [
        (slowly, 2.0, 200, "answers take more than 60 ms, three times as long as at first"),
        (failing, 0.01, 500, "more than 5 % of plain requests fail"),
        (cut_off, 0.01, 500, "more than 5 % of plain requests fail"),
    ],
    ids=["slow", "failing", "cut off"],
)
def test_a_target_whose_plain_requests_suffer_is_left_alone_for_a_minute(
    target: Target, seconds: float, status: int, why: str
) -> None:
    """Then it is looked at again, and the run goes on if they go well."""
    this = World(target, target, well)
    this.see(seconds, status)

    this.breaker.check()

    assert this.met == [f"the circuit breaker, as {why}"]
    assert this.pauses == [60 + (target is slowly)]
    assert this.throttle.spent is None


def test_a_target_that_goes_on_suffering_ends_the_run() -> None:
    """The second pause would be two minutes, and the run has no time for it."""
    this = World(slowly)
    this.see(2.0)

    this.breaker.check()

    assert len(this.met) == 2
    assert this.pauses == [61]
    assert this.clock.now() < SECONDS
    assert (this.throttle.spent or "").startswith("the circuit breaker opened, as answers take more than")


@pytest.mark.parametrize("target", [failing, slowly], ids=["fails", "is slow"])
def test_one_plain_request_that_suffers_is_chance(target: Target) -> None:
    """Two are needed."""
    this = World(target, well)
    this.see(2.0 if target is slowly else 0.01, 200 if target is slowly else 500)

    this.breaker.check()

    assert this.met == []


def refusal(status: int, **headers: Any) -> Exchange:
    return exchange(MODACK, status, b"", **headers)


@pytest.mark.parametrize(
    ("refused", "limited", "held"),
    [
        (refusal(429), True, 1.0),
        (refusal(429, retry_after="7"), True, 7.0),
        (refusal(503, retry_after="7"), True, 7.0),
        (refusal(503), False, 0.0),
        (refusal(502, retry_after="7"), False, 0.0),
    ],
    ids=["429", "429 with seconds", "503 with seconds", "503", "502"],
)
def test_what_a_rate_limit_refuses_may_be_sent_again_when_it_says(
    refused: Exchange, limited: bool, held: float
) -> None:
    """After a second if it does not say when; a gateway that is down is no rate limit."""
    this = World(well)

    assert this.breaker.limited(refused) is limited
    began = this.clock.now()
    this.throttle.admit()
    assert this.clock.now() - began == pytest.approx(held)
