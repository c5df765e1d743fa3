"""What happens in a run, as frozen values in the past tense. Reports listen to them; the engine prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .baseline import BaselineEntry
from .findings import Finding
from .target import ConnectionOptions


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The document was read, and the target is about to be contacted."""

    target: str
    """The base URL of the control plane."""
    document: str
    digest: str
    """SHA-256 of the document, in hexadecimal digits."""
    seed: int
    max_time: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """The run turned to its next part."""

    title: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run sends nothing for a while that a person notices."""

    seconds: float
    why: str
    """What it waits for, as a phrase that `waits 42 s for` begins: `a lease to run out`."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """Some time has passed; with what there is so far."""

    seconds: float
    requests: int
    violations: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that is new was confirmed."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class CrossChecked:
    """What openapi-core said of the answers, beside our own validator."""

    asked: int = 0
    """Answers that it was asked about."""
    answers: int = 0
    """Documented answers of the run."""
    differences: tuple[str, ...] = ()
    """Where the two validators differ: defects of ours, never of the deployment."""
    not_done: str = ""
    """Why it was asked about none; empty if it was asked."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """All that a report needs."""

    target: str
    """The base URL of the control plane."""
    document: str
    digest: str
    """SHA-256 of the document, in hexadecimal digits."""
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
    """Open question → the answer that the deployment gave."""
    not_verified: dict[str, str]
    """Code of a rule → why it was not verified."""
    tested: dict[str, int]
    """Code of a rule that was verified → how often."""
    interference: dict[str, int]
    """What was in the way → how often."""
    cross_check: CrossChecked
    inconclusive: str | None
    """Why the run proves nothing, in one sentence; None when it proves something."""
    strict: bool
    """Warnings count too."""
    negatives: dict[tuple[str, str, str], str]
    """Operation, place and keyword that a body can break → `confirmed`, `masked`, `accepted` or `not attempted`."""
    secrets: dict[str, str] = field(repr=False)
    """Key → the shell expression that stands for it."""
    ingress: str = ""
    """The base URL of ingress; empty where it is `target`."""
    keys: tuple[tuple[str, str], ...] = ()
    """Organisation and name of the variable, for each key."""
    prefix: str = ""
    """What the variants and aliases of the run begin with."""
    target_flags: tuple[str, ...] = ()
    """How a command line names the target; no secret stands in them."""
    report_dir: str = ""
    """The directory of its reports, as the command line named it; empty where none are written."""
    run_id: str = ""
    """What names this run in the tags of its actions, and in `traceparent`; empty for recorded traffic."""
    baseline: tuple[BaselineEntry, ...] = ()
    """The baseline, with the state of each entry after the run."""
    not_offered: tuple[str, ...] = ()
    """Operations that the target does not have."""
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    min_verified: float = 0.0
    """Percent of the rules that must be verified before a run can be green."""
    crash: str = field(default="", repr=False)
    """The traceback of a failure of the judge; empty where it did not fail."""
    places: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False)
    """Label of an operation, or path template, or empty for the whole → file of the user's repository that says something of
    it, from the root of the repository, and the line; empty where the document is no file of it."""
    suspected: dict[str, str] = field(default_factory=dict)
    """Code of a rule that seemed to be broken, and of which the run could not find out whether it is → why not. They are among
    `not_verified` too."""

    @property
    def exit_code(self) -> int:
        """The exit code: 0 conforms, 1 violations (with `strict` warnings too) beyond the baseline, 3 inconclusive."""
        if any(finding.id not in self.excused_ids for finding in self.counting):
            return 1
        return 3 if self.inconclusive else 0

    @property
    def verified(self) -> float:
        """Percent of the wanted rules that were verified or broken, to one digit after the point."""
        broken = {finding.rule for finding in (*self.violations, *self.warnings)}
        verified = self.tested.keys() | broken
        wanted = verified | self.not_verified.keys()
        return round(100 * len(verified) / len(wanted), 1) if wanted else 0.0

    @property
    def lost(self) -> float:
        """Percent of the requests that got no answer of the application, to one digit after the point."""
        return round(100 * sum(self.interference.values()) / self.requests, 1) if self.requests else 0.0

    @property
    def counting(self) -> tuple[Finding, ...]:
        """The findings that make the run fail unless the baseline excuses them: violations, then with `strict` warnings."""
        return (*self.violations, *(self.warnings if self.strict else ()))

    @property
    def excused_ids(self) -> frozenset[str]:
        """Ids of the findings that the baseline excuses on the day of the run."""
        return frozenset(one.id for one in self.baseline if one.state == "excused")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, beside what it has found."""

    done: tuple[str, ...] = ()
    """Titles of the constructed sequences that are over."""
    rounds: int = 0
    """Rounds of random sequences and generated requests that were begun."""
    interpretations: dict[str, str] = field(default_factory=dict)
    """Open question → the answer that the deployment has to keep."""
    masked: dict[str, str] = field(default_factory=dict)
    """As `Ledger.masked`."""
    doubtful: dict[str, str] = field(default_factory=dict)
    """As `Ledger.doubtful`."""
    suspected: dict[str, str] = field(default_factory=dict)
    """As `Ledger.suspected`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What there is so far: enough to report the run, and to resume it, if it ends here."""

    run: RunFinished
    progress: Progress


Event = RunStarted | PhaseStarted | Waiting | Advanced | Found | Checkpoint | RunFinished
Listener = Callable[[Event], None]

__all__ = [
    "Advanced",
    "Checkpoint",
    "CrossChecked",
    "Event",
    "Found",
    "Listener",
    "PhaseStarted",
    "Progress",
    "RunFinished",
    "RunStarted",
    "Waiting",
]
