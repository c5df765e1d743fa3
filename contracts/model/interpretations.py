"""Where the sources are silent or differ: each open question, and which of its answers deserve a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """The warning that an answer to an open question deserves."""

    rule: str
    """The code of the rule that warns."""
    title: str
    """What was shown, as one sentence without its full stop."""
    expected: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question that no source settles."""

    name: str
    source: str
    """What leaves it open: pages, statements and conflicts of `spec/sources.md`, with commas between them."""
    binding: bool = True
    """Whether a deployment that has answered it once has to answer it so again."""
    warnings: Mapping[str, AnswerWarning] = field(default_factory=dict)
    """Answer → the warning that it deserves."""


_ALIAS: Final = "an alias comes before a variant"
_QUESTIONS: Final = (
    Question("ingress body", "C1, B026, B027, B028"),
    Question("payload against its schema", "C6, B039"),
    Question("unknown variant", "Q6, B019"),
    Question("a version that was never stored", "C4, B037"),
    Question("an older version", "C4, B036, B037"),
    Question("a changed definition", "B055, C7, Q5"),
    Question("a definition with other annotations", "B055, C7, Q5", binding=False),
    Question("an equal definition", "B055, C7, Q5"),
    Question("a definition with other aliases", "B055, C7, Q5"),
    Question("an explicit version of a new definition", "Q5"),
    Question("a higher explicit version", "Q5"),
    Question("a lower explicit version", "Q5"),
    Question("after a lower explicit version", "Q5"),
    Question("id of a changed definition", "Q5"),
    Question("an alias left out of an update", "S-def"),
    Question("aliases of an update", "S-def"),
    Question(
        "alias that another definition has",
        "C5",
        warnings={
            "taken over": AnswerWarning(
                "DEF-7", "An alias goes from one definition to another without a word", "a refusal"
            ),
        },
    ),
    Question("alias", "B038, C5"),
    Question(
        "alias against a variant of the same name",
        "B038, C5",
        warnings={
            "the variant": AnswerWarning("ING-1", "A variant comes before an alias of the same name", _ALIAS)
        },
    ),
    Question(
        "a_va under an alias",
        "B022, C5",
        warnings={
            "the alias": AnswerWarning(
                "ING-14", "Under an alias a_va is the alias", "the variant of the definition"
            ),
        },
    ),
    Question("negative version of a definition", "C16"),
    Question("members that the page does not name", "B044"),
    Question("control-plane refusal", "Q1, B009, C17", binding=False),
    Question("delivery", "Q24, Q35", binding=False),
    Question("mod_ack counts from", "Q8, B125", binding=False),
    Question(
        "an attempt that is over",
        "Q2",
        binding=False,
        warnings={"404": AnswerWarning("LEASE-7", "An attempt that is over is not known", "409")},
    ),
    Question(
        "an attempt that has not begun",
        "Q2, Q4",
        binding=False,
        warnings={"404": AnswerWarning("LEASE-7", "An attempt that has not begun is not known", "409")},
    ),
    Question("a second ack", "Q3"),
    Question(
        "a definition that is put again",
        "Q5",
        warnings={
            "refused": AnswerWarning("DEF-1", "A definition cannot be put again", "200, and the definition")
        },
    ),
    Question(
        "a variant in other letters",
        "S-def",
        warnings={
            "is the same": AnswerWarning(
                "ING-15",
                "A variant is found in another case of its letters",
                "a refusal, or a new definition",
            )
        },
    ),
    Question(
        "noughts before an id",
        "B010",
        warnings={
            "overlooked": AnswerWarning(
                "LEASE-9", "Noughts before an id are overlooked", "404, as ids are strings"
            )
        },
    ),
    Question("a nack after a defer", "Q7, B143"),
    Question("another organisation's path", "Q10", binding=False),
)

QUESTIONS: Final[Mapping[str, Question]] = {question.name: question for question in _QUESTIONS}
"""Name → question."""


def questions_about(code: str) -> list[Question]:
    """Return the open questions that a rule is about: those with an answer that it warns of.

    READ-1 is about every question whose answer has to stay the same.
    """
    return [
        question
        for question in QUESTIONS.values()
        if (code == "READ-1" and question.binding) or code in {one.rule for one in question.warnings.values()}
    ]


def expected_interpretations(value: Any) -> dict[str, str]:
    """Return what a file of interpretations says: question → answer. A run writes such a file.

    Args:
        value: the value of the file, `{interpretations: {question: answer}}`.

    Raises:
        ValueError: the value is not of that form; the message says where, and what was expected.
    """
    if not isinstance(value, dict) or not isinstance(value.get("interpretations"), dict):
        raise ValueError(
            "expected an object with a member 'interpretations', as a run writes it to interpretations.yaml"
        )
    for question, answer in value["interpretations"].items():
        if question not in QUESTIONS:
            raise ValueError(
                f"interpretations: there is no question {question!r}; there are {', '.join(QUESTIONS)}"
            )
        if not isinstance(answer, str):
            raise ValueError(f"interpretations/{question}: expected a text, got {answer!r}")
    return dict(value["interpretations"])


__all__ = ["QUESTIONS", "AnswerWarning", "Question", "expected_interpretations", "questions_about"]
