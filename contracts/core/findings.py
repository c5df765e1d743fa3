"""What the judge found: breaches, as checks and the model report them, and findings, which add the exchanges that show one.

The ledger is a module of its own: it decides which findings a run keeps.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlsplit

from .exchange import Exchange
from .rules import RULES, Severity

Key = tuple[str, str, str]
"""The code of a rule, an operation, and what was wrong."""
Evidence = Literal["confirmed", "seen once, which is proof", "not confirmed"]
ID_DIGITS: Final = 8
"""Hexadecimal digits of an id: among a hundred findings two share one once in a million reports."""


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
    """Where in the request or the answer."""
    question: str | None = None
    """The open question whose first answer was taken back."""
    fault: str = ""
    """What was wrong, in words that are the same in each run; empty where the title is."""
    beside: str = ""
    """The id of an action that the breach rests on beside its own; empty where there is none."""


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
    """Where in the request or the answer."""
    question: str | None = None
    """The open question whose first answer was taken back."""
    fault: str = ""
    """What was wrong, in words that are the same in each run; empty where the title is."""
    together: int = 0
    """How many of the last exchanges were under way at the same moment; those before them came one after the other."""
    needs_sequence: bool = False
    """Only the sequence that looked for it can show it; a replay of its exchanges alone cannot."""
    times: int = 1
    """How often the exchanges have to be sent until it shows: more than once where it is a matter of chance or count."""
    confirmed: int = 0
    """How many attempts to show it again, under fresh names, succeeded."""
    attempts: int = 0
    """How many attempts to show it again were made."""

    @property
    def key(self) -> Key:
        """What makes a finding distinct: rule, operation, and what was wrong where, without positions in lists."""
        place = _POSITION.sub("/*", self.place)
        return self.rule, self.operation, f"{place}: {self.what_was_wrong}" if place else self.what_was_wrong

    @property
    def what_was_wrong(self) -> str:
        """What was wrong, in words that are the same in each run."""
        return self.fault or _VARYING.sub("…", self.title)

    @property
    def id(self) -> str:
        """Its name in every run, whatever the seed: the code of its rule, and eight hexadecimal digits for the rest of the key."""
        rest = hashlib.sha256(json.dumps(self.key[1:]).encode()).hexdigest()
        return f"{self.rule}-{rest[:ID_DIGITS]}"

    @property
    def concurrent(self) -> bool:
        """Whether exchanges were under way at the same moment."""
        return self.together > 0

    @property
    def needs_no_confirmation(self) -> bool:
        """Whether one sighting is enough: a history of concurrent calls is proof, and so is an application's 500."""
        return self.concurrent or RULES[self.rule].one_sighting_is_proof

    @property
    def evidence(self) -> Evidence:
        """What the finding rests on."""
        if self.confirmed:
            return "confirmed"
        return "seen once, which is proof" if self.needs_no_confirmation else "not confirmed"

    @property
    def responsible(self) -> str:
        """Which part of the deployment gave the last answer, as far as the answer tells."""
        last = self.exchanges[-1]
        announced = last.answer_header("content-type") or "no content-type"
        if last.is_envelope:
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
_VARYING = re.compile(r"\d+|\"[^\"]*\"|'[^']*'")
"""Numbers and quoted values in a title, which differ from run to run."""
_NAME = re.compile(r"(?<=/)contract[.-][^/]*")
"""A variant of a run in a path that fits no template."""


def finding_of(breach: Breach, exchange: Exchange, shown: tuple[Exchange, ...]) -> Finding:
    """Return a breach at the operation of `exchange` as a finding that `shown` leads to."""
    return Finding(
        breach.rule,
        exchange.operation or f"{exchange.method} {exchange.path or _path_without_names(exchange.url)}",
        breach.title,
        breach.expected,
        breach.actual,
        shown,
        breach.place,
        breach.question,
        breach.fault,
    )


def _path_without_names(url: str) -> str:
    """Return the path of a URL, with `{variant}` for each name of a run, so that it is the same in each."""
    return _NAME.sub("{variant}", urlsplit(url).path)


def concurrent_finding(breach: Breach, operation: str, history: tuple[Exchange, ...]) -> Finding:
    """Return a breach at `operation` as a finding that the history of concurrent calls proves by itself."""
    finding = finding_of(breach, history[-1], history)
    return replace(finding, operation=operation, together=len(history))


__all__ = ["ID_DIGITS", "Breach", "Finding", "Key", "concurrent_finding", "finding_of"]
