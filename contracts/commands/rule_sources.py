"""What is behind a rule: its sentence, its weight, and what each of its sources says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..core.rules import PAGES, RULES, Severity
from ..model.interpretations import QUESTIONS
from ..openapi.document import SPEC

_PAGES: Final = {
    **{page: f"the published page of {label}" for page, label in PAGES.items()},
    "ours": "our own choice, as spec/rules.md says",
}
_WEIGHTS: Final = {
    Severity.VIOLATION: "A violation: a page, a documented behaviour or an RFC forbids what breaks it.",
    Severity.WARNING: "A warning: policy, or one of several interpretations. --strict makes it count.",
}


def explain(code: str) -> Iterator[str]:
    """Lines about a rule.

    Raises:
        KeyError: there is no such rule.
    """
    rule = RULES[code]
    yield f"{rule.code}: {rule.title}."
    yield _WEIGHTS[rule.severity]
    yield ""
    yield "Sources"
    yield from (f"  {line}" for line in _sources(rule.source))
    questions = [
        (question.name, question.source)
        for question in QUESTIONS.values()
        if (code == "READ-1" and question.kept) or code in {one.rule for one in question.remarks.values()}
    ]
    if questions:
        yield ""
        yield "Open questions that it is about"
        yield from (f"  {name} ({source})" for name, source in questions)
    yield ""
    yield f"Listen to it alone: arklow-contracts check … --only {code}"


def _sources(text: str) -> Iterator[str]:
    """What each number stands for; whatever has none is given as it is."""
    statements = _statements()
    for part in re.split(r",\s*", text):
        said = _PAGES.get(part) or statements.get(part)
        yield f"{part:8} {said}" if said else part


def _statements() -> Mapping[str, str]:
    """Number → statement, as spec/sources.md has them."""
    rows = re.findall(
        r"^\| ([BCQ]\d+) \| (.*?) \|(?: (.*?) \|)?", (SPEC / "sources.md").read_text("utf-8"), re.MULTILINE
    )
    return {
        number: f"{first} ({second})" if number[0] == "B" else f"{first}: {second}"
        for number, first, second in rows
    }


__all__ = ["explain"]
