"""What a rule is: the value that holds all that the judge knows of one, so that every other module asks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RELEASE: Final = "0.1"
"""The current release: the first two numbers of the project's version."""


class Severity(StrEnum):
    """How much a broken rule weighs."""

    VIOLATION = "violation"
    """A published page, a documented behaviour or an RFC forbids what the deployment did."""
    WARNING = "warning"
    """Policy, or one of several interpretations; `--strict` makes it count."""


class Phase(StrEnum):
    """A part of a run in which a rule may turn out to be broken."""

    EVERY_EXCHANGE = "every exchange"
    """Any exchange of any part may break the rule, so a run for this rule alone leaves out nothing."""
    CONSTRUCTED = "constructed sequences"
    """The scenarios that name the rule."""
    RANDOM_WALKS = "random walks"
    """Random sequences of ordinary calls, compared with the reference model."""
    GENERATED = "generated requests"
    """Requests that Schemathesis makes of the document's schemas."""
    CONCURRENT = "concurrent calls"
    """Scenarios in which many clients call at the same moment."""
    OUTCOME = "the outcome of the run"
    """What the whole run has shown, compared with what was expected of it."""


class Verifier(StrEnum):
    """A package whose code creates findings of a rule, or counts how often it was verified.

    The scenarios of `Phase.CONSTRUCTED` come on top.
    """

    CHECKS = "checks"
    MODEL = "model"
    ORACLE = "oracle"
    PHASES = "phases"
    RUN = "run"


class Evidence(StrEnum):
    """What a recording must have kept of an exchange, or must tell of it, before a rule can be judged."""

    STATUS = "the status of the answer"
    """Every recording has it."""
    REQUEST_BODY = "the body of the request"
    REQUEST_BYTES = "the body of the request, provably whole"
    REQUEST_CONTENT = "the body of the request and its media type, with nothing redacted"
    KEYS = "which keys the request carried"
    GOOD_KEY = "that the key was a good one, before and after"
    SERVICE = "whether the request was served"
    CAUSE = "what the request was refused for"
    ENVELOPE = "that the refusal is the application's own"
    ANSWER_HEADERS = "the headers of the answer"
    ANSWER_MEDIA_TYPE = "the media type of the answer"
    ANSWER_BODY = "the body of the answer"
    ANSWER_BYTES = "the body of the answer, provably whole"
    ANSWER_VALUES = "the values in the answer, with nothing redacted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """How a generated test asserts that a rule is kept."""

    expression: str
    """Python over the functions of `reports.generated_test_runtime`: a sentence while the rule is broken, else empty.

    `reports.generated_assertions` fills in the fields in braces from the finding."""
    repeats: int | None = None
    """How often the requests are sent; None: as often as it took to find the breach."""
    patient: bool = False
    """The last request is sent again while it is refused with anything but 409."""
    about_fresh: bool = False
    """The rule is about what was just created: the test does not wait before a request that was refused."""
    needs_others: bool = False
    """The rule is about what follows others, so the test creates a definition with an action before its requests."""

    @property
    def compares_answers(self) -> bool:
        """Whether all answers are compared with those of the finding, as no single answer shows the breach."""
        return "WAS" in self.expression

    @property
    def judges_content(self) -> bool:
        """Whether it looks into an answer, so that one of another kind of status says nothing of it."""
        return _ABOUT_STATUS.match(self.expression) is None

    @property
    def needs_keys(self) -> bool:
        """Whether the expression looks for every key of the run."""
        return "WORDS" in self.expression


_ABOUT_STATUS: Final = re.compile(r"served|refused|has_status|fails|same_as_before|slow|\{")
"""Expressions that ask for the status of answers, or for the time that they took."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request, or what is done with a few, and the answer that breaks the rule."""

    request: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One statement about a deployment, under a code that does not change."""

    code: str
    weight: Severity
    title: str
    """What holds, as a sentence without its full stop."""
    source: str
    """The pages, documented behaviours (B…, C…, Q… of `spec/sources.md`) and RFCs it comes from, with commas between."""
    phases: frozenset[Phase]
    """Where in a run a breach may show."""
    verifiers: frozenset[Verifier] = frozenset()
    """Packages that verify it; empty where the scenarios alone do."""
    remedy: str
    """What the owner of a deployment that breaks the rule should do, as one sentence."""
    example: Example
    assertion: Assertion
    recorded: frozenset[Evidence] = frozenset()
    """What a recording must have kept to show a breach; empty where it takes live calls."""
    since: str = ""
    """The release that brought the rule, if that is not the first."""
    one_sighting_is_proof: bool = False
    """A finding counts without a second attempt."""
    checked_elsewhere: bool = False
    """A finding counts only after an ordinary request has shown that the same key is still accepted elsewhere."""
    harmless: bool = False
    """A breach leaves no doubt about what was asked and answered, so the model still learns from the exchange."""
    needs_control_actions: bool = False
    """Another client that settles actions makes the rule look broken: a replay creates control actions, and the
    finding is excused where these vanish too."""
    not_replayable: str | None = None
    """Why a replay of its exchanges cannot show a finding; None where it can."""
    explained_by: frozenset[str] = frozenset()
    """Codes of rules of which each, when broken, breaks this one too: a finding then says nothing new."""

    @property
    def severity(self) -> Severity:
        """Its weight; a warning in the release that brought it, so that no gate closes by an update of the judge."""
        return Severity.WARNING if self.since == RELEASE else self.weight

    @property
    def may_show_anywhere(self) -> bool:
        """Whether every part of a run may show a breach."""
        return bool(self.phases & {Phase.EVERY_EXCHANGE, Phase.OUTCOME})

    @property
    def concerns_keys(self) -> bool:
        """Whether it is a rule of the family AUTH: a refusal of the key is then no reason to doubt the key."""
        return self.code.startswith("AUTH-")

    def may_show_in(self, phase: Phase) -> bool:
        """Tell whether a part of a run may show a breach."""
        return phase in self.phases or self.may_show_anywhere


__all__ = [
    "RELEASE",
    "Assertion",
    "Evidence",
    "Example",
    "Phase",
    "Rule",
    "Severity",
    "Verifier",
]
