"""The door to the wire: sends requests to the target, one by one or many at once, and tells interference from answers."""

from __future__ import annotations

import http.client
import json
import math
import secrets
import selectors
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from ..core.exchange import INTERFERENCE, Exchange, Headers
from ..core.target import Target
from .connections import (
    Answer,
    Connections,
    Head,
    Line,
)
from .interference import CUT_OFF, LARGEST, NO_PROXY, TOO_LONG, TOO_SLOW, Interference, _reason
from .throttle import (
    Limits,
    Throttle,
    TimeUp,
    seconds_until,
)

AGENT: Final = "arklow-contracts"

_LIMITED = 3
"""How often a request is sent that a limit refuses."""
_PAUSE = 60.0
"""Seconds for which a target that suffers is left alone at first."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent, as given: nothing is added to path, headers or body."""

    method: str
    path: str
    headers: Headers = ()
    body: bytes | None = None
    chunks: tuple[int, ...] = ()
    """Sizes of the pieces in which the body goes when it is sent chunked; the rest is a last piece."""


class Client:
    """Sends requests to the target and to nobody else.

    Raises:
        NoWay: a file that says how the target is reached cannot be used.
    """

    def __init__(
        self,
        target: Target,
        locate: Callable[[str, str], tuple[str | None, str | None]],
        limits: Limits | None = None,
    ) -> None:
        self.target = target
        self.throttle = Throttle(limits or Limits(), time.monotonic, time.sleep)
        self.timeout = 10.0
        """Seconds that an answer may take."""
        self.deadline = math.inf
        """When the run ends, by `time.monotonic`."""
        self.interference: dict[str, int] = {}
        """What was in the way → how often."""
        self.yardstick: Request | None = None
        """A plain request that was served, by which it is told how the target is."""
        self.trace = secrets.token_hex(16)
        """Names this run in the `traceparent` of each request, and in the tags of actions."""
        self.drops = 0
        """Connections that were to be kept, and that the target has closed meanwhile."""
        self._keeps: dict[str, bool] = {}
        self._traced = 0
        self.shift = 0.0
        """Seconds by which the clock of the target was moved."""
        self._locate = locate
        self._connections = Connections(target.connection)
        self._pools = {base: self._connections.pool(base) for base in {target.base_url, target.ingress_url}}
        self._lines: dict[str, list[Line]] = {}

    def now(self) -> float:
        """Seconds of the run's clock, which goes with that of the target."""
        return time.monotonic() + self.shift

    def wait(self, seconds: float) -> None:
        """Let time go by, for the target too: by the clock of its admin plane, if there is one.

        Raises:
            Interference: the admin plane did not move the clock.
            TimeUp: the run ends before.
        """
        if seconds <= 0:
            return
        admin = self.target.admin
        if admin is None:
            if time.monotonic() + seconds > self.deadline:
                raise TimeUp
            time.sleep(seconds)
            return
        url = f"{admin.url}/organisations/{self.target.first.org}/clock/advance"
        headers = {"Authorization": f"Bearer {admin.token}", "Content-Type": "application/json"}
        try:
            got = urllib3.PoolManager(retries=False).request(
                "POST",
                url,
                body=json.dumps({"seconds": seconds}),
                headers=headers,
                timeout=10.0,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._met(f"the admin plane: {_reason(error)}") from None
        if got.status != 200:
            raise self._met(f"the admin plane answers {got.status}")
        self.shift += seconds

    def send(self, request: Request, waited: float = 0.0) -> Exchange:
        """One request; no redirect is followed, no proxy and no password file is used.

        What a limit refuses is sent again when the limit allows.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        for left in reversed(range(_LIMITED)):
            self.admit()
            exchange = self._once(request, waited, self._patience())
            if exchange.status not in INTERFERENCE:
                return exchange
            if not self.limited(exchange) or not left:
                break
            self.note_interference(str(exchange.status))
        raise self._met(str(exchange.status))

    def admit(self, count: int = 1) -> None:
        """Wait until so many requests may go; a target that seems to suffer is looked at, and left alone.

        Raises:
            TimeUp: the run has ended, or a budget is used up.
        """
        if self.yardstick is not None and (what := self.throttle.suspicion()) is not None:
            self._look_into(what)
        self.throttle.admit(self.deadline, count)

    def limited(self, exchange: Exchange) -> bool:
        """Whether a limit has refused a request, so that it can be sent again; nothing goes until it may."""
        asked = seconds_until(exchange.got("retry-after"), time.time())
        if exchange.status != 429 and (exchange.status != 503 or asked is None):
            return False
        self.throttle.hold(1.0 if asked is None else asked)
        return True

    def _look_into(self, what: str) -> None:
        """Brake when plain requests suffer as well: for a minute, then for longer, or for good.

        Raises:
            TimeUp: the run would end before that.
        """
        pause = _PAUSE
        while (why := self._suffers(what)) is not None:
            self.note_interference(f"the brake, as {why}")
            if time.monotonic() + pause > self.deadline:
                self.throttle.close(f"the brake was put on, as {why}")
                return
            time.sleep(pause)
            pause *= 2
        self.throttle.relieved()

    def _suffers(self, what: str) -> str | None:
        """What is wrong with plain requests: two slow ones, or two of twenty that fail."""
        assert self.yardstick is not None
        bad, patience = 0, max(1.0, 2 * self.throttle.slowest)
        for _ in range(2 if what == "slow" else 20):
            self.throttle.admit(self.deadline)
            began = time.monotonic()
            try:
                failed = self._once(self.yardstick, 0.0, patience).status >= 500
            except Interference:
                failed = what != "slow"
            bad += self.throttle.slow(time.monotonic() - began) if what == "slow" else failed
            if bad == 2:
                slow = f"answers take more than {1_000 * self.throttle.slowest:.0f} ms, three times as long as at first"
                return slow if what == "slow" else "more than 5 % of plain requests fail"
        return None

    def _once(self, request: Request, waited: float, patience: float) -> Exchange:
        """One request, whatever its answer means for the next ones.

        Raises:
            Interference: no answer came.
        """
        base = self.target.base_of(request.path)
        trace = self.traced()
        headers = Head(self._connections.target_of(base, request.path), self._all(request, trace))
        call, pool = self.now(), self._pools[base]
        before = pool.num_connections
        try:
            got = pool.urlopen(
                request.method,
                base,
                body=list(_pieces(request)) if request.chunks else request.body,
                headers=headers,
                chunked=bool(request.chunks),
                timeout=urllib3.Timeout(total=patience),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
            answer = self._read(got, request.method)
            got.release_conn()
            self.drops += pool.num_connections > before and self._keeps.get(base, False)
            self._keeps[base] = (got.headers.get("connection") or "").lower() != "close"
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            if time.monotonic() >= self.deadline:
                raise TimeUp from None  # which cut the time for an answer short
            self.throttle.answered(self.now() - call, 0)
            raise self._met(_reason(error)) from None
        exchange = self._exchange(
            request, got.status, tuple(map(_pair, got.headers.items())), answer, call, waited, trace
        )
        self.throttle.answered(exchange.back - call, exchange.status, made=exchange.made)
        return exchange

    def _all(self, request: Request, trace: str) -> Iterator[tuple[str, str]]:
        """The headers of a request: its own, those of the target, and what is said of ourselves unless these say it."""
        given = [*request.headers, *((one.name, one.value) for one in self.target.connection.headers)]
        yield from given
        named = {name.lower() for name, _ in given}
        for name, value in (("User-Agent", AGENT), ("Accept", "*/*"), ("traceparent", trace)):
            if name.lower() not in named:
                yield name, value

    def _text(self, request: Request, trace: str) -> bytes:
        """A request as it goes over the wire."""
        base, body = self.target.base_of(request.path), request.body or b""
        target = self._connections.target_of(base, request.path)
        head = [f"{request.method} {target} HTTP/1.1", f"Host: {urlsplit(base).netloc}"]
        head += [f"{name}: {value}" for name, value in self._all(request, trace)]
        head += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(head).encode("latin-1") + body

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self.throttle.sent

    def traced(self) -> str:
        """The `traceparent` of a request (W3C Trace Context)."""
        self._traced += 1
        return f"00-{self.trace}-{self._traced:016x}-01"

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        for lines in self._lines.values():
            for line in lines:
                line.close()

    def volley(self, requests: Sequence[Request]) -> list[Exchange | None]:
        """Many requests at the same moment, each on a connection of its own; None where interference was met.

        Raises:
            Interference: the connections could not be made.
            TimeUp: the run has ended.
        """
        self.admit(len(requests))
        patience = self._patience()
        answers: list[Exchange | None] = [None] * len(requests)
        lines = self._ready(requests, patience)
        traces = [self.traced() for _ in requests]
        texts = [self._text(request, trace) for request, trace in zip(requests, traces, strict=True)]
        calls: list[float] = []
        with selectors.DefaultSelector() as waiting:
            for number, (line, text) in enumerate(zip(lines, texts, strict=True)):
                calls.append(self.now())
                try:
                    line.sock.sendall(text)
                    waiting.register(line.sock, selectors.EVENT_READ, number)
                except OSError as error:
                    self._lost(line, _reason(error))
            until = time.monotonic() + patience
            while waiting.get_map() and time.monotonic() < until:
                for key, _ in waiting.select(until - time.monotonic()):
                    waiting.unregister(key.fileobj)
                    number = key.data
                    line = lines[number]
                    line.sock.settimeout(max(until - time.monotonic(), 0.001))
                    answers[number] = self._heard(line, requests[number], calls[number], traces[number])
            for key in list(waiting.get_map().values()):
                self._lost(lines[key.data], TOO_SLOW)
        return answers

    def _heard(self, line: Line, request: Request, call: float, trace: str) -> Exchange | None:
        got = Answer(line.sock, method=request.method)
        try:
            got.begin()
            answer = self._read(got, request.method)
            if got.length:
                raise http.client.IncompleteRead(answer, got.length)
        except (http.client.HTTPException, OSError, ValueError) as error:
            self._lost(line, _reason(error))
            return None
        except Interference:
            line.close()
            return None
        if got.will_close:
            line.close()
        exchange = self._exchange(request, got.status, tuple(got.getheaders()), answer, call, 0.0, trace)
        self.throttle.answered(exchange.back - call, exchange.status, made=exchange.made)
        if exchange.status in INTERFERENCE:
            self.limited(exchange)
            self.note_interference(str(exchange.status))
            return None
        return exchange

    def _lost(self, line: Line, reason: str) -> None:
        line.close()
        self.note_interference(reason)

    def _ready(self, requests: Sequence[Request], patience: float) -> list[Line]:
        """A connected line for each request."""
        taken: dict[str, int] = {}
        lines = []
        for request in requests:
            base = self.target.base_of(request.path)
            made = self._lines.setdefault(base, [])
            number = taken[base] = taken.get(base, -1) + 1
            if number == len(made):
                made.append(self._connections.line(base))
            line = made[number]
            line.timeout = patience
            try:
                if line.sock is None:
                    line.connect()
                line.sock.settimeout(patience)
            except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as error:
                at_the_proxy = isinstance(error, urllib3.exceptions.NewConnectionError) and line.proxy
                raise self._met(NO_PROXY if at_the_proxy else _reason(error)) from None
            lines.append(line)
        return lines

    def _patience(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeUp
        return min(self.timeout, left)

    def _read(self, got: urllib3.BaseHTTPResponse | Answer, method: str) -> bytes:
        """The body of an answer, as long as it has an end; each piece as soon as it is there."""
        answer = bytearray()
        while piece := got.read1(1 << 16):
            answer += piece
            if len(answer) > LARGEST:
                got.close()
                raise self._met(TOO_LONG)
        told = {"content-length", "transfer-encoding"} & {name.lower() for name in got.headers}
        if not answer and not told and got.status not in (204, 304) and method != "HEAD":
            raise self._met(CUT_OFF)  # within its head, for all that can be told
        return bytes(answer)

    def _exchange(
        self,
        request: Request,
        status: int,
        headers: Headers,
        answer: bytes,
        call: float,
        waited: float,
        trace: str = "",
    ) -> Exchange:
        now = self.now()
        url = self.target.base_of(request.path) + request.path
        operation, path = self._locate(request.method, url)
        return Exchange(
            request.method,
            url,
            request.headers,
            request.body,
            status,
            headers,
            answer,
            operation,
            path,
            call,
            now,
            waited,
            request.chunks,
            time.time() - (now - call),
            trace,
        )

    def unanswered(self, request: Request) -> Exchange:
        """The exchange of a request to which no answer came."""
        return self._exchange(request, 0, (), b"", self.now(), 0.0)

    def heard(self, method: str, url: str, headers: Headers, body: bytes | None, **answer: Any) -> Exchange:
        """The exchange of a request that somebody else sent just now; `answer` are the members of an exchange."""
        operation, path = self._locate(method, url)
        now = self.now()
        trace = next((value for name, value in headers if name.lower() == "traceparent"), "")
        return Exchange(
            method,
            url,
            headers,
            body,
            operation=operation,
            path=path,
            call=now,
            back=now,
            at=time.time(),
            trace=trace,
            **answer,
        )

    def note_interference(self, reason: str) -> None:
        """Count what was in the way of a request."""
        self.interference[reason] = self.interference.get(reason, 0) + 1

    def _met(self, reason: str) -> Interference:
        self.note_interference(reason)
        return Interference(reason)


def _pieces(request: Request) -> Iterable[bytes]:
    body, at = request.body or b"", 0
    for size in request.chunks:
        if piece := body[at : at + size]:
            yield piece
        at += size
    if body[at:]:
        yield body[at:]


def _pair(header: tuple[Any, Any]) -> tuple[str, str]:
    return str(header[0]), str(header[1])


__all__ = ["AGENT", "Client", "Request", "TimeUp"]
