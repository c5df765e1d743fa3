"""Rules on single exchanges: each check looks at one request, its answer, and what is known of the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..core.findings import Finding
from . import acceptance, access, answers, secrecy
from .context import CheckContext
from .facts import Facts

CHECKS = (answers.check, access.check, acceptance.check, secrecy.check)
"""In the order in which their findings are reported."""
_OF_UNREAD = (answers.check,)
"""Those of an answer whose body could not be read."""


def run_checks(facts: Facts, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Yield everything that one exchange breaks; count in `tested` the rules that it could have broken."""
    for check in _OF_UNREAD if facts.exchange.unread else CHECKS:
        yield from check(facts, context, tested)


__all__ = ["run_checks"]
