"""The interpretations file, which a judge writes of a deployment → the interpretations that the mock takes.

The judge's questions stand here in the judge's own words, with every answer that it knows. Answers that the mock can
imitate are the types of `domain.interpretations`; the others are listed when the mock starts. The two programs do not know
each other, so a test compares their tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args, get_type_hints

from arklow_local.formats.excerpts import excerpt

from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.seeds import SeedRefused
from .yaml_source import BadSeed, Source
from .yaml_source import read as read_yaml

MAX_BYTES: Final = 1 << 20
"""Bytes of a file: far more than an answer to every question takes."""
_MEMBERS: Final = ("target", "judged", "interpretations")
"""What a judge writes into the file."""


class BadInterpretations(Exception):
    """The file cannot be used; the message says where, what was expected and what came."""


class Question(NamedTuple):
    """An open question, with the answers that deployments may give."""

    member: str
    """The member of `Interpretations` that holds its answer; empty where the mock has one answer alone."""
    only: str = ""
    """That one answer."""
    not_imitated: tuple[str, ...] = ()
    """Answers of deployments that the mock cannot imitate."""
    varies: bool = False
    """Whether one deployment may give several answers, which the judge joins by " or "."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The answers that the mock can imitate: (its default, then the others)."""
        return (self.only,) if self.only else _ANSWERS[self.member]

    @property
    def default(self) -> str:
        """What the mock does without a file."""
        return self.only or str(getattr(DEFAULTS, self.member))


_ANSWERS: Final = {
    name: tuple(map(str, get_args(kind))) for name, kind in get_type_hints(Interpretations).items()
}

QUESTIONS: Final[Mapping[str, Question]] = {
    "ingress body": Question("ingress_body"),
    "payload against its schema": Question("payload_mismatch"),
    "unknown variant": Question("unknown_variant"),
    "a version that was never stored": Question("unstored_version"),
    "an older version": Question("older_version"),
    "a changed definition": Question("changed"),
    "a definition with other annotations": Question("annotated", varies=True),
    "an equal definition": Question("equal"),
    "a definition with other aliases": Question("other_aliases"),
    "an explicit version of a new definition": Question("first_version"),
    "a higher explicit version": Question("higher_version"),
    "a lower explicit version": Question("lower_version"),
    "after a lower explicit version": Question("after_lower"),
    "id of a changed definition": Question("changed_id"),
    "an alias left out of an update": Question("omitted_aliases"),
    "aliases of an update": Question("updated_aliases"),
    "alias that another definition has": Question("taken_alias"),
    "alias": Question("alias"),
    "alias against a variant of the same name": Question("alias_or_variant"),
    "a_va under an alias": Question("shown_variant"),
    "negative version of a definition": Question("", "refused", not_imitated=("accepted",)),
    "members that the page does not name": Question("unnamed_members"),
    "control-plane refusal": Question("refusal", varies=True),
    "delivery": Question("", "at once", not_imitated=("not at once",), varies=True),
    "mod_ack counts from": Question("", "now", varies=True),
    "an attempt that is over": Question("past_attempt", varies=True),
    "an attempt that has not begun": Question("future_attempt", varies=True),
    "a second ack": Question("second_ack"),
    "a definition that is put again": Question("put_again"),
    "a variant in other letters": Question("letter_case"),
    "noughts before an id": Question("leading_zeros"),
    "a nack after a defer": Question("nack_after_defer"),
    "another organisation's path": Question("foreign_path", varies=True),
}
"""The judge's words for a question → the question."""

FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "--auto-define": ("unknown variant", "made on the fly"),
    "--raw-bodies": ("ingress body", "envelope, whole without payload"),
}
"""Flag of the command line → (question, the answer that it chooses)."""

_OF_UPDATES: Final = (
    *("a changed definition", "a definition with other annotations", "an equal definition"),
    *("a definition with other aliases", "a higher explicit version", "after a lower explicit version"),
    *("id of a changed definition", "an alias left out of an update", "aliases of an update"),
)


class _Constraint(NamedTuple):
    """What one answer says about another question of the same deployment."""

    question: str
    answer: str
    other: str
    """The other question."""
    possible: tuple[str, ...] = ()
    """Its answers that can be true as well; none when a judge that got `answer` never asks it."""


_CONSTRAINTS: Final[Sequence[_Constraint]] = (
    *(_Constraint("a definition that is put again", "refused", other) for other in _OF_UPDATES),
    _Constraint("a definition that is put again", "refused", "a lower explicit version", ("refused",)),
    _Constraint("a lower explicit version", "not stored", "after a lower explicit version"),
    _Constraint("a lower explicit version", "refused", "after a lower explicit version"),
    *(
        _Constraint("alias", answer, other, possible)
        for answer in ("is a variant of its own", "reaches nothing")
        for other, possible in (
            ("alias against a variant of the same name", ("the variant",)),
            ("a_va under an alias", ()),
        )
    ),
    _Constraint("ingress body", "whole body", "members that the page does not name", ("ignored",)),
    _Constraint("ingress body", "whole body", "an older version", ("the current one is used",)),
    _Constraint(
        "ingress body", "whole body", "a version that was never stored", ("the current one is used",)
    ),
    _Constraint(
        "an equal definition", "version + 1", "a definition with other annotations", ("version + 1",)
    ),
    _Constraint(
        "a changed definition", "same version", "a definition with other annotations", ("same version",)
    ),
)


class LoadedInterpretations(NamedTuple):
    """The interpretations of a file, with the answers that they were made of."""

    name: str
    """The file's name."""
    interpretations: Interpretations
    answers: Mapping[str, str]
    """Question → answer, as the file has them."""
    lines: Mapping[str, int]
    """Question → line of its answer."""
    not_imitated: tuple[str, ...]
    """Questions whose answer the mock cannot imitate."""

    def contradiction(self, flag: str) -> str:
        """Return why a flag of `FLAGS` cannot be given beside the file; empty when it can."""
        question, answer = FLAGS[flag]
        given = self.answers.get(question, answer)
        if given == answer:
            return ""
        return (
            f"{self.name} line {self.lines[question]}, interpretations/{question}: expected {answer!r} beside {flag}, "
            f"got {given!r}"
        )

    def summary(self) -> str:
        """Return one line that says how many answers are taken, and which are not."""
        line = f"{self.name}: {len(self.answers) - len(self.not_imitated)} interpretations taken"
        left = [f"{question}: {self.answers[question]}" for question in self.not_imitated]
        return f"{line}; not taken, as the mock cannot do so: {'; '.join(left)}" if left else line


def load(path: Path) -> LoadedInterpretations:
    """Read a file.

    Raises:
        BadInterpretations: it cannot be read, or used.
    """
    try:
        if path.exists() and not path.is_file():
            raise BadInterpretations(f"{path}: expected a file that can be read, got what is no regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInterpretations(
            f"{path}: expected a file that can be read, got none ({error.strerror})"
        ) from None
    return read(data, path.name)


def read(data: bytes, name: str) -> LoadedInterpretations:
    """Read the content of a file, which messages call `name`.

    Raises:
        BadInterpretations: it is not YAML of this form, has an unknown question or answer, or contradicts itself.
    """
    if len(data) > MAX_BYTES:
        raise BadInterpretations(f"{name}: expected at most {MAX_BYTES} bytes, got more")
    try:
        source = read_yaml(data, name)
        try:
            answers = dict(_answers(source.value))
            _refuse_contradictions(answers, source)
        except SeedRefused as refused:
            raise source.bad(refused) from None
    except BadSeed as error:
        raise BadInterpretations(str(error)) from None
    chosen: dict[str, Any] = {}
    not_imitated = []
    for question, answer in answers.items():
        known = QUESTIONS[question]
        if answer in known.answers:
            chosen[known.member] = answer
        elif known.default not in answer.split(" or "):
            not_imitated.append(question)
    chosen.pop("", None)
    lines = {question: source.line(("interpretations", question)) for question in answers}
    return LoadedInterpretations(name, replace(DEFAULTS, **chosen), answers, lines, tuple(not_imitated))


def _answers(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each question with its answer.

    Raises:
        SeedRefused: the file has another form, or a question or an answer that is not known.
    """
    if not isinstance(value, dict) or not isinstance(value.get("interpretations"), dict):
        place = "interpretations" if isinstance(value, dict) and "interpretations" in value else ""
        raise SeedRefused(
            place, "expected a member 'interpretations' with an answer for each question, got none"
        )
    for member, content in value.items():
        if member not in _MEMBERS:
            raise SeedRefused(member, f"expected {', '.join(_MEMBERS)} alone, got another member")
        if member != "interpretations" and not isinstance(content, str):
            raise SeedRefused(member, f"expected a text, got {excerpt(repr(content), 40)}")
    for question, answer in value["interpretations"].items():
        place = f"interpretations/{question.replace('~', '~0').replace('/', '~1')}"
        known = QUESTIONS.get(question)
        if known is None:
            near = get_close_matches(question[:60], QUESTIONS, n=1) or ["unknown variant"]
            raise SeedRefused(place, f"expected a question of the judge, such as {near[0]!r}, got another")
        text = str(answer) if type(answer) is int else answer  # YAML reads 404 without quotes as a number
        parts = text.split(" or ") if isinstance(text, str) and known.varies else [text]
        if any(part not in known.answers + known.not_imitated for part in parts):
            passing = " or ".join(map(repr, known.answers + known.not_imitated))
            raise SeedRefused(place, f"expected {passing}, got {excerpt(repr(answer), 60)}")
        yield question, text


def _refuse_contradictions(answers: Mapping[str, str], source: Source) -> None:
    """Check that all the answers can be true of one deployment.

    Raises:
        SeedRefused: two of them cannot.
    """
    for question, answer, other, possible in _CONSTRAINTS:
        given = answers.get(other)
        if answers.get(question) != answer or given is None or set(possible) & set(given.split(" or ")):
            continue
        expected = " or ".join(map(repr, possible)) or "no answer"
        line = source.line(("interpretations", question))
        raise SeedRefused(
            f"interpretations/{other}",
            f"expected {expected} beside {question!r}: {answer!r} of line {line}, got {given!r}",
        )
