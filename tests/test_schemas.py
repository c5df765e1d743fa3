"""The weight of a schema limits what a check may cost; refusals say what was expected, and where."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.schemas import (
    HEAVY,
    DocumentSchemas,
    Unusable,
    compile_schema,
    mismatch,
    weight,
    without_annotations,
)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, 1),
        ({"type": "object"}, 2),
        ({"properties": {"a": {"type": "string"}, "b": {}}}, 5),
        ({"$defs": {"a": {"enum": [1, 2, 3]}}}, 7),
        ({"$defs": {"a": {"type": "string"}}, "allOf": [{"$ref": "#/$defs/a"}] * 3}, 14),
        ({"pattern": "^a$"}, 5),
        ({"pattern": "^a{10}$"}, 89),
        ({"$ref": "#"}, HEAVY),
        ({"$ref": "http://elsewhere.invalid"}, HEAVY),
        ({"$ref": "#/$defs/none"}, HEAVY),
        ({"properties": {"a": {"$dynamicRef": "#x"}}}, HEAVY),
        ({"unevaluatedItems": False}, HEAVY),
        ({"pattern": r"\w"}, 151),
        ({"properties": {"definitions": {"$ref": "#"}}}, HEAVY),
        ({"$defs": {"%61": {}, "a": {"type": "string"}}, "$ref": "#/$defs/%61"}, HEAVY),
        ({"pattern": "a{1000}{1000}{1000}{1000}"}, HEAVY),
    ],
    ids=str,
)
def test_the_weight_counts_what_one_value_can_meet(schema: Any, expected: int) -> None:
    """References as often as they are reached, patterns by their length times their repetitions."""
    assert weight(schema) == expected


def test_thirty_two_doublings_are_heavy() -> None:
    """The weight is found without walking all 2 ** 32 ways."""
    schema: Any = {"$defs": {"l32": {}}, "$ref": "#/$defs/l0"}
    for n in range(32):
        schema["$defs"][f"l{n}"] = {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2}

    assert weight(schema) == HEAVY


@pytest.mark.parametrize(
    ("pattern", "linear"),
    [("^a+$", True), ("(?=a)", False), (r"(a)\1", False)],
)
def test_patterns_that_may_backtrack_are_known_as_such(pattern: str, linear: bool) -> None:
    """They are checked in a worker process, whatever their weight."""
    assert compile_schema({"pattern": pattern}).linear is linear


@pytest.mark.parametrize(
    "schema", [None, True, 1, "x", [], {"type": 1}, {"minimum": "1"}, {"$ref": "file:///etc/passwd"}]
)
def test_what_is_no_schema_is_unusable(schema: Any) -> None:
    """The reason is found without fetching anything."""
    with pytest.raises(Unusable):
        compile_schema(schema)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": ["string", "null"]}, 1, "body: expected null or string, got 1"),
        ({"required": ["a b"]}, {}, "body: expected a member 'a b', got {}"),
        ({"properties": {"a/b": {"minimum": 3}}}, {"a/b": 2}, "body/a~1b: expected a number from 3, got 2"),
        ({"items": {"maximum": 3}}, [1, 9], "body/1: expected a number up to 3, got 9"),
        ({"pattern": "^x"}, "y", 'body: expected a string that matches ^x, got "y"'),
        ({"enum": ["a", 1]}, None, 'body: expected one of "a", 1, got null'),
        ({"minLength": 2}, "é", 'body: expected at least 2 characters, got "é"'),
        ({"not": {}}, 1, "body: expected what the keyword not asks for at #/not, got 1"),
        ({"type": "integer"}, "x" * 500, f'body: expected integer, got "{"x" * 56}...'),
        ({"type": "integer"}, 1.0, None),
        ({"multipleOf": 0.01}, 19.99, None),
    ],
)
def test_a_mismatch_says_where_what_was_expected_and_what_came(
    schema: Any, value: Any, message: str | None
) -> None:
    """It is one line, cut to a readable length."""
    assert mismatch(compile_schema(schema).validator, value, "body") == message


ANNOTATIONS = [
    "$comment",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
    "x-mine",
]


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_annotations_are_left_out_wherever_a_schema_may_have_them(name: str) -> None:
    """In schemas of members, items, alternatives and definitions."""

    def schema(**more: Any) -> dict[str, Any]:
        return {
            "properties": {"a": {**more}},
            "items": {**more},
            "anyOf": [{**more}, {"not": {**more}}],
            "$defs": {"a": {"type": "string", **more}},
            **more,
        }

    assert without_annotations(schema(**{name: 1})) == schema()


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_what_is_called_like_an_annotation_is_none(name: str) -> None:
    """Where the author of a schema chooses names, and inside of values."""
    schemas: list[Any] = [
        {"properties": {name: {"type": "string"}}},
        {"patternProperties": {name: {}}},
        {"$defs": {name: {}}},
        {"definitions": {name: {}}},
        {"dependentSchemas": {name: {}}},
        {"const": {name: 1}},
        {"enum": [{name: 1}]},
    ]
    for schema in schemas:
        assert without_annotations(schema) == schema


@pytest.mark.parametrize(("name", "bits"), [("int32", 32), ("int64", 64)])
def test_the_format_of_an_integer_is_its_bounds(name: str, bits: int) -> None:
    """In a document, beside other alternatives; of a number that is no integer it is none."""
    schema: Any = {"type": "integer", "format": name, "allOf": [{"not": {"const": 5}}]}
    document: Any = {"components": {"schemas": {"A b{}%": schema, "B": {"type": "number", "format": name}}}}
    bounded = DocumentSchemas(document).at("/components/schemas/A b{}%")
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    assert [bounded.is_valid(value) for value in (least - 1, least, 5, 0, most, most + 1)] == [
        *(False, True, False, True, True, False)
    ]
    assert DocumentSchemas(document).at("/components/schemas/B").is_valid(2.0**70)
    assert "allOf" not in document["components"]["schemas"]["B"]
