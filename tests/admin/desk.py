"""The admin plane in this process, beside a mock on a clock that tests move by hand; every answer is checked."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from concurrent.futures import Future
from functools import cache
from typing import Any

from flask import Flask

from mock_server.admin.access import Access
from mock_server.admin.application import create_application
from mock_server.admin.event_stream import EventStreams
from mock_server.admin.loop_bridge import LoopBridge
from mock_server.api.document import Document
from mock_server.schemas import mismatch
from mock_server.services.administration import Administration
from mock_server.settings import ADMIN, AdminSettings
from tests.api.asgi import World
from tests.replies import Reply
from tests.running_mock import JSON
from tests.waiting import PATIENCE

TOKEN = "a-token-of-the-tests"
BEARER = {"authorization": f"Bearer {TOKEN}"}
NOON = "2030-01-01T12:00:00.000Z"


@cache
def document() -> Document:
    """Load the document of the admin plane."""
    return Document(ADMIN)


def checked(method: str, path: str, reply: Reply) -> Reply:
    """Return the reply, checked against the document of its operation; 404 and 405 have no operation."""
    if 400 <= reply.status < 500 and method != "HEAD":
        assert re.match(r"\S+( \S+)?: expected .*[,;] got ", reply.error["message"]), reply.error
    for operation in document().operations:
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", operation.path)
        if operation.method == method.lower() and re.fullmatch(pattern, path.split("?")[0]):
            validator = operation.response(reply.status)
            if validator is not None:
                assert mismatch(validator, reply.json, "answer") is None
    return reply


class Desk(World):
    """A mock whose loop runs in a thread, with the admin plane in front of it."""

    def __init__(self, *, limit: float = PATIENCE, names: tuple[str, ...] = (), origins: tuple[str, ...] = (), **settings: Any) -> None:  # fmt: skip
        super().__init__(**{"auto_define": True, "delivery_limit": 50.0} | settings)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.bridge = LoopBridge(self.loop, limit)
        self.streams = EventStreams(self.bridge)
        self._access = Access(AdminSettings(TOKEN, frozenset(names), frozenset(origins)))
        self.serve(self.app.administration)

    def serve(self, administration: Administration) -> None:
        """Put the admin plane in front of `administration`."""
        self.flask: Flask = create_application(
            document(),
            administration,
            self.app.faults,
            bridge=self.bridge,
            streams=self.streams,
            access=self._access,
            log=self.log.append,
        )

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the loop."""
        self.bridge.close()
        self.on_loop(self.app.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        self.app.close()

    def on_loop(self, coroutine: Any) -> Any:
        """Run a coroutine on the mock's loop, and return its result."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        return future.result(PATIENCE)

    def admin(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send one command, its path below the organisations; a body that is not bytes is sent as JSON."""
        path = path if path.startswith("/") else f"/organisations/{path}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = BEARER | ({} if body is None else JSON) | (headers or {})
        with self.flask.test_client() as client:
            response = client.open(path, method=method, data=content, headers=sent)
            reply = Reply(
                response.status_code, {k.lower(): v for k, v in response.headers}, response.get_data()
            )
        return checked(method, path, reply)

    def freeze(self, now: str = NOON) -> None:
        """Reset organisation 42 with a clock that is frozen at a time."""
        assert self.admin("POST", "42/reset", {"clock": {"mode": "frozen", "now": now}}).status == 200
