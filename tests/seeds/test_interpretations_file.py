"""The interpretations file: what it may have, and how a bad one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server.domain.interpretations import DEFAULTS, Interpretations
from mock_server.seeds.interpretations_file import (
    QUESTIONS,
    BadInterpretations,
    LoadedInterpretations,
    load,
    read,
)


def loaded(text: str) -> LoadedInterpretations:
    return read(text.encode(), "interpretations.yaml")


def complaint(text: str) -> str:
    with pytest.raises(BadInterpretations) as refused:
        loaded(text)
    return str(refused.value)


def test_a_file_as_the_judge_writes_it() -> None:
    """Statuses may stand without quotes; a date is a text."""
    found = loaded(
        """\
# The interpretations that a deployment takes where the documentation is silent or contradicts itself.
target: https://staging.example
judged: 2026-11-21T22:00:00Z
interpretations:
  an attempt that is over: 404
  an equal definition: same version
  unknown variant: made on the fly
"""
    )

    assert found.interpretations == Interpretations(past_attempt="404", unknown_variant="made on the fly")
    assert found.summary() == "interpretations.yaml: 3 interpretations taken"


def test_a_file_of_defaults_changes_nothing() -> None:
    """It has every question, with the answer that the mock gives without a file."""
    lines = [f"  {question}: '{known.default}'" for question, known in QUESTIONS.items()]

    found = loaded("\n".join(["interpretations:", *lines]))

    assert (found.interpretations, found.not_imitated) == (DEFAULTS, ())


@pytest.mark.parametrize(
    ("question", "answer", "left"),
    [
        ("delivery", "at once or not at once", ()),
        ("delivery", "not at once", ("delivery",)),
        ("negative version of a definition", "accepted", ("negative version of a definition",)),
        ("an attempt that is over", "404 or 409", ()),
        ("another organisation's path", "404 or 401", ("another organisation's path",)),
        ("control-plane refusal", "200 with data null or 4xx", ()),
    ],
)
def test_of_several_answers_one_that_the_mock_can_give_is_enough(
    question: str, answer: str, left: tuple[str, ...]
) -> None:
    """Answers that it cannot give are listed, and its default stays."""
    found = loaded(f'interpretations: {{"{question}": "{answer}"}}')

    assert (found.interpretations, found.not_imitated) == (DEFAULTS, left)
    assert (f"{question}: {answer}" in found.summary()) == bool(left)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "interpretations.yaml line 1: expected a member 'interpretations' with an answer for each question, got none",
        ),
        (
            "[1]",
            "interpretations.yaml line 1: expected a member 'interpretations' with an answer for each question, got none",
        ),
        (
            "target: x\ninterpretations: 5",
            "interpretations.yaml line 2, interpretations: expected a member 'interpretations'",
        ),
        (
            "interpretations: {}\nmore: 1",
            "interpretations.yaml line 2, more: expected target, judged, interpretations alone, got",
        ),
        (
            "target: [x]\ninterpretations: {}",
            "interpretations.yaml line 1, target: expected a text, got ['x']",
        ),
        (
            "interpretations:\n  unknown varient: refused",
            (
                "interpretations.yaml line 2, interpretations/unknown varient: expected a question of the judge, such as "
                "'unknown variant', got another"
            ),
        ),
        (
            "interpretations:\n\n  a/b~c: 1",
            "interpretations.yaml line 3, interpretations/a~1b~0c: expected a question of the judge",
        ),
        (
            "interpretations:\n  delivery: late",
            "interpretations.yaml line 2, interpretations/delivery: expected 'at once' or 'not at once', got 'late'",
        ),
        (
            "interpretations:\n  alias: true",
            "interpretations.yaml line 2, interpretations/alias: expected 'reaches its definition' or",
        ),
        (
            "interpretations:\n  unknown variant: refused or made on the fly",
            "interpretations.yaml line 2, interpretations/unknown variant: expected 'refused' or 'made on the fly', got",
        ),
        (
            "interpretations: {alias: x, alias: y}",
            "interpretations.yaml line 1, interpretations/alias: expected each member once",
        ),
        ("interpretations: ]", "interpretations.yaml line 1: expected YAML, got what is none"),
        ("#" * (1 << 20) + "\n", "interpretations.yaml: expected at most 1048576 bytes, got more"),
    ],
    ids=lambda text: str(text)[:30],
)
def test_a_refusal_names_the_line(text: str, message: str) -> None:
    """It is one line: where, what was expected and what came."""
    found = complaint(text)

    assert found.startswith(message)
    assert "\n" not in found


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            "a definition that is put again: refused",
            "an equal definition: same version",
            "no answer beside",
        ),
        (
            "a lower explicit version: not stored",
            "after a lower explicit version: the highest one is current",
            "no answer beside",
        ),
        ("alias: reaches nothing", "a_va under an alias: the alias", "no answer beside"),
        (
            "alias: is a variant of its own",
            "alias against a variant of the same name: the alias",
            "'the variant' beside",
        ),
        ("ingress body: whole body", "members that the page does not name: refused", "'ignored' beside"),
        ("ingress body: whole body", "an older version: used", "'the current one is used' beside"),
        (
            "a changed definition: same version",
            "a definition with other annotations: version + 1",
            "'same version' beside",
        ),
    ],
)
def test_answers_that_contradict_each_other_are_refused(one: str, other: str, expected: str) -> None:
    """Both lines are named, in either order."""
    for lines in ((one, other), (other, one)):
        found = complaint("\n".join(["interpretations:", *(f"  {line}" for line in lines)]))

        question, _, answer = one.partition(": ")
        assert (
            f"line {lines.index(other) + 2}, interpretations/{other.partition(': ')[0]}: expected {expected}"
            in found
        )
        assert f"{question!r}: {answer!r} of line {lines.index(one) + 2}" in found


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It does not exist, or is a folder."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(BadInterpretations, match=r"expected a file that can be read, got"):
            load(path)


def test_every_member_of_the_interpretations_has_its_question() -> None:
    """Each member has one question, and each question has a default among its answers."""
    members = [known.member for known in QUESTIONS.values() if known.member]

    assert sorted(members) == sorted(Interpretations.__slots__)
    assert all(known.default in known.answers for known in QUESTIONS.values())
    assert all(bool(known.member) != bool(known.only) for known in QUESTIONS.values())
