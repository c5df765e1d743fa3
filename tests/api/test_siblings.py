"""The operations that the overlay adds: work whose body names the variant, and what `--document-only` leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.settings import PUBLISHED
from tests.api.asgi import World
from tests.api.lives import RECORDS, listed, world


@pytest.mark.parametrize("path", ["/v1/ingress", "/v1/ingress/"])
def test_the_body_can_name_the_variant(path: str) -> None:
    """B034, B025, B020, Q29: on the path without a segment for it, with or without a slash at the end."""
    mock = World()
    definition = mock.put("order.created").json["data"]["id"]

    reply = mock.call("POST", path, {"variant": "order.created", "payload": {"n": 1}, "tags": {"a": "b"}})

    data = reply.json["data"]
    record = mock.record(data["a_id"])
    assert (reply.status, data) == (
        200,
        {
            "a_id": data["a_id"],
            "a_def_id": definition,
            "queue_s": "queued",
            "a_va": "order.created",
            "a_ve": "1",
        },
    )
    assert (record["input"], record["tags"]) == ({"n": 1}, {"a": "b"})


def test_an_alias_in_the_body_reaches_its_definition() -> None:
    """B034, B038, C5: also when a variant has the same name."""
    mock = World()
    mock.put("x")
    other = mock.put("other", alias=["x"]).json["data"]["id"]

    data = mock.call("POST", "/v1/ingress", {"variant": "x", "payload": 1}).json["data"]

    assert (data["a_def_id"], data["a_va"]) == (other, "other")


@pytest.mark.parametrize("path", ["/v1/ingress", "/v1/ingress/"])
def test_tags_of_the_query_merge_here_too(path: str) -> None:
    """B032, B034, Q16: the query wins on the same key."""
    mock = world()
    body = {"variant": "v", "payload": None, "tags": {"region": "us", "tier": "gold"}}

    reply = mock.call("POST", f"{path}?tag.region=eu&tag.new=1&variant=w", body)

    record = mock.record(reply.json["data"]["a_id"])
    assert record["tags"] == {"region": "eu", "tier": "gold", "new": "1"}
    assert record["definition"]["variant"] == "v"


@pytest.mark.parametrize(
    "body",
    [
        *({"payload": 1}, {"variant": "v"}, {"variant": "", "payload": 1}, {"variant": 1, "payload": 1}),
        *([], "v", None, 1),
        *({"variant": "v", "payload": 1} | more for more in ({"tags": {"n": 1}}, {"version": 0})),
    ],
)
def test_a_body_that_lacks_its_variant_or_payload_is_refused(body: Any) -> None:
    """B042, B034, B030, B031: 400, and nothing is accepted."""
    mock = world()
    text = b"null" if body is None else body

    reply = mock.call("POST", "/v1/ingress", text)

    assert (reply.status, reply.error["code"]) == (400, "INVALID_BODY")
    assert listed(mock) == ([], 0)


def test_work_named_in_its_body_is_checked_like_any() -> None:
    """B034, B035 to B037, B039, Q6: unknown variants, schemas and versions are refused."""
    mock = World()
    mock.put(schema={"const": 1})
    mock.put(schema={"const": 2})

    def answer(**body: Any) -> str:
        reply = mock.call("POST", "/v1/ingress", {"variant": "v", "payload": 2} | body)
        return str(reply.json["data"]["a_ve"] if reply.status == 200 else reply.error["code"])

    assert answer() == "2"
    assert answer(payload=1, version=1) == "1"
    assert answer(version=9) == "2"
    assert answer(payload=1) == "PAYLOAD_REJECTED"
    assert answer(variant="unknown") == "UNKNOWN_VARIANT"
    assert len(listed(mock)[0]) == 3


@pytest.mark.parametrize("raw_bodies", [True, False])
def test_raw_bodies_changes_nothing_for_an_envelope_that_names_its_variant(raw_bodies: bool) -> None:
    """B027, B034, C1: a body that must have the variant cannot be the payload."""
    mock = world(raw_bodies=raw_bodies)

    assert mock.call("POST", "/v1/ingress", {"variant": "v", "n": 1}).error["code"] == "INVALID_BODY"


def test_either_header_opens_the_siblings_on_ingress() -> None:
    """B002, B003: as for the published operations."""
    mock = world()
    headers = {"x-arklow-auth": "", "authorization": "org-42"}
    reply = mock.call("POST", "/v1/ingress", {"variant": "v", "payload": 1}, headers=headers)
    body = {"action_record_id": reply.json["data"]["a_id"], "attempt": 0}

    assert mock.call("POST", "/v1/defer", body, headers=headers).status == 200
    assert mock.call("POST", "/v1/ack", body, headers=headers).status == 200


SIBLINGS = [
    *(("POST", path) for path in ("/v1/ingress", "/v1/ingress/", "/v1/ack", "/v1/nack", "/v1/defer")),
    *(("GET", path) for path in (RECORDS, f"{RECORDS}/1")),
]


@pytest.mark.parametrize(("method", "path"), SIBLINGS)
def test_document_only_serves_none_of_the_siblings(method: str, path: str) -> None:
    """`--document-only`: their paths do not exist, so they are a 404."""
    reply = World(document=PUBLISHED).call(method, path, {} if method == "POST" else None)

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


def test_document_only_serves_the_three_published_operations() -> None:
    """`--document-only`: define, accept and extend."""
    mock = World(document=PUBLISHED)
    mock.put()

    assert mock.modack(mock.accept()["a_id"]) == (200, "")
    assert [(op.method, op.path) for op in mock.app.coverage.operations] == [
        ("post", "/v1/ingress/{variant}"),
        ("post", "/v1/modack"),
        ("put", "/v1/orgs/{org_id}/actions/definitions"),
    ]
