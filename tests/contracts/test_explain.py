"""`explain` says of a rule its sentence, its weight, an example, its remedy, and each source in words."""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.cli import parser
from contracts.commands.exit_codes import CAUSES, codes_of
from contracts.commands.rule_sources import explain
from contracts.core.rules import (
    RELEASE,
    RULES,
    Severity,
)
from contracts.model.interpretations import QUESTIONS
from contracts.openapi.document import SPEC
from contracts.reports import json_report
from tests.contracts.commands import ran
from tests.contracts.test_reports import finding, finished

ROOT = Path(__file__).parents[2]


def sources(code: str) -> list[str]:
    """Return the lines about the sources of a rule."""
    lines = list(explain(code))
    start = lines.index("Sources") + 1
    return lines[start : lines.index("", start)]


@pytest.mark.parametrize("code", RULES)
def test_every_rule_can_be_explained(code: str) -> None:
    """The rule first, its weight next, then a breach and its remedy; the command that checks it alone last."""
    lines, rule = list(explain(code)), RULES[code]

    assert lines[0] == f"{code}: {rule.title}."
    assert lines[1].startswith(f"A {rule.severity}: ")
    at = lines.index("Example of a breach")
    assert lines[at + 1 : at + 3] == [
        f"  request  {rule.example.request}",
        f"  answer   {rule.example.answer}",
    ]
    assert lines[lines.index("Remedy") + 1] == f"  {rule.remedy}"
    assert lines[-1] == f"Check this rule alone: arklow-contracts check … --only {code}"
    assert all(line == line.rstrip() and "\n" not in line for line in lines)


@pytest.mark.parametrize("code", RULES)
def test_each_source_of_a_rule_is_explained(code: str) -> None:
    """A number by its row of spec/sources.md, a page by its operation; an RFC needs no explanation."""
    rows = (SPEC / "sources.md").read_text("utf-8")
    cited = re.split(r",\s*", RULES[code].source)

    said = sources(code)

    assert len(said) == len(cited)
    for part, line in zip(cited, said, strict=True):
        if re.fullmatch("[BCQ][0-9]+", part):
            assert re.search(rf"^\| {part} \|", rows, re.MULTILINE), part
        if not re.match("RFC|§", part):
            assert re.fullmatch(rf"  {re.escape(part)}\s+\S.{{10,}}", line), line


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.severity is Severity.WARNING])
def test_a_warning_names_the_question_that_it_is_about(code: str) -> None:
    """Where an answer to an open question deserves the warning."""
    about = {name for name, one in QUESTIONS.items() if code in {r.rule for r in one.warnings.values()}}
    text = "\n".join(explain(code))

    assert {name for name in QUESTIONS if f"  {name} (" in text} == about


def test_an_interpretation_that_is_taken_back_may_be_of_any_kept_question() -> None:
    """READ-1 is about all of these questions."""
    text = "\n".join(explain("READ-1"))

    assert {name for name in QUESTIONS if f"\n  {name} (" in text} == {
        name for name, question in QUESTIONS.items() if question.binding
    }


def test_an_unknown_rule_is_an_error() -> None:
    """The command line refuses it before."""
    with pytest.raises(KeyError):
        list(explain("PAGE-99"))


@pytest.mark.parametrize(
    ("since", "severity"), [("", "violation"), (RELEASE, "warning"), ("0.0", "violation")]
)
def test_a_new_rule_warns_for_one_release(since: str, severity: str) -> None:
    """So that an update of the judge turns no gate red."""
    rule = replace(RULES["AUTH-1"], weight=Severity.VIOLATION, since=since)

    assert rule.severity == severity


def test_the_release_is_that_of_the_project() -> None:
    """Its first two numbers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["version"].startswith(f"{RELEASE}.")


# Ids of findings


@pytest.mark.parametrize("text", ["PAGE-5-a86735", "page-5-A86735", "PAGE-5-a86735cc01ff"])
@pytest.mark.usefixtures("here")
def test_an_id_from_a_log_is_explained_by_its_rule(text: str) -> None:
    """In any case; the first line says how to see the finding itself."""
    done = ran("explain", text)

    assert (done.code, done.errors) == (0, "")
    assert done.lines[0].startswith(f"PAGE-5-{text[7:].lower()}: ")
    assert "--report DIR" in done.lines[0]
    assert done.lines[2:] == ran("explain", "PAGE-5").lines


@pytest.mark.parametrize("flags", [(), ("--report", "out"), ("--report", "out/report.json")])
def test_the_finding_itself_is_explained_from_its_report(flags: tuple[str, ...], here: Path) -> None:
    """A report in the usual place needs no flag; words of the target are escaped."""
    odd = replace(finding("PAGE-5"), actual="200\x1b[31m \n::error::x")
    (here / "out").mkdir()
    json_report.write(finished(violations=(odd,), secrets={}), here / "out")
    name = odd.id

    done = ran("explain", name, *flags)

    assert done.lines[0] == f"{name}: {odd.sentence}."
    assert f"  expected  {odd.expected}" in done.lines
    assert f"arklow-contracts replay {name}" in done.out
    assert any(line.startswith("  curl -sS --globoff -i ") for line in done.lines)
    assert "PAGE-5: A documented answer has the shape of its page." in done.lines
    assert "\x1b" not in done.out
    assert not any(line.startswith("::") for line in done.lines)


def test_a_report_that_lacks_the_finding_is_said(here: Path) -> None:
    """With those that it has; so is a report that is none."""
    (here / "out").mkdir()
    json_report.write(finished(), here / "out")

    lacks, none = (
        ran("explain", "PAGE-5-ffffff", "--report", "out"),
        ran("explain", "PAGE-5-ffffff", "--report", "x"),
    )

    assert (lacks.code, none.code) == (2, 2)
    assert "there is no finding PAGE-5-ffffff in out; there are: PAGE-5-" in lacks.errors
    assert "x: No such file" in none.errors
    assert ran("explain", "PAGE-5-ffffff").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PAGE-55", "did you mean PAGE-5 or "),
        ("LEASE3", "did you mean LEASE-3"),
        ("PAGES-4", "did you mean PAGE-4"),
        ("LIFE-99", "did you mean LIFE-9"),
        ("PAGE-99-a86735", "there is no rule 'PAGE-99'"),
        ("PAGE-5-a8673", "there is no rule 'PAGE-5-a8673'"),
        ("nonsense", "the codes begin with AUTH, "),
        ("\x1b[31m", "there is no rule '\\\\x1b[31m'"),
    ],
)
def test_an_unknown_rule_suggests_near_ones(text: str, said: str) -> None:
    """Three at most, and not all there are."""
    done = ran("explain", text)

    assert done.code == 2
    assert said in done.errors
    assert len(done.errors) < 250
    assert "\x1b" not in done.errors


# Exit codes


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the name of each command → its parser."""
    return dict(_commands_of(parser()))


def _commands_of(above: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in above._actions:
        for name, below in action.choices.items() if isinstance(action, argparse._SubParsersAction) else ():
            deeper = list(_commands_of(below))
            yield from ((f"{name} {other}", each) for other, each in deeper) if deeper else [(name, below)]


@pytest.mark.parametrize("command", commands())
def test_the_help_of_a_command_has_the_exit_codes_of_the_table_and_examples(command: str) -> None:
    """And says where every cause is."""
    text = commands()[command].format_help()

    listed = text.partition("exit codes:\n")[2]
    assert {int(code) for code in re.findall(r"^  (\d)  ", listed, re.MULTILINE)} == codes_of(command)
    assert "examples:\n  arklow-contracts " in text
    assert "docs/reference/exit-codes.md" in text


def test_every_cause_is_one_of_a_command_and_has_a_row_in_the_reference() -> None:
    """No two rows are the same."""
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text("utf-8")

    assert {name for one in CAUSES for name in one.commands} == commands().keys()
    assert len({(one.commands, one.code, one.cause) for one in CAUSES}) == len(CAUSES)
    assert all(f" | {one.code} | {one.cause} | " in page for one in CAUSES)
