"""The open questions: each has its source, and no answer to it is more than a warning."""

from __future__ import annotations

import re

import pytest

from contracts.core.rules import RULES, Severity
from contracts.model.interpretations import QUESTIONS
from contracts.openapi.document import SPEC

PAGES = {"S-ing", "S-mod", "S-def"}
SOURCES = (SPEC / "sources.md").read_text("utf-8")
WARNINGS = [
    (name, answer, warning)
    for name, question in QUESTIONS.items()
    for answer, warning in question.warnings.items()
]


@pytest.mark.parametrize(("name", "answer", "warning"), WARNINGS, ids=lambda value: str(value)[:24])
def test_an_answer_breaks_a_rule_that_only_warns(name: str, answer: str, warning: object) -> None:
    """No source settles the question, so no answer to it is a violation."""
    rule = RULES[QUESTIONS[name].warnings[answer].rule]

    assert rule.severity is Severity.WARNING


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_cites_what_leaves_it_open(name: str) -> None:
    """It cites pages, or numbered statements of the list of sources."""
    cited = QUESTIONS[name].source.split(", ")

    assert all(one in PAGES or re.search(rf"^\| {one} \|", SOURCES, re.MULTILINE) for one in cited), cited


def test_going_back_on_an_interpretation_is_a_rule_of_its_own() -> None:
    """READ-1 forbids a second answer to a binding question, and no answer by itself breaks it."""
    assert RULES["READ-1"].severity is Severity.VIOLATION
    assert QUESTIONS.keys() >= {"alias", "unknown variant"}
    assert all(warning.rule != "READ-1" for _, _, warning in WARNINGS)
