"""Definitions: versions, updates, aliases, names, and what a refused PUT leaves."""

from __future__ import annotations

from typing import Any, Final

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...model.world import UNIQUE_ID_DIGITS
from ..requests import INGRESS, JSON, PUT, NotReached
from ..sequence import CallSequence
from .scenario import scenario


@scenario("updates", "DEF-1", "DEF-2", "DEF-3", "DEF-10", "ING-3", "ING-9", "RACE-1", "READ-1")
def updates(sequence: CallSequence) -> None:
    """Each followed by work that says which version is current."""
    variant = sequence.define({"type": "object"})
    first = sequence.exchanges[-1]
    sequence.ingress(variant, {"n": 1})
    again = sequence.put(variant, {"type": "object"})
    if refused(again):
        sequence.define()
        sequence.note("a definition that is put again", "refused", first, again)
    sequence.ingress(variant, {"n": 2})
    for number in range(3):
        sequence.put(variant, {"type": "object", "maxProperties": 100 + number})
        sequence.ingress(variant, {"n": 3})
    sequence.put(variant, {"type": "object", "maxProperties": 102})
    sequence.ingress(variant, {"n": 4})
    other = sequence.define()
    sequence.put(other, {"maxProperties": 103})
    sequence.put(sequence.define(), {"title": "a title"})
    sequence.ingress(variant, {"n": 5})
    sequence.ingress(other, {"n": 6})


@scenario("versions", "DEF-10", "ING-3", "PAGE-11", "RACE-1", "READ-1")
def versions(sequence: CallSequence) -> None:
    """Asserted ones, unknown ones, and explicit ones above and below the current one."""
    variant = sequence.define(kind="versions")
    sequence.ingress(variant)
    current = sequence.definition(variant).version
    sequence.ingress(variant, version=current)
    sequence.ingress(variant, version=current + 1_000)
    sequence.put(variant, {"maxProperties": 107}, version=current + 6)
    sequence.ingress(variant)
    sequence.ingress(variant, version=current + 6)
    sequence.ingress(variant, version=current)
    sequence.put(variant, {"maxProperties": 108})
    sequence.ingress(variant)
    sequence.put(variant, {"maxProperties": 109}, version=current + 2)
    sequence.ingress(variant)
    sequence.put(variant, {"maxProperties": 110}, version=float(current + 18))
    sequence.ingress(variant)
    sequence.ingress(variant, version=2**31 - 1)


@scenario("schemas in force", "DEF-10", "ING-3", "PAGE-11", "READ-1")
def schemas(sequence: CallSequence) -> None:
    """Work has to keep the schema that was put last, as far as schemas are enforced."""
    variant = sequence.define(
        {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}
    )
    sequence.ingress(variant, {"sku": "a"})
    sequence.ingress(variant, {"sku": 1})
    sequence.ingress(variant, {"sku": "a", "more": [1]})
    sequence.ingress(variant, {})
    described = {
        "title": "t",
        "description": "d",
        "$comment": "c",
        "default": {"a": [1, None]},
        "examples": [1.5],
    }
    sequence.define({**described, "properties": {"größe": described}, "x-own": {"": True}})
    fresh = sequence.define({"type": "object", "required": ["sku"]})
    sequence.ingress(fresh, {"sku": 1})
    sequence.ingress(fresh, {"id": 1})


@scenario("schemas of every kind", "PAGE-8", "DEF-10")
def strange_schemas(sequence: CallSequence) -> None:
    """Definitions may be refused, and so may their work; neither is a reason to fail."""
    for schema in _SCHEMAS:
        variant = sequence.name()
        if sequence.probe(PUT, {"variant": variant, "schema": schema}) is not None:
            for payload in _INSTANCES:
                sequence.probe(INGRESS, {"payload": payload}, name=variant)


_INSTANCES: Final[tuple[Any, ...]] = ({"a": {"a": {}}}, [1], "a")
_SCHEMAS: Final[tuple[Any, ...]] = (
    {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
    {"$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}}}, "$ref": "#/$defs/a"},
    *({"$ref": "#/nowhere"}, {"$ref": "#"}, {"$dynamicRef": "#a"}, {"$id": "urn:a", "$anchor": "b"}),
    *(
        {"type": "nonsense"},
        {"type": 5},
        {"required": "a"},
        {"properties": []},
        {"enum": 5},
        {"pattern": "("},
    ),
    *(True, False, None, [], "a", 1, {"not": {}}, {"allOf": []}, {"oneOf": [{}, {}]}, {"minimum": "1"}),
    {"allOf": [{"anyOf": [{"type": "object"}, {"type": "array"}]}], "if": {}, "then": {}, "else": False},
    {"$schema": "http://json-schema.org/draft-04/schema#", "id": "a", "exclusiveMinimum": True},
    {"format": "date-time", "contentEncoding": "base64", "unevaluatedProperties": False, "x-own": 1},
    {"patternProperties": {"^a+$": {}}, "propertyNames": {"maxLength": 1}, "dependentRequired": {"a": ["b"]}},
    {"multipleOf": 0},
    {"maxLength": -1},
    {"uniqueItems": True, "contains": {}, "prefixItems": [{}]},
)


@scenario("aliases", "DEF-7", "DEF-10", "ING-1", "ING-3", "ING-14", "READ-1")
def aliases(sequence: CallSequence) -> None:
    """What they reach, before and after updates, and whose they are."""
    alias, second = sequence.name("alias"), sequence.name("alias")
    variant = sequence.define(alias=[alias])
    first = sequence.exchanges[-1]
    sequence.ingress(alias)
    sequence.ingress(variant)
    sequence.put(variant, {"maxProperties": 111}, alias=[alias, second])
    sequence.ingress(second)
    sequence.ingress(alias)
    sequence.put(variant, {"maxProperties": 112}, alias=[alias, second])
    sequence.ingress(alias)
    sequence.put(variant, {"maxProperties": 113})
    sequence.ingress(variant)
    taken = sequence.put(sequence.name(), alias=[alias])
    if taken.data() or refused(taken):
        sequence.note(
            "alias that another definition has", "taken over" if taken.data() else "refused", first, taken
        )
    over = sequence.name("over")
    if sequence.reuses_names:  # where it may have that alias since an earlier run
        sequence.put(over)
    shadow = sequence.define(kind="shadow")
    sequence.ingress(shadow)
    if sequence.put(over, alias=[shadow]).data():
        sequence.ingress(shadow)


@scenario("aliases that are removed", "DEF-10", "ING-9", "READ-1")
def removed_aliases(sequence: CallSequence) -> None:
    """An empty list empties it, a shorter one shortens it, as far as that is how they are read."""
    one, other = sequence.name("alias"), sequence.name("alias")
    variant = sequence.define(alias=[one, other])
    sequence.ingress(one)
    sequence.put(variant, alias=[other])
    sequence.ingress(other)
    sequence.ingress(one)
    sequence.put(variant, alias=[])
    sequence.ingress(other)
    sequence.ingress(variant)


_NAMES: Final = (
    *("été.données", "with space", "a:b@c"),
    *("nodots", "UPPER.Case", "注文.作成", "a-b_c~d", "x" * 80),
)


@scenario("names of every kind", "PAGE-11")
def names(sequence: CallSequence) -> None:
    """A variant is a string of at least one character; dots are a convention (B057)."""
    for text in _NAMES[:3] if sequence.reuses_names else _NAMES:
        variant = sequence.name(text)
        put = sequence.put(variant)
        if put.data():
            sequence.ingress(variant)
        elif put.status in (400, 404, 409, 422) and all(c.isalnum() or c in "._- " for c in variant):
            if not sequence.put(sequence.name()).data():
                raise NotReached("plain definitions are refused by now")
            breach = Breach(
                "PAGE-11",
                f"A definition of {variant.removeprefix(sequence.prefix)[:20]!r} is refused",
                "200, as a variant is any string",
                f"{put.status} {sequence.context.shown(put.answer)}",
                "variant",
            )
            sequence.accuse(breach, (put,))


@scenario("names that are nearly the same", "DEF-10", "ING-9", "ING-15", "READ-1")
def near_names(sequence: CallSequence) -> None:
    """Another case, and a name that begins alike, are other variants."""
    variant = sequence.name("Case")
    sequence.put(variant)
    sequence.ingress(variant)
    other = sequence.prefix + variant.removeprefix(sequence.prefix).swapcase()
    if not sequence.reuses_names:  # where earlier runs have defined it
        sequence.ingress(other)
        sequence.put(f"{sequence.name()} ")
        sequence.put(f" {sequence.name()}")
    sequence.renew(other)
    sequence.put(other, {"maxProperties": 114})
    sequence.ingress(variant)
    sequence.ingress(variant[:-1], 1)
    sequence.ingress(f"{variant}x", 1)
    sequence.ingress(sequence.name("unknown"), {"a": 1})


@scenario("what is refused is not stored", "DEF-11")
def nothing_stored(sequence: CallSequence) -> None:
    """After a wrong key, none, or a body that breaks its page the definition is what it was."""
    forged = {"schema": False, "version": 77}
    cases: tuple[tuple[list[tuple[str, str]] | None, dict[str, object]], ...] = (
        ([("x-arklow-auth", f"{sequence.key()[1]}-not"), JSON], {}),
        ([JSON], {}),
        (None, {"alias": 5}),
        (None, {"version": "77"}),
    )
    for headers, broken in cases:
        variant = sequence.name()
        made = sequence.put(variant)
        if not made.data():
            raise NotReached(f"a plain definition is answered with {made.status}")
        before = sequence.ingress(variant).data().get("a_ve")
        if before is None:
            raise NotReached("plain work is refused")
        forgery = sequence.send(PUT, {"variant": variant, **forged, **broken}, headers=headers)
        if not refused(forgery):
            continue
        after = sequence.ingress(variant)
        if after.status == 400:
            sequence.ripen(variant)
            after = sequence.ingress(variant)
        sequence.judge.ledger.tested["DEF-11"] += 1
        stored = after.data().get("a_ve")
        if stored != before and after.status in (200, 400):
            breach = Breach(
                "DEF-11",
                "A definition that was refused is stored all the same",
                f"version {before} still",
                f"version {stored}" if stored else f"its schema refuses work with {after.status}",
            )
            sequence.accuse(breach, (made, forgery, after))


@scenario("two organisations", "AUTH-6", "LEASE-6", "ING-3", "ING-9", "ING-11", "ORG-1", "READ-1")
def organisations(sequence: CallSequence) -> None:
    """Neither definitions nor aliases nor actions are shared."""
    if not sequence.two:
        raise NotReached("no second key was given")
    alias = sequence.name("alias")
    variant = sequence.define(alias=[alias])
    sequence.ingress(variant)
    sequence.ingress(variant, org=1)
    sequence.ingress(alias, org=1)
    sequence.put(variant, {"maxProperties": 115}, org=1)
    sequence.ingress(variant)
    sequence.ingress(variant, org=1)
    sequence.send(PUT, {"variant": variant, "schema": {"title": "forged"}}, org=1, path_org=sequence.org(0))
    sequence.ingress(variant)
    number = sequence.live()
    if _is_theirs(sequence, number):
        for attempt in (sequence.attempt_of(number), sequence.attempt_of(number) + 1):
            sequence.modack(number, attempt, 300, org=1)
    sequence.modack(number, sequence.attempt_of(number), 300)
    _same_count(sequence)


def _same_count(sequence: CallSequence) -> None:
    """Where each organisation counts its own ids, two actions of the same id are two."""
    own, other = sequence.plain(), sequence.plain(org=1)
    first, latest = sequence.accept(own), sequence.accept(other, org=1)
    ahead = sequence.counted(latest) - sequence.counted(first)
    if len(first) >= UNIQUE_ID_DIGITS or abs(ahead) > _FAR:
        return
    for _ in range(ahead):
        sequence.accept(own)
    mine = sequence.live()
    for _ in range(min(sequence.counted(mine) - sequence.counted(latest), _FAR)):
        sequence.accept(other, org=1)
    sequence.modack(mine, sequence.attempt_of(mine), 300)


def _is_theirs(sequence: CallSequence, number: str) -> bool:
    """Whether the other organisation cannot have an action of the same id: long ids, or one counter for all."""
    ahead = sequence.counted(sequence.accept(sequence.plain(org=1), org=1)) - sequence.counted(number)
    sequence.model.ids_are_shared = len(number) >= UNIQUE_ID_DIGITS or 0 < ahead <= 3
    return sequence.model.ids_are_shared


@scenario("versions below nought", "READ-1")
def negative_versions(sequence: CallSequence) -> None:
    """C16: either is lawful, and so is what follows from it."""
    sequence.put(sequence.name("negative"), version=-3)
    sequence.put(sequence.name("negative"), version=-4)


@scenario("members that the page does not name")
def more_members(sequence: CallSequence) -> None:
    """B044: nothing forbids them, and nothing says that they are taken."""
    variant = sequence.define()
    sequence.accept(variant)
    more = sequence.send(INGRESS, {"payload": 1, "x-more": 1}, name=variant)
    if more.status in (200, 400):
        sequence.note(
            "members that the page does not name", "ignored" if more.status == 200 else "refused", more
        )


def refused(put: Exchange) -> bool:
    """Whether a definition was refused, by its status or by an answer without data (B009)."""
    return 400 <= put.status < 500 or (put.status == 200 and not put.data())


_FAR = 2_000
"""How far one organisation may be behind another to be counted up to it."""

__all__ = [
    "aliases",
    "more_members",
    "names",
    "near_names",
    "negative_versions",
    "nothing_stored",
    "organisations",
    "removed_aliases",
    "schemas",
    "strange_schemas",
    "updates",
    "versions",
]
