"""The lines that `arklow-mock` prints while it serves, one for each request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
import time
from typing import Final, TextIO

_DELAY: Final = 0.02
"""Seconds that lines are gathered before they are written: one write for many lines, and too short to be noticed."""
_BATCHES: Final = 500
"""Batches that may wait for the reader; later ones are dropped and counted, so that memory stays bounded."""
_FAREWELL: Final = 1.0
"""Seconds that the writer has at the end; a reader that has stopped reading would hold it for ever."""


class RequestLog:
    """Writes lines to a file with a descriptor in batches; refusals are red on a terminal.

    A thread of its own writes. When the reader stops reading, only the log stops: requests are answered, and
    the lines that were dropped are counted in a line of their own.
    """

    def __init__(self, output: TextIO, *, farewell: float = _FAREWELL) -> None:
        """Write to `output`; at the end the writer has `farewell` seconds."""
        self._lines: list[str] = []
        self._descriptor = output.fileno()
        self._coloured = output.isatty() and "NO_COLOR" not in os.environ
        self._batches: queue.Queue[str | None] = queue.Queue(maxsize=_BATCHES)
        self._dropped = 0
        self._farewell = farewell
        self._writer = threading.Thread(target=self._write, name="arklow-log", daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Print a line soon. Event loop only."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_DELAY, self._hand_over)
        self._lines.append(f"\x1b[31m{line}\x1b[0m" if self._coloured and line[0] in "45-" else line)

    def close(self) -> None:
        """Write what is left, and wait for that, but not for long."""
        self._hand_over()
        with contextlib.suppress(queue.Full):
            self._batches.put_nowait(None)
            self._writer.join(self._farewell)

    def _hand_over(self) -> None:
        if not self._lines:
            return
        stamp = time.strftime("%H:%M:%S")
        text = f"{stamp} " + f"\n{stamp} ".join(self._lines) + "\n"
        if self._dropped:
            text = f"{stamp} {self._dropped} lines were lost: standard output was not read\n{text}"
        try:
            self._batches.put_nowait(text)
            self._dropped = 0
        except queue.Full:
            self._dropped += len(self._lines)
        self._lines.clear()

    def _write(self) -> None:
        # not through sys.stdout, whose lock a blocked write would hold while the process ends
        with contextlib.suppress(OSError):  # standard output is closed; serving goes on
            while (text := self._batches.get()) is not None:
                data = text.encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]


__all__ = ["RequestLog"]
