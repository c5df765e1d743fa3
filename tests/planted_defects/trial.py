"""Plant a defect in a copy of the repository, and run the fast tests until one fails."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import CoverageData

from .choice import Defect
from .recording import TESTS

LONGEST_TEST = 120
"""Seconds after which a test hangs: many times what the slowest fast test takes."""
MEASUREMENT = "build/coverage/data"
"""Where pyproject.toml has coverage write."""
LONGEST_TRIAL = 3600
"""Seconds after which a run of all fast tests hangs."""

FAST_LANE = ("-m", "pytest", "-m", "not slow", "-p", "tests.planted_defects.recording")
FIRST_FAILURE = ("-x", "-n", "0", "-p", "no:randomly", "--tb", "line", "-rfE", "--timeout", str(LONGEST_TEST))


@dataclass(frozen=True)
class Outcome:
    """Whether the fast tests caught a defect."""

    defect: Defect
    caught_by: str | None
    """The test that failed, or what else went wrong; None of a defect that all tests let pass."""
    tests: int
    """How many tests reach the defect."""
    seconds: float


class Reach:
    """Which tests run which lines, of a measurement with a context for each test."""

    def __init__(self, data: CoverageData) -> None:
        self._lines: dict[str, dict[int, list[str]]] = {
            file: data.contexts_by_lineno(file) for file in data.measured_files()
        }
        self._breadth = Counter(
            test for lines in self._lines.values() for tests in lines.values() for test in tests
        )

    def tests_of(self, defect: Defect) -> list[str]:
        """The tests that run the statement with the defect, or else any line of its file; those that run least first."""
        lines = self._lines.get(defect.path, {})
        at = {
            test for number in statement_lines(defect.before, defect.line) for test in lines.get(number, [])
        }
        reached = at - {""} or {test for tests in lines.values() for test in tests} - {""}
        return sorted(reached, key=lambda test: (self._breadth[test], test))


def statement_lines(text: str, line: int) -> range:
    """The numbers of the lines of the statement around a line; of one with a body those before the body."""
    headers = [
        range(
            node.lineno,
            max(node.lineno, body[0].lineno - 1 if (body := _body(node)) else node.end_lineno or 0) + 1,
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt)
    ]
    return min((one for one in headers if line in one), key=len, default=range(line, line + 1))


def _body(node: ast.stmt) -> list[ast.stmt]:
    cases: list[ast.match_case] = getattr(node, "cases", [])
    return [one for case in cases[:1] for one in case.body] or getattr(node, "body", [])


def copy_repository(root: Path, folder: Path) -> None:
    """Put what is committed at `root` into a folder of its own."""
    subprocess.run(["git", "clone", "-q", str(root), str(folder)], check=True)


def measured(root: Path, workers: int) -> Path:
    """Run all fast tests of a copy, and return the file that says which test ran which line.

    Raises:
        SystemExit: a test failed without a defect.
    """
    (root / MEASUREMENT).parent.mkdir(parents=True, exist_ok=True)
    runs = [["run", *FAST_LANE, "-n", str(workers), "--timeout", "900"], ["combine", "-q"]]
    for arguments in runs:
        ran = subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=root, env=_environment(root))
        if ran.returncode:
            sys.exit("the tests fail without a defect")
    return root / MEASUREMENT


def tried(defect: Defect, root: Path, reach: Reach, *, quick: bool = False) -> Outcome:
    """Plant a defect in the copy at `root`, run the tests that reach it, and then all, until one fails.

    `quick`: run no test that does not reach it.
    """
    began = time.monotonic()
    tests = reach.tests_of(defect)
    with planted(defect, root):
        caught = first_failure(root, tests) if tests else None
        if caught is None and not quick:
            caught = first_failure(root, [])
    return Outcome(defect, caught, len(tests), time.monotonic() - began)


@contextmanager
def planted(defect: Defect, root: Path) -> Iterator[None]:
    """Put the defect into its file below `root`, and take it out again."""
    try:
        _write(root / defect.path, defect.after)
        yield
    finally:
        _write(root / defect.path, defect.before)


def _write(file: Path, text: str) -> None:
    """Write a module, and drop its compiled code: by time and size alone Python may take it for the new one's."""
    file.write_text(text, "utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def first_failure(root: Path, tests: Sequence[str]) -> str | None:
    """The first fast test that fails, or what else pytest says; None if all pass. `tests`: run these alone, in order."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as listed:
        listed.write("\n".join(tests))
        listed.flush()
        files = sorted({test.partition("::")[0] for test in tests})
        try:
            ran = subprocess.run(
                [sys.executable, *FAST_LANE, *FIRST_FAILURE, *files],
                cwd=root,
                env={**_environment(root), TESTS: listed.name if tests else ""},
                capture_output=True,
                text=True,
                timeout=LONGEST_TRIAL,
            )
        except subprocess.TimeoutExpired:
            return "the tests do not end"
    return failure_in(ran.stdout + ran.stderr, ran.returncode)


def failure_in(output: str, exit_code: int) -> str | None:
    """The test that pytest's summary names first, or what else it says; None if every test passed."""
    if exit_code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return None
    failed = re.search(r"(?m)^(?:FAILED|ERROR) (.+?)(?: - (.*))?$", output)
    if failed is None:
        return f"pytest does not start: {output.strip().splitlines()[-1]}"
    return f"{failed[1]} (hangs)" if "Timeout (>" in (failed[2] or "") else failed[1]


def _environment(root: Path) -> dict[str, str]:
    """The variables with which Python takes the packages of the copy."""
    return {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "400"}
