"""The log: lines in batches, in the order in which they were written, whatever their reader does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mock_server.cli.request_log import RequestLog
from tests.corpus.still_loop import run_still
from tests.waiting import PATIENCE, wait_until

LINE = re.compile(r"\d\d:\d\d:\d\d (.*)\n")


class _Output:
    """A pipe, of which the log has the one end."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self.reading, writing = os.pipe()
        self.file = os.fdopen(writing, "w")
        self.is_terminal = is_terminal
        self._before = set(threading.enumerate())

    def writers(self) -> list[threading.Thread]:
        """The threads of logs that write here; that of a mock which all tests share is none."""
        return [one for one in set(threading.enumerate()) - self._before if one.name == "arklow-log"]

    def fileno(self) -> int:
        return self.file.fileno()

    def isatty(self) -> bool:
        return self.is_terminal

    def read(self) -> list[str]:
        """The lines that have come, without the time of day before each; waits until there is one."""
        return _lines(os.read(self.reading, 10_000))


def _lines(data: bytes) -> list[str]:
    matches = [LINE.fullmatch(line) for line in data.decode().splitlines(keepends=True)]
    assert all(matches), data
    return [match[1] for match in matches if match]


@contextmanager
def _logging(output: _Output, farewell: float = PATIENCE) -> Iterator[RequestLog]:
    """A log, which is closed at the end; its thread has ended then."""
    made: Any = output
    log = RequestLog(made, farewell=farewell)
    try:
        yield log
    finally:
        log.close()


@pytest.fixture
def output() -> Iterator[_Output]:
    """A pipe, which is closed at the end, when the log has ended too."""
    made = _Output()
    yield made
    with contextlib.suppress(OSError):
        os.close(made.reading)
    for thread in made.writers():  # they must not write into what is opened under the same number
        thread.join(PATIENCE)
    made.file.close()


def _write(log: RequestLog, *lines: str, pause: float = 0.0) -> None:
    """Write lines on a loop of counted time, `pause` seconds after each."""

    async def write() -> None:
        for line in lines:
            log.write(line)
            await asyncio.sleep(pause)

    run_still(write())


def test_lines_are_printed_in_their_order(output: _Output) -> None:
    """Those of one moment together, and what is left at the end."""
    with _logging(output) as log:
        _write(log, "200 a", "400 b", "200 c", pause=0.015)

    assert output.read() == ["200 a", "400 b", "200 c"]


def test_a_line_is_printed_soon_without_another(output: _Output) -> None:
    """It waits for a fiftieth of a second, and not for the end."""
    with _logging(output) as log:
        _write(log, "200 a", pause=0.03)
        assert output.read() == ["200 a"]


def test_lines_of_one_moment_are_one_write(output: _Output) -> None:
    """A reader has them all at once."""
    with _logging(output) as log:
        _write(log, *(f"200 {n}" for n in range(20)), "200 last")
        log.close()
        assert len(output.read()) == 21


@pytest.mark.parametrize(
    ("line", "red"), [("400 a", True), ("500 a", True), ("--- a", True), ("200 a", False)]
)
def test_refusals_are_red_on_a_terminal(
    output: _Output, line: str, red: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless NO_COLOR is set; elsewhere they are plain."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = []
    for is_terminal, colour in ((True, True), (False, True), (True, False)):
        if not colour:
            monkeypatch.setenv("NO_COLOR", "")
        output.is_terminal = is_terminal
        with _logging(output) as log:
            _write(log, line)
        shown += output.read()

    assert shown == [f"\x1b[31m{line}\x1b[0m" if red else line, line, line]


def test_a_reader_that_stops_reading_loses_lines_which_are_counted(output: _Output) -> None:
    """Writing goes on at once; when the reader goes on too, it is told how many lines were lost."""
    long = "200 " + "x" * 10_000
    found = bytearray()

    def read() -> None:
        while not found.endswith(b"200 again\n"):
            found.extend(os.read(output.reading, 1 << 20))

    with _logging(output) as log:
        _write(log, *([long] * 520), pause=0.03)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        wait_until(lambda: found.count(b"\n") >= 500)
        _write(log, "200 again", pause=0.03)
        reader.join(PATIENCE)

    *kept, lost, again = _lines(bytes(found))
    assert set(kept) == {long}
    assert lost == f"{520 - len(kept)} lines were lost: standard output was not read"
    assert 500 <= len(kept) < 515, "the batches that wait, and what the pipe holds"
    assert again == "200 again"


def test_the_end_does_not_wait_for_a_reader_that_has_stopped(output: _Output) -> None:
    """Though the pipe is full."""
    with _logging(output, farewell=0.01) as log:
        _write(log, *(["200 " + "x" * 100_000] * 2), pause=0.03)

    assert os.read(output.reading, 8)


def test_an_output_that_is_closed_stops_the_log_alone(output: _Output) -> None:
    """Lines may still be written."""
    with _logging(output) as log:
        os.close(output.reading)
        _write(log, "200 a", "200 b", pause=0.03)

    assert output.writers() == []
