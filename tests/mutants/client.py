"""A client of one conforming server or mutant, which can also move that server's clock."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.clocks import FIRST_TIME, VirtualClock
from tests.replies import Reply, ask
from tests.serving import serving

from .conforming_server import DEFAULT_CHOICES, KEYS, Choices, ConformingServer

GOOD, OTHER = KEYS
"""The keys of organisations 1 and 2."""
PUT_PATH = "/v1/orgs/1/actions/definitions"
ABSENT: Any = object()
"""In the place of a member's value: the member is left out."""
NO_KEY = {"x-arklow-auth": "-"}


class Client:
    """Speaks to a server whose clock it can move."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.url = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the server."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def call(
        self,
        method: str,
        path: str,
        body: Any = ABSENT,
        *,
        raw: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request with a good key and JSON's type, unless headers say otherwise; "-" leaves one out."""
        named = {"x-arklow-auth": GOOD, "content-type": "application/json"} | (headers or {})
        named = {name: value for name, value in named.items() if value != "-"}
        content = raw if body is ABSENT else json.dumps(body).encode()
        return ask(self.url, method, path, content, headers=named)

    def put(self, variant: str = "v", path: str = PUT_PATH, headers: Any = None, **members: Any) -> Reply:
        """PUT a definition with an open schema, unless members say otherwise."""
        body = {"variant": variant, "schema": {}} | members
        return self.call("PUT", path, present(body), headers=headers)

    def ingress(self, variant: str = "v", headers: Any = None, **members: Any) -> Reply:
        """POST work."""
        body = {"payload": {"n": 1}} | members
        return self.call("POST", f"/v1/ingress/{variant}", present(body), headers=headers)

    def ingress_raw(self, raw: bytes, path: str = "/v1/ingress/v", headers: Any = None) -> Reply:
        """POST bytes as they are."""
        return self.call("POST", path, raw=raw, headers=headers)

    def modack(
        self, action: Any, attempt: Any = 0, mod_ack: Any = 60, headers: Any = None, wait: float = 0
    ) -> Reply:
        """Extend a lease by `mod_ack` seconds, `wait` seconds from now on the server's clock."""
        self.clock.wait(wait)
        body = {"action_record_id": action, "attempt": attempt, "mod_ack": mod_ack}
        return self.call("POST", "/v1/modack", present(body), headers=headers)

    def settle(self, operation: str, action: Any, attempt: Any = 0, wait: float = 0, **members: Any) -> Reply:
        """Send an ack, nack or defer, `wait` seconds from now on the server's clock."""
        self.clock.wait(wait)
        body = {"action_record_id": action, "attempt": attempt} | members
        return self.call("POST", f"/v1/{operation}", body)

    def record(self, action: str = "", query: str = "") -> Reply:
        """GET one record with its events, or the list."""
        path = "/v1/orgs/1/actions/records"
        return self.call("GET", f"{path}/{action}" if action else path + query)

    def action(self, **members: Any) -> str:
        """Define the variant `v`, POST work for it, and return the action's id."""
        self.put()
        return str(self.ingress(**members).data["a_id"])

    def send(self, text: bytes) -> bytes:
        """Send bytes as they are and return all that comes back; the request itself asks to close."""
        with socket.create_connection(self.address, timeout=20) as connection:
            connection.sendall(text)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


def present(body: dict[str, Any]) -> dict[str, Any]:
    """The members of a body that are not to be left out."""
    return {name: value for name, value in body.items() if value is not ABSENT}


@contextmanager
def speaking(make: Callable[..., ConformingServer], choices: Choices = DEFAULT_CHOICES) -> Iterator[Client]:
    """Serve what `make` makes of choices, keys and clock, and yield a client of it."""
    client = Client()
    with serving(make(choices, KEYS, client.clock)) as client.url:
        yield client


__all__ = ["ABSENT", "FIRST_TIME", "GOOD", "NO_KEY", "OTHER", "PUT_PATH", "Client", "speaking"]
