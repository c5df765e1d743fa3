"""What happens in a run, as frozen values in the past tense. Reports listen; the engine prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .baseline import Known
from .findings import Finding
from .target import Way


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The document is read and the target is about to be contacted."""

    target: str
    document: str
    digest: str
    seed: int
    max_time: float


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """The run turned to its next part."""

    title: str


@dataclass(frozen=True, slots=True)
class Advanced:
    """Some time has gone by."""

    seconds: float
    requests: int
    violations: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Found:
    """A rule was broken in a way that was not seen before."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class CrossChecked:
    """What openapi-core was asked."""

    asked: int = 0
    answers: int = 0
    """Documented answers, of which it saw `asked`."""
    differences: tuple[str, ...] = ()
    """Where the two validators differ: faults of ours, never of the deployment."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Everything that a report needs."""

    target: str
    document: str
    digest: str
    seed: int
    started: str
    """UTC, RFC 3339."""
    seconds: float
    requests: int
    served: dict[str, int]
    """Operation → answers of 200."""
    violations: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    interpretations: dict[str, str]
    not_verified: dict[str, str]
    """Rule → why it was not put to the test."""
    tested: dict[str, int]
    """Rule → times it was."""
    interference: dict[str, int]
    """What was in the way → how often."""
    cross_check: CrossChecked
    inconclusive: str | None
    """Why the run proves nothing, in one sentence; None when it proves something."""
    strict: bool
    negatives: dict[tuple[str, str, str], str]
    """Operation, place and keyword that a body can break → `confirmed`, `masked`, `accepted` or `not tried`."""
    secrets: dict[str, str] = field(repr=False)
    """Key → the shell expression that stands for it."""
    ingress: str = ""
    """Where ingress is; empty where it is at `target`."""
    keys: tuple[tuple[str, str], ...] = ()
    """Organisation and name of the variable of each key."""
    prefix: str = ""
    """Begins the variants and aliases of the run."""
    run: str = ""
    """What names this run in the tags of its actions, and in `traceparent`."""
    known: tuple[Known, ...] = ()
    """What the baseline excuses, and what it excuses no more or in vain."""
    not_offered: tuple[str, ...] = ()
    """Operations that the target does not have."""
    way: Way = field(default_factory=Way)
    min_verified: float = 0.0
    """Percent of the rules that have to be put to the test before a run can be green."""

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 violations (with `--strict` warnings too) beyond the baseline, 3 inconclusive."""
        if any(finding.id not in self.excused for finding in self.counted):
            return 1
        return 3 if self.inconclusive else 0

    @property
    def verified(self) -> float:
        """Percent of the rules that were put to the test, of those that were asked for."""
        broken = {finding.rule for finding in (*self.violations, *self.warnings)}
        put = len(self.tested.keys() | broken)
        asked = len(self.tested.keys() | broken | self.not_verified.keys())
        return round(100 * put / asked, 1) if asked else 0.0

    @property
    def counted(self) -> tuple[Finding, ...]:
        """Findings that are of weight, if no baseline excuses them."""
        return (*self.violations, *(self.warnings if self.strict else ()))

    @property
    def excused(self) -> frozenset[str]:
        """Ids of findings that the baseline excuses today."""
        return frozenset(one.id for one in self.known if one.state == "excused")


@dataclass(frozen=True, slots=True)
class Kept:
    """What there is so far, from which the run can be told, and gone on with, if it ends here."""

    run: RunFinished
    progress: Progress


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, beside what it has found."""

    done: tuple[str, ...] = ()
    """Titles of the constructed sequences that are over."""
    rounds: int = 0
    """Rounds of random sequences and generated requests that were begun."""
    interpretations: dict[str, str] = field(default_factory=dict)
    """Open question → the answer that is to be kept."""
    masked: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)


Event = RunStarted | PhaseStarted | Advanced | Found | Kept | RunFinished
Listener = Callable[[Event], None]

__all__ = [
    "Advanced",
    "CrossChecked",
    "Event",
    "Found",
    "Kept",
    "Listener",
    "PhaseStarted",
    "Progress",
    "RunFinished",
    "RunStarted",
]
