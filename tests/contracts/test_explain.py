"""`explain` says of a rule its sentence, its weight, an example, its remedy, and each source in words."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.commands.rule_sources import explain
from contracts.core.rules import (
    RELEASE,
    RULES,
    Severity,
)
from contracts.model.interpretations import QUESTIONS
from contracts.openapi.document import SPEC

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
