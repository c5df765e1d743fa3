"""The phases of Schemathesis in a run: which ones follow each other, what they send, and when they end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from contracts.core.ledger import Ledger
from contracts.core.target import ConnectionOptions, Target
from contracts.openapi.document import LINKED, PUBLISHED, load
from contracts.oracle.judge import Judge
from contracts.phases.schemathesis_hooks import Aim
from contracts.phases.schemathesis_run import generate
from contracts.transport.client import Client
from contracts.transport.interference import Interference
from contracts.transport.throttle import Limits
from contracts.transport.wire import Message, Reply, Request
from tests.clocks import VirtualClock
from tests.contracts.gateways import HEADER
from tests.contracts.ports import Answer, ScriptedTransport, refused
from tests.contracts.runs import KEYS, URL, check_context

PREFIX = "contract.test."
NEVER: Callable[[], bool] = lambda: False  # noqa: E731


class Wire(ScriptedTransport):
    """Remembers whole messages, with the headers that the client adds."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.messages: list[Message] = []

    def send(self, message: Message, timeout: float) -> Reply:
        self.messages.append(message)
        return super().send(message, timeout)


class World:
    """What is aimed at, and what the phases have announced."""

    def __init__(self, answer: Answer = lambda _: refused(400), limits: Limits | None = None) -> None:
        self.clock = VirtualClock()
        self.wire = Wire(answer)
        document = load(PUBLISHED)
        target = Target(URL, URL, *KEYS, connection=ConnectionOptions((HEADER,)))
        client = Client(
            target,
            lambda method, url: document.locate(method, url, {URL}),
            limits,
            clock=self.clock,
            transport=self.wire,
        )
        self.aim = Aim(client, Judge(check_context(), Ledger()), PREFIX)
        self.announced: list[str] = []

    def generate(self, each: int, most: int, content: Any = None, seed: int = 7) -> None:
        """Let each phase send so many requests, and all of them `most`."""
        client = self.aim.client

        def share(parts: int) -> Callable[[], bool]:
            end = client.requests + each
            return lambda: client.requests >= end

        generate(
            load(LINKED).content if content is None else content,
            self.aim,
            seed,
            self.announced.append,
            lambda: client.requests >= most,
            share,
        )


def only(path: str) -> dict[str, Any]:
    """Return the published document with one of its paths."""
    content = load(PUBLISHED).content
    return {**content, "paths": {path: content["paths"][path]}}


def lines(world: World) -> list[tuple[str, str, bytes | None]]:
    """Return method, path and body of each request."""
    return [(one.method, one.path, one.body) for one in world.wire.sent]


def test_phases_follow_each_other_and_the_edges_are_tried_once() -> None:
    """Each has its share; in a second round what is generated is generated anew."""
    world = World()
    world.generate(each=4, most=20)

    assert world.announced == [
        *("edges of every schema", "generated requests", "generated sequences"),
        *("generated requests", "generated sequences"),
    ]
    assert 20 <= world.aim.client.requests <= 22


def test_requests_have_the_key_and_the_organisation_of_the_target() -> None:
    """And the headers that go with every request, which no judged exchange shows."""
    world = World()
    heard: list[str] = []
    world.aim.judge.listen(lambda exchange: heard.extend(name.lower() for name, _ in exchange.headers))
    world.generate(each=10, most=10, content=only("/v1/orgs/{org_id}/actions/definitions"))

    assert len(world.wire.messages) >= 10
    assert all(HEADER.value in dict(one.headers).values() for one in world.wire.messages)
    assert any(("x-arklow-auth", "good-key-one") in one.headers for one in world.wire.messages)
    assert {"x-arklow-auth"} <= set(heard)
    assert HEADER.name not in heard
    assert "/v1/orgs/1/actions/definitions" in {path for _, path, _ in lines(world)}


def test_the_same_seed_generates_the_same_requests() -> None:
    """And another one others."""
    one, again, other = World(), World(), World()
    for world, seed in ((one, 7), (again, 7), (other, 8)):
        world.generate(each=8, most=16, content=only("/v1/modack"), seed=seed)

    assert lines(one) == lines(again)
    assert lines(one) != lines(other)


def test_a_budget_that_is_used_up_ends_the_phases() -> None:
    """No request is sent beyond it, and none is lost."""
    world = World(limits=Limits(requests=5))
    world.generate(each=100, most=6, content=only("/v1/modack"))

    assert len(world.wire.sent) == 5


def test_a_target_that_is_away_is_waited_for_and_tried_again() -> None:
    """For half a second after each request but the first that a phase loses."""
    world = World(lambda _: Interference("connection refused"))
    world.generate(each=3, most=9)

    assert world.clock.waits == [0.5] * 6
    assert world.aim.client.interference == {"connection refused": world.aim.client.requests}


def test_a_document_without_a_body_to_generate_ends_at_once() -> None:
    """A round in which nothing was sent is the last one."""
    content = {"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}}
    world = World()
    world.generate(each=3, most=9, content=content)

    assert world.wire.sent == []
    assert world.announced == ["edges of every schema", "generated requests", "generated sequences"]


def test_a_defect_of_the_judge_ends_the_phases_and_is_not_hidden() -> None:
    """It is raised, as it says nothing of the target; no thread is left that would send more."""
    world = World()

    def broken(_: Request) -> Reply:
        raise ZeroDivisionError("a defect")

    world.wire.answer = broken
    with pytest.raises(ZeroDivisionError):
        world.generate(each=3, most=9)

    assert [one.name for one in threading.enumerate() if one.name.startswith("schemathesis")] == []
