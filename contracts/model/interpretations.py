"""Where sources are silent or differ: each open question, and which of its answers deserve a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of an answer that one interpretation does not expect."""

    rule: str
    title: str
    expected: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that no source settles."""

    name: str
    source: str
    kept: bool = True
    """Whether a deployment that has answered it once has to answer it so again."""
    remarks: Mapping[str, Remark] = field(default_factory=dict)
    """Answer → the warning that it deserves."""


_ALIAS = "an alias comes before a variant"
_QUESTIONS = (
    Question("ingress body", "C1, B026, B027, B028"),
    Question("payload against its schema", "C6, B039"),
    Question("unknown variant", "Q6, B019"),
    Question("a version that was never stored", "C4, B037"),
    Question("an older version", "C4, B036, B037"),
    Question("a changed definition", "B055, C7, Q5"),
    Question("a definition with other annotations", "B055, C7, Q5", kept=False),
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
        remarks={
            "taken over": Remark(
                "DEF-7", "An alias goes from one definition to another without a word", "a refusal"
            ),
        },
    ),
    Question("alias", "B038, C5"),
    Question(
        "alias against a variant of the same name",
        "B038, C5",
        remarks={"the variant": Remark("ING-1", "A variant comes before an alias of the same name", _ALIAS)},
    ),
    Question(
        "a_va under an alias",
        "B022, C5",
        remarks={
            "the alias": Remark(
                "ING-14", "Under an alias a_va is the alias", "the variant of the definition"
            ),
        },
    ),
    Question("negative version of a definition", "C16"),
    Question("members that the page does not name", "B044"),
    Question("control-plane refusal", "Q1, B009, C17", kept=False),
    Question("delivery", "Q24, Q35", kept=False),
    Question("mod_ack counts from", "Q8, B125", kept=False),
    Question(
        "an attempt that is over",
        "Q2",
        kept=False,
        remarks={"404": Remark("LEASE-7", "An attempt that is over is not known", "409")},
    ),
    Question(
        "an attempt that has not begun",
        "Q2, Q4",
        kept=False,
        remarks={"404": Remark("LEASE-7", "An attempt that has not begun is not known", "409")},
    ),
    Question("a second ack", "Q3"),
    Question(
        "a definition that is put again",
        "Q5",
        remarks={"refused": Remark("DEF-1", "A definition cannot be put again", "200, and the definition")},
    ),
    Question(
        "a variant in other letters",
        "S-def",
        remarks={
            "is the same": Remark(
                "ING-15",
                "A variant is found in another case of its letters",
                "a refusal, or a new definition",
            )
        },
    ),
    Question(
        "noughts before an id",
        "B010",
        remarks={
            "overlooked": Remark("LEASE-9", "Noughts before an id are overlooked", "404, as ids are strings")
        },
    ),
    Question("a nack after a defer", "Q7, B143"),
    Question("another organisation's path", "Q10", kept=False),
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
        if (code == "READ-1" and question.kept) or code in {one.rule for one in question.remarks.values()}
    ]


def expected(value: Any) -> dict[str, str]:
    """The interpretations of a file as a run writes it: `{interpretations: {question: answer}}`.

    Raises:
        ValueError: it is not of that form; the text says where, and what would be.
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


__all__ = ["QUESTIONS", "Question", "Remark", "expected", "questions_about"]
