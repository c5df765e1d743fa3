"""A process that ends with the one that started it: which signs tell so, and which do not."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mock_server.adapters.parent_process import CannotWrite, ParentProcess, ReadyFile
from tests.waiting import PATIENCE


@dataclass
class Watched:
    """A process whose parent and standard input are given; it notes what would end it."""

    parent: int = 7
    said: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def with_input(self, descriptor: int) -> Iterator[None]:
        """Watch the parent while the block runs."""
        process = ParentProcess(parent=lambda: self.parent, standard_input=descriptor, end=self.ended.set)
        with process.watched(self.said.append):
            yield


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe, which the test may have closed."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


def test_the_end_of_a_pipe_ends_the_process(pipe: tuple[int, int]) -> None:
    """What is written there before is passed over; the log says why, and says it once."""
    reading, writing = pipe
    watched = Watched()
    with watched.with_input(reading):
        os.write(writing, b"hello")
        assert not watched.ended.is_set()
        os.close(writing)
        assert watched.ended.wait(PATIENCE)

    assert watched.said == ["--exit-with-parent: standard input has ended"]


def test_another_parent_ends_the_process(pipe: tuple[int, int]) -> None:
    """An orphan has another parent, whatever became of its input."""
    watched = Watched()
    with watched.with_input(pipe[0]):
        watched.parent = 1
        assert watched.ended.wait(PATIENCE)

    assert watched.said == ["--exit-with-parent: the process that started this one is gone"]


def test_an_input_that_is_no_pipe_says_nothing(tmp_path: Path) -> None:
    """Neither the end of a file nor an input that is closed: the parent is the only sign."""
    file = tmp_path / "input"
    file.write_text("")
    with file.open() as opened:
        for descriptor in (opened.fileno(), -1):
            watched = Watched()
            with watched.with_input(descriptor):
                watched.parent = 1
                assert watched.ended.wait(PATIENCE)
            assert watched.said == ["--exit-with-parent: the process that started this one is gone"]


def test_a_process_that_has_ended_is_not_ended_again(pipe: tuple[int, int]) -> None:
    """After the block nothing is watched."""
    watched = Watched()
    with watched.with_input(pipe[0]):
        pass
    os.close(pipe[1])
    for thread in threading.enumerate():
        if thread.daemon and "_end_after" in thread.name:
            thread.join(PATIENCE)

    assert (watched.said, watched.ended.is_set()) == ([], False)


def test_a_ready_file_is_there_while_the_block_runs(tmp_path: Path) -> None:
    """With its facts, and for this user alone; one that is left behind is removed before."""
    path = tmp_path / "ready.json"
    path.write_text("left behind")
    file = ReadyFile(path)
    assert not path.exists()
    with file.present({"pid": 1}):
        assert (path.read_text(), path.stat().st_mode & 0o777) == ('{"pid": 1}', 0o600)

    assert list(tmp_path.iterdir()) == []


def test_the_ready_file_of_another_stays(tmp_path: Path) -> None:
    """The mock that wrote the file last owns it."""
    path = tmp_path / "ready.json"
    with ReadyFile(path).present({"pid": 1}):
        path.write_text("of another")

    assert path.read_text() == "of another"


@pytest.mark.parametrize("place", ["no/such/folder/ready.json", "."])
def test_a_ready_file_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    """Before anything is served."""
    with pytest.raises(
        CannotWrite, match=r"^--ready-file: expected a file that can be written, got .* \(.*\)$"
    ):
        ReadyFile(tmp_path / place)
