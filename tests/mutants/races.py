"""The mutants that break a promise only to requests that overlap; each has a window of any length."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from flask import Response

from .catalogue.state import S20
from .conforming_server import (
    DEFAULT_CHOICES,
    Action,
    Choices,
    ConformingServer,
    Operation,
    crash,
)
from .mutant import Group, Mutant, mutant
from .mutations import Raced

RACE = Group("race")


@mutant(RACE, "violation", caught_by="ING-7")
class X01(S20):
    """actions that are accepted at the same moment share an a_id"""


@mutant(RACE, "violation", caught_by="RACE-1", upsert="bump")
class X02(Raced):
    """two changes of one definition both become the version after the one they read"""

    def next_version(self, current: int, sent: int | None, changed: bool) -> int:
        version = super().next_version(current, sent, changed)
        self.pause()
        return version


@mutant(
    RACE,
    "violation",
    caught_by="PAGE-8",
    missed="a volley shows it; a run that listens to PAGE-8 alone need not make one",
)
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


@mutant(RACE, "violation", caught_by="RACE-1", operations="all", delivery="at-once", second_ack="refuse")
class X04(Raced):
    """two acks of one attempt that overlap are both accepted"""

    def succeed(self, action: Action) -> None:
        self.pause()
        super().succeed(action)


@mutant(RACE, "violation", caught_by="RACE-1", operations="all", delivery="at-once")
class X05(Raced):
    """an ack takes effect only some time after its answer was sent"""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.acking = threading.local()
        self.effective: dict[str, float] = {}
        """Action → when its ack takes effect, in seconds since 1970."""

    def succeed(self, action: Action) -> None:
        self.acking.id = action.id

    def answered(self) -> None:
        if action_id := self.acking.__dict__.pop("id", None):
            self.effective[action_id] = self.now() + self.window

    def elapse(self, action: Action) -> None:
        super().elapse(action)
        if self.effective.get(action.id, math.inf) < self.now():
            del self.effective[action.id]
            super().succeed(action)


RACES = RACE.mutants
"""Keyed by id; each has a window of three milliseconds unless `with_window` says otherwise."""


def with_window(race: Mutant, seconds: float) -> Callable[..., ConformingServer]:
    """Make servers of a race whose window has another length."""

    def make(choices: Choices = DEFAULT_CHOICES, *args: Any) -> ConformingServer:
        server = race(choices, *args)
        assert isinstance(server, Raced)
        server.window = seconds
        return server

    return make


__all__ = ["RACES", "with_window"]
