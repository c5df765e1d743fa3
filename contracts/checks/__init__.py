"""Checks of a single exchange: each looks at the bytes of one request and its answer, and at what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..core.exchange import Exchange
from ..core.findings import Finding
from . import (
    acceptance,
    access,
    answers,
    secrecy,
)
from .context import CheckContext

CHECKS = (answers.check, access.check, acceptance.check, secrecy.check)


def judge(exchange: Exchange, known: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Everything that one exchange shows; counts in `tested` what it could have shown."""
    for check in CHECKS:
        yield from check(exchange, known, tested)


__all__ = ["judge"]
