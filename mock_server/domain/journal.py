"""The entries of a journal: frozen values, numbered from 1 in their organisation.

Times are milliseconds since the epoch. Headers include keys, so mask them before they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from .actions import HistoryEvent

Headers = Sequence[tuple[bytes, bytes]]
"""(name, value) in the order they came; names in lower case."""


MASK: Final = "***"
"""Stands for a secret value."""


class ExchangeEntry(NamedTuple):
    """A request and its answer. Bodies may be cut; their whole lengths, in bytes, stand beside them."""

    number: int
    at: int
    method: str
    path: str
    query: bytes
    body: bytes
    body_length: int
    status: int
    """0 when no answer was sent: an injected fault cut the connection, or the client left."""
    answer: bytes
    answer_length: int
    headers: Headers = ()
    answer_headers: Headers = ()
    seconds: float = 0.0
    """How long the answer took, by the machine's clock."""
    fault: str = ""
    """The injected fault that changed the answer: its number, or `prefer` for one that the request itself asked for."""


class TransitionEntry(NamedTuple):
    """One event of an action."""

    number: int
    action_id: str
    event: HistoryEvent

    @property
    def at(self) -> int:
        """When it happened, in milliseconds since the epoch."""
        return self.event.at


class CommandEntry(NamedTuple):
    """A command of the admin plane that changed the organisation."""

    number: int
    at: int
    name: str
    details: str


class DeliveryEntry(NamedTuple):
    """An attempt that was delivered to a destination, and its outcome."""

    number: int
    at: int
    """When the answer came, or the failure was noticed."""
    delivery: Delivery


class Delivery(NamedTuple):
    """A call to a destination and its answer. Bodies may be cut; their whole lengths, in bytes, stand beside them."""

    action_id: str
    attempt: int
    label: str
    """The destination's label."""
    kind: str
    """The destination's type."""
    url: str
    """Empty for a destination that is not called."""
    headers: Headers
    """As sent; `MASK` stands for the values of a credential."""
    body: bytes
    body_length: int
    status: int
    """0 without a usable answer."""
    answer_headers: Headers
    answer: bytes
    answer_length: int | None
    """None when only a part of the answer was read."""
    outcome: str
    """The event that followed; empty for none."""
    note: str
    """Why there is no answer, or which part of it was ignored."""
    seconds: float
    """How long the call took, by the machine's clock."""


Entry = ExchangeEntry | TransitionEntry | CommandEntry | DeliveryEntry
