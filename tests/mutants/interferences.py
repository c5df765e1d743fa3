"""The conforming server with one interference in front of it, which records every request that came.

Each goes by the clock that it is handed, so that it can be called in the process of a test, or served over sockets. A run
against one of these must accuse the server of nothing: what fails is a gateway, a limit, a network or a restart.
"""

from __future__ import annotations

import errno
import io
import itertools
import math
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from werkzeug import Response
from werkzeug.http import HTTP_STATUS_CODES, http_date

from tests.clocks import Clock, MachineClock
from tests.serving import HEADERS, SOCKET, reset, serving

from .conforming_server import KEYS, Choices, ConformingServer, RequestedDefinition
from .deployments import GATEWAY_BODIES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Body = Literal["html", "json"]
"""In which format a gateway writes its own answers."""

ALL = Choices(operations="all")
DECLARED = RequestedDefinition(
    "orders.created",
    {"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "string"}}},
    version=None,
    alias=None,
)
"""The one definition that exists where no PUT is allowed."""
DEFINE = r"PUT /v1/orgs/[^/]+/actions/definitions"
TAKE_WORK = r"POST /v1/ingress/[^/]+"
EXTEND = r"POST /v1/modack"


@dataclass(frozen=True)
class Arrival:
    """A request as it came."""

    method: str
    path: str
    """As it was sent, with its query."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float
    """When it came, in seconds since 1970."""

    @property
    def route(self) -> str:
        """Method and path without the query: `POST /v1/modack`."""
        return f"{self.method} {self.path.partition('?')[0]}"


Condition = Callable[["WSGIApplication", Arrival], "WSGIApplication"]
"""Returns the application that answers a request: the server itself, or what stands before it."""


class Interference:
    """A conforming server, the condition before it, and the requests that came; all go by one clock."""

    def __init__(
        self, clock: Clock, condition: Condition = lambda world, _: world, choices: Choices = ALL
    ) -> None:
        """Stand before a fresh server, by default without effect."""
        self.clock = clock
        self.began = clock.unix_time()
        """In seconds since 1970."""
        self.world = ConformingServer(choices, clock=clock)
        self.requests: list[Arrival] = []
        self.restarts = 0
        """How often the server has gone away."""
        self._condition = condition

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        arrival = Arrival(method, target, tuple(environ[HEADERS]), body, self.clock.unix_time())
        self.requests.append(arrival)
        return self._condition(self.world, arrival)(environ, start_response)

    def restart(self) -> None:
        """Lose everything."""
        self.world = ConformingServer(self.world.choices, clock=self.clock)
        self.restarts += 1


class Restarting(Interference):
    """A server that is restarted again and again, and comes back with an empty world each time."""

    def __init__(self, clock: Clock, times: int = 5, every: float = 4.0, gone: float = 0.4) -> None:
        """Restart the server so many `times`: each time it serves for `every` seconds, then refuses for `gone` seconds."""
        super().__init__(clock)
        self.times, self.every, self.gone = times, every, gone

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        life, passed = divmod(self.clock.unix_time() - self.began, self.every + self.gone)
        away = life < self.times and passed >= self.every
        while self.restarts < min(life + away, self.times):
            self.restart()
        if away:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        return super().__call__(environ, start_response)


@contextmanager
def serving_with_restarts(times: int, every: float, gone: float) -> Iterator[tuple[str, Interference]]:
    """Serve a server that is restarted, over sockets, and yield its URL.

    When it goes away, all connections are reset, and its port refuses new ones.
    """
    interference = Interference(MachineClock())
    up, over = threading.Event(), threading.Event()

    def live(port: int) -> None:
        for _ in range(times):
            with serving(interference, port):
                up.set()
                if over.wait(every):
                    return
            interference.restart()
            if over.wait(gone):
                return
        with serving(interference, port):
            up.set()
            over.wait()

    with socket.socket() as holder:
        # Bound and never listening: while the server is gone, no other process gets its port.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        life = threading.Thread(target=live, args=[port], daemon=True)
        life.start()
        up.wait()
        try:
            yield f"http://127.0.0.1:{port}", interference
        finally:
            over.set()
            life.join()


def gateway(status: int, body: Body, **headers: str) -> Response:
    """A gateway's own answer; in names of headers `_` stands for `-`."""
    line = f"{status} {HTTP_STATUS_CODES[status]}"
    media, page = GATEWAY_BODIES[body](line)
    return Response(page, line, {name.replace("_", "-"): value for name, value in headers.items()}, media)


def limited(
    clock: Clock,
    per_second: int = 20,
    *,
    per_minute: int | None = None,
    retry_after: Literal["seconds", "date"] | None = "seconds",
    body: Body = "html",
    elapsed: float = 0.0,
) -> Interference:
    """Limit the requests of each second or, where `per_minute` is given, of each minute; the rest get 429.

    `elapsed`: how many seconds of the first second or minute are over when this begins; `retry_after`: how the header of
    that name says when the span ends, None for no such header.
    """
    allowed, span = (per_second, 1) if per_minute is None else (per_minute, 60)
    began = clock.unix_time() - elapsed
    counts: Counter[float] = Counter()
    lock = threading.Lock()

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        number, spent = divmod(arrival.at - began, span)
        with lock:
            counts[number] += 1
            if counts[number] <= allowed:
                return world
        if retry_after is None:
            return gateway(429, body)
        left = span - spent
        until = http_date(math.ceil(arrival.at + left)) if retry_after == "date" else str(math.ceil(left))
        return gateway(429, body, Retry_After=until)

    return Interference(clock, condition)


def cutting(clock: Clock, one_in: int = 40, seed: int = 7) -> Interference:
    """Reset the connection of one request in so many: in turn before any work is done and after all of it is."""
    chance = Random(seed)
    ways = itertools.cycle([False, True])

    def condition(world: WSGIApplication, _: Arrival) -> WSGIApplication:
        return _cut(world if next(ways) else None) if chance.random() < 1 / one_in else world

    return Interference(clock, condition)


def _cut(work: WSGIApplication | None) -> WSGIApplication:
    """An application that resets the connection, after the work where there is some."""

    def cut(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if work is not None:
            work(environ, start_response)
        reset(environ[SOCKET])
        raise ConnectionResetError

    return cut


def slowing(clock: Clock, after: float, to: float, until: float = math.inf) -> Interference:
    """Delay each answer by `to` seconds, from `after` seconds on until `until`: half on the way there, half on the way back."""
    began = clock.unix_time()

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            clock.pause(to / 2)
            answer = world(environ, start_response)
            clock.pause(to / 2)
            return answer

        return late if after <= arrival.at - began < until else world

    return Interference(clock, condition)


def lingering(clock: Clock, number: int, seconds: float) -> Interference:
    """Delay the answer to one request, counted from 1, by so many seconds; all others are answered at once."""
    counted = itertools.count(1)

    def condition(world: WSGIApplication, _: Arrival) -> WSGIApplication:
        def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            clock.pause(seconds)
            return world(environ, start_response)

        return late if next(counted) == number else world

    return Interference(clock, condition)


def failing(
    clock: Clock,
    after: float,
    share: float,
    *,
    until: float = math.inf,
    status: int = 500,
    body: Body = "json",
    seed: int = 7,
) -> Interference:
    """Answer a share of all requests with a status from `after` seconds on until `until`; these are not carried out."""
    began = clock.unix_time()
    chance = Random(seed)

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        fails = after <= arrival.at - began < until and chance.random() < share
        return gateway(status, body) if fails else world

    return Interference(clock, condition)


def refusing_puts(clock: Clock, status: Literal[403, 404, 405] = 403) -> Interference:
    """Refuse every PUT: good keys with 403 in JSON, or every key with 404 or 405 in HTML; `orders.created` is defined."""
    body: Body = "json" if status == 403 else "html"
    allow = {"Allow": "GET, POST"} if status == 405 else {}

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        key = next((value.strip() for name, value in arrival.headers if name.lower() == "x-arklow-auth"), "")
        refused = re.fullmatch(DEFINE, arrival.route) and (status != 403 or key in KEYS)
        return gateway(status, body, **allow) if refused else world

    interference = Interference(clock, condition)
    for org in KEYS.values():
        interference.world.define(org, DECLARED)
    return interference


def behind_html(clock: Clock, modack: bool = True) -> Interference:
    """Route the three published operations alone, or without modack two of them; everything else is a page with 404."""
    routed = "|".join([DEFINE, TAKE_WORK, *([EXTEND] if modack else [])])

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        return world if re.fullmatch(routed, arrival.route) else gateway(404, "html")

    return Interference(clock, condition)


def no_lease(clock: Clock) -> Interference:
    """Deliver no work, so that every modack is 409."""
    return Interference(clock, choices=Choices(operations="all", delivery="never"))


__all__ = [
    "Arrival",
    "Interference",
    "Restarting",
    "behind_html",
    "cutting",
    "failing",
    "limited",
    "lingering",
    "no_lease",
    "refusing_puts",
    "serving_with_restarts",
    "slowing",
]
