"""A mock that ends during its calls."""

from __future__ import annotations

import signal
import socket

import pytest

from tests.deliveries.receiver import until
from tests.deliveries.test_bad_receivers import hang, raw
from tests.running_mock import RunningMock, mock, mock_here
from tests.waiting import PATIENCE

LONGEST = ("--delivery-limit", "50")
"""Flags with which no call is given up before the mock is."""


def _put(running: RunningMock, path: str, body: object) -> None:
    assert running.command("PUT", f"/organisations/42/{path}", body).status == 200


class _Hanging:
    """A receiver that never answers, and counts its calls and those that were broken off."""

    def __init__(self) -> None:
        self.came: list[socket.socket] = []
        self.broken_off: list[socket.socket] = []

    def __call__(self, connection: socket.socket) -> None:
        self.came.append(connection)
        hang(connection)
        self.broken_off.append(connection)


def _call(running: RunningMock, url: str) -> None:
    """Have twenty actions delivered, as many at a time as may be."""
    running.put("v")
    _put(running, "destinations", {"label": "d", "type": "webhook", "config": {"url": url}})
    _put(running, "links", {"variant": "v", "destinations": ["d"]})
    for _ in range(20):
        running.accept("v")


def test_calls_under_way_are_broken_off_at_the_end() -> None:
    """Receivers see their connections closed; those that wait are not begun, and nothing is reported."""
    hook = _Hanging()
    with raw(hook) as url:
        with mock_here(*LONGEST) as running:
            _call(running, url)
            until(lambda: len(hook.came) == 8)
            assert hook.broken_off == []
        until(lambda: len(hook.broken_off) == 8)

    assert len(hook.came) == 8
    assert not any("Traceback" in line or "rror" in line for line in running.lines)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_mock_during_its_calls(number: signal.Signals) -> None:
    """The mock ends without an error."""
    hook = _Hanging()
    with raw(hook) as url, mock(*LONGEST) as running:
        _call(running, url)
        until(lambda: len(hook.came) == 8)
        running.process.send_signal(number)

        assert running.process.wait(timeout=PATIENCE) == 0
        running.reader.join(PATIENCE)
        assert len(hook.came) == 8
        assert not any("Traceback" in line or "rror" in line for line in running.lines)
