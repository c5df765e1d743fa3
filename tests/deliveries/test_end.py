"""A mock as a process of its own, which ends while it calls."""

from __future__ import annotations

import json
import signal
import time
import urllib.request

import pytest

from tests.deliveries.receiver import until
from tests.deliveries.test_bad_receivers import raw
from tests.served import Served, mock


def _steer(running: Served, path: str, body: object) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.admin_port}/organisations/42/{path}",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {running.admin_token}", "content-type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=10).close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_calls_under_way_do_not_hold_the_end(number: signal.Signals) -> None:
    """Nor does it make a noise: receivers see the connection closed."""
    came: list[bytes] = []

    def wait(connection: object) -> None:
        came.append(b"")
        time.sleep(30)

    with raw(wait) as url, mock("--delivery-limit", "20") as running:
        running.put("v")
        _steer(running, "destinations", {"label": "d", "type": "webhook", "config": {"url": url}})
        _steer(running, "links", {"variant": "v", "destinations": ["d"]})
        for _ in range(20):
            running.accept("v")
        until(lambda: len(came) == 8)
        running.process.send_signal(number)

        assert running.process.wait(timeout=10) == 0
        assert not any("Traceback" in line or "rror" in line for line in running.lines)
