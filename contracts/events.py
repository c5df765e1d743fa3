"""What happens in a run, as frozen values in the past tense. Reports listen; the engine prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .failures import Finding


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
class SecondOpinions:
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
    readings: dict[str, str]
    not_verified: dict[str, str]
    """Rule → why it was not put to the test."""
    tested: dict[str, int]
    """Rule → times it was."""
    weather: dict[str, int]
    """What was in the way → how often."""
    opinions: SecondOpinions
    inconclusive: str | None
    """Why the run proves nothing, in one sentence; None when it proves something."""
    strict: bool
    negatives: dict[tuple[str, str, str], str]
    """Operation, place and keyword that a body can break → `proven`, `masked`, `accepted` or `not tried`."""
    secrets: dict[str, str] = field(repr=False)
    """Key → the shell expression that stands for it."""

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 violations (with `--strict` warnings too), 3 inconclusive."""
        if self.violations or (self.strict and self.warnings):
            return 1
        return 3 if self.inconclusive else 0


Event = RunStarted | PhaseStarted | Advanced | Found | RunFinished
Listener = Callable[[Event], None]

__all__ = [
    "Advanced",
    "Event",
    "Found",
    "Listener",
    "PhaseStarted",
    "RunFinished",
    "RunStarted",
    "SecondOpinions",
]
