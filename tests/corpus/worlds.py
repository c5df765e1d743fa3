"""One mock in this process, without sockets, threads or the machine's time: all that the corpus knows of the project.

No other module of `tests.corpus` imports the mock, so that a module which moves or is renamed is followed here alone.
"""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, unquote_to_bytes, urlsplit

from mock_server.adapters.webhook_client import WebhookClient
from mock_server.admin.access import Access
from mock_server.admin.application import create_application
from mock_server.admin.event_stream import EventStreams
from mock_server.api.faults import CONNECTION
from mock_server.app import create_app
from mock_server.domain.ports import NoAnswer
from mock_server.domain.webhook_answers import Reply
from mock_server.seeds.interpretations_file import read as read_interpretations
from mock_server.settings import ADMIN, PUBLISHED, AdminSettings, Settings
from tests.corpus import steps
from tests.corpus.steps import Answer, Plan, Request
from tests.corpus.still_loop import LoopClock, StillLoop
from tests.documents import shared_document
from tests.pools import PoolHere
from tests.still_mock import Bridge

START: Final = 1_767_225_600_000
"""What the machine's clock shows at the start, in milliseconds since the epoch: 2026-01-01."""
TOKEN: Final = "corpus-token"


class _WebhookClient(WebhookClient):
    """Calls no webhook: the URL itself says what its receiver answers.

    `/500,200` answers attempt 0 with 500 and all others with 200; `signal`, `value`, `body`, `retry` and `delay` of the
    query are the parts of that answer; `/down` gives none.
    """

    async def prepare(self) -> None:
        pass

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        reason = self.why_not_called(url)
        if reason:
            raise NoAnswer(f"not sent: {reason}")
        split = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        await asyncio.sleep(float(query.get("delay", "0")))
        attempt = next(int(value) for name, value in headers if name.lower() == "x-arklow-attempt")
        statuses = split.path.strip("/").split(",")
        status = statuses[min(attempt, len(statuses) - 1)]
        if status == "down":
            raise NoAnswer("no usable answer: nothing listens there")
        names = (
            ("signal", "x-arklow-signaling"),
            ("value", "x-arklow-signaling-val"),
            ("retry", "retry-after"),
        )
        found = tuple((name, query[member]) for member, name in names if member in query)
        answer = query.get("body", "").encode() or b"got %d bytes" % len(body)
        retry = int(query["retry"]) * 1_000 if "retry" in query else None
        return Reply(int(status), (("server", "corpus"), *found), answer, True, retry)


class _Connection:
    """The connection of one request, which remembers how it was ended."""

    def __init__(self) -> None:
        self.ended = ""

    def close(self) -> None:
        self.ended = self.ended or "close"

    def reset(self) -> None:
        self.ended = self.ended or "reset"


class World:
    """One mock, made as a plan says."""

    def __init__(self, plan: Plan) -> None:
        self.loop = StillLoop()
        self._stack = ExitStack()
        self._stack.callback(self.loop.close)
        given = dict(plan.settings)
        names, origins = given.pop("admin_names", ()), given.pop("admin_origins", ())
        settings = Settings(**self._read(given))
        self.app = create_app(
            settings,
            document=shared_document(settings.document),
            clock=LoopClock(START, self.loop),
            webhook_client=_WebhookClient(settings.deliver_to, limit=settings.delivery_limit),
            make_process_pool=PoolHere,
            timer=self.loop.time,
        )
        if settings.seed_file is not None:
            running = self.app.running()
            self._wait_for(self.app.read_seed())
            self._wait_for(running.__aenter__())
            self._stack.callback(lambda: self._wait_for(running.__aexit__(None, None, None)))
        bridge = Bridge(self.loop)
        self._admin = create_application(
            shared_document(ADMIN),
            self.app.administration,
            self.app.faults,
            bridge=bridge,
            streams=EventStreams(bridge),
            access=Access(AdminSettings(TOKEN, frozenset(names), frozenset(origins))),
            log=lambda _: None,
        )

    def _read(self, given: dict[str, Any]) -> dict[str, Any]:
        """The settings that a plan spells: texts of files become files, or what the mock makes of them."""
        chosen = given.pop("interpretations", None) or given.pop(
            "readings", None
        )  # its name when it was recorded
        if chosen is not None:
            text = json.dumps({"interpretations": chosen}).encode()
            given["interpretations"] = read_interpretations(text, "interpretations.yaml").interpretations
        if given.get("document") == "published":
            given["document"] = PUBLISHED
        for member, name in (("document", "document.yaml"), ("seed_file", "seed.yaml")):
            if isinstance(given.get(member), str):
                folder = self._stack.enter_context(tempfile.TemporaryDirectory())
                text, given[member] = given[member], Path(folder) / name
                given[member].write_text(text, "utf-8")
        if "deliver_to" in given:
            given["deliver_to"] = frozenset(given["deliver_to"])
        return given

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._wait_for(self.app.end())
        self.app.close()
        self._stack.close()

    def send(self, request: Request) -> Answer:
        """Send one request and take its answer, or let time pass."""
        match request.plane:
            case steps.WAIT:
                self._wait_for(asyncio.sleep(request.seconds))
                return Answer()
            case steps.ADMIN:
                return self._to_admin(request)
            case _:
                answer = self._wait_for(self._to_api(request))
                assert isinstance(answer, Answer)
                return answer

    def _wait_for(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    async def _to_api(self, request: Request) -> Answer:
        raw_path, _, query = request.target.partition("?")
        connection = _Connection()
        scope = {
            "type": "http",
            "method": request.method,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("latin-1"),
            "root_path": "",
            "query_string": query.encode("latin-1"),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
            "state": {CONNECTION: connection},
        }
        arriving = [{"type": "http.request", "body": request.body, "more_body": not request.whole}]
        status, headers, body, lost = 0, [], b"", b""

        async def receive() -> Any:
            return arriving.pop() if arriving else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            nonlocal status, headers, body, lost
            if message["type"] == "http.response.start":
                if not connection.ended:
                    status, headers = message["status"], list(message["headers"])
            elif connection.ended:
                lost += message["body"]
            else:
                body += message["body"]

        await self.app(scope, receive, send)
        pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        if not status or not connection.ended:
            return Answer(status, pairs, body, connection.ended)
        whole = body + lost
        half = len(body) == len(whole) // 2  # told so, as a renamed text moves the number of bytes
        return Answer(status, pairs, whole, f"{connection.ended} {'at half' if half else len(body)}")

    def _to_admin(self, request: Request) -> Answer:
        path, _, query = request.target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": request.target,
            "RAW_URI": request.target,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "3124",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "arklow.gone": lambda: True,  # ends a stream that has nothing more to say
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            heads.append((status, headers))

        parts = self._admin(environ, start_response)
        status, headers = heads[-1]
        endless = any(value.startswith("text/event-stream") for _, value in headers)
        resumes = "after=" in query or "HTTP_LAST_EVENT_ID" in environ
        try:  # of a stream the greeting, and what was there already: more would wait for what happens next
            body = b"".join(islice(parts, (2 if resumes else 1) if endless else None))
        finally:
            close: Callable[[], None] = getattr(parts, "close", lambda: None)
            close()
        return Answer(int(status.split()[0]), tuple((name.lower(), value) for name, value in headers), body)
