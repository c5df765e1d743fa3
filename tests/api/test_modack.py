"""POST /v1/modack over the life of a lease (B120 to B136), on a clock that tests move by hand."""

from __future__ import annotations

import pytest

from tests.api.asgi import World

SECOND = 1_000
DAY = 86_400 * SECOND


def _started(**settings: int) -> tuple[World, str]:
    world = World(auto_define=True, **settings)
    return world, world.accept()["a_id"]


def test_the_holder_of_attempt_0_can_extend_at_once() -> None:
    """B122: without a destination the built-in worker holds the lease from the start."""
    world, action = _started()

    assert world.modack(action) == (200, "")


@pytest.mark.parametrize(
    ("at", "status", "code"),
    [(59_999, 200, ""), (60_000, 409, "STALE_ATTEMPT"), (60_001, 409, "STALE_ATTEMPT")],
)
def test_a_lease_of_sixty_seconds_ends_at_its_deadline(at: int, status: int, code: str) -> None:
    """B098, B101, B120: before the deadline the lease is held; at the deadline the next attempt has begun."""
    world, action = _started()
    world.clock.advance(at)

    assert world.modack(action, 0) == (status, code)


def test_after_expiry_the_next_attempt_is_the_authoritative_one() -> None:
    """B101, B120, B126: signals must name it."""
    world, action = _started()
    world.clock.advance(60 * SECOND)

    assert world.modack(action, 2) == (409, "FUTURE_ATTEMPT")
    assert world.modack(action, 0) == (409, "STALE_ATTEMPT")
    assert world.modack(action, 1) == (200, "")


@pytest.mark.parametrize(("at", "status"), [(299_999, 200), (300_000, 409)])
def test_mod_ack_counts_seconds_from_now(at: int, status: int) -> None:
    """B125, B223, Q8: 290 s, asked for after 10 s, end 300 s after acceptance."""
    world, action = _started()
    world.clock.advance(10 * SECOND)
    assert world.modack(action, 0, 290) == (200, "")
    world.clock.advance(at - 10 * SECOND)

    assert world.modack(action, 0)[0] == status


def test_a_shorter_mod_ack_shortens_the_lease() -> None:
    """Q8: counted from now, so one second is one second."""
    world, action = _started()
    world.modack(action, 0, 1)
    world.clock.advance(SECOND)

    assert world.modack(action, 0) == (409, "STALE_ATTEMPT")


def test_unobserved_expiries_are_counted() -> None:
    """After an hour without a request the action is at attempt sixty."""
    world, action = _started()
    world.clock.advance(3_600 * SECOND)

    assert world.modack(action, 59) == (409, "STALE_ATTEMPT")
    assert world.modack(action, 61) == (409, "FUTURE_ATTEMPT")
    assert world.modack(action, 60) == (200, "")


@pytest.mark.parametrize("seconds", [2 * 86_400, 2**63 - 1])
def test_no_extension_outlives_the_action(seconds: int) -> None:
    """B136, Q12: the lifetime of a day is the limit, and at its end the action has failed (B074)."""
    world, action = _started()
    assert world.modack(action, 0, seconds) == (200, "")
    world.clock.advance(DAY - 1)
    assert world.modack(action, 0, seconds) == (200, "")
    world.clock.advance(1)

    assert world.modack(action, 0) == (409, "FINISHED_ACTION")


def test_a_float_that_is_a_whole_number_is_an_integer() -> None:
    """JSON Schema: 0.0 and 60.0 are integers."""
    world, action = _started()

    reply = world.call(
        "POST", "/v1/modack", f'{{"action_record_id":"{action}","attempt":0.0,"mod_ack":6e1}}'.encode()
    )

    assert reply.json == {"data": {"status": "ok"}}


def test_a_definitions_id_is_no_action() -> None:
    """B133: ids of other things are unknown."""
    world = World()
    definition = world.put().json["data"]["id"]

    assert world.modack(definition) == (404, "UNKNOWN_ACTION")


def test_memory_is_bounded_over_all_organisations_and_says_what_it_dropped() -> None:
    """The oldest actions are dropped first; a request for one of them is told so."""
    world, first = _started(max_actions=3)
    kept = [world.accept(key=key)["a_id"] for key in ("org-42", "org-7", "org-42")]

    assert world.modack(first) == (404, "DROPPED_ACTION")
    assert world.modack(kept[0]) == (200, "")
    assert world.modack(kept[1], key="org-7") == (200, "")


def test_payload_bytes_are_bounded_too() -> None:
    """A limit of the count alone would not limit memory; the newest action is never dropped."""
    world, _ = _started(max_payload_bytes=1_000)
    large = [world.accept(payload="x" * 600)["a_id"] for _ in range(2)]
    huge = world.accept(payload="x" * 2_000)["a_id"]

    assert world.modack(large[0]) == (404, "DROPPED_ACTION")
    assert world.modack(large[1]) == (404, "DROPPED_ACTION")
    assert world.modack(huge) == (200, "")


def test_a_line_is_logged_for_each_request() -> None:
    """It has status, operation, organisation and time, and of a refusal place and reason; never a key."""
    world, action = _started()
    world.modack(action, 9)
    world.call("POST", "/v1/modack", {}, key="se\u00e9cret")
    world.call("GET", "/no%0Ape\x1b")

    accepted, refused, anonymous, lost = world.log
    assert accepted.startswith("200 createIngressVariantAction  org 42  ")
    assert refused.startswith("409 modAckIngressAction  org 42  ")
    assert "FUTURE_ATTEMPT body/attempt: expected 0" in refused
    assert anonymous.startswith("401 modAckIngressAction  -  ")
    assert "cret" not in anonymous
    assert lost.startswith("404 GET /no%0Ape")
    assert "\x1b" not in lost
