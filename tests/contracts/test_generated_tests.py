"""The test of a finding fails against the deployment that broke the rule, and passes where the rule is kept."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.core.rules import RULES
from contracts.reports import generated_test_runtime, generated_tests
from contracts.reports.generated_assertions import asserted
from contracts.reports.json_report import report_data
from tests.contracts.runs import judged
from tests.mutants import HOLDOUT, MUTANTS, RACES, Choices, ConformingServer, Mutant
from tests.serving import serving

COMPARED: dict[str, Mutant] = {
    "a key": MUTANTS["A02"],
    "a shape": MUTANTS["R04"],
    "an action of its own": MUTANTS["S05"],
    "a value": MUTANTS["S15"],
    "an interpretation": HOLDOUT["H101"],
    "a race": RACES["X02"],
}
"""What a test has to compare → a mutant that such a test is generated for."""

KEYS = {"ARKLOW_API_KEY": "good-key-one", "ARKLOW_SECOND_API_KEY": "good-key-two"}


def tried(file: Path, url: str, keys: dict[str, str]) -> tuple[int, str]:
    """Run one file by pytest against a deployment and return its exit code, and then its output."""
    environment = {
        **{name: value for name, value in os.environ.items() if name not in KEYS},
        "ARKLOW_BASE_URL": url,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **keys,
    }
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pytest",
        "-rs",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
    ]
    done = subprocess.run(
        [*command, "--rootdir", str(file.parent), str(file)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=file.parent,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("what", COMPARED)
def test_it_fails_against_the_mutant_and_passes_against_a_conforming_server(
    what: str, tmp_path: Path
) -> None:
    """Both are new, so that only the file knows what was found; no key is printed."""
    mutant = COMPARED[what]
    rule = mutant.caught_by[0]
    with serving(mutant()) as url:
        generated_tests.write(judged(url, rule, seconds=4.0), tmp_path)
    [file] = (tmp_path / "tests").glob(f"test_{rule.lower().replace('-', '_')}_*.py")

    with serving(mutant()) as url:
        code, said = tried(file, url, KEYS)
    assert (code, "proves nothing" in said) == (1, False), said
    assert not any(key in said for key in KEYS.values())
    with serving(ConformingServer(Choices(operations="all"))) as url:
        code, said = tried(file, url, KEYS)
    assert code == 0, said


def test_it_never_passes_without_a_good_key_or_a_deployment(tmp_path: Path) -> None:
    """Without its variable it is skipped and names it; with a refused key, or without an answer, it fails."""
    with serving(MUTANTS["S15"]()) as url:
        generated_tests.write(judged(url, "ING-3", seconds=4.0), tmp_path)
    [file] = (tmp_path / "tests").iterdir()

    with serving(ConformingServer()) as url:
        code, said = tried(file, url, {})
        assert (code, "set ARKLOW_API_KEY to a key" in said) == (0, True), said
        code, said = tried(file, url, {"ARKLOW_API_KEY": "revoked"})
        assert (code, "is $ARKLOW_API_KEY a good key?" in said) == (1, True), said
    code, said = tried(file, url, KEYS)
    assert (code, "no answer" in said) == (1, True), said


def test_the_tests_of_an_earlier_run_are_deleted_and_no_other_file_is(tmp_path: Path) -> None:
    """A directory of reports is that of one run; files with other names belong to the user."""
    folder = tmp_path / "tests"
    folder.mkdir()
    for name in ("test_lease_3_e3b0c4.py", "test_admin.py", "test_b_a.py", "conftest.py"):
        (folder / name).touch()
    with serving(MUTANTS["R04"]()) as url:
        run = judged(url, "PAGE-5", seconds=2.0)
    generated_tests.write(run, tmp_path)

    left = sorted(file.name for file in folder.iterdir())
    assert left == ["conftest.py", "test_admin.py", "test_b_a.py", f"{_name(run)}.py"]


def _name(run: Any) -> str:
    [one] = report_data(run)["violations"]
    return f"test_{one['id'].lower().replace('-', '_')}"


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


def put(version: int, number: str) -> generated_test_runtime.Answer:
    """Return the answer to a PUT: a definition of this version and id."""
    data = {"id": number, "variant": "contract.0a1b2c3d.r4.v", "version": version}
    return generated_test_runtime.Answer("PUT", "/", b"", 200, [], json.dumps({"data": data}).encode())


def test_answers_are_compared_without_their_names_and_ids() -> None:
    """Versions are compared as they are; those of concurrent calls count from the lowest one."""
    was = generated_test_runtime.story([put(4, "77"), put(4, "77")], together=True)

    assert generated_test_runtime.same_as_before([put(2, "9"), put(2, "9")], was, together=True)
    assert not generated_test_runtime.same_as_before([put(2, "9"), put(3, "9")], was, together=True)
    assert not generated_test_runtime.same_as_before([put(2, "9"), put(2, "8")], was, together=True)
    assert not generated_test_runtime.same_as_before(
        [put(2, "9"), put(2, "9")], generated_test_runtime.story([put(4, "77"), put(4, "77")])
    )


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("contract.0a1b2c3d.r4.v1", "contract.fresh000.r4.v1"),
        ('"action_record_id": "1234567"', '"action_record_id": "7654321"'),
        ("action_record_id=001234567&attempt=0", "action_record_id=007654321&attempt=0"),
        ("12345678 and 0x1234567", "12345678 and 0x7654321"),
        (r"\uff11\uff12\uff13\uff14\uff15\uff16\uff17", r"\uff17\uff16\uff15\uff14\uff13\uff12\uff11"),
        ("Bearer $KEY", "Bearer s3cret"),
        ("$KEYRING", "$KEYRING"),
    ],
)
def test_fresh_names_ids_and_keys_stand_in_requests(text: str, renamed: str) -> None:
    """Nothing else in them is changed."""
    assert (
        generated_test_runtime.with_fresh_names(
            text, {"$KEY": "s3cret"}, "contract.fresh000.", {"1234567": "7654321"}
        )
        == renamed
    )


@pytest.mark.parametrize(
    ("value", "expected", "kept"),
    [
        ("1", "of type string", True),
        (1, "of type string or null", False),
        (None, "of type string or null", True),
        (True, "of type integer", False),
        (2.0, "of type integer", True),
        ("12", "a string that matches ^[0-9]+$", True),
        ("v1", "a string that matches ^[0-9]+$", False),
        ("ok", 'one of "ok"', True),
        ("OK", 'one of "ok"', False),
        (0, "at least 1", False),
        (3, "at most 3", True),
        ("", "of at least 1 characters", False),
        ({"more": 1}, "without 'more'", False),
        ({"other": 1}, "without 'more'", True),
        ("2026-01-01T00:00:00Z", "of format date-time", True),
        ("2026-13-01T00:00:00Z", "of format date-time", False),
        ("2026-01-01", "of format date-time", False),
        ("http://a/b", "of format uri", True),
        ("not a uri", "of format uri", False),
        (1, "what the keyword not asks for", True),
    ],
)
def test_a_member_is_checked_by_the_words_of_the_report(value: Any, expected: str, kept: bool) -> None:
    """An expectation in other words passes."""
    assert generated_test_runtime.fits(value, expected) is kept
