"""Probes that only the mutants of the holdout need."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from typing import Any

from tests.replies import Reply

from .client import GOOD, NO_KEY, OTHER, Client
from .probes import HEAD, INT_PAYLOAD, errors_of, ingress_of, keyed, lease

THEIRS = keyed(OTHER)
THEIR_PATH = "/v1/orgs/2/actions/definitions"
DEEP: Any = json.loads("[" * 25 + "]" * 25)


def ingress_type(client: Client) -> str:
    """The content type of the answer to work."""
    client.put()
    return client.ingress().headers["content-type"]


def data_of(name: str) -> Callable[[Client], Any]:
    """A member of the data of accepted work; None when it is not there."""

    def ask(client: Client) -> Any:
        client.put()
        return client.ingress().data.get(name)

    return ask


def kind_of(name: str) -> Callable[[Client], str]:
    """The type of a member of the data of accepted work."""
    return lambda client: type(data_of(name)(client)).__name__


def extended_once(client: Client) -> Reply:
    """The answer to a modack of a new action."""
    return client.modack(client.action())


def defined_as(name: str, **members: Any) -> Callable[[Client], Any]:
    """A member of a new definition, or "missing"."""
    return lambda client: client.put(**members).data.get(name, "missing")


def refusal(ask: Callable[[Client], Reply]) -> Callable[[Client], Any]:
    """The shape of a refusal, or its body where that is no object."""

    def shape(client: Client) -> Any:
        reply = ask(client)
        try:
            return errors_of(reply.json) if "data" in reply.json else "no data"
        except json.JSONDecodeError:
            return reply.body

    return shape


def unknown(client: Client) -> Reply:
    """The answer to a modack of an id that was never issued."""
    return client.modack("1")


def future(client: Client) -> Reply:
    """The answer to a modack of an attempt that has not begun."""
    return client.modack(client.action(), 1)


def by_another(client: Client) -> Reply:
    """The answer to the other organisation's modack of an action."""
    return client.modack(client.action(), headers=THEIRS)


def live(change: Callable[[str], Any]) -> Callable[[Client], int]:
    """The status of a modack whose id is that of a new action, changed."""
    return lambda client: client.modack(change(client.action())).status


def form(client: Client) -> int:
    """The status of a modack whose members come as a form."""
    text = f"action_record_id={client.action()}&attempt=0&mod_ack=60"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return client.ingress_raw(text.encode(), "/v1/modack", headers).status


def listed(client: Client) -> int:
    """The status of a modack whose object is in a list."""
    body = [{"action_record_id": client.action(), "attempt": 0, "mod_ack": 60}]
    return client.call("POST", "/v1/modack", body).status


def typed(value: str) -> Callable[[Client], int]:
    """The status of work with another content type."""
    return ingress_of(INT_PAYLOAD, {"content-type": value})


def variant(name: str) -> Callable[[Client], int]:
    """The status of a PUT of this variant."""
    return lambda client: client.put(name).status


def in_header(**headers: str) -> Callable[[Client], int]:
    """The status of work whose key is not where it belongs."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda client: (client.put(), client.ingress(headers=NO_KEY | named))[1].status


def basic(client: Client) -> int:
    """The status of work whose key is the user of Basic authentication."""
    sent = base64.b64encode(f"{GOOD}:".encode()).decode()
    return in_header(Authorization=f"Basic {sent}")(client)


def capital(client: Client) -> bytes:
    """The status of work whose key is in a header with capital letters."""
    client.put()
    head = f"{HEAD}X-Arklow-Auth: {GOOD}\r\nConnection: close\r\nContent-Length: 14\r\n\r\n"
    return client.send(head.encode() + INT_PAYLOAD)[9:12]


def twice(client: Client) -> bytes:
    """The status of work with a header that comes twice."""
    client.put()
    head = f"{HEAD}x-arklow-auth: {GOOD}\r\nX-Note: 1\r\nx-note: 2\r\nConnection: close\r\n"
    return client.send(f"{head}Content-Length: 14\r\n\r\n".encode() + INT_PAYLOAD)[9:12]


def their_definition(client: Client) -> int:
    """The status of work for what only the other organisation has defined."""
    client.put(path=THEIR_PATH, headers=THEIRS, alias=["w"])
    return client.ingress().status


def their_alias(client: Client) -> int:
    """The status of work for an alias that only the other organisation has."""
    client.put(path=THEIR_PATH, headers=THEIRS, alias=["w"])
    return client.ingress("w").status


def updated_alias(client: Client) -> list[int]:
    """The statuses of work for an alias before and after its definition is updated."""
    client.put(alias=["w"])
    before = client.ingress("w").status
    client.put(alias=["w"], schema={"type": "object"})
    return [before, client.ingress("w").status]


def removed_alias(client: Client) -> int:
    """The status of work for an alias that was taken away."""
    client.put(alias=["w"])
    client.put(alias=[])
    return client.ingress("w").status


def stored_partly(client: Client) -> list[int]:
    """The status of a PUT with a bad alias, and of work for its variant."""
    return [client.put(alias=1).status, client.ingress().status]


def changed_elsewhere(client: Client) -> str:
    """The version of work after the other organisation changed its definition of the same variant."""
    client.put()
    client.put(path=THEIR_PATH, headers=THEIRS, schema={"type": "object"})
    return str(client.ingress().data["a_ve"])


def after_change(**members: Any) -> Callable[[Client], Any]:
    """The version that work is accepted with, after the definition went from 1 to 2."""

    def ask(client: Client) -> Any:
        client.put()
        client.put(schema={"type": "object"})
        return client.ingress(**members).data["a_ve"]

    return ask


def ids(count: int) -> Callable[[Client], bool]:
    """Whether so many actions have an id each."""
    return lambda client: len({client.action() for _ in range(count)}) == count


def first_of_two(client: Client) -> int:
    """The status of a modack of ours, after the other organisation has made an action too."""
    action = client.action()
    client.put(path=THEIR_PATH, headers=THEIRS)
    client.ingress(headers=THEIRS)
    return client.modack(action).status


def dropped(client: Client) -> list[int]:
    """The statuses of a modack of each of eight actions."""
    return [extended_once(client).status for _ in range(8)]


def repeated(client: Client) -> bool:
    """Whether two posts with one Idempotency-Key are one action."""
    client.put()
    key = {"Idempotency-Key": "once"}
    return bool(client.ingress(headers=key).data["a_id"] == client.ingress(headers=key).data["a_id"])


def queue(client: Client) -> list[str]:
    """What `queue_s` is in the answers to two posts."""
    client.put()
    return [client.ingress().data["queue_s"] for _ in range(2)]


def of_its_own(client: Client) -> bool:
    """Whether `a_def_id` is the id of the definition that work was posted for, and not of an earlier one."""
    client.put("first")
    own = client.put("v").data["id"]
    return bool(client.ingress("v").data["a_def_id"] == own)


def current_after(client: Client, waits: list[float], seconds: int = 1) -> int:
    """The current attempt once a lease of `seconds` was granted and the `waits` have passed."""
    action = client.action()
    client.modack(action, mod_ack=seconds)
    client.clock.wait(sum(waits))
    return next(attempt for attempt in range(9) if client.modack(action, attempt).status == 200)


def leased(seconds: int, wait: float) -> Callable[[Client], int]:
    """The status of a second modack `wait` seconds after a first one of so many `seconds`."""
    return lambda client: lease(client, seconds, wait)


def late_lease(client: Client) -> int:
    """The status of a modack 55 s after a lease was extended by 60 s at its 50th second."""
    action = client.action()
    client.modack(action, wait=50)
    return client.modack(action, wait=55).status


def unknown_ids(client: Client) -> list[int]:
    """The statuses of modacks of seven ids that were never issued."""
    return [client.modack(str(number)).status for number in range(1, 8)]


def extended(times: int) -> Callable[[Client], list[int]]:
    """The statuses of so many modacks of one action."""

    def ask(client: Client) -> list[int]:
        action = client.action()
        return [client.modack(action).status for _ in range(times)]

    return ask


def recorded(name: str) -> Callable[[Client], Any]:
    """A member of the record of work with tags in its body and its query."""

    def ask(client: Client) -> Any:
        client.put()
        body = {"payload": 7, "tags": {"region": "us"}}
        action = client.call("POST", "/v1/ingress/v?tag.region=eu", body).data["a_id"]
        return client.record(action).data[name]

    return ask


def status_after(operation: str, wait: float, **members: Any) -> Callable[[Client], list[Any]]:
    """The status and attempt that a record shows so long after a signal."""

    def ask(client: Client) -> list[Any]:
        action = client.action()
        client.settle(operation, action, **members)
        client.clock.wait(wait)
        state = client.record(action).data["state"]
        return [state["status"], state["attempt"]]

    return ask


def nacked_after_defer(client: Client) -> str:
    """The status of an action that was deferred and then nacked."""
    action = client.action()
    client.settle("defer", action)
    client.settle("nack", action)
    return str(client.record(action).data["state"]["status"])


def waiting(client: Client) -> list[Any]:
    """Status and attempt of an action 50 s after a nack that asks for a retry in 100 s."""
    return status_after("nack", 50, terms={"retry_at": int(client.clock.unix_time()) + 100})(client)


def counted(client: Client) -> int:
    """The count of a page of one of two records."""
    client.action()
    client.action()
    return int(client.record(query="?take=1").data["count"])


def called(method: str, path: str, **headers: str) -> Callable[[Client], int]:
    """The status of a request with another method, path or headers."""
    body = {"payload": 1}
    return lambda client: (client.put(), client.call(method, path, body, headers=headers))[1].status


def hung_up(client: Client) -> Any:
    """The status of a modack of an unknown id, or "hung up"."""
    try:
        return client.modack("1").status
    except (OSError, http.client.HTTPException):
        return "hung up"


def seconds_for(ask: Callable[[Client], Any], client: Client) -> float:
    """Seconds that a probe takes."""
    began = client.clock.now()
    ask(client)
    return client.clock.now() - began


def slower(client: Client) -> bool:
    """Whether the sixteenth answer takes more than 50 ms."""
    for _ in range(15):
        client.put()
    return seconds_for(lambda c: c.put(), client) > 0.05


def referring(client: Client) -> int:
    """The status of work whose schema has a reference."""
    client.put(schema={"$defs": {"n": {}}, "$ref": "#/$defs/n"})
    return client.ingress().status
