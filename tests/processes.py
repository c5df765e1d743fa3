"""Processes that tests start: one way to start and end them, their environment, and whether they have ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.STDOUT,
    **options: Any,
) -> Iterator[subprocess.Popen[str]]:
    """Start a process with other options of `subprocess.Popen`, and yield it; end it afterwards.

    Raises:
        subprocess.TimeoutExpired: it has not ended within a minute of SIGTERM, and was killed.
    """
    process = subprocess.Popen(command, stdout=stdout, stderr=stderr, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it that its parent has not read its exit code yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:  # it ended just now, or the system has no /proc
        return False


def stops(pid: int, *, within: float) -> bool:
    """Wait for a process to end; whether it did within so many seconds."""
    deadline = time.monotonic() + within
    while not is_gone(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def mock_command(file: Path, before: str = "") -> Path:
    """Write a command that starts the mock of this tree in any environment; `before` is a line of the shell."""
    root = Path(__file__).parents[1]
    file.write_text(
        f"#!/bin/sh\n{before}\nPYTHONPATH='{root}' exec '{sys.executable}' -m mock_server \"$@\"\n"
    )
    file.chmod(0o755)
    return file


def environment(**variables: str) -> dict[str, str]:
    """Make an environment that imports this tree; variables of pytest, of ours and of the make that runs the tests are left out."""
    others = ("PYTEST", "ARKLOW", "MAKE", "MFLAGS", "ARGS")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(others)}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1])} | variables
