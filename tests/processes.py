"""Processes that tests start: what they are given, and whether they are still there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.STDOUT,
) -> Iterator[subprocess.Popen[str]]:
    """Start a process and yield it; end it afterwards.

    Raises:
        subprocess.TimeoutExpired: it has not ended within ten seconds of SIGTERM, and was killed.
    """
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=stdout, stderr=stderr, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, buried or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:  # just now, or on a system without /proc
        return False


def stops(pid: int, *, within: float) -> bool:
    """Whether a process ends within so many seconds."""
    deadline = time.monotonic() + within
    while not is_gone(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def mock_command(file: Path, before: str = "") -> Path:
    """A command that is the mock of this tree whatever the environment says; `before` is a line of the shell."""
    root = Path(__file__).parents[1]
    file.write_text(
        f"#!/bin/sh\n{before}\nPYTHONPATH='{root}' exec '{sys.executable}' -m mock_server \"$@\"\n"
    )
    file.chmod(0o755)
    return file


def environment(**variables: str) -> dict[str, str]:
    """That of this process without what steers pytest or a mock, in which this tree is the one that is imported."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST", "ARKLOW"))}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1])} | variables
