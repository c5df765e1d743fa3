"""One organisation of a running mock, for one test: where it answers, its clock, its journal, its worker."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from .process import Mock

Moment = str | datetime
"""RFC 3339, or with a time zone."""
Kind = Literal["request", "transition", "command", "delivery"]

_PATIENCE: Final = 120.0
"""Seconds that one answer may take."""
_PAGE: Final = 1_000
_TOGETHER: Final = 25
"""Organisations that are let go of at a time."""


class Refused(Exception):
    """The admin plane has refused a command; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a served operation, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By name in small letters."""
    content: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)

    @property
    def data(self) -> Any:
        """What the envelope holds, of a success.

        Raises:
            AssertionError: it is a refusal.
        """
        if self.status >= 400:
            told = self.content.decode("utf-8", "replace")
            raise AssertionError(f"expected a success, got {self.status}: {told}")
        return self.json()["data"]


class Connection:
    """Connections to one address, kept while they are good; any thread may call."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._idle: list[HTTPConnection] = []

    def call(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """One request, sent once.

        Raises:
            OSError, HTTPException: no whole answer came.
        """
        connection = self._connection()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, names, response.read())
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> HTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if _is_open(connection.sock):
                return connection
            connection.close()
        return HTTPConnection(self._address, timeout=_PATIENCE)


class Connections:
    """The connections of one process to a mock, which all its organisations share."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.api = Connection(mock.base_url)
        self.plane = Connection(mock.admin_url)
        self._left: list[str] = []

    def organisation(self, org: str) -> Arklow:
        """One of them; empty, also when an earlier test has left the same one."""
        if org in self._left:
            self._let_go()
        return Arklow(self, org)

    def leave(self, arklow: Arklow) -> None:
        """Have the mock let go of what an organisation holds, calls to its webhooks too: soon, with others, as a command for each
        test would take longer than many a test."""
        self._left.append(arklow.org)
        if len(self._left) >= _TOGETHER:
            self._let_go()

    def command(self, method: str, path: str, body: Any = None) -> Any:
        """A command of the admin plane; its data.

        Raises:
            Refused: it was refused.
        """
        token = {"authorization": f"Bearer {self.mock.admin_token}"}
        answer = self.plane.call(method, path, *_sent(body, token))
        if answer.status != 200:
            errors = answer.json()["errors"]
            told = "; ".join(f"{error['code']} {error['message']}" for error in errors)
            raise Refused(f"{method} {path}: {answer.status} {told}")
        return answer.json()["data"]

    def close(self) -> None:
        """Close what is kept."""
        self.api.close()
        self.plane.close()

    def _let_go(self) -> None:
        self.command("DELETE", f"/organisations?organisation={','.join(self._left)}")
        self._left.clear()


class Arklow:
    """One organisation. It is made on first use, and shares nothing with others."""

    def __init__(self, connections: Connections, org: str) -> None:
        self._connections = connections
        self.url = connections.mock.base_url
        self.ingress_url = connections.mock.ingress_url
        self.org = org
        self.key = f"org-{org}"
        self.headers = {"x-arklow-auth": self.key}
        self.clock = Clock(self)
        self.journal = Journal(self)

    def __repr__(self) -> str:
        return f"<organisation {self.org} of {self.url}>"

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with this organisation's key and a body as JSON, `/v1/ingress/order.created` for instance;
        a refusal is an answer too."""
        return self._connections.api.call(method, path, *_sent(body, self.headers | dict(headers or {})))

    def admin(self, method: str, path: str = "", body: Any = None) -> Any:
        """A command of the admin plane for this organisation, `POST /faults` for instance; its data.

        Raises:
            Refused: it was refused.
        """
        return self._connections.command(method, f"/organisations/{self.org}{path}", body)

    def worker(self, variants: Mapping[str, Any] | None = None, *, default: Any = None) -> None:
        """What takes attempts, and what it does with each: `{"order.created": ["nack", {"do": "ack", "after": 2}]}`;
        `default` is for variants without a script, and holds unless given.

        Raises:
            Refused: no worker can do so.
        """
        scripts = {} if default is None else {"default": default}
        self.admin("PUT", "/worker", {"variants": dict(variants or {})} | scripts)

    def reset(self, *, seed: int | None = None, frozen_at: Moment | None = None) -> None:
        """Make it as new; with another seed for its ids, and with a clock that stands, if you like."""
        body: dict[str, Any] = {} if seed is None else {"seed": seed}
        if frozen_at is not None:
            body["clock"] = {"mode": "frozen", "now": _written(frozen_at)}
        self.admin("POST", "/reset", body)


class Clock:
    """An organisation's own time."""

    def __init__(self, arklow: Arklow) -> None:
        self._arklow = arklow

    @property
    def now(self) -> datetime:
        """Its time, in UTC."""
        return datetime.fromisoformat(self._arklow.admin("GET")["clock"]["now"])

    def freeze(self, at: Moment | None = None) -> None:
        """Let it stand, where it is or at a time."""
        self._set("frozen", at)

    def set(self, now: Moment) -> None:
        """Let it run from a time on."""
        self._set("running", now)

    def advance(self, by: float | timedelta | None = None, *, to: Moment | None = None) -> int:
        """Move it forward by seconds, or to a time, and run all that falls due on the way; how many times an action
        fell due. Calls to webhooks are waited for: from a test that serves them on its own event loop, call it in a thread."""
        if to is not None:
            body: dict[str, Any] = {"to": _written(to)}
        else:
            body = {"seconds": by.total_seconds() if isinstance(by, timedelta) else by}
        ran: int = self._arklow.admin("POST", "/clock/advance", body)["ran"]
        return ran

    def _set(self, mode: str, at: Moment | None) -> None:
        now = {} if at is None else {"now": _written(at)}
        self._arklow.admin("PUT", "/clock", {"mode": mode} | now)


class Journal:
    """What happened in an organisation: requests with their answers, transitions, commands, deliveries."""

    def __init__(self, arklow: Arklow) -> None:
        self._arklow = arklow

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.entries())

    def entries(self, kind: Kind | None = None, *, action: str | None = None) -> list[dict[str, Any]]:
        """All that is kept, oldest first; of one kind alone, or about one action. Their members are those of `JournalEntry`
        in the document of the admin plane."""
        asked = [f"{name}={value}" for name, value in (("kind", kind), ("action", action)) if value]
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self._read([*asked, f"limit={_PAGE}", f"after={after}"])["entries"]
            found += page
            if len(page) < _PAGE:
                return found
            after = page[-1]["number"]

    def last(self, count: int) -> list[dict[str, Any]]:
        """The last entries, oldest first; a thousand at most."""
        after = max(0, self._read(["limit=1"])["last"] - count)
        found: list[dict[str, Any]] = self._read([f"limit={_PAGE}", f"after={after}"])["entries"]
        return found[-count:]

    def _read(self, query: Sequence[str]) -> Any:
        return self._arklow.admin("GET", f"/journal?{'&'.join(query)}")


def shown(entry: Mapping[str, Any]) -> str:
    """An entry of a journal on one line of 200 characters at most."""
    match entry["kind"]:
        case "request":
            told = f"{entry['method']} {entry['path']} {entry['body']} → {entry['status']} {entry['answer']}"
        case "transition":
            told = f"{entry['action_record_id']} {entry['event']} → {entry['status']}, attempt {entry['attempt']}"
        case "delivery":
            told = f"{entry['action_record_id']} {entry['destination']} → {entry['status']} {entry['note']}"
        case _:
            told = f"{entry['name']} {entry['details']}"
    whole = f"{entry['at']} {entry['kind']:<10} {told}".rstrip()
    return whole if len(whole) <= 200 else f"{whole[:199]}…"


def _sent(body: Any, headers: Mapping[str, str]) -> tuple[bytes | None, Mapping[str, str]]:
    if body is None:
        return None, headers
    return json.dumps(body).encode(), {"content-type": "application/json"} | dict(headers)


def _written(moment: Moment) -> str:
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with a time zone, got {moment!r}")
    return moment.isoformat()


def _is_open(connection: Any) -> bool:
    """Whether a connection that waits for nothing has been left alone by the other side."""
    if connection is None:
        return False
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.settimeout(_PATIENCE)
    return False


__all__ = ["Answer", "Arklow", "Clock", "Journal", "Kind", "Mock", "Moment", "Refused"]
