"""Snapshots bring back what an organisation was."""

from __future__ import annotations

import pytest

from mock_server.domain.errors import UnknownSnapshot
from tests.services.parts import SECOND, START, world


def test_a_restore_brings_back_the_clock_the_leases_and_the_ids() -> None:
    """The whole organisation goes back: actions, attempts, time, and the ids to come."""
    mock = world()
    mock.admin("clock.set", frozen=True, to=START)
    action = mock.accept()["a_id"]
    mock.admin("snapshots.take", "s")
    mock.admin("clock.advance", 600 * SECOND)
    later = mock.accept()["a_id"]
    assert mock.state(action)[1] == 10
    mock.admin("snapshots.restore", "s")

    assert mock.state(action) == ("ack_wait", 0)
    assert mock.modack(action, 0) == (200, "")
    assert mock.modack(later, 0) == (404, "UNKNOWN_ACTION")
    mock.admin("clock.advance", 600 * SECOND)
    assert mock.accept()["a_id"] == later


def test_the_refusal_of_an_unknown_snapshot_names_the_known_ones() -> None:
    """The message says what would pass."""
    mock = world()
    mock.admin("snapshots.take", "one")

    with pytest.raises(UnknownSnapshot, match=r"expected a snapshot of organisation 42 \(one\), got 'two'"):
        mock.admin("snapshots.restore", "two")
