"""What may lie between the judge and a deployment, none of which breaks a rule of a deployment that keeps them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from werkzeug import Response
from werkzeug.http import http_date

from tests.clocks import Clock
from tests.contracts.changed import COMPRESSED, Changed, answer_of, with_length
from tests.contracts.in_process import LATENCY
from tests.mutants.foreign import page
from tests.serving import SOCKET

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Front = Callable[["WSGIApplication", Clock], "WSGIApplication"]
"""Puts something before a server, which goes by this clock."""

_LINES: Final = 150
"""Header lines of an answer: half as many again as many client libraries read."""
_ONE_IN: Final = 40
"""Requests of which a gateway answers one itself."""
_LIMIT: Final = 5
"""Seconds for which the first requests are refused."""
_AHEAD: Final = 600.0
"""Seconds that a clock is wrong by: ten minutes, more than any network of computers keeps for long."""


@dataclass(frozen=True)
class Condition:
    """One condition, and how a run meets it."""

    front: Front = lambda app, _: app
    path: str = ""
    """Begins the path of each URL."""
    latency: float = LATENCY
    """Seconds of each request."""
    ahead: float = 0.0
    """Seconds by which the clock of the server is ahead."""
    flags: tuple[str, ...] = ()
    """Flags of `check`."""
    true: frozenset[str] = frozenset()
    """Codes of rules that the answers of this condition break, although the server behind it breaks none."""


class Ahead:
    """A clock that is wrong by some seconds."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.wait, self.pause = clock.wait, clock.pause

    def unix_time(self) -> float:
        """Return the seconds since 1970, as this clock has them."""
        return self._clock.unix_time() + self._seconds


def _with_headers(app: WSGIApplication, _: Clock) -> WSGIApplication:
    more = {f"x-trace-{number}": "1" for number in range(_LINES)}
    return Changed(app, lambda _, status, headers, body: (status, headers | more, body))


def _with_early_hints(app: WSGIApplication, _: Clock) -> WSGIApplication:
    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            environ[SOCKET].sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n")
        return app(environ, start_response)

    return answered


def _page_once_in(one_in: int) -> Front:
    """Return what answers one request in so many with a page; the server does not see it."""

    def front(app: WSGIApplication, _: Clock) -> WSGIApplication:
        numbers = count(1)

        def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return (app if next(numbers) % one_in else page(200))(environ, start_response)

        return answered

    return front


def _page_instead_of(status: str, given: int) -> Front:
    """Return what gives a page with the status `given` in place of each answer whose status begins so."""

    def front(app: WSGIApplication, _: Clock) -> WSGIApplication:
        def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            answer, headers, body = answer_of(app, environ)
            if answer.startswith(status):
                return page(given)(environ, start_response)
            start_response(answer, with_length(headers, body))
            return [body]

        return answered

    return front


def _limited_at_first(app: WSGIApplication, clock: Clock) -> WSGIApplication:
    until = clock.unix_time() + _LIMIT

    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        now = clock.unix_time()
        if now >= until:
            return app(environ, start_response)
        headers = {"retry-after": str(_LIMIT), "date": http_date(now)}
        return Response("slow down", 429, headers, "text/plain")(environ, start_response)

    return answered


def _below(path: str) -> Front:
    """Return what serves an application below a path, and nothing elsewhere."""

    def front(app: WSGIApplication, _: Clock) -> WSGIApplication:
        def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith(f"{path}/"):
                return page(404)(environ, start_response)
            names = environ.keys() & {"PATH_INFO", "REQUEST_URI", "RAW_URI"}
            inner = {name: str(environ[name]).replace(path, "", 1) for name in names}
            return app({**environ, **inner}, start_response)

        return answered

    return front


PLAIN: Final = "plain"
"""Nothing lies between."""
CONDITIONS: Final[Mapping[str, Condition]] = {
    PLAIN: Condition(),
    "gzip always": Condition(lambda app, _: Changed(app, COMPRESSED)),
    "150 headers": Condition(_with_headers),
    "103 before each answer": Condition(_with_early_hints),
    "HTML 404": Condition(_page_instead_of("404", 404), true=frozenset({"PAGE-4", "PAGE-5"})),
    "login page": Condition(_page_once_in(1)),
    "login page for a bad key": Condition(
        _page_instead_of("401", 200), true=frozenset({"PAGE-4", "PAGE-5", "AUTH-4"})
    ),
    "base path": Condition(_below("/api/arklow"), path="/api/arklow"),
    "3.3 s latency": Condition(latency=3.3, flags=("--max-time", "300")),
    "429 at first contact": Condition(_limited_at_first, flags=("--max-time", "60")),
    "clock ahead": Condition(ahead=_AHEAD),
    "clock behind": Condition(ahead=-_AHEAD),
    "a gateway's page": Condition(_page_once_in(_ONE_IN), true=frozenset({"PAGE-4"})),
}
"""Name → condition."""

__all__ = ["CONDITIONS", "PLAIN", "Ahead", "Condition"]
