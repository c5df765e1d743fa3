"""Sends requests to one world and keeps them with their answers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Final

from tests.corpus.steps import ADMIN, API, WAIT, Answer, Headers, Plan, Request, Step
from tests.corpus.worlds import TOKEN, World

SEED: Final = 20260101
NOTHING: Final = object()
"""No body at all, as `None` is the JSON value null."""
FROZEN: Final = {"clock": {"mode": "frozen", "now": "2030-01-01T12:00:00Z"}}
"""The body of a reset that has the clock of an organisation stand."""

Scene = tuple[Plan, Callable[["Session"], None]]


class Session:
    """One world, and what was sent to it so far."""

    def __init__(self, plan: Plan) -> None:
        self.world = World(plan)
        self.steps: list[Step] = []
        self.random = random.Random(f"{SEED} {plan.name}")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.__exit__()

    def send(self, request: Request) -> Answer:
        """Send a request as it is."""
        answer = self.world.send(request)
        self.steps.append(Step(request, answer))
        return answer

    def wait(self, seconds: float) -> None:
        """Let the machine's clock go on."""
        self.send(Request(WAIT, seconds=seconds))

    def api(
        self,
        method: str,
        target: str,
        body: object = NOTHING,
        *,
        key: str | None = "org-42",
        headers: Headers = (),
        plain: bool = True,
        whole: bool = True,
    ) -> Answer:
        """One request to the API; a body that is not bytes is sent as JSON. Without `plain` no header is added."""
        content = _content(body)
        sent: list[tuple[str, str]] = [("host", "localhost:3123")]
        if plain and key is not None:
            sent.append(("x-arklow-auth", key))
        if plain and body is not NOTHING:
            sent.append(("content-type", "application/json"))
        if content:
            sent.append(("content-length", str(len(content) if whole else len(content) + 1)))
        return self.send(Request(API, method, target, (*sent, *headers), content, whole))

    def admin(
        self,
        method: str,
        path: str,
        body: object = NOTHING,
        *,
        token: str | None = TOKEN,
        host: str | None = "localhost:3124",
        headers: Headers = (),
        media_type: str | None = "application/json",
    ) -> Answer:
        """One request to the admin plane; a path without a slash begins below the organisations."""
        content = _content(body)
        sent: list[tuple[str, str]] = [] if host is None else [("host", host)]
        if token is not None:
            sent.append(("authorization", f"Bearer {token}"))
        if body is not NOTHING:
            sent.append(("content-length", str(len(content))))
            if media_type is not None:
                sent.append(("content-type", media_type))
        target = path if path.startswith("/") else f"/organisations/{path}"
        return self.send(Request(ADMIN, method, target, (*sent, *headers), content))

    def freeze(self, org: str = "42", **more: Any) -> None:
        """Begin an organisation anew, at a time that stands."""
        self.admin("POST", f"{org}/reset", FROZEN | more)

    def advance(self, seconds: float, org: str = "42") -> None:
        """Move the clock of an organisation."""
        self.admin("POST", f"{org}/clock/advance", {"seconds": seconds})

    def put(self, variant: str = "v", org: str = "42", **body: Any) -> Answer:
        """PUT a definition."""
        whole = {"variant": variant, "schema": {}} | body
        return self.api("PUT", f"/v1/orgs/{org}/actions/definitions", whole, key=f"org-{org}")

    def post(self, variant: str = "v", org: str = "42", query: str = "", **body: Any) -> str:
        """POST work; the id of the action, empty when it was refused."""
        whole = {"payload": None} | body
        answer = self.api("POST", f"/v1/ingress/{variant}{query}", whole, key=f"org-{org}")
        if answer.status != 200 or answer.cut:
            return ""
        data = answer.data or {}  # null when the answer was replaced on request
        return str(data.get("a_id", ""))

    def signal(self, name: str, action: str, attempt: object = 0, org: str = "42", **more: Any) -> Answer:
        """Send ack, nack, modack or defer."""
        body = {"action_record_id": action, "attempt": attempt} | more
        return self.api("POST", f"/v1/{name}", body, key=f"org-{org}")

    def record(self, action: str, org: str = "42") -> Answer:
        """GET one record."""
        return self.api("GET", f"/v1/orgs/{org}/actions/records/{action}", key=f"org-{org}")

    def records(self, query: str = "", org: str = "42") -> Answer:
        """GET the list of records."""
        return self.api("GET", f"/v1/orgs/{org}/actions/records{query}", key=f"org-{org}")

    def journal(self, org: str = "42", query: str = "?limit=1000") -> None:
        """Read what happened in an organisation, as entries and as an archive."""
        self.admin("GET", f"{org}/journal{query}")
        self.admin("GET", f"{org}/journal.har")


def _content(body: object) -> bytes:
    if body is NOTHING:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()
