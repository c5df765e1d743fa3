"""What the tests of an action's life share: a mock with a scripted worker, and times as records show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mock_server.domain.worker import Step, Worker
from tests.api.asgi import World

SECOND = 1_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
START = 1_700_000_000
"""Where the clock of a `World` stands at first, in Unix seconds."""
RECORDS = "/v1/orgs/42/actions/records"
SIGNALS = ["ack", "nack", "modack", "defer"]

_START = datetime.fromtimestamp(START, UTC)


def world(*script: Step, **settings: Any) -> World:
    """Make a mock that defines variants as they come, with a worker that plays the script; without one it holds."""
    made = World(auto_define=True, **settings)
    if script:
        made.admin("set_worker", Worker(script))
    return made


def wire(milliseconds: int) -> str:
    """Return the time so many milliseconds after the start, as a record shows it."""
    moment = _START + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def elapsed(text: str) -> int:
    """Return the milliseconds from the start to a time as a record shows it."""
    return (datetime.fromisoformat(text) - _START) // timedelta(milliseconds=1)


def available(world: World, action: str) -> int:
    """Return the milliseconds from the start to an action's `available_at`."""
    return elapsed(world.record(action)["state"]["available_at"])


def story(world: World, action: str) -> list[tuple[str, str, int]]:
    """Return kind, status and attempt of each event of an action."""
    events = world.record(action)["events"]
    return [(event["kind"], event["status"], event["attempt"]) for event in events]


def said(world: World, signal: str, action: str, attempt: int = 0, *, key: str = "org-42") -> tuple[int, str]:
    """Send one of the four signals in its plainest form; return status and error code."""
    members = {"mod_ack": 60} if signal == "modack" else {}
    return world.signal(signal, action, attempt, key=key, **members)


def listed(world: World, query: str = "", *, key: str = "org-42", org: str = "42") -> tuple[list[str], int]:
    """Return the ids and the count of a list of records."""
    reply = world.call("GET", f"/v1/orgs/{org}/actions/records{query}", key=key)
    assert reply.status == 200, reply.body
    data = reply.json["data"]
    return [item["id"] for item in data["items"]], data["count"]
