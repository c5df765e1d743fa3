"""The mock in somebody else's run: the file that says where it answers, and the end with the process that started it."""

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
"""Seconds between two looks at who the parent is."""
_INPUT: Final = 0
"""The descriptor of standard input."""


class CannotWrite(Exception):
    """The ready file cannot be written; the message says which and why."""


class ReadyFile:
    """A file that is there while the mock answers."""

    def __init__(self, path: Path) -> None:
        """Take away what a mock that was killed has left there.

        Raises:
            CannotWrite: no file can be written there.
        """
        self._path = path
        try:
            path.unlink(missing_ok=True)
            tempfile.TemporaryFile(dir=path.parent).close()
        except OSError as error:
            raise self._failed(error) from None

    @contextlib.contextmanager
    def standing(self, facts: Mapping[str, object]) -> Iterator[None]:
        """Have the file there while the block runs: all of it or none, as JSON, for this user alone. At the end it is
        removed, unless another mock has put its own in the place.

        Raises:
            CannotWrite: it cannot be written now.
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


class Parent:
    """The process that started this one; make it early, as it may be gone soon."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._over = threading.Event()

    @contextlib.contextmanager
    def watched(self, tell: Callable[[str], None]) -> Iterator[None]:
        """While the block runs, end this process like SIGTERM as soon as the parent is gone, however it went; `tell` is
        given a line about it, in a thread of its own.

        Two signs: standard input ends, if it is a pipe or a socket (all systems, and whatever stands between the two
        processes), and this process has another parent (not on Windows).
        """
        signs = [self._has_another]
        if _is_pipe():
            signs.append(_input_ends)
        for sign in signs:
            threading.Thread(target=self._end_after, args=(sign, tell), daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def _end_after(self, sign: Callable[[], str], tell: Callable[[str], None]) -> None:
        told = sign()
        if not self._over.is_set():
            self._over.set()
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                tell(f"--exit-with-parent: {told}")
            signal.raise_signal(signal.SIGTERM)

    def _has_another(self) -> str:
        while os.getppid() == self._pid and not self._over.wait(_PAUSE):
            pass
        return "the process that started this one is gone"


def _is_pipe() -> bool:
    try:
        mode = os.fstat(_INPUT).st_mode
    except OSError:  # closed
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _input_ends() -> str:
    with contextlib.suppress(OSError):
        while os.read(_INPUT, 1 << 16):
            pass
    return "standard input has ended"
