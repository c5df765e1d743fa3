"""Foreign answers: pages of gateways and of other applications, in front of the conforming server or in its place."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug import Response

from tests.clocks import Clock

from .interferences import ALL, Arrival, Interference

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PAGE = "<!doctype html><title>One moment</title><h1>One moment, please</h1>"


def page(status: int = 200) -> Response:
    """A page for people."""
    return Response(PAGE, status, content_type="text/html; charset=utf-8")


def message(status: int, text: str = "try again") -> Response:
    """A gateway's own JSON, which is not the envelope."""
    return Response(json.dumps({"message": text}), status, content_type="application/json")


def now_and_then(
    clock: Clock, answer: Callable[[], Response], one_in: int = 40, route: str = ""
) -> Interference:
    """Give a foreign answer to one request in so many, of those whose method and path begin with `route`.

    The server does not see these requests.
    """
    counted = itertools.count(1)

    def condition(world: WSGIApplication, arrival: Arrival) -> WSGIApplication:
        meant = arrival.route.startswith(route)
        return answer() if meant and next(counted) % one_in == 0 else world

    return Interference(clock, condition)


def always(clock: Clock, answer: Callable[[Arrival], Response | None]) -> Interference:
    """Give foreign answers to all requests for which there is one."""
    return Interference(clock, lambda world, arrival: answer(arrival) or world, ALL)


__all__ = ["PAGE", "always", "message", "now_and_then", "page"]
