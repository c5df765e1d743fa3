"""What a journal tells: frozen entries, numbered from 1 in their organisation. Times in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .actions import Happening

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case and values, in the order they came; keys are among them, so mask before you show."""


class Exchanged(NamedTuple):
    """A request and its answer; bodies may be cut, their whole lengths stand beside them.

    Status 0: no answer was sent, as the connection was cut on request or the client left.
    """

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
    headers: Headers = ()
    answer_headers: Headers = ()
    seconds: float = 0.0
    """How long the answer took, by the machine's clock."""
    trouble: str = ""
    """What was done to the answer on request: the number of a trouble, or `prefer`."""


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
