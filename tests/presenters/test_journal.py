"""Which entries of a journal are about an action."""

from __future__ import annotations

from mock_server.domain.journal import CommandEntry, Delivery, DeliveryEntry, Entry, ExchangeEntry
from mock_server.presenters.journal import concerns

CALL = Delivery(
    action_id="3000000001936507703",
    attempt=0,
    label="hook",
    kind="webhook",
    url="http://localhost:9000/",
    headers=(),
    body=b"",
    body_length=0,
    status=0,
    answer_headers=(),
    answer=b"",
    answer_length=0,
    outcome="",
    note="",
    seconds=0.0,
)


def test_a_delivery_is_about_its_own_action() -> None:
    """And about no other one, whose id stands in its body."""
    entry = DeliveryEntry(1, 0, CALL._replace(body=b"3000000002936507703"))

    assert concerns(entry, "3000000001936507703")
    assert not concerns(entry, "3000000002936507703")


def test_a_command_and_an_exchange_are_about_the_actions_that_they_name() -> None:
    """In details, path, body or answer."""
    entries: list[Entry] = [
        CommandEntry(1, 0, "end", "action 77 by an ack"),
        ExchangeEntry(2, 0, "GET", "/v1/actions/77", b"", b"", 0, 200, b"", 0),
        ExchangeEntry(3, 0, "POST", "/v1/ack", b"", b'{"action_record_id": "77"}', 26, 200, b"", 0),
        ExchangeEntry(4, 0, "POST", "/v1/ingress/v", b"", b"", 0, 200, b'{"a_id": "77"}', 14),
    ]

    assert [concerns(entry, "77") for entry in entries] == [True] * 4
    assert [concerns(entry, "78") for entry in entries] == [False] * 4
