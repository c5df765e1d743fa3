"""Answers as they are read from a socket: in time, past interim ones, no further than their end, and decoded."""

from __future__ import annotations

import http.client
import io
import re
import time
from typing import Any, Final

import urllib3

from ..core.codings import Undecodable, decoded
from .interference import CUT_OFF, LARGEST, NOT_HTTP, TOO_LONG, UnusableAnswer, kind_of
from .tls import SPEAKS_TLS

_PIECE: Final = 1 << 16
"""Bytes that are read at once."""
_MOST_LINES: Final = 1_000
"""Header lines that are read: http.client reads 100, and gateways have been seen to add more than that."""
_LONGEST_HEAD: Final = 1 << 20
"""Bytes of a head that are read, in one line or in many."""
_LONGEST_LINE: Final = 1 << 16
"""Bytes of the line before a chunk, or of a trailer."""
_TOO_MANY_LINES: Final = f"an answer with more than {_MOST_LINES:,} header lines"
_HEAD_TOO_LONG: Final = f"an answer whose head is longer than {_LONGEST_HEAD >> 20} MiB"
_UNKNOWN_FRAMING: Final = "an answer in a transfer coding that was not asked for"

_STATUS_LINE: Final = re.compile(rb"HTTP/[0-9.]+[ \t]+([0-9]{3})(?![0-9])")
_TLS_ALERT: Final = b"\x15\x03"
"""What a server of TLS may send before it closes a connection on which no TLS is spoken."""
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n", re.DOTALL)
_HOP_BY_HOP: Final = ("connection", "keep-alive", "proxy-connection")
"""Headers that say whether the connection stays open."""


class _TimedSocket(io.RawIOBase):
    """What a socket receives, all of it within the time that the socket gives to a single read."""

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._until = time.monotonic() + sock.gettimeout()

    def readable(self) -> bool:
        """Return True: it is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive as many bytes as there are into `buffer`, and return their count.

        Raises:
            TimeoutError: the time is up, however much has come.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the stream, which leaves the socket open."""
        self._raw.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """The final answer to a request, read in time.

    Interim answers before it are passed over; http.client passes over no other than 100 (RFC 9110 §15.2). Its head is read
    here, as http.client takes no more than 100 lines, and loses what follows a line that it does not understand.
    """

    def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_TimedSocket(sock, self.fp.detach()))

    def begin(self, **_: Any) -> None:
        """Read the head, and those of interim answers before it.

        Raises:
            UnusableAnswer: what came is no head, ends too early, or is too long.
            RemoteDisconnected: nothing came.
        """
        if self.headers is not None:
            return
        stream = self.fp
        start, headers = _read_head(stream)
        while re.match(rb"\S+[ \t]+1(?!01)", start):
            start, headers = _read_head(stream)
        found = _STATUS_LINE.match(start)
        bodyless = found is not None and (found[1] in (b"101", b"204", b"304") or self._method == "HEAD")
        self.fp = io.BytesIO(
            start + ("" if bodyless else _framing(headers)).encode() + _lines(headers) + b"\r\n"
        )
        try:
            super().begin()
        finally:
            self.fp = stream
        message = http.client.HTTPMessage()
        for name, value in headers:
            message[name] = value
        self.headers = self.msg = message

    def _read_next_chunk_size(self) -> int:
        """Read the line before a chunk, and return the size that it says; http.client takes a wrong one for an early end."""
        line = self.fp.readline(_LONGEST_LINE)
        if found := _CHUNK.fullmatch(line):
            return int(found[1], 16)
        if line.endswith(b"\n") or len(line) == _LONGEST_LINE:
            raise UnusableAnswer(NOT_HTTP)
        raise http.client.IncompleteRead(b"")


def _read_head(stream: io.BufferedReader) -> tuple[bytes, list[tuple[str, str]]]:
    """Read the head of one answer: its first line, and its headers, folded lines in one.

    Raises:
        RemoteDisconnected: nothing came.
        UnusableAnswer: it is no head, ends too early, or is too long.
    """
    start = stream.readline(_LONGEST_LINE)
    if not start:
        raise http.client.RemoteDisconnected("nothing came")
    if not _STATUS_LINE.match(start):
        begins_well = not start.endswith(b"\n") and start.startswith(b"HTTP/"[: len(start)])
        raise UnusableAnswer(
            CUT_OFF if begins_well else SPEAKS_TLS if start.startswith(_TLS_ALERT) else NOT_HTTP
        )
    headers: list[tuple[str, str]] = []
    size = 0
    for _ in range(_MOST_LINES + 1):
        line = stream.readline(_LONGEST_HEAD)
        size += len(line)
        if size >= _LONGEST_HEAD:
            raise UnusableAnswer(_HEAD_TOO_LONG)
        if not line.endswith(b"\n"):
            raise UnusableAnswer(CUT_OFF)
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return start, headers
        name, colon, value = text.partition(":")
        if text[0] in " \t" and headers:  # folded, as it was allowed once (RFC 9112 §5.2)
            headers[-1] = headers[-1][0], f"{headers[-1][1]} {text.strip()}".strip()
        elif not colon or not name.strip() or text[0] in " \t":
            raise UnusableAnswer(NOT_HTTP)
        else:
            headers.append((name.strip(), value.strip(" \t")))
    raise UnusableAnswer(_TOO_MANY_LINES)


def _framing(headers: list[tuple[str, str]]) -> str:
    """Return the header that says where the body ends; none where the end of the connection is its end (RFC 9112 §6.3).

    Raises:
        UnusableAnswer: it cannot be told.
    """
    codings = [
        one.strip().lower()
        for name, value in headers
        if name.lower() == "transfer-encoding"
        for one in value.split(",")
    ]
    codings = [one for one in codings if one not in ("", "identity")]
    if codings:
        if codings != ["chunked"]:
            raise UnusableAnswer(_UNKNOWN_FRAMING)
        return "Transfer-Encoding: chunked\r\n"
    lengths = {
        one.strip() for name, value in headers if name.lower() == "content-length" for one in value.split(",")
    }
    if not lengths:
        return ""
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,18}", next(iter(lengths))):
        raise UnusableAnswer(NOT_HTTP)
    return f"Content-Length: {lengths.pop()}\r\n"


def _lines(headers: list[tuple[str, str]]) -> bytes:
    """Return the lines that say whether the connection stays open."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers if name.lower() in _HOP_BY_HOP).encode(
        "latin-1"
    )


class UnreadBody(UnusableAnswer):
    """The body of an answer has come to its end and cannot be decoded; its status and headers say what they say."""


def read_body(answer: urllib3.BaseHTTPResponse | Answer, method: str) -> bytes:
    """Read the body of an answer to a request of `method`, each piece as soon as it is there, and decode it.

    Raises:
        UnreadBody: it is in a content coding that is not read, or not in the one that its header names.
        UnusableAnswer: the answer is longer than `LARGEST` bytes, ends too early, or is not HTTP.
        OSError, http.client.HTTPException, urllib3.exceptions.HTTPError: it did not arrive in time.
    """
    body = bytearray()
    try:
        while piece := answer.read1(_PIECE):
            body += piece
            if len(body) > LARGEST:
                answer.close()
                raise UnusableAnswer(TOO_LONG)
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        if (kind := kind_of(error)) in (CUT_OFF, NOT_HTTP):
            raise UnusableAnswer(kind) from None
        raise
    if isinstance(answer, Answer) and answer.length:
        raise UnusableAnswer(CUT_OFF)
    named = {name.lower(): value for name, value in answer.headers.items()}
    framed = {"content-length", "transfer-encoding"} & named.keys()
    if not body and not framed and answer.status not in (204, 304) and method != "HEAD":
        raise UnusableAnswer(CUT_OFF)  # a head without framing may as well have been cut off
    codings = ",".join(value for name, value in answer.headers.items() if name.lower() == "content-encoding")
    try:
        return decoded(bytes(body), codings, LARGEST)
    except Undecodable as why:
        raise UnreadBody(str(why)) from None


__all__ = ["Answer", "UnreadBody", "read_body"]
