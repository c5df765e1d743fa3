"""Only the target is contacted: not the servers that the document names, not the host that a redirect names."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask import Response

from contracts.commands.ports import Ports
from contracts.openapi.document import PUBLISHED
from contracts.transport.wire import Message, Reply
from tests.clocks import VirtualClock
from tests.contracts.commands import URL, ran
from tests.contracts.in_process import InProcessTransport
from tests.contracts.sockets import contacted
from tests.mutants import ConformingServer
from tests.mutants.conforming_server import Operation
from tests.serving import serving
from tests.waiting import PATIENCE

RESOLVER = '''
"""A resolver in which the production host is here; it writes down every name it is asked for."""
import socket

real = socket.getaddrinfo


def getaddrinfo(host, port, *more, **others):
    with open({asked!r}, "a") as file:
        print(host, file=file)
    if host == "api.arklow.io":
        host, port = "127.0.0.1", {port}
    return real(host, port, *more, **others)


socket.getaddrinfo = getaddrinfo
'''


class PointsToProduction(ConformingServer):
    """Answers one request in seven with a redirect to the production host."""

    answers = 0

    def render(self, operation: Operation, status: int, body: object) -> Response:
        self.answers += 1
        if self.answers % 7 or self.answers < 20:
            return super().render(operation, status, body)
        return Response(status=307, headers={"Location": "https://api.arklow.io/v1/modack"})


def test_a_redirect_and_the_servers_of_the_document_are_not_followed(here: Path) -> None:
    """Every message is for the target that was named, and no host is looked up or connected to beside it."""
    assert "https://api.arklow.io" in PUBLISHED.read_text("utf-8")
    bases: set[str] = set()

    class Noted(InProcessTransport):
        """Notes for which server each message is."""

        def send(self, message: Message, timeout: float) -> Reply:
            bases.add(message.base)
            return super().send(message, timeout)

    clock = VirtualClock()
    noted = Ports(clock, Noted(PointsToProduction(clock=clock), clock))
    flags = ("--api-key", "good-key-one", "--org", "1", "--max-requests", "200", "--report-dir", "out")
    with contacted() as hosts:
        done = ran("check", "--base-url", URL, *flags, ports=noted)

    report = json.loads((here / "out" / "report.json").read_text("utf-8"))
    assert done.code == 1, done.errors
    assert "PAGE-1" in {finding["rule"] for finding in report["violations"]}  # the redirect is a finding
    assert (bases, hosts) == ({URL}, [])


@pytest.mark.slow
def test_the_production_host_is_never_contacted(tmp_path: Path) -> None:
    """Although the document names it, the deployment redirects to it, and a proxy variable points to it."""
    assert "https://api.arklow.io" in PUBLISHED.read_text("utf-8")
    connections: list[object] = []
    production = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connections.append(production.accept())
            except OSError:
                return

    threading.Thread(target=listen, daemon=True).start()
    asked = tmp_path / "asked.txt"
    (tmp_path / "sitecustomize.py").write_text(
        RESOLVER.format(asked=str(asked), port=production.getsockname()[1])
    )
    trap = f"http://127.0.0.1:{production.getsockname()[1]}"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "http_proxy": trap, "HTTPS_PROXY": trap}
    probe = "import socket; socket.create_connection(('api.arklow.io', 443)).close()"
    subprocess.run([sys.executable, "-c", probe], env=environment, check=True)
    assert len(connections) == 1  # the trap works
    asked.unlink()

    with serving(PointsToProduction()) as url:
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "contracts", "check", "--base-url", url, "--api-key", "good-key-one"),
                *(
                    "--org",
                    "1",
                    "--max-requests",
                    "400",
                    "--max-time",
                    "600",
                    "--report-dir",
                    tmp_path / "out",
                ),
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE,
        )
    production.close()

    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert ran.returncode == 1, ran.stderr
    assert "PAGE-1" in {finding["rule"] for finding in report["violations"]}  # the redirect is a finding
    assert report["requests"] > 200
    assert set(asked.read_text().split()) == {"127.0.0.1"}
    assert len(connections) == 1
