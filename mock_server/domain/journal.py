"""What a journal tells: frozen entries, numbered from 1 in their organisation. Times in milliseconds."""

from __future__ import annotations

from typing import NamedTuple

from .actions import Happening


class Exchanged(NamedTuple):
    """A request and its answer; bodies may be cut, their whole lengths stand beside them."""

    number: int
    at: int
    method: str
    path: str
    query: bytes
    body: bytes
    body_length: int
    status: int
    answer: bytes
    answer_length: int


class Transition(NamedTuple):
    """An action changed."""

    number: int
    action_id: str
    happening: Happening

    @property
    def at(self) -> int:
        """When it happened."""
        return self.happening.at


class Command(NamedTuple):
    """The admin plane did something to the organisation."""

    number: int
    at: int
    name: str
    details: str


Entry = Exchanged | Transition | Command
