"""The clocks never go back."""

from __future__ import annotations

import time

import pytest

from mock_server.adapters.clocks import ManualClock, SystemClock


def test_the_system_clock_follows_the_machine() -> None:
    """It shows milliseconds since the epoch: a moment between two that the machine shows."""
    before = time.time_ns() // 1_000_000
    clock = SystemClock()
    shown = clock.now()

    assert before - 1 <= shown <= time.time_ns() // 1_000_000 + 1
    assert clock.now() <= clock.now()


def test_a_manual_clock_moves_by_hand_alone_and_only_forward() -> None:
    """It stands still between two calls."""
    clock = ManualClock(1_000)
    clock.advance(5)

    assert (clock.now(), clock.now()) == (1_005, 1_005)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
