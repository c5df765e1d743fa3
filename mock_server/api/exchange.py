"""What is known of one request while it is answered; the log line is written from it."""

from __future__ import annotations


class Exchange:
    """One request on its way. The front makes it, the contract fills it in."""

    __slots__ = ("answer", "body", "escaped", "ingress", "operation", "organisation", "reason", "status")

    def __init__(self) -> None:
        self.operation = ""
        self.organisation = ""
        self.status = 0
        self.reason = ""
        self.body = b""
        self.answer = b""
        self.ingress = False
        self.escaped = False
        """Whether `%`, `/` and line feeds inside path segments stand percent-encoded in the routed path."""
