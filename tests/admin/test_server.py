"""The admin plane over real sockets: start, malformed requests, idle clients, the end."""

from __future__ import annotations

import contextlib
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.admin.desk import checked
from tests.replies import Reply, read_reply
from tests.running_mock import RunningMock, mock, mock_here, ran_here
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def running() -> Iterator[RunningMock]:
    """One mock for all tests of this file that do not end it."""
    with mock_here("--auto-define") as served:
        yield served


def ask(
    served: RunningMock,
    method: str,
    path: str,
    body: object = None,
    *,
    host: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Send one command to a running mock; the answer is checked against the document."""
    return checked(method, path, served.command(method, path, body, host=host, headers=headers))


def raw(served: RunningMock, data: bytes, timeout: float = PATIENCE) -> bytes:
    """Send bytes, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", served.admin_port), timeout) as connection:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65_536):
                found += chunk
    return found


@contextlib.contextmanager
def opened_stream(served: RunningMock, query: str = "", headers: str = "") -> Iterator[socket.socket]:
    """Open a stream of organisation 42, and read its greeting."""
    with socket.create_connection(("127.0.0.1", served.admin_port), PATIENCE) as connection:
        head = f"GET /organisations/42/journal/tail{query} HTTP/1.1\r\nhost: localhost\r\n{headers}"
        connection.sendall(f"{head}authorization: Bearer {served.admin_token}\r\n\r\n".encode())
        _until(connection, b": listening\n\n\r\n")
        yield connection


def _until(connection: socket.socket, sought: bytes) -> bytes:
    """Return what comes up to the bytes that are sought, and not a byte more."""
    found = b""
    while not found.endswith(sought):
        byte = connection.recv(1)
        assert byte, found
        found += byte
    return found


def test_the_admin_plane_changes_the_world_that_is_served(running: RunningMock) -> None:
    """On both addresses: a frozen day passes in one command."""
    clock = {"mode": "frozen", "now": "2030-01-01T00:00:00Z"}
    for host in ("127.0.0.1", "::1"):
        assert ask(running, "POST", "/organisations/42/reset", {"clock": clock}, host=host).status == 200
    action = running.accept().json["data"]["a_id"]

    assert ask(running, "POST", "/organisations/42/clock/advance", {"seconds": 86_400}).data["ran"] == 1_440

    record = running.call("GET", f"/v1/orgs/42/actions/records/{action}").json["data"]
    assert record["state"]["completed_at"] == "2030-01-02T00:00:00.000Z"


def test_a_stream_tells_what_happens_and_goes_on_where_it_was_left(running: RunningMock) -> None:
    """As server-sent events; the next stream begins after the number of the last event."""
    ask(running, "POST", "/organisations/42/reset")
    with opened_stream(running) as connection:
        running.accept()
        heard = _until(connection, b"event: request")
    numbers = [int(n) for n in re.findall(rb"^id: (\d+)", heard, re.MULTILINE)]
    assert numbers[:3] == [2, 3, 4]

    with opened_stream(running, headers=f"last-event-id: {numbers[1]}\r\n") as connection:
        again = _until(connection, b"event: request")
    assert [int(n) for n in re.findall(rb"^id: (\d+)", again, re.MULTILINE)][:2] == [4, 5]


@pytest.mark.slow
def test_clients_that_disconnect_make_room_for_other_streams(running: RunningMock) -> None:
    """The seventeenth stream is refused; a moment after the clients have gone there is room for sixteen again."""
    for _ in range(2):
        with contextlib.ExitStack() as stack:

            def is_open(stack: contextlib.ExitStack = stack) -> bool:
                with contextlib.suppress(AssertionError):
                    stack.enter_context(opened_stream(running))
                    return True
                return False

            for _ in range(16):
                wait_until(is_open, "room for another stream")
            answer = ask(running, "GET", "/organisations/42/journal/tail")
            assert answer.refusal == (429, "TOO_MANY_LISTENERS")


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/x\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET /\xff%ff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
    ],
)  # fmt: skip
def test_what_is_hardly_http_gets_an_answer_or_an_end(running: RunningMock, data: bytes) -> None:
    """It is never a 500, and leaves no traceback."""
    answer = raw(running, data)

    assert not re.match(rb"HTTP/1.1 50[^5]", answer), answer
    assert "Traceback" not in "\n".join(running.lines)
    assert ask(running, "GET", "/organisations").status == 200


@pytest.mark.parametrize(
    ("framing", "body", "status"),
    [
        ("content-length: 17", b'{"mode":"frozen"}', 200),
        ("transfer-encoding: chunked", b'11\r\n{"mode":"frozen"}\r\n0\r\n\r\n', 200),
        ("expect: 100-continue\r\ncontent-length: 17", b'{"mode":"frozen"}', 200),
        ("content-length: 99", b'{"mode":"frozen"}', 408),
        ("content-length: x", b'{"mode":"frozen"}', 400),
        ("content-length: -1", b'{"mode":"frozen"}', 400),
        ("content-length: 99999999999", b"{}", 413),
        ("transfer-encoding: chunked", b"zz\r\n{}", 408),
        ("transfer-encoding: chunked", b"-1\r\n{}", 408),
        ("transfer-encoding: chunked", b"11\r\n{", 408),
        ("transfer-encoding: chunked", b"200000\r\n" + b" " * 0x200000 + b"\r\n0\r\n\r\n", 413),
    ],
)
def test_a_body_is_framed_as_http_has_it(
    running: RunningMock, framing: str, body: bytes, status: int
) -> None:
    """A body that does not arrive as announced is refused, and what follows it is not taken for a request."""
    head = f"PUT /organisations/77/clock HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{framing}"
    answer = raw(running, f"{head}\r\nauthorization: Bearer {running.admin_token}\r\n\r\n".encode() + body)

    statuses = [
        int(found) for found in re.findall(rb"^HTTP/1.1 (\d+)", answer, re.MULTILINE) if found != b"100"
    ]
    assert statuses == [status], answer


def test_idle_connections_do_not_keep_commands_out(running: RunningMock) -> None:
    """Sixty clients send nothing; a hundred commands have their answers before the first of these is given up."""
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", running.admin_port)
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(60)]
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: ask(running, "GET", f"/organisations/{n}").status, range(100)))
        given_up, _, _ = select.select(idle, [], [], 0)

    assert answers == [200] * 100
    assert given_up == []


def test_flags_choose_token_names_origins_and_address() -> None:
    """A token that was given is not printed; the admin plane has addresses of its own."""
    flags = ["--admin-token", "s3cret", "--admin-name", "ci.local", "--admin-origin", "https://a.example"]
    with mock_here(*flags, "--admin-host", "127.0.0.1") as served:
        assert "s3cret" not in "\n".join(served.lines)
        allowed = {"host": "ci.local", "origin": "https://a.example"}
        answer = ask(served, "GET", "/organisations", headers=allowed | {"authorization": "Bearer s3cret"})
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert ask(served, "GET", "/organisations", headers={"authorization": "Bearer wrong"}).refusal == (
            401,
            "UNAUTHORIZED",
        )
        with pytest.raises(OSError, match=r"."):
            socket.create_connection(("::1", served.admin_port))


def test_there_need_not_be_an_admin_plane() -> None:
    """--no-admin leaves its port closed."""
    with mock_here("--no-admin") as served:
        assert served.admin_port == 0
        assert not any("admin" in line for line in served.lines)


@pytest.mark.parametrize("flags", [("--admin-port", "1", "--no-admin"), ("--admin-token", "a b"), ("--admin-token", "")])  # fmt: skip
def test_wrong_flags_are_usage_errors(flags: tuple[str, ...]) -> None:
    """The message says what was expected."""
    failed = ran_here(*flags)

    assert failed.returncode == 2
    assert "usage: arklow-mock" in failed.stderr


def test_a_port_that_is_taken_is_one_sentence(running: RunningMock) -> None:
    """The exit code is 2, as for the other ports."""
    failed = ran_here("--port", "0", "--ingress-port", "0", "--admin-port", str(running.admin_port))

    assert failed.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {running.admin_port}" in failed.stderr


def _rest(connection: socket.socket) -> bytes:
    """Return what comes up to the end."""
    found = b""
    while chunk := connection.recv(65_536):
        found += chunk
    return found


def test_a_stream_ends_with_the_mock() -> None:
    """As a stream does, and its port is free."""
    with contextlib.ExitStack() as stack:
        with mock_here() as served:
            listening = stack.enter_context(opened_stream(served))
        assert _rest(listening) == b"0\r\n\r\n"
        assert not [line for line in served.lines if "Traceback" in line]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.admin_port))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_mock_while_a_stream_is_open(number: signal.Signals) -> None:
    """Before the idle connection beside the stream would be given up."""
    with mock() as served, opened_stream(served) as listening:
        with socket.create_connection(("127.0.0.1", served.admin_port)) as idle:
            served.process.send_signal(number)

            assert _rest(listening) == b"0\r\n\r\n"
            assert served.process.wait(timeout=PATIENCE) == 0
            idle.close()
        assert not [line for line in served.lines if "Traceback" in line]


@pytest.mark.slow
def test_flask_is_loaded_by_the_first_connection_to_the_admin_plane() -> None:
    """A start does not pay for it, and Connexion does not load it either."""
    code = "import sys, mock_server.app, mock_server.admin.plane; print('flask' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_commands_have_a_line_in_the_log(running: RunningMock) -> None:
    """Each has one, as requests have."""
    ask(running, "GET", "/organisations/4711")

    line = running.line_with("org 4711")
    assert re.match(r"\d\d:\d\d:\d\d 200 admin getOrganisation  org 4711  \d+\.\d ms$", line)


@pytest.mark.slow
def test_stock_schemathesis_finds_no_failure(running: RunningMock, tmp_path: Path, examples: int) -> None:
    """Its default checks against the document, without the endless stream."""
    from mock_server.settings import ADMIN

    (tmp_path / "schemathesis.toml").write_text('[parameters]\n"path.org_id" = "99"\n')
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        str(ADMIN),
        "--url",
        f"http://127.0.0.1:{running.admin_port}",
        "--seed",
        "1",
        "--max-examples",
        str(examples),
        "--exclude-path-regex",
        "tail$",
        "--no-color",
    ]
    found = subprocess.run(
        [*command, "-H", f"Authorization: Bearer {running.admin_token}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert found.returncode == 0, found.stdout[-5_000:]
    assert "Tested: 24" in found.stdout
    assert not [line for line in running.lines if re.search(r" 5\d\d admin", line)]


def test_every_answer_closes_its_connection(running: RunningMock) -> None:
    """Its `Connection` header says so."""
    with socket.create_connection(("127.0.0.1", running.admin_port), PATIENCE) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert read_reply(connection).closed
