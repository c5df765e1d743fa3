"""A mock that another program starts: the ready file, and the two signs that the parent has ended."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mock_server.adapters.parent_process import CannotWrite, ParentProcess, ReadyFile
from tests.waiting import PATIENCE, wait_until

GONE = "--exit-with-parent: the process that started this one is gone"
CLOSED = 1 << 20
"""A descriptor that nothing is open under."""
INPUT_ENDED = "--exit-with-parent: standard input has ended"


def test_a_ready_file_is_there_with_all_its_content_while_the_block_runs(tmp_path: Path) -> None:
    """This user alone can read it; what a killed mock left there is taken away before."""
    path = tmp_path / "ready.json"
    path.write_text("of a killed mock")
    ready = ReadyFile(path)
    assert list(tmp_path.iterdir()) == []

    with ready.present({"pid": 7, "admin_url": None}):
        assert json.loads(path.read_bytes()) == {"pid": 7, "admin_url": None}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == []


def test_a_ready_file_is_taken_away_after_a_failure_too(tmp_path: Path) -> None:
    """The error goes on."""
    path = tmp_path / "ready.json"
    with pytest.raises(ZeroDivisionError), ReadyFile(path).present({}):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def test_the_file_of_another_mock_stays(tmp_path: Path) -> None:
    """The mock that was started last owns it; one that was taken away is no failure."""
    path = tmp_path / "ready.json"
    with ReadyFile(path).present({"pid": 1}):
        path.write_text("of another")
    assert path.read_text() == "of another"

    with ReadyFile(path).present({"pid": 1}):
        path.unlink()
    assert not path.exists()


@pytest.mark.parametrize("place", ["no/such/folder/ready.json", "."])
def test_a_place_where_no_file_can_be_is_found_at_once(tmp_path: Path, place: str) -> None:
    """Before anything is served."""
    path = tmp_path / place

    with pytest.raises(CannotWrite) as error:
        ReadyFile(path)
    assert str(error.value).startswith(f"--ready-file: expected a file that can be written, got {path} (")


def test_a_folder_that_is_removed_meanwhile_is_a_failure_in_the_same_words(tmp_path: Path) -> None:
    """The file cannot be written then."""
    folder = tmp_path / "run"
    folder.mkdir()
    ready = ReadyFile(folder / "ready.json")
    folder.rmdir()

    with pytest.raises(CannotWrite, match="expected a file that can be written"), ready.present({}):
        pytest.fail("it is not served")


class _Watch:
    """A parent that ends when it is told to, and what becomes of its child."""

    def __init__(self) -> None:
        self.pid = 4_711
        self.told: list[str] = []
        self.ended = threading.Event()
        self.ends = 0

    def end(self) -> None:
        self.ends += 1
        self.ended.set()

    @contextmanager
    def watched(self, descriptor: int) -> Iterator[None]:
        parent = ParentProcess(parent=lambda: self.pid, standard_input=descriptor, end=self.end, pause=0.005)
        with parent.watched(self.told.append):
            yield


def test_a_process_ends_when_it_has_another_parent() -> None:
    """It says why first, once."""
    watch = _Watch()
    with watch.watched(CLOSED):
        assert not watch.ended.is_set()
        watch.pid = 1
        assert watch.ended.wait(PATIENCE)

    assert (watch.told, watch.ends) == ([GONE], 1)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_process_ends_when_standard_input_does(kind: str) -> None:
    """A pipe or a socket; what comes before is not read as anything."""
    if kind == "pipe":
        reading, writing = os.pipe()
    else:
        reading, writing = (end.detach() for end in socket.socketpair())
    watch = _Watch()
    with watch.watched(reading):
        os.write(writing, b"x" * 100)
        assert not watch.ended.is_set()
        os.close(writing)
        assert watch.ended.wait(PATIENCE)
    os.close(reading)

    assert (watch.told, watch.ends) == ([INPUT_ENDED], 1)


def test_a_connection_that_is_reset_has_ended() -> None:
    """As it has when its other side was killed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = socket.create_connection(listener.getsockname())
        here, _ = listener.accept()
    watch = _Watch()
    with here, watch.watched(here.fileno()):
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        other.close()
        assert watch.ended.wait(PATIENCE)

    assert watch.told == [INPUT_ENDED]


def test_standard_input_that_is_no_pipe_ends_nothing(tmp_path: Path) -> None:
    """A file ends at once, and /dev/null too; the parent is watched all the same."""
    (tmp_path / "empty").touch()
    for path in (tmp_path / "empty", Path(os.devnull)):
        with path.open("rb") as file:
            watch = _Watch()
            with watch.watched(file.fileno()):
                watch.pid = 1
                assert watch.ended.wait(PATIENCE)
            assert watch.told == [GONE]


def test_nothing_ends_after_the_block() -> None:
    """The parent may end later."""
    watch = _Watch()
    with watch.watched(CLOSED):
        pass
    watch.pid = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and "_end_after" in thread.name:
            thread.join(PATIENCE)

    assert (watch.told, watch.ends) == ([], 0)


def test_nothing_ends_while_the_parent_lives() -> None:
    """However often it was looked for."""
    looks = []

    def parent() -> int:
        looks.append(1)
        return 7

    watch = _Watch()
    process = ParentProcess(parent=parent, standard_input=CLOSED, end=watch.end, pause=0.001)
    with process.watched(watch.told.append):
        wait_until(lambda: len(looks) >= 10)
        assert (watch.told, watch.ends) == ([], 0)


def test_a_loop_that_is_closed_already_is_not_told() -> None:
    """The process ends all the same."""
    ended = threading.Event()

    def tell(_: str) -> None:
        raise RuntimeError("Event loop is closed")

    pids = iter([1, 2])
    parent = ParentProcess(parent=lambda: next(pids), standard_input=CLOSED, end=ended.set)
    with parent.watched(tell):
        assert ended.wait(PATIENCE)


def test_by_default_it_is_this_process_that_is_watched() -> None:
    """Its parent lives."""
    told: list[str] = []
    with ParentProcess(standard_input=CLOSED).watched(told.append):
        assert told == []
