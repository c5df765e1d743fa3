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

from tests.processes import started
from tests.replies import Reply, ask, read_reply

KEY = {"x-arklow-auth": "org-42"}
JSON = {"content-type": "application/json"}
PUT = "/v1/orgs/42/actions/definitions"


class RunningMock:
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
        """Send bytes as they are and read one answer; `then` is sent 50 ms later on the same connection."""
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
        name = f"[{host}]" if ":" in host else host
        return ask(f"http://{name}:{self.admin_port}", method, path, body, headers=sent | (headers or {}))


@contextlib.contextmanager
def mock(*flags: str) -> Iterator[RunningMock]:
    """Start a mock on free ports with the given flags, and end it afterwards."""
    admin = [] if "--no-admin" in flags else ["--admin-port", "0"]
    command = [sys.executable, "-m", "mock_server", *flags, "--port", "0", "--ingress-port", "0", *admin]
    with started(command) as process:
        yield RunningMock(process)


__all__ = ["JSON", "KEY", "PUT", "RunningMock", "mock"]
