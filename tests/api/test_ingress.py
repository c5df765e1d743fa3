"""POST /v1/ingress/{variant}, as the documents say (B020 to B044)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.asgi import World


def test_an_accepted_post_answers_with_the_action() -> None:
    """B020 to B022: queued, the variant, the version in digits, ids of 19 digits."""
    world = World()
    definition = world.put("order.created").json["data"]

    data = world.accept("order.created", payload={"order_id": "8471"}, metadata=[1], tags={"region": "eu"})

    assert len(data.pop("a_id")) == 19
    assert data == {"a_def_id": definition["id"], "queue_s": "queued", "a_va": "order.created", "a_ve": "1"}


def test_every_post_makes_a_new_action_with_a_growing_id() -> None:
    """B023, B024: also with equal bodies, and with an Idempotency-Key."""
    world = World()
    world.put()
    replies = [
        world.call("POST", "/v1/ingress/v", {"payload": 1}, headers={"idempotency-key": "same"})
        for _ in range(50)
    ]

    ids = [int(reply.json["data"]["a_id"]) for reply in replies]
    assert ids == sorted(set(ids))
    assert {str(number)[10:] for number in ids} == {str(ids[0])[10:]}


def test_an_alias_outranks_a_variant_of_the_same_name() -> None:
    """B038, C5: the answer names the definition's own variant."""
    world = World()
    world.put("x")
    other = world.put("other", alias=["x"]).json["data"]

    data = world.accept("x")

    assert (data["a_def_id"], data["a_va"]) == (other["id"], "other")


@pytest.mark.parametrize(
    ("asked", "used"), [(None, "3"), (3, "3"), (1, "1"), (2, "2"), (3.0, "3"), (4, "3"), (999, "3")]
)
def test_a_version_is_used_when_it_is_stored(asked: float | None, used: str) -> None:
    """B035 to B037, C4: the current version is used otherwise."""
    world = World()
    for schema in ({"const": 1}, {"const": 2}, {"const": 3}):
        world.put(schema=schema)
    body: dict[str, Any] = {} if asked is None else {"version": asked}

    assert world.accept(payload=int(used), **body)["a_ve"] == used


def test_each_version_keeps_its_own_schema() -> None:
    """B036: the payload is checked by the schema of the version that the caller asserts."""
    world = World()
    world.put(schema={"const": 1})
    world.put(schema={"const": 2})

    assert world.call("POST", "/v1/ingress/v", {"payload": 1, "version": 1}).status == 200
    assert world.call("POST", "/v1/ingress/v", {"payload": 1}).error["code"] == "PAYLOAD_REJECTED"


def _tags(world: World, query: str = "", **body: Any) -> dict[str, str]:
    """Accept work and return its tags."""
    tags: dict[str, str] = world.record(world.accept(query=query, **body)["a_id"])["tags"]
    return tags


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"region": "us", "tier": "gold"}),
        ("?tag.region=eu", {"region": "eu", "tier": "gold"}),
        ("?tag.region=eu&tag.region=ap", {"region": "ap", "tier": "gold"}),
        ("?tag.new=a%20b+c&other=1&tag=x", {"region": "us", "tier": "gold", "new": "a b c"}),
        ("?tag.region=", {"region": "", "tier": "gold"}),
        ("?tag.a.b=1", {"region": "us", "tier": "gold", "a.b": "1"}),
    ],
)
def test_query_tags_merge_over_the_bodys(query: str, expected: dict[str, str]) -> None:
    """B032, Q17: the query wins on the same key, other tags stay, other parameters are ignored."""
    world = World()
    world.put()

    assert _tags(world, query, tags={"region": "us", "tier": "gold"}) == expected


@pytest.mark.parametrize(
    "payload", [None, True, 0, -1.5, "", "é", [], {}, [[1]], {"payload": {"payload": 1}}]
)
def test_an_empty_schema_takes_any_json(payload: Any) -> None:
    """B029, B040: every kind of JSON value is accepted."""
    world = World()
    world.put()

    assert world.record(world.accept(payload=payload)["a_id"])["input"] == payload


def test_a_rejected_payload_leaves_no_record() -> None:
    """B039, C6: it is refused before acceptance; the message names the place, what was expected and what came."""
    world = World()
    world.put(schema={"properties": {"lines": {"items": {"required": ["sku"]}}}})
    before = int(world.accept(payload={})["a_id"])

    reply = world.call("POST", "/v1/ingress/v", {"payload": {"lines": [{"sku": 1}, {"s": 2}]}})

    assert reply.error == {
        "code": "PAYLOAD_REJECTED",
        "message": "body/payload/lines/1: expected a member 'sku', got {\"s\":2}",
    }
    assert int(world.accept(payload={})["a_id"]) == before + 10**9


def test_an_unknown_variant_says_what_is_near() -> None:
    """Q6: the 400 names variants with a similar name."""
    world = World()
    world.put("order.created", alias=["order.made"])

    error = world.call("POST", "/v1/ingress/order.crated", {"payload": 1}).error

    assert error["code"] == "UNKNOWN_VARIANT"
    assert "'order.created'" in error["message"]
    assert "got 'order.crated'" in error["message"]


def test_auto_define_gives_an_unknown_variant_an_open_definition() -> None:
    """--auto-define: it has version 1, takes any payload, and is the definition that a later PUT updates."""
    world = World(auto_define=True)

    first, second = world.accept("new"), world.accept("new", payload={"a": 1})

    assert first["a_ve"] == "1"
    assert first["a_def_id"] == second["a_def_id"] == world.put("new").json["data"]["id"]
    assert world.put("new").json["data"]["version"] == 1


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ({"order_id": 1}, {"order_id": 1}),
        ([1], [1]),
        ("x", "x"),
        (None, None),
        ({"payload": 2, "tags": {}}, 2),
    ],
    ids=str,
)
def test_raw_bodies_takes_a_body_without_payload_whole(body: Any, stored: Any) -> None:
    """--raw-bodies: the guides' interpretation (B027, C1); an object with `payload` stays an envelope."""
    world = World(raw_bodies=True)
    world.put()
    text = json.dumps(body).encode()

    reply = world.call("POST", "/v1/ingress/v", text)

    assert world.record(reply.json["data"]["a_id"])["input"] == stored


def test_raw_bodies_still_checks_an_envelope() -> None:
    """A body with a `payload` is checked against the page."""
    world = World(raw_bodies=True)
    world.put()

    assert world.call("POST", "/v1/ingress/v", {"payload": 1, "version": 0}).error["code"] == "INVALID_BODY"


def test_organisations_share_nothing() -> None:
    """Parallel runs with keys of their own share no definitions, names or ids."""
    world = World()
    world.put()
    mine = world.accept()

    assert world.call("POST", "/v1/ingress/v", {"payload": 1}, key="org-7").error["code"] == "UNKNOWN_VARIANT"
    world.call("PUT", "/v1/orgs/7/actions/definitions", {"variant": "v", "schema": {}}, key="org-7")
    theirs = world.accept(key="org-7-00000000")

    assert mine["a_def_id"] != theirs["a_def_id"]
    assert world.modack(mine["a_id"], key="org-7") == (404, "UNKNOWN_ACTION")
    assert world.modack(theirs["a_id"], key="org-7") == (200, "")
