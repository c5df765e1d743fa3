"""The mock as a process of its own, spoken to over real sockets."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEY = {"x-arklow-auth": "org-42"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool
    """Whether the server announced to close the connection, and did."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        """The one error of a refusal; the envelope is checked on the way."""
        body = self.json
        assert body.keys() == {"data", "errors"}
        assert body["data"] is None
        [error] = body["errors"]
        assert error.keys() == {"code", "message"}
        return dict(error)


class Served:
    """A running mock: its ports, its log, and plain ways to talk to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
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
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def raw(self, data: bytes, *, then: bytes = b"", timeout: float = 30) -> Reply:
        """Send bytes as they are, read one answer; `then` is sent a moment later on the same connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(data)
            if then:
                time.sleep(0.05)
                connection.sendall(then)
            return read_reply(connection, head=data.startswith(b"HEAD "))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> Reply:
        """One request with a key and a JSON body, unless `headers` or bytes say otherwise."""
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


PUT = "/v1/orgs/42/actions/definitions"


def read_reply(connection: socket.socket, *, head: bool = False) -> Reply:
    """One answer from a connection, and the end of the stream where the answer announces it."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        assert chunk, f"closed after {data!r}"
        data += chunk
    start, _, rest = data.partition(b"\r\n\r\n")
    status_line, *lines = start.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = 0 if head else int(headers.get("content-length", 0))
    while len(rest) < length:
        chunk = connection.recv(65_536)
        assert chunk, "closed inside the body"
        rest += chunk
    closed = False
    if headers.get("connection") == "close":
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b"", "announced to close, and sent more"
        closed = True
    return Reply(int(status_line.split()[1]), headers, rest, closed)


@contextlib.contextmanager
def mock(*flags: str) -> Iterator[Served]:
    """A mock on free ports with the given flags, ended afterwards."""
    admin = [] if "--no-admin" in flags else ["--admin-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", *flags, "--port", "0", "--ingress-port", "0", *admin],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Served(process)
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()
