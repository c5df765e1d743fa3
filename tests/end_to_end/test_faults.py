"""Injected faults on the wire: many clients at once, connections that are cut, clients and mocks that end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mock_server.adapters.http_server import _OneWrite
from tests.replies import read_reply
from tests.running_mock import JSON, PUT, Connected, Mock, mock
from tests.still_mock import StillMock
from tests.waiting import PATIENCE, wait_until

UPGRADE = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": ""}
"""With these a request goes through the other one of uvicorn's two protocols."""


@pytest.fixture(scope="module")
def still() -> Iterator[StillMock]:
    """A mock whose time passes only while a client waits."""
    with StillMock(auto_define=True) as served:
        yield served


@pytest.fixture(scope="module", params=["in memory", pytest.param("over sockets", marks=pytest.mark.slow)])
def running(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock in this process, and for the slow lane one in a process of its own."""
    if request.param == "in memory":
        yield request.getfixturevalue("still")
    else:
        with mock("--auto-define") as served:
            yield served


def admin(served: Mock, method: str, path: str, body: object = None) -> Any:
    """Return the data of a command that succeeds."""
    return served.command(method, f"/organisations/{path}", body).data


def request(org: str, path: str, body: object, **headers: str) -> bytes:
    """Make a POST of an organisation, as bytes."""
    content = json.dumps(body).encode()
    sent = {"host": "mock", "x-arklow-auth": f"org-{org}", "content-length": str(len(content))}
    lines = [f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (sent | JSON | headers).items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def all_of(connection: Connected | socket.socket) -> tuple[bytes, bool]:
    """Return what comes until the end of a connection, and whether the end was a reset."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except ConnectionResetError:
        return found, True
    return found, False


def sent(served: Mock, data: bytes) -> tuple[bytes, bool]:
    """Send bytes; return what comes back until the connection ends."""
    with served.connect() as connection:
        connection.sendall(data)
        return all_of(connection)


def requests_of(served: Mock, org: str) -> list[Any]:
    """Return the requests in the journal of an organisation."""
    entries: list[Any] = admin(served, "GET", f"{org}/journal?kind=request&limit=1000")["entries"]
    return entries


ORGS = ("421", "422", "423")


def prepared(running: Mock) -> dict[str, str]:
    """Make an action in each of three organisations, and have three modacks of the first one answered with 409."""
    for org in ORGS:
        admin(running, "POST", f"{org}/reset")
    ids = {}
    for org in ORGS:
        [reply] = asked(running, request(org, "/v1/ingress/v", {"payload": 1}))
        ids[org] = reply[1]["data"]["a_id"]
    admin(running, "POST", "421/faults", {"operation": "modAckIngressAction", "times": 3, "status": 409})
    return ids


class Client:
    """One of sixteen clients, which calls two operations in turn."""

    def __init__(self, number: int, ids: dict[str, str]) -> None:
        self._number = number
        self._org = ORGS[number % 3]
        self._id = ids[self._org]
        self.found: list[tuple[str, str, int, str]] = []
        """Of each answer the organisation, the operation, the status and the fault."""

    def send(self, connection: Connected, turn: int) -> None:
        """Send the request of one turn."""
        name = self._operation(turn)
        body = {"action_record_id": self._id, "attempt": 0, "mod_ack": 60}
        connection.sendall(request(self._org, f"/v1/{name}", body if name == "modack" else {"payload": 1}))

    def read(self, connection: Connected, turn: int) -> None:
        """Read the answer of one turn."""
        reply = read_reply(connection)
        fault = reply.headers.get("x-arklow-mock-fault", "")
        self.found.append((self._org, self._operation(turn), reply.status, fault))

    def _operation(self, turn: int) -> str:
        return ("modack", "ingress/v")[(turn + self._number) % 2]


def assert_three_were_hit(running: Mock, clients: Sequence[Client]) -> None:
    """Assert that three answers of the organisation and operation were hit, and no other."""
    answers = Counter(answer for client in clients for answer in client.found)
    assert {answer: count for answer, count in answers.items() if answer[2] != 200} == {
        ("421", "modack", 409, "1"): 3
    }
    assert sum(answers.values()) == 16 * 30
    assert len(answers) == 7
    [fault] = admin(running, "GET", "421/faults")["items"]
    assert (fault["hit"], fault["left"]) == (3, 0)


def test_exactly_the_next_three_answers_are_hit(still: StillMock) -> None:
    """FAULT-2: sixteen clients, three organisations, two operations; three modacks of one organisation are hit."""
    ids = prepared(still)
    clients = [Client(number, ids) for number in range(16)]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(still.connect()) for _ in clients]
        for turn in range(30):
            for client, connection in zip(clients, connections, strict=True):
                client.send(connection, turn)
            for client, connection in zip(clients, connections, strict=True):
                client.read(connection, turn)

    assert_three_were_hit(still, clients)


@pytest.mark.slow
def test_exactly_the_next_three_answers_of_many_threads_are_hit() -> None:
    """The same when all clients begin at once, and none waits for another."""
    together = threading.Barrier(16)
    with mock("--auto-define") as running:

        def play(client: Client) -> None:
            with running.connect() as connection:
                together.wait(PATIENCE)
                for turn in range(30):
                    client.send(connection, turn)
                    client.read(connection, turn)

        ids = prepared(running)
        clients = [Client(number, ids) for number in range(16)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(play, clients))

        assert_three_were_hit(running, clients)


def asked(served: Mock, data: bytes) -> list[tuple[int, Any]]:
    """Send bytes; return status and JSON of the one answer."""
    with served.connect() as connection:
        connection.sendall(data)
        reply = read_reply(connection)
        return [(reply.status, reply.json)]


@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["httptools", "h11"])
@pytest.mark.parametrize("carried_out", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("cut", ["close", "reset", "half"])
def test_a_connection_is_cut(running: Mock, cut: str, carried_out: bool, headers: dict[str, str]) -> None:
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


def test_a_connection_is_cut_after_what_was_answered_on_it(running: Mock) -> None:
    """Of three pipelined requests the first is answered whole, the second is cut off, and the third is not read."""
    org = "431"
    admin(running, "POST", f"{org}/faults", {"operation": "ackIngressAction", "cut": "close"})
    ack = request(org, "/v1/ack", {"action_record_id": "1", "attempt": 0})
    ingress = request(org, "/v1/ingress/v", {"payload": 1})

    answer, was_reset = sent(running, ingress + ack + ingress)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert (answer.count(b"HTTP/1.1"), was_reset) == (1, False)
    assert admin(running, "GET", org)["actions"]["kept"] == 1


def test_the_connection_stays_usable_after_an_injected_answer(running: Mock) -> None:
    """FAULT-5: the body has been read, large or small, also when the client waited for a 100."""
    org = "432"
    admin(running, "POST", f"{org}/faults", {"status": 503, "times": 2})
    with running.connect() as connection:
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


def test_a_client_that_leaves_before_its_body_is_complete_is_no_hit(running: Mock) -> None:
    """FAULT-2: the fault hits the next answer."""
    org = "433"
    admin(running, "POST", f"{org}/faults", {"status": 503, "times": 1})
    whole = request(org, "/v1/ingress/v", {"payload": 1})
    with running.connect() as connection:
        connection.sendall(whole[:-1])
        assert admin(running, "GET", f"{org}/faults")["items"][0]["hit"] == 0

    assert [asked(running, whole)[0][0] for _ in range(2)] == [503, 200]


def test_a_client_that_leaves_during_a_delay_ends_its_request(running: Mock) -> None:
    """FAULT-6: the work is done, and the journal says that no answer was sent."""
    org = "434"
    with running.connect() as connection:
        connection.sendall(request(org, "/v1/ingress/v?__delay=200", {"payload": 1}))
        with contextlib.suppress(TimeoutError):
            connection.settimeout(0.3)
            connection.recv(1)

    [entry] = wait_until(lambda: requests_of(running, org))
    assert (entry["status"], entry["fault"], entry["answer"]) == (0, "prefer", "")
    assert admin(running, "GET", org)["actions"]["kept"] == 1


def test_other_requests_are_served_during_a_delay(still: StillMock) -> None:
    """A delay holds its own request alone."""
    org, began = "435", still.loop.time()
    with still.connect() as slow:
        slow.sendall(request(org, "/v1/ingress/v", {"payload": 1}, prefer="delay=1"))
        statuses = {asked(still, request(org, "/v1/ingress/v", {"payload": 1}))[0][0] for _ in range(20)}
        between = still.loop.time() - began
        reply = read_reply(slow)

    assert statuses == {200}
    assert between == 0
    assert still.loop.time() - began == pytest.approx(1)
    assert (reply.status, reply.headers["preference-applied"]) == (200, "delay=1")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_mock_ends_while_answers_wait(number: signal.Signals) -> None:
    """Each request under way gets its answer, and the log has no failure."""
    with mock("--auto-define") as served, contextlib.ExitStack() as stack:
        held = []
        for query in ("?__delay=250", "?__delay=250&__code=503"):
            connection = stack.enter_context(served.connect())
            connection.sendall(request("42", f"/v1/ingress/v{query}", {"payload": 1}))
            held.append(connection)
        served.put()
        served.process.send_signal(number)

        assert [read_reply(connection).status for connection in held] == [200, 503]
        assert served.process.wait(timeout=PATIENCE) == 0
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


def test_a_fault_can_hit_a_put_too(running: Mock) -> None:
    """On either port; operations are named by the ids of the served document."""
    admin(
        running,
        "POST",
        "42/faults",
        {"operation": "put_v1_orgs_by_org_id_actions_definitions", "times": 1, "status": 503},
    )

    assert [running.call("PUT", PUT, {"variant": "w", "schema": {}}).status for _ in range(2)] == [503, 200]
