"""Receivers that hang, flood, break off or are many: what that means for their actions and for other requests."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.admin.desk import Desk
from tests.deliveries.receiver import (
    Receiver,
    advance,
    answer,
    deliveries,
    link,
    linked,
    signal,
    story,
    until,
)
from tests.waiting import PATIENCE

Behave = Callable[[socket.socket], None]


@contextmanager
def raw(behave: Behave) -> Iterator[str]:
    """The URL of a receiver that does `behave` with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=act, args=(connection,), daemon=True).start()

        def act(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                behave(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        listener.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def _says(data: bytes) -> Behave:
    return lambda connection: connection.sendall(data)


def hang(connection: socket.socket) -> None:
    """Say nothing until the other side closes."""
    connection.recv(1)


def _dribble(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-arklow-signaling: ack\r\ncontent-length: 99999\r\n\r\n")
    while not select.select([connection], [], [], 0.02)[0]:
        connection.sendall(b"x")


UNUSABLE: dict[str, Behave] = {
    "says nothing and closes": lambda _: None,
    "resets the connection": _reset,
    "never answers": hang,
    "speaks another language": _says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "breaks off in its head": _says(b"HTTP/1.1 200 OK\r\nx-arklow-signaling: ack\r\n"),
    "breaks off in its body": _says(
        b"HTTP/1.1 200 OK\r\nx-arklow-signaling: ack\r\ncontent-length: 9\r\n\r\n{}"
    ),
    "breaks off between chunks": _says(
        b"HTTP/1.1 200 OK\r\nx-arklow-signaling: ack\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"
    ),
    "announces two lengths": _says(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"),
    "has a head without end": _says(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500_000),
    "has a line without end": _says(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 3_000_000),
    "dribbles": _dribble,
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_answer_leads_to_another_attempt(name: str) -> None:
    """Its head makes no difference (B107); the journal says what was wrong."""
    with raw(UNUSABLE[name]) as url, Desk(delivery_limit=0.2) as desk:
        linked(desk, url)
        action = desk.accept()["a_id"]
        advance(desk)

        assert story(desk, action) == [("accepted", 0), ("delivered", 0), ("unanswered", 0)]
        assert desk.state(action) == ("retrying", 0)
        [entry] = deliveries(desk)
        assert (entry["status"], entry["outcome"]) == (None, "unanswered")
        assert entry["note"]


def test_a_refused_connection_leads_to_another_attempt(desk: Desk) -> None:
    """A receiver that was never started is as one that gives no answer (B107)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    linked(desk, f"http://127.0.0.1:{port}/hook")
    action = desk.accept()["a_id"]
    advance(desk)

    assert desk.state(action) == ("retrying", 0)


def test_only_the_beginning_of_an_endless_answer_is_read() -> None:
    """64 KiB are read; status and headers count, the body does not, and the connection is closed."""
    sent = [0]

    def flood(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nx-arklow-signaling: ack\r\ncontent-length: 1073741824\r\n\r\n"
        )
        piece = b'{"__arklow__":{"signal":"nack"}}' * 2_048
        while sent[0] < 1 << 30:
            connection.sendall(piece)
            sent[0] += len(piece)

    with raw(flood) as url, Desk() as desk:
        linked(desk, url)
        action = desk.accept()["a_id"]
        advance(desk)

        assert desk.state(action) == ("succeeded", 0)
        assert sent[0] < 64 << 20
        [entry] = deliveries(desk)
        assert entry["cut"] is True
        assert len(entry["answer"]) == 1_024


def test_time_stands_still_while_an_answer_is_awaited(receiver: Receiver, desk: Desk) -> None:
    """An hour passes on the clock, with each attempt at its own time, however long answers take."""
    during: list[str] = []

    def hook() -> Any:
        during.append(desk.admin("GET", "42").data["clock"]["now"][11:])
        return answer(400, retry_after="600")

    receiver.answers[:] = [hook]
    linked(desk, receiver.url)
    desk.accept()
    advance(desk, 3_600)

    at = [entry["at"][11:] for entry in deliveries(desk)]
    assert at == during == [f"12:{10 * n:02}:00.000Z" for n in range(6)] + ["13:00:00.000Z"]


def test_two_commands_move_one_clock_in_turn(receiver: Receiver, desk: Desk) -> None:
    """Neither move is lost while the other waits for an answer."""
    both_began = threading.Event()
    receiver.answers[:] = [lambda: (both_began.wait(PATIENCE), answer(503))[1], signal("ack")]
    linked(desk, receiver.url)
    desk.accept()
    clock = desk.app.administration.clock

    async def move() -> None:
        moves = [asyncio.create_task(clock.advance("42", 100_000)) for _ in range(2)]
        for _ in range(10):
            await asyncio.sleep(0)
        both_began.set()
        await asyncio.gather(*moves)

    desk.on_loop(move())

    assert desk.admin("GET", "42").data["clock"]["now"] == "2030-01-01T12:03:20.000Z"


class _Counting:
    """A hook that lets no call go before its gate is open, and counts those that are in it at one time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0
        self.gate = threading.Event()

    def __call__(self) -> Any:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.gate.wait(PATIENCE)
        with self._lock:
            self._inside -= 1
        return signal("ack")


def test_many_actions_that_are_due_at_once_are_delivered_once_each_and_few_at_a_time(
    receiver: Receiver, desk: Desk
) -> None:
    """Eight are called at a time, in order; an action without room waits in `dispatch_wait`, uncalled (B072)."""
    hook = _Counting()
    receiver.answers[:] = [hook]
    desk.freeze()
    desk.put("v")
    desk.admin("PUT", "42/worker", {"default": "wait"})
    ids = [desk.accept()["a_id"] for _ in range(200)]
    link(desk, receiver.url)
    waiting = "/v1/orgs/42/actions/records?status=dispatch_wait&count_only=true"
    assert desk.call("GET", waiting).json["data"]["count"] == 192
    until(lambda: hook.most == 8)
    hook.gate.set()
    advance(desk)

    assert sorted(str(got.header("x-arklow-actionid")) for got in receiver.got) == ids
    assert {got.attempt for got in receiver.got} == {0}
    assert hook.most == 8
    assert {desk.state(action) for action in ids} == {("succeeded", 0)}
    assert story(desk, ids[-1])[1] == ("waiting", 0)


def test_a_receiver_that_hangs_delays_no_other_call() -> None:
    """Another destination of the organisation is called at once, and the API answers."""
    given_up: list[socket.socket] = []

    def hang_on(connection: socket.socket) -> None:
        hang(connection)
        given_up.append(connection)

    with raw(hang_on) as url, Receiver([signal("ack")]) as good, Desk(delivery_limit=50) as desk:
        linked(desk, url)
        desk.put("w")
        link(desk, good.url, label="good", variant="w")
        for _ in range(100):
            desk.accept()
        action = desk.accept("w")["a_id"]
        until(lambda: desk.state(action) == ("succeeded", 0))
        assert given_up == []


def test_calls_of_all_organisations_are_bounded(desk: Desk) -> None:
    """64 calls are under way at a time; waiting actions get their turn."""
    hook = _Counting()

    def count(status: str) -> int:
        query = f"?status={status}&count_only=true"
        return sum(
            desk.call("GET", f"/v1/orgs/{org}/actions/records{query}", key=f"org-{org}").json["data"]["count"]
            for org in range(50, 62)
        )

    with Receiver([hook]) as receiver:
        for org in range(50, 62):
            new = {"variant": "v", "schema": {}}
            desk.call("PUT", f"/v1/orgs/{org}/actions/definitions", new, key=f"org-{org}")
            body = {"label": "d", "type": "webhook", "config": {"url": receiver.url}}
            assert desk.admin("PUT", f"{org}/destinations", body).status == 200
            assert desk.admin("PUT", f"{org}/links", {"variant": "v", "destinations": ["d"]}).status == 200
        for _ in range(10):
            for org in range(50, 62):
                desk.accept(key=f"org-{org}")
        until(lambda: hook.most == 64)
        assert (count("running"), count("dispatch_wait")) == (64, 56)
        assert hook.most == len(receiver.got) == 64
        hook.gate.set()
        until(lambda: len(receiver.got) == 120)
        for org in range(50, 62):
            desk.admin("POST", f"{org}/clock/advance", {"seconds": 0})
        assert (count("succeeded"), hook.most) == (120, 64)


@pytest.mark.parametrize("command", ["reset", "restore", "fork"])
def test_a_late_answer_changes_nothing_after_a_reset_or_restore(desk: Desk, command: str) -> None:
    """The same id is another action then."""
    release, released = threading.Event(), threading.Event()

    def hook() -> Any:
        release.wait(PATIENCE)
        released.set()
        return signal("ack")

    with Receiver([hook]) as receiver:
        linked(desk, receiver.url)
        desk.admin("PUT", "42/snapshots/before")
        desk.accept()
        until(lambda: len(receiver.got) == 1)
        if command == "reset":
            desk.freeze()
            desk.put("v")
        elif command == "restore":
            assert desk.admin("POST", "42/snapshots/before/restore").status == 200
            desk.admin("PUT", "42/links", {"variant": "v", "destinations": []})
        else:
            assert desk.admin("POST", "7/fork", {"to": "42"}).status == 200
            desk.put("v")
        action = desk.accept()["a_id"]
        release.set()
        assert released.wait(PATIENCE)
        advance(desk)

        assert desk.state(action) == ("ack_wait", 0)
        assert deliveries(desk) == []


def test_a_call_under_way_is_no_part_of_a_snapshot(desk: Desk) -> None:
    """After a restore its attempt runs into the end of its lease, and the next one follows (B101)."""
    release = threading.Event()
    with Receiver([lambda: (release.wait(PATIENCE), signal("ack"))[1]]) as receiver:
        linked(desk, receiver.url)
        action = desk.accept()["a_id"]
        until(lambda: len(receiver.got) == 1)
        desk.admin("PUT", "42/snapshots/during")
        release.set()
        desk.admin("POST", "42/snapshots/during/restore")
        assert desk.state(action) == ("running", 0)
        advance(desk, 60)

        assert desk.state(action) == ("succeeded", 1)
        assert [got.attempt for got in receiver.got] == [0, 1]


def test_actions_that_wait_in_a_snapshot_get_their_turn_after_a_restore(desk: Desk) -> None:
    """No action is lost with the cancelled calls."""
    release = threading.Event()
    with Receiver([lambda: (release.wait(PATIENCE), signal("ack"))[1]]) as receiver:
        linked(desk, receiver.url)
        ids = [desk.accept()["a_id"] for _ in range(20)]
        desk.admin("PUT", "42/snapshots/during")
        desk.admin("POST", "42/snapshots/during/restore")
        release.set()
        advance(desk, 60)

        assert {desk.state(action)[0] for action in ids} == {"succeeded"}


def test_waiting_actions_go_to_another_destination_when_it_is_linked(desk: Desk) -> None:
    """They need not wait for the first one, which never answers."""
    with raw(hang) as url, Receiver([signal("ack")]) as receiver:
        linked(desk, url)
        ids = [desk.accept()["a_id"] for _ in range(20)]
        link(desk, receiver.url, label="good")
        until(lambda: sum(desk.state(action) == ("succeeded", 0) for action in ids) == 12)
        desk.admin("POST", "42/reset")
