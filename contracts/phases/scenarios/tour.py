"""What a hundred requests prove: the most telling ones of every kind, before each kind is gone through as a whole."""

from __future__ import annotations

from typing import Any, Final

from ..requests import INGRESS, JSON, MODACK, PUT
from ..sequence import Stage
from .keys import WRONG
from .scenario import scenario


@scenario(
    "a life of an action",
    *("DEF-3", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "LEASE-3", "LEASE-6", "PAGE-11"),
)
def life(stage: Stage) -> None:
    """Define, work twice, define anew, work; extend, as the wrong attempt, and once more."""
    variant = stage.define({"type": "object", "required": ["order_id"]}, alias=[alias := stage.name("alias")])
    first = stage.accept(variant)
    stage.accept(variant)
    stage.put(variant, {"type": "object", "required": ["order_id"], "maxProperties": 99})
    stage.ingress(variant)
    stage.ingress(alias)
    stage.ingress(variant, {})
    for attempt, seconds in ((0, 60), (0, 300), (1, 300), (0, 300)):
        stage.modack(first, attempt, seconds)
    stage.modack(str(stage.random.randrange(10**17, 10**18)))


@scenario("one wrong key of each kind", "AUTH-3", "AUTH-4", "AUTH-10", "DEF-11")
def strangers(stage: Stage) -> None:
    """None, an empty one, a wrong one, and some that are nearly right; each where it would do most harm."""
    good = stage.key()[1]
    variant = stage.plain()
    lease = stage.lease(stage.live_or_not())
    forged = {"variant": variant, "schema": False}
    for headers in ((), (("x-arklow-auth", WRONG),)):
        stage.probe(PUT, forged, headers=[*headers, JSON])
        stage.probe(MODACK, lease, headers=[*headers, JSON])
    for name, value in (
        ("x-arklow-auth", ""),
        ("x-arklow-auth", WRONG),
        ("authorization", WRONG),
        ("x-arklow-auth", good[:-1]),
        ("x-arklow-auth", f"{good}."),
        ("x-arklow-auth", good.swapcase()),
    ):
        if value != good:
            stage.probe(INGRESS, {"payload": 1}, name=variant, headers=[(name, value), JSON])
    stage.probe(INGRESS, {"payload": 1}, name=variant, headers=[JSON])
    stage.probe(INGRESS, {"payload": 1}, name=variant, headers=[JSON], query=f"x-arklow-auth={good}")
    stage.probe(INGRESS, {"payload": 1}, name=variant, headers=[("authorization", good), JSON])
    stage.probe(
        INGRESS,
        {"payload": 1},
        name=variant,
        headers=[("x-arklow-auth", WRONG), ("authorization", good), JSON],
    )
    stage.probe(PUT, {"variant": variant, "schema": {}}, headers=[("authorization", good), JSON])
    stage.ingress(variant)


@scenario("one broken body of each kind", "PAGE-9", "PAGE-12", "JSON-5", "JSON-8")
def broken(stage: Stage) -> None:
    """Types that slip through, members that are left out, bytes that are no JSON; and what was live is so still."""
    variant = stage.plain()
    number = stage.live_or_not()
    lease = stage.lease(number)
    definition: dict[str, Any] = {"variant": variant, "schema": {}}
    if stage.known.envelopes:
        for members in _ENVELOPES:
            stage.probe(INGRESS, {"payload": 1, **members}, name=variant)
    for left_out in ("attempt", "mod_ack"):
        stage.probe(MODACK, {name: value for name, value in lease.items() if name != left_out})
    wide = number.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for members in (
        {"mod_ack": -1},
        {"attempt": 2**31},
        {"action_record_id": f"{number}\n"},
        {"action_record_id": wide},
    ):
        stage.probe(MODACK, {**lease, **members})
    stage.probe(PUT, {"variant": variant})
    for members in _DEFINITIONS:
        stage.probe(PUT, {**definition, **members})
    for label in (INGRESS, MODACK, PUT):
        stage.probe(label, raw=b"", name=variant)
    stage.probe(INGRESS, raw=b'{"payload": "\xff"}', name=variant)
    stage.probe(INGRESS, {"payload": 1}, name=variant, headers=[stage.key(), ("content-type", "text/plain")])
    stage.modack(number, lease["attempt"], 300)


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
def seldom(stage: Stage) -> None:
    """Several oddities in one request, as each of them has to be served."""
    variant = stage.plain()
    number = stage.accept(variant, {"": 1, "__proto__": {"a": 1}, "constructor": 1, "text": "ünï 😀"})
    stage.modack(number, 0, 2**63 - 1)
    stage.modack("9" * 25)
    stage.ingress(variant, None, tags={}, metadata=None)
    stage.ingress(variant, [1], tags={f"t{n}": "v" for n in range(12)}, metadata={"a": [1]})
    stage.ingress(variant, 1, version=1.0)
    key = stage.key()
    body = b'{"payload": 1, "metadata": {"a": 1}}'
    stage.try_out(stage.request(INGRESS, name=variant, raw=body, headers=[key, _CHARSET]))
    stage.try_out(stage.request(INGRESS, name=variant, raw=body, headers=[key, JSON, ("x-note", "caf\xe9")]))
    stage.try_out(stage.request(INGRESS, name=variant, raw=b'{"payload": 1, "payload": 1}'))
    stage.try_out(stage.in_chunks(stage.request(INGRESS, name=variant, raw=body)))
    other = stage.name("été.données")
    stage.put(other)
    stage.ingress(other)


_CHARSET: Final = ("content-type", "application/json; charset=utf-8")


@scenario("an action that is acked", "LIFE-9")
def acked(stage: Stage) -> None:
    """Where acks are offered nothing goes on after one."""
    number = stage.live()
    if stage.signal("ack", number, stage.attempt_of(number)).status == 200:
        stage.modack(number, stage.attempt_of(number), 300)


__all__ = ["acked", "broken", "life", "seldom", "strangers"]
