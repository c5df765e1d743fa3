"""Each answer to an open question that is not the default, as the API shows it (C1, C4, C5, C6, C7, Q1 to Q7, Q10)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_server.api import bodies
from mock_server.domain.interpretations import Interpretations
from tests.api.asgi import World
from tests.replies import Reply
from tests.running_mock import PUT


def world(**interpretations: Any) -> World:
    """Make a mock with these interpretations, and a definition."""
    made = World(interpretations=Interpretations(**interpretations))
    assert made.put(alias=["a"]).status == 200
    return made


def versions(world: World, *puts: dict[str, Any]) -> list[int]:
    """Send PUTs one after the other, and return the versions of the answers."""
    return [world.put(**body).json["data"]["version"] for body in puts]


def refused(world: World, body: Any, variant: str = "v") -> str:
    """Send work, and return the error code of its refusal."""
    reply = world.call("POST", f"/v1/ingress/{variant}", body)
    assert reply.status == 400, reply.body
    return reply.error["code"]


# Bodies


@pytest.mark.parametrize("body", [{"payload": 1}, {"order": 1}, {"payload": 1, "version": "x"}, [1], None])
def test_all_of_a_body_is_the_payload(body: Any) -> None:
    """C1, B028: whatever the body is; tags come by the query (B033)."""
    mock = world(ingress_body="whole body")

    reply = mock.call("POST", "/v1/ingress/v?tag.region=eu", json.dumps(body).encode())

    record = mock.record(reply.json["data"]["a_id"])
    assert (record["input"], record["tags"]) == (body, {"region": "eu"})


def test_a_body_without_payload_is_the_payload() -> None:
    """C1, B027: as with --raw-bodies."""
    mock = world(ingress_body="envelope, whole without payload")

    assert mock.call("POST", "/v1/ingress/v", {"order": 1}).status == 200
    assert refused(mock, {"payload": 1, "version": "x"}) == "INVALID_BODY"


@pytest.mark.parametrize("interpretation", ["envelope", "envelope, whole without payload"])
@pytest.mark.parametrize("size", [1, bodies.LARGE])
def test_a_member_that_the_page_does_not_name_is_refused(interpretation: str, size: int) -> None:
    """B044: of an envelope; a payload may have any member. A body that a worker process parses is refused too."""
    mock = world(ingress_body=interpretation, unnamed_members="refused")
    payload = {"x-more": "x" * size}

    assert refused(mock, {"payload": payload, "x-more": 1}) == "INVALID_BODY"
    assert mock.accept(payload=payload, tags={"a": "b"}, metadata=1, version=1)["a_ve"] == "1"
    named = mock.call("POST", "/v1/ingress", {"variant": "v", "payload": 1, "x-more": 1})
    assert "variant" in named.error["message"]


def test_a_payload_that_breaks_its_schema_is_accepted() -> None:
    """C6: the definition says that its schema is not enforced."""
    mock = world(payload_mismatch="accepted")

    put = mock.put(schema={"type": "string"})

    assert mock.record(mock.accept(payload=1)["a_id"])["input"] == 1
    assert put.headers["x-arklow-mock-schema"].startswith("not enforced: work that breaks a schema")


# Names


def test_an_unknown_variant_is_made_on_the_fly() -> None:
    """Q6: as with --auto-define."""
    assert world(unknown_variant="made on the fly").accept("new")["a_va"] == "new"


@pytest.mark.parametrize("unknown", ["refused", "made on the fly"])
def test_an_alias_reaches_nothing(unknown: str) -> None:
    """C5: it is refused like an unknown name, or defined like one, and no refusal recommends it."""
    mock = world(alias="reaches nothing", unknown_variant=unknown)

    reply = mock.call("POST", "/v1/ingress/a", {"payload": 1})

    assert reply.error["code"] == "UNKNOWN_VARIANT"
    assert "(known here: 'v')" in reply.error["message"]


@pytest.mark.parametrize("unknown", ["refused", "made on the fly"])
def test_an_alias_is_a_variant_of_its_own(unknown: str) -> None:
    """C5: it gets an open definition."""
    mock = world(alias="is a variant of its own", unknown_variant=unknown)

    first, second = mock.accept("a"), mock.accept("a")

    assert first["a_va"] == "a"
    assert first["a_def_id"] == second["a_def_id"] != mock.accept()["a_def_id"]


@pytest.mark.parametrize(("interpretation", "reached"), [("the alias", "v"), ("the variant", "a")])
def test_a_name_that_is_both_reaches_one(interpretation: str, reached: str) -> None:
    """B038, C5: a variant or the alias of another definition, as the interpretation says."""
    mock = world(alias_or_variant=interpretation)
    mock.put("a")

    assert mock.accept("a")["a_va"] == reached


def test_work_under_an_alias_shows_it() -> None:
    """B022, C5: the answer has the alias, the record the definition's variant."""
    mock = world(shown_variant="the alias")

    data = mock.accept("a")

    assert data["a_va"] == "a"
    assert mock.accept()["a_va"] == "v"
    assert mock.record(data["a_id"])["definition"]["variant"] == "v"


def test_a_variant_in_other_letters_is_the_same() -> None:
    """For work and for definitions, which keep the spelling of the first PUT."""
    mock = world(letter_case="is the same")
    first = mock.put("Straße").json["data"]

    assert mock.accept("STRAßE")["a_def_id"] == first["id"]
    assert mock.put("straße", schema=1).json["data"] == first | {"version": 2, "schema": 1}
    assert refused(mock, {"payload": 1}, "stra") == "UNKNOWN_VARIANT"


@pytest.mark.parametrize(
    ("interpretations", "answers"),
    [
        ({}, ["2", "1", "2"]),
        ({"older_version": "the current one is used"}, ["2", "2", "2"]),
        ({"older_version": "refused"}, ["2", "UNKNOWN_VERSION", "2"]),
        ({"unstored_version": "refused"}, ["2", "1", "UNKNOWN_VERSION"]),
    ],
    ids=str,
)
def test_work_that_asserts_a_version(interpretations: dict[str, Any], answers: list[str]) -> None:
    """B036, B037, C4: the current one, an older one, and one that was never stored."""
    mock = world(**interpretations)
    mock.put(schema={"type": "integer"})

    replies = [mock.call("POST", "/v1/ingress/v", {"payload": 1, "version": n}) for n in (2, 1, 9)]

    assert [r.json["data"]["a_ve"] if r.status == 200 else r.error["code"] for r in replies] == answers


# Updates


def test_a_definition_cannot_be_put_again() -> None:
    """Q5: not even unchanged."""
    mock = world(put_again="refused")

    assert mock.put(alias=["a"]).error["code"] == "DEFINITION_EXISTS"
    assert mock.put("other").status == 200


@pytest.mark.parametrize(
    ("interpretations", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"equal": "version + 1"}, [2, 3, 4, 5]),
        ({"changed": "same version"}, [1, 1, 2, 2]),
        ({"other_aliases": "same version"}, [1, 2, 2, 3]),
        ({"annotated": "same version"}, [1, 1, 2, 3]),
        ({"annotated": "same version", "changed": "same version"}, [1, 1, 2, 2]),
    ],
    ids=str,
)
def test_what_raises_a_version(interpretations: dict[str, Any], found: list[int]) -> None:
    """B055, C7: an equal definition, one with other annotations, other aliases, another schema."""
    titled = {"title": "t", "properties": {"title": {"$comment": "c"}}}
    mock = World(interpretations=Interpretations(**interpretations))
    mock.put(schema={"properties": {"title": {}}}, alias=["a"])

    puts: list[dict[str, Any]] = [
        {"schema": {"properties": {"title": {}}}, "alias": ["a"]},
        {"schema": titled},
    ]
    assert versions(mock, *puts, {"schema": titled, "alias": []}, {"schema": {"type": "object"}}) == found


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        ({}, {"title": "t", "x-own": 1, "examples": [1]}, True),
        ({"const": {"title": 1}}, {"const": {"title": 2}}, False),
        ({"properties": {"title": True}}, {"properties": {}}, False),
        ({"properties": {"properties": {"title": 1}}}, {"properties": {"properties": {}}}, True),
        ({"const": 1}, {"const": True}, False),
        ({"allOf": [{"title": "t"}]}, {"allOf": [{}]}, True),
        ({}, {"description": "d" * bodies.LARGE}, True),
        ({"description": "d" * bodies.LARGE}, {"const": 1}, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_change_of_annotations(before: Any, after: Any, alike: bool) -> None:
    """JSON Schema, validation §9: also in a schema that a worker process reads because of its size."""
    mock = World(interpretations=Interpretations(annotated="same version"))
    try:
        assert versions(mock, {"schema": before}, {"schema": after}) == [1, 1 if alike else 2]
    finally:
        mock.app.close()


def test_annotations_are_overlooked_in_other_letters_too() -> None:
    """With both interpretations the stored definition is found by either spelling."""
    mock = World(interpretations=Interpretations(annotated="same version", letter_case="is the same"))

    assert versions(mock, {"variant": "v"}, {"variant": "V", "schema": {"title": "t"}}) == [1, 1]


def test_another_schema_gives_another_id() -> None:
    """Q5: other aliases do not; work that was accepted before keeps the id of its answer."""
    mock = world(changed_id="changes")
    old = mock.accept()
    first, aliases, changed = (
        mock.put(**body).json["data"]["id"]
        for body in ({"alias": ["a"]}, {"alias": ["b"]}, {"schema": {"type": "integer"}})
    )

    assert first == aliases == old["a_def_id"] != changed
    assert mock.accept(payload=1)["a_def_id"] == changed
    assert mock.record(old["a_id"])["action_definition_id"] == first


@pytest.mark.parametrize(
    ("interpretations", "found"),
    [
        ({}, [9, 3, 4]),
        ({"first_version": "not stored"}, [1, 3, 4]),
        ({"higher_version": "not stored"}, [9, 3, 4]),
        ({"lower_version": "not stored"}, [9, 10, 11]),
        ({"after_lower": "the highest one is current"}, [9, 3, 10]),
    ],
    ids=str,
)
def test_explicit_versions(interpretations: dict[str, Any], found: list[int]) -> None:
    """Q5: of a new definition, a lower one, and the next PUT without a version."""
    mock = World(interpretations=Interpretations(**interpretations))

    assert versions(mock, {"version": 9}, {"version": 3, "schema": 3}, {"schema": 4}) == found


@pytest.mark.parametrize(("interpretation", "version"), [("stored", 9), ("not stored", 2)])
def test_a_higher_explicit_version(interpretation: str, version: int) -> None:
    """Q5: where it is not stored, the count goes on."""
    assert versions(world(higher_version=interpretation), {"version": 9, "schema": 1}) == [version]


def test_a_lower_explicit_version_is_refused() -> None:
    """Q5: the current version again is not lower."""
    mock = World(interpretations=Interpretations(lower_version="refused"))

    assert versions(mock, {"version": 9}, {"version": 9, "schema": 1}) == [9, 9]
    assert mock.put(version=8).error["code"] == "LOWER_VERSION"


@pytest.mark.parametrize(
    ("interpretation", "current"), [("the lower one is current", "3"), ("the highest one is current", "9")]
)
def test_the_current_version_after_a_lower_one(interpretation: str, current: str) -> None:
    """Q5, B035: the PUT is answered with what was put; both versions are kept with their schemas."""
    interpretations: dict[str, Any] = {"after_lower": interpretation}
    mock = World(interpretations=Interpretations(**interpretations))
    mock.put(version=9, schema={"const": 9})
    put = mock.put(version=3, schema={"const": 3}).json["data"]

    assert (put["version"], put["schema"]) == (3, {"const": 3})
    assert mock.accept(payload=int(current))["a_ve"] == current
    assert [mock.accept(payload=n, version=n)["a_ve"] for n in (3, 9)] == ["3", "9"]


@pytest.mark.parametrize(
    ("interpretations", "alias", "found"),
    [
        ({}, None, ["a"]),
        ({"omitted_aliases": "removed"}, None, []),
        ({}, ["b"], ["b"]),
        ({"updated_aliases": "are added to those before"}, ["b", "a"], ["a", "b"]),
    ],
    ids=str,
)
def test_aliases_of_an_update(interpretations: dict[str, Any], alias: Any, found: list[str]) -> None:
    """S-def: what the list becomes; names that left it reach nothing."""
    mock = world(**interpretations)

    put = mock.put(**({} if alias is None else {"alias": alias}))

    assert put.json["data"]["alias"] == found
    for name in ("a", "b"):
        reply = mock.call("POST", f"/v1/ingress/{name}", {"payload": 1})
        assert reply.status == (200 if name in found else 400)


def test_an_alias_is_taken_over() -> None:
    """C5: the definition that had it loses it, and keeps its version."""
    mock = world(taken_alias="taken over")
    mock.put(alias=["a", "b"], schema=1)
    other = mock.put("other", alias=["a"]).json["data"]

    assert mock.accept("a")["a_def_id"] == other["id"]
    assert mock.put(schema=1).json["data"]["alias"] == ["b"]
    assert mock.accept("b")["a_ve"] == "2"


# Signals


def test_a_second_ack_is_accepted() -> None:
    """Q3: from any client; other signals are refused."""
    mock = world(second_ack="accepted")
    acked, failed = mock.accept()["a_id"], mock.accept()["a_id"]
    mock.signal("ack", acked)
    mock.signal("nack", failed, terms={"retry": False})
    before = mock.record(acked)

    assert mock.signal("ack", acked) == (200, "")
    assert mock.record(acked) == before
    assert mock.signal("ack", acked, 1) == (409, "FINISHED_ACTION")
    assert mock.signal("ack", failed) == (409, "FINISHED_ACTION")
    assert mock.modack(acked) == (409, "FINISHED_ACTION")


def test_a_nack_after_a_defer_is_accepted_without_effect() -> None:
    """Q7, B143: custody stays; a nack of another attempt is refused."""
    mock = world(nack_after_defer="accepted without effect")
    action = mock.accept()["a_id"]
    mock.signal("defer", action)
    before = mock.record(action)

    assert mock.signal("nack", action, terms={"retry": False}) == (200, "")
    assert mock.record(action) == before
    assert mock.signal("nack", action, 1) == (409, "FUTURE_ATTEMPT")
    assert mock.signal("ack", action) == (200, "")


@pytest.mark.parametrize(("past", "future"), [("409", "409"), ("404", "409"), ("409", "404")])
def test_attempts_that_are_not_the_current_one(past: str, future: str) -> None:
    """Q2, Q4: one that is over, and one that has not begun."""
    mock = world(past_attempt=past, future_attempt=future)
    action = mock.accept()["a_id"]
    mock.clock.advance(60_000)

    assert mock.modack(action, 0) == (int(past), "STALE_ATTEMPT")
    assert mock.signal("ack", action, 2) == (int(future), "FUTURE_ATTEMPT")
    assert mock.modack(action, 1) == (200, "")


def test_noughts_before_an_id_are_overlooked() -> None:
    """B010: in signals and when records are read."""
    mock = world(leading_zeros="overlooked")
    action = mock.accept()["a_id"]

    assert mock.modack(f"00{action}") == (200, "")
    assert mock.record(f"0{action}")["id"] == action
    assert mock.modack("000") == (404, "UNKNOWN_ACTION")


# The control plane


def _put_refusals(mock: World) -> list[Reply]:
    return [
        mock.put("other", alias=["a"]),
        mock.put(version=-1),
        mock.call("PUT", PUT, b"{"),
        mock.call("PUT", PUT, {"variant": 1, "schema": {}}),
        mock.call("GET", "/v1/orgs/42/actions/records/7"),
    ]


def test_the_control_plane_refuses_with_200_and_data_null() -> None:
    """Q1, C17: what an operation refuses; a missing key and an unknown path keep HTTP's own statuses."""
    mock = world(refusal="200 with data null")

    assert [reply.status for reply in _put_refusals(mock)] == [200] * 5
    assert [reply.error["code"] for reply in _put_refusals(mock)][:2] == ["ALIAS_TAKEN", "NEGATIVE_VERSION"]
    assert mock.call("PUT", PUT, {}, key="no-such-key").status == 401
    assert mock.call("PUT", PUT, {}, key="org-41").status == 403
    assert mock.call("GET", "/nowhere").status == 404
    assert mock.call("POST", "/v1/ingress/%FF", {"payload": 1}).status == 400
    assert refused(mock, {"payload": 1}, "unknown") == "UNKNOWN_VARIANT"


@pytest.mark.parametrize("status", ["403", "404", "401"])
def test_another_organisations_path(status: str) -> None:
    """Q10: the status of the refusal."""
    mock = world(foreign_path=status)

    reply = mock.put(key="org-41")

    assert (reply.status, reply.error["code"]) == (int(status), "FORBIDDEN_ORGANISATION")
