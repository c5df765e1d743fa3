"""Probes: what a client asks so that a mutant shows its mutation. Each is sent by a client that has done nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .client import GOOD, Client

Probe = Callable[[Client], Any]
"""Sends some requests and returns what is compared."""

HEAD = "POST /v1/ingress/v HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
"""The beginning of a raw request; its key, its framing and an empty line follow."""
INT_PAYLOAD = b'{"payload": 1}'
TAKEN = {"a_id": str, "a_def_id": str, "queue_s": "queued", "a_va": "v", "a_ve": "1"}
"""What `taken` returns of a conforming server."""
ERROR = {"code": "str", "message": "str"}
"""What `errors_of` returns of a conforming server."""


def keyed(key: str) -> dict[str, str]:
    """Headers with another key."""
    return {"x-arklow-auth": key}


def authorized(key: str, beside: str = "-") -> dict[str, str]:
    """Headers with a key in `Authorization`, and one or none in `x-arklow-auth`."""
    return {"x-arklow-auth": beside, "Authorization": key}


def chunked(client: Client) -> bytes:
    """The status of work that comes in chunks, as it stands in the answer."""
    client.put()
    head = f"{HEAD}x-arklow-auth: {GOOD}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return client.send(head.encode() + b'd;x=y\r\n{"payload":1}\r\n0\r\nt: u\r\n\r\n')[9:12]


def lease(client: Client, seconds: int, wait: float) -> int:
    """The status of a second modack `wait` seconds after a first one of so many `seconds`."""
    action = client.action()
    client.modack(action, mod_ack=seconds)
    return client.modack(action, wait=wait).status


def ingress_with(**members: Any) -> Callable[[Client], int]:
    """The status of work with these members."""
    return lambda client: (client.put(), client.ingress(**members))[1].status


def ingress_of(raw: bytes, headers: dict[str, str] | None = None) -> Callable[[Client], int]:
    """The status of work whose body is these bytes."""
    return lambda client: (client.put(), client.ingress_raw(raw, headers=headers))[1].status


def modack_with(**members: Any) -> Callable[[Client], int]:
    """The status of a modack of a new action with these members."""
    return lambda client: client.modack(client.action(), **members).status


def put_with(**members: Any) -> Callable[[Client], int]:
    """The status of a PUT with these members."""
    return lambda client: client.put(**members).status


def taken(client: Client) -> Any:
    """The data of an accepted action by name, with the type of each id in its place."""
    client.put()
    data = client.ingress().data
    ids = {name: type(data[name]) for name in ("a_id", "a_def_id") if str(data[name]).isdecimal()}
    return data | ids


def defined(name: str) -> Callable[[Client], Any]:
    """A member of a new definition."""
    return lambda client: client.put().data[name]


def linked(*path: Any) -> Callable[[Client], Any]:
    """What stands at a path in the one link of a definition, or None."""

    def probe(client: Client) -> Any:
        found = client.put().data["destinations"][0]
        for step in path:
            found = found.get(step)
        return found is not None if path == ("action_definition_id",) else found

    return probe


def errors_of(body: Any) -> Any:
    """The shape of a refusal: the types of its first error's members by name, or the type of `errors`."""
    if not isinstance(body.get("errors"), list):
        return type(body.get("errors")).__name__
    return {name: type(value).__name__ for name, value in body["errors"][0].items()}


__all__ = [
    "ERROR",
    "HEAD",
    "INT_PAYLOAD",
    "TAKEN",
    "Probe",
    "authorized",
    "chunked",
    "defined",
    "errors_of",
    "ingress_of",
    "ingress_with",
    "keyed",
    "lease",
    "linked",
    "modack_with",
    "put_with",
    "taken",
]
