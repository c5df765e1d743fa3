"""Assertions of generated tests that several rules share.

Each expression is Python over the functions of `reports.generated_test_runtime`, with fields in braces that
`reports.generated_assertions` fills in.
"""

from __future__ import annotations

from typing import Final

from .rule import Assertion

NOT_SERVED: Final = Assertion(expression="{unserved}")
"""The last request must be refused; where it was, by another status than this one, which tells of another cause."""
NOT_REFUSED: Final = Assertion(expression="refused(answers[-1])")
"""The last request must be served."""
SAME_ANSWERS: Final = Assertion(expression="same_as_before(answers, WAS{together})")
"""The answers must differ from those of the finding: no single answer shows that the rule is kept."""
KEEPS_MEMBER: Final = Assertion(expression="breaks(answers[-1], {status}, {member})")
"""The member of the answer that broke its schema must keep it."""
OTHER_KIND_OF_STATUS: Final = Assertion(expression="has_status(answers[-1], {kind}, {expected})")
"""The last answer must have another status: any but a success of 201 to 299, or any but the refusal's own."""


def not_answered_with(*statuses: int) -> Assertion:
    """Make the assertion that the last answer has none of the statuses."""
    return Assertion(expression=f"has_status(answers[-1], {list(statuses)}, {{expected}})")


__all__ = [
    "KEEPS_MEMBER",
    "NOT_REFUSED",
    "NOT_SERVED",
    "OTHER_KIND_OF_STATUS",
    "SAME_ANSWERS",
    "not_answered_with",
]
