"""Constructed sequences: short plays that bring a deployment to where a rule can be tested.

They only drive. What is allowed is said by the model and the checks; a sequence names the rules that it is for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from .model import Breach
from .stage import INGRESS, JSON, MODACK, PUT, NotReached, Stage

Play = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A sequence, and the rules that it puts to the test beside those of every exchange."""

    title: str
    rules: frozenset[str]
    play: Play


SCENARIOS: Final[list[Scenario]] = []
"""In the order of what they prove for their cost."""


def _scenario(title: str, *rules: str) -> Callable[[Play], Play]:
    def add(play: Play) -> Play:
        SCENARIOS.append(Scenario(title, frozenset(rules), play))
        return play

    return add


def read_bodies(stage: Stage) -> None:
    """Which of its readings of an ingress body the deployment takes (C1): asked before bodies are judged.

    A definition whose schema requires a member `payload` tells the envelope from its content.
    """
    number = stage.define({"type": "integer"})
    envelope = stage.define({"type": "object", "required": ["payload"]})
    inner = stage.send(INGRESS, {"payload": 1}, name=number).status
    outer = stage.send(INGRESS, {"payload": 1}, name=envelope).status
    schemas = "enforced" if (inner == 200) != (outer == 200) else "not enforced"
    reading = None
    if schemas == "enforced":
        reading = "envelope" if inner == 200 else "whole body"
    elif inner == 200:
        broken = ({"tags": 5}, {"version": "x"}, {"tags": ["a"]}, {"version": None})
        statuses = [stage.send(INGRESS, {"payload": 1, **one}, name=number).status for one in broken]
        reading = "envelope" if 400 in statuses else None
    if reading == "envelope":
        bare = stage.send(INGRESS, {"order": 1}, name=stage.define()).status
        if bare == 200:
            reading = "envelope, whole without payload"
    stage.known.note("payload against its schema", schemas)
    if reading is None:
        raise NotReached("it could not be told how an ingress body is read")
    stage.known.note("ingress body", reading)


@_scenario(
    "define, ingress, modack",
    *("AUTH-1", "DEF-2", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "LEASE-8", "PAGE-11"),
)
def _first_steps(stage: Stage) -> None:
    variant = stage.define({"type": "object", "required": ["order_id"]})
    stage.accept(variant, {"order_id": "8471"})
    stage.accept(variant, {"order_id": "8471"})
    number = stage.live()
    held = stage.attempt_of(number)
    stage.modack(number, held, 300)
    if stage.modack(number, held, 60).status == 409:
        stage.modack(number, held + 1, 60)  # settled by somebody, or has another attempt begun?


@_scenario("only the current attempt", "LEASE-3", "LEASE-7", "LEASE-8")
def _attempts(stage: Stage) -> None:
    number = stage.live()
    held = stage.attempt_of(number)
    stage.modack(number, held, 300)
    for other in (held + 1, held + 5, 2**31 - 1):
        stage.modack(number, other, 300)
    stage.modack(number, held, 300)


@_scenario("ids that were never issued", "LEASE-6")
def _unknown_ids(stage: Stage) -> None:
    for _ in range(3):
        stage.modack(str(stage.random.randrange(10**17, 10**18)))


@_scenario("updates", "DEF-2", "DEF-3", "DEF-10", "ING-3", "ING-9")
def _updates(stage: Stage) -> None:
    variant = stage.define({"type": "object"})
    stage.ingress(variant, {"n": 1})
    stage.put(variant, {"type": "object"})
    stage.ingress(variant, {"n": 2})
    for number in range(3):
        stage.put(variant, {"type": "object", "title": f"of {number}"})
        stage.ingress(variant, {"n": 3})
    stage.put(variant, {"type": "object", "title": "with an alias"}, alias=[stage.name("alias")])
    stage.ingress(variant, {"n": 4})


@_scenario("versions", "DEF-10", "ING-3", "PAGE-11")
def _versions(stage: Stage) -> None:
    variant = stage.define()
    current = stage.model.definitions[stage.org(), variant].version
    stage.ingress(variant, 1, version=current)
    stage.ingress(variant, 1, version=current + 1_000)
    stage.put(variant, {"title": "seven"}, version=current + 6)
    stage.ingress(variant, 1)
    stage.ingress(variant, 1, version=current + 6)
    stage.put(variant, {"title": "lower"}, version=current + 2)
    stage.put(variant, {"title": "as a number with a point"}, version=float(current + 8))
    stage.ingress(variant, 1)


@_scenario("work of every kind", "PAGE-11", "PAGE-8")
def _kinds(stage: Stage) -> None:
    variant = stage.define()
    for payload in _PAYLOADS:
        stage.ingress(variant, payload)
    for payload in _BEYOND:
        stage.probe(INGRESS, {"payload": payload}, name=variant)
    for members in _MEMBERS:
        stage.ingress(variant, {"order_id": "8471"}, **members)
    for name in ("été.données", "注文.作成", "order 1", "a:b@c", "😀"):
        fresh = f"{name}.{stage.random.getrandbits(40):010x}"
        stage.put(fresh)
        if (stage.org(), fresh) in stage.model.definitions:
            stage.ingress(fresh, 1)
    number = stage.accept(variant)
    for seconds in (1, 3_600, 2**31, 2**53, 2**63 - 1):
        stage.modack(number, 0, seconds)


_PAYLOADS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1.5, 2**53 - 1, "", "a", "ünï 😀", [], [1, [2, [3]]]),
    *({}, {"": 1}, {"__proto__": {"a": 1}, "constructor": 1, "hasOwnProperty": None}, {"a": {"b": [None]}}),
    *({"payload": 1}, {f"m{n}": n for n in range(60)}, "x" * 2_000, list(range(300))),
)
_BEYOND: Final[tuple[Any, ...]] = ("\u0000", 1e300, 2**64, "\ud800")
"""Payloads that a parser with limits may refuse (RFC 8259 §9), and must not fail on."""
_MEMBERS: Final[tuple[dict[str, Any], ...]] = (
    {"tags": {}},
    {"tags": {"region": "eu", "tier": ""}},
    {"tags": {f"t{n}": "v" for n in range(12)}},
    {"metadata": None},
    {"metadata": {"a": [1, "b", None]}},
    {"metadata": "text"},
    {"version": 1.0},
)


@_scenario("unknown variants")
def _unknown_variant(stage: Stage) -> None:
    stage.ingress(stage.name("unknown"), {"a": 1})


@_scenario("payloads against their schema")
def _payloads(stage: Stage) -> None:
    variant = stage.define({"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}})
    stage.ingress(variant, {"sku": 1}, fits=False)
    stage.ingress(variant, {"sku": "a"})


@_scenario("aliases", "DEF-10")
def _aliases(stage: Stage) -> None:
    alias = stage.name("alias")
    variant = stage.define(alias=[alias])
    stage.ingress(alias, 1)
    stage.ingress(variant, 1)
    taken = stage.put(stage.name(), alias=[alias])
    stage.known.note("alias that another definition has", "taken over" if taken.data() else "refused")
    shadow = stage.define()
    if stage.put(stage.name(), alias=[shadow]).data():
        stage.ingress(shadow, 1)


@_scenario("two organisations", "AUTH-6", "LEASE-6", "ING-9")
def _organisations(stage: Stage) -> None:
    if len(stage.known.target.credentials) < 2:
        raise NotReached("no second key was given")
    number = stage.live()
    if _is_theirs(stage, number):
        stage.modack(number, stage.attempt_of(number), 300, org=1)
    variant = stage.define()
    stage.ingress(variant, 1, org=1)
    stage.put(variant, {"title": "of the other"}, org=1)
    stage.ingress(variant, 1)
    stage.ingress(variant, 1, org=1)
    stage.send(PUT, {"variant": variant, "schema": {"title": "forged"}}, org=1, path_org=stage.org(0))
    stage.ingress(variant, 1)


def _is_theirs(stage: Stage, number: str) -> bool:
    """Whether the other organisation cannot have an action of the same id: long ids, or one counter for all."""
    latest = stage.accept(stage.define(org=1), org=1)
    return len(number) >= 12 or int(latest) - int(number) <= 3


@_scenario("what is refused is not stored", "DEF-11")
def _nothing_stored(stage: Stage) -> None:
    """Once with a wrong key and once without: afterwards the definition is what it was."""
    for headers in ([("x-arklow-auth", f"{stage.key()[1]}-not"), JSON], [JSON]):
        variant = stage.name()
        made = stage.put(variant)
        before = stage.ingress(variant, 1).data().get("a_ve")
        if before is None:
            raise NotReached("plain work is refused")
        forged = stage.send(PUT, {"variant": variant, "schema": False, "version": 77}, headers=headers)
        if not 400 <= forged.status < 500:
            continue
        after = stage.ingress(variant, 1)
        stage.judge.ledger.tested["DEF-11"] += 1
        stored = after.data().get("a_ve")
        if stored != before and after.status in (200, 400):
            stage.accuse(
                Breach(
                    "DEF-11",
                    "A definition that was refused for its key is stored all the same",
                    f"version {before} still",
                    f"version {stored}"
                    if stored is not None
                    else f"its schema refuses work with {after.status}",
                ),
                (made, forged, after),
            )


@_scenario("what was accepted stays", "ING-11", "ING-12")
def _custody(stage: Stage) -> None:
    variant = stage.define()
    first = stage.accept(variant)
    stage.modack(first)
    for headers in ([JSON], [stage.key()]):
        stage.send(INGRESS, None, name=variant, headers=headers)
    stage.send(MODACK, {})
    stage.modack(first)
    for _ in range(25):
        stage.accept(variant)
    stage.modack(first)
    stage.ingress(variant, 2)


@_scenario("broken definitions", "PAGE-9")
def _broken_definitions(stage: Stage) -> None:
    good = {"variant": stage.name(), "schema": {}}
    for broken in _broken(good, _DEFINITION):
        stage.probe(PUT, broken)
    stage.probe(PUT, [good])
    for org in ("abc", "1a", "-1", "１", f"{stage.org()}a"):
        stage.probe(PUT, good, path_org=org)


@_scenario("broken work", "PAGE-9", "PAGE-10")
def _broken_work(stage: Stage) -> None:
    variant = stage.define()
    if "ingress body" not in stage.known.readings:
        raise NotReached("it could not be told how an ingress body is read")
    for broken in _broken({"payload": 1}, _WORK):
        stage.probe(INGRESS, broken, name=variant)
    bare: Any
    for bare in ({}, {"order": 1}, [], "a", 1, None):
        stage.probe(INGRESS, raw=_json(bare), name=variant)


@_scenario("broken modacks of a live action", "PAGE-9", "PAGE-12")
def _broken_modacks(stage: Stage) -> None:
    number = stage.live()
    good: dict[str, Any] = {"action_record_id": number, "attempt": stage.attempt_of(number), "mod_ack": 300}
    for broken in _broken(good, _LEASE):
        stage.probe(MODACK, broken)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    for shown in (
        number + "\n",
        wide,
        f" {number}",
        f"{number}a",
        f"+{number}",
        f"{number}.0",
        "",
        int(number),
    ):
        stage.probe(MODACK, {**good, "action_record_id": shown})
    stage.probe(MODACK, [good])
    if stage.modack(number, good["attempt"]).status != 200:
        raise NotReached("the action did not stay alive while broken modacks were aimed at it")


_MISSING: Final = object()
_DEFINITION: Final = {
    "variant": (_MISSING, None, 1, True, [], {}),
    "schema": (_MISSING,),
    "alias": (None, "a", 1, {}, [1], [None], [["a"]]),
    "version": (None, "1", 1.5, True, [], {}),
}
_WORK: Final[dict[str, tuple[Any, ...]]] = {
    "tags": (None, [], "a", 1, {"a": 1}, {"a": None}, {"a": ["b"]}, {"a": True}),
    "version": (None, "1", "x", True, [], {}, 0, -1, 1.5, 2**31, 2**63),
}
_LEASE: Final = {
    "action_record_id": (_MISSING, None, True, []),
    "attempt": (_MISSING, None, "0", True, -1, 0.5, 2**31, 2**63),
    "mod_ack": (_MISSING, None, "60", True, 0, -1, -60, 0.5, 2**63),
}


def _broken(good: dict[str, Any], values: dict[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """The body with one member at a time broken."""
    for member, others in values.items():
        for value in others:
            broken = {**good, member: value}
            if value is _MISSING:
                del broken[member]
            yield broken


@_scenario("bytes that no value has", "JSON-8", "PAGE-8", "PAGE-9")
def _bytes(stage: Stage) -> None:
    variant = stage.define()
    number = stage.accept(variant)
    modack = b'{"action_record_id":"%s","attempt":0,"mod_ack":300}' % number.encode()
    put = _json({"variant": variant, "schema": {}})
    for label, good, name in ((INGRESS, b'{"payload":1}', variant), (MODACK, modack, ""), (PUT, put, "")):
        for raw in (
            *(b"", b" ", b"null", b"[]", good[:-1], good + b"x", good + b"{}", b"\xef\xbb\xbf" + good),
            *(good[:-1] + b',"x":1}', good[:-1] + b',"x":NaN}', good[:-1] + b',"x":-Infinity}', b"{" + good),
            *(good[:-1] + b',"x":"\xff\xfe"}', good[:-1] + b',"x":"\\ud800"}', good[:-1] + b',"x":1,"x":2}'),
            *(
                good.decode().encode("utf-16"),
                good[:-1] + b',"x":1e400}',
                good[:-1] + b',"x":' + b"9" * 400 + b"}",
            ),
            *(
                good[:-1] + b',"x":' + b"[" * 200 + b"]" * 200 + b"}",
                b"{'payload': 1}",
                b"payload=1",
                b"\x00" * 8,
            ),
            good[:-1] + b',"__proto__":{"a":1},"constructor":1,"":2}',
        ):
            stage.probe(label, raw=raw, name=name)
        for content in (
            "application/json; charset=utf-8",
            "application/json; charset=latin-1",
            "APPLICATION/JSON",
        ):
            stage.probe(label, raw=good, name=name, headers=[stage.key(), ("content-type", content)])
        for content in (
            "text/plain",
            "application/xml",
            "",
            "application/json; charset=nonsense",
            "multipart/form-data",
        ):
            stage.probe(label, raw=good, name=name, headers=[stage.key(), ("content-type", content)])
        stage.probe(label, raw=good, name=name, headers=[stage.key()])
        stage.probe(label, raw=good, name=name, chunked=True)
        stage.probe(label, raw=good, name=name, headers=[stage.key(), JSON, ("x-note", "caf\xe9 \xff")])
        stage.probe(label, raw=good, name=name, headers=[stage.key(), JSON, ("content-encoding", "gzip")])
        stage.probe(label, raw=good, name=name, headers=[stage.key(), JSON, ("accept", "text/html")])
        stage.probe(label, raw=good, name=name, query="tag.region=eu&tag.region=us&x=%ff&%00=1")
    for number in ("1" * 20, "9" * 40):
        stage.modack(number)


@_scenario("methods that no page lists", "HTTP-1", "HTTP-5")
def _methods(stage: Stage) -> None:
    variant = stage.define()
    for label, declared in ((INGRESS, "POST"), (MODACK, "POST"), (PUT, "PUT")):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            if method != declared:
                stage.probe(label, name=variant, method=method)


@_scenario("who may enter", "AUTH-1", "AUTH-3", "AUTH-4", "AUTH-6", "AUTH-9")
def _keys(stage: Stage) -> None:
    variant = stage.define()
    try:
        number = stage.live()
    except NotReached:
        number = stage.accept(variant)
    good, near = stage.key()[1], stage.known.target.first.near
    calls: list[tuple[str, dict[str, Any], str]] = [
        (INGRESS, {"payload": 1}, variant),
        (MODACK, {"action_record_id": number, "attempt": 0, "mod_ack": 300}, ""),
        (PUT, {"variant": variant, "schema": {}}, ""),
    ]
    for label, body, name in calls:
        operation = stage.known.operation(label)
        for headers in _headers(good, operation.keys if operation else (), near):
            stage.probe(label, body, name=name, headers=[*headers, JSON])
        for parameter in ("x-arklow-auth", "authorization", "api_key"):
            stage.probe(label, body, name=name, headers=[JSON], query=f"{parameter}={quote(good, safe='')}")
    stage.probe(INGRESS, {}, name=variant, headers=[JSON])
    stage.probe(PUT, {"variant": variant, "schema": {}}, path_org=str(int(stage.org()) + 10**9))


def _headers(good: str, listed: tuple[str, ...], near: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    """Every scheme alone, together, one good and one bad; then keys that are nearly right."""
    yield []
    for name in listed:
        yield [(name, good)]
        yield [(name.title(), good)]
        yield [(name, "")]
    for name in ("x-arklow-auth", "authorization"):
        yield [(name, "arklow-contracts-wrong-key")]
        for other in near:
            yield [(name, other)]
    if "authorization" not in listed:
        yield [("authorization", good)]
    yield [("x-arklow-auth", good), ("authorization", "arklow-contracts-wrong-key")]
    yield [("x-arklow-auth", "arklow-contracts-wrong-key"), ("authorization", good)]
    for name in ("x-api-key", "cookie"):
        yield [(name, good)]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


__all__ = ["SCENARIOS", "Scenario", "read_bodies"]
