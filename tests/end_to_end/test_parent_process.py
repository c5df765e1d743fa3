"""A mock that another program starts: the file that says where it answers, and its end with that program."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import is_gone, started, stops
from tests.replies import ask
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

MOCK = [sys.executable, "-m", "mock_server", "serve", "--port", "0", "--ingress-port", "0"]


@contextlib.contextmanager
def ready_process(
    command: list[str], ready: Path, *, stdin: int = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a process in a session of its own; yield it, and what the ready file of its mock says."""
    with started(command, stdin=stdin, start_new_session=True) as process:
        facts: dict[str, Any] = {}
        try:
            wait_until(lambda: ready.exists() or process.poll() is not None)
            assert process.poll() is None, process.communicate()[0]
            facts = json.loads(ready.read_text())
            yield process, facts
        finally:
            for left in {process.pid, facts.get("pid", process.pid)}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)


def answers(facts: dict[str, Any]) -> bool:
    """Whether a mock goes on answering: a hundred requests, in which it had time to end."""
    headers = {"x-arklow-auth": "org-7"}
    path = "/v1/orgs/7/actions/records?limit=1"
    return {ask(facts["base_url"], "GET", path, headers=headers).status for _ in range(100)} == {200}


def test_the_ready_file_says_where_the_mock_answers_while_it_does(tmp_path: Path) -> None:
    """This user alone can read it, and it is gone at the end."""
    ready = tmp_path / "ready.json"
    with ready_process([*MOCK, "--admin-port", "0", "--ready-file", str(ready)], ready) as (process, facts):
        assert facts.keys() == {"pid", "base_url", "ingress_url", "admin_url", "admin_token", "document"}
        assert stat.S_IMODE(ready.stat().st_mode) == 0o600
        assert facts["pid"] == process.pid
        for url in ("base_url", "ingress_url"):
            assert (
                ask(
                    facts[url],
                    "GET",
                    "/v1/orgs/7/actions/records?limit=1",
                    headers={"x-arklow-auth": "org-7"},
                ).status
                == 200
            )
        token = {"authorization": f"Bearer {facts['admin_token']}"}
        assert ask(facts["admin_url"], "GET", "/organisations", headers=token).status == 200
        assert (
            ask(
                facts["base_url"], "GET", facts["document"].removeprefix(facts["base_url"]), headers={}
            ).status
            == 200
        )

        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert list(tmp_path.iterdir()) == []


def test_a_ready_file_that_was_left_behind_is_taken_away_at_once(tmp_path: Path) -> None:
    """A program that waits for the file must not read where a killed mock was; without admin plane it has no token."""
    ready = tmp_path / "ready.json"
    ready.write_text('{"base_url": "of another"}')
    command = [*MOCK, "--no-admin", "--document", "/nope.yaml", "--ready-file", str(ready)]

    assert subprocess.run(command, capture_output=True, timeout=300).returncode == 2
    assert not ready.exists()
    with ready_process([*MOCK, "--no-admin", "--ready-file", str(ready)], ready) as (_, facts):
        assert (facts["admin_url"], facts["admin_token"]) == (None, None)


def test_the_ready_file_of_another_mock_stays(tmp_path: Path) -> None:
    """The mock that was started last owns the file."""
    ready = tmp_path / "ready.json"
    with ready_process([*MOCK, "--no-admin", "--ready-file", str(ready)], ready) as (process, _):
        ready.write_text("of another")
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert ready.read_text() == "of another"


@pytest.mark.parametrize("place", ["no/such/folder/ready.json", "."])
def test_a_ready_file_that_cannot_be_written_stops_the_start(tmp_path: Path, place: str) -> None:
    """Exit code 2 and one line; nothing is served."""
    path = tmp_path / place
    ran = subprocess.run(
        [*MOCK, "--no-admin", "--ready-file", path], capture_output=True, text=True, timeout=300
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(
        f"arklow-mock: --ready-file: expected a file that can be written, got {path} ("
    )


FLAGS = ["--no-admin", "--exit-with-parent", "--ready-file"]


@pytest.mark.parametrize("held", ["PIPE", "DEVNULL"])
def test_a_mock_ends_with_a_parent_that_is_killed(tmp_path: Path, held: str) -> None:
    """Whether the parent holds its standard input or not; the ready file is removed."""
    ready = tmp_path / "ready.json"
    holding = (
        "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdin=subprocess." + held + "); p.wait()"
    )
    with ready_process([sys.executable, "-c", holding, *MOCK, *FLAGS, str(ready)], ready) as (parent, facts):
        assert facts["pid"] != parent.pid
        parent.kill()

        assert stops(facts["pid"], within=PATIENCE)
        assert not ready.exists()


def test_a_mock_ends_when_standard_input_does(tmp_path: Path) -> None:
    """It ignores what is written there before; the log says why it ended, and the exit code is 0."""
    ready = tmp_path / "ready.json"
    with ready_process([*MOCK, *FLAGS, str(ready)], ready, stdin=subprocess.PIPE) as (process, facts):
        assert process.stdin is not None
        process.stdin.write("hello")
        process.stdin.flush()
        assert answers(facts)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
        assert process.stdout is not None
        assert "--exit-with-parent: standard input has ended" in process.stdout.read()


def test_standard_input_that_is_no_pipe_ends_nothing(tmp_path: Path) -> None:
    """The end of `/dev/null` says nothing; without the flag even that of a pipe says nothing."""
    ready = tmp_path / "ready.json"
    with ready_process([*MOCK, *FLAGS, str(ready)], ready) as (_, facts):
        assert answers(facts)
    ready.unlink(missing_ok=True)
    with ready_process([*MOCK, "--no-admin", "--ready-file", str(ready)], ready, stdin=subprocess.PIPE) as (
        plain,
        facts,
    ):
        assert plain.stdin is not None
        plain.stdin.close()
        assert answers(facts)


def test_ctrl_c_in_the_parents_terminal_ends_both_without_a_traceback(tmp_path: Path) -> None:
    """The signal reaches the whole foreground group, and then the parent ends."""
    ready = tmp_path / "ready.json"
    waiting = (
        "import subprocess, sys\np = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
        "try:\n    p.wait()\nexcept KeyboardInterrupt:\n    p.stdin.close()\n    sys.exit(p.wait())"
    )
    with ready_process([sys.executable, "-c", waiting, *MOCK, *FLAGS, str(ready)], ready) as (parent, facts):
        os.killpg(parent.pid, signal.SIGINT)
        said, _ = parent.communicate(timeout=PATIENCE)

        assert parent.returncode == 0
        assert "Traceback" not in said
        assert is_gone(facts["pid"])
