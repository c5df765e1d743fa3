"""A run as its caller sees it: events in the caller's thread, and an end whatever the target or a listener does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import Plan, Run
from contracts.core.events import Advanced, Checkpoint, Event, Found, PhaseStarted, Progress, RunStarted
from contracts.openapi.document import PUBLISHED, load
from contracts.run.outcome import Outcome
from contracts.run.session import Message, Session
from contracts.transport.interference import Interference
from contracts.transport.throttle import Cancellation, Limits
from contracts.transport.wire import Reply, Request
from tests.clocks import VirtualClock
from tests.contracts.ports import Answer, ScriptedTransport, refused, reply
from tests.contracts.runs import target
from tests.waiting import PATIENCE, wait_until

NOT_THERE = Interference("connection refused")


def run(
    answer: Answer, *listeners: Callable[[Event], None], clock: VirtualClock | None = None, **members: Any
) -> Run:
    """A run against a function."""
    plan = Plan(target("http://target"), seed=7, **members)
    return Run(plan, *listeners, clock=clock or VirtualClock(), transport=ScriptedTransport(answer))


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_listeners_are_told_in_the_thread_of_the_caller() -> None:
    """From the start to the end, which is also returned."""
    events: list[Event] = []
    threads: set[threading.Thread] = set()

    def listen(event: Event) -> None:
        events.append(event)
        threads.add(threading.current_thread())

    finished = run(lambda _: NOT_THERE, listen).judge()

    assert names(events) == ["RunStarted", "PhaseStarted", "RunFinished"]
    assert events[-1] is finished
    assert threads == {threading.current_thread()}


def test_a_run_has_one_thread_of_its_own_in_which_everything_is_sent() -> None:
    """What observes its exchanges is called there as well."""
    threads: set[str] = set()

    def note() -> None:
        threads.add(threading.current_thread().name)

    def answer(_: Request) -> Reply:
        note()
        return refused(400)

    plan = Plan(target("http://target"), only=frozenset({"LIFE-13"}), max_time=1.0)
    transport = ScriptedTransport(answer)
    Run(plan, clock=VirtualClock(), transport=transport, observers=[lambda _: note()]).judge()

    assert len(threads) == 1
    assert threads != {threading.current_thread().name}


def test_a_target_that_answers_without_end_at_first_could_not_be_reached() -> None:
    """The run ends although its thread never comes back."""
    clock, over = VirtualClock(), threading.Event()

    def hang(_: Request) -> Reply:
        clock.wait(13.0 + 5.0 + 1.0)
        over.wait()
        return refused(400)

    finished = run(hang, clock=clock).judge()
    over.set()

    assert finished.inconclusive == "http://target could not be reached: it answers without end."
    assert (finished.exit_code, finished.requests) == (3, 1)
    assert finished.interference == {"an answer without end": 1}


def test_an_answer_without_end_costs_no_more_than_the_run_that_it_ends() -> None:
    """What was known before it stands, and it is counted as interference."""
    clock, over = VirtualClock(), threading.Event()
    answered: list[Request] = []

    def hang_later(request: Request) -> Reply:
        answered.append(request)
        if len(answered) == 40:
            clock.wait(60.0)
            over.wait()
        return refused(400)

    finished = run(hang_later, clock=clock, only=frozenset({"SAFE-1"}), max_time=20.0).judge()
    over.set()

    assert finished.interference == {"an answer without end": 1}
    assert finished.requests == 40
    assert finished.tested["SAFE-1"] >= 38


class WatchedClock(VirtualClock):
    """A clock that tells when the thread which made it looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = threading.Semaphore(0)
        self._maker = threading.current_thread()

    def now(self) -> float:
        if threading.current_thread() is self._maker:
            self.looks.release()
        return super().now()


def test_a_run_that_works_slowly_does_not_hang() -> None:
    """However late it is when the caller looks: only an answer can be without end."""
    clock = WatchedClock()
    seen: list[object] = []

    def work(exchange: object) -> None:
        seen.append(exchange)
        if len(seen) == 40:
            clock.wait(1_000.0)
            while clock.looks.acquire(blocking=False):
                pass
            assert all(clock.looks.acquire(timeout=PATIENCE) for _ in range(2))

    transport = ScriptedTransport(lambda _: refused(400))
    plan = Plan(target("http://target"), only=frozenset({"SAFE-1"}), max_time=20.0)
    finished = Run(plan, clock=clock, transport=transport, observers=[work]).judge()

    assert (finished.interference, finished.requests) == ({}, 40)
    assert transport.closed


def test_a_target_that_asks_for_more_time_than_the_first_contact_has_is_told() -> None:
    """Nothing waits for a minute that will not come."""
    clock = VirtualClock()

    finished = run(lambda _: reply(429, retry_after="60"), clock=clock).judge()

    why = (
        "The target asked to be left alone for 60 s (Retry-After), and 25 s were left: "
        "allow more with --wait-for or --max-time, or send more slowly with --rate."
    )
    assert (finished.exit_code, finished.inconclusive) == (3, why)
    assert clock.now() <= 13.0


def interrupting(kind: type[Event], times: int = 1) -> Callable[[Event], None]:
    """A listener that is interrupted by the user when it hears the first events of a kind."""
    left = [KeyboardInterrupt() for _ in range(times)]

    def listen(event: Event) -> None:
        if isinstance(event, kind) and left:
            raise left.pop()

    return listen


def test_a_run_that_is_interrupted_says_so_and_keeps_what_it_has() -> None:
    """Nothing more is sent: else this run would not end."""
    events: list[Event] = []
    clock = VirtualClock()
    sent: list[Request] = []

    def answer(request: Request) -> Reply:
        sent.append(request)
        clock.wait(0.01)
        return refused(400)

    finished = run(answer, events.append, interrupting(Advanced), clock=clock, max_time=1e12).judge()

    assert finished.inconclusive == "The run was interrupted."
    assert finished.requests == len(sent) > 0
    assert finished.interference == {}
    assert names(events)[-1] == "RunFinished"


def test_a_run_whose_caller_leaves_sends_nothing_more() -> None:
    """The user interrupts the end of an interrupted run too; its thread ends by itself."""
    clock, transport = VirtualClock(), ScriptedTransport(lambda _: refused(400))

    def answer(_: Request) -> Reply:
        clock.wait(0.3)
        return refused(400)

    transport.answer = answer
    plan = Plan(target("http://target"), max_time=1e12)
    leaving = interrupting(PhaseStarted | Advanced, 2)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        Run(plan, leaving, clock=clock, transport=transport).judge()

    wait_until(lambda: transport.closed, "the end of the run's thread")


@pytest.mark.parametrize("error", [RuntimeError("a defect"), SystemExit("a defect")], ids=["", "an exit"])
def test_a_defect_of_the_judge_ends_the_run_and_says_nothing_of_the_target(error: BaseException) -> None:
    """What was found before stands."""

    def fail(_: Request) -> Reply:
        raise error

    finished = run(fail).judge()

    assert (finished.exit_code, finished.requests) == (3, 1)
    assert "The judge itself failed" in (finished.inconclusive or "")
    assert f"{type(error).__name__}: a defect" in (finished.inconclusive or "")


def test_a_listener_that_fails_ends_the_run_and_says_nothing_of_the_target() -> None:
    """The failure is named with the place in the code where it came from."""
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, PhaseStarted):
            raise OSError("disk full")

    finished = run(lambda _: refused(400), listen, max_time=5.0).judge()

    assert (finished.inconclusive or "").startswith(
        "The judge itself failed, which says nothing of the target: OSError: disk full (test_engine.py:"
    )
    assert names(events) == ["RunStarted", "PhaseStarted", "RunFinished"]


def test_the_connections_are_closed_at_the_end() -> None:
    """By the run's own thread."""
    transport = ScriptedTransport(lambda _: NOT_THERE)

    Run(Plan(target("http://target")), clock=VirtualClock(), transport=transport).judge()

    assert transport.closed


def test_a_night_tells_what_there_is_before_it_begins_and_when_it_is_over() -> None:
    """So that whatever ends it, there is something to report and to resume."""
    events: list[Event] = []

    run(lambda _: NOT_THERE, events.append, night=True).judge()

    assert names(events) == ["RunStarted", "Checkpoint", "PhaseStarted", "Checkpoint", "RunFinished"]
    [first, last] = [event for event in events if isinstance(event, Checkpoint)]
    assert (
        first.run.inconclusive == last.run.inconclusive == "The run is not over, or was ended from outside."
    )
    assert (first.run.requests, last.run.requests) == (0, 6)


def test_a_resumed_run_begins_with_what_its_first_part_knew() -> None:
    """Its findings are told before anything else, and its trace is the same."""
    earlier = run(lambda _: refused(500), max_time=2.0, only=frozenset({"PAGE-8"})).judge()
    assert {one.rule for one in earlier.violations} == {"PAGE-8"}
    progress = Progress(done=("a",), masked={"ING-3": "the time was up"}, interpretations={"alias": "none"})
    events: list[Event] = []

    before = Checkpoint(earlier, progress)
    finished = run(lambda _: NOT_THERE, events.append, before=before, only=frozenset({"PAGE-8"})).judge()

    ids = [one.id for one in earlier.violations]
    assert names(events)[: len(ids) + 1] == [*["Found"] * len(ids), "RunStarted"]
    assert [event.finding.id for event in events if isinstance(event, Found)] == ids
    assert (finished.run_id, finished.requests) == (earlier.run_id, earlier.requests + 6)
    assert [one.id for one in finished.violations] == [one.id for one in earlier.violations]


def test_the_first_event_says_what_is_about_to_be_judged() -> None:
    """The target, the document, the seed and the time."""
    events: list[Event] = []

    finished = run(lambda _: NOT_THERE, events.append, max_time=5.0).judge()

    [started] = [event for event in events if isinstance(event, RunStarted)]
    assert (started.target, started.seed, started.max_time) == ("http://target", 7, 5.0)
    assert (started.document, started.digest) == (finished.document, finished.digest)


@pytest.mark.parametrize(("requests", "reserved"), [(100, 10), (9, 0)])
def test_a_tenth_of_the_requests_is_kept_for_examples(requests: int, reserved: int) -> None:
    """Everything else is used before the last part begins."""
    transport = ScriptedTransport(lambda _: refused(400))
    at_the_end: list[int] = []

    def post(message: Message) -> None:
        if isinstance(message, PhaseStarted) and message.title == "every finding again":
            at_the_end.append(len(transport.sent))

    plan = Plan(target("http://target"), limits=Limits(requests=requests), max_time=1e6, steady=True)
    document = load(PUBLISHED)
    Session(
        plan,
        document,
        Outcome(plan, document, datetime.now(UTC)),
        post,
        clock=VirtualClock(),
        transport=transport,
        cancellation=Cancellation(),
        observers=(),
        run_id="",
    ).judge()

    assert at_the_end == [requests - reserved]
    assert len(transport.sent) <= requests
