"""A run says what it waits for, so that a person does not take it for one that hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.core.events import Event, Waiting
from tests.clocks import VirtualClock
from tests.contracts.runs import judged_in_process
from tests.mutants import ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def limited(clock: VirtualClock) -> WSGIApplication:
    """Make a conforming deployment that refuses its fifteenth request as one too many, for twelve seconds."""
    server, answers = ConformingServer(clock=clock), iter(["served"] * 14 + ["refused"])

    def answer(environ: dict[str, Any], start: Any) -> Any:
        if next(answers, "served") == "served":
            return server(environ, start)
        start("429 Too Many Requests", [("retry-after", "12"), ("content-length", "0")])
        return [b""]

    return answer


def test_a_run_says_what_it_waits_for() -> None:
    """A rate limit of the target, and a lease that has to run out; no short wait is told."""
    waits: list[Waiting] = []

    def hear(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event)

    judged_in_process(limited, "LEASE-8", listeners=[hear], wait=75.0, max_time=120.0)

    assert {wait.why for wait in waits} >= {"the target's rate limit", "a lease to run out"}
    assert all(wait.seconds >= 2 for wait in waits)
