"""The journal of an organisation: what it has, in which order, and how much of it."""

from __future__ import annotations

from mock_server.domain.journal import ExchangeEntry, TransitionEntry
from tests.services.parts import entries, world


def test_the_journal_has_requests_with_their_answers_in_order() -> None:
    """It has what came, what was answered and what that changed, numbered from 1."""
    mock = world()
    action = mock.accept(payload={"a": 1})["a_id"]
    mock.signal("ack", action)
    found = entries(mock)

    assert [entry.number for entry in found] == list(range(1, 7))
    assert [type(entry) for entry in found] == [TransitionEntry] * 3 + [
        ExchangeEntry,
        TransitionEntry,
        ExchangeEntry,
    ]
    answered = found[3]
    assert isinstance(answered, ExchangeEntry)
    assert (answered.method, answered.path, answered.body, answered.status) == (
        "POST",
        "/v1/ingress/v",
        b'{"payload": {"a": 1}}',
        200,
    )
    assert action.encode() in answered.answer


def test_the_journal_is_bounded_and_its_numbers_go_on() -> None:
    """The oldest entries go first."""
    mock = world(journal=5)
    for _ in range(10):
        mock.accept()
    found = entries(mock)

    assert found[-1].number == 40
    assert len({entry.number for entry in found}) == len(found) <= 5 * 3
