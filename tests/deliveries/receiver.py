"""A real receiver of webhooks: Flask on a socket of its own, which answers as it is told and remembers what came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request

from tests.admin.desk import Desk
from tests.serving import HEADERS, serving

Answer = Response | Callable[[], Response]


@dataclass(frozen=True)
class Got:
    """One call, as it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """A header's value, in whatever casing it came."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def attempt(self) -> int:
        return int(self.header("x-arklow-attempt") or -1)


@dataclass
class Receiver:
    """Answers with each of `answers` in turn, and with the last of them from then on."""

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
            told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return told() if callable(told) and not isinstance(told, Response) else told

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def __enter__(self) -> Receiver:
        self.url = f"{self._served.__enter__()}/hook"
        return self

    def __exit__(self, *_: object) -> None:
        self._served.__exit__(None, None, None)


def answer(status: int = 200, body: str | bytes = b"", **headers: str) -> Response:
    """What a receiver says; underscores in the names of headers stand for hyphens."""
    return Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def late(seconds: float, told: Response) -> Answer:
    """An answer that takes its time."""

    def hook() -> Response:
        time.sleep(seconds)
        return told

    return hook


def signal(word: str, value: object = None) -> Response:
    """An answer with a signal in its headers."""
    more = {} if value is None else {"x_arklow_signaling_val": str(value)}
    return answer(200, x_arklow_signaling=word, **more)


def linked(desk: Desk, url: str, *, label: str = "hook", variant: str = "v", **config: Any) -> Any:
    """Put a webhook and have the actions of a variant go there; with a clock that stands at noon."""
    desk.freeze()
    desk.put(variant)
    return link(desk, url, label=label, variant=variant, **config)


def link(desk: Desk, url: str, *, label: str = "hook", variant: str = "v", **config: Any) -> Any:
    """The same on an organisation as it is."""
    body = {"label": label, "type": "webhook", "config": {"url": url} | config}
    made = desk.admin("PUT", "42/destinations", body)
    assert made.status == 200, made.body
    done = desk.admin("PUT", "42/links", {"variant": variant, "destinations": [label]})
    assert done.status == 200, done.body
    return made.data


def advance(desk: Desk, seconds: float = 0) -> None:
    """Let time pass, and have all answers."""
    done = desk.admin("POST", "42/clock/advance", {"seconds": seconds})
    assert done.status == 200, done.body


def story(desk: Desk, action: str) -> list[tuple[str, int]]:
    """Kind and attempt of each event of an action."""
    return [(event["kind"], event["attempt"]) for event in desk.record(action)["events"]]


def deliveries(desk: Desk) -> list[Any]:
    """The journal's entries of deliveries."""
    found: list[Any] = desk.admin("GET", "42/journal?kind=delivery&limit=1000").data["entries"]
    return found


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what happens beside the test."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
