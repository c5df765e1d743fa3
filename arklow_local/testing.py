"""One organisation of a running mock, for one test: its addresses and keys, its clock, its journal, its worker.

A test gets it as the fixture `arklow`; it needs the standard library alone.
"""

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
"""A time as RFC 3339 text, or as a datetime with a time zone."""
Kind = Literal["request", "transition", "command", "delivery"]
"""Kinds of entries in a journal."""

_ANSWER_SECONDS: Final = 120.0
"""Seconds that one answer may take: a clock that is advanced waits for webhooks."""
_PAGE_ENTRIES: Final = 1_000
"""Entries of the journal in one answer: the most that the admin plane gives."""
_LEFT_AT_ONCE: Final = 25
"""Organisations that are deleted by one command: it takes longer than many a test."""
_LINE_CHARACTERS: Final = 200
"""Characters of an entry in the report of a failed test."""


class Refused(Exception):
    """The admin plane has refused a command; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a served operation, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    content: bytes

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.content)

    @property
    def data(self) -> Any:
        """The member `data` of a success.

        Raises:
            AssertionError: the answer is a refusal.
        """
        if self.status >= 400:
            refusal = self.content.decode("utf-8", "replace")
            raise AssertionError(f"expected a success, got {self.status}: {refusal}")
        return self.json()["data"]


class Connection:
    """Connections to one address, reused while they are open; any thread may call."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._idle: list[HTTPConnection] = []

    def call(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send a request once.

        Raises:
            OSError, HTTPException: no whole answer came.
        """
        connection = self._take()
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
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> HTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if _is_open(connection.sock):
                return connection
            connection.close()
        return HTTPConnection(self._address, timeout=_ANSWER_SECONDS)


class Connections:
    """The connections of one process to a mock, which all organisations of the process share."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.api = Connection(mock.base_url)
        self.admin_plane = Connection(mock.admin_url)
        self._left: list[str] = []
        """Organisations that no test uses any more and that the mock still has."""

    def organisation(self, org: str) -> Arklow:
        """Give an organisation to a test; it is empty, also when an earlier test has left the same one."""
        if org in self._left:
            self._delete_left()
        return Arklow(self, org)

    def leave(self, arklow: Arklow) -> None:
        """Have the mock delete an organisation, calls to its webhooks included; at once with others, a few tests later."""
        self._left.append(arklow.org)
        if len(self._left) >= _LEFT_AT_ONCE:
            self._delete_left()

    def command(self, method: str, path: str, body: Any = None) -> Any:
        """Send a command to the admin plane; returns its data.

        Raises:
            Refused: the admin plane refuses it.
        """
        token = {"authorization": f"Bearer {self.mock.admin_token}"}
        answer = self.admin_plane.call(method, path, *_encoded(body, token))
        if answer.status != 200:
            errors = answer.json()["errors"]
            refusal = "; ".join(f"{error['code']} {error['message']}" for error in errors)
            raise Refused(f"{method} {path}: {answer.status} {refusal}")
        return answer.json()["data"]

    def close(self) -> None:
        """Close the idle connections."""
        self.api.close()
        self.admin_plane.close()

    def _delete_left(self) -> None:
        self.command("DELETE", f"/organisations?organisation={','.join(self._left)}")
        self._left.clear()


class Arklow:
    """One organisation, made on first use. It shares nothing with other organisations.

    Attributes:
        url: base URL of the control plane, without a slash at its end.
        ingress_url: base URL of ingress.
        org: number of the organisation.
        key: its API key.
        headers: the header that carries the key, by name.
        clock: its own time.
        journal: what happened in it.
    """

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
        """Send a request with this organisation's key and `body` as JSON; a refusal is an answer too.

        For instance `arklow.call("POST", "/v1/ingress/order.created", {"payload": {}})`.
        """
        return self._connections.api.call(method, path, *_encoded(body, self.headers | dict(headers or {})))

    def admin(self, method: str, path: str = "", body: Any = None) -> Any:
        """Send a command for this organisation to the admin plane, `POST /faults` for instance; returns its data.

        Raises:
            Refused: the admin plane refuses it.
        """
        return self._connections.command(method, f"/organisations/{self.org}{path}", body)

    def worker(self, variants: Mapping[str, Any] | None = None, *, default: Any = None) -> None:
        """Script the worker that takes attempts: `{"order.created": ["nack", {"do": "ack", "after": 2}]}`.

        `default` is the script of variants without one; without it the worker holds their attempts.

        Raises:
            Refused: a script asks for what no worker can do.
        """
        scripts = {} if default is None else {"default": default}
        self.admin("PUT", "/worker", {"variants": dict(variants or {})} | scripts)

    def reset(self, *, seed: int | None = None, frozen_at: Moment | None = None) -> None:
        """Make the organisation as new: no definitions, no actions, an empty journal; what a seed file has for it is there again.

        Args:
            seed: number that its ids are made from; that of the seed file, or of the mock, when None.
            frozen_at: time at which its clock stands; it follows the machine's when None.
        """
        body: dict[str, Any] = {} if seed is None else {"seed": seed}
        if frozen_at is not None:
            body["clock"] = {"mode": "frozen", "now": _rfc3339(frozen_at)}
        self.admin("POST", "/reset", body)


class Clock:
    """The time of one organisation, which other organisations do not share."""

    def __init__(self, arklow: Arklow) -> None:
        self._arklow = arklow

    @property
    def now(self) -> datetime:
        """Its time, in UTC."""
        return datetime.fromisoformat(self._arklow.admin("GET")["clock"]["now"])

    def freeze(self, at: Moment | None = None) -> None:
        """Stop it at a time, or where it is."""
        self._set("frozen", at)

    def set(self, now: Moment) -> None:
        """Let it run from a time on."""
        self._set("running", now)

    def advance(self, by: float | timedelta | None = None, *, to: Moment | None = None) -> int:
        """Move it forward and run what falls due on the way.

        Calls to webhooks are waited for. A test that serves them on its own event loop has to call this in a thread.

        Args:
            by: seconds.
            to: a time, instead of `by`.

        Returns:
            how many times an action fell due.
        """
        if to is not None:
            body: dict[str, Any] = {"to": _rfc3339(to)}
        else:
            body = {"seconds": by.total_seconds() if isinstance(by, timedelta) else by}
        ran: int = self._arklow.admin("POST", "/clock/advance", body)["ran"]
        return ran

    def _set(self, mode: str, at: Moment | None) -> None:
        now = {} if at is None else {"now": _rfc3339(at)}
        self._arklow.admin("PUT", "/clock", {"mode": mode} | now)


class Journal:
    """What happened in one organisation: requests with their answers, transitions, commands, deliveries.

    An entry is keyed by the members of `JournalEntry` in the document of the admin plane.
    """

    def __init__(self, arklow: Arklow) -> None:
        self._arklow = arklow

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.entries())

    def entries(self, kind: Kind | None = None, *, action: str | None = None) -> list[dict[str, Any]]:
        """List the entries that the mock keeps, oldest first, each keyed by its members.

        Args:
            kind: of this kind alone.
            action: about the action with this id alone.
        """
        query = [f"{name}={value}" for name, value in (("kind", kind), ("action", action)) if value]
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self._read([*query, f"limit={_PAGE_ENTRIES}", f"after={after}"])["entries"]
            found += page
            if len(page) < _PAGE_ENTRIES:
                return found
            after = page[-1]["number"]

    def last(self, count: int) -> list[dict[str, Any]]:
        """List the last `count` entries, oldest first and at most 1,000, each keyed by its members."""
        after = max(0, self._read(["limit=1"])["last"] - count)
        found: list[dict[str, Any]] = self._read([f"limit={_PAGE_ENTRIES}", f"after={after}"])["entries"]
        return found[-count:]

    def _read(self, query: Sequence[str]) -> Any:
        return self._arklow.admin("GET", f"/journal?{'&'.join(query)}")


def describe_entry(entry: Mapping[str, Any]) -> str:
    """Write an entry of a journal on one line of at most 200 characters."""
    match entry["kind"]:
        case "request":
            what = f"{entry['method']} {entry['path']} {entry['body']} → {entry['status']} {entry['answer']}"
        case "transition":
            what = f"{entry['action_record_id']} {entry['event']} → {entry['status']}, attempt {entry['attempt']}"
        case "delivery":
            what = f"{entry['action_record_id']} {entry['destination']} → {entry['status']} {entry['note']}"
        case _:
            what = f"{entry['name']} {entry['details']}"
    line = f"{entry['at']} {entry['kind']:<10} {what}".rstrip()
    return line if len(line) <= _LINE_CHARACTERS else f"{line[: _LINE_CHARACTERS - 1]}…"


def _encoded(body: Any, headers: Mapping[str, str]) -> tuple[bytes | None, Mapping[str, str]]:
    """Encode a body as JSON, and add its media type to the headers.

    Returns:
        (bytes of the body, headers by name).
    """
    if body is None:
        return None, headers
    return json.dumps(body).encode(), {"content-type": "application/json"} | dict(headers)


def _rfc3339(moment: Moment) -> str:
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with a time zone, got {moment!r}")
    return moment.isoformat()


def _is_open(connection: Any) -> bool:
    """Tell whether an idle connection is still open on the other side, and no bytes wait to be read from it."""
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
        connection.settimeout(_ANSWER_SECONDS)
    return False


__all__ = [
    "Answer",
    "Arklow",
    "Clock",
    "Journal",
    "Kind",
    "Mock",
    "Moment",
    "Refused",
    "describe_entry",
]
