"""A mock as a process of its own, which ends when this process ends.

A process and no import: tests need no package of the mock, which may lie in another environment.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from . import WHEEL

COMMAND: Final = "arklow-mock"
INSTALL: Final = f"`uv tool install '{WHEEL}[mock]'` or `pipx install '{WHEEL}[mock]'`"
_MOCK_NEEDS: Final = ("connexion", "jsonschema_rs", "pebble")
"""Packages of the extra `mock`: without them, the command beside the interpreter cannot start."""
_FLAGS: Final = (
    *("--port", "0", "--ingress-port", "0", "--admin-port", "0"),
    *("--exit-with-parent", "--ready-file"),
)
_START_SECONDS: Final = 60.0
"""Seconds that a mock has to get ready: it takes one, and many at once on a busy machine take longer."""
_STOP_SECONDS: Final = 10.0
"""Seconds that it has to end after each request to end; it finishes calls to webhooks first."""
_OUTPUT_BYTES: Final = 2_000
"""Bytes from the end of its output that a message quotes."""


class CannotStart(Exception):
    """No mock can be started; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Mock:
    """A running mock, as its ready file describes it."""

    pid: int
    base_url: str
    """URL of the control plane."""
    ingress_url: str
    """URL of ingress; both ports serve every operation."""
    admin_url: str
    admin_token: str
    document: str
    """URL of the OpenAPI document."""


def find_command(line: str) -> list[str]:
    """Find the program of a command line as in a shell, and split its flags off.

    A bare name is looked for beside the interpreter, then on PATH. `arklow-mock` beside the interpreter counts only where it
    can start.

    Raises:
        CannotStart: there is no such program.
    """
    try:
        name, *flags = shlex.split(line, posix=os.name == "posix")
    except ValueError:
        raise CannotStart(
            f"expected the command of a mock as in a shell, {COMMAND} for instance, got {line!r}"
        ) from None
    if Path(name).name != name:
        return [name, *flags]
    beside = Path(sys.executable).parent
    folders = [f for f in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(f) != beside]
    if name != COMMAND or all(map(find_spec, _MOCK_NEEDS)):
        folders.insert(0, str(beside))
    path = shutil.which(name, path=os.pathsep.join(folders))
    if path is None:
        raise CannotStart(
            f"expected the command {name} beside {sys.executable} (with the extra `mock`) or on PATH, got none; "
            f"{INSTALL} has it, and --arklow-mock, the ini value arklow_mock or $ARKLOW_MOCK names another"
        )
    return [path, *flags]


class Process:
    """The process of a mock, started once, on first use."""

    def __init__(
        self,
        command: str,
        folder: Path,
        *,
        popen: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen,
        start_seconds: float = _START_SECONDS,
        stop_seconds: float = _STOP_SECONDS,
    ) -> None:
        """Remember what to run.

        Args:
            command: a command line as in a shell.
            folder: where it is run.
            popen: starts a process; takes what `subprocess.Popen` takes.
            start_seconds: seconds that the mock has to get ready.
            stop_seconds: seconds that it has to end after each request to end.
        """
        self._command = command
        self._folder = folder
        self._popen = popen
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._mock: Mock | None = None
        self._failure: str | None = None
        """Why there is no mock, and will be none."""

    def mock(self) -> Mock:
        """Start the mock unless it runs, and say where it answers; any thread may call.

        Raises:
            CannotStart: it does not start, now or the first time; it is not tried again.
        """
        with self._lock:
            if self._mock is None and self._failure is None:
                try:
                    self._mock = self._start()
                except CannotStart as error:
                    self._failure = str(error)
            if self._mock is None:
                raise CannotStart(self._failure)
            return self._mock

    def stop(self) -> None:
        """End the mock, and wait until it has ended; it does not start again."""
        self._stopped.set()
        with self._lock:
            self._failure = self._failure or "the run is over"
            self._mock = None
            if self._process is not None:
                self._end(self._process)

    def _start(self) -> Mock:
        command = find_command(self._command)
        with tempfile.TemporaryDirectory(prefix="arklow-") as folder, tempfile.TemporaryFile() as output:
            ready = Path(folder, "ready.json")
            try:
                process = self._process = self._popen(
                    [*command, *_FLAGS, ready],
                    cwd=self._folder,
                    env=_environment(),
                    stdin=subprocess.PIPE,  # --exit-with-parent watches its end
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **_in_own_group(),
                )
            except OSError as error:
                raise CannotStart(
                    f"expected a command that can be run, got {command[0]} ({error.strerror})"
                ) from None
            described = self._wait_until_ready(process, ready)
            if described is None:
                self._end(process)
                output.seek(0)
                said = output.read()[-_OUTPUT_BYTES:].decode("utf-8", "replace").strip() or "nothing"
                raise CannotStart(
                    f"expected {shlex.join(command)} to get ready within {self._start_seconds:g} s, got exit code "
                    f"{process.returncode}; it said: {said}"
                )
            return Mock(**described)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], ready: Path) -> dict[str, Any] | None:
        """Read the ready file as soon as it is there; None when the mock ends, takes too long, or is stopped."""
        deadline = time.monotonic() + self._start_seconds
        while process.poll() is None and time.monotonic() < deadline and not self._stopped.wait(0.01):
            if ready.exists():
                described: dict[str, Any] = json.loads(ready.read_bytes())
                return described
        return None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Ask it to end, ever more urgently, and wait."""
        assert process.stdin is not None
        for ask in (process.stdin.close, process.terminate, process.kill):
            ask()
            try:
                process.wait(self._stop_seconds)
            except subprocess.TimeoutExpired:
                continue
            return


def _environment() -> Mapping[str, str]:
    """Copy the variables of this process, but for those that would bring its packages into another environment's Python."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def _in_own_group() -> dict[str, Any]:
    """Keep Ctrl-C from the mock, as tests still need it for their clean-up; arguments of `Popen` by their names."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


__all__ = ["COMMAND", "CannotStart", "Mock", "Process", "find_command"]
