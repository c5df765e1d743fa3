"""Answers as they are read from a socket: in time, past interim ones, and no further than their end."""

from __future__ import annotations

import http.client
import io
import time
from typing import Any

import urllib3

from .interference import CUT_OFF, LARGEST, TOO_LONG, UnusableAnswer

_PIECE = 1 << 16
"""Bytes that are read at once."""


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

    Interim answers before it are passed over; http.client passes over no other than 100 (RFC 9110 §15.2).
    """

    def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_TimedSocket(sock, self.fp.detach()))

    def begin(self) -> None:
        """Read the head, and those of interim answers before it."""
        super().begin()
        while 100 <= self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment]  # else `begin` returns at once
            super().begin()


def read_body(answer: urllib3.BaseHTTPResponse | Answer, method: str) -> bytes:
    """Read the body of an answer to a request of `method`, each piece as soon as it is there.

    Raises:
        UnusableAnswer: the body is longer than `LARGEST` bytes, or the answer ends within its head.
    """
    body = bytearray()
    while piece := answer.read1(_PIECE):
        body += piece
        if len(body) > LARGEST:
            answer.close()
            raise UnusableAnswer(TOO_LONG)
    framing = {"content-length", "transfer-encoding"} & {name.lower() for name in answer.headers}
    if not body and not framing and answer.status not in (204, 304) and method != "HEAD":
        raise UnusableAnswer(CUT_OFF)  # a head without framing may as well have been cut off
    return bytes(body)


__all__ = ["Answer", "read_body"]
