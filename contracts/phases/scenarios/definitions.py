"""Definitions: versions, updates, aliases, names, and what a refused PUT leaves."""

from __future__ import annotations

from typing import Any, Final

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...model.world import UNIQUE_ID_DIGITS
from ..api import Api, are_counted, id_as_number
from ..requests import INGRESS, JSON, PUT, NotReached, answered
from .scenario import scenario


@scenario("updates", "DEF-1", "DEF-2", "DEF-3", "DEF-10", "DEF-12", "ING-3", "ING-9", "RACE-1", "READ-1")
def updates(api: Api) -> None:
    """Update a definition in several ways; work after each update says which version is current."""
    variant = api.define({"type": "object"})
    first = api.exchanges[-1]
    api.ingress(variant, {"n": 1})
    again = api.put(variant, {"type": "object"})
    if _refused(again):
        api.define()
        api.sequence.note("a definition that is put again", "refused", first, again)
    api.ingress(variant, {"n": 2})
    for number in range(3):
        api.put(variant, {"type": "object", "maxProperties": 100 + number})
        api.ingress(variant, {"n": 3})
    api.put(variant, {"type": "object", "maxProperties": 102})
    api.ingress(variant, {"n": 4})
    other = api.define()
    api.put(other, {"maxProperties": 103})
    api.put(api.define(), {"title": "a title"})
    api.ingress(variant, {"n": 5})
    api.ingress(other, {"n": 6})


@scenario("versions", "DEF-10", "ING-3", "PAGE-11", "RACE-1", "READ-1")
def versions(api: Api) -> None:
    """Name versions in work, known and unknown ones, and put explicit ones above and below the current one."""
    variant = api.define(kind="versions")
    api.ingress(variant)
    current = api.known_definition(variant).version
    api.ingress(variant, version=current)
    api.ingress(variant, version=current + 1_000)
    api.put(variant, {"maxProperties": 107}, version=current + 6)
    api.ingress(variant)
    api.ingress(variant, version=current + 6)
    api.ingress(variant, version=current)
    api.put(variant, {"maxProperties": 108})
    api.ingress(variant)
    api.put(variant, {"maxProperties": 109}, version=current + 2)
    api.ingress(variant)
    api.put(variant, {"maxProperties": 110}, version=float(current + 18))
    api.ingress(variant)
    api.ingress(variant, version=2**31 - 1)


@scenario("schemas in force", "DEF-10", "ING-3", "PAGE-11", "READ-1")
def schemas(api: Api) -> None:
    """Post work that keeps the schema that was put last, and work that breaks it."""
    variant = api.define({"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}})
    api.ingress(variant, {"sku": "a"})
    api.ingress(variant, {"sku": 1})
    api.ingress(variant, {"sku": "a", "more": [1]})
    api.ingress(variant, {})
    described = {
        "title": "t",
        "description": "d",
        "$comment": "c",
        "default": {"a": [1, None]},
        "examples": [1.5],
    }
    api.define({**described, "properties": {"größe": described}, "x-own": {"": True}})
    fresh = api.define({"type": "object", "required": ["sku"]})
    api.ingress(fresh, {"sku": 1})
    api.ingress(fresh, {"id": 1})


@scenario("schemas of every kind", "PAGE-8", "DEF-10")
def strange_schemas(api: Api) -> None:
    """Put unusual schemas and post work for them: either may be refused, and neither may make the application fail."""
    for schema in _SCHEMAS:
        variant = api.name()
        if api.probe(PUT, {"variant": variant, "schema": schema}) is not None:
            for payload in _PAYLOADS:
                api.probe(INGRESS, {"payload": payload}, name=variant)


_PAYLOADS: Final[tuple[Any, ...]] = ({"a": {"a": {}}}, [1], "a")
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


@scenario("aliases", "DEF-7", "DEF-10", "DEF-12", "ING-1", "ING-3", "ING-14", "READ-1")
def aliases(api: Api) -> None:
    """Post work under aliases, before and after updates, and give one alias to two definitions."""
    alias, second = api.name("alias"), api.name("alias")
    variant = api.define(alias=[alias])
    first = api.exchanges[-1]
    api.ingress(alias)
    api.ingress(variant)
    api.put(variant, {"maxProperties": 111}, alias=[alias, second])
    api.ingress(second)
    api.ingress(alias)
    api.put(variant, {"maxProperties": 112}, alias=[alias, second])
    api.ingress(alias)
    api.put(variant, {"maxProperties": 113})
    api.ingress(variant)
    taken = api.put(api.name(), alias=[alias])
    if taken.data() or _refused(taken):
        api.sequence.note(
            "alias that another definition has", "taken over" if taken.data() else "refused", first, taken
        )
    over = api.name("over")
    if api.names.reused:  # an earlier run may have given it that alias
        api.put(over)
    shadow = api.define(kind="shadow")
    api.ingress(shadow)
    if api.put(over, alias=[shadow]).data():
        api.ingress(shadow)


@scenario("aliases that are removed", "DEF-10", "ING-9", "READ-1")
def removed_aliases(api: Api) -> None:
    """Put a shorter list of aliases, then an empty one; work says which of them still reach the definition."""
    one, other = api.name("alias"), api.name("alias")
    variant = api.define(alias=[one, other])
    api.ingress(one)
    api.put(variant, alias=[other])
    api.ingress(other)
    api.ingress(one)
    api.put(variant, alias=[])
    api.ingress(other)
    api.ingress(variant)


_NAMES: Final = (
    *("été.données", "with space", "a:b@c"),
    *("nodots", "UPPER.Case", "注文.作成", "a-b_c~d", "x" * 80),
)


@scenario("names of every kind", "PAGE-11")
def names(api: Api) -> None:
    """Define variants of every kind: a variant is a string of at least one character, and dots are a convention (B057).

    Raises:
        NotReached: plain definitions are refused as well.
    """
    for text in _NAMES[:3] if api.names.reused else _NAMES:
        variant = api.name(text)
        put = api.put(variant)
        if put.data():
            api.ingress(variant)
        elif (
            _refused(put)
            and put.status in (400, 404, 409, 422)
            and all(c.isalnum() or c in "._- " for c in variant)
        ):
            if not api.put(api.name()).data():
                raise NotReached("plain definitions are refused by now")
            breach = Breach(
                "PAGE-11",
                f"A definition of {text!r} is refused",
                "200, as a variant is any string",
                f"{put.status} {api.context.shown(put.answer)}",
                "variant",
                fault=f"{text} is refused",
            )
            api.accusations.accuse(breach, (put,))


@scenario("names that are nearly the same", "DEF-10", "ING-9", "ING-15", "READ-1")
def near_names(api: Api) -> None:
    """Use names that differ by case, by a blank or by a last letter: they are different variants."""
    variant = api.name("Case")
    api.put(variant)
    api.ingress(variant)
    other = api.names.prefix + variant.removeprefix(api.names.prefix).swapcase()
    if not api.names.reused:  # an earlier run has defined it
        api.ingress(other)
        api.put(f"{api.name()} ")
        api.put(f" {api.name()}")
    api.names.leave_open(other)
    api.put(other, {"maxProperties": 114})
    api.ingress(variant)
    api.ingress(variant[:-1], 1)
    api.ingress(f"{variant}x", 1)
    api.ingress(api.name("unknown"), {"a": 1})


@scenario("what is refused is not stored", "DEF-11")
def nothing_stored(api: Api) -> None:
    """Forge a definition with a wrong key, with none, and with a broken body; work says whether it is what it was.

    Raises:
        NotReached: plain definitions or plain work are refused.
    """
    forged = {"schema": False, "version": 77}
    cases: tuple[tuple[list[tuple[str, str]] | None, dict[str, object]], ...] = (
        ([("x-arklow-auth", f"{api.requests.key()[1]}-not"), JSON], {}),
        ([JSON], {}),
        (None, {"alias": 5}),
        (None, {"version": "77"}),
    )
    for headers, broken in cases:
        variant = api.name()
        made = api.put(variant)
        if not made.data():
            raise NotReached(f"a plain definition {answered(made)}")
        work = api.ingress(variant)
        before = work.data().get("a_ve")
        if before is None:
            raise NotReached("plain work is refused")
        forgery = api.send(PUT, {"variant": variant, **forged, **broken}, headers=headers)
        if not _refused(forgery):
            continue
        after = api.ingress(variant)
        if after.status == 400:
            api.wait_until_known(variant)
            after = api.ingress(variant)
        api.judge.ledger.tested["DEF-11"] += 1
        stored = after.data().get("a_ve")
        if stored != before and after.has_envelope and after.status in (200, 400):
            breach = Breach(
                "DEF-11",
                "A definition that was refused is stored all the same",
                f"version {before} still",
                f"version {stored}" if stored else f"its schema refuses work with {after.status}",
            )
            api.accusations.accuse(breach, (made, work, forgery, after))


@scenario("two organisations", "AUTH-6", "LEASE-6", "ING-3", "ING-7", "ING-9", "ING-11", "ORG-1", "READ-1")
def organisations(api: Api) -> None:
    """Use the names and the action of one organisation with the key of the other: nothing is shared.

    Raises:
        NotReached: there is no key of a second organisation.
    """
    if not api.requests.two_organisations:
        raise NotReached("no second key was given: --second-api-key and --second-org", *_OF_TWO)
    alias = api.name("alias")
    variant = api.define(alias=[alias])
    api.ingress(variant)
    api.ingress(variant, org=1)
    api.ingress(alias, org=1)
    api.put(variant, {"maxProperties": 115}, org=1)
    api.ingress(variant)
    api.ingress(variant, org=1)
    api.send(
        PUT, {"variant": variant, "schema": {"title": "forged"}}, org=1, path_org=api.requests.organisation(0)
    )
    api.ingress(variant)
    number = api.live()
    if _has_no_equal_id(api, number):
        for attempt in (api.held_attempt(number), api.held_attempt(number) + 1):
            api.modack(number, attempt, 300, org=1)
    api.modack(number, api.held_attempt(number), 300)
    _modack_equal_ids(api)


_OF_TWO: Final = ("AUTH-6", "ORG-1")
"""Rules that a key of a second organisation alone verifies; the others of this sequence are verified without one too."""


def _modack_equal_ids(api: Api) -> None:
    """Extend an action whose id an action of the other organisation has too, where each counts its own ids."""
    own, theirs = api.open_variant(), api.open_variant(org=1)
    first, latest = api.accept(own), api.accept(theirs, org=1)
    ahead = id_as_number(latest) - id_as_number(first)
    if len(first) >= UNIQUE_ID_DIGITS or abs(ahead) > _FAR:
        return
    for _ in range(ahead):
        api.accept(own)
    mine = api.live()
    for _ in range(min(id_as_number(mine) - id_as_number(latest), _FAR)):
        api.accept(theirs, org=1)
    api.modack(mine, api.held_attempt(mine), 300)


def _has_no_equal_id(api: Api, number: str) -> bool:
    """Say whether the other organisation has no action of the same id: ids are long, or there is one counter for all.

    Where each organisation has a counter of its own, three actions of the other one and one of ours do not come in order.
    """
    api.accept(api.open_variant(org=1), org=1)
    shared = len(number) >= UNIQUE_ID_DIGITS
    if not shared:
        first = api.accept(api.open_variant())
        theirs = [api.accept(api.open_variant(org=1), org=1) for _ in range(3)]
        shared = are_counted([first, *theirs, api.accept(api.open_variant())])
    api.model.ids_are_shared = shared
    return shared


@scenario("versions below nought", "READ-1")
def negative_versions(api: Api) -> None:
    """Put negative versions: taking and refusing them are both lawful, and so is what follows from it (C16)."""
    api.put(api.name("negative"), version=-3)
    api.put(api.name("negative"), version=-4)


@scenario("members that the page does not name")
def more_members(api: Api) -> None:
    """Post work with an unknown member: nothing forbids it, and nothing says that it is taken (B044)."""
    variant = api.define()
    api.accept(variant)
    more = api.send(INGRESS, {"payload": 1, "x-more": 1}, name=variant)
    if more.has_envelope and more.status in (200, 400):
        api.sequence.note(
            "members that the page does not name", "ignored" if more.status == 200 else "refused", more
        )


def _refused(put: Exchange) -> bool:
    """Say whether a definition was refused, by its status or by an answer without data (B009)."""
    refused = 400 <= put.status < 500 or (put.status == 200 and not put.data())
    return refused and put.has_envelope


_FAR = 2_000
"""Actions that may be made so that two organisations reach the same id: more would take a minute."""

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
