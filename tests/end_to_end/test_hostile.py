"""Large bodies, hostile schemas and odd clients: they get the same verdicts as others, and delay no other request."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.processes import is_gone, started
from tests.replies import read_reply
from tests.running_mock import JSON, KEY, PUT, Connected, Mock, MockProcess, mock
from tests.still_mock import StillMock
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module", params=["in memory", pytest.param("over sockets", marks=pytest.mark.slow)])
def either(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock in this process that does long work at once, and for the slow lane one with processes beside it."""
    if request.param == "in memory":
        with StillMock() as still:
            yield still
    else:
        yield request.getfixturevalue("running")


@pytest.fixture(scope="module")
def running() -> Iterator[MockProcess]:
    """A mock as a process of its own."""
    with mock() as process:
        yield process


SIZES = [60_000, 70_000, 160_000, 300_000, 2_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_payload_of_any_size_is_held_to_its_schema(either: Mock, size: int) -> None:
    """Whether it is parsed and checked in the server or in a worker process, verdict and message are the same."""
    either.put("sized", schema={"type": "object", "required": ["order_id"]})

    good = either.accept("sized", payload={"order_id": "x" * size})
    bad = either.accept("sized", payload={"other": "x" * size})

    assert good.status == 200
    assert bad.error["code"] == "PAYLOAD_REJECTED"
    assert bad.error["message"].startswith("body/payload: expected a member 'order_id', got ")


@pytest.mark.parametrize("size", SIZES)
def test_a_definition_of_any_size_is_enforced_and_comes_back_equal(either: Mock, size: int) -> None:
    """A PUT that a worker process parses is like any other; the same PUT again changes nothing."""
    schema = {"required": ["z"], "description": "x" * size}

    replies = [either.put(f"large{size}", schema=schema) for _ in range(2)]

    assert replies[0].headers["x-arklow-mock-schema"] == "enforced"
    assert replies[0].json["data"]["schema"] == schema
    assert replies[0].body == replies[1].body
    assert either.accept(f"large{size}", payload={}).error["code"] == "PAYLOAD_REJECTED"


def test_a_large_put_with_a_small_schema_is_enforced(either: Mock) -> None:
    """Another member may be the large one."""
    reply = either.put("wide", schema={"required": ["z"]}, alias=["x" * 70_000])

    assert reply.headers["x-arklow-mock-schema"] == "enforced"
    assert either.accept("wide", payload={}).error["code"] == "PAYLOAD_REJECTED"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"payload":"' + b"x" * 70_000 + b'","deep":' + b"[" * 498 + b"]" * 498 + b"}", ""),
        (b'{"payload":[' + b"0," * 50_000 + b'{"a":1,"a":2}]}', "DUPLICATE_KEY"),
        (b'{"payload":[' + b"0," * 50_000 + b"NaN]}", "NOT_A_NUMBER"),
        (b'{"payload":[' + b"0," * 50_000 + b'"\\ud800"]}', "LONE_SURROGATE"),
        (b'{"payload":[' + b"0," * 50_000, "MALFORMED_JSON"),
        (b"[" + b"0," * 50_000 + b"0]", "INVALID_BODY"),
        (b'{"payload":1,"tags":{"n":1},"x":"' + b"x" * 70_000 + b'"}', "INVALID_BODY"),
        (b'{"payload":' + b'{"' + b"k" * 78 + b'":' * 1 + (b'{"' + b"k" * 78 + b'":') * 480 + b"[" + b"0," * 9_000 + b"NaN]" + b"}" * 482, "NOT_A_NUMBER"),
        (b'"' + b'\\"' * 30_000 + b"[" * 501, "MALFORMED_JSON"),
    ],
    ids=["deep unknown", "duplicate", "NaN", "surrogate", "cut off", "no object", "tags", "long path", "open string"],
)  # fmt: skip
def test_a_large_body_is_read_as_strictly_as_a_small_one(either: Mock, body: bytes, code: str) -> None:
    """The message stays short, however deep the place is."""
    either.put("open")

    reply = either.call("POST", "/v1/ingress/open", body)

    assert (reply.status, "" if reply.status == 200 else reply.error["code"]) == (400 if code else 200, code)
    assert len(reply.body) < 1_000


def _doubling(levels: int) -> dict[str, Any]:
    chain: dict[str, Any] = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(levels)}
    return chain | {f"l{levels}": {"type": "integer"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "payload", "lasts"),
    [
        ({"$defs": _doubling(28), "$ref": "#/$defs/l0"}, "x", True),
        ({"$defs": {"%6C0": {}} | _doubling(28), "$ref": "#/$defs/%6C0"}, "x", True),
        (
            {"$defs": _doubling(28), "properties": {"definitions": {"$ref": "#/$defs/l0"}}},
            {"definitions": "x"},
            True,
        ),
        ({"$defs": _doubling(28), "properties": {"$defs": {"$ref": "#/$defs/l0"}}}, {"$defs": "x"}, True),
        ({"$defs": _doubling(9), "anyOf": [{"items": {"$ref": "#/$defs/l0"}}]}, ["x"] * 60, True),
        ({"pattern": r"^(?=a)(a+)+\1$"}, "a" * 400 + "b", False),
    ],
    ids=[
        "doubling",
        "percent",
        "a member named definitions",
        "a member named $defs",
        "many reasons",
        "atomic",
    ],
)
def test_a_hostile_schema_refuses_its_own_payload_and_delays_no_other_client(
    running: MockProcess, schema: Any, payload: Any, lasts: bool
) -> None:
    """A second client is answered again and again before the first one is refused."""
    running.put("hostile", schema=schema)
    answered = 0
    with ThreadPoolExecutor(1) as pool:
        attack = pool.submit(running.accept, "hostile", payload=payload)
        while not attack.done():
            answered += running.call("GET", "/nowhere", headers={}).status == 404
        refused = attack.result()

    assert refused.error["code"] in ("PAYLOAD_UNDECIDED", "PAYLOAD_REJECTED")
    assert answered >= 10 or not lasts


@pytest.mark.slow
def test_an_honest_schema_is_enforced_though_the_workers_are_busy(running: MockProcess) -> None:
    """A schema that could not be compiled while the workers were busy is tried again."""
    running.put("hog", schema={"$defs": _doubling(32), "$ref": "#/$defs/l0"})
    with ThreadPoolExecutor(4) as pool:
        hogs = [pool.submit(running.accept, "hog", payload="x") for _ in range(4)]
        running.put("honest", schema={"type": "array", "items": {"$ref": "#"}})

    assert {hog.result().status for hog in hogs} == {400}
    assert running.accept("honest", payload=[1]).error["code"] == "PAYLOAD_REJECTED"
    assert running.accept("honest", payload=[[]]).status == 200


@pytest.fixture
def unread() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--ingress-port", "0", "--auto-define"]
    with started([*command, "--no-admin"]) as process:
        yield process


@pytest.mark.slow
def test_a_log_that_is_not_read_delays_no_request(unread: subprocess.Popen[str]) -> None:
    """Test harnesses open a pipe and forget to read it."""
    assert unread.stdout is not None
    start = ""
    while "Ready." not in start:
        start += unread.stdout.readline()
    port = int(re.findall(r"localhost:(\d+)", start)[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    for _ in range(4_000):
        connection.request("POST", "/v1/ingress/v", b'{"payload":1}', KEY | JSON)
        reply = connection.getresponse()
        reply.read()

    assert reply.status == 200
    connection.close()
    unread.terminate()
    assert unread.wait(timeout=PATIENCE) == 0


BUSY = 4 * PATIENCE
"""Seconds: a worker has a low priority, so a new one begins late on a machine whose cores are all taken."""


@pytest.mark.slow
def test_killed_workers_are_replaced() -> None:
    """When memory runs out the system kills the largest process, which is a worker; requests soon get a new one."""
    with mock("--auto-define") as running:
        large = {"payload": "x" * 100_000}
        for _ in range(3):
            wait_until(lambda: running.call("POST", "/v1/ingress/v", large).status == 200, within=BUSY)
            children = subprocess.run(
                ["pgrep", "-f", "-P", str(running.process.pid), "spawn_main"], capture_output=True, text=True
            ).stdout
            for child in map(int, children.split()):
                os.kill(child, signal.SIGKILL)
                wait_until(partial(is_gone, child))

        wait_until(lambda: running.call("POST", "/v1/ingress/v", large).status == 200, within=BUSY)
        assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-40:])


def pause(connection: Connected, seconds: float) -> None:
    """Let so many seconds pass in which nothing comes."""
    connection.settimeout(seconds)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(PATIENCE)


HEAD = "POST /v1/ingress/upgrade HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\n"
BODY = b'{"payload":1}'


@pytest.mark.parametrize(
    "offer",
    [
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEA",
        "connection: upgrade\r\nupgrade: websocket",
    ],
)
def test_an_offer_to_upgrade_is_declined_by_answering(either: Mock, offer: str) -> None:
    """RFC 9110 §7.8: a server may ignore it. The body is read, and the connection goes on."""
    either.put("upgrade")
    head = f"{HEAD}{offer}\r\ncontent-length: 13\r\n\r\n".encode()
    with either.connect() as connection:
        for in_two_parts in (False, True, False):
            if in_two_parts:
                connection.sendall(head)
                pause(connection, 0.05)
                connection.sendall(BODY)
            else:
                connection.sendall(head + BODY)
            assert read_reply(connection).status == 200


def test_an_offer_on_a_connection_in_use_outlives_the_old_timer(either: Mock) -> None:
    """The five seconds of an idle connection end when a new request begins."""
    either.put("upgrade")
    offer = "connection: upgrade\r\nupgrade: h2c\r\n"
    with either.connect() as connection:
        connection.sendall(f"{HEAD}content-length: 13\r\n\r\n".encode() + BODY)
        assert read_reply(connection).status == 200
        pause(connection, 3)
        connection.sendall(f"{HEAD}{offer}content-length: 13\r\n\r\n".encode())
        pause(connection, 3)
        connection.sendall(BODY)

        assert read_reply(connection).status == 200


LEFT = f"PUT {PUT} HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
"""A request whose client leaves in the middle of the body."""


def complaints(target: Mock) -> tuple[int, list[str]]:
    """Return how often the log says that a client left, and what it says of failures."""
    left = [line for line in target.lines if "the client closed the connection" in line]
    return len(left), [line for line in target.lines if "Traceback" in line or "Exception" in line]


def test_connections_that_end_early_are_a_line_of_the_log() -> None:
    """A client that leaves in the middle of a body is one line of the log, without a traceback."""
    with StillMock() as still:
        for _ in range(20):
            connection = still.connect()
            connection.sendall(LEFT.encode())
            pause(connection, 0.01)
            connection.close()
        assert still.put().status == 200

        assert complaints(still) == (20, [])


@pytest.mark.slow
def test_connections_that_are_reset_leave_no_trace_in_the_log() -> None:
    """Likewise where the connection is reset."""
    with mock() as running:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", running.port)) as connection:
                connection.sendall(LEFT.encode())
                pause(connection, 0.01)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert running.put().status == 200

        wait_until(lambda: complaints(running)[0] == 20)
        assert complaints(running) == (20, [])
