"""A real receiver of webhooks: Flask on a socket of its own, with given answers; it keeps the calls that came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request

from tests.admin.desk import Desk
from tests.serving import HEADERS, serving
from tests.waiting import wait_until

Answer = Response | Callable[[], Response]


@dataclass(frozen=True)
class Got:
    """One call, as it came over the network."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """A header's value; the case of its name does not count."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def attempt(self) -> int:
        return int(self.header("x-arklow-attempt") or -1)


@dataclass
class Receiver:
    """Answers with each of `answers` in turn, and then with the last one for ever."""

    answers: list[Answer] = field(default_factory=lambda: [answer()])
    got: list[Got] = field(default_factory=list)

    def __post_init__(self) -> None:
        app = Flask(__name__)
        app.add_url_rule("/<path:path>", view_func=self._receive, methods=["GET", "POST", "PUT"])
        self._lock = threading.Lock()
        self._served = serving(app)
        self.url = ""

    def _receive(self, path: str) -> Response:
        got = Got(request.method, f"/{path}", request.environ[HEADERS], request.get_data())
        with self._lock:
            self.got.append(got)
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return given() if callable(given) and not isinstance(given, Response) else given

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def __enter__(self) -> Receiver:
        self.url = f"{self._served.__enter__()}/hook"
        return self

    def __exit__(self, *_: object) -> None:
        self._served.__exit__(None, None, None)


def answer(status: int = 200, body: str | bytes = b"", **headers: str) -> Response:
    """An answer of a receiver; underscores in the names of headers stand for hyphens."""
    return Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def signal(word: str, value: object = None) -> Response:
    """An answer with a signal in its headers."""
    more = {} if value is None else {"x_arklow_signaling_val": str(value)}
    return answer(200, x_arklow_signaling=word, **more)


def linked(desk: Desk, url: str, *, label: str = "hook", variant: str = "v", **config: Any) -> Any:
    """Put a webhook, and link a new variant to it, on a clock that is frozen at noon."""
    desk.freeze()
    desk.put(variant)
    return link(desk, url, label=label, variant=variant, **config)


def link(desk: Desk, url: str, *, label: str = "hook", variant: str = "v", **config: Any) -> Any:
    """Put a webhook, and link a variant to it."""
    body = {"label": label, "type": "webhook", "config": {"url": url} | config}
    made = desk.admin("PUT", "42/destinations", body)
    assert made.status == 200, made.body
    done = desk.admin("PUT", "42/links", {"variant": variant, "destinations": [label]})
    assert done.status == 200, done.body
    return made.data


def advance(desk: Desk, seconds: float = 0) -> None:
    """Let time pass; all calls have their answers afterwards."""
    done = desk.admin("POST", "42/clock/advance", {"seconds": seconds})
    assert done.status == 200, done.body


def story(desk: Desk, action: str) -> list[tuple[str, int]]:
    """(kind, attempt) of each event of an action."""
    return [(event["kind"], event["attempt"]) for event in desk.record(action)["events"]]


def deliveries(desk: Desk) -> list[Any]:
    """The journal's entries of deliveries."""
    found: list[Any] = desk.admin("GET", "42/journal?kind=delivery&limit=1000").data["entries"]
    return found


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    assert wait_until(condition)
