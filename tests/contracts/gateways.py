"""What stands between the judge and a deployment: TLS of a private authority, a gate that asks for a header, a proxy."""

from __future__ import annotations

import base64
import json
import re
import select
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from contracts.core.target import ConnectionOptions, ExtraHeader, Target
from contracts.openapi.document import LINKED, load
from contracts.transport.client import Client
from tests.contracts.authority import AUTHORITY, NAME
from tests.contracts.changed import answer_of, with_length
from tests.contracts.runs import KEYS
from tests.serving import HEADERS, serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SECRET = 'gate ${HOME} "&/+ s3cret'
"""A value with characters that shells, JSON, URLs and Schemathesis would change."""
HEADER = ExtraHeader("x-gate", SECRET, "GATE")
"""What the gate asks for."""


@dataclass
class Gate:
    """Lets requests with the right header through to an application; its answers repeat the value of that header."""

    app: WSGIApplication
    header: str
    value: str
    passed: int = 0
    refused: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = [(name.lower(), value) for name, value in environ[HEADERS]]
        if headers.count((self.header, self.value)) != 1:
            self.refused.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            start_response("403 Forbidden", [("Content-Type", "text/html"), ("Content-Length", "0")])
            return []
        self.passed += 1
        status, head, body = answer_of(self.app, environ)
        code = base64.b64encode(self.value.encode()).decode()
        echo = f"{self.value} {code} {quote(self.value, safe='')}"
        if body.endswith(b"}"):
            body = body[:-1] + b',"echo":' + json.dumps(echo).encode() + b"}"
        start_response(status, with_length([*head, ("X-Echo", echo)], body))
        return [body]


@dataclass
class Pump:
    """Accepts connections and moves bytes: to one address, or as a proxy to where each request says."""

    to: tuple[str, int] | None
    """The one address; None for a proxy, which knows where `NAME` is."""
    context: ssl.SSLContext | None = None
    connections: int = 0
    asked: list[str] = field(default_factory=list)
    """The first line of each request to the proxy."""
    login: str = ""
    """User and password in Base64 that the proxy asks for; empty: it asks for none."""
    url: str = ""

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                threading.Thread(target=self.take, args=[connection], daemon=True).start()

    def take(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.context is None:
                self.join(connection)
                return
            with self.context.wrap_socket(connection, server_side=True) as line:
                self.join(line)

    def join(self, line: socket.socket) -> None:
        head, address, absolute = b"", self.to, b""
        if address is None:
            while b"\r\n\r\n" not in head:
                if not (piece := line.recv(65_536)):
                    return
                head += piece
            if self.login and f"\r\nProxy-Authorization: Basic {self.login}\r\n".encode() not in head:
                line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _ = head.split(b" ", 2)
            where = urlsplit(b"//" + target if method == b"CONNECT" else target)
            host = (where.hostname or b"").decode()
            address = ("127.0.0.1" if host == NAME else host, where.port or 80)
            self.asked.append(head.partition(b"\r\n")[0].decode())
            if method == b"CONNECT":
                line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                head = b""
            else:
                absolute = b" http://" + where.netloc
        with socket.create_connection(address) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sendall(head.replace(absolute, b" ") if absolute else head)
            exchanged(line, server, absolute)


def exchanged(client: socket.socket, server: socket.socket, left_out: bytes) -> None:
    """Move bytes both ways until one side has no more; `left_out` is removed from requests, as a forwarding proxy does."""
    while True:
        waiting = isinstance(client, ssl.SSLSocket) and client.pending()
        for source in [client] if waiting else select.select([client, server], [], [])[0]:
            data = source.recv(65_536)
            if not data:
                return
            if source is client:
                server.sendall(data.replace(left_out, b" ") if left_out else data)
            else:
                client.sendall(data)


@contextmanager
def pumping(to: str | None = None, context: ssl.SSLContext | None = None) -> Iterator[Pump]:
    """Serve a pump: in front of the server at a URL, else as a proxy."""
    parts = urlsplit(to or "")
    pump = Pump((parts.hostname or "", parts.port or 0) if to else None, context)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        pump.url = f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=pump.serve, args=[listener], daemon=True).start()
        yield pump


@dataclass
class Place:
    """A deployment, what is on the way to it, and how it is reached."""

    url: str
    way: ConnectionOptions
    gate: Gate
    front: Pump | None = None
    proxy: Pump | None = None

    def client(self) -> Client:
        """Return a client that goes this way."""
        target = Target(self.url, self.url, *KEYS, connection=self.way)
        return Client(target, lambda method, url: load(LINKED).locate(method, url, {self.url}))


@contextmanager
def placed(
    app: WSGIApplication, *, tls: bool = False, mutual: bool = False, proxy: str = ""
) -> Iterator[Place]:
    """Serve an application behind a gate.

    `tls`, `mutual`: with TLS in front, on one side or on both; `proxy`: reached by a proxy of that scheme only.
    """
    with ExitStack() as stack:
        gate = Gate(app, HEADER.name, HEADER.value)
        url, way = stack.enter_context(serving(gate)), ConnectionOptions((HEADER,))
        front = by = None
        if tls:
            front = stack.enter_context(pumping(url, AUTHORITY.serving(mutual=mutual)))
            url, way = front.url, replace(way, ca=AUTHORITY.ca)
        if mutual:
            way = replace(way, certificate=AUTHORITY.certificate, key=AUTHORITY.key)
        if proxy:
            by = stack.enter_context(pumping(None, AUTHORITY.serving() if proxy == "https" else None))
            url, way = url.replace("127.0.0.1", NAME), replace(way, proxy=by.url, ca=AUTHORITY.ca)
        yield Place(url, way, gate, front, by)


def forms_in(secret: str, text: str) -> list[str]:
    """Return the encoded forms of a secret that stand in a text."""
    code = base64.b64encode(secret.encode()).decode()
    forms = {secret, code, code.rstrip("="), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    return [form for form in forms if re.search(re.escape(form), text, re.IGNORECASE)]
