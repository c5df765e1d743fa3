"""What the judge found: breaches, as checks and the model report them, and findings, which add the exchanges that show one.

The ledger is a module of its own: it decides which findings a run keeps.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from .exchange import Exchange
from .rules import RULES, Severity


@dataclass(frozen=True, slots=True)
class Breach:
    """An answer outside of what the sources allow, without the exchanges that led to it."""

    rule: str
    """The code of the broken rule."""
    title: str
    """What broke, as one sentence without its full stop."""
    expected: str
    actual: str
    place: str = ""
    """Where in the request or the answer; breaches that differ in anything else are one finding."""
    question: str | None = None
    """The open question whose first answer was taken back."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule at one operation, with the exchanges that show it, the last one last."""

    rule: str
    """The code of the broken rule."""
    operation: str
    """Such as `POST /v1/modack`."""
    title: str
    """What broke, as one sentence without its full stop."""
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...]
    place: str = ""
    """Where in the request or the answer; findings that differ in anything else are one."""
    question: str | None = None
    """The open question whose first answer was taken back."""
    concurrent: bool = False
    """The exchanges were under way at the same moment."""
    needs_sequence: bool = False
    """Only the sequence that looked for it can show it; a replay of its exchanges alone cannot."""
    times: int = 1
    """How often the exchanges have to be sent until it shows: more than once where it is a matter of chance or count."""
    other_operations: tuple[str, ...] = ()
    """Other operations that break the rule in the same place, in alphabetical order."""
    confirmed: int = 0
    """How many attempts to show it again, under fresh names, succeeded."""
    attempts: int = 0
    """How many attempts to show it again were made."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes a finding distinct: the code of its rule, and its place without positions in lists."""
        return self.rule, _POSITION.sub("/*", self.place)

    @property
    def id(self) -> str:
        """Its name in every run, whatever the seed: the code of its rule, and six hexadecimal digits for its place."""
        return f"{self.rule}-{hashlib.sha256(self.key[1].encode()).hexdigest()[:6]}"

    @property
    def needs_no_confirmation(self) -> bool:
        """Whether one sighting is enough: a history of concurrent calls is proof, and so is an application's 500."""
        return self.concurrent or RULES[self.rule].one_sighting_is_proof

    @property
    def responsible(self) -> str:
        """Which part of the deployment gave the last answer, as far as the answer tells."""
        last = self.exchanges[-1]
        value, announced = last.value(), last.answer_header("content-type") or "no content-type"
        if isinstance(value, dict) and value.keys() & {"data", "errors"}:
            return "the application, as the answer is its envelope"
        if not last.status:
            return "the application, or a server in front of it: no answer came, and others got one"
        return f"the application, or a server in front of it: the answer ({announced}) is not the envelope"

    @property
    def sentence(self) -> str:
        """What broke, as a sentence without its full stop that names the operation and the rule."""
        title = self.title
        if title[:1].isupper() and not title[1:2].isupper():
            title = title[0].lower() + title[1:]
        return f"{self.operation} breaks {self.rule}: {title}"

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return RULES[self.rule].severity

    @property
    def size(self) -> tuple[int, int]:
        """How long its example is: the number of requests, then their length in bytes."""
        return len(self.exchanges), sum(exchange.size for exchange in self.exchanges)


_POSITION = re.compile(r"/\d+(?=/|$)")
"""The position of an item in a list, which is a matter of chance."""


def finding_of(breach: Breach, exchange: Exchange, shown: tuple[Exchange, ...]) -> Finding:
    """Return a breach at the operation of `exchange` as a finding that `shown` leads to."""
    return Finding(
        breach.rule,
        exchange.operation or f"{exchange.method} {exchange.path or urlsplit(exchange.url).path}",
        breach.title,
        breach.expected,
        breach.actual,
        shown,
        breach.place,
        breach.question,
    )


def concurrent_finding(breach: Breach, operation: str, history: tuple[Exchange, ...]) -> Finding:
    """Return a breach at `operation` as a finding that the history of concurrent calls proves by itself."""
    return replace(finding_of(breach, history[-1], history), operation=operation, concurrent=True)


__all__ = ["Breach", "Finding", "concurrent_finding", "finding_of"]
