"""Bodies that break one keyword: confirmed by another validator, and complete for every kind of schema."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from contracts.generation.invalid_bodies import InvalidBody, breakable_keywords, invalid_bodies
from contracts.openapi.document import PUBLISHED, load
from contracts.openapi.schemas import DocumentSchemas
from contracts.phases.requests import INGRESS, MODACK, PUT

DOCUMENT = load(PUBLISHED)
GOOD: dict[str, dict[str, Any]] = {
    INGRESS: {"payload": {"order_id": "8471"}},
    MODACK: {"action_record_id": "3625117063004160000", "attempt": 0, "mod_ack": 300},
    PUT: {"variant": "order.created", "schema": {"type": "object"}},
}
FULL: dict[str, dict[str, Any]] = {
    INGRESS: {"payload": None, "metadata": 1, "tags": {"tier": "gold"}, "version": 7},
    MODACK: {"action_record_id": "1", "attempt": 3, "mod_ack": 1},
    PUT: {"variant": "", "schema": {}, "version": -4, "alias": ["a", "b"]},
}
BOTH = [(label, good[label]) for good in (GOOD, FULL) for label in good]
DIGITS = {"type": "string", "pattern": "^[0-9]+$"}
TREE = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/tree"}}},
}


def bounds(_: Any, name: str, value: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    """Check `int32` and `int64` as OpenAPI means them."""
    bits = {"int32": 31, "int64": 63}.get(name)
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    if bits and schema.get("type") == "integer" and whole and not -(2**bits) <= value < 2**bits:
        yield ValidationError(f"{value} is not an {name}")


def pattern(_: Any, expected: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """Check patterns as ECMA-262 means them: `$` does not match before a last newline."""
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", expected), value, re.ASCII):
        yield ValidationError(f"{value!r} does not match")


Strict = extend(Draft202012Validator, {"format": bounds, "pattern": pattern})


def resolve(reference: str) -> Mapping[str, Any]:
    """The schema that a reference of the document, or of the trees above, leads to."""
    if reference == "#/tree":
        return TREE
    node: Any = DOCUMENT.content
    for step in reference.removeprefix("#/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return dict(node)


def schema_of(label: str) -> Mapping[str, Any]:
    return resolve(f"#{DOCUMENT.operations[label].request_schema}")


def errors(schema: Mapping[str, Any], body: Any) -> list[ValidationError]:
    whole = {**schema, "tree": TREE, "components": DOCUMENT.content["components"]}
    return list(Strict(whole).iter_errors(body))


def bodies_of(label: str, good: Mapping[str, Any]) -> list[InvalidBody]:
    return list(invalid_bodies(schema_of(label), resolve, good))


@pytest.mark.parametrize(("label", "good"), BOTH)
def test_each_body_is_invalid_and_the_good_one_is_valid(label: str, good: dict[str, Any]) -> None:
    """For two validators."""
    schema = DocumentSchemas(DOCUMENT.content).at(str(DOCUMENT.operations[label].request_schema))

    assert schema.problems(good) == errors(schema_of(label), good) == []
    for invalid in bodies_of(label, good):
        assert schema.problems(invalid.body) != [], invalid
        assert errors(schema_of(label), invalid.body) != [], invalid


@pytest.mark.parametrize(("label", "good"), BOTH)
def test_a_body_breaks_its_keyword_at_its_place_and_no_other(label: str, good: dict[str, Any]) -> None:
    """The bounds that a format means count as that format."""
    for invalid in bodies_of(label, good):
        found = {broken(error) for error in errors(schema_of(label), invalid.body)}
        same = {(invalid.place, invalid.keyword)}
        if invalid.keyword in ("minimum", "maximum"):
            same.add((invalid.place, "format"))
        assert found <= same, invalid


def broken(error: ValidationError) -> tuple[str, str]:
    """(place, keyword) of an error of the validator."""
    steps = ["*" if step in ("region", "tier") else str(step) for step in error.absolute_path]
    if error.validator == "required":
        steps.append(error.message.split("'")[1])
    return "/".join(steps), str(error.validator)


@pytest.mark.parametrize(("label", "good"), BOTH)
def test_every_place_and_keyword_of_the_three_operations_has_a_body(label: str, good: dict[str, Any]) -> None:
    """No pair is left out, and each has its first body before any has its second."""
    pairs = breakable_keywords(schema_of(label), resolve)
    covered = [(invalid.place, invalid.keyword) for invalid in bodies_of(label, good)]

    assert set(covered) == set(pairs)
    assert len(set(covered[: len(pairs)])) == len(pairs)


def test_the_pairs_of_the_three_operations() -> None:
    """Members that take anything can only be absent; formats are bounds."""
    assert {label: len(breakable_keywords(schema_of(label), resolve)) for label in GOOD} == {
        INGRESS: 7,
        MODACK: 12,
        PUT: 7,
    }
    assert breakable_keywords(schema_of(INGRESS), resolve) == [
        ("", "type"),
        ("payload", "required"),
        ("tags", "type"),
        ("tags/*", "type"),
        *[("version", keyword) for keyword in ("type", "minimum", "maximum")],
    ]


@pytest.mark.parametrize(
    ("label", "place", "values"),
    [
        (INGRESS, "version", ["1", True, None, 1.5, [1], {}, 0, -1, 2**31, 2**32 + 1, 2**63]),
        (INGRESS, "tags", [None, [], "a", [{"region": "eu"}], True]),
        (INGRESS, "tags/*", [7, None, ["eu"], {}, True]),
        (MODACK, "attempt", ["0", False, None, 0.5, [0], {}, -1, 2**31, 2**32]),
        (MODACK, "mod_ack", ["300", True, None, 300.5, 0, -1, 2**63, 2**64 + 300]),
        (MODACK, "action_record_id", [4711, None, ["4711"], "4711\n", "４７１１", "٤٧١١", " 4711", "4711 "]),
        (MODACK, "action_record_id", ["+4711", "-4711", "4711.0", "", "abc", "0x1267", "4711a", "4711\x00"]),
        (PUT, "alias", [None, "eu", {"0": "eu"}, {}, "a,b"]),
        (PUT, "alias/0", [7, None, ["eu"], {}, True]),
        (PUT, "variant", [7, None, True, ["order.created"], {}]),
    ],
)
def test_the_near_misses_are_among_them(label: str, place: str, values: list[Any]) -> None:
    """What lenient readers take: digits in a string, a newline at the end, a number that wraps round."""
    good = {**GOOD[label], **({"action_record_id": "4711"} if label == MODACK else {})}
    member, _, below = place.partition("/")
    bodies = [one.body for one in bodies_of(label, good) if one.place == place and one.keyword != "required"]
    found = [body[member] for body in bodies]
    if below:
        found = [one[0] if below == "0" else one["region"] for one in found]

    assert [value for value in values if repr(value) not in map(repr, found)] == []


@pytest.mark.parametrize("label", GOOD)
def test_the_body_itself_is_broken_too(label: str) -> None:
    """A list, a string, a number, null, and the good body in a list."""
    bodies = [one.body for one in bodies_of(label, GOOD[label]) if not one.place]

    assert all(body in bodies for body in ([], "a", 7, None, [GOOD[label]]))


@pytest.mark.parametrize(("label", "good"), BOTH)
def test_no_body_and_no_title_comes_twice_for_a_pair(label: str, good: dict[str, Any]) -> None:
    """A report that names a title names one body."""
    bodies = bodies_of(label, good)

    assert len({(one.place, one.keyword, one.title) for one in bodies}) == len(bodies)
    assert len({(one.place, one.keyword, repr(one.body)) for one in bodies}) == len(bodies)


def test_the_good_body_is_not_changed() -> None:
    """Every invalid body differs from it in one member."""
    good = {"variant": "v", "schema": {"deep": [1]}, "alias": ["a", "b"]}

    for invalid in bodies_of(PUT, good):
        if isinstance(invalid.body, dict) and invalid.place == "alias/0":
            assert {**invalid.body, "alias": good["alias"]} == good
            assert invalid.body["alias"][1:] == ["b"]
    assert good == {"variant": "v", "schema": {"deep": [1]}, "alias": ["a", "b"]}


KINDS: list[tuple[dict[str, Any], Any]] = [
    ({"type": ["integer", "null"]}, None),
    ({"type": ["integer", "null"]}, 4),
    ({"type": "boolean"}, True),
    ({"type": "null"}, None),
    ({"type": "number", "minimum": 0.5, "maximum": 2}, 1.5),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10}, 3),
    ({"type": "integer", "multipleOf": 5, "minimum": 10}, 20),
    ({"type": "number", "multipleOf": 0.5}, 1.5),
    ({"type": "integer", "format": "int64", "minimum": -3}, 0),
    ({"type": "string", "minLength": 1}, "a"),
    ({"type": "string", "minLength": 3, "maxLength": 5}, "abcd"),
    ({"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 4}, "abc"),
    ({"type": "string", "pattern": r"^\d{4}-[$]\$$"}, "2026-$$"),
    ({"type": "string", "enum": ["ack", "mod_ack"]}, "ack"),
    ({"enum": [1, True, None, "a"]}, 1),
    ({"const": "ok"}, "ok"),
    ({"const": 3}, 3),
    ({"const": False}, False),
    ({"type": "array", "items": DIGITS}, ["1", "2"]),
    (
        {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3, "uniqueItems": True},
        ["a", "b"],
    ),
    ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, [[1], [2]]),
    ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [1, 2]),
    ({"type": "array", "items": False}, []),
    ({"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}}, {"a": "b"}),
    ({"type": "object", "additionalProperties": DIGITS, "minProperties": 1, "maxProperties": 2}, {"a": "1"}),
    ({"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}}, {"a": 1}),
    (
        {"type": "object", "required": ["b"], "properties": {"b": {"required": ["c"], "type": "object"}}},
        {"b": {"c": 1}},
    ),
    ({"allOf": [{"type": "object", "required": ["c"]}, {"properties": {"c": DIGITS}}]}, {"c": "1"}),
    ({"anyOf": [{"type": "string", "minLength": 2}, {"type": "integer", "minimum": 5}]}, "ab"),
    ({"anyOf": [DIGITS, {"type": "null"}]}, None),
    ({"oneOf": [{"type": "object", "required": ["x"]}, {"type": "object", "required": ["y"]}]}, {"x": 1}),
    ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": [{"type": "string"}]}}]}, ["a"]),
    ({"type": ["null", "object"], "required": ["a"], "properties": {"a": DIGITS}}, None),
    ({"type": ["string", "array"], "items": {"type": "integer"}}, "a"),
    ({"$ref": "#/tree"}, {"name": "a", "children": [{"name": "b"}]}),
    ({"$ref": "#/tree", "minProperties": 2}, {"name": "a", "x": 1, "y": 2}),
]


@pytest.mark.parametrize(("kind", "good"), KINDS, ids=lambda one: str(one)[:60])
def test_every_keyword_of_an_object_schema_is_broken(kind: dict[str, Any], good: Any) -> None:
    """Around a good value and around an example; each body is invalid."""
    schema = {"type": "object", "properties": {"one": kind}}
    pairs = breakable_keywords(schema, resolve)

    for body in ({"one": good}, {}):
        assert errors(schema, body) == []
        bodies = list(invalid_bodies(schema, resolve, body))
        assert {(one.place, one.keyword) for one in bodies} == set(pairs)
        for invalid in bodies:
            assert errors(schema, invalid.body) != [], invalid


@pytest.mark.parametrize(("kind", "good"), KINDS, ids=lambda one: str(one)[:60])
def test_the_first_body_of_a_pair_breaks_nothing_else(kind: dict[str, Any], good: Any) -> None:
    """As far as a value can: one that breaks an enumeration may have another type as well."""
    schema = {"type": "object", "properties": {"one": kind}}
    pairs = breakable_keywords(schema, resolve)
    first = list(invalid_bodies(schema, resolve, {"one": good}))[: len(pairs)]
    excused = ("enum", "const", "items")

    for invalid in first:
        found = {error.validator for error in errors(schema, invalid.body)}
        assert len(found) == 1 or found & set(excused), (invalid, found)


def test_a_schema_that_contains_itself_is_entered_once() -> None:
    """The places end where the schema begins again."""
    assert breakable_keywords({"$ref": "#/tree"}, resolve) == [
        ("", "type"),
        ("name", "required"),
        ("name", "type"),
        ("children", "type"),
    ]


def test_keywords_without_a_body_are_listed_all_the_same() -> None:
    """They show as a pair that no body covers."""
    schema = {"type": "object", "not": {"required": ["x"]}, "properties": {"a": {"pattern": r"^\p{L}$"}}}
    covered = {(one.place, one.keyword) for one in invalid_bodies(schema, resolve, {})}

    assert set(breakable_keywords(schema, resolve)) - covered == {("", "not"), ("a", "pattern")}


def test_keywords_that_no_value_can_break_are_not_listed() -> None:
    """A lower bound of zero, and keywords that only describe."""
    schema = {
        "type": "object",
        "properties": {"a": {"minLength": 0, "title": "t", "format": "uri", "default": 1}},
        "minProperties": 0,
    }

    assert breakable_keywords(schema, resolve) == [("", "type")]


def test_the_first_round_is_the_most_telling() -> None:
    """A budget of one request for each pair is spent on near misses."""
    bodies = bodies_of(MODACK, GOOD[MODACK])
    count = len(breakable_keywords(schema_of(MODACK), resolve))
    first = {(one.place, one.keyword): one.title for one in bodies[:count]}

    assert first["attempt", "type"] == "attempt is a string of digits"
    assert first["attempt", "minimum"] == "attempt is -1"
    assert first["action_record_id", "pattern"] == "action_record_id is in full-width digits"
    assert first["mod_ack", "required"] == "mod_ack is absent"
    assert len(list(takewhile(lambda one: one in bodies[:count], bodies))) == count


@pytest.mark.parametrize(
    ("case", "digest"),
    list(
        zip(
            BOTH,
            [
                *("029404f93b70560d", "bcce217e65230425", "b7663d218c28acc2"),
                *("3f406985c5243c2d", "f5e0fc2bd6f6baf0", "d8bd45db20f8fb52"),
            ],
            strict=True,
        )
    ),
)
def test_the_bodies_are_the_same_as_ever(case: tuple[str, dict[str, Any]], digest: str) -> None:
    """Runs of different days are compared by what they send: a body that changes on purpose changes its digest here."""
    label, good = case
    told = hashlib.sha256()
    for body in invalid_bodies(schema_of(label), resolve, good):
        told.update(repr(body).encode())

    assert told.hexdigest()[:16] == digest
