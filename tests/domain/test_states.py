"""The transition table is total."""

from __future__ import annotations

from mock_server.domain.states import TRANSITIONS, Event, Refusal, Status


def test_every_state_answers_every_event() -> None:
    """No pair is left to an if somewhere else."""
    assert TRANSITIONS.keys() == set(Status)
    assert all(row.keys() == set(Event) for row in TRANSITIONS.values())


def test_a_terminal_state_refuses_everything() -> None:
    """B134."""
    terminal = [s for s, row in TRANSITIONS.items() if not any(isinstance(o, Status) for o in row.values())]

    assert terminal == [Status.FAILED]
    assert set(TRANSITIONS[Status.FAILED].values()) == {Refusal.TERMINAL}
