"""Reports on disk: of one run, whole or not at all; what cannot be written ends no run and hides no finding."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.commands.night_state import NIGHT, NightRecorder
from contracts.commands.report_files import ReportFiles
from contracts.core.events import Checkpoint, Progress
from tests.contracts.commands import checked
from tests.contracts.test_check_command import conforming, mutant
from tests.contracts.test_reports import RUNS, finding, finished

GOOD = finished(started="2026-01-01T00:00:00+00:00")
LATER = finished(
    started="2026-01-02T00:00:00+00:00", violations=(finding("PAGE-9"),), interpretations={"alias": "ignored"}
)
NOTHING = replace(
    RUNS["inconclusive"], started="2026-01-03T00:00:00+00:00", interpretations={}, violations=(), warnings=()
)


def content(directory: Path) -> dict[str, bytes]:
    """Return path → content of every file of a directory."""
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def days(directory: Path) -> set[str]:
    """Return the days on which the runs began whose reports a directory has."""
    found = set()
    for name, data in content(directory).items():
        if not name.startswith(("tests/", ".")):
            found |= set(re.findall(r"2026-01-0\d", data.decode("utf-8", "replace")))
    return found


def test_the_reports_of_a_directory_are_those_of_one_run(tmp_path: Path) -> None:
    """Tests of findings that the last run has not are gone, files of the user stay, and nothing is left beside."""
    (tmp_path / "tests").mkdir()
    for name in ("notes.md", "tests/test_mine.py"):
        (tmp_path / name).write_text("mine")
    assert ReportFiles(tmp_path).write(GOOD) is None
    assert ReportFiles(tmp_path).write(LATER) is None

    assert days(tmp_path) == {"2026-01-02"}
    assert content(tmp_path).keys() == {
        *("report.html", "report.json", "junit.xml", "report.sarif", "interpretations.yaml", "notes.md"),
        *("tests/test_auth_8_27dc36e8.py", "tests/test_mine.py", "tests/test_page_9_27dc36e8.py"),
    }


def test_a_run_that_proves_nothing_leaves_what_the_last_good_run_has_learned(tmp_path: Path) -> None:
    """Its interpretations and its tests; the reports are those of the new run, and the summary says what was kept."""
    files = ReportFiles(tmp_path)
    files.write(GOOD)
    before = content(tmp_path)

    assert files.write(NOTHING) is None

    after = content(tmp_path)
    assert json.loads(after["report.json"])["verdict"] == "inconclusive"
    kept = [name for name in before if name.startswith(("tests/", "interpretations"))]
    assert len(kept) == 3
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert files.kept == (
        "interpretations.yaml and tests/ of the run of 2026-01-01T00:00:00+00:00, as this run proves nothing"
    )
    files.write(LATER)
    assert (days(tmp_path), files.kept) == ({"2026-01-02"}, "")


def test_a_night_that_is_not_over_writes_its_own_interpretations_again(tmp_path: Path) -> None:
    """Those of the same run are no earlier ones."""
    files = ReportFiles(tmp_path)
    night = replace(NOTHING, interpretations={"alias": "ignored"})
    files.write(night)
    files.write(replace(night, interpretations={"alias": "ignored", "delivery": "at once"}))

    assert b"at once" in (tmp_path / "interpretations.yaml").read_bytes()


def is_a_file(directory: Path) -> None:
    directory.rename(directory.with_name("before"))
    directory.write_text("a file")


def has_a_directory_for_a_report(directory: Path) -> None:
    (directory / "report.json").unlink()
    (directory / "report.json" / "x").mkdir(parents=True)


@pytest.mark.parametrize("spoil", [is_a_file, has_a_directory_for_a_report])
def test_what_cannot_be_written_is_said_and_raises_nothing(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    """With the file and the reason; when it can be written again, it is."""
    directory = tmp_path / "out"
    files = ReportFiles(directory)
    files.write(GOOD)
    spoil(directory)

    problem = files.write(LATER)

    assert problem is not None
    assert str(directory) in problem
    assert ".reports" not in problem


def test_a_directory_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    """As by a user who tidies up during a night."""
    files = ReportFiles(tmp_path / "a" / "out")

    assert files.write(GOOD) is None
    assert days(tmp_path / "a" / "out") == {"2026-01-01"}


KILLED = """
import builtins, os, signal, sys
from pathlib import Path
from contracts.commands.report_files import ReportFiles
from tests.contracts.test_report_files import LATER
left = int(sys.argv[2])
def count(event, arguments):
    global left
    named = str(arguments[0]) if arguments else ""
    changes = event == "os.rename" or (event == "open" and "reports" in named and arguments[1] and "w" in arguments[1])
    if changes:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
ReportFiles(Path(sys.argv[1])).write(LATER)
"""


@pytest.mark.slow
def test_reports_are_whole_wherever_the_process_is_killed(tmp_path: Path) -> None:
    """Before the swap those of the earlier run; afterwards the next command completes what is missing."""
    ended = killed = 0
    for changes in range(60):
        directory = tmp_path / str(changes)
        ReportFiles(directory).write(GOOD)
        before = content(directory)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(directory), str(changes)],
            capture_output=True,
            text=True,
            check=False,
        )
        visible = {name: data for name, data in content(directory).items() if not name.startswith(".")}
        swapping = (directory / ".reports.whole").is_dir()
        if not swapping:
            assert visible == before or days(directory) == {"2026-01-02"}, changes
        ReportFiles(directory)
        assert len(days(directory)) == 1, changes
        killed += done.returncode == -signal.SIGKILL
        ended += done.returncode == 0
        if done.returncode == 0:
            break
    assert killed > 10
    assert ended == 1, done.stderr


# Nights


def test_a_night_goes_on_when_its_directory_cannot_be_written(tmp_path: Path) -> None:
    """It says so once, and says when the reports can be written again."""
    directory = tmp_path / "night"
    said: list[str] = []
    recorder = NightRecorder(directory, ReportFiles(directory).write, said.append)

    def hear(seconds: float) -> None:
        recorder(Checkpoint(replace(GOOD, seconds=seconds), Progress()))

    hear(1.0)
    is_a_file(directory)
    for seconds in (2.0, 3.0, 20.0, 21.0):
        hear(seconds)
    directory.unlink()
    for seconds in (22.0, 40.0, 41.0):
        hear(seconds)

    assert len(said) == 2
    assert said[0].startswith(f"Cannot write {directory}")
    assert said[1] == "The reports can be written again."
    assert json.loads((directory / NIGHT).read_bytes())["report"]["seconds"] == 41.0
    assert days(directory) == {"2026-01-01"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("profile", [(), ("--profile", "night", "--max-time", "60")], ids=["check", "night"])
def test_a_run_whose_reports_cannot_be_written_ends_as_judged(profile: tuple[str, ...]) -> None:
    """The screen says what is missing; a night says it as soon as it is so."""
    for name in ("report.json", NIGHT):
        Path("out", name, "a file").mkdir(parents=True)

    done = checked(conforming, *profile, "--report-dir", "out", "--seed", "3")

    assert (done.code, done.errors) == (0, "")
    assert done.lines[-1] == "PASSED  no violation"
    assert any(line.startswith("Not written   out") for line in done.lines)
    assert any(line.startswith("Cannot write out") for line in done.lines) is bool(profile)


@pytest.mark.usefixtures("here")
def test_findings_are_on_the_screen_when_reports_are_not_on_disk() -> None:
    """Each with its example."""
    Path("out").mkdir()
    Path("out/report.json/x").mkdir(parents=True)
    done = checked(mutant("S15"), "--only", "ING-3", "--report-dir", "out")

    assert done.code == 1
    assert sum(line.startswith("  curl -s") for line in done.lines) >= 2
    assert any(line.startswith("Not written   out/report.json") for line in done.lines)
    assert done.lines[-1] == "FAILED  1 violation"
