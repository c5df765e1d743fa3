"""What the judge found: findings, and the ledger that keeps each distinct one once, with its smallest example."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .exchange import Exchange
from .rules import RULES, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule, at one operation, with the exchanges that show it, the last one last."""

    rule: str
    operation: str
    """Such as `POST /v1/modack`."""
    title: str
    """One sentence without its full stop: what broke."""
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...]
    place: str = ""
    """Where in the request or answer; two findings that differ elsewhere only are one."""
    question: str | None = None
    """The open question whose first answer was taken back."""
    together: bool = False
    """The exchanges were under way at the same moment."""
    staged: bool = False
    """Only the sequence that looked for it can tell it; a replay of its exchanges alone cannot."""
    times: int = 1
    """How often they have to be sent until it shows; it is a matter of chance or of count if that is not once."""
    also: tuple[str, ...] = ()
    """Other operations that break the rule in the same place."""
    shown: int = 0
    """How often it showed again under fresh names."""
    tried: int = 0
    """How often that was tried."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes a finding distinct: one promise, broken in one place, whichever operations break it."""
        return self.rule, _POSITION.sub("/*", self.place)

    @property
    def id(self) -> str:
        """What it is called in every run, whatever its seed: its rule, and a hash of its place."""
        return f"{self.rule}-{hashlib.sha256(self.key[1].encode()).hexdigest()[:6]}"

    @property
    def at_once(self) -> bool:
        """Whether it needs no second time: a history is its own proof, and so is an application's 500."""
        return self.together or RULES[self.rule].one_sighting_is_proof

    @property
    def side(self) -> str:
        """Who is to blame, as far as the answer tells."""
        last = self.exchanges[-1]
        value, announced = last.value(), last.got("content-type") or "no content-type"
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
        """That of its rule."""
        return RULES[self.rule].severity

    @property
    def size(self) -> tuple[int, int]:
        """Requests, then bytes: how long its example is."""
        return len(self.exchanges), sum(exchange.size for exchange in self.exchanges)


_POSITION = re.compile(r"/\d+(?=/|$)")
"""The number of an item in a list: which one it is depends on chance."""


@dataclass(frozen=True, slots=True)
class Breach:
    """An answer outside of what the sources allow."""

    rule: str
    title: str
    expected: str
    actual: str
    place: str = ""
    question: str | None = None
    """The open question whose first answer was taken back."""


def finding_of(breach: Breach, exchange: Exchange, shown: tuple[Exchange, ...]) -> Finding:
    """A breach as a finding about an exchange, with all that leads to it."""
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


__all__ = ["Breach", "Finding", "finding_of"]
