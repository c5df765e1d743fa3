"""The test of a finding fails against the deployment that broke the rule, and passes where the rule is kept."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from contracts import RunFinished
from contracts.core.rules import RULES
from contracts.reports import generated_test_runtime, generated_tests
from contracts.reports.generated_assertions import asserted
from contracts.reports.json_report import name_of_test, report_data
from tests.contracts.commands import Ran
from tests.contracts.inner_pytest import pytested
from tests.contracts.runs import judged_in_process
from tests.mutants import HOLDOUT, MUTANTS, RACES, Choices, ConformingServer, Mutant
from tests.serving import serving
from tests.waiting import PATIENCE

COMPARED: dict[str, Mutant] = {
    "a key": MUTANTS["A02"],
    "a shape": MUTANTS["R04"],
    "an action of its own": MUTANTS["S05"],
    "a value": MUTANTS["S15"],
    "an interpretation": HOLDOUT["H101"],
    "a race": RACES["X02"],
}
"""What a test has to compare → a mutant that such a test is generated for."""
FAST = ["a key", "a shape", "an action of its own", "a value"]
"""Those of which a test does not try again for a while before it passes; whether a race shows is a matter of luck."""

KEYS = {"ARKLOW_API_KEY": "good-key-one", "ARKLOW_SECOND_API_KEY": "good-key-two"}


@cache
def found(what: str) -> RunFinished:
    """Judge a mutant by its rule."""
    mutant = COMPARED[what]
    return judged_in_process(lambda clock: mutant(clock=clock), mutant.caught_by[0])


def written(what: str, directory: Path) -> Path:
    """Write the tests of a run, and return the file that is about the rule of its mutant."""
    generated_tests.write(found(what), directory)
    rule = COMPARED[what].caught_by[0].lower().replace("-", "_")
    [file] = (directory / "tests").glob(f"test_{rule}_*.py")
    return file


def tried(file: Path, url: str, keys: Mapping[str, str] = KEYS) -> Ran:
    """Run one file by pytest in this process against a deployment; warnings are errors."""
    return pytested(file.parent, "-W", "error", "-rs", file, environment={"ARKLOW_BASE_URL": url, **keys})


@pytest.mark.parametrize("what", [*FAST, "an interpretation"])
def test_it_fails_against_the_mutant(what: str, tmp_path: Path) -> None:
    """A new one, so that only the file knows what was found; no key is printed."""
    file = written(what, tmp_path)

    with serving(COMPARED[what]()) as url:
        done = tried(file, url)

    assert (done.code, "proves nothing" in done.out) == (1, False), done.out
    assert not any(key in done.out for key in KEYS.values())


@pytest.mark.parametrize("what", FAST)
def test_it_passes_against_a_conforming_server(what: str, tmp_path: Path) -> None:
    """With every operation."""
    file = written(what, tmp_path)

    with serving(ConformingServer(Choices(operations="all"))) as url:
        done = tried(file, url)

    assert done.code == 0, done.out


@pytest.mark.slow
@pytest.mark.parametrize("what", COMPARED)
def test_it_does_so_in_a_process_that_knows_nothing_else(what: str, tmp_path: Path) -> None:
    """It needs pytest alone, no configuration and no other plugin."""
    file = written(what, tmp_path)

    for app, code in ((COMPARED[what](), 1), (ConformingServer(Choices(operations="all")), 0)):
        with serving(app) as url:
            done = in_a_process(file, url)
        assert done.returncode == code, done.stdout + done.stderr


def in_a_process(file: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run one file by pytest in a process of its own."""
    environment = {**os.environ, "ARKLOW_BASE_URL": url, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **KEYS}
    command = [*(sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider"), "-c", os.devnull]
    return subprocess.run(
        [*command, "--rootdir", str(file.parent), str(file)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=file.parent,
        timeout=PATIENCE,
    )


def test_it_never_passes_without_a_good_key_or_a_deployment(tmp_path: Path) -> None:
    """Without its variable it is skipped and names it; with a refused key, or without an answer, it fails."""
    file = written("a value", tmp_path)

    with serving(ConformingServer()) as url:
        unset, revoked = tried(file, url, {}), tried(file, url, {"ARKLOW_API_KEY": "revoked"})
    gone = tried(file, url)

    assert (unset.code, "set ARKLOW_API_KEY to a key" in unset.out) == (0, True), unset.out
    assert (revoked.code, "is $ARKLOW_API_KEY a good key?" in revoked.out) == (1, True), revoked.out
    assert (gone.code, "no answer" in gone.out) == (1, True), gone.out


def test_the_tests_of_an_earlier_run_are_deleted_and_no_other_file_is(tmp_path: Path) -> None:
    """A directory of reports is that of one run; files with other names belong to the user."""
    folder = tmp_path / "tests"
    folder.mkdir()
    for name in ("test_lease_3_e3b0c4.py", "test_admin.py", "test_b_a.py", "conftest.py"):
        (folder / name).touch()
    generated_tests.write(found("a shape"), tmp_path)

    left = sorted(file.name for file in folder.iterdir())
    [one] = report_data(found("a shape"))["violations"]
    assert left == ["conftest.py", "test_admin.py", "test_b_a.py", f"{name_of_test(one['id'])}.py"]


@pytest.mark.parametrize("status", [0, 200, 409])
@pytest.mark.parametrize("code", RULES)
def test_every_rule_has_something_to_assert(code: str, status: int) -> None:
    """As a Python expression over the functions of the runtime."""
    finding = {
        "rule": code,
        "expected": "data/a_id: of type string",
        "actual": "17",
        "script": [{"status": status}],
    }

    for together in (False, True):
        tree = ast.parse(asserted(finding, together), mode="eval")
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        functions = {name for name in names if hasattr(generated_test_runtime, name)}
        assert names - functions <= {"answers", "WAS", "WORDS", "min", "one", "range"}
        assert functions
