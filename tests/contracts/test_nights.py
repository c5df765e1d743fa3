"""A night may end at any moment: it leaves a report, and can be resumed where it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.cli import main
from contracts.commands.night_state import NIGHT
from contracts.reports.json_report import SCHEMA
from tests.mutants import MUTANTS, ConformingServer, interferences
from tests.processes import started
from tests.serving import serving

COMMAND = Path(sys.executable).parent / "arklow-contracts"


def flags(url: str, directory: Path, seconds: int) -> list[str]:
    return [
        *("check", "--profile", "night", "--base-url", url, "--api-key", "good-key-one", "--org", "1"),
        *("--max-time", str(seconds), "--report-dir", str(directory), "--seed", "3"),
    ]


@contextmanager
def night(url: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a night in a process of its own."""
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = {**inherited, "HOME": str(directory)}
    command: list[str | Path] = [COMMAND, *flags(url, directory, 300)]
    with started(command, stdout=subprocess.DEVNULL, env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def report_in(directory: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((directory / "report.json").read_text("utf-8"))
    return report


@pytest.mark.parametrize("seconds", [0.0, 4.5])
def test_a_night_that_is_killed_leaves_a_report_and_can_be_resumed(seconds: float, tmp_path: Path) -> None:
    """It is killed so many seconds after its first report. Scenarios that are done are not played again."""
    with interferences.delaying(0.0) as interference:
        with night(interference.url, tmp_path) as running:
            deadline = time.monotonic() + 60
            while not (tmp_path / "report.json").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(seconds)
            running.send_signal(signal.SIGKILL)
        Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report_in(tmp_path))
        assert (report_in(tmp_path)["verdict"], report_in(tmp_path)["exit_code"]) == ("inconclusive", 3)
        before = json.loads((tmp_path / NIGHT).read_text("utf-8"))

        code = main([*flags(interference.url, tmp_path, 6), "--resume"])

    after = json.loads((tmp_path / NIGHT).read_text("utf-8"))
    assert code in (0, 3)
    assert after["progress"]["done"][: len(before["progress"]["done"])] == before["progress"]["done"]
    assert len(set(after["progress"]["done"])) == len(after["progress"]["done"])
    assert after["report"]["requests"] > before["report"]["requests"]
    assert after["report"]["run"] == before["report"]["run"]


def test_findings_of_the_first_part_stay_findings(tmp_path: Path) -> None:
    """With their exchanges, and with the key as a variable."""
    with serving(MUTANTS["R11"]()) as url:
        main(flags(url, tmp_path, 3))
        main([*flags(url, tmp_path, 1), "--resume"])

    [finding] = report_in(tmp_path)["violations"]
    assert finding["rule"] == "PAGE-5"
    assert finding["script"][-1]["headers"][0] == ["x-arklow-auth", "$ARKLOW_API_KEY"]
    assert "good-key-one" not in (tmp_path / NIGHT).read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("{", "is not what a night leaves behind"),
        ('{"report": {}}', "is not what a night leaves behind"),
    ],
)
def test_a_missing_night_cannot_be_resumed(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused before anything is sent."""
    if text is not None:
        (tmp_path / NIGHT).write_text(text)

    assert main([*flags("http://127.0.0.1:9", tmp_path, 3), "--resume"]) == 2
    assert said in capsys.readouterr().err


def test_the_night_of_another_target_is_not_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its interpretations and findings are not those of this one."""
    with serving(ConformingServer()) as url:
        main(flags(url, tmp_path, 2))

    assert main([*flags("http://127.0.0.1:9", tmp_path, 3), "--resume"]) == 2
    assert "the night in" in capsys.readouterr().err
