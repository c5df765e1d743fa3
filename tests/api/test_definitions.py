"""PUT /v1/orgs/{org_id}/actions/definitions, as the documents say (B050 to B058, C5, C7, C16, Q5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asgi import World
from tests.running_mock import PUT


def _data(world: World, **body: Any) -> Any:
    reply = world.put(**body)
    assert reply.status == 200, reply.body
    assert reply.json["errors"] is None
    return reply.json["data"]


def test_a_new_definition_has_version_1_and_no_alias() -> None:
    """B053, B054: all required members are there, `alias` even when it was not sent."""
    data = _data(World(), schema={"type": "object"})

    assert len(data.pop("id")) == 19
    assert data == {
        "org_id": "42",
        "variant": "v",
        "version": 1,
        "alias": [],
        "schema": {"type": "object"},
        "deleted_at": None,
        "destinations": [],
    }


def test_the_same_again_changes_nothing() -> None:
    """Q5: a definition that is equal as JSON keeps its version, in any order of members and with 1.0 for 1."""
    world = World()
    first = _data(world, schema={"minimum": 1, "type": "integer"}, alias=["a"])

    again = world.call("PUT", PUT, b'{"variant":"v","alias":["a"],"schema":{"type":"integer","minimum":1.0}}')

    assert again.json["data"] == first | {"schema": {"type": "integer", "minimum": 1.0}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"schema": {}}, {"schema": {"type": "object"}}),
        ({"schema": 1}, {"schema": True}),
        ({"schema": [1, 2]}, {"schema": [2, 1]}),
        ({"schema": None}, {"schema": {}}),
        ({"alias": ["a"]}, {"alias": ["b"]}),
        ({"alias": ["a", "b"]}, {"alias": ["b", "a"]}),
        ({"alias": ["a"]}, {"alias": []}),
    ],
    ids=str,
)
def test_a_change_keeps_the_id_and_raises_the_version(before: Any, after: Any) -> None:
    """B055, C7: upsert by variant."""
    world = World()
    old = _data(world, **before)

    new = _data(world, **after)

    assert new == old | {"version": 2} | after


def test_an_explicit_version_is_stored_as_sent() -> None:
    """Q5: higher, lower and zero; the next PUT without a version counts on from there."""
    world = World()

    assert _data(world, version=7)["version"] == 7
    assert _data(world, version=3)["version"] == 3
    assert _data(world, schema={"a": 1})["version"] == 4
    assert _data(world, version=0, schema={"a": 1})["version"] == 0
    assert _data(world, version=10**30, schema={"a": 1})["version"] == 10**30
    assert world.accept()["a_ve"] == str(10**30)


def test_an_omitted_alias_keeps_the_list() -> None:
    """A PUT leaves members that it does not send as they were; our choice."""
    world = World()
    _data(world, alias=["a", "b"])

    assert _data(world, schema={"new": 1})["alias"] == ["a", "b"]


def test_a_dropped_alias_is_free_for_others() -> None:
    """An alias belongs to the definition that lists it now."""
    world = World()
    _data(world, variant="one", alias=["a"])
    assert world.put("two", alias=["a"]).error["code"] == "ALIAS_TAKEN"

    _data(world, variant="one", alias=[])

    assert _data(world, variant="two", alias=["a"])["alias"] == ["a"]


def test_a_refused_put_takes_no_id_and_no_version() -> None:
    """A refusal leaves no trace in later ids and versions."""
    world = World()
    first = _data(world, variant="one", alias=["a"])

    assert world.put("two", alias=["a"]).status == 409
    assert world.put("one", version=-1, schema={"x": 1}).status == 409

    assert _data(world, variant="one") == first
    assert int(_data(world, variant="two")["id"][:10]) == int(first["id"][:10]) + 1


@pytest.mark.parametrize(
    ("schema", "standing"),
    [
        ({}, "enforced"),
        ({"type": "object", "x-anything": 1}, "enforced"),
        (None, "not enforced: it is not a JSON object"),
        (True, "not enforced: it is not a JSON object"),
        ({"type": "nonsense"}, "not enforced: it is not a valid 2020-12 schema"),
        ({"$ref": "http://elsewhere.invalid/schema"}, "not enforced: it is not a valid 2020-12 schema"),
        ({"pattern": "("}, "not enforced: it is not a valid 2020-12 schema"),
        ({"$id": "\x00\r\nx-evil: 1"}, "not enforced: it is not a valid 2020-12 schema"),
    ],
    ids=str,
)
def test_any_json_is_a_schema_and_the_header_says_whether_it_checks(schema: Any, standing: str) -> None:
    """B051: it is stored as published; one that cannot be enforced is refused under --strict-schemas alone."""
    reply = World().put(schema=schema)

    assert reply.status == 200
    assert reply.headers["x-arklow-mock-schema"].startswith(standing)
    assert reply.headers["x-arklow-mock-schema"].isprintable()
    strict = World(strict_schemas=True).put(schema=schema)
    assert strict.status == (200 if standing == "enforced" else 400)
    if strict.status == 400:
        assert strict.error["code"] == "SCHEMA_NOT_ENFORCEABLE"


def test_what_was_stored_comes_back_to_the_last_digit() -> None:
    """Big integers come back exactly."""
    reply = World().call(
        "PUT", PUT, b'{"variant":"v","schema":{"const":123456789012345678901234567890,"x":[1.5,1e3]}}'
    )

    assert b'"schema":{"const":123456789012345678901234567890,"x":[1.5,1000.0]}' in reply.body


def test_a_key_of_its_own_works_and_names_its_organisation() -> None:
    """--key KEY=ORG adds a key; dev-key=1 is there without it."""
    path = "/v1/orgs/1/actions/definitions"

    assert World().call("PUT", path, {"variant": "v", "schema": 1}, key="dev-key").status == 200
    assert (
        World(keys={"k": "1"}).call("PUT", path, {"variant": "v", "schema": 1}, key="dev-key").status == 401
    )
    assert World(keys={"k": "1"}).call("PUT", path, {"variant": "v", "schema": 1}, key="k").status == 200
