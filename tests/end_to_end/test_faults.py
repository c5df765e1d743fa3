"""Injected faults over real sockets: many clients at once, connections that are cut, clients and mocks that end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mock_server.adapters.http_server import _OneWrite
from tests.replies import read_reply
from tests.running_mock import JSON, PUT, RunningMock, mock

UPGRADE = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": ""}
"""With these a request goes through the other one of uvicorn's two protocols."""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningMock]:
    with mock("--auto-define") as served:
        yield served


def admin(served: RunningMock, method: str, path: str, body: object = None) -> Any:
    """Return the data of a command that succeeds."""
    return served.command(method, f"/organisations/{path}", body).data


def request(org: str, path: str, body: object, **headers: str) -> bytes:
    """Make a POST of an organisation, as bytes."""
    content = json.dumps(body).encode()
    sent = {"host": "mock", "x-arklow-auth": f"org-{org}", "content-length": str(len(content))}
    lines = [f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (sent | JSON | headers).items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def all_of(connection: socket.socket) -> tuple[bytes, bool]:
    """Return what comes until the end of a connection, and whether the end was a reset."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except ConnectionResetError:
        return found, True
    return found, False


def sent(served: RunningMock, data: bytes) -> tuple[bytes, bool]:
    """Send bytes; return what comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", served.ingress_port), 10) as connection:
        connection.sendall(data)
        return all_of(connection)


def requests_of(served: RunningMock, org: str) -> list[Any]:
    """Return the requests in the journal of an organisation."""
    entries: list[Any] = admin(served, "GET", f"{org}/journal?kind=request&limit=1000")["entries"]
    return entries


def test_exactly_the_next_three_answers_are_hit(running: RunningMock) -> None:
    """FAULT-2: sixteen clients at once, three organisations, two operations; three modacks of one organisation are hit."""
    orgs = ("421", "422", "423")
    ids = {}
    for org in orgs:
        [reply] = asked(running, request(org, "/v1/ingress/v", {"payload": 1}))
        ids[org] = reply[1]["data"]["a_id"]
    admin(running, "POST", "421/faults", {"operation": "modAckIngressAction", "times": 3, "status": 409})
    together = threading.Barrier(16)

    def client(number: int) -> list[tuple[str, str, int, str]]:
        org = orgs[number % 3]
        found = []
        with socket.create_connection(("127.0.0.1", running.ingress_port), 20) as connection:
            together.wait(20)
            for turn in range(30):
                name = ("modack", "ingress/v")[(turn + number) % 2]
                body = {"action_record_id": ids[org], "attempt": 0, "mod_ack": 60}
                connection.sendall(request(org, f"/v1/{name}", body if name == "modack" else {"payload": 1}))
                reply = read_reply(connection)
                found.append((org, name, reply.status, reply.headers.get("x-arklow-mock-fault", "")))
        return found

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(answer for answers in pool.map(client, range(16)) for answer in answers)

    assert {answer: count for answer, count in answers.items() if answer[2] != 200} == {
        ("421", "modack", 409, "1"): 3
    }
    assert sum(answers.values()) == 16 * 30
    assert len(answers) == 7
    [fault] = admin(running, "GET", "421/faults")["items"]
    assert (fault["hit"], fault["left"]) == (3, 0)


def asked(served: RunningMock, data: bytes) -> list[tuple[int, Any]]:
    """Send bytes; return status and JSON of the one answer."""
    with socket.create_connection(("127.0.0.1", served.ingress_port), 10) as connection:
        connection.sendall(data)
        reply = read_reply(connection)
        return [(reply.status, reply.json)]


@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["httptools", "h11"])
@pytest.mark.parametrize("carried_out", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("cut", ["close", "reset", "half"])
def test_a_connection_is_cut(
    running: RunningMock, cut: str, carried_out: bool, headers: dict[str, str]
) -> None:
    """FAULT-6: in both protocols; a request that is carried out has had its effect, and the journal has all of it."""
    org = "430"
    admin(running, "POST", f"{org}/reset")
    body = {"cut": cut, "times": 1, "carried_out": carried_out}
    admin(running, "POST", f"{org}/faults", body)

    answer, was_reset = sent(running, request(org, "/v1/ingress/v", {"payload": 1}, **headers))

    assert was_reset == (cut == "reset")
    assert admin(running, "GET", org)["actions"]["kept"] == int(carried_out)
    [entry] = requests_of(running, org)
    assert (entry["fault"], entry["body"]) == ("1", '{"payload": 1}')
    if cut != "half":
        assert (answer, entry["status"], entry["answer"]) == (b"", 0, "")
        return
    head, _, part = answer.partition(b"\r\n\r\n")
    status = 200 if carried_out else 500
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nx-arklow-mock-fault: 1" in head
    assert len(part) == length // 2 > 40
    assert (entry["status"], entry["answer"]) == (status, part.decode())
    assert not [line for line in running.lines if "Traceback" in line or "ASGI" in line]


def test_a_connection_is_cut_after_what_was_answered_on_it(running: RunningMock) -> None:
    """Of three pipelined requests the first is answered whole, the second is cut off, and the third is not read."""
    org = "431"
    admin(running, "POST", f"{org}/faults", {"operation": "ackIngressAction", "cut": "close"})
    ack = request(org, "/v1/ack", {"action_record_id": "1", "attempt": 0})
    ingress = request(org, "/v1/ingress/v", {"payload": 1})

    answer, was_reset = sent(running, ingress + ack + ingress)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert (answer.count(b"HTTP/1.1"), was_reset) == (1, False)
    assert admin(running, "GET", org)["actions"]["kept"] == 1


def test_the_connection_stays_usable_after_an_injected_answer(running: RunningMock) -> None:
    """FAULT-5: the body has been read, large or small, also when the client waited for a 100."""
    org = "432"
    admin(running, "POST", f"{org}/faults", {"status": 503, "times": 2})
    with socket.create_connection(("127.0.0.1", running.ingress_port), 10) as connection:
        connection.sendall(request(org, "/v1/ingress/v", {"payload": "x" * 300_000}))
        statuses = [read_reply(connection).status]
        head, _, content = request(org, "/v1/ingress/v", {"payload": 1}, expect="100-continue").partition(
            b"\r\n\r\n"
        )
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(content)
        statuses.append(read_reply(connection).status)
        connection.sendall(request(org, "/v1/ingress/v", {"payload": 1}))
        statuses.append(read_reply(connection).status)

    assert statuses == [503, 503, 200]


def test_a_client_that_leaves_before_its_body_is_complete_is_no_hit(running: RunningMock) -> None:
    """FAULT-2: the fault hits the next answer."""
    org = "433"
    admin(running, "POST", f"{org}/faults", {"status": 503, "times": 1})
    whole = request(org, "/v1/ingress/v", {"payload": 1})
    with socket.create_connection(("127.0.0.1", running.ingress_port), 20) as connection:
        connection.sendall(whole[:-1])
        assert admin(running, "GET", f"{org}/faults")["items"][0]["hit"] == 0

    assert [asked(running, whole)[0][0] for _ in range(2)] == [503, 200]


def test_a_client_that_leaves_during_a_delay_ends_its_request(running: RunningMock) -> None:
    """FAULT-6: the work is done, and the journal says that no answer was sent."""
    org = "434"
    with socket.create_connection(("127.0.0.1", running.ingress_port), 10) as connection:
        connection.sendall(request(org, "/v1/ingress/v?__delay=200", {"payload": 1}))
        with contextlib.suppress(TimeoutError):
            connection.settimeout(0.3)
            connection.recv(1)
    deadline = time.monotonic() + 10
    while not requests_of(running, org) and time.monotonic() < deadline:
        time.sleep(0.01)

    [entry] = requests_of(running, org)
    assert (entry["status"], entry["fault"], entry["answer"]) == (0, "prefer", "")
    assert admin(running, "GET", org)["actions"]["kept"] == 1


def test_other_requests_are_served_during_a_delay(running: RunningMock) -> None:
    """A delay holds its own request alone."""
    org = "435"
    with socket.create_connection(("127.0.0.1", running.ingress_port), 10) as slow:
        began = time.monotonic()
        slow.sendall(request(org, "/v1/ingress/v", {"payload": 1}, prefer="delay=1"))
        statuses = {asked(running, request(org, "/v1/ingress/v", {"payload": 1}))[0][0] for _ in range(20)}
        between = time.monotonic() - began
        reply = read_reply(slow)

    assert statuses == {200}
    assert between < 1 <= time.monotonic() - began
    assert (reply.status, reply.headers["preference-applied"]) == (200, "delay=1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_mock_ends_while_answers_wait(number: signal.Signals) -> None:
    """Each request under way gets its answer, and the log has no failure."""
    with mock("--auto-define") as served, contextlib.ExitStack() as stack:
        held = []
        for query in ("?__delay=250", "?__delay=250&__code=503"):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", served.ingress_port), 10))
            connection.sendall(request("42", f"/v1/ingress/v{query}", {"payload": 1}))
            held.append(connection)
        served.put()
        served.process.send_signal(number)

        assert [read_reply(connection).status for connection in held] == [200, 503]
        assert served.process.wait(timeout=10) == 0
        assert not [line for line in served.lines if "Traceback" in line or "Exception" in line]


def _loops() -> list[Any]:
    loops: list[Any] = [asyncio.SelectorEventLoop]
    if sys.platform != "win32":
        import uvloop

        loops.append(uvloop.new_event_loop)
    return loops


@pytest.mark.parametrize("loop", _loops())
def test_a_reset_is_one_on_every_loop(loop: Any) -> None:
    """The loop of asyncio and uvloop wrap their sockets in different ways."""

    async def serve_one() -> tuple[bytes, bool]:
        done = asyncio.Event()

        async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            transport: Any = writer.transport
            one_write = _OneWrite(transport, asyncio.get_running_loop())
            one_write.write(b"never sent")
            one_write.reset()
            done.set()

        server = await asyncio.start_server(reset, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        def connect() -> tuple[bytes, bool]:
            with socket.create_connection(address, 10) as connection:
                connection.sendall(b"x")
                return all_of(connection)

        async with server:
            found = await asyncio.to_thread(connect)
            await done.wait()
        return found

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(serve_one()) == (b"", True)


def test_a_fault_can_hit_a_put_too(running: RunningMock) -> None:
    """On either port; operations are named by the ids of the served document."""
    admin(
        running,
        "POST",
        "42/faults",
        {"operation": "put_v1_orgs_by_org_id_actions_definitions", "times": 1, "status": 503},
    )

    assert [running.call("PUT", PUT, {"variant": "w", "schema": {}}).status for _ in range(2)] == [503, 200]
