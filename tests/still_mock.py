"""The mock in this process, on an event loop of counted time: no socket, no thread, no other process.

It is spoken to in bytes, through the protocol that serves the sockets of a real one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from mock_server.admin.access import Access
from mock_server.admin.application import create_application
from mock_server.admin.event_stream import EventStreams
from mock_server.admin.loop_bridge import LoopBridge
from mock_server.app import create_app
from mock_server.cli import banner
from mock_server.domain.ports import NoAnswer
from mock_server.domain.webhook_answers import Reply as WebhookReply
from mock_server.settings import ADMIN, AdminSettings, Settings
from tests.corpus.still_loop import LoopClock, StillLoop
from tests.documents import shared_document
from tests.in_process import answered
from tests.memory_wire import Connection, Wire
from tests.pools import PoolHere
from tests.replies import Reply, answer_from, read_reply
from tests.running_mock import Mock
from tests.waiting import wait_until

START: Final = 1_800_000_000
"""What the clock of the mock shows at the loop's time 0, in seconds since 1970."""
TOKEN: Final = "still-token"
"""The token of the admin plane."""


class StillMock(Mock):
    """A mock whose time passes only while a client waits for it."""

    admin_token = TOKEN

    def __init__(self, loop: StillLoop | None = None, **settings: Any) -> None:
        """Make a mock with these settings, on a loop of its own or on that of another mock, whose end does not end it."""
        self.loop = loop or StillLoop()
        self._own_loop = loop is None
        chosen = Settings(**settings)
        self.lines: list[str] = []
        self.app = create_app(
            chosen,
            document=shared_document(chosen.document),
            clock=LoopClock(START * 1_000, self.loop),
            webhook_client=NoWebhooks(),
            make_process_pool=PoolHere,
            timer=self.loop.time,
            log=self.lines.append,
        )
        self.lines += banner.coverage_table(self.app.coverage).splitlines()
        headers = [("x-arklow-mock-document", banner.short_digest(self.app.coverage))]
        self._wire = Wire(self.app, self.loop, START, headers)
        bridge = Bridge(self.loop)
        self._admin = create_application(
            shared_document(ADMIN),
            self.app.administration,
            self.app.faults,
            bridge=bridge,
            streams=EventStreams(bridge),
            access=Access(AdminSettings(TOKEN)),
            log=self.lines.append,
        )

    def __enter__(self) -> StillMock:
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.run_until_complete(self.app.end())
        self.app.close()
        if self._own_loop:
            self.loop.close()

    def connect(self, latency: float = 0.0) -> Connection:
        """Connect to either port; bytes take half of `latency` each way, in seconds of the loop's time."""
        return self._wire.connect(latency)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def line_with(self, text: str) -> str:
        """Return the first line of the log that has `text`, as soon as it is written."""

        def found() -> str:
            self.wait(0)
            return next((line for line in self.lines if text in line), "")

        return wait_until(found, f"a line with {text!r}")

    def raw(self, data: bytes, *, then: bytes = b"", timeout: float = 60) -> Reply:
        """Send bytes as they are and read one answer; `then` is sent 50 ms later on the same connection."""
        with self.connect() as connection:
            connection.settimeout(timeout)
            connection.sendall(data)
            if then:
                self.wait(0.05)
                connection.sendall(then)
            return read_reply(connection, head=data.startswith(b"HEAD "))

    def ask_admin(self, method: str, path: str, body: object, host: str, headers: dict[str, str]) -> Reply:
        """Send one request to the admin plane, with these headers; a body that is not None as JSON."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return answer_from(answered(self._admin, "\r\n".join([*lines, "", ""]).encode() + content))


class NoWebhooks:
    """Calls no webhook: nothing listens anywhere."""

    async def prepare(self) -> None:
        """Do nothing."""

    def why_not_called(self, url: str) -> str:
        """Return that there is no reason."""
        return ""

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> WebhookReply:
        """Raise `NoAnswer`."""
        raise NoAnswer("no usable answer: nothing listens there")

    async def close(self) -> None:
        """Do nothing."""


class Bridge(LoopBridge):
    """Runs the admin plane's commands on a loop that stands still meanwhile."""

    def __init__(self, loop: StillLoop) -> None:
        super().__init__(loop)
        self._still = loop

    def run(self, start: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a command to its end."""
        return self._still.run_until_complete(start())

    def call_soon(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call at once: no other thread is in the way."""
        function(*arguments)


__all__ = ["START", "Bridge", "StillMock"]
