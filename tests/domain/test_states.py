"""The transition table is total, and agrees with the sources."""

from __future__ import annotations

from mock_server.domain.states import (
    HELD,
    TERMINAL,
    TRANSITIONS,
    Event,
    Refusal,
    State,
    Status,
)


def test_every_state_has_an_answer_to_every_event() -> None:
    """No pair of a state and an event is decided elsewhere."""
    assert TRANSITIONS.keys() == set(State)
    assert all(row.keys() == set(Event) for row in TRANSITIONS.values())


def test_the_public_states_are_the_nine_documented_ones() -> None:
    """B070: custody is shown as `ack_wait` (B145), every other state as itself."""
    assert {state.status for state in State} == set(Status)
    assert [state for state in State if state.value != state.status.value] == [State.DEFERRED]


def test_a_terminal_state_refuses_everything() -> None:
    """B134: no event follows the end."""
    assert {State.SUCCEEDED, State.FAILED, State.CANCELED} == TERMINAL
    assert all(set(TRANSITIONS[state].values()) == {Refusal.TERMINAL} for state in TERMINAL)


def test_every_state_can_be_reached_and_left() -> None:
    """Each state can be reached from `queued`, and each open one ends when the lifetime is over (B074)."""
    reached = {State.QUEUED}
    while True:
        more = {o for s in reached for o in TRANSITIONS[s].values() if isinstance(o, State)} - reached
        if not more:
            break
        reached |= more

    assert reached == set(State)
    assert all(TRANSITIONS[state][Event.TIME_OUT] in TERMINAL for state in set(State) - TERMINAL)


def test_only_a_held_attempt_takes_signals() -> None:
    """B120, B135: other states refuse all signals, and custody refuses to be given back (B143)."""
    signals = [Event.EXTEND, Event.ACK, Event.NACK, Event.SCHEDULE, Event.REJECT, Event.DEFER]
    taken = {
        state: [event for event in signals if isinstance(TRANSITIONS[state][event], State)] for state in State
    }

    assert {State.RUNNING, State.ACK_WAIT, State.DEFERRED} == HELD
    assert taken == {state: [] for state in State} | dict.fromkeys(
        (State.RUNNING, State.ACK_WAIT), signals
    ) | {State.DEFERRED: [Event.EXTEND, Event.ACK, Event.DEFER]}
