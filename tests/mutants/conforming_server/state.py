"""The state of the conforming server: what every step of a request reads and changes."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from random import Random
from typing import Any

from tests.clocks import Clock, MachineClock

from .choices import DEFAULT_CHOICES, Choices
from .values import KEYS, Action, Definition

EPOCH_MS = 1_262_304_000_000
"""2010-01-01 in milliseconds since 1970: from there a millisecond and 22 bits make ids of 19 digits."""
SHORTEST_LONG_ID = 10**24
"""The least number of 25 digits: more than 64 bits hold."""


class State:
    """All that one server remembers, its lock, its clock and its ids."""

    def __init__(
        self,
        choices: Choices = DEFAULT_CHOICES,
        keys: dict[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.choices = choices
        self.keys = KEYS if keys is None else keys
        self.clock = clock or MachineClock()
        self.random = Random(1)
        self.lock = threading.RLock()
        self.last_id = 0
        self.issued: set[int] = set()
        self.definitions: dict[tuple[str, str], Definition] = {}
        self.actions: dict[str, Action] = {}

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.unix_time()

    def exclusive(self) -> AbstractContextManager[Any]:
        """Hold all state: what one request sees and changes, no other request touches meanwhile."""
        return self.lock

    def new_id(self) -> str:
        """Return an id that no other definition, action or event has; called with all state held."""
        if self.choices.ids == "long":
            return str(self.random_id())
        if self.choices.ids == "small":
            self.last_id += 1
        else:
            self.last_id = max(self.last_id + 1, (int(self.now() * 1000) - EPOCH_MS) << 22)
        return str(self.last_id)

    def random_id(self) -> int:
        """Draw a number of 25 digits that was never drawn before."""
        drawn = SHORTEST_LONG_ID + self.random.randrange(9 * SHORTEST_LONG_ID)
        if drawn in self.issued:
            return self.random_id()
        self.issued.add(drawn)
        return drawn

    def answered(self) -> None:
        """Called on a request's own thread once its answer has left; only mutants do something here."""


__all__ = ["State"]
