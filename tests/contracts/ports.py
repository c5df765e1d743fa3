"""What stands for the wire in tests: a target that is a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contracts.transport.interference import Interference
from contracts.transport.wire import Message, Reply, Request

Answer = Callable[[Request], Reply | Interference]
"""Says how a target answers a request, or what keeps its answer from arriving."""


class ScriptedTransport:
    """Carries requests to a function; it remembers them, and how long their answers might have taken."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.drops = 0
        self.sent: list[Request] = []
        self.timeouts: list[float] = []
        self.closed = False

    def send(self, message: Message, timeout: float) -> Reply:
        self.sent.append(message.request)
        self.timeouts.append(timeout)
        answer = self.answer(message.request)
        if isinstance(answer, Interference):
            raise answer
        return answer

    def send_together(
        self, messages: Sequence[Message], timeout: float
    ) -> Iterator[tuple[int, Reply | Interference]]:
        for index, message in enumerate(messages):
            self.sent.append(message.request)
            yield index, self.answer(message.request)

    def close(self) -> None:
        self.closed = True


def reply(status: int, value: Any = None, **headers: str) -> Reply:
    """A JSON answer that took no time; header names have `_` for `-`."""
    named = (("content-type", "application/json"), *((n.replace("_", "-"), v) for n, v in headers.items()))
    return Reply(status, named, b"" if value is None else json.dumps(value).encode(), 0.0, 0.0)


def accepted(**data: Any) -> Reply:
    """An answer of 200 with this data."""
    return reply(200, {"data": data, "errors": None})


def refused(status: int, code: str = "NO") -> Reply:
    """A refusal by the application."""
    return reply(status, {"data": None, "errors": [{"code": code, "message": "no"}]})
