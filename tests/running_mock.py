"""The mock as users have it, spoken to over real sockets: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TextIO

from tests.processes import started
from tests.replies import Receiving, Reply, ask, read_reply
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from mock_server.adapters.http_server import Server

KEY = {"x-arklow-auth": "org-42"}
JSON = {"content-type": "application/json"}
PUT = "/v1/orgs/42/actions/definitions"


class Connected(Receiving, Protocol):
    """A client's end of a connection: a socket, or what looks like one."""

    def __enter__(self) -> Connected:
        """Return itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close it."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send bytes."""
        ...

    def settimeout(self, seconds: float, /) -> None:
        """Wait so long for bytes from now on."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Mock(ABC):
    """A mock, and plain ways to talk to it."""

    lines: list[str]
    """What it has printed, or logged."""
    admin_token: str
    """The token of the admin plane."""

    @abstractmethod
    def connect(self) -> Connected:
        """Connect to the port of ingress."""

    @abstractmethod
    def raw(self, data: bytes, *, then: bytes = b"", timeout: float = 60) -> Reply:
        """Send bytes as they are and read one answer; `then` is sent 50 ms later on the same connection."""

    @abstractmethod
    def ask_admin(self, method: str, path: str, body: object, host: str, headers: dict[str, str]) -> Reply:
        """Send one request to the admin plane, with these headers; a body that is not None as JSON."""

    def command(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        host: str = "127.0.0.1",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one command to the admin plane, with its token unless `headers` have another one."""
        sent = {"authorization": f"Bearer {self.admin_token}"} | ({} if body is None else JSON)
        return self.ask_admin(method, path, body, host, sent | (headers or {}))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> Reply:
        """Send one request with a key and a JSON body, unless `headers` or bytes say otherwise."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = KEY | JSON if headers is None else headers
        lines = [f"{method} {path} HTTP/1.1", "host: mock", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        return self.raw("\r\n".join([*lines, "", ""]).encode("latin-1") + content, timeout=timeout)

    def put(self, variant: str = "v", **body: object) -> Reply:
        """PUT a definition of organisation 42."""
        return self.call("PUT", PUT, {"variant": variant, "schema": {}} | body)

    def accept(self, variant: str = "v", **body: object) -> Reply:
        """POST work for organisation 42."""
        return self.call("POST", f"/v1/ingress/{variant}", {"payload": None} | body)

    def modack(self, action: str, attempt: int = 0, seconds: int = 60) -> Reply:
        """Extend a lease of organisation 42."""
        body = {"action_record_id": action, "attempt": attempt, "mod_ack": seconds}
        return self.call("POST", "/v1/modack", body)


class RunningMock(Mock):
    """A mock that listens: its ports and its log."""

    def __init__(self, output: Iterable[str]) -> None:
        """Read what the mock prints, up to the line that says that it answers; the rest is read in a thread."""
        self.lines = []
        self._printed = threading.Condition()
        follows = iter(output)
        for line in follows:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Ready."):
                break
        else:
            raise AssertionError("did not start: " + "\n".join(self.lines))
        text = "\n".join(self.lines)
        self.port, self.ingress_port = (
            int(found) for found in re.findall(r"(?:plane|ingress)\s+http://[^\s]*:(\d+)", text)
        )
        admin = re.search(r"admin\s+http://[^\s]*:(\d+)\s+Authorization: Bearer (.*)", text)
        self.admin_port, self.admin_token = (int(admin[1]), admin[2]) if admin else (0, "")
        self.reader = threading.Thread(target=self._follow, args=(follows,), daemon=True)
        """Ends with the mock's output."""
        self.reader.start()

    def _follow(self, output: Iterator[str]) -> None:
        for line in output:
            with self._printed:
                self.lines.append(line.rstrip("\n"))
                self._printed.notify_all()

    def line_with(self, text: str) -> str:
        """Wait for a line of the log with a text, and return the latest one."""

        def found() -> str:
            return next((line for line in reversed(self.lines) if text in line), "")

        with self._printed:
            assert self._printed.wait_for(found, PATIENCE), "\n".join(self.lines)
            return found()

    def connect(self) -> Connected:
        """Connect to the port of ingress."""
        return socket.create_connection(("127.0.0.1", self.ingress_port), PATIENCE)

    def raw(self, data: bytes, *, then: bytes = b"", timeout: float = 60) -> Reply:
        """Send bytes as they are and read one answer; `then` is sent 50 ms later on the same connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(data)
            if then:
                time.sleep(0.05)
                connection.sendall(then)
            return read_reply(connection, head=data.startswith(b"HEAD "))

    def ask_admin(self, method: str, path: str, body: object, host: str, headers: dict[str, str]) -> Reply:
        """Send one request to the admin plane, with these headers; a body that is not None as JSON."""
        name = f"[{host}]" if ":" in host else host
        return ask(f"http://{name}:{self.admin_port}", method, path, body, headers=headers)


class MockProcess(RunningMock):
    """A running mock in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        super().__init__(process.stdout)
        self.process = process


class _Ending:
    """Serves in whatever thread the mock runs, until another thread ends it."""

    def __init__(self) -> None:
        self._began = threading.Event()
        self._server: Server | None = None

    def serve(self, app: Any, sockets: list[socket.socket], beside: Any, during: Any, headers: Any) -> None:
        from mock_server.adapters.http_server import Server

        self._server = Server(app, headers)
        self._began.set()
        self._server.run(sockets, beside, during)

    def end(self) -> None:
        """End the mock, which has printed that it is ready."""
        assert self._began.wait(PATIENCE)
        assert self._server is not None
        self._server.stop()


def _flags(flags: tuple[str, ...]) -> list[str]:
    """Flags with free ports behind them."""
    admin = [] if "--no-admin" in flags else ["--admin-port", "0"]
    return [*flags, "--port", "0", "--ingress-port", "0", *admin]


@contextlib.contextmanager
def mock_here(*flags: str) -> Iterator[RunningMock]:
    """Run `arklow-mock` with the given flags in a thread of this process, on free ports, and end it afterwards."""
    from mock_server.cli.main import main

    reading, writing = os.pipe()
    ending = _Ending()
    codes: list[int] = []

    def run(output: TextIO) -> None:
        with output:
            codes.append(main(_flags(flags), output=output, errors=output, serve=ending.serve))

    thread = threading.Thread(target=run, args=(os.fdopen(writing, "w"),), daemon=True)
    thread.start()
    with os.fdopen(reading) as printed:
        running = RunningMock(printed)
        try:
            yield running
        finally:
            ending.end()
            thread.join(PATIENCE)
            running.reader.join(PATIENCE)
    assert codes == [0]


class Ran(NamedTuple):
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def ran_here(*arguments: str) -> Ran:
    """Run `arklow-mock` with arguments with which it ends by itself, in this process."""
    from mock_server.cli.main import main

    def serve(*_: Any) -> None:
        raise AssertionError(f"it serves with {arguments}")

    errors = io.StringIO()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
            try:
                code = main(arguments, output=output, errors=errors, serve=serve)
            except SystemExit as end:  # of argparse
                code = int(end.code or 0)
        output.seek(0)
        return Ran(code, output.read(), errors.getvalue())


@contextlib.contextmanager
def mock(*flags: str) -> Iterator[MockProcess]:
    """Start a mock with the given flags in a process of its own, on free ports, and end it afterwards."""
    with started([sys.executable, "-m", "mock_server", *_flags(flags)]) as process:
        yield MockProcess(process)


__all__ = [
    "JSON",
    "KEY",
    "PUT",
    "Connected",
    "Mock",
    "MockProcess",
    "Ran",
    "RunningMock",
    "mock",
    "mock_here",
    "ran_here",
]
