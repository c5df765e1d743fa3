"""Serve a WSGI application over real sockets on a loopback port, one thread for each connection.

A request is read whole before the application is called, connections are kept, and an answer leaves in one piece: so
an application may refuse early or break off, and the next request on the connection still begins where it should. The
server stands alone here because tests of both programs, the mutants and the benchmarks need it.
"""

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
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HEADERS = "tests.headers"
"""Key of the environment: pairs of name and value, in the order and spelling in which they came."""
SOCKET = "werkzeug.socket"
"""Key of the environment: the connection."""

LONGEST_LINE = 65_536
"""Bytes of one line between chunks: more than any client sends, less than would fill the memory."""
LARGEST_BODY = 64 * 2**20
"""Bytes: the largest body that the judge sends has 1 MB, so a length beyond this announces a body that never comes."""
CHUNKED = ("Transfer-Encoding", "chunked")
FRAMING = {"Content-Length", "Transfer-Encoding"}
DEFECTS_OF_CONTENT = (
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
    MultipartInvariantViolationDefect,
)
"""What the parser of headers says of a multipart content type; the head itself is sound."""


class BadFraming(Exception):  # noqa: N818
    """The head does not say where the request ends."""


@runtime_checkable
class HearsOfAnswers(Protocol):
    """An application that is told when an answer has left."""

    def answered(self) -> None:
        """Called on the request's own thread once its answer has left."""


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
        environ[HEADERS] = self.headers.items()
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            heads.append((status, headers))

        answer = b"".join(self.server.app(environ, start_response))
        self.write(*heads[-1], answer)
        if isinstance(self.server.app, HearsOfAnswers):
            self.server.app.answered()

    def read_body(self) -> bytes:
        """Read the body.

        Raises:
            BadFraming: lengths or codings are missing, doubled or not understood.
        """
        lengths = self.headers.get_all("content-length", [])
        coding = self.headers.get_all("transfer-encoding", [])
        hosts = self.headers.get_all("host", [])
        broken = [one for one in self.headers.defects if not isinstance(one, DEFECTS_OF_CONTENT)]
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
        """Read a chunked body and its trailer."""
        body = bytearray()
        while size := self.read_size():
            body += self.read_exactly(size)
            if self.rfile.readline(3) != b"\r\n":
                raise BadFraming
        while self.read_line() != b"\r\n":
            pass
        return bytes(body)

    def read_size(self) -> int:
        """Read the line before a chunk: its length in bytes."""
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
        """Read so many bytes.

        Raises:
            ConnectionResetError: the client has gone before the last of them.
        """
        if size > LARGEST_BODY:
            raise BadFraming
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionResetError
        return data

    def write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send the whole answer at once: one segment, however the application produced it."""
        dated = any(name.lower() == "date" for name, _ in headers)
        lines = [f"HTTP/1.1 {status}", *([] if dated else [f"Date: {self.date_time_string()}"])]
        without_body = status.startswith("204")
        chunked = CHUNKED in headers and not without_body and self.request_version != "HTTP/1.0"
        left_out = FRAMING if without_body else {"Content-Length" if chunked else "Transfer-Encoding"}
        lines += [f"{name}: {value}" for name, value in headers if name not in left_out]
        body = chunks(body) if chunked else body
        if self.close_connection:
            lines.append("Connection: close")
        elif self.request_version == "HTTP/1.0":
            lines.append("Connection: keep-alive")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


def chunks(body: bytes) -> bytes:
    """Encode a body as two chunks, or as one where it is short, with their end."""
    parts = [part for part in (body[:7], body[7:]) if part]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def connections(server: Any) -> set[socket.socket]:
    """The open connections of a server."""
    found: set[socket.socket] = server.__dict__.setdefault("connections", set())
    return found


def listening(app: WSGIApplication, port: int = 0) -> BaseWSGIServer:
    """Bind a server to a port, 0 for a free one; it serves once `serve_forever` is called."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=Handler)


def reset(connection: socket.socket) -> None:
    """Reset a connection: wake its handler, and let the socket close when the handler lets go of it."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        connection.shutdown(socket.SHUT_RD)


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve an application on a port, 0 for a free one, and yield its URL; at the end reset all its connections."""
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


__all__ = ["HEADERS", "SOCKET", "HearsOfAnswers", "listening", "reset", "serving"]
