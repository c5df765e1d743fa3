"""The mutants that lie only to requests that overlap; each has a window of any length."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Response

from .catalogue import S20, Mutant, Raced
from .conforming_server import (
    DEFAULT_CHOICES,
    KEYS,
    Action,
    Choices,
    ConformingServer,
    Operation,
    crash,
)

RACING: dict[str, Mutant] = {}
"""The races by id, with a window of three milliseconds; no row of the list of faults."""


@dataclass(frozen=True)
class Race:
    """Makes a mutant with a window of so many seconds."""

    mutant: type[Raced]
    needs: dict[str, Any]

    def __call__(
        self,
        window: float,
        choices: Choices = DEFAULT_CHOICES,
        keys: dict[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> ConformingServer:
        server = self.mutant(replace(choices, **self.needs), keys or KEYS, clock)
        server.window = window
        return server


RACES: dict[str, Race] = {}
"""The races by name."""


def race(name: str, **needs: Any) -> Callable[[type[Raced]], type[Raced]]:
    def register(mutant: type[Raced]) -> type[Raced]:
        text = " ".join((mutant.__doc__ or "").split())
        RACING[mutant.__name__] = Mutant(mutant.__name__, "race", text, "violation", mutant, needs)
        RACES[name] = Race(mutant, needs)
        return mutant

    return register


@race("duplicate-ids")
class X01(S20):
    """actions that are accepted at the same moment share an a_id"""


@race("lost-update", upsert="bump")
class X02(Raced):
    """two changes of one definition both become the version after the one they read"""

    def next_version(self, current: int, sent: int | None, changed: bool) -> int:
        version = super().next_version(current, sent, changed)
        self.pause()
        return version


@race("concurrent-500")
class X03(Raced):
    """500 for a request while another of its kind is in the window"""

    def handle(self, operation: Operation, step: Callable[[], Any]) -> Response:
        return super().handle(operation, lambda: self.alone(operation, step))

    def alone(self, operation: Operation, step: Callable[[], Any]) -> Any:
        inside: set[Operation] = self.__dict__.setdefault("inside", set())
        with self.lock:
            if operation in inside:
                crash()
            inside.add(operation)
            self.pause()
            inside.remove(operation)
        return step()


@race("double-ack", operations="all", delivery="at-once", second_ack="refuse")
class X04(Raced):
    """two acks of one attempt that overlap are both accepted"""

    def succeed(self, action: Action) -> None:
        self.pause()
        super().succeed(action)


@race("late-ack", operations="all", delivery="at-once")
class X05(Raced):
    """an ack takes effect only some time after its answer was sent"""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.acking = threading.local()
        self.effective: dict[str, float] = {}

    def succeed(self, action: Action) -> None:
        self.acking.id = action.id

    def answered(self) -> None:
        if action_id := self.acking.__dict__.pop("id", None):
            self.effective[action_id] = time.monotonic() + self.window

    def elapse(self, action: Action) -> None:
        super().elapse(action)
        if self.effective.get(action.id, math.inf) < time.monotonic():
            del self.effective[action.id]
            super().succeed(action)
