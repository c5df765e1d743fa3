"""A tour of a hundred requests: the most telling ones of every kind, before other scenarios try each kind as a whole."""

from __future__ import annotations

from typing import Any, Final

from ..api import Api
from ..requests import INGRESS, JSON, MODACK, PUT, in_chunks
from .keys import WRONG
from .scenario import scenario


@scenario(
    "a life of an action",
    *(
        "DEF-3",
        "DEF-10",
        "DEF-12",
        "ING-3",
        "ING-7",
        "ING-9",
        "ING-10",
        "ING-11",
        "LEASE-3",
        "LEASE-6",
        "PAGE-11",
    ),
)
def life(api: Api) -> None:
    """Define, post work twice, update, post work; extend the lease, once for a wrong attempt, and an unknown action."""
    variant = api.define({"type": "object", "required": ["order_id"]}, alias=[alias := api.name("alias")])
    first = api.accept(variant)
    api.accept(variant)
    api.put(variant, {"type": "object", "required": ["order_id"], "maxProperties": 99})
    api.ingress(variant)
    api.ingress(alias)
    api.ingress(variant, {})
    for attempt, seconds in ((0, 60), (0, 300), (1, 300), (0, 300)):
        api.modack(first, attempt, seconds)
    api.modack(str(api.random.randrange(10**17, 10**18)))


@scenario("one wrong key of each kind", "AUTH-3", "AUTH-4", "AUTH-10", "DEF-11")
def unknown_keys(api: Api) -> None:
    """Send no key, an empty one, a wrong one and nearly right ones, each where it would do most harm."""
    good = api.requests.key()[1]
    variant = api.open_variant()
    lease = api.lease_body(api.live_or_accepted())
    forged = {"variant": variant, "schema": False}
    for headers in ((), (("x-arklow-auth", WRONG),)):
        api.probe(PUT, forged, headers=[*headers, JSON])
        api.probe(MODACK, lease, headers=[*headers, JSON])
    for name, value in (
        ("x-arklow-auth", ""),
        ("x-arklow-auth", WRONG),
        ("authorization", WRONG),
        ("x-arklow-auth", good[:-1]),
        ("x-arklow-auth", f"{good}."),
        ("x-arklow-auth", good.swapcase()),
    ):
        if value != good:
            api.probe(INGRESS, {"payload": 1}, name=variant, headers=[(name, value), JSON])
    api.probe(INGRESS, {"payload": 1}, name=variant, headers=[JSON])
    api.probe(INGRESS, {"payload": 1}, name=variant, headers=[JSON], query=f"x-arklow-auth={good}")
    api.probe(INGRESS, {"payload": 1}, name=variant, headers=[("authorization", good), JSON])
    api.probe(
        INGRESS,
        {"payload": 1},
        name=variant,
        headers=[("x-arklow-auth", WRONG), ("authorization", good), JSON],
    )
    api.probe(PUT, {"variant": variant, "schema": {}}, headers=[("authorization", good), JSON])
    api.ingress(variant)


@scenario("one broken body of each kind", "PAGE-9", "PAGE-12", "JSON-5", "JSON-8")
def broken(api: Api) -> None:
    """Send wrong types, leave members out, send bytes that are no JSON; a live action stays alive."""
    variant = api.open_variant()
    number = api.live_or_accepted()
    lease = api.lease_body(number)
    definition: dict[str, Any] = {"variant": variant, "schema": {}}
    if api.context.learned.takes_envelopes:
        for members in _ENVELOPES:
            api.probe(INGRESS, {"payload": 1, **members}, name=variant)
    for left_out in ("attempt", "mod_ack"):
        api.probe(MODACK, {name: value for name, value in lease.items() if name != left_out})
    wide = number.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for members in (
        {"mod_ack": -1},
        {"attempt": 2**31},
        {"action_record_id": f"{number}\n"},
        {"action_record_id": wide},
    ):
        api.probe(MODACK, {**lease, **members})
    api.probe(PUT, {"variant": variant})
    for members in _DEFINITIONS:
        api.probe(PUT, {**definition, **members})
    for label in (INGRESS, MODACK, PUT):
        api.probe(label, raw=b"", name=variant)
    api.probe(INGRESS, raw=b'{"payload": "\xff"}', name=variant)
    api.probe(
        INGRESS, {"payload": 1}, name=variant, headers=[api.requests.key(), ("content-type", "text/plain")]
    )
    api.modack(number, lease["attempt"], 300)


_ENVELOPES: Final[tuple[dict[str, Any], ...]] = (
    *(
        {"version": "1"},
        {"version": True},
        {"version": None},
        {"tags": ["a"]},
        {"tags": None},
        {"tags": {"a": 1}},
    ),
)
_DEFINITIONS: Final[tuple[dict[str, Any], ...]] = (
    *({"alias": "a"}, {"alias": [1]}, {"version": "1"}, {"version": True}, {"variant": 1}),
)


@scenario("good requests that are seldom sent", "PAGE-8", "PAGE-11")
def seldom(api: Api) -> None:
    """Send several unusual things in one request, each of which has to be served."""
    variant = api.open_variant()
    number = api.accept(variant, {"": 1, "__proto__": {"a": 1}, "constructor": 1, "text": "ünï 😀"})
    api.modack(number, 0, 2**63 - 1)
    api.modack("9" * 25)
    api.ingress(variant, None, tags={}, metadata=None)
    api.ingress(variant, [1], tags={f"t{n}": "v" for n in range(12)}, metadata={"a": [1]})
    api.ingress(variant, 1, version=1.0)
    key = api.requests.key()
    body = b'{"payload": 1, "metadata": {"a": 1}}'
    api.sequence.probe(api.requests.build(INGRESS, name=variant, raw=body, headers=[key, _CHARSET]))
    api.sequence.probe(
        api.requests.build(INGRESS, name=variant, raw=body, headers=[key, JSON, ("x-note", "caf\xe9")])
    )
    api.sequence.probe(api.requests.build(INGRESS, name=variant, raw=b'{"payload": 1, "payload": 1}'))
    api.sequence.probe(in_chunks(api.requests.build(INGRESS, name=variant, raw=body)))
    other = api.name("été.données")
    api.put(other)
    api.ingress(other)


_CHARSET: Final = ("content-type", "application/json; charset=utf-8")


@scenario("an action that is acked", "LIFE-9")
def acked(api: Api) -> None:
    """Ack an action and extend it: where acks are offered, nothing goes on after one."""
    number = api.live()
    if api.signal("ack", number, api.held_attempt(number)).is_served:
        api.modack(number, api.held_attempt(number), 300)


__all__ = ["acked", "broken", "life", "seldom", "unknown_keys"]
