"""The process of a mock as the fixture of pytest has it: found, started once on first use, ended."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from arklow_local.process import COMMAND, CannotStart, Mock, Process, find_command
from tests.waiting import PATIENCE

FACTS = {
    "pid": 7,
    "base_url": "http://localhost:1",
    "ingress_url": "http://localhost:2",
    "admin_url": "http://localhost:3",
    "admin_token": "t0ken",
    "document": "http://localhost:1/openapi.json",
}


class _Started:
    """A process that was started: it gets ready, ends at once, or never gets ready."""

    def __init__(self, *, ready: bool = True, exit_code: int | None = None, ends_at: str = "hang up") -> None:
        self._ready, self._ends_at = ready, ends_at
        self.returncode = exit_code
        self.asked: list[str] = []
        self.given: dict[str, Any] = {}
        self.starts = 0
        self.stdin = self
        """Closing it is how the mock is asked to end first."""

    def popen(self, command: list[Any], *, stdout: io.BufferedRandom, **given: Any) -> Any:
        """Take the place of `subprocess.Popen`."""
        self.starts += 1
        self.given = {"command": [str(one) for one in command], **given}
        stdout.write(b"x" * 5_000 + b"it said this\n")
        if self._ready:
            Path(command[-1]).write_text(json.dumps(FACTS))
        return self

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, seconds: float) -> int:
        self.asked.append(f"{seconds:g} s")
        if self.returncode is None:
            raise subprocess.TimeoutExpired("mock", seconds)
        return self.returncode

    def _ask(self, how: str) -> None:
        self.asked.append(how)
        if how == self._ends_at and self.returncode is None:
            self.returncode = 0

    def close(self) -> None:
        self._ask("hang up")

    def terminate(self) -> None:
        self._ask("terminate")

    def kill(self) -> None:
        self._ask("kill")


def _process(started: _Started, command: str = "/bin/mock --auto-define", **limits: Any) -> Process:
    return Process(command, Path("/project"), popen=started.popen, **limits)


def test_a_mock_is_started_once_and_described_as_its_ready_file_does() -> None:
    """With free ports, in the folder of the project, and so that it ends with this process."""
    started = _Started()
    process = _process(started)
    assert started.starts == 0
    assert process.mock() == process.mock() == Mock(**FACTS)  # type: ignore[arg-type]

    given = started.given
    assert started.starts == 1
    assert given["command"][:-1] == [
        *("/bin/mock", "--auto-define", "--port", "0", "--ingress-port", "0", "--admin-port", "0"),
        *("--exit-with-parent", "--ready-file"),
    ]
    assert given["command"][-1].endswith("ready.json")
    assert (given["cwd"], given["stdin"], given["stderr"]) == (
        Path("/project"),
        subprocess.PIPE,
        subprocess.STDOUT,
    )
    assert given["start_new_session"] is True
    assert not Path(given["command"][-1]).parent.exists()


def test_the_packages_of_this_environment_do_not_reach_the_mocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be that of another one; all other variables do."""
    for name in ("PYTHONPATH", "PYTHONHOME", "MORE"):
        monkeypatch.setenv(name, "x")
    started = _Started()
    _process(started).mock()

    assert started.given["env"].keys() == os.environ.keys() - {"PYTHONPATH", "PYTHONHOME"}
    assert started.given["env"]["MORE"] == "x"


def test_many_threads_start_one_mock() -> None:
    """All are told of the same."""
    started = _Started()
    process = _process(started)
    found: list[Mock] = []
    threads = [threading.Thread(target=lambda: found.append(process.mock())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert (len(found), len(set(found)), started.starts) == (8, 1, 1)


@pytest.mark.parametrize(
    ("ends_at", "asked"),
    [
        ("hang up", ["hang up", "0.5 s"]),
        ("terminate", ["hang up", "0.5 s", "terminate", "0.5 s"]),
        ("kill", ["hang up", "0.5 s", "terminate", "0.5 s", "kill", "0.5 s"]),
    ],
)
def test_a_mock_is_ended_ever_more_urgently(ends_at: str, asked: list[str]) -> None:
    """And does not start again."""
    started = _Started(ends_at=ends_at)
    process = _process(started, stop_seconds=0.5)
    process.mock()
    process.stop()

    assert started.asked == asked
    with pytest.raises(CannotStart, match="the run is over"):
        process.mock()
    assert started.starts == 1


def test_a_mock_that_was_never_needed_is_not_ended() -> None:
    """It does not start later either."""
    started = _Started()
    process = _process(started)
    process.stop()

    assert started.asked == []
    with pytest.raises(CannotStart, match="the run is over"):
        process.mock()


def test_a_mock_that_ends_at_once_is_quoted_and_not_tried_again() -> None:
    """The end of what it said, with its exit code."""
    started = _Started(ready=False, exit_code=2)
    process = _process(started)
    for _ in range(2):
        with pytest.raises(CannotStart) as failed:
            process.mock()

        text = str(failed.value)
        assert text.startswith(
            "expected /bin/mock --auto-define to get ready within 60 s, got exit code 2; it said: x"
        )
        assert text.endswith("xit said this")
        assert text.count("x" * 1_900) == 1
        assert text.count("x" * 2_000) == 0
    assert started.starts == 1


def test_a_mock_that_does_not_get_ready_is_ended() -> None:
    """After the time that it has."""
    started = _Started(ready=False)
    with pytest.raises(CannotStart, match=r"to get ready within 0\.02 s, got exit code 0"):
        _process(started, start_seconds=0.02).mock()

    assert started.asked[0] == "hang up"


def test_a_mock_is_not_waited_for_when_the_run_is_over() -> None:
    """The thread that starts it is told that there is none."""
    started = _Started(ready=False)
    process = _process(started)
    failures: list[str] = []

    def use() -> None:
        with pytest.raises(CannotStart) as failed:
            process.mock()
        failures.append(str(failed.value))

    user = threading.Thread(target=use)
    user.start()
    process.stop()
    user.join(PATIENCE)

    assert len(failures) == 1
    assert started.returncode == 0 or started.starts == 0


def test_a_command_that_cannot_be_run_is_named() -> None:
    """With the system's reason."""

    def popen(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(
        CannotStart, match=r"^expected a command that can be run, got /bin/mock \(Permission denied\)$"
    ):
        Process("/bin/mock", Path(), popen=popen).mock()


def _program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_a_command_with_a_folder_is_taken_as_it_is() -> None:
    """Its flags are split as a shell does."""
    assert find_command("./mock 'a b' c") == ["./mock", "a b", "c"]


def test_a_name_is_looked_for_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder beside the interpreter comes first."""
    on_path = _program(tmp_path / "path", "some-mock")
    beside = _program(tmp_path / "beside", "other-mock")
    _program(tmp_path / "path", "other-mock")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))

    assert find_command("some-mock --flag") == [str(on_path), "--flag"]
    assert find_command("other-mock") == [str(beside)]


def test_the_mock_beside_the_interpreter_counts_where_it_can_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its packages the one on PATH is taken."""
    beside, on_path = (_program(tmp_path / name, COMMAND) for name in ("beside", "path"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "beside"), str(tmp_path / "path")]))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))
    assert find_command(COMMAND) == [str(beside)]

    monkeypatch.setitem(sys.modules, "pebble", None)
    assert find_command(COMMAND) == [str(on_path)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "no-such-mock",
            "expected the command no-such-mock beside {0} (with the extra `mock`) or on PATH, got none; ",
        ),
        ("'open", 'expected the command of a mock as in a shell, arklow-mock for instance, got "\'open"'),
        ("", "expected the command of a mock as in a shell, arklow-mock for instance, got ''"),
    ],
)
def test_a_command_that_is_not_there_is_refused(line: str, message: str) -> None:
    """The message says what would help."""
    with pytest.raises(CannotStart) as refused:
        find_command(line)

    assert str(refused.value).startswith(message.format(sys.executable))
