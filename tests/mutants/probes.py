"""What a mutant is asked, so that it shows itself: questions, each of a client that has done nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .client import GOOD, Client

HEAD = "POST /v1/ingress/v HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"


def keyed(key: str) -> dict[str, str]:
    return {"x-arklow-auth": key}


def authorized(key: str, beside: str = "-") -> dict[str, str]:
    return {"x-arklow-auth": beside, "Authorization": key}


def chunked(client: Client) -> bytes:
    client.put()
    head = f"{HEAD}x-arklow-auth: {GOOD}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return client.plain(head.encode() + b'd;x=y\r\n{"payload":1}\r\n0\r\nt: u\r\n\r\n')[9:12]


def lease(client: Client, seconds: int, wait: float) -> int:
    """The status of a second modack so long after a first one."""
    action = client.action()
    client.modack(action, mod_ack=seconds)
    return client.modack(action, wait=wait).status


def ingress_with(**members: Any) -> Callable[[Client], int]:
    return lambda client: (client.put(), client.ingress(**members))[1].status


def ingress_of(raw: bytes, headers: dict[str, str] | None = None) -> Callable[[Client], int]:
    return lambda client: (client.put(), client.bytes_in(raw, headers=headers))[1].status


def modack_with(**members: Any) -> Callable[[Client], int]:
    return lambda client: client.modack(client.action(), **members).status


def put_with(**members: Any) -> Callable[[Client], int]:
    return lambda client: client.put(**members).status


def taken(client: Client) -> Any:
    """The data of an accepted action, its ids replaced by what kind they are."""
    client.put()
    data = client.ingress().data
    ids = {name: type(data[name]) for name in ("a_id", "a_def_id") if str(data[name]).isdecimal()}
    return data | ids


TAKEN = {"a_id": str, "a_def_id": str, "queue_s": "queued", "a_va": "v", "a_ve": "1"}


def defined(name: str) -> Callable[[Client], Any]:
    return lambda client: client.put().data[name]


def linked(*path: Any) -> Callable[[Client], Any]:
    """What stands at a path in the one link of a definition, or None."""

    def ask(client: Client) -> Any:
        found = client.put().data["destinations"][0]
        for step in path:
            found = found.get(step)
        return found is not None if path == ("action_definition_id",) else found

    return ask


def errors_of(body: Any) -> Any:
    """The shape of a refusal: the types of its error's members."""
    if not isinstance(body.get("errors"), list):
        return type(body.get("errors")).__name__
    return {name: type(value).__name__ for name, value in body["errors"][0].items()}


ERROR = {"code": "str", "message": "str"}
INT_PAYLOAD = b'{"payload": 1}'
Probe = Callable[[Client], Any]
