"""The file of interpretations that a judge has written of a deployment → the interpretations that the mock takes.

The judge's questions stand here in its own words, with every answer it knows: those that can be taken are the types of
`domain.interpretations`, the others are told of at the start. Nobody here knows the judge; a test holds the two tables together.
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
_MEMBERS: Final = ("target", "judged", "interpretations")


class BadInterpretations(Exception):
    """The file cannot be used; the message says where, what was expected and what came."""


class Question(NamedTuple):
    """An open question as the mock sees it."""

    member: str
    """Of `Interpretations`; empty where there is one way alone."""
    only: str = ""
    """That one way."""
    beyond: tuple[str, ...] = ()
    """Answers of deployments that the mock cannot imitate."""
    varies: bool = False
    """Whether a deployment may show several answers, which are joined by "or"."""

    @property
    def answers(self) -> tuple[str, ...]:
        """Those that can be taken, what the mock does by itself first."""
        return (self.only,) if self.only else _ANSWERS[self.member]

    @property
    def usual(self) -> str:
        """What the mock does unless it is told otherwise."""
        return self.only or str(getattr(DEFAULTS, self.member))


_ANSWERS: Final = {
    name: tuple(map(str, get_args(kind))) for name, kind in get_type_hints(Interpretations).items()
}

QUESTIONS: Final[Mapping[str, Question]] = {
    "ingress body": Question("ingress_body"),
    "payload against its schema": Question("misfit"),
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
    "negative version of a definition": Question("", "refused", beyond=("accepted",)),
    "members that the page does not name": Question("unnamed_members"),
    "control-plane refusal": Question("refusal", varies=True),
    "delivery": Question("", "at once", beyond=("not at once",), varies=True),
    "mod_ack counts from": Question("", "now", varies=True),
    "an attempt that is over": Question("past_attempt", varies=True),
    "an attempt that has not begun": Question("future_attempt", varies=True),
    "a second ack": Question("second_ack"),
    "a definition that is put again": Question("put_again"),
    "a variant in other letters": Question("other_letters"),
    "noughts before an id": Question("noughts"),
    "a nack after a defer": Question("nack_after_defer"),
    "another organisation's path": Question("foreign_path", varies=True),
}
"""The judge's words for a question → what the mock makes of it."""

SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "--auto-define": ("unknown variant", "made on the fly"),
    "--raw-bodies": ("ingress body", "envelope, whole without payload"),
}
"""Flag → the question it answers, and how."""

_OF_UPDATES: Final = (
    *("a changed definition", "a definition with other annotations", "an equal definition"),
    *("a definition with other aliases", "a higher explicit version", "after a lower explicit version"),
    *("id of a changed definition", "an alias left out of an update", "aliases of an update"),
)
_APART: Final[Sequence[tuple[tuple[str, str], str, tuple[str, ...]]]] = (
    *((("a definition that is put again", "refused"), question, ()) for question in _OF_UPDATES),
    (("a definition that is put again", "refused"), "a lower explicit version", ("refused",)),
    (("a lower explicit version", "not stored"), "after a lower explicit version", ()),
    (("a lower explicit version", "refused"), "after a lower explicit version", ()),
    *(
        (("alias", answer), question, passing)
        for answer in ("is a variant of its own", "reaches nothing")
        for question, passing in (
            ("alias against a variant of the same name", ("the variant",)),
            ("a_va under an alias", ()),
        )
    ),
    (("ingress body", "whole body"), "members that the page does not name", ("ignored",)),
    (("ingress body", "whole body"), "an older version", ("the current one is used",)),
    (("ingress body", "whole body"), "a version that was never stored", ("the current one is used",)),
    (("an equal definition", "version + 1"), "a definition with other annotations", ("version + 1",)),
    (("a changed definition", "same version"), "a definition with other annotations", ("same version",)),
)
"""(question, answer), another question, and those of its answers that can be true beside; often none, as who answers so is
never asked."""


class Taken(NamedTuple):
    """What was made of a file."""

    name: str
    interpretations: Interpretations
    answers: Mapping[str, str]
    """Question → answer, as the file has them."""
    lines: Mapping[str, int]
    """Question → where its answer stands."""
    beyond: tuple[str, ...]
    """Questions whose answer cannot be taken."""

    def against(self, flag: str) -> str:
        """Why a flag cannot be given beside the file; empty when it can."""
        question, answer = SWITCHES[flag]
        given = self.answers.get(question, answer)
        if given == answer:
            return ""
        return (
            f"{self.name} line {self.lines[question]}, interpretations/{question}: expected {answer!r} beside {flag}, "
            f"got {given!r}"
        )

    def told(self) -> str:
        """What is taken and what is not, in one line."""
        line = f"{self.name}: {len(self.answers) - len(self.beyond)} interpretations taken"
        left = [f"{question}: {self.answers[question]}" for question in self.beyond]
        return f"{line}; not taken, as the mock cannot do so: {'; '.join(left)}" if left else line


def load(path: Path) -> Taken:
    """The interpretations of a file.

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


def read(data: bytes, name: str) -> Taken:
    """The interpretations that a file spells.

    Raises:
        BadInterpretations: it is no YAML of that form, asks what nobody asks, or what cannot be true together.
    """
    if len(data) > MAX_BYTES:
        raise BadInterpretations(f"{name}: expected at most {MAX_BYTES} bytes, got more")
    try:
        source = read_yaml(data, name)
        try:
            answers = dict(_answers(source.value))
            _refuse_apart(answers, source)
        except SeedRefused as refused:
            raise source.bad(refused) from None
    except BadSeed as error:
        raise BadInterpretations(str(error)) from None
    changes, beyond = {}, []
    for question, answer in answers.items():
        known = QUESTIONS[question]
        if answer in known.answers:
            changes[known.member] = answer
        elif known.usual not in answer.split(" or "):
            beyond.append(question)
    changes.pop("", None)
    lines = {question: source.line(("interpretations", question)) for question in answers}
    chosen: dict[str, Any] = changes
    return Taken(name, replace(DEFAULTS, **chosen), answers, lines, tuple(beyond))


def _answers(value: Any) -> Iterator[tuple[str, str]]:
    """Question and answer, each known."""
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
        told = str(answer) if type(answer) is int else answer  # 404 without quotes
        parts = told.split(" or ") if isinstance(told, str) and known.varies else [told]
        if any(part not in known.answers + known.beyond for part in parts):
            passing = " or ".join(map(repr, known.answers + known.beyond))
            raise SeedRefused(place, f"expected {passing}, got {excerpt(repr(answer), 60)}")
        yield question, told


def _refuse_apart(answers: Mapping[str, str], source: Source) -> None:
    """Return when all the answers can be true of one deployment."""
    for (question, answer), other, passing in _APART:
        given = answers.get(other)
        if answers.get(question) != answer or given is None or set(passing) & set(given.split(" or ")):
            continue
        expected = " or ".join(map(repr, passing)) or "no answer"
        line = source.line(("interpretations", question))
        raise SeedRefused(
            f"interpretations/{other}",
            f"expected {expected} beside {question!r}: {answer!r} of line {line}, got {given!r}",
        )
