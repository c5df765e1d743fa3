"""What is known of one request while it is answered; the log line and the journal are written from it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Send


class Exchange:
    """One request on its way. The front makes it, the contract fills it in."""

    __slots__ = (
        "answer",
        "answer_headers",
        "body",
        "escaped",
        "fault",
        "ingress",
        "operation",
        "organisation",
        "reason",
        "seconds",
        "send",
        "status",
    )

    def __init__(self) -> None:
        self.operation = ""
        self.organisation = ""
        self.status = 0
        """0 while nothing is sent, and for ever when nothing is."""
        self.reason = ""
        self.body = b""
        self.answer = b""
        self.answer_headers: Sequence[tuple[bytes, bytes]] = ()
        self.ingress = False
        self.escaped = False
        """Whether `%`, `/` and line feeds inside path segments stand percent-encoded in the routed path."""
        self.seconds = 0.0
        """How long it took."""
        self.fault = ""
        """What was done to the answer on request: the number of a fault, or `prefer`."""
        self.send: Send | None = None
        """Where the answer goes instead, refusals too, when it is with an injected fault."""
