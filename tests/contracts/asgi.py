"""The judge against the mock in this process: the mock's loop is the run's clock, and bytes go over connections in memory."""

from __future__ import annotations

import asyncio
import http.client
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from contracts import Credential, Plan, Run, RunFinished, Target
from contracts.commands.ports import Ports
from contracts.core.events import Listener
from contracts.transport.interference import TOO_SLOW, Interference, kind_of
from contracts.transport.wire import Message, Reply
from tests.contracts.lines import answer_on, written
from tests.contracts.runs import RUN_ID
from tests.corpus.still_loop import StillLoop
from tests.memory_wire import Connection, as_file
from tests.still_mock import START, StillMock

KEYS = Credential("org-41", "41", "A"), Credential("org-42", "42", "B")
URL = "http://localhost:3123"
"""Where the mock seems to be: on this machine, so that a run may be intrusive."""

LATENCY: Final = 0.1
"""Seconds there and back: so much that the parts of a run which take a share of its time send few requests."""
_NEVER: Final = 3_600.0
"""Seconds that an answer may take by the machine's clock: the time of the loop is what limits it."""
_AWAY: Final = 0.3
"""Seconds in which nothing listens between one mock and the next."""


class LoopClock:
    """The clock of a run: it goes with the loop, which runs while the judge waits."""

    def __init__(self, loop: StillLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Return the loop's time in seconds."""
        return self._loop.time()

    def unix_time(self) -> float:
        """Return the seconds since 1970."""
        return START + self._loop.time()

    def wait(self, seconds: float) -> None:
        """Run the loop until so much of its time has passed."""
        self._loop.run_until_complete(asyncio.sleep(seconds))


class _Socket:
    """A connection in memory as http.client takes it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sendall = connection.sendall
        self.close = connection.close

    def makefile(self, *_: Any) -> io.BufferedReader:
        return as_file(self.connection)

    def gettimeout(self) -> float:
        return _NEVER

    def settimeout(self, *_: Any) -> None:
        """Wait by the loop's clock, which the transport has set."""

    setsockopt = shutdown = settimeout


class MockTransport:
    """Carries messages to a mock on a loop; requests of a volley begin at the same moment of the loop's time."""

    def __init__(
        self,
        mock: StillMock,
        latency: float = LATENCY,
        successors: Iterable[tuple[float, Callable[[], StillMock]]] = (),
    ) -> None:
        """Make a transport whose messages take `latency` seconds there and back.

        At each moment of `successors`, in seconds of the loop's time, the mock ends; a little later another one answers.
        """
        self._mock = mock
        self._loop = mock.loop
        self._latency = latency
        self._successors = deque(successors)
        self._kept: Connection | None = None
        self._down_until = 0.0
        """Nothing listens before this moment of the loop's time."""
        self.drops = 0
        """Connections that were to be used again and were closed."""

    def send(self, message: Message, timeout: float) -> Reply:
        """Send one message and return its answer.

        Raises:
            Interference: no answer came.
        """
        self._succeed()
        if self._kept is not None and self._kept.ended:
            self.drops += 1
            self._kept = None
        connection, self._kept = self._kept or self._mock.connect(self._latency), None
        read = self._written(message, connection, timeout)
        reply = read()
        if isinstance(reply, Interference):
            raise reply
        if (dict(reply.headers).get("connection") or "").lower() != "close":
            self._kept = connection
        return reply

    def send_together(
        self, messages: Sequence[Message], timeout: float
    ) -> Iterator[tuple[int, Reply | Interference]]:
        """Send all messages at the same moment, each over a connection of its own, and yield the answers as they come."""
        self._succeed()
        connections = [self._mock.connect(self._latency) for _ in messages]
        reading = [
            self._written(message, connection, timeout)
            for message, connection in zip(messages, connections, strict=True)
        ]
        found = [(index, read()) for index, read in enumerate(reading)]
        for connection in connections:
            connection.close()
        yield from sorted(found, key=lambda one: one[1].received if isinstance(one[1], Reply) else timeout)

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._kept is not None:
            self._kept.close()

    def _succeed(self) -> None:
        """Let the mock end whose time is over, and another one take its place."""
        while self._successors and self._successors[0][0] <= self._loop.time():
            at, make = self._successors.popleft()
            self._mock = make()
            self._down_until = at + _AWAY
            if self._kept is not None:
                self._kept.end("close")

    def _written(
        self, message: Message, connection: Connection, timeout: float
    ) -> Callable[[], Reply | Interference]:
        """Write a message, and return the function that reads its answer or says what was in the way."""
        sent = self._loop.time()
        line = None if sent < self._down_until else written(message, _Socket(connection))

        def read() -> Reply | Interference:
            if line is None:
                return Interference(kind_of(ConnectionRefusedError("refused")))
            connection.settimeout(max(0.0, sent + timeout - self._loop.time()))
            try:
                status, headers, body, unread = answer_on(line, message.request.method)
            except TimeoutError:
                return Interference(TOO_SLOW)
            except Interference as met:
                return met
            except (OSError, ValueError, http.client.HTTPException) as error:
                return Interference(kind_of(error))
            return Reply(status, headers, body, sent, connection.last_arrival, unread)

        return read


def ports_to(mock: StillMock) -> Ports:
    """Return what a command of the judge is handed, so that it goes to a mock on a loop."""
    return Ports(LoopClock(mock.loop), MockTransport(mock), RUN_ID)


def judged_on(
    mock: StillMock, *listeners: Listener, transport: MockTransport | None = None, **members: Any
) -> RunFinished:
    """Run the judge against a mock, with keys of organisations 41 and 42; `members` are those of the plan."""
    plan = Plan(**{"target": Target(URL, URL, *KEYS), "seed": 1, **members})
    clock = LoopClock(mock.loop)
    return Run(
        plan, *listeners, clock=clock, transport=transport or MockTransport(mock), run_id=RUN_ID
    ).judge()


__all__ = ["KEYS", "LATENCY", "URL", "LoopClock", "MockTransport", "judged_on", "ports_to"]
