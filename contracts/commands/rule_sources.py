"""What is behind a rule: its sentence and weight, an example of a breach, its remedy, and what its sources say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from ..core.rules import PAGES, RULES, Severity
from ..model.interpretations import questions_about
from ..openapi.document import SPEC

_PAGES: Final = {
    **{page: f"the published page of {label}" for page, label in PAGES.items()},
    "ours": "our own choice, as spec/rules.md says",
}
"""Source that is no number → what it is."""
_WEIGHTS: Final = {
    Severity.VIOLATION: "A violation: a page, a documented behaviour or an RFC forbids what breaks it.",
    Severity.WARNING: "A warning: policy, or one of several interpretations. --strict makes it count.",
}


def explain(code: str) -> Iterator[str]:
    """Yield the lines of text about a rule.

    Raises:
        KeyError: there is no rule of this code.
    """
    rule = RULES[code]
    yield f"{rule.code}: {rule.title}."
    yield _WEIGHTS[rule.severity]
    yield ""
    yield "Example of a breach"
    yield f"  request  {rule.example.request}"
    yield f"  answer   {rule.example.answer}"
    yield ""
    yield "Remedy"
    yield f"  {rule.remedy}"
    yield ""
    yield "Sources"
    yield from (f"  {line}" for line in _explained(rule.source))
    if questions := questions_about(code):
        yield ""
        yield "Open questions that it is about"
        yield from (f"  {question.name} ({question.source})" for question in questions)
    yield ""
    yield f"Check this rule alone: arklow-contracts check … --only {code}"


def _explained(source: str) -> Iterator[str]:
    """Yield each source of a rule with its statement; an RFC has none and is given as it is."""
    for part in re.split(r",\s*", source):
        statement = _PAGES.get(part) or _statements().get(part)
        yield f"{part:8} {statement}" if statement else part


@cache
def _statements() -> Mapping[str, str]:
    """Read number → statement from spec/sources.md."""
    rows = re.findall(
        r"^\| ([BCQ]\d+) \| (.*?) \|(?: (.*?) \|)?", (SPEC / "sources.md").read_text("utf-8"), re.MULTILINE
    )
    return {
        number: f"{first} ({second})" if number[0] == "B" else f"{first}: {second}"
        for number, first, second in rows
    }


__all__ = ["explain"]
