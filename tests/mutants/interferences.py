"""The conforming server with one interference in front of it, which records every request that came.

A run against one of these must accuse the server of nothing: what fails is a gateway, a limit, a network or a restart.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from werkzeug import Response
from werkzeug.http import HTTP_STATUS_CODES, http_date

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
    """By `time.monotonic`."""

    @property
    def route(self) -> str:
        """Method and path without the query: `POST /v1/modack`."""
        return f"{self.method} {self.path.partition('?')[0]}"


Condition = Callable[["WSGIApplication", Arrival], "WSGIApplication"]
"""Returns the application that answers a request: the server itself, or what stands before it."""


class Interference:
    """A conforming server, the condition before it, and the requests that came."""

    def __init__(self, condition: Condition, world: ConformingServer) -> None:
        self.condition = condition
        self.world = world
        self.url = ""
        self.requests: list[Arrival] = []
        self.restarts = 0
        """How often the server has gone away."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        arrival = Arrival(method, target, tuple(environ[HEADERS]), body, time.monotonic())
        self.requests.append(arrival)
        return self.condition(self.world, arrival)(environ, start_response)


@contextmanager
def disturbed(condition: Condition, world: ConformingServer | None = None) -> Iterator[Interference]:
    """Serve a world, by default a fresh conforming server, behind a condition."""
    interference = Interference(condition, world or ConformingServer(ALL))
    with serving(interference) as interference.url:
        yield interference


def gateway(status: int, body: Body, **headers: str) -> Response:
    """A gateway's own answer; in names of headers `_` stands for `-`."""
    line = f"{status} {HTTP_STATUS_CODES[status]}"
    media, page = GATEWAY_BODIES[body](line)
    return Response(page, line, {name.replace("_", "-"): value for name, value in headers.items()}, media)


@contextmanager
def restarting(times: int = 5, every: float = 4.0, gone: float = 0.4) -> Iterator[Interference]:
    """Restart the server so many `times`.

    Each time it serves for `every` seconds, resets all connections, refuses new ones for `gone` seconds, and comes back
    with an empty world.
    """
    interference = Interference(lambda world, _: world, ConformingServer(ALL))
    up, over = threading.Event(), threading.Event()

    def live(port: int) -> None:
        for _ in range(times):
            with serving(interference, port):
                up.set()
                if over.wait(every):
                    return
            interference.world = ConformingServer(ALL)
            interference.restarts += 1
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
        interference.url = f"http://127.0.0.1:{port}"
        life = threading.Thread(target=live, args=[port], daemon=True)
        life.start()
        up.wait()
        try:
            yield interference
        finally:
            over.set()
            life.join()


def limited(
    per_second: int = 20,
    *,
    per_minute: int | None = None,
    retry_after: Literal["seconds", "date"] | None = "seconds",
    body: Body = "html",
    elapsed: float = 0.0,
) -> AbstractContextManager[Interference]:
    """Limit the requests of each second or, where `per_minute` is given, of each minute; the rest get 429.

    `elapsed`: how many seconds of the first second or minute are over when this begins; `retry_after`: how the header of
    that name says when the span ends, None for no such header.
    """
    allowed, span = (per_second, 1) if per_minute is None else (per_minute, 60)
    began = time.monotonic() - elapsed
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
        until = http_date(math.ceil(time.time() + left)) if retry_after == "date" else str(math.ceil(left))
        return gateway(429, body, Retry_After=until)

    return disturbed(condition)


def cutting(one_in: int = 40, seed: int = 7) -> AbstractContextManager[Interference]:
    """Reset the connection of one request in so many: in turn before any work is done and after all of it is."""
    chance = Random(seed)
    ways = itertools.cycle([False, True])

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        return _cut(world if next(ways) else None) if chance.random() < 1 / one_in else world

    return disturbed(condition)


def _cut(work: WSGIApplication | None) -> WSGIApplication:
    """An application that resets the connection, after the work where there is some."""

    def cut(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if work is not None:
            work(environ, start_response)
        reset(environ[SOCKET])
        raise ConnectionResetError

    return cut


def delaying(seconds: float = 0.3) -> AbstractContextManager[Interference]:
    """Delay every answer by so many seconds; with 0 this is an undisturbed server that records what came."""
    return slowing(0, seconds)


def slowing(after: float, to: float) -> AbstractContextManager[Interference]:
    """Delay each answer by `to` seconds from `after` seconds on: half on the way there, half on the way back."""
    began = time.monotonic()

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            time.sleep(to / 2)
            answer = world(environ, start_response)
            time.sleep(to / 2)
            return answer

        return late if arrival.at - began >= after else world

    return disturbed(condition)


def lingering(number: int, seconds: float) -> AbstractContextManager[Interference]:
    """Delay the answer to one request, counted from 1, by so many seconds; all others are answered at once."""
    counted = itertools.count(1)

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            time.sleep(seconds)
            return world(environ, start_response)

        return late if next(counted) == number else world

    return disturbed(condition)


def failing(
    after: float, share: float, *, body: Body = "json", seed: int = 7
) -> AbstractContextManager[Interference]:
    """Answer a share of all requests with 500 from `after` seconds on; these are not carried out."""
    began = time.monotonic()
    chance = Random(seed)

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        fails = arrival.at - began >= after and chance.random() < share
        return gateway(500, body) if fails else world

    return disturbed(condition)


def refusing_puts(status: Literal[403, 404, 405] = 403) -> AbstractContextManager[Interference]:
    """Refuse every PUT: good keys with 403 in JSON, or every key with 404 or 405 in HTML; `orders.created` is defined."""
    world = ConformingServer(ALL)
    for org in KEYS.values():
        world.define(org, DECLARED)
    body: Body = "json" if status == 403 else "html"
    allow = {"Allow": "GET, POST"} if status == 405 else {}

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        key = next((value.strip() for name, value in arrival.headers if name.lower() == "x-arklow-auth"), "")
        refused = re.fullmatch(DEFINE, arrival.route) and (status != 403 or key in KEYS)
        return gateway(status, body, **allow) if refused else world

    return disturbed(condition, world)


def behind_html(modack: bool = True) -> AbstractContextManager[Interference]:
    """Route the three published operations alone, or without modack two of them; everything else is a page with 404."""
    routed = "|".join([DEFINE, TAKE_WORK, *([EXTEND] if modack else [])])

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        return world if re.fullmatch(routed, arrival.route) else gateway(404, "html")

    return disturbed(condition)


def no_lease() -> AbstractContextManager[Interference]:
    """Deliver no work, so that every modack is 409."""
    return disturbed(lambda world, _: world, ConformingServer(Choices(operations="all", delivery="never")))


__all__ = [
    "Arrival",
    "Interference",
    "behind_html",
    "cutting",
    "delaying",
    "failing",
    "limited",
    "lingering",
    "no_lease",
    "refusing_puts",
    "restarting",
    "slowing",
]
