"""The transport over sockets: one message at a time over connections that are kept, or a volley."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Sequence
from typing import Any

import urllib3

from ..core.target import Target
from .answers import read_body
from .clock import Clock
from .connections import Connections, Head
from .interference import Interference, kind_of
from .volley import Volleys
from .wire import Message, Reply


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
            Interference: no answer came.
        """
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
            )
            body = read_body(answer, request.method)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise Interference(kind_of(error)) from None
        self._drops += self._opened > opened and self._keeps.get(message.base, False)
        self._keeps[message.base] = (answer.headers.get("connection") or "").lower() != "close"
        headers = tuple(map(_text_pair, answer.headers.items()))
        return Reply(answer.status, headers, body, sent, self._clock.now())

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


def _text_pair(header: tuple[Any, Any]) -> tuple[str, str]:
    return str(header[0]), str(header[1])


__all__ = ["HttpTransport"]
