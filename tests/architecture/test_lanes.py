"""The two lanes: what a fast test may not do, and that no test asks how long something took.

A slow test has the marker `slow`, its module has, or it takes a fixture whose parameter has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

FORBIDDEN = {
    "time.sleep": "it sleeps by the clock on the wall",
    **{
        f"subprocess.{name}": "it starts processes"
        for name in ("run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
    },
    "tests.processes": "it starts processes",
    "tests.running_mock.mock": "it starts a mock as a process",
}
"""Module or name → why no fast test uses it."""
CLOCKS = frozenset(
    f"time.{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for unit in ("", "_ns")
)
"""What tells how long something took."""

NOT_AT_RUN_TIME = {
    "tests/architecture/test_language.py": "asks Git for the files of the tree when tests are collected",
}
"""File of tests → why it uses what is forbidden, though no fast test of it does."""
MAY_MEASURE = {
    "tests/adapters/test_clocks.py": "its subject is the clock of the machine",
    "tests/clocks.py": "the clock of the machine, for servers of tests",
    "tests/corpus/__main__.py": "`make corpus` prints what it took",
    "tests/hand_over/trial.py": "an example of HTTP-6 is told by the time that it takes",
    "tests/matrix/runs.py": "`make mutants` prints what each server took",
    "tests/planted_defects/trial.py": "prints what a trial took",
    "tests/processes.py": "waits for the end of a process, within a limit",
    "tests/waiting.py": "waits for events, within a limit",
}
"""File → why it reads a clock; in tests no such reading is compared with a number of seconds."""


class Module:
    """One file of tests: what its functions use, directly and by way of each other."""

    def __init__(self, text: str) -> None:
        tree = ast.parse(text)
        self._names = dict(_imported(tree))
        """Name in the file → what it stands for: `time`, `time.sleep`, `tests.running_mock.mock`."""
        self._functions = {
            node.name: node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        self._is_slow = any(
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "pytestmark"
            and _is_marked(node.value)
            for node in tree.body
        )
        self._tree = tree

    def used(self, node: ast.AST | None = None) -> Iterator[tuple[int, str]]:
        """Yield line and full name of all that is used in a part of the file, or in all of it."""
        for inner in ast.walk(node or self._tree):
            if isinstance(inner, ast.Attribute):
                yield inner.lineno, self._full_name(inner)
            elif isinstance(inner, ast.Name):
                yield inner.lineno, self._names.get(inner.id, inner.id)

    def breaches(self) -> Iterator[str]:
        """Yield `line test: reason` for each fast test that reaches what is forbidden."""
        for name, node in self._functions.items():
            if name.startswith("test_") and not isinstance(node, ast.ClassDef) and not self._slow(node):
                reached = [self._functions[one] for one in self._reached(name, set())]
                found = {_forbidden(used) for one in reached for _, used in self.used(one)} - {""}
                yield from (f"{node.lineno} {name}: {used}: {FORBIDDEN[used]}" for used in sorted(found))

    def _slow(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        return self._is_slow or any(_is_marked(one) for one in node.decorator_list if not _has_cases(one))

    def _reached(self, name: str, seen: set[str]) -> set[str]:
        """Names of the functions, fixtures and classes that one of them uses, but for fixtures with slow parameters."""
        node = self._functions[name]
        seen.add(name)
        named = {used for _, used in self.used(node)}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            named |= {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
        for other in named & self._functions.keys() - seen:
            if not self._has_slow_parameter(self._functions[other]):
                self._reached(other, seen)
        return seen

    @staticmethod
    def _has_slow_parameter(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
        return any(_is_marked(one) and "fixture" in ast.unparse(one) for one in node.decorator_list)

    def _full_name(self, node: ast.Attribute) -> str:
        first, dot, rest = ast.unparse(node).partition(".")
        return f"{self._names.get(first, first)}{dot}{rest}"


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name.partition(".")[0], one.name
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def _is_marked(node: ast.AST) -> bool:
    """Whether an expression has the marker `slow` in it."""
    return any(
        ast.unparse(one) == "pytest.mark.slow" for one in ast.walk(node) if isinstance(one, ast.Attribute)
    )


def _has_cases(node: ast.AST) -> bool:
    """Whether a decorator gives cases to a test, of which some may be slow."""
    return "parametrize" in ast.unparse(node)


def _forbidden(used: str) -> str:
    """Return the forbidden name that a name is, or is a part of; empty for any other."""
    return next((name for name in FORBIDDEN if f"{used}.".startswith(f"{name}.")), "")


def read(pattern: str) -> dict[str, Module]:
    """Return path → file of tests."""
    return {
        str(file.relative_to(ROOT)): Module(file.read_text("utf-8")) for file in sorted(TESTS.rglob(pattern))
    }


def breaches(files: Mapping[str, Module]) -> list[str]:
    """Return what fast tests use and may not, as `path:line test: name: reason`."""
    return [
        f"{path}:{breach}"
        for path, module in files.items()
        if path not in NOT_AT_RUN_TIME
        for breach in module.breaches()
    ]


def clocks(files: Mapping[str, Module]) -> list[str]:
    """Return where files read a clock that may not, as `path:line name`."""
    return [
        f"{path}:{line} {used}"
        for path, module in files.items()
        if path not in MAY_MEASURE
        for line, used in module.used()
        if used in CLOCKS
    ]


def test_no_fast_test_starts_a_process_or_sleeps() -> None:
    """Neither itself nor by a function or a fixture of its file; what a process starts at run time, `tests/lanes.py` hears."""
    assert breaches(read("test_*.py")) == []


def test_no_test_asks_how_long_something_took() -> None:
    """Tests count work: requests, steps, bytes. What takes how long is told by `benchmarks/`."""
    assert clocks(read("*.py")) == []


def test_every_exception_is_still_one() -> None:
    """A file that no longer needs its exception has none."""
    files = read("*.py")

    assert {path for path in MAY_MEASURE if not CLOCKS & {used for _, used in files[path].used()}} == set()
    assert [path for path in NOT_AT_RUN_TIME if not list(files[path].breaches())] == []


PLANTED = {
    "a sleep": "import time\ndef test_x():\n    time.sleep(1)",
    "a sleep by another name": "from time import sleep as rest\ndef test_x():\n    rest(1)",
    "a process": "import subprocess\ndef test_x():\n    subprocess.run(['ls'])",
    "a process of a helper": "from tests.processes import started\ndef helper():\n    started([])\ndef test_x():\n    helper()",
    "a process of a fixture": (
        "import pytest\nfrom tests.running_mock import mock\n@pytest.fixture\ndef running():\n    with mock() as one:\n"
        "        yield one\ndef test_x(running):\n    assert running"
    ),
    "a process of a method": (
        "from subprocess import Popen\nclass Suite:\n    def run(self):\n        Popen([])\ndef test_x():\n    Suite().run()"
    ),
    "one case alone is slow": (
        "import pytest, time\n@pytest.mark.parametrize('n', [1, pytest.param(2, marks=pytest.mark.slow)])\n"
        "def test_x(n):\n    time.sleep(n)"
    ),
}
ALLOWED = {
    "a slow test": "import pytest, time\n@pytest.mark.slow\ndef test_x():\n    time.sleep(1)",
    "a slow module": "import pytest, time\npytestmark = pytest.mark.slow\ndef test_x():\n    time.sleep(1)",
    "a slow parameter of a fixture": (
        "import pytest\nfrom tests.running_mock import mock\n"
        "@pytest.fixture(params=['here', pytest.param('there', marks=pytest.mark.slow)])\ndef running(request):\n"
        "    with mock() as one:\n        yield one\ndef test_x(running):\n    assert running"
    ),
    "a helper of slow tests alone": (
        "import pytest, time\ndef rest():\n    time.sleep(1)\n@pytest.mark.slow\ndef test_x():\n    rest()\n"
        "def test_y():\n    assert True"
    ),
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_planted_breach_is_found(text: str) -> None:
    """However the fast test comes to it."""
    assert len(breaches({"tests/test_planted.py": Module(text)})) >= 1


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_what_slow_tests_do_is_allowed(text: str) -> None:
    """Whichever way they are marked."""
    assert breaches({"tests/test_planted.py": Module(text)}) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time\ndef test_x():\n    began = time.monotonic()",
        "from time import perf_counter as now\ndef test_x():\n    assert now() < 1",
        "import time as clock\n@slow\ndef test_x():\n    assert clock.time_ns()",
    ],
)
def test_a_planted_reading_of_a_clock_is_found(text: str) -> None:
    """In slow tests too."""
    assert len(clocks({"tests/test_planted.py": Module(text)})) == 1
