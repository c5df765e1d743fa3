"""The open questions: each has its source, and what is remarked of an answer is a warning and no more."""

from __future__ import annotations

import re

import pytest

from contracts.core.rules import RULES, Severity
from contracts.model.interpretations import QUESTIONS
from contracts.openapi.document import SPEC

PAGES = {"S-ing", "S-mod", "S-def"}
SOURCES = (SPEC / "sources.md").read_text("utf-8")
REMARKS = [
    (name, answer, remark)
    for name, question in QUESTIONS.items()
    for answer, remark in question.warnings.items()
]


@pytest.mark.parametrize(("name", "answer", "remark"), REMARKS, ids=lambda value: str(value)[:24])
def test_what_is_remarked_of_an_answer_is_a_rule_that_warns(name: str, answer: str, remark: object) -> None:
    """No source settles the question, so that no answer to it is a violation."""
    rule = RULES[QUESTIONS[name].warnings[answer].rule]

    assert rule.severity is Severity.WARNING


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_cites_what_leaves_it_open(name: str) -> None:
    """A page, or a numbered statement that is in the list of sources."""
    cited = QUESTIONS[name].source.split(", ")

    assert all(one in PAGES or re.search(rf"^\| {one} \|", SOURCES, re.MULTILINE) for one in cited), cited


def test_going_back_on_an_interpretation_is_a_rule_of_its_own() -> None:
    """It forbids what a kept question allows twice, and cites what the questions cite."""
    assert RULES["READ-1"].severity is Severity.VIOLATION
    assert QUESTIONS.keys() >= {"alias", "unknown variant"}
    assert all(remark.rule != "READ-1" for _, _, remark in REMARKS)
