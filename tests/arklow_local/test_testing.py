"""What the fixture `arklow` gives to a test: one organisation of a running mock."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

import pytest

from arklow_local.process import Mock
from arklow_local.pytest_fixture import organisation_of
from arklow_local.testing import (
    Arklow,
    Connection,
    Connections,
    Refused,
    describe_entry,
)
from tests.running_mock import RunningMock, mock_here
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def connections() -> Iterator[Connections]:
    """Connections to a mock of this module."""
    with mock_here() as running:
        made = Connections(known(running))
        yield made
        made.close()


@pytest.fixture
def arklow(connections: Connections, request: pytest.FixtureRequest) -> Arklow:
    """An organisation of its own, as the fixture of the wheel makes it."""
    return connections.organisation(organisation_of(request.node.nodeid))


def known(running: RunningMock) -> Mock:
    """The mock as its ready file would describe it."""
    return Mock(
        pid=os.getpid(),
        base_url=f"http://localhost:{running.port}",
        ingress_url=f"http://localhost:{running.ingress_port}",
        admin_url=f"http://localhost:{running.admin_port}",
        admin_token=running.admin_token,
        document=f"http://localhost:{running.port}/openapi.json",
    )


def accepted(arklow: Arklow, variant: str = "order.created") -> str:
    """The id of an action of a fresh definition."""
    path = f"/v1/orgs/{arklow.org}/actions/definitions"
    assert arklow.call("PUT", path, {"variant": variant, "schema": {}}).status == 200
    return str(arklow.call("POST", f"/v1/ingress/{variant}", {"payload": 1}).data["a_id"])


def test_a_call_has_the_key_of_its_organisation_and_a_refusal_is_an_answer(arklow: Arklow) -> None:
    """Status, headers and body; `data` is for successes alone."""
    refused = arklow.call("POST", "/v1/ingress/unknown", {"payload": 1})

    assert arklow.headers == {"x-arklow-auth": f"org-{arklow.org}"} == {"x-arklow-auth": arklow.key}
    assert refused.status == 400
    assert refused.headers["content-type"] == "application/json"
    assert refused.json()["errors"][0]["code"] == "UNKNOWN_VARIANT"
    with pytest.raises(AssertionError, match=r"expected a success, got 400: .*UNKNOWN_VARIANT"):
        _ = refused.data
    other = arklow.call("GET", "/v1/orgs/1/actions/records?limit=1", headers={"x-arklow-auth": "dev-key"})
    assert other.status == 200


def test_a_clock_is_frozen_runs_and_is_advanced(arklow: Arklow) -> None:
    """To a text or a datetime with a zone; what falls due on the way is run and counted."""
    arklow.clock.freeze("2030-01-01T12:00:00Z")
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    accepted(arklow)

    assert arklow.clock.now == noon
    assert arklow.clock.advance(60) == 1  # the lease of an attempt that the worker holds
    arklow.clock.advance(timedelta(minutes=1))
    assert arklow.clock.now == noon + timedelta(minutes=2)
    arklow.clock.advance(to=noon + timedelta(hours=1))
    assert arklow.clock.now == noon + timedelta(hours=1)
    arklow.clock.set("2031-01-01T00:00:00+01:00")
    assert timedelta() <= arklow.clock.now - datetime(2030, 12, 31, 23, tzinfo=UTC) < timedelta(minutes=1)
    arklow.clock.freeze()
    assert arklow.clock.now == arklow.clock.now
    with pytest.raises(ValueError, match="expected a time with a time zone, got"):
        arklow.clock.freeze(datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(Refused, match=r"PUT /organisations/\d+/clock: 409 CLOCK_GOES_BACK "):
        arklow.clock.freeze("2030-01-01T12:00:00Z")


def test_a_journal_lists_all_entries_one_kind_or_one_action(arklow: Arklow) -> None:
    """In pages, which the caller does not see."""
    ids = [accepted(arklow), accepted(arklow)]
    for _ in range(500):
        assert arklow.call("POST", "/v1/ingress/order.created", {"payload": 1}).status == 200
    entries = arklow.journal.entries()

    assert len(entries) > 1_000
    assert (
        [entry["number"] for entry in entries]
        == list(range(1, len(entries) + 1))
        == [entry["number"] for entry in arklow.journal]
    )
    assert {entry["kind"] for entry in arklow.journal.entries("request")} == {"request"}
    mine = arklow.journal.entries("transition", action=ids[0])
    assert {entry["action_record_id"] for entry in mine} == {ids[0]}
    assert arklow.journal.last(3) == entries[-3:]


def test_a_worker_does_what_its_script_says(arklow: Arklow) -> None:
    """A script for a variant, and one for all others."""
    arklow.worker({"order.created": "ack"}, default="wait")
    ids = [accepted(arklow, variant) for variant in ("order.created", "order.closed")]

    ends = [arklow.journal.entries("transition", action=one)[-1]["status"] for one in ids]
    assert ends == ["succeeded", "dispatch_wait"]
    with pytest.raises(Refused, match="400 INVALID_BODY body/variants/x"):
        arklow.worker({"x": "dance"})


def test_a_reset_makes_all_new_with_another_seed_or_a_frozen_clock(arklow: Arklow) -> None:
    """With the same seed ids are the same again."""
    first = accepted(arklow)
    arklow.reset(seed=7, frozen_at="2030-01-01T12:00:00Z")
    second = accepted(arklow)
    arklow.reset(seed=7)

    assert second != first
    assert accepted(arklow) == second


def test_organisations_that_tests_have_left_are_deleted_soon_and_are_empty_for_the_next_test(
    connections: Connections,
) -> None:
    """Ten thousand tests do not fill the mock; a test that is run again begins anew."""
    tests = [connections.organisation(organisation_of(f"left {n}")) for n in range(30)]
    for arklow in tests:
        accepted(arklow)
        arklow.admin("PUT", "/snapshots/before")
        connections.leave(arklow)
    contents = [(one["definitions"], one["actions"]["kept"], one["snapshots"]) for one in map(state, tests)]
    again = connections.organisation(tests[-1].org)

    assert contents == [(0, 0, [])] * 25 + [(1, 1, ["before"])] * 5
    assert [entry["name"] for entry in again.journal] == ["reset"]


def state(arklow: Arklow) -> Any:
    """What the admin plane shows of an organisation."""
    return arklow.admin("GET")


def test_connections_are_reused_but_for_one_that_the_mock_has_closed() -> None:
    """A mock closes a connection that is idle for five seconds; no request is sent twice because of it."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    received: list[bytes] = []
    closed = threading.Event()

    def serve() -> None:
        for answers in (2, 1):
            connection, _ = listener.accept()
            with connection:
                for _ in range(answers):
                    received.append(connection.recv(1_000))
                    connection.sendall(answer)
            closed.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        connection = Connection(f"http://127.0.0.1:{listener.getsockname()[1]}")
        statuses = [connection.call("GET", "/", None, {}).status for _ in range(2)]
        assert closed.wait(PATIENCE)
        statuses.append(connection.call("GET", "/", None, {}).status)
        server.join()
        connection.close()

    assert (statuses, len(received)) == ([200] * 3, 3)


def test_an_answer_that_is_cut_off_is_an_error_and_the_next_one_comes(arklow: Arklow) -> None:
    """The caller gets the error of a client; the request is not sent again."""
    accepted(arklow)
    arklow.admin("POST", "/faults", {"times": 1, "cut": "reset"})

    with pytest.raises((OSError, HTTPException)):
        arklow.call("POST", "/v1/ingress/order.created", {"payload": 1})
    assert arklow.call("POST", "/v1/ingress/order.created", {"payload": 1}).status == 200


def test_every_kind_of_entry_is_a_line(arklow: Arklow) -> None:
    """Of 200 characters at most."""
    accepted(arklow)
    hook = {"label": "hook", "type": "default_sink", "config": {}}
    arklow.admin("PUT", "/destinations", hook)
    arklow.admin("PUT", "/links", {"variant": "order.created", "destinations": ["hook"]})
    arklow.call("POST", "/v1/ingress/order.created", {"payload": "x" * 500})
    lines = {entry["kind"]: describe_entry(entry) for entry in arklow.journal}

    assert lines.keys() == {"request", "transition", "command", "delivery"}
    assert max(map(len, lines.values())) == 200
    assert ' request    POST /v1/ingress/order.created {"payload": "xxx' in lines["request"]


def test_a_test_has_its_organisation_in_every_run_and_no_other_test_has_it() -> None:
    """15 digits, which JSON readers keep exactly; a salt sets apart the runs of a test in several workers."""
    numbers = [organisation_of(f"tests/test_{n}.py::test") for n in range(10_000)]

    assert len({*numbers, organisation_of("tests/test_0.py::test", "gw1")}) == 10_001
    assert {len(number) for number in numbers} == {15}
    assert organisation_of("tests/test_shop.py::test_order[a]") == "889875807215177"
