"""The transport over sockets: one message at a time over connections that are kept, or a volley."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Sequence
from typing import Any

import urllib3

from ..core.target import Target
from .answers import UnreadBody, read_body
from .clock import Clock
from .connections import Connections, Head
from .interference import CUT_OFF, Interference, UnusableAnswer, kind_of
from .tls import SPEAKS_TLS
from .volley import Volleys
from .wire import Message, Reply

_WANTS_TLS = re.compile(
    rb"plain HTTP request was sent to HTTPS port|sent an HTTP request to an HTTPS server"
    rb"|speaking plain HTTP to an SSL-enabled server port"
)
"""What nginx, servers of Go, and Apache write in a 400 to a request that comes without TLS."""


class HttpTransport:
    """Sends over HTTP to the servers of one target; follows no redirect, asks for no password.

    Raises:
        NoWay: a file that says how the target is reached cannot be used.
    """

    def __init__(self, target: Target, clock: Clock) -> None:
        self._clock = clock
        self._connections = Connections(target.connection)
        self._pools = {
            base: self._connections.pool(base, self._note_opened)
            for base in {target.base_url, target.ingress_url}
        }
        self._volleys = Volleys(self._connections, clock)
        self._keeps: dict[str, bool] = {}
        """URL of a server → whether its last answer let the connection be used again."""
        self._reasons: dict[str, str | None] = {}
        """URL of a server that has never answered → why it closes connections."""
        self._opened = 0
        """How often a connection was opened for one message."""
        self._drops = 0

    @property
    def drops(self) -> int:
        """Connections that were to be used again, and that the target has closed meanwhile."""
        return self._drops

    def send(self, message: Message, timeout: float) -> Reply:
        """Send one message and return its answer, which may take `timeout` seconds.

        Raises:
            UnusableAnswer: an answer began and cannot be used.
            Interference: no answer came, or none of the target.
        """
        try:
            reply = self._sent(message, timeout)
        except Interference as met:
            is_cut_off = str(met) == CUT_OFF and not isinstance(met, UnusableAnswer)
            if is_cut_off and message.base not in self._keeps and (why := self._why_cut_off(message.base)):
                raise Interference(why) from None
            raise
        self._connections.refuse_word_of_proxy(message.base, reply.status)
        return reply

    def _why_cut_off(self, base: str) -> str | None:
        """Say why a server that has never answered closes connections, as far as TLS is the reason; it is asked once."""
        if base not in self._reasons:
            self._reasons[base] = self._connections.why_cut_off(base)
        return self._reasons[base]

    def _sent(self, message: Message, timeout: float) -> Reply:
        request = message.request
        if message.base not in self._pools:  # a URL that may have been meant, on a host of the target
            self._pools[message.base] = self._connections.pool(message.base, self._note_opened)
        pool = self._pools[message.base]
        target = self._connections.request_target(message.base, request.path)
        sent, opened = self._clock.now(), self._opened
        try:
            answer = pool.urlopen(
                request.method,
                message.base,
                body=list(message.pieces()) if request.chunks else request.body,
                headers=Head(target, message.headers),
                chunked=bool(request.chunks),
                timeout=urllib3.Timeout(total=timeout),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
            body, unread = _read(answer, request.method)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise Interference(kind_of(error)) from None
        if message.base not in self._keeps and answer.status == 400 and _WANTS_TLS.search(body):
            raise UnusableAnswer(SPEAKS_TLS)
        self._drops += self._opened > opened and self._keeps.get(message.base, False)
        self._keeps[message.base] = (answer.headers.get("connection") or "").lower() != "close"
        headers = tuple(map(_text_pair, answer.headers.items()))
        return Reply(answer.status, headers, body, sent, self._clock.now(), unread)

    def send_together(
        self, messages: Sequence[Message], timeout: float
    ) -> Iterator[tuple[int, Reply | Interference]]:
        """Send all messages at the same moment, each over a connection of its own.

        Returns:
            pairs of a message's index and its answer, or what was met instead, in the order in which they come.

        Raises:
            Interference: the connections could not be made; nothing was sent.
        """
        return self._volleys.send(messages, timeout)

    def _note_opened(self) -> None:
        self._opened += 1

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        self._volleys.close()


def _read(answer: urllib3.BaseHTTPResponse, method: str) -> tuple[bytes, str]:
    """Return the body of an answer, and an empty text; or an empty body, and why it cannot be read."""
    try:
        return read_body(answer, method), ""
    except UnreadBody as why:
        return b"", str(why)


def _text_pair(header: tuple[Any, Any]) -> tuple[str, str]:
    return str(header[0]), str(header[1])


__all__ = ["HttpTransport"]
