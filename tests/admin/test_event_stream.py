"""Who listens to a journal, without sockets: order, losses, bounds, the end."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from mock_server.admin import event_stream
from mock_server.admin.event_stream import EventStream
from tests.admin.desk import BEARER, Desk


def _events(chunks: list[bytes]) -> list[tuple[str, Any]]:
    """The events of a stream, comments left out."""
    found = []
    for block in b"".join(chunks).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
            name, data = found[-1]
            assert fields.get("id") == (None if name == "lost" else str(data["number"]))
    return found


def _open(desk: Desk, after: int | None = None, *, gone: bool = True, org_id: str = "42") -> EventStream:
    """A listener that ends as soon as it has nothing to say."""
    return desk.streams.open(
        lambda: desk.app.administration.organisation(org_id).journal, after, lambda: gone
    )


def test_a_listener_hears_what_comes_and_only_that(desk: Desk) -> None:
    """Without a number, from now on."""
    desk.freeze()
    stream = _open(desk)
    action = desk.accept()["a_id"]

    heard = _events(list(stream))

    assert [kind for kind, _ in heard] == ["transition"] * 3 + ["request"]
    assert heard[0][1]["action_record_id"] == action
    assert [data["number"] for _, data in heard] == [2, 3, 4, 5]


def test_a_listener_that_comes_back_misses_nothing(desk: Desk) -> None:
    """What happened after its number comes first, without a gap or a doublet."""
    desk.freeze()
    desk.accept()
    stream = _open(desk, 2)
    desk.accept()

    assert [data["number"] for _, data in _events(list(stream))] == [3, 4, 5, 6, 7, 8, 9]
    assert [entry for _, entry in _events(list(_open(desk, 0)))] == desk.admin("GET", "42/journal").data[
        "entries"
    ]


def test_after_a_reset_a_listener_gets_all_of_the_new_journal(desk: Desk) -> None:
    """Its number does not exist yet."""
    desk.accept()
    desk.admin("POST", "42/reset")

    assert [data["number"] for _, data in _events(list(_open(desk, 500)))] == [1]


def test_what_the_journal_lost_is_told_first() -> None:
    """And how much it was."""
    with Desk(journal=5) as desk:
        for _ in range(3):
            desk.accept()
        first = desk.admin("GET", "42/journal").data["first"]

        heard = _events(list(_open(desk, 2)))

        assert heard[0] == ("lost", {"lost": first - 3})
        assert [data["number"] for _, data in heard[1:]] == list(range(first, 13))


def test_a_slow_listener_loses_what_it_does_not_take_and_is_told_where(desk: Desk) -> None:
    """A thousand entries wait for it, and no more."""
    stream = _open(desk)
    for _ in range(300):
        desk.accept()
    heard = _events([next(stream), next(stream)])
    desk.accept()
    heard += _events(list(stream))

    numbers = [data.get("number") for _, data in heard]
    assert numbers[:1_000] == list(range(1, 1_001))
    assert heard[1_000] == ("lost", {"lost": 200})
    assert numbers[1_001:] == [1_201, 1_202, 1_203, 1_204]


def test_seventeen_are_one_too_many(desk: Desk) -> None:
    """Over all organisations; a place that was left is free at once."""
    listeners = [_open(desk, org_id=str(number)) for number in range(event_stream.MAX_STREAMS)]

    full = desk.admin("GET", "42/journal/tail")
    assert full.refusal == (429, "TOO_MANY_LISTENERS")
    assert int(full.headers["retry-after"]) >= 1

    listeners[3].close()
    listeners[3].close()
    assert len(desk.streams) == event_stream.MAX_STREAMS - 1
    with pytest.raises(StopIteration):
        _read_on(listeners[3])
    _open(desk).close()


def _read_on(stream: EventStream) -> None:
    for _ in range(3):
        next(stream)


def test_a_closed_listener_is_not_called_any_more(desk: Desk) -> None:
    """Its journal has forgotten it."""
    stream = _open(desk)
    stream.close()
    desk.accept()

    assert list(stream) == [b": listening\n\n"]


def test_all_streams_end_with_the_mock(desk: Desk) -> None:
    """While they wait, at once; one that is opened afterwards says nothing."""
    stream = _open(desk, gone=False)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.extend(stream))
    reader.start()
    desk.streams.close()
    reader.join(5)

    assert not reader.is_alive()
    assert b"".join(heard) == b": listening\n\n"
    assert list(_open(desk, 0, gone=False)) == [b": listening\n\n"]


def test_the_stream_is_server_sent_events_and_prefers_the_last_event_id(desk: Desk) -> None:
    """A number that is none is refused; closing the answer gives the place back."""
    desk.freeze()
    desk.accept()
    with desk.flask.test_client() as client:
        path = "/organisations/42/journal/tail?after=1"
        response = client.get(path, headers=BEARER | {"last-event-id": "4"}, buffered=False)
        assert response.content_type == "text/event-stream; charset=utf-8"
        stream = response.iter_encoded()
        assert [data["number"] for _, data in _events([next(stream), next(stream)])] == [5]
        assert len(desk.streams) == 1
        response.close()
    assert len(desk.streams) == 0

    for number in ("x", "-1", "1" * 16, "1.5", ""):
        answer = desk.admin("GET", "42/journal/tail", headers={"last-event-id": number})
        assert answer.refusal == (400, "INVALID_PARAMETER")
