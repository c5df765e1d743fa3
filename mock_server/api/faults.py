"""Injected faults on the wire: what a client asks for itself, and answers that are late, replaced or cut off.

All of it is ours (FAULT-1 to FAULT-9); the header `Prefer` is that of RFC 7240.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

from ..domain.faults import CUT_STATUS, LONGEST_DELAY, Cut, Fault
from .envelope import Headers, encode, refusal, send_json, with_headers
from .errors import Refused
from .exchange import EXCHANGE, Exchange

RESERVED: Final = frozenset({"__code", "__delay"})
"""Parameters of the query that ask for a fault; no operation is given them."""
PREFER: Final = "prefer"
"""The mark of an answer whose fault the request itself asked for; a planned fault's mark is its number."""
CONNECTION: Final = "arklow.connection"
"""The entry of a scope's `state` in which the server leaves the connection."""

_ELEMENT: Final = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
"""One preference of a header's value, with its parameters."""
_PREFERENCE: Final = re.compile(r'\s*([^\s=;"]+)\s*(?:=\s*("(?:\\.|[^"\\])*"?|[^;]*))?')
_DELAY: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?")
_NO_CONTENT: Final = (204, 205, 304)
"""Statuses whose answers have no body (RFC 9110 §15)."""


class Connection(Protocol):
    """A connection that can be ended by hand; what is sent on it afterwards is dropped."""

    def close(self) -> None:
        """Close it after what was sent."""
        ...

    def reset(self) -> None:
        """Reset it at once (TCP RST), as if it had broken."""
        ...


def may_request(headers: Sequence[tuple[bytes, bytes]], query_string: bytes) -> bool:
    """Tell whether a request may ask for a fault: a quick look, as every request passes here; `requested` reads it."""
    for name, _ in headers:
        if name == b"prefer":
            return True
    return bool(query_string) and (b"__" in query_string or b"%5" in query_string)


def requested(headers: Sequence[tuple[bytes, bytes]], query_string: bytes) -> tuple[Fault | None, Headers]:
    """Return the fault that a request asks for, and the headers that tell the client which preferences were applied.

    Of several preferences of one name the first counts (RFC 7240 §2), of several parameters of one name the last; a
    parameter goes before a preference.

    Raises:
        Refused: `code` or `delay` has an impossible value.
    """
    preferred = _preferences(headers)
    query = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    status = _status(preferred.get("code"), "header Prefer code")
    delay = _seconds(preferred.get("delay"), "header Prefer delay")
    query_status = _status(query.get("__code"), "query __code")
    query_delay = _seconds(query.get("__delay"), "query __delay")
    applied = []
    if status is not None and query_status is None:
        applied.append(f"code={status}")
    if delay is not None and query_delay is None:
        applied.append(f"delay={delay:g}")
    answer_headers = ((b"preference-applied", ", ".join(applied).encode()),) if applied else ()
    status = status if query_status is None else query_status
    delay = delay if query_delay is None else query_delay
    if status is None and delay is None:
        return None, answer_headers
    return Fault(status=status, delay=delay), answer_headers


def _preferences(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Name in lower case → value, of all `Prefer` headers."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name == b"prefer":
            for element in _ELEMENT.findall(value.decode("latin-1")):
                match = _PREFERENCE.match(element)
                if match is not None:
                    found.setdefault(match[1].lower(), _unquoted(match[2] or ""))
    return found


def _unquoted(text: str) -> str:
    text = text.strip(" \t")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _status(text: str | None, place: str) -> int | None:
    if text is None:
        return None
    if re.fullmatch(r"[2-5][0-9]{2}", text, re.ASCII):
        return int(text)
    raise Refused("INVALID_PARAMETER", f"{place}: expected a status from 200 to 599, got {_excerpt(text)}")


def _seconds(text: str | None, place: str) -> float | None:
    if text is None:
        return None
    if _DELAY.fullmatch(text) and float(text) <= LONGEST_DELAY:
        return float(text)
    raise Refused(
        "INVALID_PARAMETER", f"{place}: expected seconds from 0 to {LONGEST_DELAY}, got {_excerpt(text)}"
    )


def _excerpt(text: str) -> str:
    return repr(text[:40]) if text else "none"


class FaultyAnswer:
    """The answer to one request, which a fault delays, replaces or cuts off."""

    def __init__(self, fault: Fault, mark: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the fault in the exchange, by its mark, and take the place of its `send`."""
        self._fault = fault
        self._exchange: Exchange = scope[EXCHANGE]
        self._exchange.fault = mark
        self._exchange.send = self.send
        self._connection: Connection | None = scope.get("state", {}).get(CONNECTION)
        self._receive = receive
        self._send = send
        self._start: Message = {}
        self.headers: Headers = ((b"x-arklow-mock-fault", mark.encode()),)

    @property
    def is_carried_out(self) -> bool:
        """Whether the request is carried out, and its answer given to `send`; otherwise `answer` answers it."""
        return self._fault.carried_out or self._fault.only_delays

    async def send(self, message: Message) -> None:
        """Take the answer of a request that was carried out, as head and body (ASGI)."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            await self._answer(self._start, message["body"])

    async def answer(self) -> None:
        """Answer a request that is not carried out."""
        await self._answer(None, b"")

    async def _answer(self, start: Message | None, text: bytes) -> None:
        """Send what the fault makes of an answer; `start` is None where there is no answer but the fault's."""
        fault = self._fault
        if fault.delay and await _client_left(self._receive, fault.delay):
            self._exchange.unanswered("the client closed the connection before its answer was due")
        elif fault.cut in (Cut.CLOSE, Cut.RESET):
            await self._cut_off(fault.cut)
        else:
            send = self._send_half if fault.cut else self._send
            if start is None or fault.status is not None:
                await self._send_error(send)
            else:
                await self._send_on(send, start, text)
            if fault.cut and self._connection is not None:
                self._exchange.answer = _half(self._exchange.answer)
                self._exchange.reason = "cut: half"

    async def _cut_off(self, cut: Cut) -> None:
        """End the connection without an answer; answer with the error where there is no connection to end."""
        if self._connection is None:
            await self._send_error(self._send)
            return
        if cut is Cut.CLOSE:
            self._connection.close()
        else:
            self._connection.reset()
        await self._send_error(self._send)  # dropped, but the server waits for an answer before it goes on
        self._exchange.unanswered(f"cut: {cut.value}")

    async def _send_on(self, send: Send, start: Message, text: bytes) -> None:
        """Send the answer of a request that was carried out, marked."""
        self._exchange.answer_headers = headers = with_headers(start["headers"], self.headers)
        await send({"type": start["type"], "status": start["status"], "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def _send_error(self, send: Send) -> None:
        """Send the error of the fault, in the documented envelope."""
        fault, exchange = self._fault, self._exchange
        status = CUT_STATUS if fault.status is None else fault.status
        message = fault.message or f"mock: this answer was asked for, by {self._origin()}"
        exchange.reason = f"{fault.code} {message}"
        headers = self.headers
        wait = 1 if status == 429 and fault.retry_after is None else fault.retry_after
        if wait is not None:
            headers = (*headers, (b"retry-after", b"%d" % wait))
        text = b"" if status in _NO_CONTENT else encode(refusal(fault.code, message))
        await send_json(send, exchange, status, text, headers)

    def _origin(self) -> str:
        mark, organisation = self._exchange.fault, self._exchange.organisation
        return "the request itself" if mark == PREFER else f"fault {mark} of organisation {organisation}"

    async def _send_half(self, message: Message) -> None:
        """Send a message, of a body the first half alone, after which the connection is closed."""
        if message["type"] == "http.response.body" and self._connection is not None:
            text = message["body"]
            half = _half(text)
            await self._send({"type": message["type"], "body": half, "more_body": True})
            self._connection.close()
            await self._send(
                {"type": message["type"], "body": text[len(half) :]}
            )  # dropped, as in `_cut_off`
        else:
            await self._send(message)


def _half(text: bytes) -> bytes:
    return text[: len(text) // 2]


async def _client_left(receive: Receive, seconds: float) -> bool:
    """Wait for `seconds`, or until the server ends; tell whether the client left meanwhile, as soon as it does."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                await asyncio.sleep(0)  # a server that repeats the last message must not block the loop
    except TimeoutError:
        return False
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        return False
    return True


def replay_body(body: bytes) -> Receive:
    """Return an ASGI `receive` that gives a body which was received already."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
