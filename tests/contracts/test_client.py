"""The client: what an exchange has, when nothing may be sent, what is sent again, and what counts as interference."""

from __future__ import annotations

import math
from typing import Any

import pytest

from contracts.core.target import Admin, ConnectionOptions, ExtraHeader, Target
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.transport.client import TIMEOUT, Client
from contracts.transport.clock import AdminClock, SystemClock
from contracts.transport.interference import Interference, UnusableAnswer
from contracts.transport.throttle import Allowance, Cancellation, Limits, TimeUp
from contracts.transport.wire import Reply, Request
from tests.clocks import FIRST_TIME, VirtualClock
from tests.contracts.ports import Answer, ScriptedTransport, accepted, reply
from tests.contracts.recorder import OK, recording
from tests.contracts.runs import KEYS, client

KEY = ("x-arklow-auth", "good-key-one")
PLAIN = Request("GET", "/v1/modack")
WAYS = ["send", "volley"]


class World:
    """A client, the clock that it goes by, and the transport that carries its requests."""

    def __init__(self, answer: Answer = lambda _: accepted(), **members: Any) -> None:
        self.clock = VirtualClock()
        self.transport = ScriptedTransport(answer)
        self.client = client("http://target", clock=self.clock, transport=self.transport, **members)

    def send(self, way: str, request: Request = PLAIN) -> None:
        self.client.send(request) if way == "send" else self.client.volley([request])


# Exchanges


def test_an_exchange_has_what_was_sent_and_what_was_answered() -> None:
    """And the operation of its path and method, and when it was sent."""
    headers = (("X-A", "1"), ("X-A", "2"))
    world = World(lambda _: Reply(409, headers, b"null", 5.0, 7.0))
    exchange = world.client.send(Request("POST", "/v1/modack?a=b", (KEY,), b"{}", (1,)), 1.5)

    assert (exchange.method, exchange.url, exchange.headers, exchange.body) == (
        *("POST", "http://target/v1/modack?a=b"),
        *((KEY,), b"{}"),
    )
    assert (exchange.status, exchange.answer_headers, exchange.answer) == (409, headers, b"null")
    assert (exchange.operation, exchange.path) == (MODACK, "/v1/modack")
    assert (exchange.call, exchange.back, exchange.waited, exchange.chunks) == (5.0, 7.0, 1.5, (1,))
    assert exchange.at == FIRST_TIME - 2.0  # as the answer took two seconds
    assert exchange.trace == f"00-{world.client.trace}-{1:016x}-01"


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("PUT", "/v1/orgs/1/actions/definitions", PUT),
        ("POST", "/v1/ingress/a%2Fb", INGRESS),
        ("GET", "/v1/ingress/a", None),
        ("POST", "/v1/elsewhere", None),
    ],
)
def test_an_exchange_knows_its_operation(method: str, path: str, operation: str | None) -> None:
    """By its path and method."""
    assert World().client.send(Request(method, path)).operation == operation


def test_each_request_has_a_number_in_the_trace_of_the_run() -> None:
    """Those of a volley too, and an earlier part of the run may have named it."""
    world = World(trace="ab" * 16)
    traces = [world.client.send(PLAIN).trace]
    traces += [one.trace for one in world.client.volley([PLAIN] * 2) if one]

    assert traces == [f"00-{'ab' * 16}-{number:016x}-01" for number in (1, 2, 3)]
    assert world.client.requests == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_caller_is_told_before_a_request_is_sent_and_after_its_answer(way: str) -> None:
    """It was let go by then, and counts; its answer has ten seconds."""
    told: list[tuple[float | None, int, int]] = []
    world: World

    def tell(by: float | None) -> None:
        told.append((by, world.client.requests, len(world.transport.sent)))

    world = World(awaiting=tell)
    world.clock.wait(2)
    world.send(way)

    assert told == [(12.0, 1, 0), (None, 1, 1)]


def test_a_request_without_an_answer_is_an_exchange_of_status_0() -> None:
    """At the present moment."""
    world = World()
    world.clock.wait(3)

    exchange = world.client.unanswered(PLAIN)

    assert (exchange.status, exchange.answer, exchange.call, exchange.back) == (0, b"", 3.0, 3.0)


def test_headers_of_the_target_go_with_every_message_and_are_in_no_exchange() -> None:
    """They do not replace those of a request, but they do replace the name of the judge."""
    messages = []

    class Seen(ScriptedTransport):
        def send(self, message, timeout):  # type: ignore[no-untyped-def]
            messages.append(message)
            return super().send(message, timeout)

    options = ConnectionOptions(
        (ExtraHeader("x-gate", "s3cret", "GATE"), ExtraHeader("User-Agent", "gateway/1", "AGENT"))
    )
    target = Target("http://a", "http://b", *KEYS, connection=options)
    made = Client(target, lambda *_: (None, None), clock=VirtualClock(), transport=Seen(lambda _: accepted()))
    exchange = made.send(Request("POST", "/v1/ingress/v", (("X-Gate", "mine"),)))
    made.send(Request("PUT", "/v1/orgs/1/actions/definitions"))

    assert [
        (name, value) for name, value in messages[0].headers if name.lower() in ("x-gate", "user-agent")
    ] == [
        ("X-Gate", "mine"),
        ("x-gate", "s3cret"),
        ("User-Agent", "gateway/1"),
    ]
    assert exchange.headers == (("X-Gate", "mine"),)
    assert [message.base for message in messages] == ["http://b", "http://a"]


# Interference


@pytest.mark.parametrize("status", [429, 502, 503, 504, 520, 530])
def test_a_status_of_gateways_and_limits_is_interference(status: int) -> None:
    """It is interference, whatever server gave it; each is counted."""
    world = World(lambda _: reply(status))
    with pytest.raises(Interference, match=str(status)):
        world.client.send(PLAIN)
    assert world.client.volley([PLAIN] * 2) == [None, None]

    tries = 3 if status == 429 else 1  # what a rate limit refuses is sent again
    assert world.client.interference == {str(status): tries + 2}
    assert len(world.transport.sent) == tries + 2


def test_what_a_rate_limit_refuses_is_sent_again_when_it_may() -> None:
    """After the seconds that it asks for."""
    answers = [reply(429, retry_after="7"), accepted()]
    world = World(lambda _: answers.pop(0))

    assert world.client.send(PLAIN).status == 200
    assert world.clock.now() == 7.0
    assert world.client.interference == {"429": 1}


def test_a_limit_that_refuses_calls_of_a_volley_is_kept_by_the_next_requests() -> None:
    """The calls themselves are not sent again."""
    world = World(lambda _: reply(429, retry_after="5"))
    assert world.client.volley([PLAIN] * 2) == [None, None]
    world.transport.answer = lambda _: accepted()

    assert world.client.send(PLAIN).status == 200
    assert (world.clock.now(), len(world.transport.sent)) == (5.0, 3)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [Interference, UnusableAnswer])
def test_what_keeps_an_answer_from_arriving_is_counted_by_its_kind(
    kind: type[Interference], way: str
) -> None:
    """Beside what an earlier part of the run has met."""
    world = World(lambda _: kind("connection cut off"), interference={"connection cut off": 4, "503": 1})
    if way == "send":
        with pytest.raises(Interference, match="connection cut off"):
            world.send(way)
    else:
        assert world.client.volley([PLAIN]) == [None]

    assert world.client.interference == {"connection cut off": 5, "503": 1}


def test_connections_that_cannot_be_made_are_interference_of_a_whole_volley() -> None:
    """Nothing was sent."""

    class Unconnected(ScriptedTransport):
        def send_together(self, messages, timeout):  # type: ignore[no-untyped-def]
            raise Interference("connection refused")

    made = client("http://target", clock=VirtualClock(), transport=Unconnected(lambda _: accepted()))
    with pytest.raises(Interference, match="connection refused"):
        made.volley([PLAIN] * 3)

    assert made.interference == {"connection refused": 1}


def test_drops_and_the_end_of_connections_are_those_of_the_transport() -> None:
    """The client only passes them on."""
    world = World()
    world.transport.drops = 3
    world.client.close()

    assert (world.client.drops, world.transport.closed) == (3, True)


# Time


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_sent_after_the_end_of_the_run(way: str) -> None:
    """No request reaches the target, and none is counted."""
    world = World()
    world.client.throttle.allow(Allowance(deadline=0.0))
    with pytest.raises(TimeUp):
        world.send(way)

    assert (world.transport.sent, world.client.requests) == ([], 0)


@pytest.mark.parametrize(
    ("asked", "left", "given"), [(math.inf, 4.0, 4.0), (3.0, 4.0, 3.0), (TIMEOUT, math.inf, 10.0)]
)
def test_an_answer_is_waited_for_no_longer_than_the_run_goes_on(
    asked: float, left: float, given: float
) -> None:
    """However long the caller would wait."""
    world = World()
    world.client.throttle.allow(Allowance(deadline=left))

    world.client.send(PLAIN, timeout=asked)

    assert world.transport.timeouts == [pytest.approx(given)]


def test_an_answer_that_the_end_of_the_run_cuts_off_is_no_interference() -> None:
    """The target might have answered in time."""
    world = World()

    def slow(_: Request) -> Interference:
        world.clock.wait(5)
        return Interference("no answer in time")

    world.transport.answer = slow
    world.client.throttle.allow(Allowance(deadline=5.0))
    assert world.client.volley([PLAIN]) == [None]
    world.client.throttle.allow(Allowance(deadline=10.0))
    with pytest.raises(TimeUp):
        world.client.send(PLAIN)

    assert world.client.interference == {}


def test_a_wait_beyond_the_end_of_the_run_is_refused() -> None:
    """At once, and not when the time is up."""
    world = World()
    world.client.throttle.allow(Allowance(deadline=5.0))
    world.client.wait(2)
    world.client.wait(0)
    world.client.wait(-1)

    with pytest.raises(TimeUp):
        world.client.wait(4)

    assert world.clock.now() == 2


def test_a_run_that_is_cancelled_sends_nothing_more() -> None:
    """It says why."""
    cancellation = Cancellation()
    world = World(cancellation=cancellation, limits=Limits())
    cancellation.cancel(100.0, "the run was interrupted")

    with pytest.raises(TimeUp, match="the run was interrupted"):
        world.client.send(PLAIN)


# The clock of a mock


MOVED = OK.replace(b"Length: 2\r\n\r\n{}", b'Length: 12\r\n\r\n{"data": {}}')
"""The answer of an admin plane."""


def with_admin_plane(url: str, clock: VirtualClock) -> Client:
    """A client whose target has an admin plane, which is the server at the URL."""
    return client(
        url, admin=Admin(url, "token"), clock=clock, transport=ScriptedTransport(lambda _: accepted())
    )


def test_a_wait_moves_the_clock_of_a_target_with_an_admin_plane() -> None:
    """The client's clock goes with it, and no time passes; nor is the end of the run in the way."""
    clock = VirtualClock()
    with recording(MOVED) as recorder:
        made = with_admin_plane(recorder.url, clock)
        made.throttle.allow(Allowance(deadline=5.0))
        made.wait(3_600)

    head, _, body = recorder.got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /organisations/1/clock/advance HTTP/1.1")
    assert b"Authorization: Bearer token" in head
    assert b"Content-Type: application/json" in head
    assert body == b'{"seconds": 3600}'
    assert (made.now(), clock.now(), clock.waits) == (3_600.0, 0.0, [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (OK.replace(b"200 OK", b"404 No"), "the admin plane answers 404"),
        (OK.replace(b"200 OK", b"307 No\r\nLocation: /"), "the admin plane answers 307"),
        (OK, "the admin plane answers 200, and with no clock"),
        (b"no HTTP at all\r\n\r\n", "the admin plane: an answer that is not HTTP"),
    ],
)
def test_an_admin_plane_that_does_not_move_its_clock_is_interference(answer: bytes, why: str) -> None:
    """The client's clock stays where it was."""
    with recording(answer) as recorder:
        made = with_admin_plane(recorder.url, VirtualClock())
        with pytest.raises(Interference, match=f"^{why}$"):
            made.wait(3_600)

    assert (made.now(), made.interference) == (0.0, {why: 1})


def test_an_admin_clock_dates_exchanges_by_the_other_clock() -> None:
    """However far it was moved."""
    clock = VirtualClock()
    with recording(MOVED) as recorder:
        admin = AdminClock(Admin(recorder.url, "token"), "42", clock)
        admin.wait(60)
        admin.wait(0.5)
    clock.wait(1)

    assert [head.split(b" ")[1] for head in recorder.got] == [b"/organisations/42/clock/advance"] * 2
    assert (admin.now(), admin.unix_time()) == (61.5, FIRST_TIME + 1)


def test_the_clock_of_the_machine_goes_on_and_never_back() -> None:
    """It waits as long as it is told, and knows the date."""
    clock = SystemClock()
    before = clock.now()
    clock.wait(0)

    assert clock.now() >= before
    assert clock.unix_time() > 1_700_000_000
