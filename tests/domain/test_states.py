"""The transition table is total, and says what the sources say."""

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


def test_every_state_answers_every_event() -> None:
    """No pair is left to an if somewhere else."""
    assert TRANSITIONS.keys() == set(State)
    assert all(row.keys() == set(Event) for row in TRANSITIONS.values())


def test_the_public_states_are_the_nine_documented_ones() -> None:
    """B070: custody is shown as ack_wait (B145), everything else as itself."""
    assert {state.status for state in State} == set(Status)
    assert [state for state in State if state.value != state.status.value] == [State.DEFERRED]


def test_a_terminal_state_refuses_everything() -> None:
    """B134."""
    assert {State.SUCCEEDED, State.FAILED, State.CANCELED} == TERMINAL
    assert all(set(TRANSITIONS[state].values()) == {Refusal.TERMINAL} for state in TERMINAL)


def test_every_state_can_be_reached_and_left() -> None:
    """From the beginning on; and every open one ends by itself when the lifetime is over (B074)."""
    reached = {State.QUEUED}
    while True:
        more = {o for s in reached for o in TRANSITIONS[s].values() if isinstance(o, State)} - reached
        if not more:
            break
        reached |= more

    assert reached == set(State)
    assert all(TRANSITIONS[state][Event.TIME_OUT] in TERMINAL for state in set(State) - TERMINAL)


def test_only_who_holds_an_attempt_settles_it() -> None:
    """B120, B135: everywhere else a settle is refused; custody takes no rejection (B143)."""
    asked = [Event.EXTEND, Event.ACK, Event.NACK, Event.SCHEDULE, Event.REJECT, Event.DEFER]
    taken = {
        state: [event for event in asked if isinstance(TRANSITIONS[state][event], State)] for state in State
    }

    assert {State.RUNNING, State.ACK_WAIT, State.DEFERRED} == HELD
    assert taken == {state: [] for state in State} | dict.fromkeys((State.RUNNING, State.ACK_WAIT), asked) | {
        State.DEFERRED: [Event.EXTEND, Event.ACK, Event.DEFER]
    }
