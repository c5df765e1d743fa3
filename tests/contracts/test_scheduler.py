"""What is played when: scenarios in their order, those that wait, and those that interference disturbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts import RunFinished
from contracts.core.events import Checkpoint, Progress
from contracts.phases.api import Api
from contracts.phases.requests import MODACK, NotReached
from contracts.phases.scenarios import Scenario, requests
from contracts.transport.interference import TOO_SLOW, Interference
from contracts.transport.throttle import Limits
from tests.contracts.runs import exchange
from tests.contracts.scheduling import (
    MODACK_AGAIN,
    SECONDS,
    World,
    does_nothing,
    raising,
    scenario,
    suspicious,
    world,
)

# Scenarios


def test_scenarios_are_played_in_their_order() -> None:
    """Each is announced by its title, has a scope of its own, and is done when it is over."""
    this = world(does_nothing("the first one"), does_nothing("another"))

    this.scheduler.play_scenarios()

    assert this.announced == ["the first one", "another"]
    assert this.presence.sequences == [("tfo", False), ("a", False)]
    assert this.scheduler.progress.done == ("the first one", "another")


def test_what_a_scenario_shows_is_settled_when_it_is_over() -> None:
    """With its suspicions and its exchanges."""

    def play(api: Api) -> None:
        api.sequence.play(MODACK_AGAIN)
        api.sequence.suspect(suspicious())

    this = world(scenario("a", play))

    this.scheduler.play_scenarios()

    assert this.confirmation.settled == [(["LEASE-3"], "a", 1, False)]


def test_a_scenario_that_leaves_a_suspicion_undecided_is_played_once_more_with_care() -> None:
    """And not a third time, whatever that shows."""
    this = world(does_nothing("a"))
    this.confirmation.undecided = 1

    this.scheduler.play_scenarios()

    assert this.presence.sequences == [("a", False), ("a", True)]
    assert [repeated for *_, repeated in this.confirmation.settled] == [False, True]


def test_a_scenario_for_other_rules_is_not_played() -> None:
    """Unless others build on it, or every exchange may break the rule that is wanted."""
    first, second = does_nothing("how a body is read", "PAGE-9"), does_nothing("b", "LEASE-3")
    for_leases = world(first, second, does_nothing("c", "ING-3"), only=frozenset({"LEASE-3"}))
    for_every_answer = world(second, only=frozenset({"PAGE-5"}))

    for_leases.scheduler.play_scenarios()
    for_every_answer.scheduler.play_scenarios()

    assert for_leases.announced == ["how a body is read", "b"]
    assert for_every_answer.announced == ["b"]


def resumed(*done: str) -> Checkpoint:
    """What an earlier part of a run has left."""
    nothing: RunFinished = None  # type: ignore[assignment]  # the scheduler reads the progress alone
    return Checkpoint(nothing, Progress(done=done))


def test_a_resumed_run_does_not_play_what_is_done() -> None:
    """But for what others build on."""
    this = world(
        does_nothing("how a body is read"),
        does_nothing("b"),
        does_nothing("c"),
        before=resumed("how a body is read", "b"),
    )

    this.scheduler.play_scenarios()

    assert this.announced == ["how a body is read", "c"]
    assert this.scheduler.progress.done == ("how a body is read", "b", "c")


def test_what_a_scenario_cannot_bring_about_masks_its_rules() -> None:
    """With the reason; what it has shown until then is settled all the same."""

    def play(api: Api) -> None:
        api.sequence.suspect(suspicious())
        raise NotReached("no second key was given")

    this = world(scenario("a", play, "ORG-1"))

    this.scheduler.play_scenarios()

    assert this.masked == {"ORG-1": "no second key was given"}
    assert this.confirmation.settled[0][0] == ["LEASE-3"]


def test_a_reason_that_concerns_some_rules_of_a_scenario_masks_these_alone() -> None:
    """The others have reasons of their own: most of them need no second key."""

    def refuses(api: Api) -> None:
        raise NotReached("no second key was given", "ORG-1")

    this = world(scenario("a", refuses, "ING-3", "ORG-1", "READ-1"))

    this.scheduler.play_scenarios()

    assert this.masked == {"ORG-1": "no second key was given"}


def test_scenarios_for_which_no_time_is_left_mask_their_rules() -> None:
    """The first one takes all of it, and does not count as done."""
    this = world(
        scenario("a", lambda api: api.client.clock.wait(SECONDS + 1)),
        does_nothing("b", "ING-3"),
    )

    this.scheduler.play_scenarios()

    assert (this.announced, this.masked) == (["a"], {"ING-3": "the time was up"})
    assert this.scheduler.progress.done == ()


def test_a_budget_that_is_used_up_is_the_reason_that_is_given() -> None:
    """Rather than the time."""

    def play(api: Api) -> None:
        api.sequence.play(MODACK_AGAIN)

    this = world(
        scenario("a", play),
        does_nothing("b", "ING-3"),
        limits=Limits(requests=1),
    )

    this.scheduler.play_scenarios()

    assert this.masked == {"ING-3": "the budget of 1 requests was used up"}


# Interference


def test_a_scenario_that_interference_disturbs_is_played_from_the_beginning() -> None:
    """After the target has come back; it may have forgotten everything, so that is asked too."""
    this = world(scenario("a", raising(Interference("503"), Interference("cut off"))))

    this.scheduler.play_scenarios()

    assert len(this.presence.sequences) == 3
    assert (this.presence.looks, this.masked) == (2, {})


def test_suspicions_of_a_disturbed_try_count_for_nothing() -> None:
    """Only those of the try that came to its end."""
    tries = iter([Interference("503"), None])

    def play(api: Api) -> None:
        api.sequence.suspect(suspicious())
        if error := next(tries):
            raise error

    this = world(scenario("a", play))

    this.scheduler.play_scenarios()

    assert this.confirmation.settled == [(["LEASE-3"], "a", 0, False)]


def test_a_scenario_that_is_disturbed_each_time_is_given_up() -> None:
    """After four tries its rules are masked by what was in the way."""
    this = world(scenario("a", raising(*[Interference("503")] * 4), "ING-3"))

    this.scheduler.play_scenarios()

    assert len(this.presence.sequences) == 4
    assert this.masked == {"ING-3": "interference: 503"}


def test_a_scenario_that_is_slow_twice_is_given_up_at_once() -> None:
    """Each try costs ten seconds."""
    this = world(scenario("a", raising(*[Interference(TOO_SLOW)] * 4), "ING-3"))

    this.scheduler.play_scenarios()

    assert len(this.presence.sequences) == 2
    assert this.masked == {"ING-3": f"interference: {TOO_SLOW}"}


def test_a_target_that_does_not_come_back_ends_the_run() -> None:
    """Nothing else is played."""
    this = world(
        scenario("a", raising(Interference("connection refused")), "ING-3"), does_nothing("b", "DEF-1")
    )
    this.presence.comes_back = False

    this.scheduler.play_scenarios()

    assert (this.announced, set(this.masked)) == (["a"], {"ING-3", "DEF-1"})


# Scenarios that wait


def waiting(*codes: str, seconds: float = 10.0, times: int = 1, log: list[float] | None = None) -> Scenario:
    """Waits so many times, and then raises a suspicion."""

    def play(api: Api) -> Iterator[float]:
        for _ in range(times):
            yield seconds
            if log is not None:
                log.append(api.sequence.waited)
        api.sequence.suspect(suspicious())

    return scenario("w", play, *codes)


def test_a_scenario_that_waits_goes_on_when_it_is_due_and_others_are_played_meanwhile() -> None:
    """Nothing is waited for before the end; the time that others took is not waited for again."""
    this = world(
        waiting(), does_nothing("b"), scenario("c", lambda api: api.client.clock.wait(11)), does_nothing("d")
    )

    this.scheduler.play_scenarios()

    assert this.announced == ["w", "b", "c", "w", "d"]
    assert this.clock.waits == [11]
    assert this.scheduler.progress.done == ("b", "c", "w", "d")


def test_what_still_waits_at_the_end_is_waited_for() -> None:
    """As long as is left; its exchanges say how long that was in all."""
    log: list[float] = []
    this = world(waiting(times=2, log=log), scenario("b", lambda api: api.client.clock.wait(4)))

    this.scheduler.play_scenarios()
    this.scheduler.finish()

    assert this.clock.now() == 20
    assert log == [10.0, 20.0]
    assert this.confirmation.settled[-1] == (["LEASE-3"], "w", 0, False)


def test_a_run_that_is_measured_by_requests_goes_on_after_two_other_scenarios() -> None:
    """However fast they were, so that the order of requests is the same in each run."""
    this = world(
        waiting(), *(does_nothing(name) for name in "bcde"), limits=Limits(requests=100), steady=True
    )

    this.scheduler.play_scenarios()

    assert this.announced == ["w", "b", "w", "c", "d", "e"]
    assert this.clock.now() == 10


def test_a_scenario_that_would_wait_beyond_the_end_masks_its_rules() -> None:
    """Its suspicions are tried in the time that is kept for that."""

    def play(api: Api) -> Iterator[float]:
        api.sequence.suspect(suspicious("LEASE-7"))
        yield SECONDS + 1

    this = world(scenario("w", play, "LEASE-3"))

    this.scheduler.play_scenarios()
    this.scheduler.finish()

    assert this.masked == {"LEASE-3": "the time was up"}
    assert this.confirmation.postponed == [(["LEASE-7"], "the time was up")]
    assert ("settle postponed", 0.0) in this.confirmation.calls


def test_a_run_for_single_rules_waits_for_them_before_anything_else() -> None:
    """It ends as soon as each has spoken."""
    this = world(waiting("LEASE-3"), only=frozenset({"LEASE-3"}))

    this.scheduler.play_scenarios()

    assert this.clock.now() == 10
    assert this.confirmation.settled == [(["LEASE-3"], "w", 0, False)]


def test_the_scenario_of_long_leases_comes_second_where_it_is_waited_for() -> None:
    """It waits longest, so that all others are played meanwhile."""
    this = world(does_nothing("a"), does_nothing("b"), wait=20.0)

    this.scheduler.play_scenarios()

    assert this.announced == ["a", "leases of the length that every destination has", "b"]


# Slow answers


def slow_at(this: World) -> None:
    this.judge.note_slow(replace(exchange(MODACK, 409), back=1.5))


def test_slow_requests_are_sent_again_once_in_a_run() -> None:
    """As soon as one was slow."""
    this = world(does_nothing("a"), does_nothing("b"))
    slow_at(this)

    this.scheduler.play_scenarios()

    scopes = [scope for scope, _ in this.presence.sequences]
    assert scopes == ["a", requests.slow.initials, "b"]


def test_a_steady_run_sends_nothing_because_an_answer_was_slow() -> None:
    """It says that it did not look into it."""
    this = world(does_nothing("a"), steady=True)
    slow_at(this)

    this.scheduler.play_scenarios()

    assert len(this.presence.sequences) == 1
    assert this.judge.ledger.doubtful == {
        "HTTP-6": "an answer took longer, and what a gate sends does not depend on time"
    }
