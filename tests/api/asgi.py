"""The mock in this process, on a clock that tests move by hand, called without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from operator import attrgetter
from typing import Any
from urllib.parse import quote, unquote

from mock_server.adapters.clocks import ManualClock
from mock_server.app import create_app
from mock_server.settings import Settings
from tests.corpus.still_loop import run_still
from tests.documents import shared_document
from tests.pools import PoolHere
from tests.replies import Reply
from tests.running_mock import JSON, PUT


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class World:
    """A mock of its own, with helpers for the requests that tests make most."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.log: list[str] = []
        chosen = Settings(**settings)
        document = shared_document(chosen.document)
        self.app = create_app(
            chosen,
            document=document,
            clock=self.clock,
            make_process_pool=PoolHere,
            timer=_loop_time,
            log=self.log.append,
        )

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "org-42",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request and return its reply; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"x-arklow-auth": key} | JSON | (headers or {})
        reply = self.on_loop(self._call(method, path, content, sent))
        assert isinstance(reply, Reply)
        return reply

    def on_loop(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on a loop of its own, whose waits take no time, and return its result."""
        return run_still(coroutine)

    async def _call(
        self, method: str, path: str, content: bytes, headers: dict[str, str], *, whole: bool = True
    ) -> Reply:
        raw_path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("latin-1"),
            "root_path": "",
            "query_string": query.encode("latin-1"),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        arriving = [{"type": "http.request", "body": content, "more_body": not whole}]
        sent: list[Any] = []

        async def receive() -> Any:
            return arriving.pop() if arriving else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, body = sent
        found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Reply(start["status"], found, body["body"], closed=False)

    def put(self, variant: str = "v", *, key: str = "org-42", **body: Any) -> Reply:
        """PUT a definition of organisation 42."""
        return self.call("PUT", PUT, {"variant": variant, "schema": {}} | body, key=key)

    def accept(self, variant: str = "v", *, query: str = "", key: str = "org-42", **body: Any) -> Any:
        """POST work, and return the `data` of its answer."""
        path = f"/v1/ingress/{quote(variant, safe='')}{query}"
        reply = self.call("POST", path, {"payload": None} | body, key=key)
        assert reply.status == 200, reply.body
        return reply.json["data"]

    def modack(
        self, action: str, attempt: int = 0, seconds: int = 60, *, key: str = "org-42"
    ) -> tuple[int, str]:
        """Extend a lease; return status and error code, which is empty on success."""
        body = {"action_record_id": action, "attempt": attempt, "mod_ack": seconds}
        reply = self.call("POST", "/v1/modack", body, key=key)
        return reply.status, "" if reply.status == 200 else reply.error["code"]

    def record(self, action: str, *, key: str = "org-42", org: str = "42") -> Any:
        """Read the record of an action."""
        reply = self.call("GET", f"/v1/orgs/{org}/actions/records/{action}", key=key)
        assert reply.status == 200, reply.body
        return reply.json["data"]

    def state(self, action: str) -> tuple[str, int]:
        """Return status and attempt of an action."""
        state = self.record(action)["state"]
        return state["status"], state["attempt"]

    def signal(
        self, name: str, action: str, attempt: int = 0, *, key: str = "org-42", **members: Any
    ) -> tuple[int, str]:
        """Send an ack, nack or defer; return status and error code, which is empty on success."""
        body = {"action_record_id": action, "attempt": attempt} | members
        reply = self.call("POST", f"/v1/{name}", body, key=key)
        return reply.status, "" if reply.status == 200 else reply.error["code"]

    def admin(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Call a command of the admin plane for organisation 42, without HTTP."""

        async def command() -> Any:
            done = attrgetter(name)(self.app.administration)("42", *arguments, **named)
            return await done if asyncio.iscoroutine(done) else done

        return run_still(command())
