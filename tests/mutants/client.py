"""A client of one server, which can move that server's clock."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.replies import Reply, ask
from tests.serving import serving

from .conforming_server import (
    DEFAULT_CHOICES,
    KEYS,
    Choices,
    ConformingServer,
)

GOOD, OTHER = KEYS
PUT_PATH = "/v1/orgs/1/actions/definitions"
FIRST_TIME = 1_800_000_000.0
ABSENT: Any = object()
NO_KEY = {"x-arklow-auth": "-"}


class Client:
    """Speaks to a server whose clock it can move."""

    def __init__(self) -> None:
        self.time = FIRST_TIME
        self.url = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the server."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def clock(self) -> float:
        return self.time

    def call(
        self,
        method: str,
        path: str,
        body: Any = ABSENT,
        *,
        raw: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request with a good key and JSON's type, unless headers say otherwise; "-" leaves one out."""
        named = {"x-arklow-auth": GOOD, "content-type": "application/json"} | (headers or {})
        named = {name: value for name, value in named.items() if value != "-"}
        content = raw if body is ABSENT else json.dumps(body).encode()
        return ask(self.url, method, path, content, headers=named)

    def put(self, variant: str = "v", path: str = PUT_PATH, headers: Any = None, **members: Any) -> Reply:
        body = {"variant": variant, "schema": {}} | members
        body = {name: value for name, value in body.items() if value is not ABSENT}
        return self.call("PUT", path, body, headers=headers)

    def ingress(self, variant: str = "v", headers: Any = None, **members: Any) -> Reply:
        body = {"payload": {"n": 1}} | members
        body = {name: value for name, value in body.items() if value is not ABSENT}
        return self.call("POST", f"/v1/ingress/{variant}", body, headers=headers)

    def bytes_in(self, raw: bytes, path: str = "/v1/ingress/v", headers: Any = None) -> Reply:
        return self.call("POST", path, raw=raw, headers=headers)

    def modack(
        self, action: Any, attempt: Any = 0, mod_ack: Any = 60, headers: Any = None, wait: float = 0
    ) -> Reply:
        self.time += wait
        body = {"action_record_id": action, "attempt": attempt, "mod_ack": mod_ack}
        body = {name: value for name, value in body.items() if value is not ABSENT}
        return self.call("POST", "/v1/modack", body, headers=headers)

    def settle(self, operation: str, action: Any, attempt: Any = 0, wait: float = 0, **members: Any) -> Reply:
        """An ack, nack or defer."""
        self.time += wait
        body = {"action_record_id": action, "attempt": attempt} | members
        return self.call("POST", f"/v1/{operation}", body)

    def record(self, action: str = "", query: str = "") -> Reply:
        """One record with its events, or the list."""
        path = "/v1/orgs/1/actions/records"
        return self.call("GET", f"{path}/{action}" if action else path + query)

    def action(self, **members: Any) -> str:
        """The id of a new action of the variant `v`."""
        self.put()
        return str(self.ingress(**members).data["a_id"])

    def plain(self, text: bytes) -> bytes:
        """Everything the server says to bytes sent as they are; the request asks to close."""
        with socket.create_connection(self.address, timeout=20) as connection:
            connection.sendall(text)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@contextmanager
def speaking(make: Callable[..., ConformingServer], choices: Choices = DEFAULT_CHOICES) -> Iterator[Client]:
    client = Client()
    with serving(make(choices, KEYS, client.clock)) as client.url:
        yield client
