"""Interference is never held against the target, and never makes a run green."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from contracts import Target
from contracts.core.events import Event, PhaseStarted
from tests.clocks import VirtualClock
from tests.contracts.disturbed import after_the_scenarios, disturbed
from tests.contracts.runs import KEYS, URL, judged, judged_in_process
from tests.mutants import ConformingServer, interferences
from tests.mutants.interferences import Interference, Restarting

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[VirtualClock], WSGIApplication]:
    """Make an application that gives every request the same answer; names of headers have `_` for `-`."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]

    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response(f"{status} {HTTPStatus(status).phrase}", [*named, ("Content-Length", str(len(body)))])
        return [body]

    return lambda _: app


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "refuses the key $ARKLOW_API_KEY: every operation is answered with 401"),
        (403, "refuses the key"),
        (429, "answers nothing but 429, which is a gateway or a limit"),
        (502, "answers nothing but 502"),
        (503, "answers nothing but 503"),
        (504, "answers nothing but 504"),
        (404, f"None of the operations is at {URL}"),
        (302, "redirects everything to nowhere: give the URL that answers itself"),
    ],
)
def test_a_target_with_one_answer_to_everything_is_inconclusive(status: int, why: str) -> None:
    """One sentence says why, after no more than fifteen requests."""
    run = judged_in_process(answering(status))

    assert run.exit_code == 3
    assert why in (run.inconclusive or "")
    assert run.requests <= 15


def test_a_target_that_lets_nothing_go_for_an_hour_is_inconclusive() -> None:
    """It is not waited for."""
    run = judged_in_process(answering(429, Retry_After="3600"))

    assert (run.exit_code, run.requests) == (3, 1)
    assert run.inconclusive == (
        "The target asked to be left alone for 3600 s (Retry-After), and 20 s were left: "
        "allow more with --wait-for or --max-time, or send more slowly with --rate."
    )


@pytest.mark.slow
def test_a_target_that_is_not_there_is_inconclusive() -> None:
    """No server listens on the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    run = judged(f"http://127.0.0.1:{port}")

    assert (run.exit_code, run.inconclusive) == (
        3,
        f"http://127.0.0.1:{port} could not be reached within 12 s (--wait-for): connection refused.",
    )


def refusing(_: VirtualClock) -> WSGIApplication:
    """Make what refuses connections."""

    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise ConnectionRefusedError(111, "Connection refused")

    return app


def silent(clock: VirtualClock) -> WSGIApplication:
    """Make what never answers."""

    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        clock.wait(1e9)
        return []

    return app


@pytest.mark.parametrize(
    ("make", "kind", "tries"),
    [(refusing, "connection refused", 6), (silent, "no answer in time", 2)],
    ids=["refuses", "is silent"],
)
def test_a_target_that_cannot_be_reached_is_given_up_after_twelve_seconds(
    make: Callable[[VirtualClock], WSGIApplication], kind: str, tries: int
) -> None:
    """A cold start takes ten."""
    clocks: list[VirtualClock] = []

    def kept(clock: VirtualClock) -> WSGIApplication:
        clocks.append(clock)
        return make(clock)

    run = judged_in_process(kept)

    assert run.exit_code == 3
    assert (run.inconclusive or "").startswith(f"{URL} could not be reached within 12 s (--wait-for): {kind}")
    assert (run.requests, run.interference) == (tries, {kind: tries})
    assert clocks[0].now() <= 12.0


@pytest.mark.slow
@pytest.mark.parametrize("way", ["a body without end", "a head that comes byte by byte"])
def test_a_target_that_answers_without_end_is_given_up(way: str) -> None:
    """No answer holds a run, or fills its memory."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=drip, args=[connection], daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if way == "a body without end":
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
                while True:
                    connection.sendall(b" " * 65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nx-drip: ")
            while not over.wait(0.5):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        run = judged(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=3)
        over.set()

    assert run.exit_code == 3
    why = "no answer could be read: an answer of more than 8 MiB" if "body" in way else "could not be reached"
    assert why in (run.inconclusive or "")
    assert run.requests <= 6  # one for each try to reach the target


def test_a_second_key_that_is_refused_is_named() -> None:
    """The refusal leads to no finding."""
    run = judged_in_process(lambda clock: ConformingServer(keys={"good-key-one": "1"}, clock=clock))

    assert (run.exit_code, run.violations) == (3, ())
    assert "refuses the key $ARKLOW_SECOND_API_KEY for organisation 2" in (run.inconclusive or "")


class LocksOut(ConformingServer):
    """After thirty wrong keys every key is refused."""

    wrong = 0

    def org_of(self, key: str) -> str | None:
        org = super().org_of(key)
        self.wrong += org is None
        return org if self.wrong < 30 else None


def test_a_lockout_after_wrong_keys_leads_to_no_finding() -> None:
    """A careful deployment does that; what came before it was verified."""
    run = judged_in_process(lambda clock: LocksOut(clock=clock), latency=0.05)

    assert run.violations == ()
    assert run.requests > 200


def test_both_planes_may_be_below_paths_of_one_host() -> None:
    """As behind a gateway."""

    class Mounted(ConformingServer):
        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            for prefix in ("/control", "/in"):
                environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(prefix)
            return super().__call__(environ, start_response)

    target = Target(f"{URL}/control", f"{URL}/in", *KEYS)
    run = judged_in_process(lambda clock: Mounted(clock=clock), latency=0.02, target=target)

    assert (run.exit_code, run.violations) == (0, ())
    assert min(run.served.values()) >= 20


def test_a_target_that_accepts_nothing_is_inconclusive() -> None:
    """A run that verified nothing is not green, however proper the refusals are."""
    refusal = b'{"data":null,"errors":[{"code":"NO","message":"no"}]}'
    run = judged_in_process(answering(400, refusal), "LEASE-3", latency=0.05)

    assert (run.exit_code, run.inconclusive) == (3, "LEASE-3 could not be verified.")


def one_in_forty(status: int) -> Callable[[VirtualClock], Interference]:
    """Make a gateway that answers one request in forty by itself."""
    return lambda clock: interferences.failing(clock, 0.0, 1 / 40, status=status, body="html")


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_that_refuses_one_request_in_forty_leads_to_no_finding(status: int) -> None:
    """Scenarios are played again, and what was lost is counted as interference."""
    run, interference = disturbed(one_in_forty(status), latency=0.02)

    assert (run.violations, run.exit_code) == ((), 0)
    assert 5 < run.interference[str(status)] < len(interference.requests) / 20


def test_requests_that_are_generated_while_a_target_is_away_are_interference() -> None:
    """The target comes back; meanwhile it is tried twice a second, and by nothing but the judge."""
    titles: list[str] = []

    def heard(event: Event) -> None:
        if isinstance(event, PhaseStarted):
            titles.append(event.title)

    run, interference = disturbed(
        lambda clock: Restarting(clock, times=1, every=70.0, gone=10.0),
        latency=0.5,
        max_time=115.0,
        night=True,
        before=after_the_scenarios(),
        listeners=[heard],
    )

    assert "generated sequences" in titles
    assert (run.violations, run.inconclusive, run.exit_code) == ((), None, 0)
    assert 3 <= run.interference["connection refused"] <= 22
    assert interference.requests[-1].at - interference.began > 110.0
