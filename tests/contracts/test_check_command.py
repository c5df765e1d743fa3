"""The command `arklow-contracts` as a user runs it: exit codes, messages, reports, no traceback, no stray files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from contracts.commands.rule_sources import explain
from contracts.core.rules import RULES
from contracts.reports.json_report import SCHEMA
from tests.mutants import MUTANTS, ConformingServer
from tests.processes import started
from tests.serving import serving

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
        timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["check"], "--base-url"),
        (["check", "--base-url", "localhost:3123"], "is not a URL such as http://localhost:3123"),
        (["check", "--base-url", "http://localhost:x"], "is not a URL"),
        (
            ["check", "--base-url", "http://h", "--api-key", "env:NO_SUCH"],
            "the environment has no variable NO_SUCH",
        ),
        (["check", "--base-url", "http://h", "--org", "abc"], "the organisation 'abc' is not a number"),
        (["check", "--base-url", "http://h", "--api-key", "a b"], "a key is printable ASCII without blanks"),
        (
            ["check", "--base-url", "http://h", "--only", "PAGE-99"],
            "there is no rule 'PAGE-99'; there are AUTH-1",
        ),
        (["check", "--base-url", "http://h", "--max-time", "0"], "from 1 to 1000000 seconds"),
        (["check", "--base-url", "http://h", "--seed", "-1"], "a seed is 0 or more"),
        (["check", "--base-url", "http://h", "--second-org", "2"], "belong together"),
        (["check", "--base-url", "http://h", "--second-org", "1", "--second-api-key", "k2"], "must differ"),
        (["check", "--base-url", "http://h", "--document", "missing.yaml"], "missing.yaml: No such file"),
        (["check", "--base-url", "http://h", "--document", "."], "Is a directory"),
        (["check", "--base-url", "http://h", "--report-dir", "/dev/null/x"], "--report-dir /dev/null/x"),
        (["check", "--base-url", "http://h", "--wait", "0"], "from 1 to 3600 seconds"),
        (["check", "--base-url", "http://h", "--admin-token", "t"], "is of no use without --admin-url"),
        (
            ["check", "--base-url", "http://h", "--admin-url", "http://h"],
            "needs the token that the mock printed",
        ),
        (["check", "--base-url", "http://h", "--admin-url", "h", "--admin-token", "t"], "is not a URL"),
        (["explain"], "the following arguments are required: RULE"),
        (["explain", "PAGE-99"], "there is no rule 'PAGE-99'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_line_that_cannot_be_carried_out_exits_with_2(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    """One line says what was wrong, where, and what would pass."""
    if "--base-url" in arguments:
        for flag, value in (("--api-key", "k"), ("--org", "1")):
            arguments = arguments if flag in arguments else [*arguments, flag, value]

    ran = arklow(*arguments, cwd=tmp_path)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: 'http://127.0.0.1:9/x'}}}}}",
        "{",
        "openapi: 3.0.0",
        "openapi: 3.1.0\npaths: []",
        "openapi: 3.1.0\npaths: {}",
        "\x00",
    ],
)
def test_an_unreadable_document_exits_with_2(text: str, tmp_path: Path) -> None:
    """The message names the file, whatever is wrong with it."""
    (tmp_path / "d.yaml").write_text(text)

    ran = arklow(
        *("check", "--base-url", "http://h", "--api-key", "k", "--org", "1", "--document", "d.yaml"),
        cwd=tmp_path,
    )

    assert ran.returncode == 2
    assert "d.yaml" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_failing_run_exits_with_1_and_its_reports_can_be_read(mutant_url: str, tmp_path: Path) -> None:
    """The summary names rule, operation, expected and actual. The key is in none of the output."""
    ran = arklow(
        *("check", "--base-url", mutant_url, "--api-key", "env:MY_KEY", "--org", "1", "--only", "PAGE-5"),
        *("--report-dir", "out", "--seed", "3"),
        cwd=tmp_path,
        MY_KEY=SECRET,
    )

    assert ran.returncode == 1, ran.stderr
    *_, verdict, reports = ran.stdout.splitlines()
    assert verdict == "✗ 1 violation"
    assert reports.endswith("report.sarif, interpretations.yaml, tests/")
    for line in (
        "violation  POST /v1/ingress/{variant} breaks PAGE-5: `data/a_id` of a 200 breaks its schema",
        "VIOLATION 1  POST /v1/ingress/{variant} breaks PAGE-5: `data/a_id` of a 200 breaks its schema.",
        "  expected  data/a_id: a string that matches ^[0-9]+$",
        '  actual    "act_',
        "-H 'x-arklow-auth: '\"$MY_KEY\"",
    ):
        assert line in ran.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    assert (report["target"], report["seed"], report["verdict"]) == (mutant_url, 3, "violations")
    assert {"rule", "operation", "sentence", "expected", "actual", "curl"} <= report["violations"][0].keys()
    suite = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("tests")) == ("1", "1")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "data/a_id" in page
    assert "<script" not in page
    assert "http" not in page.replace(mutant_url, "")
    everything = (
        ran.stdout + ran.stderr + "".join(f.read_text("utf-8") for f in (tmp_path / "out").rglob("*.*"))
    )
    assert SECRET not in everything
    assert {entry.name for entry in tmp_path.iterdir()} == {"out"}


def test_the_curl_lines_of_a_report_show_the_finding_again(mutant_url: str, tmp_path: Path) -> None:
    """The key comes from the environment."""
    arklow(
        *(
            "check",
            "--base-url",
            mutant_url,
            "--api-key",
            SECRET,
            "--org",
            "1",
            "--only",
            "PAGE-5",
            "--report-dir",
            "out",
        ),
        cwd=tmp_path,
    )
    curl = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["violations"][0]["curl"]

    repeated = subprocess.run(
        ["sh", "-c", curl], capture_output=True, text=True, env={"ARKLOW_API_KEY": SECRET}
    )

    assert SECRET not in curl
    assert '"a_id": "act_' in repeated.stdout


def test_rules_are_explained_without_a_deployment(tmp_path: Path) -> None:
    """Codes may be in any case, and a blank line stands between two rules."""
    ran = arklow("explain", "page-9", "LEASE-9", cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "\n".join([*explain("PAGE-9"), "", *explain("LEASE-9"), ""])


def test_strict_counts_warnings_as_violations(tmp_path: Path) -> None:
    """Without it, AUTH-9 is a warning."""
    with serving(MUTANTS["A14"]()) as url:
        flags = ("check", "--base-url", url, "--api-key", "good-key-one", "--org", "1", "--only", "auth-9")
        lax, strict = arklow(*flags, cwd=tmp_path), arklow(*flags, "--strict", cwd=tmp_path)

    assert (lax.returncode, lax.stdout.splitlines()[-1]) == (0, "✓ Conforms: no violation, 1 warning")
    assert (strict.returncode, strict.stdout.splitlines()[-1]) == (1, "✗ 0 violations, 1 warning")


def test_an_inconclusive_run_exits_with_3(tmp_path: Path) -> None:
    """It says why, and names only the reports that were written."""
    with serving(ConformingServer()) as url:
        ran = arklow(
            *("check", "--base-url", url, "--api-key", "no-key-at-all", "--org", "1", "--report-dir", "out"),
            cwd=tmp_path,
        )

    assert ran.returncode == 3
    assert ran.stdout.splitlines()[-2:] == [
        "? Inconclusive: The target refuses the key $ARKLOW_API_KEY: every operation is answered with 401.",
        "Reports are in out/: report.html, report.json, junit.xml, report.sarif, interpretations.yaml",
    ]
    assert not (tmp_path / "out" / "tests").exists()


def test_a_closed_pipe_does_not_change_the_verdict(tmp_path: Path) -> None:
    """`check … | head -1` still judges, writes its reports and exits with what it found."""
    with serving(ConformingServer()) as url:
        flags = f"--base-url {url} --api-key good-key-one --org 1 --max-time 3 --report-dir out"
        ran = subprocess.run(
            ["bash", "-c", f"{COMMAND} check {flags} | head -1; exit ${{PIPESTATUS[0]}}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["verdict"] == "conforms"


@pytest.mark.parametrize("words", ["spec status", "explain PAGE-5", f"check {UNREACHABLE} --dry-run"])
def test_a_command_that_only_prints_ends_quietly_at_a_closed_pipe(words: str, tmp_path: Path) -> None:
    """As after `| head`, and unbuffered as in a container."""
    ran = subprocess.run(
        ["bash", "-c", f"{COMMAND} {words} | true; exit ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )

    assert (ran.returncode, ran.stderr) == (3, "")


def test_a_terminal_that_lacks_a_character_does_not_fail_the_run(tmp_path: Path) -> None:
    """The check mark is replaced by a question mark."""
    with serving(ConformingServer()) as url:
        flags = ("--base-url", url, "--api-key", "good-key-one", "--org", "1", "--max-time", "2")
        ran = arklow("check", *flags, cwd=tmp_path, PYTHONIOENCODING="ascii")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "? Conforms: no violation"


def test_keys_that_are_nearly_right_are_masked_like_the_right_one(tmp_path: Path) -> None:
    """Most of a key gives away the key."""
    with serving(MUTANTS["A12"](keys={SECRET: "1"})) as url:
        flags = (
            "--base-url",
            url,
            "--api-key",
            SECRET,
            "--org",
            "1",
            "--only",
            "AUTH-4",
            "--report-dir",
            "out",
        )
        ran = arklow("check", *flags, cwd=tmp_path)
        curl = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["violations"][0]["curl"]
        environment = {"ARKLOW_API_KEY": SECRET, "PATH": os.environ["PATH"]}
        repeated = subprocess.run(["sh", "-c", curl], capture_output=True, text=True, env=environment)

    everything = ran.stdout + "".join(f.read_text("utf-8") for f in (tmp_path / "out").rglob("*.*"))
    assert ran.returncode == 1
    assert '"data"' in repeated.stdout
    for part in (SECRET[:-1], SECRET[:8], SECRET.upper()[:8], SECRET.swapcase()[:8]):
        assert part not in everything


def test_an_interrupted_run_prints_its_summary(tmp_path: Path) -> None:
    """After Ctrl-C the summary says that the run was interrupted, without a traceback."""
    with serving(ConformingServer()) as url:
        flags = ["check", "--base-url", url, "--api-key", "good-key-one", "--org", "1"]
        with started(
            [COMMAND, *flags],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_DFL
            ),  # background jobs of a shell ignore SIGINT
        ) as running:
            assert running.stdout is not None
            while "requests" not in running.stdout.readline():
                pass
            running.send_signal(signal.SIGINT)
            try:
                output, errors = running.communicate(timeout=20)
            finally:
                running.kill()

    assert running.returncode == 3
    assert errors == ""
    assert output.splitlines()[-1] == "? Inconclusive: The run was interrupted."


def plugin(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest with the judge as a plugin."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "contracts.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "ARKLOW_API_KEY": SECRET},
    )


def test_pytest_has_one_test_for_each_rule(mutant_url: str, tmp_path: Path) -> None:
    """The test of a broken rule fails, that of a rule that was not verified is skipped, the others pass."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    raise AssertionError\n")
    ran = plugin("--arklow-url", mutant_url, "--arklow-max-time", "5", "-rA", "--color=no", cwd=tmp_path)

    outcomes = {
        line.split()[1]: line.split()[0]
        for line in ran.stdout.splitlines()
        if line.startswith(("PASSED arklow::", "FAILED arklow::"))
    }
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert outcomes["arklow::PAGE-5"] == "FAILED"
    assert outcomes["arklow::PAGE-8"] == "PASSED"
    assert "expected  data/a_id: a string that matches ^[0-9]+$" in ran.stdout
    assert f"{len(RULES)} items" in ran.stdout
    assert "test_mine" not in ran.stdout
    assert SECRET not in ran.stdout


def test_pytest_is_not_green_when_a_run_is_inconclusive(tmp_path: Path) -> None:
    """All tests are skipped then, which pytest alone calls a success."""
    ran = plugin("--arklow-url", "http://127.0.0.1:9", cwd=tmp_path)

    assert ran.returncode == 3
    assert "could not be reached" in ran.stdout
