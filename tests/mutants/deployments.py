"""Lawful servers that no choice describes: built in another way, or standing behind a gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.clocks import Clock
from tests.serving import HEADERS

from .conforming_server import (
    Action,
    Choices,
    ConformingServer,
    Definition,
    Refused,
    RequestedDefinition,
    Work,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ALL = Choices(operations="all")


class _ThreeNodes(ConformingServer):
    """Three nodes, of which two learn of something later than the third; a request goes to any of them."""

    def learned_at(self) -> list[float]:
        """When each of them learns of what happens now, in seconds since 1970: one now, two within a second."""
        now = self.now()
        return [now, now + self.random.random(), now + self.random.random()]

    def knows(self, learned_at: list[float]) -> bool:
        """Whether the node to which this request goes has learned of it."""
        return self.now() >= self.random.choice(learned_at)


class Nodes(_ThreeNodes):
    """Three nodes; two of them learn of a definition within a second, each at its own time."""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.known_at: dict[tuple[str, str], list[float]] = {}

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        made = super().define(org, requested)
        self.known_at[org, made.variant] = self.learned_at()
        return made

    def resolve(self, org: str, name: str) -> Definition:
        found = super().resolve(org, name)
        if not self.knows(self.known_at[org, found.variant]):
            raise Refused(400, "UNKNOWN_VARIANT", "no definition has this variant")
        return found


class SlowNodes(_ThreeNodes):
    """Three nodes; two of them learn of an action within a second, each at its own time."""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.known_at: dict[str, list[float]] = {}

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        self.known_at[action.id] = self.learned_at()
        return action

    def find(self, org: str, number: str) -> Action:
        action = super().find(org, number)
        if not self.knows(self.known_at[action.id]):
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action


class Archive(ConformingServer):
    """A sink settles half of the actions within two seconds; an action that is settled is not known any more."""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.settled_at: dict[str, float] = {}
        """Action → when the sink settles it, in seconds since 1970."""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        if self.random.random() < 0.5:
            self.settled_at[action.id] = self.now() + self.random.uniform(0.2, 2)
        return action

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with super().exclusive():
            self.put_away()
            yield

    def put_away(self) -> None:
        """Forget the actions that the sink has settled by now."""
        now = self.now()
        for action_id in [one for one, at in self.settled_at.items() if at <= now]:
            del self.settled_at[action_id]
            self.actions.pop(action_id, None)


class OwnNumbers(ConformingServer):
    """The server alone says which version a definition has, whatever a PUT asks for."""

    def store(self, org: str, requested: RequestedDefinition) -> Definition:
        return super().store(org, replace(requested, version=None))


class Described(ConformingServer):
    """A title that changes makes no new version."""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        old, new = (
            {**one, "title": 0} if isinstance(one, dict) else one
            for one in (definition.schema, requested.schema)
        )
        if requested.version is None and requested.alias in (None, definition.alias) and old == new:
            definition.schema = definition.versions[definition.version] = requested.schema
            return
        super().update(definition, requested)


class Padded(ConformingServer):
    """Ids have twenty digits, and are numbers: zeros before them do not count."""

    def new_id(self) -> str:
        self.last_id += 1
        return f"{self.last_id:020d}"

    def find(self, org: str, number: str) -> Action:
        return super().find(org, f"{int(number):020d}" if len(number) < 30 else number)


class Gateway:
    """A gateway that refuses odd requests in its own words before the server sees them."""

    def __init__(self, app: WSGIApplication, write: Callable[[str], tuple[str, bytes]]) -> None:
        self.app = app
        self.write = write

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = self.refusal(environ)
        if status is None:
            return self.app(environ, start_response)
        media, body = self.write(status)
        start_response(status, [("Content-Type", media), ("Content-Length", str(len(body)))])
        return [body]

    def refusal(self, environ: WSGIEnvironment) -> str | None:
        """The status line for a request that gateways refuse or redirect; None for every other request."""
        headers: list[tuple[str, str]] = environ[HEADERS]
        target = str(environ.get("REQUEST_URI") or environ["PATH_INFO"])
        names = {name.lower() for name, _ in headers}
        if len(target) > 1_024:
            return "414 URI Too Long"
        if len(headers) > 40 or sum(len(name) + len(value) for name, value in headers) > 2_048:
            return "431 Request Header Fields Too Large"
        if int(environ.get("CONTENT_LENGTH") or 0) > 16_384:
            return "413 Content Too Large"
        odd = re.search(r"%(?:[01]|7f|2f|5c|25|c0|f[ef]|2e)|/\.", target, re.IGNORECASE)
        printable = all(" " <= c <= "~" for _, value in headers for c in value)
        if odd or len(names) < len(headers) or not printable:
            return "400 Bad Request"
        if target.partition("?")[0].endswith("/"):
            return "308 Permanent Redirect"
        return None


def _html(status: str) -> tuple[str, bytes]:
    return "text/html", f"<html><h1>{status}</h1></html>".encode()


def _json(status: str) -> tuple[str, bytes]:
    return "application/json", json.dumps({"message": status}).encode()


GATEWAY_BODIES: dict[str, Callable[[str], tuple[str, bytes]]] = {"html": _html, "json": _json}
"""What gateways write about a status line: media type and body."""


def _deployed(kind: type[ConformingServer]) -> Callable[[Clock | None], Any]:
    return lambda clock: kind(_ALL, clock=clock)


def _behind(choices: Choices, write: Callable[[str], tuple[str, bytes]]) -> Callable[[Clock | None], Any]:
    return lambda clock: Gateway(ConformingServer(choices, clock=clock), write)


DEPLOYMENTS: dict[str, Callable[[Clock | None], Any]] = {
    "nodes": _deployed(Nodes),
    "slow-nodes": _deployed(SlowNodes),
    "archive": _deployed(Archive),
    "own-numbers": _deployed(OwnNumbers),
    "described": _deployed(Described),
    "padded-ids": _deployed(Padded),
    "behind-a-page": _behind(Choices(html_404=True), GATEWAY_BODIES["html"]),
    "behind-a-gateway": _behind(_ALL, GATEWAY_BODIES["json"]),
}
"""Name → what makes a fresh server with a clock, the machine's if it is None."""

__all__ = ["DEPLOYMENTS", "GATEWAY_BODIES"]
