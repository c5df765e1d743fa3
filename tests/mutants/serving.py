"""Serves an application over real sockets: connections are kept, an answer leaves in one piece."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.errors import (
    MultipartInvariantViolationDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
)
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .conforming_variant import ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LONGEST_LINE = 65_536
LARGEST_BODY = 64 * 2**20
CHUNKED = ("Transfer-Encoding", "chunked")
FRAMING = {"Content-Length", "Transfer-Encoding"}
OF_CONTENT = (NoBoundaryInMultipartDefect, StartBoundaryNotFoundDefect, MultipartInvariantViolationDefect)
"""What the parser of heads says of a multipart content type; no fault of the head."""


class BadFraming(Exception):  # noqa: N818
    """Where this request ends cannot be told."""


class Handler(WSGIRequestHandler):
    """Reads a request whole before it is served, so that the next one begins where it should."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def setup(self) -> None:
        super().setup()
        connections(self.server).add(self.connection)

    def finish(self) -> None:
        connections(self.server).discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        try:
            body = self.read_body()
            environ = self.make_environ()
        except (BadFraming, ValueError):
            self.close_connection = True
            self.write("400 Bad Request", [("Content-Length", "0")], b"")
            return
        environ["HTTP_HOST"] = "localhost"
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        environ["conforming variant.headers"] = self.headers.items()
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            heads.append((status, headers))

        answer = b"".join(self.server.app(environ, start_response))
        self.write(*heads[-1], answer)
        if isinstance(self.server.app, ConformingServer):
            self.server.app.answered()

    def read_body(self) -> bytes:
        lengths = self.headers.get_all("content-length", [])
        coding = self.headers.get_all("transfer-encoding", [])
        hosts = self.headers.get_all("host", [])
        broken = [one for one in self.headers.defects if not isinstance(one, OF_CONTENT)]
        if (
            broken
            or len(lengths) + len(coding) > 1
            or (len(hosts) != 1 and self.request_version == "HTTP/1.1")
        ):
            raise BadFraming
        if coding:
            if coding[0].strip().lower() != "chunked":
                raise BadFraming
            return self.read_chunks()
        length = lengths[0].strip() if lengths else "0"
        if not (length.isascii() and length.isdigit()):
            raise BadFraming
        return self.read_exactly(int(length))

    def read_chunks(self) -> bytes:
        body = bytearray()
        while size := self.read_size():
            body += self.read_exactly(size)
            if self.rfile.readline(3) != b"\r\n":
                raise BadFraming
        while self.read_line() != b"\r\n":
            pass
        return bytes(body)

    def read_size(self) -> int:
        digits = self.read_line().partition(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise BadFraming
        return int(digits, 16)

    def read_line(self) -> bytes:
        line = self.rfile.readline(LONGEST_LINE)
        if not line.endswith(b"\r\n"):
            raise BadFraming
        return line

    def read_exactly(self, size: int) -> bytes:
        if size > LARGEST_BODY:
            raise BadFraming
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionResetError
        return data

    def write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", f"Date: {self.date_time_string()}"]
        without_body = status.startswith("204")
        chunked = CHUNKED in headers and not without_body and self.request_version != "HTTP/1.0"
        unsaid = FRAMING if without_body else {"Content-Length" if chunked else "Transfer-Encoding"}
        lines += [f"{name}: {value}" for name, value in headers if name not in unsaid]
        body = chunks(body) if chunked else body
        if self.close_connection:
            lines.append("Connection: close")
        elif self.request_version == "HTTP/1.0":
            lines.append("Connection: keep-alive")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing is logged."""


def chunks(body: bytes) -> bytes:
    """A body in two chunks, or in as many as it has bytes, and their end."""
    parts = [part for part in (body[:7], body[7:]) if part]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def connections(server: Any) -> set[socket.socket]:
    """The open connections of a server."""
    found: set[socket.socket] = server.__dict__.setdefault("connections", set())
    return found


def listening(app: WSGIApplication, port: int = 0) -> BaseWSGIServer:
    """A server that is bound and waits to be run."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=Handler)


def reset(connection: socket.socket) -> None:
    """Ends a connection without a goodbye: wakes its handler, and the socket closes when that lets go of it."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        connection.shutdown(socket.SHUT_RD)


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serves an application, on a free port unless one is given, and ends it with all its connections."""
    server = listening(app, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in list(connections(server)):
            reset(connection)
