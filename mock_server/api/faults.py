"""Fault on request, on the wire: what a client asks for itself, and answers that are late, other or cut short.

All of it is ours (TRB-1 to TRB-9); the header `Prefer` is RFC 7240.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

from ..domain.faults import (
    CUT_STATUS,
    LONGEST_DELAY,
    Cut,
    Fault,
)
from .envelope import (
    Headers,
    encode,
    refusal,
    send_json,
    with_headers,
)
from .errors import Refused
from .exchange import Exchange

RESERVED: Final = frozenset({"__code", "__delay"})
"""Names of the query that ask for fault, and that no operation is given."""
OWN: Final = "prefer"
"""The mark of an answer whose fault the client asked for."""
CONNECTION: Final = "arklow.connection"
"""Where the server leaves the connection, in the `state` of a scope."""

_ELEMENT: Final = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
"""One preference of a header's value, with its parameters."""
_PREFERENCE: Final = re.compile(r'\s*([^\s=;"]+)\s*(?:=\s*("(?:\\.|[^"\\])*"?|[^;]*))?')
_DELAY: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?")


class Connection(Protocol):
    """A connection that can be ended by hand; what is sent to it afterwards goes nowhere."""

    def close(self) -> None:
        """End it after what was sent."""
        ...

    def reset(self) -> None:
        """End it at once, as if it had broken (TCP RST)."""
        ...


def may_ask(headers: Sequence[tuple[bytes, bytes]], query_string: bytes) -> bool:
    """Whether a request may ask for fault; every request is asked this, so it looks no closer."""
    for name, _ in headers:
        if name == b"prefer":
            return True
    return bool(query_string) and (b"__" in query_string or b"%5" in query_string)


def asked(headers: Sequence[tuple[bytes, bytes]], query_string: bytes) -> tuple[Fault | None, Headers]:
    """The fault that a client asks for, and what the answer says of it.

    Of several preferences of one name the first counts (RFC 7240 §2), of several parameters the last one; a
    parameter counts more than a preference.

    Raises:
        Refused: `code` or `delay` has a value that cannot be.
    """
    preferred = _preferred(headers)
    query = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    status = _status(preferred.get("code"), "header Prefer code")
    delay = _seconds(preferred.get("delay"), "header Prefer delay")
    by_query_status = _status(query.get("__code"), "query __code")
    by_query_delay = _seconds(query.get("__delay"), "query __delay")
    applied = []
    if status is not None and by_query_status is None:
        applied.append(f"code={status}")
    if delay is not None and by_query_delay is None:
        applied.append(f"delay={delay:g}")
    said = ((b"preference-applied", ", ".join(applied).encode()),) if applied else ()
    status = status if by_query_status is None else by_query_status
    delay = delay if by_query_delay is None else by_query_delay
    return None if status is None and delay is None else Fault(status=status, delay=delay), said


def _preferred(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if name == b"prefer":
            for element in _ELEMENT.findall(value.decode("latin-1")):
                match = _PREFERENCE.match(element)
                if match is not None:
                    found.setdefault(match[1].lower(), _word(match[2] or ""))
    return found


def _word(text: str) -> str:
    text = text.strip(" \t")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _status(text: str | None, place: str) -> int | None:
    if text is None:
        return None
    if re.fullmatch(r"[2-5][0-9]{2}", text, re.ASCII):
        return int(text)
    raise Refused("INVALID_PARAMETER", f"{place}: expected a status from 200 to 599, got {_shown(text)}")


def _seconds(text: str | None, place: str) -> float | None:
    if text is None:
        return None
    if _DELAY.fullmatch(text) and float(text) <= LONGEST_DELAY:
        return float(text)
    raise Refused(
        "INVALID_PARAMETER", f"{place}: expected seconds from 0 to {LONGEST_DELAY}, got {_shown(text)}"
    )


def _shown(text: str) -> str:
    return repr(text[:40]) if text else "none"


class FaultyAnswer:
    """The answer to one request on its way into fault, by the mark of whoever asked for it."""

    def __init__(self, fault: Fault, mark: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._fault = fault
        self._exchange: Exchange = scope["arklow.exchange"]
        self._exchange.fault = mark
        self._exchange.send = self.send
        self._connection: Connection | None = scope.get("state", {}).get(CONNECTION)
        self._receive = receive
        self._send = send
        self._start: Message = {}
        self.headers: Headers = ((b"x-arklow-mock-fault", mark.encode()),)

    @property
    def is_carried_out(self) -> bool:
        """Whether the request is to be carried out, and what comes of it given to `send`."""
        return self._fault.carried_out or self._fault.only_delays

    async def send(self, message: Message) -> None:
        """Take the answer that the request has had, as head and body (ASGI)."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            await self._answer(self._start, message["body"])

    async def answer(self) -> None:
        """Answer a request that is not carried out."""
        await self._answer(None, b"")

    async def _answer(self, start: Message | None, text: bytes) -> None:
        fault, exchange = self._fault, self._exchange
        if fault.delay and await _left(self._receive, fault.delay):
            self._unanswered("the client closed the connection before its answer was due")
        elif fault.cut in (Cut.CLOSE, Cut.RESET):
            if self._connection is None:
                await self._inject(self._send)
                return
            if fault.cut is Cut.CLOSE:
                self._connection.close()
            else:
                self._connection.reset()
            await self._inject(self._send)  # it goes nowhere, but the server waits for an answer to end with
            self._unanswered(f"cut: {fault.cut.value}")
        else:
            send = self._send_half if fault.cut else self._send
            if start is None or fault.status is not None:
                await self._inject(send)
            else:
                exchange.answer_headers = headers = with_headers(start["headers"], self.headers)
                await send({"type": start["type"], "status": start["status"], "headers": headers})
                await send({"type": "http.response.body", "body": text})
            if fault.cut and self._connection is not None:
                exchange.answer = _half(exchange.answer)
                exchange.reason = "cut: half"

    async def _inject(self, send: Send) -> None:
        """Send the error that was asked for, as the documented envelope."""
        fault, exchange = self._fault, self._exchange
        status = CUT_STATUS if fault.status is None else fault.status
        message = fault.message or f"mock: this answer was asked for, by {self._by()}"
        exchange.reason = f"{fault.code} {message}"
        headers = self.headers
        wait = 1 if status == 429 and fault.retry_after is None else fault.retry_after
        if wait is not None:
            headers = (*headers, (b"retry-after", b"%d" % wait))
        text = b"" if status in (204, 205, 304) else encode(refusal(fault.code, message))
        await send_json(send, exchange, status, text, headers)

    def _by(self) -> str:
        mark = self._exchange.fault
        return (
            "the request itself"
            if mark == OWN
            else f"fault {mark} of organisation {self._exchange.organisation}"
        )

    def _unanswered(self, reason: str) -> None:
        exchange = self._exchange
        exchange.status, exchange.answer, exchange.answer_headers = 0, b"", ()
        exchange.reason = reason

    async def _send_half(self, message: Message) -> None:
        if message["type"] == "http.response.body" and self._connection is not None:
            text = message["body"]
            half = _half(text)
            await self._send({"type": message["type"], "body": half, "more_body": True})
            self._connection.close()
            await self._send({"type": message["type"], "body": text[len(half) :]})  # nowhere, as above
        else:
            await self._send(message)


def _half(text: bytes) -> bytes:
    return text[: len(text) // 2]


async def _left(receive: Receive, seconds: float) -> bool:
    """Wait that long; True as soon as the client has gone. When the server ends the wait ends too."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                await asyncio.sleep(0)  # a server that repeats itself holds nobody up
    except TimeoutError:
        return False
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        return False
    return True


def again(text: bytes) -> Receive:
    """A body that was received, to be received once more."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": text, "more_body": False}

    return receive
