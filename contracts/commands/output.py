"""Standard output, which may end before the program that prints."""

from __future__ import annotations

import io
from typing import TextIO


class LastingOutput(io.TextIOBase):
    """An output that a run outlives: what cannot be written, as its reader has gone or its disk is full, is discarded."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None
        """Why nothing is written any more; None while it is."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Write a text, or discard it; returns its length in characters."""
        if self.failure is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self.failure = error
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        if self.failure is None:
            try:
                self._stream.flush()
            except OSError as error:
                self.failure = error

    def isatty(self) -> bool:
        """Say whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the number of the stream's file."""
        return self._stream.fileno()


__all__ = ["LastingOutput"]
