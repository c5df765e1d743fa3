"""The fixture `arklow` in a user's tests: run by a pytest of its own, with and without pytest-xdist."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.arklow_local.inner_tests import JOURNALLED
from tests.processes import (
    environment,
    is_gone,
    mock_command,
    stops,
)
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

PARALLEL = ["-p", "xdist.plugin", "-n"]


@dataclass(frozen=True)
class Suite:
    """Tests in a folder of their own, and a mock's command that counts its starts."""

    folder: Path

    @property
    def mock(self) -> str:
        """The command line of the mock."""
        return str(self.folder / "counted-mock")

    @property
    def starts(self) -> int:
        """How often the mock was started."""
        log = self.folder / "starts"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def written(self, tests: str) -> Suite:
        """Write these tests into the folder."""
        (self.folder / "test_shop.py").write_text(tests)
        (self.folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        mock_command(self.folder / "counted-mock", f"echo started >> '{self.folder}/starts'")
        return self

    def start(self, *flags: str, **variables: str) -> subprocess.Popen[str]:
        """Start pytest in a process group of its own."""
        plugin = ("--disable-plugin-autoload", "-p", "arklow_local.pytest_fixture", "-p", "no:cacheprovider")
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *plugin, *flags],
            cwd=self.folder,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *flags: str, **variables: str) -> tuple[int, str]:
        """Run pytest; returns (exit code, output)."""
        with self.start(*flags, **variables) as process:
            output, _ = process.communicate(timeout=600)
        return process.returncode, output


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


MANY = """
from datetime import datetime, timedelta, timezone
import os, pytest

@pytest.mark.parametrize("n", range(200))
def test_no_other_test_is_here(arklow, arklow_mock, n):
    at = datetime(2030, 1, 1, tzinfo=timezone.utc) + timedelta(days=n)
    assert arklow.journal.entries() == []
    arklow.clock.freeze(at)
    schema = {"properties": {"order_id": {"const": n}}, "required": ["order_id"]}
    path = f"/v1/orgs/{arklow.org}/actions"
    assert arklow.call("PUT", f"{path}/definitions", {"variant": "order.created", "schema": schema}).data["version"] == 1
    ids = []
    for _ in range(n % 4 + 1):
        ids.append(arklow.call("POST", "/v1/ingress/order.created", {"payload": {"order_id": n}}).data["a_id"])
    assert arklow.call("POST", "/v1/ingress/order.created", {"payload": {"order_id": n + 1}}).status == 400
    records = arklow.call("GET", f"{path}/records?limit=50").data
    assert sorted(one["id"] for one in records["items"]) == ids
    assert arklow.clock.now == at
    assert {entry["action_record_id"] for entry in arklow.journal.entries("transition")} == set(ids)
    with open("seen", "a") as seen:
        seen.write(f"{arklow.org} {arklow_mock.pid} {os.getpid()}\\n")
"""


def test_two_hundred_tests_in_four_workers_share_one_mock_and_nothing_else(suite: Suite) -> None:
    """One start; an organisation for each test, in which no other test does anything; no process is left at the end."""
    code, output = suite.written(MANY).run("--arklow-mock", suite.mock, *PARALLEL, "4")
    seen = [line.split() for line in (suite.folder / "seen").read_text().splitlines()]

    assert (code, suite.starts) == (0, 1), output
    assert "200 passed" in output
    assert len({org for org, _, _ in seen}) == len(seen) == 200
    assert len({worker for _, _, worker in seen}) == 4
    [pid] = {int(mock) for _, mock, _ in seen}
    assert is_gone(pid)


@pytest.mark.parametrize("workers", [[], [*PARALLEL, "2", "--dist", "each"]], ids=["alone", "each"])
def test_a_test_that_runs_in_every_worker_has_an_organisation_in_each(
    suite: Suite, workers: list[str]
) -> None:
    """Elsewhere a test has one organisation, the same in every run."""
    suite.written(
        "def test_it(arklow):\n    assert arklow.journal.entries() == []\n    arklow.clock.freeze()\n"
        "    with open('seen', 'a') as seen:\n        seen.write(arklow.org + '\\n')\n"
    )
    for _ in range(2):
        code, output = suite.run("--arklow-mock", suite.mock, *workers)
        assert code == 0, output
    seen = (suite.folder / "seen").read_text().split()

    assert (len(seen), len(set(seen))) == ((4, 2) if workers else (2, 1))


AGAIN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        item._initrequest()
        runtestprotocol(item, nextitem=nextitem)
    return True
"""


def test_a_test_that_is_run_again_begins_anew(suite: Suite) -> None:
    """Plugins do so for flaky tests; after the last test of a run, fixtures of the session are taken down in between."""
    suite.written(
        "def test_it(arklow):\n    assert arklow.journal.entries('request') == []\n"
        "    arklow.call('GET', f'/v1/orgs/{arklow.org}/actions/records')\n"
    )
    (suite.folder / "conftest.py").write_text(AGAIN)
    code, output = suite.run("--arklow-mock", suite.mock)

    assert (code, suite.starts) == (0, 1), output
    assert "2 passed" in output


def test_the_report_of_a_failed_test_has_the_end_of_its_journal(suite: Suite) -> None:
    """A test that fails in its set-up too; a test that passes has none."""
    suite.written(JOURNALLED)
    code, output = suite.run("--arklow-mock", suite.mock, "-rA")

    assert code == 1
    assert output.count(" Arklow, organisation ") == 2
    assert "request    POST /v1/ingress/order.first" in output
    assert "/v1/ingress/order.n29" in output
    assert "/v1/ingress/order.n10 " in output
    assert "/v1/ingress/order.n9 " not in output
    assert "→ 400 {" in output
    assert "request    POST /v1/ingress/order.passed" not in output


@pytest.mark.parametrize("workers", [[], [*PARALLEL, "2"]], ids=["alone", "xdist"])
def test_without_the_fixture_nothing_is_started(suite: Suite, workers: list[str]) -> None:
    """The plugin may be installed where no test uses it, and where no mock is."""
    code, output = suite.written("def test_it():\n    pass\n").run("--arklow-mock", suite.mock, *workers)

    assert (code, suite.starts) == (0, 0), output


@pytest.mark.parametrize("workers", [[], [*PARALLEL, "2"]], ids=["alone", "xdist"])
def test_without_a_mock_the_error_says_what_to_install(suite: Suite, workers: list[str]) -> None:
    """Each test that needs it is an error, none is skipped, and no traceback of the plugin is shown."""
    suite.written("def test_one(arklow):\n    pass\ndef test_two(arklow):\n    pass\n")
    code, output = suite.run("--arklow-mock", "no-such-mock --seed 7", *workers)

    assert code == 1
    assert "2 errors" in output
    assert "arklow: expected the command no-such-mock beside " in output
    assert (
        "`uv tool install 'arklow_local-0.1.0-py3-none-any.whl[mock]'` or `pipx install 'arklow_local-0.1.0-py3-none-any.whl[mock]'` has it"
        in output
    )
    assert "Traceback" not in output
    assert "pytest_fixture.py" not in output


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("{mock} --no-such-flag", "unrecognized arguments: --no-such-flag"),
        ("{mock} --seed-file nowhere.yaml", "nowhere.yaml: expected a file that can be read"),
        ("./not-a-command", "expected a command that can be run, got ./not-a-command (No such file"),
        ("'unclosed", "expected the command of a mock as in a shell, arklow-mock for instance, got"),
    ],
)
def test_a_mock_that_does_not_start_says_why_once(suite: Suite, command: str, complaint: str) -> None:
    """The error has the mock's own output; the second test does not start it again."""
    suite.written("def test_one(arklow):\n    pass\ndef test_two(arklow):\n    pass\n")
    code, output = suite.run("--arklow-mock", command.format(mock=suite.mock))

    assert code == 1
    assert complaint in output
    assert "2 errors" in output
    assert suite.starts <= 1
    assert "Traceback" not in output


def test_option_variable_and_ini_name_the_command_in_this_order(suite: Suite) -> None:
    """With flags; relative to the root folder of the tests."""
    suite.written("def test_it(arklow):\n    assert arklow.admin('GET')['seed'] == 3\n")
    ini = ("-o", "arklow_mock=./counted-mock --seed 3")

    assert suite.run(*ini)[0] == 0
    assert suite.run(*ini, ARKLOW_MOCK="./counted-mock --seed 4")[0] == 1
    assert suite.run(*ini, "--arklow-mock", "./counted-mock --seed 3", ARKLOW_MOCK="./none")[0] == 0
    assert suite.starts == 3


LONG = """
import pathlib, time

def test_that_takes_long(arklow, arklow_mock):
    pathlib.Path("pid").write_text(str(arklow_mock.pid))
    pathlib.Path("pid").rename("running")
    time.sleep(600)
"""


@pytest.mark.parametrize("workers", [[], [*PARALLEL, "2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_no_mock_is_left_of_a_run_that_is_stopped(
    suite: Suite, number: signal.Signals, workers: list[str]
) -> None:
    """By Ctrl-C, which the whole process group gets, or by `kill -9` of pytest alone."""
    suite.written(LONG)
    with suite.start("--arklow-mock", suite.mock, *workers) as process:
        running = suite.folder / "running"
        wait_until(lambda: running.exists() or process.poll() is not None)
        pid = int(running.read_text())
        assert not is_gone(pid)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.kill()
        assert stops(pid, within=PATIENCE)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == (2 if number is signal.SIGINT else -number)
        assert "INTERNALERROR" not in output


def test_after_ctrl_c_the_mock_runs_until_the_last_test_has_cleaned_up(suite: Suite) -> None:
    """Ctrl-C reaches pytest alone, so the clean-up of tests still works."""
    suite.written("""
import os, pathlib, pytest, signal

@pytest.fixture
def order(arklow):
    yield
    pathlib.Path("told").write_text(str(arklow.call("GET", f"/v1/orgs/{arklow.org}/actions/records").status))

def test_it(order):
    os.killpg(os.getpgid(0), signal.SIGINT)
""")
    code, _ = suite.run("--arklow-mock", suite.mock)

    assert code == 2
    assert json.loads((suite.folder / "told").read_text()) == 200
