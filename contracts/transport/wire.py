"""What goes over the wire and what comes back, as values, and the port that carries them.

Over sockets `http_transport` carries them; another transport may hand them to an application in the same process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.exchange import Headers
from .interference import Interference


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller wants to be sent; the path, the headers and the body go out as they are given."""

    method: str
    path: str
    headers: Headers = ()
    body: bytes | None = None
    chunks: tuple[int, ...] = ()
    """Sizes of the pieces, in bytes, in which the body is sent chunked; the rest is a last piece. Empty: not chunked."""

    @property
    def may_write(self) -> bool:
        """Whether the target may make a definition or an action of it."""
        put = self.method == "PUT" and self.path.startswith("/v1/orgs/")
        return put or (self.method == "POST" and self.path.startswith("/v1/ingress/"))


@dataclass(frozen=True, slots=True)
class Message:
    """A request that is complete but for its framing."""

    base: str
    """The URL of its server, under which its path is; without a final slash."""
    request: Request
    headers: Headers
    """All headers: those of the request, those of the target, and those by which the judge names itself."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in the pieces that the request asks for; an empty piece would end it and is left out."""
        body, at = self.request.body or b"", 0
        for size in self.request.chunks:
            if piece := body[at : at + size]:
                yield piece
            at += size
        if body[at:]:
            yield body[at:]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, and when it came."""

    status: int
    headers: Headers
    body: bytes
    sent: float
    """When its request was sent, in seconds of the transport's clock."""
    received: float
    """When it had been read to its end."""
    unread: str = ""
    """The kind of interference that has kept the body from being read, which is then empty; empty text: it was read."""


class Transport(Protocol):
    """Carries messages to the servers of one target."""

    @property
    def drops(self) -> int:
        """Connections that were to be used again, and that the target has closed meanwhile."""
        ...

    def send(self, message: Message, timeout: float) -> Reply:
        """Send one message and return its answer, which may take `timeout` seconds.

        Raises:
            UnusableAnswer: an answer began and cannot be used.
            Interference: no answer came.
        """
        ...

    def send_together(
        self, messages: Sequence[Message], timeout: float
    ) -> Iterator[tuple[int, Reply | Interference]]:
        """Send all messages at the same moment, none waiting for the answer to another.

        Returns:
            pairs of a message's index and its answer, or what was met instead, in the order in which they come.

        Raises:
            Interference: the connections could not be made; nothing was sent.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


__all__ = ["Message", "Reply", "Request", "Transport"]
