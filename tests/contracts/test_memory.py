"""A run needs no more room for long answers than for short ones: what is kept of an answer that was judged is its beginning."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis.internal.charmap import intervals_from_codec

from contracts import Plan, Run, RunFinished
from contracts.checks.cross_check import CrossCheck
from contracts.core.exchange import LONG_ANSWER, LONG_ID, Exchange
from contracts.phases.random_walks import no_traces
from contracts.phases.requests import INGRESS
from contracts.transport.throttle import Limits
from tests.clocks import VirtualClock
from tests.contracts.changed import answer_of, with_length
from tests.contracts.disturbed import after_the_scenarios
from tests.contracts.in_process import InProcessTransport
from tests.contracts.runs import RUN_ID, URL, check_context, exchange, target
from tests.mutants import MUTANTS, ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONG = 1_000_000
"""Bytes by which answers are made longer."""
ALIVE = 40
"""Long answers that may be held at the same moment: those of one volley, and a few that are being judged."""


class Padding:
    """Makes the answers of an application longer, by a member that no page lists."""

    def __init__(self, app: WSGIApplication, pad: bytes) -> None:
        self._app = app
        self._pad = b',"pad":' + pad + b"}"
        self.sent = 0
        """Bytes of all answers."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, head, body = answer_of(self._app, environ)
        if body.endswith(b"}"):
            body = body[:-1] + self._pad
        self.sent += len(body)
        start_response(status, with_length(head, body))
        return [body]


def padded(
    pad: bytes, look: Callable[[], None], server: str = "plain", **members: Any
) -> tuple[RunFinished, Padding]:
    """Judge a server whose answers are made longer; `look` is called after each exchange."""
    clock = VirtualClock()
    app = Padding(ConformingServer(clock=clock) if server == "plain" else MUTANTS[server](clock=clock), pad)
    plan = Plan(**{"target": target(URL), "seed": 7, "max_time": 20.0, **members})
    run = Run(
        plan,
        clock=clock,
        transport=InProcessTransport(app, clock, 0.02),
        observers=[lambda _: look()],
        run_id=RUN_ID,
    )
    return run.judge(), app


def held() -> int:
    """Return the bytes of the answers of all exchanges that exist."""
    answers = {id(one.answer): len(one.answer) for one in gc.get_objects() if isinstance(one, Exchange)}
    return sum(answers.values())


@pytest.mark.slow
@pytest.mark.parametrize("part", ["scenarios", "walks and generated requests"])
@pytest.mark.parametrize("server", ["plain", "S05"])
def test_answers_of_a_run_are_not_kept_whole(server: str, part: str) -> None:
    """Neither by sequences, nor by findings, the cross-check or Schemathesis."""
    before, most, looks = held(), 0, 0

    def look() -> None:
        nonlocal most, looks
        looks += 1
        if looks % 25 == 0:
            most = max(most, held() - before)

    night = {} if part == "scenarios" else {"night": True, "before": after_the_scenarios()}
    _, app = padded(b'"' + b"x" * LONG + b'"', look, server, limits=Limits(requests=600), **night)

    assert app.sent > 300 * LONG
    assert most < ALIVE * LONG


@pytest.mark.slow
@pytest.mark.parametrize(
    "pad",
    [
        b'"' + b"x" * LONG + b'"',
        b"[" + b"[]," * (LONG // 30) + b"1]",
        b"[" * (LONG // 2) + b"]" * (LONG // 2),
    ],
    ids=["text", "lists", "deep"],
)
def test_the_room_that_a_run_needs_does_not_grow_with_its_answers(pad: bytes) -> None:
    """Whatever they are parsed to; a value takes up to thirty times the room of its text while it is judged."""
    rooms: list[int] = []

    def look() -> None:
        if len(rooms) % 10 == 0:
            gc.collect()
        rooms.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        padded(pad, look, limits=Limits(requests=300), steady=True, max_time=600.0)
    finally:
        tracemalloc.stop()

    assert len(rooms) > 200
    assert max(rooms) < 150 * LONG
    assert rooms[-1] - rooms[50] < ALIVE * LONG


def test_a_long_answer_is_cut_and_says_how_long_it_was() -> None:
    """Its ids are kept, as examples need them; of what is no envelope nothing is. A short answer stays as it is."""
    short = exchange(INGRESS, 200, b"{}")
    text = b'{"data":{"a_id":"471"},"pad":"' + b"x" * LONG_ANSWER + b'"}'
    long = exchange(INGRESS, 200, text, x_long="y" * 2 * LONG_ANSWER)
    kept = long.abridged()

    assert short.abridged() is short
    assert (len(kept.answer), kept.issued_id) == (4_000, "471")
    assert kept.data() == long.data() == {"a_id": "471"}
    assert kept.whole.startswith(f"{len(text):,} bytes, SHA-256 ")
    assert sum(len(value) for _, value in kept.answer_headers) < LONG_ANSWER
    assert replace(short, answer=b"[" + b"1," * LONG_ANSWER + b"1]").abridged().is_unreadable
    assert kept.abridged() is kept


def test_an_id_that_is_too_long_to_be_used_is_none() -> None:
    """Requests would carry it, and the run would remember it."""
    for length, known in ((LONG_ID, True), (LONG_ID + 1, False)):
        answer = b'{"data":{"a_id":"' + b"7" * length + b'","queue_s":"queued"}}'
        assert ("a_id" in exchange(INGRESS, 200, answer).data()) is known


def test_the_cross_check_keeps_short_answers_up_to_a_bound() -> None:
    """Longer ones are counted and not asked about."""
    check = CrossCheck(check_context())
    one = exchange(INGRESS, 200, b"{}")
    for number in range(2_000):
        check.hear(replace(one, answer=b'{"data":{"n%d":"%s"}}' % (number, b"x" * 15_000)))
    check.hear(replace(one, answer=b"[" + b"1," * 50_000 + b"1]"))

    assert check.answers == 2_001
    assert sum(len(kept.answer) for kept in check._kept) <= 2_000_000


def test_the_characters_of_utf8_are_not_found_out_anew_in_each_run() -> None:
    """That takes Hypothesis 200 MB; it finds the table that is written for it."""
    intervals_from_codec.cache_clear()
    tracemalloc.start()
    try:
        with no_traces():
            encodable, lossy = intervals_from_codec("utf-8")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (encodable.intervals, lossy.intervals) == (((0, 0xD7FF), (0xE000, sys.maxunicode)), ())
    assert most < LONG
