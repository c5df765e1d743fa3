"""Random walks and generated requests have their share of time and budget, and the end of a run what was reserved for it."""

from __future__ import annotations

import math

import pytest

from contracts.transport.throttle import Allowance, Limits, TimeUp
from contracts.transport.wire import Reply, Request
from tests.contracts.ports import refused
from tests.contracts.scheduling import (
    SECONDS,
    world,
)

# The end


def test_the_last_part_may_use_what_was_reserved_and_four_seconds_more() -> None:
    """Two for findings again, two for smaller examples."""
    this = world(limits=Limits(requests=100))
    this.client.throttle.allow(Allowance(this.clock.now() + SECONDS, reserve=10))
    this.clock.wait(SECONDS)

    this.scheduler.finish()

    throttle = this.client.throttle
    assert this.announced == ["every finding again"]
    assert (throttle.deadline, throttle.left) == (this.clock.now() + 4.0, 100)
    assert this.confirmation.calls == [("shrink", 2.0), ("confirm again", 2.0)]


def test_time_that_is_left_is_not_taken_away_at_the_end() -> None:
    """A run that is early may go on until its deadline."""
    this = world()

    this.scheduler.finish()

    assert this.client.throttle.deadline == this.clock.now() + SECONDS


def test_a_steady_run_takes_the_time_that_the_end_needs() -> None:
    """As what it sends must not depend on time."""
    this = world(steady=True)

    this.scheduler.finish()

    assert this.confirmation.calls == [("shrink", math.inf), ("confirm again", math.inf)]


def test_what_could_not_be_tried_again_has_time_of_its_own_at_the_end() -> None:
    """Twenty seconds more; then findings have their four all the same."""
    this = world()
    this.clock.wait(SECONDS)
    this.confirmation.postponed.append((["LEASE-3"], "the time was up"))
    deadlines: list[float] = []

    def settle() -> None:
        deadlines.append(this.client.throttle.deadline)
        this.clock.wait(20.0)

    this.confirmation.settle_postponed = settle  # type: ignore[method-assign]

    this.scheduler.finish()

    assert deadlines == [SECONDS + 20.0]
    assert this.client.throttle.deadline == SECONDS + 24.0


# Walks


def test_walks_are_left_out_where_no_wanted_rule_may_show_in_them() -> None:
    """Neither they nor generated requests are sent for a rule of signals."""
    this = world(only=frozenset({"LIFE-13"}))

    this.scheduler.walk()
    this.scheduler.generate()

    assert (this.announced, this.transport.sent) == ([], [])


@pytest.mark.parametrize("part", ["walk", "generate"])
def test_nothing_is_begun_when_the_time_is_up(part: str) -> None:
    """No sequence, and no request."""
    this = world()
    this.clock.wait(SECONDS + 1)

    getattr(this.scheduler, part)()

    assert (this.announced, this.presence.sequences) == ([], [])


def test_walks_end_with_the_time() -> None:
    """Each request takes a second here, and every part has its share of what is left."""
    this = world()

    def slowly(request: Request) -> Reply:
        this.clock.wait(1.0)
        return refused(409)

    this.transport.answer = slowly
    began = this.clock.now()

    this.scheduler.walk()

    assert this.announced == ["every short sequence", "random walks against the model"]
    assert SECONDS * 0.3 < this.clock.now() - began < SECONDS


def test_a_night_ends_with_the_first_round_that_sends_nothing() -> None:
    """The target lets nothing go before the end; the time until then is not filled with rounds that do nothing."""
    this = world(night=True)
    this.client.throttle.hold(SECONDS)

    this.scheduler.alternate()

    assert this.scheduler.progress.rounds == 1
    assert this.transport.sent == []


def test_time_that_is_up_within_a_walk_ends_the_walks() -> None:
    """Neither another short one nor another random one is begun."""
    this = world()

    def late(request: Request) -> Reply:
        raise TimeUp

    this.transport.answer = late

    this.scheduler.walk()

    assert len(this.presence.sequences) == 2  # one of each kind
