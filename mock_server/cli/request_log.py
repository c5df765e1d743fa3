"""The line that `arklow-mock` prints for each request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
import time


class _Log:
    """Writes lines to standard output a moment later, many in one go; refusals in red on a terminal.

    A thread of its own writes, so that a reader that stops reading stops nobody but the log: what it does not
    take in time is dropped and counted.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._descriptor = sys.stdout.fileno()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._texts: queue.Queue[str | None] = queue.Queue(maxsize=500)
        self._lost = 0
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Take a line; call on the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(0.02, self._hand_over)
        self._lines.append(f"\x1b[31m{line}\x1b[0m" if self._coloured and line[0] in "45-" else line)

    def close(self) -> None:
        """Hand over what is left and wait a second for the writer at most."""
        self._hand_over()
        with contextlib.suppress(queue.Full):
            self._texts.put_nowait(None)
            self._writer.join(1)

    def _hand_over(self) -> None:
        if not self._lines:
            return
        stamp = time.strftime("%H:%M:%S")
        text = f"{stamp} " + f"\n{stamp} ".join(self._lines) + "\n"
        if self._lost:
            text = f"{stamp} {self._lost} lines were lost: nobody read them\n{text}"
        try:
            self._texts.put_nowait(text)
            self._lost = 0
        except queue.Full:
            self._lost += len(self._lines)
        self._lines.clear()

    def _write(self) -> None:
        # not through sys.stdout, whose lock a blocked write would hold while the process ends
        with contextlib.suppress(OSError):  # nobody reads us any more; serving goes on
            while (text := self._texts.get()) is not None:
                data = text.encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]


__all__ = []
