"""What is known of one request and its answer while it is answered.

This is the one value that several layers write: a layer that fails leaves behind what it knew, and the error boundary
writes the log line and the journal from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import Send

EXCHANGE: Final = "arklow.exchange"
"""The entry of an ASGI scope that holds the exchange."""


@dataclass(slots=True)
class Exchange:
    """One request and its answer. The fields stand in the order in which they are written."""

    is_escaped: bool = False
    """Whether `%`, `/` and line feeds of segments are percent-encoded in the routed path. By the error boundary."""

    operation: str = ""
    """The operation's id; empty on other paths. By the prepared operation, as the next three are."""
    is_ingress: bool = False
    """Whether a refusal has the status that ingress documents for it."""
    organisation: str = ""
    """The id that the key belongs to; empty until it is known."""
    body: bytes = b""
    """The request's body, as far as it was read as a whole."""

    fault: str = ""
    """The injected fault that changes the answer: its number, or `prefer`. By `faults.FaultyAnswer`."""
    send: Send | None = None
    """Where the answer goes instead, refusals included, when a fault changes it. By `faults.FaultyAnswer`."""

    status: int = 0
    """0 while no answer is sent, and for ever when none is. By `answered` and `unanswered`, as the next two are."""
    answer: bytes = b""
    answer_headers: Sequence[tuple[bytes, bytes]] = ()
    reason: str = ""
    """Why the request was refused or cut off; empty for a success. By the error boundary and `faults.FaultyAnswer`."""

    seconds: float = 0.0
    """How long the answer took, by the machine's clock. By the error boundary, at the end."""

    def answered(self, status: int, answer: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Note the answer that is about to be sent."""
        self.status = status
        self.answer = answer
        self.answer_headers = headers

    def unanswered(self, reason: str) -> None:
        """Note that the connection ended without an answer, and why."""
        self.answered(0)
        self.reason = reason


__all__ = ["EXCHANGE", "Exchange"]
