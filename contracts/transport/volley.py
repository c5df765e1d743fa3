"""Many requests at the same moment: each goes over a connection of its own, which is open before any is sent."""

from __future__ import annotations

import http.client
import selectors
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from .answers import Answer, UnreadBody, read_body
from .clock import Clock
from .connections import Connections, Line
from .interference import TOO_SLOW, Interference, kind_of
from .wire import Message, Reply

_LEAST_TIMEOUT = 0.001
"""Seconds that a read gets however late it is: a timeout of 0 would make the socket non-blocking."""


class Volleys:
    """Sends volleys to the servers of one target; connections are kept from one volley to the next."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._lines: dict[str, list[Line]] = {}
        """URL of a server → the connections to it."""

    def send(self, messages: Sequence[Message], timeout: float) -> Iterator[tuple[int, Reply | Interference]]:
        """Connect, send all messages, then read each answer as it comes, for `timeout` seconds in all.

        Returns:
            pairs of a message's index and its answer, or what was met instead.

        Raises:
            Interference: the connections could not be made; nothing was sent.
        """
        until = time.monotonic() + timeout
        lines = self._connected(messages, until)
        texts = [self._text(message) for message in messages]
        sent: list[float] = []
        with selectors.DefaultSelector() as waiting:
            for index, (line, text) in enumerate(zip(lines, texts, strict=True)):
                sent.append(self._clock.now())
                try:
                    line.sock.sendall(text)
                    waiting.register(line.sock, selectors.EVENT_READ, index)
                except OSError as error:
                    line.close()
                    yield index, Interference(kind_of(error))
            while waiting.get_map() and time.monotonic() < until:
                for key, _ in waiting.select(until - time.monotonic()):
                    waiting.unregister(key.fileobj)
                    index = key.data
                    line = lines[index]
                    line.sock.settimeout(_left(until))
                    yield index, self._answer(line, messages[index], sent[index])
            for key in list(waiting.get_map().values()):
                lines[key.data].close()
                yield key.data, Interference(TOO_SLOW)

    def close(self) -> None:
        """Close every connection."""
        for lines in self._lines.values():
            for line in lines:
                line.close()

    def _answer(self, line: Line, message: Message, sent: float) -> Reply | Interference:
        """Read the answer on one connection to its end; a connection that is of no more use is closed."""
        method = message.request.method
        answer = Answer(line.sock, method=method)
        body, unread = b"", ""
        try:
            answer.begin()
            self._connections.refuse_word_of_proxy(message.base, answer.status)
            body = read_body(answer, method)
        except UnreadBody as why:
            unread = str(why)
        except (http.client.HTTPException, OSError, ValueError) as error:
            line.close()
            return Interference(kind_of(error))
        except Interference as met:
            line.close()
            return met
        if answer.will_close:
            line.close()
        return Reply(answer.status, tuple(answer.getheaders()), body, sent, self._clock.now(), unread)

    def _text(self, message: Message) -> bytes:
        """Write a message as it goes over the wire."""
        request, body = message.request, message.request.body or b""
        target = self._connections.request_target(message.base, request.path)
        head = [f"{request.method} {target} HTTP/1.1", f"Host: {urlsplit(message.base).netloc}"]
        if all(name.lower() != "accept-encoding" for name, _ in message.headers):
            head.append("Accept-Encoding: identity")  # as http.client does, which sends single requests
        forwarding = self._connections.forwarding_headers(message.base)
        head += [f"{name}: {value}" for name, value in (*message.headers, *forwarding.items())]
        head += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(head).encode("latin-1") + body

    def _connected(self, messages: Sequence[Message], until: float) -> list[Line]:
        """Return an open connection for each message, in their order, before the second `until` of `time.monotonic`.

        Raises:
            Interference: one could not be opened.
        """
        taken: dict[str, int] = {}
        lines = []
        for message in messages:
            known = self._lines.setdefault(message.base, [])
            number = taken[message.base] = taken.get(message.base, -1) + 1
            if number == len(known):
                known.append(self._connections.line(message.base))
            line = known[number]
            line.timeout = _left(until)
            if line.sock is not None and not line.is_connected:
                line.close()  # the server has closed it meanwhile, or has sent what is no answer
            if line.sock is None:
                line.connect()
            line.sock.settimeout(_left(until))
            lines.append(line)
        return lines


def _left(until: float) -> float:
    """Return the seconds that are left until a second of `time.monotonic`, and a little if none are."""
    return max(until - time.monotonic(), _LEAST_TIMEOUT)


__all__ = ["Volleys"]
