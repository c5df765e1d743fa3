"""A budget is never passed: what goes over the wire is counted by the server, whatever the run does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from contracts.transport.interference import CUT_OFF, Interference
from contracts.transport.throttle import Limits, Throttle, TimeUp
from contracts.transport.wire import Request
from tests.clocks import VirtualClock
from tests.contracts.disturbed import after_the_scenarios, disturbed
from tests.contracts.ports import ScriptedTransport, accepted, reply
from tests.contracts.runs import client, judged_in_process
from tests.mutants import MUTANTS, ConformingServer, interferences

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WORK = Request("POST", "/v1/ingress/order.created", (), b"{}")


class Counting:
    """Counts the requests that come, and what they make."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self.requests = 0
        self.made = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.requests += 1
        body = b"".join(self._app(environ, start_response))
        self.made += b'"a_id"' in body or (environ["REQUEST_METHOD"] == "PUT" and b'"org_id"' in body)
        return [body]


Make = Callable[[VirtualClock], "WSGIApplication"]
TARGETS: dict[str, Make] = {
    "plain": lambda clock: ConformingServer(clock=clock),
    "with a fault": lambda clock: MUTANTS["S05"](clock=clock),
    "with a race": lambda clock: MUTANTS["S24"](clock=clock),
    "limited": lambda clock: interferences.limited(clock, 5),
    "cut off": lambda clock: interferences.cutting(clock, one_in=4),
    "a gateway that fails": lambda clock: interferences.failing(clock, 0.0, 0.3, status=502),
    "restarted": lambda clock: interferences.Restarting(clock, every=0.2),
    "failing": lambda clock: interferences.failing(clock, 0.0, 0.5),
}


def counted(make: Make, **members: Any) -> Counting:
    """Judge a target, and return what has come to it."""
    made: list[Counting] = []

    def kept(clock: VirtualClock) -> WSGIApplication:
        made.append(Counting(make(clock)))
        return made[0]

    judged_in_process(kept, max_time=60.0, **members)
    return made[0]


@pytest.mark.parametrize("steady", [False, True], ids=["check", "gate"])
@pytest.mark.parametrize("most", range(1, 41))
def test_no_more_requests_are_sent_than_the_budget_has(most: int, steady: bool) -> None:
    """Calls at the same moment count each by itself."""
    assert counted(TARGETS["plain"], limits=Limits(requests=most), steady=steady).requests <= most


@pytest.mark.parametrize("target", [one for one in TARGETS if one != "plain"])
@pytest.mark.parametrize("steady", [False, True], ids=["check", "gate"])
def test_the_budget_holds_whatever_a_target_does(target: str, steady: bool) -> None:
    """Retries, looks at a target that suffers or is away, and findings again, all of them count."""
    passed = {
        most: sent
        for most in (2, 9, 17, 30, 60, 100)
        if (sent := counted(TARGETS[target], limits=Limits(requests=most), steady=steady).requests) > most
    }

    assert passed == {}


@pytest.mark.parametrize("target", TARGETS)
def test_no_more_is_made_than_the_budget_of_writes_has(target: str) -> None:
    """Each call of many at the same moment counts, and so does one whose answer is lost."""
    passed = {
        most: made
        for most in (1, 3, 8, 17, 30)
        if (made := counted(TARGETS[target], limits=Limits(writes=most)).made) > most
    }

    assert passed == {}


@pytest.mark.parametrize("most", [1, 20])
def test_a_night_keeps_its_budget_too(most: int) -> None:
    """In walks and generated requests."""
    _, server = disturbed(
        interferences.Interference, night=True, before=after_the_scenarios(), limits=Limits(requests=most)
    )

    assert len(server.requests) <= most


@pytest.mark.parametrize("most", [10, *range(50, 90, 3)])
def test_a_budget_that_ends_among_requests_at_the_same_moment_is_kept(most: int) -> None:
    """A run for races alone sends the first sixteen of them after fifty others."""
    races = frozenset({"RACE-1"})

    assert counted(TARGETS["with a race"], limits=Limits(requests=most), only=races).requests <= most


@pytest.mark.parametrize("most", range(8, 60, 5))
def test_a_budget_of_writes_that_ends_among_requests_at_the_same_moment_is_kept(most: int) -> None:
    """Each of them makes something."""
    assert counted(TARGETS["plain"], limits=Limits(writes=most), only=frozenset({"ING-7"})).made <= most


def throttled(**limits: int) -> Throttle:
    return Throttle(Limits(**limits), VirtualClock())


def test_requests_at_the_same_moment_that_would_pass_the_budget_are_not_sent() -> None:
    """Those that do not pass it may go, to the last one."""
    throttle = throttled(requests=10)
    throttle.admit(6)
    with pytest.raises(TimeUp, match="the budget of 10 requests does not allow 5 more at the same moment"):
        throttle.admit(5)

    throttle.admit(4)
    with pytest.raises(TimeUp, match="the budget of 10 requests was used up"):
        throttle.admit()


def test_writes_at_the_same_moment_that_would_pass_the_budget_are_not_sent() -> None:
    """Calls that make nothing may go."""
    made = client(
        "http://target", clock=VirtualClock(), transport=ScriptedTransport(lambda _: accepted(a_id="1"))
    )
    made.throttle.limits = Limits(writes=3)
    made.volley([WORK] * 2)
    with pytest.raises(TimeUp, match="the budget of 3 writes does not allow 2 more at the same moment"):
        made.volley([WORK] * 2)

    made.volley([Request("POST", "/v1/modack"), WORK])
    assert made.throttle.spent == "the budget of 3 writes was used up"


@pytest.mark.parametrize("answer", [Interference(CUT_OFF), reply(502), reply(500)])
@pytest.mark.parametrize("way", ["send", "volley"])
def test_a_write_of_which_no_answer_tells_counts(answer: Any, way: str) -> None:
    """It may have been made."""
    made = client("http://target", clock=VirtualClock(), transport=ScriptedTransport(lambda _: answer))
    for request in (WORK, Request("POST", "/v1/modack")):
        with suppress(Interference):
            made.send(request) if way == "send" else made.volley([request])

    assert made.throttle.made == 1
