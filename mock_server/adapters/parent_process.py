"""A mock that another program starts: the ready file, which says where it answers, and the end with the parent process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

_PAUSE: Final = 0.5
"""Seconds between two looks at who the parent is: an orphan ends within a second."""
_INPUT: Final = 0
"""The file descriptor of standard input."""


class CannotWrite(Exception):
    """The ready file cannot be written; the message says which and why."""


class ReadyFile:
    """A file that exists while the mock answers."""

    def __init__(self, path: Path) -> None:
        """Remove what a killed mock may have left there.

        Raises:
            CannotWrite: no file can be written in its folder.
        """
        self._path = path
        try:
            path.unlink(missing_ok=True)
            tempfile.TemporaryFile(dir=path.parent).close()
        except OSError as error:
            raise self._failed(error) from None

    @contextlib.contextmanager
    def present(self, facts: Mapping[str, object]) -> Iterator[None]:
        """Have the file exist while the block runs, with these facts as JSON, readable by this user alone.

        It appears with its whole content. At the end it is removed, unless another mock has put its own in its place.

        Raises:
            CannotWrite: it cannot be written.
        """
        content = json.dumps(facts).encode()
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            with os.fdopen(descriptor, "wb") as file:  # mkstemp makes it 0600
                file.write(content)
            os.replace(name, self._path)  # noqa: PTH105 of a name
        except OSError as error:
            raise self._failed(error) from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if self._path.read_bytes() == content:
                    self._path.unlink()

    def _failed(self, error: OSError) -> CannotWrite:
        return CannotWrite(
            f"--ready-file: expected a file that can be written, got {self._path} ({error.strerror})"
        )


def _end() -> None:
    signal.raise_signal(signal.SIGTERM)


class ParentProcess:
    """The process that started this one. Make it early, before the parent may have ended."""

    def __init__(
        self,
        *,
        parent: Callable[[], int] = os.getppid,
        standard_input: int = _INPUT,
        end: Callable[[], None] = _end,
        pause: float = _PAUSE,
    ) -> None:
        """Remember who the parent is now.

        Args:
            parent: returns the id of the process that is the parent at the time.
            standard_input: the file descriptor whose end is the parent's, if it is a pipe or a socket.
            end: ends this process; called in a thread of its own.
            pause: seconds between two looks at who the parent is.
        """
        self._parent = parent
        self._pid = parent()
        self._input = standard_input
        self._end = end
        self._pause = pause
        self._over = threading.Event()

    @contextlib.contextmanager
    def watched(self, tell: Callable[[str], None]) -> Iterator[None]:
        """While the block runs, end this process as soon as the parent has ended, however it did.

        There are two signs. Standard input ends, if it is a pipe or a socket: on all systems, also with other processes in
        between. Or this process has another parent: not on Windows. Before the end `tell` is given a line, in a thread of its
        own.
        """
        waits = [self._wait_for_another_parent]
        if self._input_is_pipe():
            waits.append(self._wait_for_end_of_input)
        for wait in waits:
            threading.Thread(target=self._end_after, args=(wait, tell), daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def _end_after(self, wait: Callable[[], str], tell: Callable[[str], None]) -> None:
        reason = wait()
        if not self._over.is_set():
            self._over.set()
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                tell(f"--exit-with-parent: {reason}")
            self._end()

    def _wait_for_another_parent(self) -> str:
        while self._parent() == self._pid and not self._over.wait(self._pause):
            pass
        return "the process that started this one is gone"

    def _input_is_pipe(self) -> bool:
        try:
            mode = os.fstat(self._input).st_mode
        except OSError:  # closed
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def _wait_for_end_of_input(self) -> str:
        with contextlib.suppress(OSError):
            while os.read(self._input, 1 << 16):
                pass
        return "standard input has ended"
