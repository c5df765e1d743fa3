"""What a journal tells: frozen entries, numbered from 1 in their organisation. Times in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from .actions import Happening

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case and values, in the order they came; keys are among them, so mask before you show."""


MASK: Final = "***"
"""Stands for a value that nobody is shown."""


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
    fault: str = ""
    """What was done to the answer on request: the number of a fault, or `prefer`."""


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


class Delivered(NamedTuple):
    """An attempt was given to a destination, and what that said; bodies may be cut, their whole lengths stand
    beside them."""

    number: int
    at: int
    """When its answer came, or why there is none was known."""
    delivery: Delivery


class Delivery(NamedTuple):
    """What is told of a delivery."""

    action_id: str
    attempt: int
    label: str
    """The destination's."""
    kind: str
    url: str
    """Empty where there is nobody to call."""
    headers: Headers
    """As sent, but for what a credential holds, of which `MASK` stands."""
    body: bytes
    body_length: int
    status: int
    """0 without a usable answer."""
    answer_headers: Headers
    answer: bytes
    answer_length: int | None
    """None when not all of it was read."""
    outcome: str
    """The event that followed; empty for none."""
    note: str
    """Why there is no answer, or what of it was not heeded."""
    seconds: float
    """How long it took, by the machine's clock."""


Entry = Exchanged | Transition | Command | Delivered
