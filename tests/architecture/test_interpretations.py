"""The open questions are in both programs, which do not import each other: the two tables must agree."""

from __future__ import annotations

import re
from pathlib import Path

from contracts.model.interpretations import QUESTIONS as ASKED
from mock_server.seeds.interpretations_file import QUESTIONS as TAKEN


def test_the_mock_has_a_row_for_every_question_of_the_judge() -> None:
    """It has a row for each question, whether it can take an answer or not, and for no other."""
    assert TAKEN.keys() == ASKED.keys()


def test_both_agree_which_questions_may_have_several_answers() -> None:
    """Where a deployment need not keep to one answer, the judge joins those that it saw."""
    assert {name for name, one in TAKEN.items() if one.varies} == {
        name for name, one in ASKED.items() if not one.binding
    }


def test_the_mock_knows_every_answer_that_the_judge_warns_of() -> None:
    """The mock has the same words."""
    for name, question in ASKED.items():
        known = TAKEN[name]
        assert question.warnings.keys() <= {*known.answers, *known.not_imitated}, name


def test_the_rules_list_every_question_with_its_answers() -> None:
    """Each row has the answers with the default in bold, those that cannot be taken, and a rule that exists."""
    rules = (Path(__file__).parents[2] / "spec" / "rules.md").read_text("utf-8")
    section = rules.partition("## Interpretations\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!Question)([^|*]+) \| ([^|]+) \| ([^|]*)\| ([^|]+) \|$", section, re.MULTILINE)

    shown = {
        name: (answers.replace("**", "").split(" · "), beyond.strip()) for name, answers, beyond, _ in rows
    }
    usual = {name: re.findall(r"\*\*(.*?)\*\*", answers) for name, answers, _, _ in rows}
    assert shown == {name: (list(one.answers), ", ".join(one.not_imitated)) for name, one in TAKEN.items()}
    assert usual == {name: [one.default] for name, one in TAKEN.items()}
    codes = {code for *_, cited in rows for code in cited.split(", ")}
    assert [code for code in codes if f"\n| {code} | " not in rules] == []
