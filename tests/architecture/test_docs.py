"""The documentation says what the program does."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from contracts.core.rules import RULES as JUDGED
from docs import make
from mock_server.api.errors import STATUSES
from mock_server.seeds.interpretations_file import read as read_interpretations
from tests.replies import Reply
from tests.running_mock import mock
from tests.seeds.worlds import Seeded
from tests.still_mock import StillMock

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
REFERENCE = {
    file.stem: file.read_text("utf-8") for file in sorted((ROOT / "docs" / "reference").glob("*.md"))
}
RULES = (ROOT / "spec" / "rules.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_first_screen_of_the_readme_has_both_commands() -> None:
    """`make run` and `make test` are what a newcomer looks for; the whole page is about ninety lines."""
    lines = README.splitlines()
    first_screen = "\n".join(lines[:45])

    assert "make run" in first_screen
    assert "make test" in first_screen
    assert len(lines) <= 100


def first_life() -> tuple[str, list[str]]:
    """Return the curl lines of the first life in the reference, and the answers that it shows."""
    block = next(one for one in blocks(REFERENCE["mock"], "sh") if one.startswith("curl -sw"))
    return block, re.findall(r"^# → (.*)$", block, re.MULTILINE)


def admin_lines() -> str:
    """Return the lines of the reference that call the admin plane."""
    return "\n".join(one for one in blocks(REFERENCE["admin-plane"], "sh") if "admin " in one)


def carried_out(script: str, still: StillMock) -> Iterator[Reply]:
    """Do what lines of the shell do that call `curl`, or `admin` as the reference defines it; yield each answer."""
    script = re.sub(r"^admin\(\) .*?\}$", "", script, flags=re.MULTILINE | re.DOTALL).replace("\\\n", " ")
    for line in script.splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=";")
        words.whitespace_split = True
        for is_end, command in groupby(words, lambda word: word == ";"):
            if not is_end:
                yield _called(list(command), still)


def _called(words: list[str], still: StillMock) -> Reply:
    program, *rest = words
    if program == "admin":
        method, path, *body = rest
        return still.command(method, f"/organisations/42{path}", json.loads(body[0]) if body else None)
    parser = ArgumentParser()
    parser.add_argument("url")
    for flag in ("-sw", "-so", "-X", "-d"):
        parser.add_argument(flag, default="")
    parser.add_argument("-H", action="append", default=[])
    given = parser.parse_args(rest)
    path = f"/{given.url.partition('/')[2]}"
    headers = dict(header.split(": ", 1) for header in given.H)
    return still.call(given.X or "POST", path, given.d.encode(), headers=headers)


def test_the_first_life_of_the_reference_answers_as_shown() -> None:
    """Its curl lines, one after the other, against a fresh mock."""
    script, shown = first_life()
    with StillMock() as still:
        answers = [reply.body.decode() for reply in carried_out(script, still)]

    assert len(shown) == 4
    assert answers == shown


@pytest.mark.slow
def test_the_shell_runs_the_first_life_of_the_reference() -> None:
    """As written; only the ports are changed."""
    block, shown = first_life()
    with mock() as running:
        script = block.replace("localhost:3123", f"localhost:{running.port}").replace(
            "localhost:3125", f"localhost:{running.ingress_port}"
        )
        output = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True).stdout

    assert output.splitlines() == shown


def test_the_admin_lines_of_the_reference_work() -> None:
    """Each call is answered without an error."""
    with StillMock() as still:
        answers = [reply.json["errors"] for reply in carried_out(admin_lines(), still)]

    assert answers == [None] * 12


@pytest.mark.slow
def test_the_shell_runs_the_admin_lines_of_the_reference() -> None:
    """As written; only the ports are changed."""
    with mock("--admin-token", "given") as running:
        script = admin_lines().replace("localhost:3124", f"localhost:{running.admin_port}")
        script = script.replace("localhost:3123", f"localhost:{running.port}")
        environment = os.environ | {"ARKLOW_ADMIN_TOKEN": "given"}
        output = subprocess.run(
            ["bash", "-euc", script], capture_output=True, text=True, check=True, env=environment
        ).stdout
    answers = [json.loads(line) for line in output.splitlines() if line]

    assert len(answers) == 11
    assert [answer["errors"] for answer in answers] == [None] * 11


def test_the_seed_file_of_the_reference_can_be_used() -> None:
    """As written; its action is in its state."""
    [seed] = blocks(REFERENCE["seed-files"], "yaml")
    world = Seeded(seed)

    assert world.shape() == [("retrying", 2)]
    assert world.app.store.organisation("42").seed == 7


def test_the_interpretations_of_the_reference_can_be_taken() -> None:
    """As written; the mock can take all of them."""
    [interpretations] = blocks(REFERENCE["mock"], "yaml")
    found = read_interpretations(interpretations.encode(), "interpretations.yaml")

    assert (found.interpretations.past_attempt, found.not_imitated) == ("404", ())


def test_every_flag_of_the_documentation_exists() -> None:
    """A flag in a guide or on a page of the reference is a flag of one of the programs, of make or of pytest."""
    pages = [
        README,
        *REFERENCE.values(),
        *(one.read_text("utf-8") for one in (ROOT / "docs/guides").glob("*.md")),
    ]
    named = {flag for page in pages for flag in re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", page)}
    known = set(re.findall(r"`(--[a-z-]+)", REFERENCE["flags"]))

    assert named - known - OTHER_FLAGS == set()


OTHER_FLAGS = {
    *(
        "--help",
        "--version",
        "--arklow-args",
        "--arklow-baseline",
        "--arklow-ca",
        "--arklow-mock",
        "--arklow-name-prefix",
        "--arklow-profile",
        "--arklow-url",
        "--arklow-org",
        "--arklow-target",
        "--require-hashes",
    ),
}
"""Flags of every command, of pytest, and of pip."""


def test_the_rules_list_every_code_with_its_statuses() -> None:
    """The table of refusals is the table of the program; an empty cell is a case that cannot occur."""
    rows = {
        code: (ingress.strip(), elsewhere.strip())
        for code, ingress, elsewhere in re.findall(
            r"^\| `([A-Z0-9_]+)` \|([^|]*)\|([^|]*)\|", RULES, re.MULTILINE
        )
    }

    assert rows.keys() == STATUSES.keys()
    for code, (ingress, elsewhere) in rows.items():
        assert ingress in ("", str(STATUSES[code].ingress)), code
        assert elsewhere in ("", str(STATUSES[code].elsewhere)), code


def test_every_rule_has_a_source_and_a_number_of_its_own() -> None:
    """A rule without a source has no weight."""
    rows = re.findall(r"^\| ([A-Z]+-\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|$", RULES, re.MULTILINE)
    codes = [code for code, *_ in rows]

    assert len(codes) == len(set(codes)) >= 40
    for code, statement, source, _ in rows:
        assert statement.strip(), code
        assert re.search(r"[BCQ]\d+|S-\w+|RFC \d+|ours", source), code


def test_the_judges_table_is_the_table_of_the_program() -> None:
    """Code, severity, statement and source, in the same order."""
    rows = re.findall(r"^\| `([A-Z]+-\d+)` \| (\w+) \| (.*) \| (.*) \|$", RULES, re.MULTILINE)

    assert rows == [(rule.code, str(rule.severity), rule.title, rule.source) for rule in JUDGED.values()]


def test_the_architecture_page_names_every_package() -> None:
    """A new package, or a new module beside the packages, is a new sentence."""
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    packages = {
        entry.stem
        for program in ("arklow_local", "contracts", "mock_server")
        for entry in (ROOT / program).iterdir()
        if entry.suffix == ".py" or entry.is_dir()
    }

    missing = {
        package
        for package in packages
        if not package.startswith("__") and not re.search(rf"\b{package}\b", page)
    }
    assert missing == set()


@pytest.mark.slow
def test_the_mock_runs_as_a_module_and_as_a_command() -> None:
    """Both print the same help."""
    command = Path(sys.executable).parent / "arklow-mock"
    texts = [
        subprocess.run([*start, "--help"], capture_output=True, text=True, check=True).stdout
        for start in ([command], [sys.executable, "-m", "mock_server"])
    ]

    assert texts[0] == texts[1]
    assert "usage: arklow-mock" in texts[0]


def test_every_number_that_is_cited_is_explained() -> None:
    """`spec/sources.md` explains each number that code, tests or documents cite."""
    explained = set(
        re.findall(r"^\| ([BCQ]\d+) \|", (ROOT / "spec" / "sources.md").read_text("utf-8"), re.MULTILINE)
    )
    texts = [
        RULES,
        *(
            file.read_text("utf-8")
            for folder in ("arklow_local", "contracts", "mock_server", "tests", "spec/overlays")
            for file in (ROOT / folder).rglob("*.*")
            if file.suffix in (".py", ".yaml")
        ),
    ]
    cited = {number for text in texts for number in re.findall(r"\b(B\d{3}|[CQ]\d{1,2})\b", text)}

    assert cited <= explained


def test_the_generated_pages_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    """`make docs` would change nothing."""
    assert (make.main(["--check"]), capsys.readouterr().out) == (0, "docs: nothing differs\n")


def test_every_behaviour_of_a_life_has_a_test_or_a_named_gap() -> None:
    """Over HTTP; life, webhooks, settling and deferral are explained in full, and gaps are among them."""
    explained = make.statements().keys()
    over_http = ("tests/api/", "tests/deliveries/")
    shown = {number for number, tests in make.tests().items() if any(t.startswith(over_http) for t in tests)}

    assert set(make.IN_FULL) <= shown | make.GAPS.keys()
    assert make.GAPS.keys() <= set(make.IN_FULL) <= explained
    assert make.tests().keys() <= explained


def test_a_span_of_behaviours_is_all_of_them() -> None:
    """`B020 to B022` in a docstring cites three."""
    assert make.cited("as said: B020 to B022, B040; B1234, C1.") == {f"B{n:03}" for n in (20, 21, 22, 40)}
