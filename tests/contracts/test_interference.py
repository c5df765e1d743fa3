"""Interference is never held against the target, and never makes a run green."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from contracts import Plan, Run, Target
from tests.contracts.runs import KEYS, judged
from tests.mutants import ConformingServer
from tests.serving import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def answering(status: int, body: bytes = b"") -> AbstractContextManager[str]:
    """Serve an application that gives every request the same answer; yields its URL."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Length", str(len(body)))])
        return [body]

    return serving(app)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "refuses the key $ARKLOW_API_KEY: every operation is answered with 401"),
        (403, "refuses the key"),
        (429, "answers nothing but 429, which is a gateway or a limit"),
        (502, "answers nothing but 502"),
        (503, "answers nothing but 503"),
        (504, "answers nothing but 504"),
        (404, "None of the operations is at http://127.0.0.1"),
        (302, "redirects everything to nowhere: give the URL that answers itself"),
    ],
)
def test_a_target_with_one_answer_to_everything_is_inconclusive(status: int, why: str) -> None:
    """One sentence says why."""
    with answering(status) as url:
        run = judged(url)

    assert run.exit_code == 3
    assert why in (run.inconclusive or "")


def test_a_target_that_is_not_there_is_inconclusive() -> None:
    """No server listens on the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    run = judged(f"http://127.0.0.1:{port}")

    assert (run.exit_code, run.inconclusive) == (
        3,
        f"http://127.0.0.1:{port} could not be reached: connection refused.",
    )


def test_a_target_that_never_answers_is_given_up_after_three_tries() -> None:
    """Each try takes three seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run = judged(f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert run.exit_code == 3
    assert "no answer in time" in (run.inconclusive or "")
    assert (run.requests, run.interference) == (3, {"no answer in time": 3})


@pytest.mark.parametrize("way", ["a body without end", "a head that comes byte by byte"])
def test_a_target_that_answers_without_end_is_given_up(way: str) -> None:
    """No answer holds a run, or fills its memory."""

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
            while True:
                connection.sendall(b"x")
                time.sleep(0.5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        run = judged(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=3)

    assert run.exit_code == 3
    assert "could not be reached" in (run.inconclusive or "")
    assert run.requests <= 3


def test_a_second_key_that_is_refused_is_named() -> None:
    """The refusal leads to no finding."""
    with serving(ConformingServer(keys={"good-key-one": "1"})) as url:
        run = judged(url)

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
    """A careful deployment does that."""
    with serving(LocksOut()) as url:
        run = judged(url, seconds=6)

    assert run.violations == ()


def test_both_planes_may_be_below_paths_of_one_host() -> None:
    """As behind a gateway."""

    class Mounted(ConformingServer):
        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            for prefix in ("/control", "/in"):
                environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(prefix)
            return super().__call__(environ, start_response)

    with serving(Mounted()) as url:
        target = Target(f"{url}/control", f"{url}/in", *KEYS)
        run = Run(Plan(target, max_time=4)).judge()

    assert (run.exit_code, run.violations) == (0, ())
    assert min(run.served.values()) >= 20


def test_a_target_that_accepts_nothing_is_inconclusive() -> None:
    """A run that verified nothing is not green, however proper the refusals are."""
    refusal = b'{"data":null,"errors":[{"code":"NO","message":"no"}]}'
    with answering(404, refusal) as url:
        run = judged(url, "LEASE-3", seconds=4)

    assert (run.exit_code, run.inconclusive) == (3, "LEASE-3 could not be verified.")


class BehindAGateway(ConformingServer):
    """Every fortieth request gets a 503 from a gateway."""

    requests = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.requests += 1
        if self.requests % 40:
            return super().__call__(environ, start_response)
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return []


def test_a_gateway_that_refuses_one_request_in_forty_leads_to_no_finding() -> None:
    """Scenarios are played again, and what was lost is counted as interference."""
    with serving(BehindAGateway()) as url:
        run = judged(url, seconds=8)

    assert run.violations == ()
    assert run.interference["503"] > 5
