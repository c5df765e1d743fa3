"""What a hundred requests prove: the most telling ones of every kind, before each kind is gone through as a whole."""

from __future__ import annotations

from typing import Any, Final

from ..requests import INGRESS, JSON, MODACK, PUT
from ..sequence import CallSequence
from .keys import WRONG
from .scenario import scenario


@scenario(
    "a life of an action",
    *("DEF-3", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "LEASE-3", "LEASE-6", "PAGE-11"),
)
def life(sequence: CallSequence) -> None:
    """Define, work twice, define anew, work; extend, as the wrong attempt, and once more."""
    variant = sequence.define(
        {"type": "object", "required": ["order_id"]}, alias=[alias := sequence.name("alias")]
    )
    first = sequence.accept(variant)
    sequence.accept(variant)
    sequence.put(variant, {"type": "object", "required": ["order_id"], "maxProperties": 99})
    sequence.ingress(variant)
    sequence.ingress(alias)
    sequence.ingress(variant, {})
    for attempt, seconds in ((0, 60), (0, 300), (1, 300), (0, 300)):
        sequence.modack(first, attempt, seconds)
    sequence.modack(str(sequence.random.randrange(10**17, 10**18)))


@scenario("one wrong key of each kind", "AUTH-3", "AUTH-4", "AUTH-10", "DEF-11")
def unknown_keys(sequence: CallSequence) -> None:
    """None, an empty one, a wrong one, and some that are nearly right; each where it would do most harm."""
    good = sequence.key()[1]
    variant = sequence.plain()
    lease = sequence.lease(sequence.live_or_not())
    forged = {"variant": variant, "schema": False}
    for headers in ((), (("x-arklow-auth", WRONG),)):
        sequence.probe(PUT, forged, headers=[*headers, JSON])
        sequence.probe(MODACK, lease, headers=[*headers, JSON])
    for name, value in (
        ("x-arklow-auth", ""),
        ("x-arklow-auth", WRONG),
        ("authorization", WRONG),
        ("x-arklow-auth", good[:-1]),
        ("x-arklow-auth", f"{good}."),
        ("x-arklow-auth", good.swapcase()),
    ):
        if value != good:
            sequence.probe(INGRESS, {"payload": 1}, name=variant, headers=[(name, value), JSON])
    sequence.probe(INGRESS, {"payload": 1}, name=variant, headers=[JSON])
    sequence.probe(INGRESS, {"payload": 1}, name=variant, headers=[JSON], query=f"x-arklow-auth={good}")
    sequence.probe(INGRESS, {"payload": 1}, name=variant, headers=[("authorization", good), JSON])
    sequence.probe(
        INGRESS,
        {"payload": 1},
        name=variant,
        headers=[("x-arklow-auth", WRONG), ("authorization", good), JSON],
    )
    sequence.probe(PUT, {"variant": variant, "schema": {}}, headers=[("authorization", good), JSON])
    sequence.ingress(variant)


@scenario("one broken body of each kind", "PAGE-9", "PAGE-12", "JSON-5", "JSON-8")
def broken(sequence: CallSequence) -> None:
    """Types that slip through, members that are left out, bytes that are no JSON; and what was live is so still."""
    variant = sequence.plain()
    number = sequence.live_or_not()
    lease = sequence.lease(number)
    definition: dict[str, Any] = {"variant": variant, "schema": {}}
    if sequence.context.learned.takes_envelopes:
        for members in _ENVELOPES:
            sequence.probe(INGRESS, {"payload": 1, **members}, name=variant)
    for left_out in ("attempt", "mod_ack"):
        sequence.probe(MODACK, {name: value for name, value in lease.items() if name != left_out})
    wide = number.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for members in (
        {"mod_ack": -1},
        {"attempt": 2**31},
        {"action_record_id": f"{number}\n"},
        {"action_record_id": wide},
    ):
        sequence.probe(MODACK, {**lease, **members})
    sequence.probe(PUT, {"variant": variant})
    for members in _DEFINITIONS:
        sequence.probe(PUT, {**definition, **members})
    for label in (INGRESS, MODACK, PUT):
        sequence.probe(label, raw=b"", name=variant)
    sequence.probe(INGRESS, raw=b'{"payload": "\xff"}', name=variant)
    sequence.probe(
        INGRESS, {"payload": 1}, name=variant, headers=[sequence.key(), ("content-type", "text/plain")]
    )
    sequence.modack(number, lease["attempt"], 300)


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
def seldom(sequence: CallSequence) -> None:
    """Several oddities in one request, as each of them has to be served."""
    variant = sequence.plain()
    number = sequence.accept(variant, {"": 1, "__proto__": {"a": 1}, "constructor": 1, "text": "ünï 😀"})
    sequence.modack(number, 0, 2**63 - 1)
    sequence.modack("9" * 25)
    sequence.ingress(variant, None, tags={}, metadata=None)
    sequence.ingress(variant, [1], tags={f"t{n}": "v" for n in range(12)}, metadata={"a": [1]})
    sequence.ingress(variant, 1, version=1.0)
    key = sequence.key()
    body = b'{"payload": 1, "metadata": {"a": 1}}'
    sequence.try_out(sequence.request(INGRESS, name=variant, raw=body, headers=[key, _CHARSET]))
    sequence.try_out(
        sequence.request(INGRESS, name=variant, raw=body, headers=[key, JSON, ("x-note", "caf\xe9")])
    )
    sequence.try_out(sequence.request(INGRESS, name=variant, raw=b'{"payload": 1, "payload": 1}'))
    sequence.try_out(sequence.in_chunks(sequence.request(INGRESS, name=variant, raw=body)))
    other = sequence.name("été.données")
    sequence.put(other)
    sequence.ingress(other)


_CHARSET: Final = ("content-type", "application/json; charset=utf-8")


@scenario("an action that is acked", "LIFE-9")
def acked(sequence: CallSequence) -> None:
    """Where acks are offered nothing goes on after one."""
    number = sequence.live()
    if sequence.signal("ack", number, sequence.attempt_of(number)).status == 200:
        sequence.modack(number, sequence.attempt_of(number), 300)


__all__ = ["acked", "broken", "life", "seldom", "unknown_keys"]
