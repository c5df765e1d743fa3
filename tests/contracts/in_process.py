"""A transport that calls an application in this process, on a clock that the two share."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from contracts.transport.interference import TOO_SLOW, Interference, kind_of
from contracts.transport.wire import Message, Reply
from tests.clocks import TimedOut, VirtualClock
from tests.contracts.lines import answer_on, written
from tests.in_process import ClientEnd

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LATENCY: Final = 0.004
"""Seconds from the first byte of a request to the last one of its answer: what a busy server on the same machine takes."""


class InProcessTransport:
    """Carries messages to an application by calling it with their bytes; time passes on a virtual clock.

    Requests of a volley are begun at the same moment, and one runs until it pauses or ends: so they meet in the same way
    each time.
    """

    def __init__(self, app: WSGIApplication, clock: VirtualClock, latency: float = LATENCY) -> None:
        """Make a transport whose messages take `latency` seconds there and back, beside what the application takes."""
        self._app = app
        self._clock = clock
        self._half = latency / 2

    @property
    def drops(self) -> int:
        """Connections that were to be used again and were closed: as often as the application went away."""
        return int(getattr(self._app, "restarts", 0))

    def send(self, message: Message, timeout: float) -> Reply:
        """Send one message and return its answer.

        Raises:
            Interference: no answer came.
        """
        reply = self._sent(message, self._clock.now(), timeout)
        if isinstance(reply, Interference):
            raise reply
        return reply

    def send_together(
        self, messages: Sequence[Message], timeout: float
    ) -> Iterator[tuple[int, Reply | Interference]]:
        """Connect for one message after the other, send all at the same moment, and yield each answer with its index."""
        self._clock.wait(len(messages) * self._half)
        sent, found = self._clock.now(), []

        def call(index: int, message: Message) -> Callable[[], None]:
            return lambda: found.append((index, self._sent(message, sent, timeout)))

        self._clock.together([call(index, message) for index, message in enumerate(messages)])
        yield from found

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _sent(self, message: Message, sent: float, timeout: float) -> Reply | Interference:
        """Return the answer to a message of the moment `sent`, or what kept it from arriving within `timeout` seconds."""
        clock = self._clock
        try:
            with clock.limited(sent + timeout):
                clock.pause_until(sent + self._half)
                line = written(message, ClientEnd(self._app))
                status, headers, body, unread = answer_on(line, message.request.method)
                clock.pause_until(clock.now() + self._half)
            return Reply(status, headers, body, sent, clock.now(), unread)
        except TimedOut:
            return Interference(TOO_SLOW)
        except Interference as met:
            return met
        except (OSError, ValueError, http.client.HTTPException) as error:
            interference = Interference(kind_of(error))
            interference.__context__ = error  # as over sockets
            return interference


__all__ = ["LATENCY", "InProcessTransport"]
