"""Schemas of the document, and of definitions: where a value breaks one, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.openapi.document import PUBLISHED, load
from contracts.openapi.schemas import DocumentSchemas, satisfies


def problems(schema: Any, value: Any) -> list[tuple[str, str, str, str]]:
    """Return the places where a value breaks a schema: place, keyword, what was expected, and what is there."""
    found = DocumentSchemas({"s": schema}).at("/s").problems(value)
    return [(one.place, one.keyword, one.expected, one.actual) for one in found]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": ["string", "null"]}, 1, ("", "type", "of type null or string", "1")),
        ({"required": ["a"]}, {}, ("a", "required", "present", "absent")),
        ({"minimum": 1}, 0, ("", "minimum", "at least 1", "0")),
        ({"maximum": 3}, 4, ("", "maximum", "at most 3", "4")),
        ({"minLength": 2}, "a", ("", "minLength", "of at least 2 characters", '"a"')),
        ({"pattern": "^a$"}, "b", ("", "pattern", "a string that matches ^a$", '"b"')),
        ({"enum": ["a", 1]}, "b", ("", "enum", 'one of "a", 1', '"b"')),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": 1},
            ("", "additionalProperties", "without other members", "with 'b'"),
        ),
        ({"maxItems": 1}, [1, 2], ("", "maxItems", "what the keyword maxItems asks for", "[1,2]")),
        ({"type": "integer", "format": "int32"}, 2**31, ("", "maximum", "at most 2147483647", "2147483648")),
        (
            {"type": "integer", "format": "int64"},
            -(2**63) - 1,
            ("", "minimum", f"at least {-(2**63)}", str(-(2**63) - 1)),
        ),
    ],
)
def test_a_problem_says_where_it_is_what_was_expected_and_what_is_there(
    schema: Any, value: Any, expected: tuple[str, str, str, str]
) -> None:
    """A format of integers counts as bounds."""
    assert [
        (place, keyword, said, shown.replace(", ", ","))
        for place, keyword, said, shown in problems(schema, value)
    ] == [expected]


def test_each_place_and_keyword_is_named_once() -> None:
    """A value that is as it should be has no problem."""
    schema = {"properties": {"a": {"items": {"type": "string"}}}, "required": ["b"]}

    assert sorted(place for place, *_ in problems(schema, {"a": ["x", 1, 2]})) == ["a/1", "a/2", "b"]
    assert problems(schema, {"a": [], "b": 1}) == []


def test_of_several_branches_the_one_that_came_farthest_is_blamed() -> None:
    """A branch for another type is not."""
    schema = {
        "anyOf": [
            {"type": "null"},
            {"properties": {"a": {"type": "object", "properties": {"b": {"minimum": 3}}}}},
        ]
    }

    assert problems(schema, {"a": {"b": 1}}) == [("a/b", "minimum", "at least 3", "1")]
    assert problems({"oneOf": [{"type": "string"}, {"minimum": 5}]}, 3) == [
        ("", "minimum", "at least 5", "3")
    ]
    assert problems({"oneOf": [True, True]}, 3)[0][1] == "oneOf"


def test_formats_are_problems_of_their_own() -> None:
    """They are not among the others."""
    validator = DocumentSchemas({"s": {"properties": {"a": {"format": "date-time"}}}}).at("/s")

    assert validator.problems({"a": "now"}) == []
    assert [(one.place, one.expected) for one in validator.format_problems({"a": "now"})] == [
        ("a", "of format date-time")
    ]
    assert validator.format_problems({"a": "2026-01-01T00:00:00Z"}) == []


def test_a_schema_is_found_at_any_pointer() -> None:
    """With references in it, and with signs that URLs escape; it is compiled once."""
    schemas = DocumentSchemas({"a{b}%": {"c d": {"$ref": "#/x"}}, "x": {"type": "string"}})

    assert [one.place for one in schemas.at("/a{b}%/c d").problems(1)] == [""]
    assert schemas.at("/x") is schemas.at("/x")


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "object", "required": ["a"]}, {"a": 1}, True),
        ({"type": "object", "required": ["a"]}, {}, False),
        ({"items": {"type": "string"}}, ["a"], True),
        ({"items": {"type": "string"}}, [1], False),
        ({"properties": {"a": {"enum": [1]}}, "title": "t"}, {"a": 2}, False),
        ({"format": "date"}, "x", None),
        ({"$ref": "#"}, 1, None),
        ({"properties": {"a": {"format": "date"}}}, {}, None),
        ({"properties": 3}, {}, None),
        ({"items": [{}]}, [], None),
        ({"type": 3}, 1, None),
        (True, 1, None),
        ([], 1, None),
    ],
)
def test_a_payload_satisfies_a_schema_only_where_all_dialects_agree(
    schema: Any, value: Any, expected: bool | None
) -> None:
    """Otherwise nothing is known (Q18)."""
    assert satisfies(schema, value) is expected


DEFINITION = "PUT /v1/orgs/{org_id}/actions/definitions"
KINDS = 'one of "webhook", "sdk", "google_pubsub", "aws_sqs", "mcp", "default_sink"'


@pytest.mark.parametrize(
    ("destination", "place", "expected"),
    [
        ({"type": "carrier_pigeon", "config": {"url": "http://a"}}, "type", KINDS),
        ({"type": 5, "config": {}}, "type", KINDS),
        ({"config": {}}, "type", "present"),
        ({"type": "webhook", "config": {"url": 5}}, "config/url", "of type string"),
        ({"type": "webhook", "config": {}}, "config/url", "present"),
        ({"type": "webhook", "config": {"url": "http://a", "more": 1}}, "config", "without other members"),
        ({"type": "default_sink", "config": {"url": "http://a"}}, "config", "without other members"),
    ],
    ids=["unknown", "a number", "none", "url", "no url", "more", "of another kind"],
)
def test_a_value_of_several_kinds_is_compared_with_the_one_that_it_names(
    destination: dict[str, Any], place: str, expected: str
) -> None:
    """By the member that has one text in each branch; where it has none of them, the kinds are listed."""
    document = load(PUBLISHED)
    validator = DocumentSchemas(document.content).at(document.operations[DEFINITION].answer_schema(200) or "")
    known = {"id": "1", "org_id": "1", "updated_at": "2026-01-01T00:00:00Z", "label": "x", **destination}
    link = {
        "id": "1",
        "action_definition_id": "1",
        "destination_id": "2",
        "org_id": "1",
        "destination": known,
    }
    data = {
        "id": "1",
        "org_id": "1",
        "variant": "v",
        "version": 1,
        "alias": [],
        "schema": {},
        "destinations": [link],
    }

    [problem] = validator.problems({"data": data, "errors": None})

    assert (problem.place, problem.expected) == (f"data/destinations/0/destination/{place}", expected)
