"""Definitions: versions, updates, aliases, names, and what a refused PUT leaves."""

from __future__ import annotations

from typing import Any, Final

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...model.world import LONG_ID
from ..requests import INGRESS, JSON, PUT, NotReached
from ..sequence import Stage
from .scenario import scenario


@scenario("updates", "DEF-1", "DEF-2", "DEF-3", "DEF-10", "ING-3", "ING-9", "RACE-1", "READ-1")
def updates(stage: Stage) -> None:
    """Each followed by work that says which version is current."""
    variant = stage.define({"type": "object"})
    first = stage.exchanges[-1]
    stage.ingress(variant, {"n": 1})
    again = stage.put(variant, {"type": "object"})
    if refused(again):
        stage.define()
        stage.judge.note("a definition that is put again", "refused", first, again)
    stage.ingress(variant, {"n": 2})
    for number in range(3):
        stage.put(variant, {"type": "object", "maxProperties": 100 + number})
        stage.ingress(variant, {"n": 3})
    stage.put(variant, {"type": "object", "maxProperties": 102})
    stage.ingress(variant, {"n": 4})
    other = stage.define()
    stage.put(other, {"maxProperties": 103})
    stage.put(stage.define(), {"title": "a title"})
    stage.ingress(variant, {"n": 5})
    stage.ingress(other, {"n": 6})


@scenario("versions", "DEF-10", "ING-3", "PAGE-11", "RACE-1", "READ-1")
def versions(stage: Stage) -> None:
    """Asserted ones, unknown ones, and explicit ones above and below the current one."""
    variant = stage.define(kind="versions")
    stage.ingress(variant)
    current = stage.definition(variant).version
    stage.ingress(variant, version=current)
    stage.ingress(variant, version=current + 1_000)
    stage.put(variant, {"maxProperties": 107}, version=current + 6)
    stage.ingress(variant)
    stage.ingress(variant, version=current + 6)
    stage.ingress(variant, version=current)
    stage.put(variant, {"maxProperties": 108})
    stage.ingress(variant)
    stage.put(variant, {"maxProperties": 109}, version=current + 2)
    stage.ingress(variant)
    stage.put(variant, {"maxProperties": 110}, version=float(current + 18))
    stage.ingress(variant)
    stage.ingress(variant, version=2**31 - 1)


@scenario("schemas in force", "DEF-10", "ING-3", "PAGE-11", "READ-1")
def schemas(stage: Stage) -> None:
    """Work has to keep the schema that was put last, as far as schemas are enforced."""
    variant = stage.define({"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}})
    stage.ingress(variant, {"sku": "a"})
    stage.ingress(variant, {"sku": 1})
    stage.ingress(variant, {"sku": "a", "more": [1]})
    stage.ingress(variant, {})
    described = {
        "title": "t",
        "description": "d",
        "$comment": "c",
        "default": {"a": [1, None]},
        "examples": [1.5],
    }
    stage.define({**described, "properties": {"größe": described}, "x-own": {"": True}})
    fresh = stage.define({"type": "object", "required": ["sku"]})
    stage.ingress(fresh, {"sku": 1})
    stage.ingress(fresh, {"id": 1})


@scenario("schemas of every kind", "PAGE-8", "DEF-10")
def strange_schemas(stage: Stage) -> None:
    """Definitions may be refused, and so may their work; neither is a reason to fail."""
    for schema in _SCHEMAS:
        variant = stage.name()
        if stage.probe(PUT, {"variant": variant, "schema": schema}) is not None:
            for payload in _INSTANCES:
                stage.probe(INGRESS, {"payload": payload}, name=variant)


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
def aliases(stage: Stage) -> None:
    """What they reach, before and after updates, and whose they are."""
    alias, second = stage.name("alias"), stage.name("alias")
    variant = stage.define(alias=[alias])
    first = stage.exchanges[-1]
    stage.ingress(alias)
    stage.ingress(variant)
    stage.put(variant, {"maxProperties": 111}, alias=[alias, second])
    stage.ingress(second)
    stage.ingress(alias)
    stage.put(variant, {"maxProperties": 112}, alias=[alias, second])
    stage.ingress(alias)
    stage.put(variant, {"maxProperties": 113})
    stage.ingress(variant)
    taken = stage.put(stage.name(), alias=[alias])
    if taken.data() or refused(taken):
        stage.judge.note(
            "alias that another definition has", "taken over" if taken.data() else "refused", first, taken
        )
    over = stage.name("over")
    if stage.slot:  # where it may have that alias since an earlier run
        stage.put(over)
    shadow = stage.define(kind="shadow")
    stage.ingress(shadow)
    if stage.put(over, alias=[shadow]).data():
        stage.ingress(shadow)


@scenario("aliases that are removed", "DEF-10", "ING-9", "READ-1")
def removed_aliases(stage: Stage) -> None:
    """An empty list empties it, a shorter one shortens it, as far as that is how they are read."""
    one, other = stage.name("alias"), stage.name("alias")
    variant = stage.define(alias=[one, other])
    stage.ingress(one)
    stage.put(variant, alias=[other])
    stage.ingress(other)
    stage.ingress(one)
    stage.put(variant, alias=[])
    stage.ingress(other)
    stage.ingress(variant)


_NAMES: Final = (
    *("été.données", "with space", "a:b@c"),
    *("nodots", "UPPER.Case", "注文.作成", "a-b_c~d", "x" * 80),
)


@scenario("names of every kind", "PAGE-11")
def names(stage: Stage) -> None:
    """A variant is a string of at least one character; dots are a convention (B057)."""
    for text in _NAMES[:3] if stage.slot else _NAMES:
        variant = stage.name(text)
        put = stage.put(variant)
        if put.data():
            stage.ingress(variant)
        elif put.status in (400, 404, 409, 422) and all(c.isalnum() or c in "._- " for c in variant):
            if not stage.put(stage.name()).data():
                raise NotReached("plain definitions are refused by now")
            breach = Breach(
                "PAGE-11",
                f"A definition of {variant.removeprefix(stage.prefix)[:20]!r} is refused",
                "200, as a variant is any string",
                f"{put.status} {stage.known.shown(put.answer)}",
                "variant",
            )
            stage.accuse(breach, (put,))


@scenario("names that are nearly the same", "DEF-10", "ING-9", "ING-15", "READ-1")
def near_names(stage: Stage) -> None:
    """Another case, and a name that begins alike, are other variants."""
    variant = stage.name("Case")
    stage.put(variant)
    stage.ingress(variant)
    other = stage.prefix + variant.removeprefix(stage.prefix).swapcase()
    if not stage.slot:  # where earlier runs have defined it
        stage.ingress(other)
        stage.put(f"{stage.name()} ")
        stage.put(f" {stage.name()}")
    stage.renew(other)
    stage.put(other, {"maxProperties": 114})
    stage.ingress(variant)
    stage.ingress(variant[:-1], 1)
    stage.ingress(f"{variant}x", 1)
    stage.ingress(stage.name("unknown"), {"a": 1})


@scenario("what is refused is not stored", "DEF-11")
def nothing_stored(stage: Stage) -> None:
    """After a wrong key, none, or a body that breaks its page the definition is what it was."""
    forged = {"schema": False, "version": 77}
    cases: tuple[tuple[list[tuple[str, str]] | None, dict[str, object]], ...] = (
        ([("x-arklow-auth", f"{stage.key()[1]}-not"), JSON], {}),
        ([JSON], {}),
        (None, {"alias": 5}),
        (None, {"version": "77"}),
    )
    for headers, broken in cases:
        variant = stage.name()
        made = stage.put(variant)
        if not made.data():
            raise NotReached(f"a plain definition is answered with {made.status}")
        before = stage.ingress(variant).data().get("a_ve")
        if before is None:
            raise NotReached("plain work is refused")
        forgery = stage.send(PUT, {"variant": variant, **forged, **broken}, headers=headers)
        if not refused(forgery):
            continue
        after = stage.ingress(variant)
        if after.status == 400:
            stage.ripen(variant)
            after = stage.ingress(variant)
        stage.judge.ledger.tested["DEF-11"] += 1
        stored = after.data().get("a_ve")
        if stored != before and after.status in (200, 400):
            breach = Breach(
                "DEF-11",
                "A definition that was refused is stored all the same",
                f"version {before} still",
                f"version {stored}" if stored else f"its schema refuses work with {after.status}",
            )
            stage.accuse(breach, (made, forgery, after))


@scenario("two organisations", "AUTH-6", "LEASE-6", "ING-3", "ING-9", "ING-11", "ORG-1", "READ-1")
def organisations(stage: Stage) -> None:
    """Neither definitions nor aliases nor actions are shared."""
    if not stage.two:
        raise NotReached("no second key was given")
    alias = stage.name("alias")
    variant = stage.define(alias=[alias])
    stage.ingress(variant)
    stage.ingress(variant, org=1)
    stage.ingress(alias, org=1)
    stage.put(variant, {"maxProperties": 115}, org=1)
    stage.ingress(variant)
    stage.ingress(variant, org=1)
    stage.send(PUT, {"variant": variant, "schema": {"title": "forged"}}, org=1, path_org=stage.org(0))
    stage.ingress(variant)
    number = stage.live()
    if _is_theirs(stage, number):
        for attempt in (stage.attempt_of(number), stage.attempt_of(number) + 1):
            stage.modack(number, attempt, 300, org=1)
    stage.modack(number, stage.attempt_of(number), 300)
    _same_count(stage)


def _same_count(stage: Stage) -> None:
    """Where each organisation counts its own ids, two actions of the same id are two."""
    own, other = stage.plain(), stage.plain(org=1)
    first, latest = stage.accept(own), stage.accept(other, org=1)
    ahead = stage.counted(latest) - stage.counted(first)
    if len(first) >= LONG_ID or abs(ahead) > _FAR:
        return
    for _ in range(ahead):
        stage.accept(own)
    mine = stage.live()
    for _ in range(min(stage.counted(mine) - stage.counted(latest), _FAR)):
        stage.accept(other, org=1)
    stage.modack(mine, stage.attempt_of(mine), 300)


def _is_theirs(stage: Stage, number: str) -> bool:
    """Whether the other organisation cannot have an action of the same id: long ids, or one counter for all."""
    ahead = stage.counted(stage.accept(stage.plain(org=1), org=1)) - stage.counted(number)
    stage.model.one_count = len(number) >= LONG_ID or 0 < ahead <= 3
    return stage.model.one_count


@scenario("versions below nought", "READ-1")
def negative_versions(stage: Stage) -> None:
    """C16: either is lawful, and so is what follows from it."""
    stage.put(stage.name("negative"), version=-3)
    stage.put(stage.name("negative"), version=-4)


@scenario("members that the page does not name")
def more_members(stage: Stage) -> None:
    """B044: nothing forbids them, and nothing says that they are taken."""
    variant = stage.define()
    stage.accept(variant)
    more = stage.send(INGRESS, {"payload": 1, "x-more": 1}, name=variant)
    if more.status in (200, 400):
        stage.judge.note(
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
