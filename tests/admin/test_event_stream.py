"""The journal as a stream, without sockets: order, losses, limits, the end."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from mock_server.admin import event_stream
from mock_server.admin.event_stream import EventStream, EventStreams
from mock_server.api.errors import Refused
from mock_server.domain.ports import Journal
from tests.admin.desk import BEARER, Desk
from tests.waiting import PATIENCE


def _events(chunks: list[bytes]) -> list[tuple[str, Any]]:
    """Return the events of a stream, without comments."""
    found = []
    for block in b"".join(chunks).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
            name, data = found[-1]
            assert fields.get("id") == (None if name == "lost" else str(data["number"]))
    return found


def _open(desk: Desk, after: int | None = None, *, gone: bool = True, org_id: str = "42") -> EventStream:
    """Open a stream that ends as soon as there is nothing to send."""
    return desk.streams.open(
        lambda: desk.app.administration.organisation(org_id).journal, after, lambda: gone
    )


def test_a_stream_has_new_entries_alone(desk: Desk) -> None:
    """Unless it is asked for those after a number."""
    desk.freeze()
    stream = _open(desk)
    action = desk.accept()["a_id"]

    heard = _events(list(stream))

    assert [kind for kind, _ in heard] == ["transition"] * 3 + ["request"]
    assert heard[0][1]["action_record_id"] == action
    assert [data["number"] for _, data in heard] == [2, 3, 4, 5]


def test_a_client_that_comes_back_misses_nothing(desk: Desk) -> None:
    """The entries after its number come first, without a gap and none of them twice."""
    desk.freeze()
    desk.accept()
    stream = _open(desk, 2)
    desk.accept()

    assert [data["number"] for _, data in _events(list(stream))] == [3, 4, 5, 6, 7, 8, 9]
    assert [entry for _, entry in _events(list(_open(desk, 0)))] == desk.admin("GET", "42/journal").data[
        "entries"
    ]


def test_after_a_reset_a_client_gets_all_of_the_new_journal(desk: Desk) -> None:
    """The number that it asks for does not exist yet."""
    desk.accept()
    desk.admin("POST", "42/reset")

    assert [data["number"] for _, data in _events(list(_open(desk, 500)))] == [1]


def test_what_the_journal_lost_is_told_first() -> None:
    """The first event says how many entries are missing."""
    with Desk(journal=5) as desk:
        for _ in range(3):
            desk.accept()
        first = desk.admin("GET", "42/journal").data["first"]

        heard = _events(list(_open(desk, 2)))

        assert heard[0] == ("lost", {"lost": first - 3})
        assert [data["number"] for _, data in heard[1:]] == list(range(first, 13))


def test_a_slow_client_loses_entries_and_is_told_where(desk: Desk) -> None:
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


def test_seventeen_streams_are_one_too_many(desk: Desk) -> None:
    """Over all organisations; a stream that is closed makes room at once."""
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


def test_a_closed_stream_is_given_no_entries(desk: Desk) -> None:
    """The journal has no reference to it any more."""
    stream = _open(desk)
    stream.close()
    desk.accept()

    assert list(stream) == [b": listening\n\n"]


def test_all_streams_end_with_the_mock(desk: Desk) -> None:
    """Those that wait end at once; one that is opened afterwards has no entries."""
    stream = _open(desk, gone=False)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.extend(stream))
    reader.start()
    desk.streams.close()
    reader.join(PATIENCE)

    assert not reader.is_alive()
    assert b"".join(heard) == b": listening\n\n"
    assert list(_open(desk, 0, gone=False)) == [b": listening\n\n"]


def test_a_silent_stream_is_kept_alive_and_one_with_entries_needs_no_sign(desk: Desk) -> None:
    """A comment comes after fifteen seconds without an entry; entries begin the time anew."""
    now = [0.0]
    streams = EventStreams(desk.bridge, lambda: now[0])
    gone = [False]
    stream = streams.open(lambda: desk.app.administration.organisation("42").journal, None, lambda: gone[0])
    assert next(stream) == b": listening\n\n"

    now[0] = event_stream.HEARTBEAT
    assert next(stream) == b": still here\n\n"
    now[0] *= 2
    desk.accept()
    assert next(stream).startswith(b"id: 1\nevent: transition\ndata: {")
    now[0] += event_stream.HEARTBEAT - 0.001
    gone[0] = True
    with pytest.raises(StopIteration):
        next(stream)


def test_a_stream_waits_for_the_next_entry(desk: Desk) -> None:
    """It has it as soon as it is there."""
    stream = _open(desk, gone=False)
    assert next(stream) == b": listening\n\n"
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(next(stream)))
    reader.start()
    desk.freeze()
    reader.join(PATIENCE)
    stream.close()

    assert [kind for kind, _ in _events(heard)] == ["command"]


def test_many_entries_come_in_chunks_of_a_hundred(desk: Desk) -> None:
    """Few writes, none of them large."""
    stream = _open(desk)
    for _ in range(30):
        desk.accept()

    chunks = [len(_events([chunk])) for chunk in list(stream)[1:]]
    assert chunks == [100, 20]


def test_a_stream_that_cannot_begin_makes_room(desk: Desk) -> None:
    """The error goes on to the caller."""

    def broken() -> Journal:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.streams.open(broken, None, lambda: True)
    assert len(desk.streams) == 0


def test_a_stream_whose_caller_was_refused_follows_nothing() -> None:
    """The loop comes to it when its caller has left."""
    with Desk(limit=0.01) as desk:
        held = threading.Event()
        desk.loop.call_soon_threadsafe(held.wait)
        asked: list[int] = []

        def journal() -> Journal:
            asked.append(1)
            return desk.app.administration.organisation("42").journal

        with pytest.raises(Refused) as refused:
            desk.streams.open(journal, None, lambda: True)
        held.set()
        desk.on_loop(_nothing())

        assert refused.value.code == "TIMED_OUT"
        assert (asked, len(desk.streams)) == ([], 0)


async def _nothing() -> None:
    pass


def test_the_stream_is_server_sent_events_and_prefers_the_last_event_id(desk: Desk) -> None:
    """A text that is no number is refused; closing the answer makes room for another stream."""
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
