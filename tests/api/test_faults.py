"""Answers with an injected fault, planned by the admin plane or asked for by the request itself (FAULT-1 to FAULT-9)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_server.api.faults import requested
from mock_server.domain.faults import Cut, Fault
from mock_server.domain.journal import ExchangeEntry
from tests.api.asgi import World
from tests.replies import Reply
from tests.running_mock import PUT

MARK = "x-arklow-mock-fault"
INGRESS = "createIngressVariantAction"
RECORDS = "/v1/orgs/42/actions/records"


def _world(*faults: Fault) -> World:
    world = World(auto_define=True)
    for fault in faults:
        world.app.faults.add("42", fault)
    return world


def _post(world: World, query: str = "", body: object = None, **headers: str) -> Reply:
    return world.call("POST", f"/v1/ingress/v{query}", body or {"payload": 1}, headers=headers)


def _kept(world: World) -> int:
    """Return the number of actions that organisation 42 keeps."""
    return int(world.app.administration.organisation("42").action_table.count)


def _exchanges(world: World) -> list[ExchangeEntry]:
    journal = world.app.administration.organisation("42").journal
    return [entry for entry in journal.entries() if isinstance(entry, ExchangeEntry)]


def test_an_answer_is_replaced_and_nothing_happens() -> None:
    """FAULT-1, FAULT-5: the answer has the documented envelope and a mark; the next one is ordinary."""
    world = _world(Fault(INGRESS, times=1, status=503, code="OVERLOADED", message="not now", retry_after=7))

    replies = [_post(world), _post(world)]

    assert (replies[0].status, replies[0].error) == (503, {"code": "OVERLOADED", "message": "not now"})
    assert replies[0].headers[MARK] == "1"
    assert replies[0].headers["retry-after"] == "7"
    assert replies[0].headers["access-control-expose-headers"] == "*"
    assert (replies[1].status, MARK in replies[1].headers) == (200, False)
    assert _kept(world) == 1


def test_a_fault_hits_one_operation_of_one_organisation() -> None:
    """FAULT-1: answers of other operations and of other organisations are ordinary."""
    world = _world(Fault("modAckIngressAction", status=409))
    action = world.accept()["a_id"]
    other = world.accept(key="org-7")["a_id"]

    assert world.modack(action) == (409, "INJECTED")
    assert world.modack(other, key="org-7") == (200, "")
    assert world.signal("ack", action) == (200, "")


@pytest.mark.parametrize("body", [{"payload": 1}, b"{", {"no": "payload"}])
def test_a_request_that_is_not_carried_out_is_not_checked(body: object) -> None:
    """FAULT-5: even an invalid body gets the answer of the fault."""
    world = _world(Fault(status=418))

    assert _post(world, body=body).status == 418


def test_a_request_can_be_carried_out_before_its_answer_is_replaced() -> None:
    """FAULT-5: the client gets a 500, and the work is done."""
    world = _world(Fault(INGRESS, status=500, carried_out=True))

    assert _post(world).status == 500
    assert _kept(world) == 1


def test_a_refusal_is_replaced_as_well() -> None:
    """FAULT-5: a refusal by the document, and one by the state of the organisation."""
    world = _world(Fault(status=502, carried_out=True))

    assert [_post(world, body=b"{").status, world.modack("1")] == [502, (502, "INJECTED")]
    assert _exchanges(world)[0].fault == "1"


def test_a_delay_alone_leaves_the_answer_as_it_is() -> None:
    """FAULT-6: the answer is late, marked, and counted as a hit; so is a refusal."""
    world = _world(Fault(INGRESS, times=2, delay=0.05))

    good, bad, third = _post(world), _post(world, body=b"{"), _post(world)

    assert (good.status, good.headers[MARK]) == (200, "1")
    assert (bad.status, bad.headers[MARK], bad.error["code"]) == (400, "1", "MALFORMED_JSON")
    assert MARK not in third.headers
    assert _kept(world) == 2
    assert [exchange.seconds for exchange in _exchanges(world)] == [0.05, 0.05, 0]


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_content_comes_without(status: int) -> None:
    """RFC 9110: the answer has no body, and no `Content-Length` where none is allowed."""
    reply = _post(_world(Fault(status=status)))

    assert (reply.status, reply.body) == (status, b"")
    assert "content-type" not in reply.headers
    assert ("content-length" in reply.headers) == (status == 205)


@pytest.mark.parametrize("status", [200, 299, 302, 418, 451, 599])
def test_an_undocumented_status_is_no_failure_of_the_mock(status: int) -> None:
    """FAULT-5: the answer of a fault is not checked against the document."""
    reply = _post(_world(Fault(status=status)))

    assert (reply.status, reply.error["code"]) == (status, "INJECTED")
    assert reply.error["message"] == "mock: this answer was asked for, by fault 1 of organisation 42"


def test_too_many_requests_always_says_when_to_come_again() -> None:
    """FAULT-5: a 429 has `Retry-After`, of a second unless the fault says otherwise."""
    first, second = _world(Fault(status=429)), _world(Fault(status=429, retry_after=0))

    assert [_post(world).headers["retry-after"] for world in (first, second)] == ["1", "0"]
    assert _post(_world(), "?__code=429").headers["retry-after"] == "1"


def test_a_body_that_never_comes_is_no_hit() -> None:
    """HTTP-2: the request is a 408, and the fault is not used up."""
    world = World(auto_define=True, body_timeout=0.05)
    world.app.faults.add("42", Fault(times=1, status=503))
    key = {"x-arklow-auth": "org-42"}

    for query in ("", "?__code=503"):
        late = world.on_loop(world._call("POST", f"/v1/ingress/v{query}", b"{", key, whole=False))
        assert (late.status, late.error["code"], MARK in late.headers) == (408, "BODY_INCOMPLETE", False)
    assert _post(world).status == 503


def test_a_request_without_a_valid_key_meets_no_fault() -> None:
    """AUTH-7: it is a 401, and the fault is not used up."""
    world = _world(Fault(times=1, status=503))

    for query in ("", "?__code=503"):
        assert world.call("POST", f"/v1/ingress/v{query}", {"payload": 1}, key="no").status == 401
        assert world.call("PUT", PUT + query, {}, key="org-7").status == 403
    assert _post(world).status == 503


def test_the_log_and_the_journal_tell_it() -> None:
    """FAULT-8: both have the mark, by which the fault is found."""
    world = _world(Fault(times=1, status=409, code="STALE_ATTEMPT", message="m"))
    _post(world)
    _post(world, "?__code=500")
    _post(world)

    assert [(e.status, e.fault) for e in _exchanges(world)] == [(409, "1"), (500, "prefer"), (200, "")]
    assert _exchanges(world)[0].body == b'{"payload": 1}'
    assert json.loads(_exchanges(world)[0].answer)["errors"][0]["code"] == "STALE_ATTEMPT"
    assert world.log[0].startswith(f"409 {INGRESS}  org 42  ")
    assert world.log[0].endswith(" ms  fault 1  STALE_ATTEMPT m")
    assert " ms  fault prefer  INJECTED " in world.log[1]
    assert world.log[2].endswith(" ms")


@pytest.mark.parametrize(
    ("prefer", "status", "applied"),
    [
        ("code=409", 409, "code=409"),
        ("code=409, delay=0.01", 409, "code=409, delay=0.01"),
        ("delay=0,code=409", 409, "code=409, delay=0"),
        ('CODE = "409"', 409, "code=409"),
        ('code="4\\09"', 409, "code=409"),
        ('respond-async, wait=10, foo="a,code=500,\\"", code=409;x=y; delay=9', 409, "code=409"),
        ("code=409, code=500", 409, "code=409"),
        ("code=204", 204, "code=204"),
        ("delay=0.01", 200, "delay=0.01"),
        ("return=minimal", 200, None),
        ("xcode=500, code-x=500", 200, None),
        ("", 200, None),
        (",, ;=", 200, None),
    ],
)
def test_a_request_can_ask_for_a_fault_by_header(prefer: str, status: int, applied: str | None) -> None:
    """FAULT-7, RFC 7240: of one name the first preference counts; unknown preferences and parameters are ignored."""
    reply = _post(_world(), prefer=prefer)

    assert (reply.status, reply.headers.get("preference-applied")) == (status, applied)
    assert reply.headers.get(MARK) == (None if applied is None else "prefer")


def test_several_lines_of_the_header_are_one_list() -> None:
    """RFC 9110 §5.3: their preferences count as if they stood in one line."""
    lines = [(b"prefer", b"delay=1"), (b"x", b"y"), (b"prefer", b"code=409"), (b"prefer", b"code=500")]

    assert requested(lines, b"") == (
        Fault(status=409, delay=1),
        ((b"preference-applied", b"code=409, delay=1"),),
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?__code=409", 409),
        ("?__code=409&__delay=0.01", 409),
        ("?%5F%5Fcode=409", 409),
        ("?_%5fdel%61y=0", 200),
        ("?__code=500&__code=409", 409),
        ("?tag.a=b&__delay=0&tag.__code=500", 200),
    ],
)
def test_a_request_can_ask_for_a_fault_by_query(query: str, status: int) -> None:
    """FAULT-7: for clients that cannot set headers; there is no `Preference-Applied`, as there is no preference."""
    reply = _post(_world(), query)

    assert (reply.status, reply.headers[MARK]) == (status, "prefer")
    assert "preference-applied" not in reply.headers


def test_a_parameter_goes_before_a_preference() -> None:
    """FAULT-7: for status and delay separately."""
    reply = _post(_world(), "?__code=409", prefer="code=500, delay=0")

    assert (reply.status, reply.headers["preference-applied"]) == (409, "delay=0")


def test_what_the_query_asks_of_the_mock_reaches_no_operation() -> None:
    """FAULT-7: the parameters are no tags of work, and a list ignores them."""
    world = _world()
    action = world.accept(query="?__delay=0&tag.a=b")["a_id"]

    assert world.record(action)["tags"] == {"a": "b"}
    assert world.call("GET", f"{RECORDS}?__delay=0&take=1").json["data"]["count"] == 1


@pytest.mark.parametrize(
    ("query", "headers", "message"),
    [
        ("?__code=199", {}, "query __code: expected a status from 200 to 599, got '199'"),
        ("?__code=600", {}, "query __code: expected a status from 200 to 599, got '600'"),
        ("?__code=", {}, "query __code: expected a status from 200 to 599, got none"),
        ("?__code=%D9%A4%D9%A0%D9%A9", {}, "query __code: expected a status from 200 to 599, got '٤٠٩'"),
        ("?__delay=300.1", {}, "query __delay: expected seconds from 0 to 300, got '300.1'"),
        ("?__delay=-1", {}, "query __delay: expected seconds from 0 to 300, got '-1'"),
        ("?__delay=1e2", {}, "query __delay: expected seconds from 0 to 300, got '1e2'"),
        ("", {"prefer": "code"}, "header Prefer code: expected a status from 200 to 599, got none"),
        ("", {"prefer": 'code="409'}, "header Prefer code: expected a status from 200 to 599, got '\"409'"),
        (
            "?__code=409",
            {"prefer": "delay=nan"},
            "header Prefer delay: expected seconds from 0 to 300, got 'nan'",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused(query: str, headers: dict[str, str], message: str) -> None:
    """FAULT-7: the message names the place and what is allowed; nothing is carried out."""
    world = _world()
    reply = _post(world, query, **headers)

    assert (reply.status, reply.error) == (400, {"code": "INVALID_PARAMETER", "message": message})
    assert _kept(world) == 0


def test_a_requested_fault_goes_before_a_planned_one_and_uses_none_up() -> None:
    """FAULT-7: the planned fault hits the next answer."""
    world = _world(Fault(times=1, status=503))

    assert [_post(world, query).status for query in ("?__code=418", "?__delay=0", "", "")] == [
        418,
        200,
        503,
        200,
    ]


def test_a_page_may_ask_for_a_fault() -> None:
    """A browser's preflight allows the header."""
    world = _world()

    asked = {"origin": "http://localhost:5173", "access-control-request-method": "POST"}
    allowed = world.call("OPTIONS", "/v1/modack", headers=asked).headers["access-control-allow-headers"]
    assert "prefer" in allowed.split(", ")


@pytest.mark.parametrize("cut", [Cut.CLOSE, Cut.RESET])
def test_where_no_connection_can_be_cut_the_answer_says_so(cut: Cut) -> None:
    """Under a server without access to the connection the answer is replaced and marked."""
    reply = _post(_world(Fault(cut=cut)))

    assert (reply.status, reply.error["code"], reply.headers[MARK]) == (500, "INJECTED", "1")


def test_a_reset_removes_all_faults_and_nothing_else_does() -> None:
    """FAULT-9: a snapshot has no faults, and a fork takes none along."""
    world = _world(Fault(status=503))
    world.admin("snapshots.take", "s")
    world.admin("snapshots.restore", "s")
    world.admin("snapshots.fork", "43", "s")
    assert _post(world).status == 503
    assert world.call("POST", "/v1/ingress/v", {"payload": 1}, key="org-43").status == 200

    world.admin("reset")

    assert _post(world).status == 200


def test_the_same_calls_meet_the_same_fault() -> None:
    """LIFE-19: a share hits the same answers each time."""

    def day(seed: int) -> list[int]:
        world = _world()
        world.admin("reset", seed=seed)
        world.app.faults.add("42", Fault(share=0.5, status=503))
        return [_post(world).status for _ in range(40)]

    assert day(1) == day(1) != day(2)
    assert set(day(1)) == {200, 503}


def test_headers_that_are_too_many_or_too_long_are_kept_in_part() -> None:
    """The journal keeps 8,192 bytes of headers."""
    world = _world()
    many: dict[str, Any] = {f"x-{number}": "1" for number in range(200)}
    _post(world, **{"x-long": "x" * 100_000})
    _post(world, **many)

    long, crowded = _exchanges(world)
    kept = dict(long.headers)[b"x-long"]
    assert kept == b"x" * len(kept)
    assert 8_000 < len(kept) <= 8_192
    assert (dict(crowded.headers)[b"x-0"], dict(crowded.headers)[b"x-199"]) == (b"1", b"1")
