"""The command `arklow-contracts`, and pytest with the judge as a plugin, as processes that a user starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.core.rules import RULES
from tests.mutants import MUTANTS, ConformingServer
from tests.processes import started
from tests.serving import serving
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).parent / "arklow-contracts"
SECRET = "s3cret-key-of-one"
UNREACHABLE = "--base-url http://127.0.0.1:9 --api-key a-key-of-one --org 1"


@pytest.fixture(scope="module")
def mutant_url() -> Iterator[str]:
    """A deployment whose action ids are not digits, and which echoes keys."""
    with serving(MUTANTS["R04"](keys={SECRET: "1"})) as url:
        yield url


def arklow(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a `PATH` and these variables alone."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={"PATH": os.environ["PATH"], **environment},
    )


def shell(script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash with these variables besides those of the tests."""
    return subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


def test_a_command_that_cannot_be_carried_out_ends_with_2_and_one_line(tmp_path: Path) -> None:
    """On standard error."""
    ran = arklow("check", cwd=tmp_path)

    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)


def test_a_failing_run_ends_with_1_and_its_curl_lines_show_the_finding_again(
    mutant_url: str, tmp_path: Path
) -> None:
    """They take the key from the environment, and it is in none of the output."""
    flags = ("--base-url", mutant_url, "--api-key", "env:MY_KEY", "--org", "1", "--only", "PAGE-5")
    ran = arklow("check", *flags, "--report-dir", "out", cwd=tmp_path, MY_KEY=SECRET)
    curl = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["violations"][0]["curl"]
    repeated = shell(curl, tmp_path, MY_KEY=SECRET)

    assert ran.returncode == 1, ran.stderr
    assert '"a_id": "act_' in repeated.stdout
    left = "".join(file.read_text("utf-8") for file in (tmp_path / "out").rglob("*.*"))
    assert SECRET not in curl + ran.stdout + ran.stderr + left
    assert {entry.name for entry in tmp_path.iterdir()} == {"out"}


def test_curl_lines_with_parts_of_a_key_show_a_finding_again(tmp_path: Path) -> None:
    """The shell makes the parts of the key that the environment has."""
    with serving(MUTANTS["A12"](keys={SECRET: "1"})) as url:
        flags = ("--base-url", url, "--api-key", SECRET, "--org", "1", "--only", "AUTH-4")
        arklow("check", *flags, "--report-dir", "out", cwd=tmp_path)
        curl = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["violations"][0]["curl"]
        repeated = shell(curl, tmp_path, ARKLOW_API_KEY=SECRET)

    assert '"data"' in repeated.stdout


def test_a_closed_pipe_does_not_change_the_verdict(mutant_url: str, tmp_path: Path) -> None:
    """`check … | head -1` still judges, writes its reports and exits with what it found."""
    flags = f"--base-url {mutant_url} --api-key {SECRET} --org 1 --only PAGE-5 --report-dir out"
    ran = shell(f"{COMMAND} check {flags} | head -1; exit ${{PIPESTATUS[0]}}", tmp_path)

    assert (ran.returncode, ran.stderr) == (1, "")
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["verdict"] == "violations"


@pytest.mark.parametrize("words", ["spec status", "explain PAGE-5", f"check {UNREACHABLE} --dry-run"])
def test_a_command_that_only_prints_ends_quietly_at_a_closed_pipe(words: str, tmp_path: Path) -> None:
    """As after `| head`, and unbuffered as in a container."""
    ran = shell(f"{COMMAND} {words} | true; exit ${{PIPESTATUS[0]}}", tmp_path, PYTHONUNBUFFERED="1")

    assert (ran.returncode, ran.stderr) == (3, "")


def test_a_terminal_that_lacks_a_character_does_not_fail_the_run(mutant_url: str, tmp_path: Path) -> None:
    """The verdict is a word."""
    flags = ("--base-url", mutant_url, "--api-key", SECRET, "--org", "1", "--only", "PAGE-5")
    ran = arklow("check", *flags, cwd=tmp_path, PYTHONIOENCODING="ascii")

    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.splitlines()[-1] == "FAILED  1 violation"


def test_an_interrupted_run_prints_its_summary(tmp_path: Path) -> None:
    """After Ctrl-C the summary says that the run was interrupted, without a traceback."""
    with (
        serving(ConformingServer()) as url,
        started(
            [COMMAND, "check", "--base-url", url, "--api-key", "good-key-one", "--org", "1"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_DFL
            ),  # background jobs of a shell ignore SIGINT
        ) as running,
    ):
        assert running.stdout is not None
        assert any("requests" in line for line in iter(running.stdout.readline, ""))
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=PATIENCE)

    assert (running.returncode, errors) == (3, "")
    assert output.splitlines()[-1] == "INCONCLUSIVE  The run was interrupted."


def plugin(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest with the judge as a plugin."""
    command = [*(sys.executable, "-m", "pytest", "-p", "contracts.pytest_plugin"), "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "ARKLOW_API_KEY": SECRET},
    )


def test_pytest_has_a_test_for_each_rule(mutant_url: str, tmp_path: Path) -> None:
    """The test of a broken rule fails, and no test of the directory is collected."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    raise AssertionError\n")
    ran = plugin("--arklow-url", mutant_url, "--arklow-max-time", "5", "-rA", "--color=no", cwd=tmp_path)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"{len(RULES)} items" in ran.stdout
    assert "FAILED arklow::PAGE-5" in ran.stdout
    assert "PASSED arklow::PAGE-8" in ran.stdout
    assert "test_mine" not in ran.stdout
    assert SECRET not in ran.stdout


def test_pytest_is_not_green_when_a_run_is_inconclusive(tmp_path: Path) -> None:
    """All tests are skipped then, which pytest alone calls a success."""
    ran = plugin("--arklow-url", "http://127.0.0.1:9", cwd=tmp_path)

    assert ran.returncode == 3
    assert "could not be reached" in ran.stdout


def test_pytest_judges_a_target_of_a_file(tmp_path: Path) -> None:
    """A missing target is an error before any test."""
    with serving(MUTANTS["R30"](keys={SECRET: "7"})) as url:
        (tmp_path / "targets.toml").write_text(
            f'[targets.a]\nbase_url = "{url}"\norg = 7\napi_key = "env:ARKLOW_API_KEY"'
        )
        ran = plugin("--arklow-target", "a", "--arklow-only", "PAGE-5", cwd=tmp_path)
    wrong = plugin("--arklow-target", "b", cwd=tmp_path)

    assert (ran.returncode, "1 failed" in ran.stdout) == (1, True), ran.stdout + ran.stderr
    assert (wrong.returncode, "has no target 'b'" in wrong.stderr) == (4, True)
