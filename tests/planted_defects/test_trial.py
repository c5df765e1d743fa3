"""A trial plants one defect, runs the tests that reach it, and takes the defect out again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from coverage import CoverageData

from .choice import Defect
from .trial import Outcome, Reach, copy_repository, failure_in, measured, planted, statement_lines, tried

ROOT = Path(__file__).parents[2]

SUM = """\
def add(a: int, b: int) -> int:
    return (
        a
        + b
    )


LIMIT = 3
"""
MINUS = Defect("mock_server/sums.py", "swap_op", SUM, SUM.replace("+", "-"))
UNUSED = Defect("mock_server/sums.py", "number", SUM, SUM.replace("3", "4"))


def test_a_planted_defect_changes_its_file_and_nothing_else(tmp_path: Path) -> None:
    """It is taken out after a failure too; compiled code of the one text is never taken for the other's."""
    file, other = tmp_path / MINUS.path, tmp_path / "mock_server/other.py"
    compiled = file.parent / "__pycache__" / "sums.cpython-311.pyc"
    compiled.parent.mkdir(parents=True)
    file.write_text(SUM, "utf-8")
    other.write_text(SUM, "utf-8")

    def failing() -> None:
        with planted(MINUS, tmp_path):
            assert (file.read_text("utf-8"), other.read_text("utf-8")) == (MINUS.after, SUM)
            compiled.touch()
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert (file.read_text("utf-8"), compiled.exists()) == (SUM, False)


@pytest.mark.parametrize(
    ("line", "lines"),
    [(1, [1]), (3, [2, 3, 4, 5]), (8, [8])],
    ids=["the header of a function", "a statement of several lines", "an assignment"],
)
def test_a_statement_is_known_by_each_of_its_lines(line: int, lines: list[int]) -> None:
    """Coverage may note a statement under any of its lines; a body is no part of the statement around it."""
    assert [*statement_lines(SUM, line)] == lines


def test_a_line_of_a_clause_stands_alone() -> None:
    """`case` and `except` belong to statements that begin elsewhere."""
    text = "match x:\n    case 1:\n        y\n    case 2:\n        z\n"

    assert [[*statement_lines(text, line)] for line in (1, 3, 4)] == [[1, 2], [3], [4]]


def test_the_tests_that_reach_a_defect_come_by_how_little_they_run() -> None:
    """Those of the file stand in for a statement that runs as its module is loaded; no test reaches an unknown file."""
    data = CoverageData(no_disk=True)
    for test, lines in {"broad": [1, 2, 3, 8], "narrow": [2], "else": [8], "": [1, 8]}.items():
        data.set_context(test)
        data.add_lines({MINUS.path: lines})
    reach = Reach(data)

    assert reach.tests_of(MINUS) == ["narrow", "broad"]
    assert reach.tests_of(UNUSED) == ["else", "broad"]
    assert reach.tests_of(Defect(MINUS.path, "name", SUM, SUM.replace("int:", "str:"))) == ["broad"]
    assert reach.tests_of(Defect("mock_server/other.py", "swap_op", SUM, MINUS.after)) == []


@pytest.mark.parametrize(
    ("output", "exit_code", "failure"),
    [
        ("3 passed", 0, None),
        ("no tests ran", 5, None),
        ("F\nFAILED tests/a.py::test_b[c d] - assert 1 == 2\n1 failed", 1, "tests/a.py::test_b[c d]"),
        ("ERROR tests/a.py\n1 error", 2, "tests/a.py"),
        ("FAILED a.py::b - Failed: Timeout (>120.0s) from pytest-timeout.", 1, "a.py::b (hangs)"),
        ("Traceback\nImportError: no", 1, "pytest does not start: ImportError: no"),
    ],
)
def test_the_summary_of_pytest_names_the_failure(output: str, exit_code: int, failure: str | None) -> None:
    """A test, a file that cannot be loaded, a test that hangs, or pytest itself."""
    assert failure_in(output, exit_code) == failure


@pytest.mark.slow
def test_a_defect_is_caught_by_the_test_that_reaches_it(tmp_path: Path) -> None:
    """In a small repository with one test: a defect in what it runs, and one that it cannot see."""
    project, copy = tmp_path / "project", tmp_path / "copy"
    for path in ("pyproject.toml", "tests/__init__.py", "tests/planted_defects/recording.py"):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, project / path)
    (project / "mock_server").mkdir()
    (project / "mock_server/__init__.py").touch()
    (project / MINUS.path).write_text(SUM, "utf-8")
    (project / "tests/test_sums.py").write_text(
        "from mock_server.sums import add\ndef test_add(): assert add(2, 2) == 4\n", "utf-8"
    )
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *command], cwd=project, check=True)

    copy_repository(project, copy)
    data = CoverageData(str(measured(copy, 2)))
    data.read()
    outcomes = [tried(one, copy, Reach(data)) for one in (MINUS, UNUSED)]

    assert [(one.caught_by, one.tests) for one in outcomes] == [
        ("tests/test_sums.py::test_add", 1),
        (None, 1),
    ]
    assert all(isinstance(one, Outcome) for one in outcomes)
