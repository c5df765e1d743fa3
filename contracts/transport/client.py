"""The client: sends requests to the target, waits, and tells interference from answers."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from ..core.exchange import INTERFERENCE, Exchange, Headers
from ..core.target import Target
from .circuit_breaker import CircuitBreaker
from .clock import ADMIN_TIMEOUT, AdminClock, Clock, SystemClock
from .http_transport import HttpTransport
from .interference import Interference, InterferenceCount, Unreachable, UnreadAnswer, UnusableAnswer
from .throttle import Cancellation, Limits, Throttle, TimeUp
from .wire import Message, Reply, Request, Transport

AGENT: Final = "arklow-contracts"
"""The name of the judge in `User-Agent`."""
TIMEOUT: Final = 10.0
"""Seconds that an answer may take, unless the caller says otherwise: gateways give up on slower ones."""
_TRIES = 3
"""How often a request is sent that a rate limit refuses."""

Locate = Callable[[str, str], tuple[str | None, str | None]]
"""Returns the label of the operation, and the path template, of a method and a URL; None where there is none."""


class Client:
    """Sends requests to one target, and to no other host.

    Raises:
        NoWay: a file that says how the target is reached cannot be used.
    """

    def __init__(
        self,
        target: Target,
        locate: Locate,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
        transport: Transport | None = None,
        cancellation: Cancellation | None = None,
        awaiting: Callable[[float | None], None] = lambda _: None,
        waiting: Callable[[float, str], None] = lambda _seconds, _why: None,
        trace: str = "",
        timeout: float = TIMEOUT,
        interference: Mapping[str, int] | None = None,
    ) -> None:
        """Make a client.

        Args:
            target: what requests are sent to.
            locate: finds the operation of a request.
            limits: what the run may ask of the target.
            clock: tells and passes time; that of the machine, if none is given.
            transport: carries the requests; over sockets, if none is given.
            cancellation: ends the run from another thread.
            awaiting: called with the moment by which an answer is to be there, before its request is sent; and with None
                when the answer is there, or is not awaited any more.
            waiting: called with the seconds of a long wait, and with what is waited for.
            timeout: seconds that an answer may take, unless the caller says otherwise.
            trace: names the run, where an earlier part of it has a name; interference: kind → how often that has met it.
        """
        self.target = target
        self.clock = clock or SystemClock()
        """The clock by which answers, limits and the run itself are timed."""
        self.throttle = Throttle(limits or Limits(), self.clock, cancellation, waiting)
        self.trace = trace or secrets.token_hex(16)
        """Names this run in the `traceparent` of each request, and in the tags of actions."""
        self.timeout = timeout
        """Seconds that an answer may take, unless the caller says otherwise."""
        self._locate = locate
        self._tell_awaiting = awaiting
        self._target_clock: Clock = (
            self.clock
            if target.admin is None
            else AdminClock(
                target.admin, target.first.org, self.clock, target.connection, target.admin_headers
            )
        )
        self._transport = transport or HttpTransport(target, self._target_clock)
        self._met = InterferenceCount(interference or {})
        self._traced = 0
        self._sent: Counter[str] = Counter()
        """Operation → requests that were sent to it."""
        self._lost: Counter[str] = Counter()
        """Operation → how many of them met interference."""
        self.breaker = CircuitBreaker(
            self.throttle,
            self.clock,
            lambda request, timeout: self._exchanged(request, 0.0, timeout).status,
            self._met.note,
        )

    # Time

    def now(self) -> float:
        """Return the seconds of the target's clock: it goes with that of the run, and is moved where it can be."""
        return self._target_clock.now()

    def wait(self, seconds: float, why: str = "") -> None:
        """Let `seconds` pass for the target: by the clock of its admin plane, if there is one.

        `why` is what is waited for, as `Waiting` has it.

        Raises:
            Interference: the admin plane did not move the clock.
            TimeUp: the run ends before, or was cancelled.
        """
        if seconds <= 0:
            return
        if self.target.admin is None:
            self.throttle.pause(seconds, why)
            return
        try:
            with self._awaiting(ADMIN_TIMEOUT):
                self._target_clock.wait(seconds)
        except Interference as met:
            self._met.note(str(met))
            raise

    def check_clock(self) -> None:
        """Ask the admin plane, if there is one, to move its clock by nothing: so it shows whether it would.

        Raises:
            NoAdminPlane: what answers there is none.
            Interference: it did not move the clock.
        """
        if self.target.admin is not None:
            with self._awaiting(ADMIN_TIMEOUT):
                self._target_clock.wait(0.0)

    # Requests

    @property
    def requests(self) -> int:
        """Requests that were sent."""
        return self.throttle.sent

    @property
    def drops(self) -> int:
        """Connections that were to be used again, and that the target has closed meanwhile."""
        return self._transport.drops

    def send(self, request: Request, waited: float = 0.0, *, timeout: float | None = None) -> Exchange:
        """Send one request and return its exchange; no redirect is followed.

        A request that a rate limit refuses is sent again when the limit allows.

        Args:
            request: what is sent.
            waited: seconds that its sequence has let pass on purpose until now.
            timeout: seconds that the answer may take, by default those of the client; it is cut short at the end of the run.

        Raises:
            UnreadAnswer: an answer came whose body cannot be read.
            UnusableAnswer: an answer began and cannot be used.
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        for left in reversed(range(_TRIES)):
            self._admit()
            try:
                exchange = self._exchanged(request, waited, self._time_left(timeout))
            except Interference:
                self._count(request, lost=True)
                raise
            is_lost = exchange.status in INTERFERENCE
            self._count(request, lost=is_lost)
            if not is_lost:
                if exchange.unread:
                    raise UnreadAnswer(exchange.unread, exchange)
                return exchange
            if not self.breaker.limited(exchange) or not left:
                break
            self._met.note(str(exchange.status))
        raise self._met.met(str(exchange.status))

    def _count(self, request: Request, *, lost: bool) -> None:
        """Count a request to its operation, and whether it met interference."""
        url = self.target.base_of(request.path) + request.path
        label = str(self._locate(request.method, url)[0])
        self._sent[label] += 1
        self._lost[label] += lost

    def try_at(self, base: str, request: Request) -> Exchange:
        """Send one request to a path below another URL on a host of the target, as one that may have been meant.

        Raises:
            Interference: no answer came.
            TimeUp: the run has ended, or a budget is used up.
        """
        self._admit()
        return self._exchanged(request, 0.0, self._time_left(None), base)

    def volley(self, requests: Sequence[Request], *, timeout: float | None = None) -> list[Exchange | None]:
        """Send many requests at the same moment and return their exchanges; None where interference was met.

        An answer that cannot be read is interference, and its exchange is returned all the same.

        Raises:
            Interference: the connections could not be made.
            TimeUp: the run has ended, or a budget is used up.
        """
        self._admit(len(requests), sum(one.may_write for one in requests))
        seconds = self._time_left(timeout)
        traces = [self.traced() for _ in requests]
        messages = [self._message(request, trace) for request, trace in zip(requests, traces, strict=True)]
        exchanges: list[Exchange | None] = [None] * len(requests)
        try:
            with self._awaiting(seconds):
                for index, reply in self._transport.send_together(messages, seconds):
                    if isinstance(reply, Interference):
                        self._note_lost(requests[index], reply)
                        if self.clock.now() < self.throttle.deadline:  # else it is the end of the run
                            self._met.note(str(reply))
                        continue
                    exchange = self._answered(requests[index], reply, 0.0, traces[index])
                    if exchange.status in INTERFERENCE:
                        self.breaker.limited(exchange)
                        self._met.note(str(exchange.status))
                        continue
                    exchanges[index] = exchange
        except Interference as met:
            self._met.note(str(met))
            raise
        return exchanges

    @property
    def interference(self) -> dict[str, int]:
        """A copy: kind of interference → how often it was met."""
        return self._met.counts()

    @property
    def sent(self) -> dict[str, int]:
        """A copy: operation → requests that were sent to it."""
        return dict(self._sent)

    @property
    def lost(self) -> dict[str, int]:
        """A copy: operation → how many of its requests met interference."""
        return dict(self._lost)

    def note_foreign_failure(self, exchange: Exchange) -> None:
        """Note a server error that is not in the envelope and did not come again, so that a gateway may have made it."""
        self._met.note(f"{exchange.status} without the envelope")
        self._lost[str(exchange.operation)] += 1

    def note_own_doing(self, kind: str, times: int) -> None:
        """Note that interference of a kind, which so many requests have met, was the application's own doing."""
        self._met.take_back(kind, times)

    def traced(self) -> str:
        """Return the `traceparent` of the next request (W3C Trace Context)."""
        self._traced += 1
        return f"00-{self.trace}-{self._traced:016x}-01"

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def _admit(self, count: int = 1, writes: int = 0) -> None:
        """Wait until `count` requests may go, `writes` of which may make something; where the target suffers, look first.

        Raises:
            TimeUp: the run has ended, or a budget is used up.
        """
        self.breaker.check()
        self.throttle.admit(count, writes)

    @contextmanager
    def _awaiting(self, timeout: float) -> Iterator[None]:
        """Say that an answer is awaited, which is there or given up after `timeout` seconds."""
        self._tell_awaiting(self.clock.now() + timeout)
        try:
            yield
        finally:
            self._tell_awaiting(None)

    # Exchanges

    def unanswered(self, request: Request) -> Exchange:
        """Return the exchange of a request to which no answer came: its status is 0."""
        now = self.now()
        return self._exchange(request, 0, (), b"", call=now, back=now)

    def _exchanged(
        self, request: Request, waited: float, timeout: float, base: str | None = None
    ) -> Exchange:
        """Send one request, whatever its answer means for the next ones.

        Raises:
            Interference: no answer came.
            TimeUp: none came, and the run has ended.
        """
        trace = self.traced()
        message = self._message(request, trace, base)
        sent = self.clock.now()
        try:
            with self._awaiting(timeout):
                reply = self._transport.send(message, timeout)
        except UnusableAnswer as met:
            self._note_lost(request, met)
            self._met.note(str(met))
            raise
        except Interference as met:
            self._note_lost(request, met)
            now = self.clock.now()
            if now >= self.throttle.deadline:
                raise TimeUp from None  # the end of the run has cut the time for an answer short
            self.throttle.answered(now - sent, 0)
            raise self._met.met(str(met)) from None
        return self._answered(request, reply, waited, trace)

    def _answered(self, request: Request, reply: Reply, waited: float, trace: str) -> Exchange:
        """Return the exchange of a request that was answered, and tell the throttle of it."""
        exchange = self._exchange(
            request,
            reply.status,
            reply.headers,
            reply.body,
            call=reply.sent,
            back=reply.received,
            waited=waited,
            trace=trace,
            unread=reply.unread,
        )
        is_told = not reply.unread and exchange.status < 500
        made = exchange.created if is_told else request.may_write
        self.throttle.answered(reply.received - reply.sent, exchange.status, made=made)
        if reply.unread:
            self._met.note(reply.unread)
        return exchange

    def _note_lost(self, request: Request, met: Interference) -> None:
        """Note that a request may have made something of which no answer tells."""
        if request.may_write and not isinstance(met, Unreachable):
            self.throttle.note_made()

    def _exchange(
        self,
        request: Request,
        status: int,
        headers: Headers,
        answer: bytes,
        *,
        call: float,
        back: float,
        waited: float = 0.0,
        trace: str = "",
        unread: str = "",
    ) -> Exchange:
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
            back,
            waited,
            request.chunks,
            self.clock.unix_time() - (back - call),
            trace,
            unread,
        )

    def _message(self, request: Request, trace: str, base: str | None = None) -> Message:
        where = self.target.base_of(request.path) if base is None else base
        return Message(where, request, tuple(self._headers(request, trace)))

    def _headers(self, request: Request, trace: str) -> Iterator[tuple[str, str]]:
        """Yield the headers of a request and of the target; then those of the judge which neither of them has."""
        given = [*request.headers, *((one.name, one.value) for one in self.target.connection.headers)]
        yield from given
        named = {name.lower() for name, _ in given}
        for name, value in (("User-Agent", AGENT), ("Accept", "*/*"), ("traceparent", trace)):
            if name.lower() not in named:
                yield name, value

    def _time_left(self, timeout: float | None) -> float:
        """Return the seconds that an answer may take: `timeout`, by default those of the client, or less where the run ends before.

        Raises:
            TimeUp: the run has ended.
        """
        left = self.throttle.deadline - self.clock.now()
        if left <= 0:
            raise TimeUp
        return min(self.timeout if timeout is None else timeout, left)


__all__ = ["AGENT", "TIMEOUT", "Client", "Locate"]
