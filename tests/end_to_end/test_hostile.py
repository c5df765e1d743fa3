"""Large bodies and hostile schemas over a real socket: they get the same verdicts, and delay no other request."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import started
from tests.running_mock import JSON, KEY, PUT, RunningMock, mock

SIZES = [60_000, 70_000, 160_000, 300_000, 2_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_payload_of_any_size_is_held_to_its_schema(served: RunningMock, size: int) -> None:
    """Whether it is parsed and checked in the server or in a worker process, verdict and message are the same."""
    served.put("sized", schema={"type": "object", "required": ["order_id"]})

    good = served.accept("sized", payload={"order_id": "x" * size})
    bad = served.accept("sized", payload={"other": "x" * size})

    assert good.status == 200
    assert bad.error["code"] == "PAYLOAD_REJECTED"
    assert bad.error["message"].startswith("body/payload: expected a member 'order_id', got ")


@pytest.mark.parametrize("size", SIZES)
def test_a_definition_of_any_size_is_enforced_and_comes_back_equal(served: RunningMock, size: int) -> None:
    """A PUT that a worker process parses is like any other; the same PUT again changes nothing."""
    schema = {"required": ["z"], "description": "x" * size}

    replies = [served.put(f"large{size}", schema=schema) for _ in range(2)]

    assert replies[0].headers["x-arklow-mock-schema"] == "enforced"
    assert replies[0].json["data"]["schema"] == schema
    assert replies[0].body == replies[1].body
    assert served.accept(f"large{size}", payload={}).error["code"] == "PAYLOAD_REJECTED"


def test_a_large_put_with_a_small_schema_is_enforced(served: RunningMock) -> None:
    """Another member may be the large one."""
    reply = served.put("wide", schema={"required": ["z"]}, alias=["x" * 70_000])

    assert reply.headers["x-arklow-mock-schema"] == "enforced"
    assert served.accept("wide", payload={}).error["code"] == "PAYLOAD_REJECTED"


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
def test_a_large_body_is_read_as_strictly_as_a_small_one(served: RunningMock, body: bytes, code: str) -> None:
    """The message stays short, however deep the place is."""
    served.put("open")

    reply = served.call("POST", "/v1/ingress/open", body)

    assert (reply.status, "" if reply.status == 200 else reply.error["code"]) == (400 if code else 200, code)
    assert len(reply.body) < 1_000


def _doubling(levels: int) -> dict[str, Any]:
    chain: dict[str, Any] = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(levels)}
    return chain | {f"l{levels}": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"$defs": _doubling(28), "$ref": "#/$defs/l0"}, "x"),
        ({"$defs": {"%6C0": {}} | _doubling(28), "$ref": "#/$defs/%6C0"}, "x"),
        (
            {"$defs": _doubling(28), "properties": {"definitions": {"$ref": "#/$defs/l0"}}},
            {"definitions": "x"},
        ),
        ({"$defs": _doubling(28), "properties": {"$defs": {"$ref": "#/$defs/l0"}}}, {"$defs": "x"}),
        ({"$defs": _doubling(9), "anyOf": [{"items": {"$ref": "#/$defs/l0"}}]}, ["x"] * 60),
        ({"pattern": r"^(?=a)(a+)+\1$"}, "a" * 400 + "b"),
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
    served: RunningMock, schema: Any, payload: Any
) -> None:
    """A second client is answered all the while, many times over."""
    served.put("hostile", schema=schema)
    answered = 0
    refused: list[str] = []
    attack = threading.Thread(
        target=lambda: refused.append(served.accept("hostile", payload=payload).error["code"])
    )

    started = time.perf_counter()
    attack.start()
    longest, last = 0.0, started
    while attack.is_alive():
        answered += served.call("GET", "/openapi.json", headers={}).status == 200
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    whole = time.perf_counter() - started

    assert refused[0] in ("PAYLOAD_UNDECIDED", "PAYLOAD_REJECTED")
    assert answered >= 10 or whole < 10 * longest
    assert whole < 1 or longest < whole / 5


def test_an_honest_schema_is_enforced_though_the_workers_are_busy(served: RunningMock) -> None:
    """A schema that could not be compiled while the workers were busy is tried again."""
    served.put("hog", schema={"$defs": _doubling(32), "$ref": "#/$defs/l0"})
    hogs = [threading.Thread(target=served.accept, args=("hog",), kwargs={"payload": "x"}) for _ in range(4)]
    for hog in hogs:
        hog.start()

    served.put("honest", schema={"type": "array", "items": {"$ref": "#"}})

    for hog in hogs:
        hog.join()
    assert served.accept("honest", payload=[1]).error["code"] == "PAYLOAD_REJECTED"
    assert served.accept("honest", payload=[[]]).status == 200


@pytest.fixture
def unread() -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "mock_server",
        "--port",
        "0",
        "--ingress-port",
        "0",
        "--auto-define",
        "--no-admin",
    ]
    with started(command) as process:
        yield process


def test_a_log_that_is_not_read_delays_no_request(unread: subprocess.Popen[str]) -> None:
    """Test harnesses open a pipe and forget to read it."""
    import http.client
    import re

    assert unread.stdout is not None
    start = ""
    while "Ready." not in start:
        start += unread.stdout.readline()
    port = int(re.findall(r"localhost:(\d+)", start)[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    for _ in range(4_000):
        connection.request("POST", "/v1/ingress/v", b'{"payload":1}', KEY | JSON)
        reply = connection.getresponse()
        reply.read()

    assert reply.status == 200
    connection.close()
    unread.terminate()
    assert unread.wait(timeout=20) == 0


def test_killed_workers_are_replaced() -> None:
    """When memory runs out the system kills the largest process, which is a worker; the next request gets a new one."""
    import os
    import signal

    with mock("--auto-define") as running:
        large = {"payload": "x" * 100_000}
        for _ in range(3):
            assert running.call("POST", "/v1/ingress/v", large).status == 200
            children = subprocess.run(
                ["pgrep", "-f", "-P", str(running.process.pid), "spawn_main"], capture_output=True, text=True
            ).stdout
            for child in map(int, children.split()):
                os.kill(child, signal.SIGKILL)
            time.sleep(1)

        assert running.call("POST", "/v1/ingress/v", large).status == 200
        assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-40:])


@pytest.mark.parametrize(
    "offer",
    [
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEA",
        "connection: upgrade\r\nupgrade: websocket",
    ],
)
def test_an_offer_to_upgrade_is_declined_by_answering(served: RunningMock, offer: str) -> None:
    """RFC 9110 §7.8: a server may ignore it. The body is read, and the connection goes on."""
    import socket

    from tests.replies import read_reply

    served.put("upgrade")
    head = f"POST /v1/ingress/upgrade HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\n{offer}\r\ncontent-length: 13\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        for pause in (0, 0.05, 0):
            connection.sendall(head + (b"" if pause else b'{"payload":1}'))
            if pause:
                time.sleep(pause)
                connection.sendall(b'{"payload":1}')
            assert read_reply(connection).status == 200


def test_an_offer_on_a_connection_in_use_outlives_the_old_timer(served: RunningMock) -> None:
    """The five seconds of an idle connection end when a new request begins."""
    import socket

    from tests.replies import read_reply

    served.put("upgrade")
    head = "POST /v1/ingress/upgrade HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json"
    offer = "connection: upgrade\r\nupgrade: h2c\r\n"
    body = b'{"payload":1}'
    with socket.create_connection(("127.0.0.1", served.port), 20) as connection:
        connection.sendall(f"{head}\r\ncontent-length: 13\r\n\r\n".encode() + body)
        assert read_reply(connection).status == 200
        time.sleep(3)
        connection.settimeout(20)
        connection.sendall(f"{head}\r\n{offer}content-length: 13\r\n\r\n".encode())
        time.sleep(3)
        connection.sendall(body)

        assert read_reply(connection).status == 200


def test_connections_that_are_reset_leave_no_trace_in_the_log() -> None:
    """A client that leaves in the middle of a body is one line of the log, without a traceback."""
    import socket
    import struct

    with mock() as running:
        head = f"PUT {PUT} HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", running.port)) as connection:
                connection.sendall(head.encode())
                time.sleep(0.01)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert running.put().status == 200
        time.sleep(0.3)

        assert len([line for line in running.lines if "the client closed the connection" in line]) == 20
        assert not [line for line in running.lines if "Traceback" in line or "Exception" in line]
