"""A mock in a process of its own, which ends during its calls."""

from __future__ import annotations

import signal
import time

import pytest

from tests.deliveries.receiver import until
from tests.deliveries.test_bad_receivers import raw
from tests.running_mock import RunningMock, mock


def _put(running: RunningMock, path: str, body: object) -> None:
    assert running.command("PUT", f"/organisations/42/{path}", body).status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_calls_under_way_do_not_delay_the_end(number: signal.Signals) -> None:
    """The mock ends without an error; receivers see their connections closed."""
    came: list[bytes] = []

    def wait(connection: object) -> None:
        came.append(b"")
        time.sleep(30)

    with raw(wait) as url, mock("--delivery-limit", "20") as running:
        running.put("v")
        _put(running, "destinations", {"label": "d", "type": "webhook", "config": {"url": url}})
        _put(running, "links", {"variant": "v", "destinations": ["d"]})
        for _ in range(20):
            running.accept("v")
        until(lambda: len(came) == 8)
        running.process.send_signal(number)

        assert running.process.wait(timeout=10) == 0
        assert not any("Traceback" in line or "rror" in line for line in running.lines)
