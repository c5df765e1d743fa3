"""A mock as a process of its own, which ends with this one."""

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
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from . import WHEEL

COMMAND: Final = "arklow-mock"
INSTALL: Final = f"`uv tool install '{WHEEL}[mock]'` or `pipx install '{WHEEL}[mock]'`"
_ENGINES: Final = ("connexion", "jsonschema_rs", "pebble")
"""What the extra `mock` brings: where it is missing, the command beside the interpreter cannot start."""
_FLAGS: Final = (
    *("--port", "0", "--ingress-port", "0", "--admin-port", "0"),
    *("--exit-with-parent", "--ready-file"),
)
_PATIENCE: Final = 60.0
"""Seconds that a mock has to get ready."""
_FAREWELL: Final = 10.0
"""Seconds that it has to end."""


class CannotStart(Exception):
    """No mock can be had; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Mock:
    """A running mock: what its ready file says."""

    pid: int
    base_url: str
    """The control plane; both ports serve every operation."""
    ingress_url: str
    admin_url: str
    admin_token: str
    document: str
    """URL of the OpenAPI document."""


def found(text: str) -> list[str]:
    """The command of a line as a shell has it. A bare name is looked for beside the interpreter, then on PATH; `arklow-mock` beside
    the interpreter counts only where it can start.

    Raises:
        CannotStart: there is none.
    """
    try:
        name, *flags = shlex.split(text, posix=os.name == "posix")
    except ValueError:
        raise CannotStart(
            f"expected the command of a mock as in a shell, {COMMAND} for instance, got {text!r}"
        ) from None
    if Path(name).name != name:
        return [name, *flags]
    beside = Path(sys.executable).parent
    folders = [f for f in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(f) != beside]
    if name != COMMAND or all(map(find_spec, _ENGINES)):
        folders.insert(0, str(beside))
    path = shutil.which(name, path=os.pathsep.join(folders))
    if path is None:
        raise CannotStart(
            f"expected the command {name} beside {sys.executable} (with the extra `mock`) or on PATH, got none; "
            f"{INSTALL} has it, and --arklow-mock, the ini value arklow_mock or $ARKLOW_MOCK names another"
        )
    return [path, *flags]


class Process:
    """A mock that is started when it is first asked for, once."""

    def __init__(self, command: str, folder: Path) -> None:
        """`command` as a shell has it, run in `folder`."""
        self._command = command
        self._folder = folder
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._mock: Mock | None = None
        self._failed: str | None = None

    def mock(self) -> Mock:
        """Where it answers; from any thread.

        Raises:
            CannotStart: it does not start; it is not tried again.
        """
        with self._turn:
            if self._mock is None and self._failed is None:
                try:
                    self._mock = self._start()
                except CannotStart as error:
                    self._failed = str(error)
            if self._mock is None:
                raise CannotStart(self._failed)
            return self._mock

    def stop(self) -> None:
        """End it, and wait until it has ended; it does not start any more."""
        self._over.set()
        with self._turn:
            self._failed = self._failed or "the run is over"
            self._mock = None
            if self._process is not None:
                _end(self._process)

    def _start(self) -> Mock:
        command = found(self._command)
        with tempfile.TemporaryDirectory(prefix="arklow-") as folder, tempfile.TemporaryFile() as output:
            ready = Path(folder, "ready.json")
            try:
                process = self._process = subprocess.Popen(  # noqa: S603 what the project names
                    [*command, *_FLAGS, ready],
                    cwd=self._folder,
                    env=_environment(),
                    stdin=subprocess.PIPE,  # its end is the sign for --exit-with-parent
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **_apart(),
                )
            except OSError as error:
                raise CannotStart(
                    f"expected a command that can be run, got {command[0]} ({error.strerror})"
                ) from None
            facts = self._awaited(process, ready)
            if facts is None:
                _end(process)
                output.seek(0)
                said = output.read()[-2_000:].decode("utf-8", "replace").strip() or "nothing"
                raise CannotStart(
                    f"expected {shlex.join(command)} to get ready within {_PATIENCE:g} s, got exit code "
                    f"{process.returncode}; it said: {said}"
                )
            return Mock(**facts)

    def _awaited(self, process: subprocess.Popen[bytes], ready: Path) -> dict[str, Any] | None:
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < deadline and not self._over.wait(0.01):
            if ready.exists():
                facts: dict[str, Any] = json.loads(ready.read_bytes())
                return facts
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask, and then insist."""
    for ask in (_hang_up, subprocess.Popen.terminate, subprocess.Popen.kill):
        ask(process)
        try:
            process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            continue
        return


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def _environment() -> Mapping[str, str]:
    """That of this process, without what would bring its packages into another environment's Python."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def _apart() -> dict[str, Any]:
    """So that Ctrl-C does not end it before the last test has been cleaned up after."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


__all__ = ["COMMAND", "CannotStart", "Mock", "Process"]
