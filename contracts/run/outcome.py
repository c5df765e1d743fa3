"""What a run proves: its last event, made of a snapshot of all that is known by then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..core.baseline import with_states
from ..core.events import CrossChecked, Progress, RunFinished
from ..core.ledger import Ledger
from ..core.rules import RULES, Severity
from ..openapi.document import Document
from ..phases.requests import INGRESS, PUT
from .plan import Plan

_A_THIRD = 100 / 3
"""Percent of all requests that may meet interference unless the user says otherwise: a few restarts take that many."""
_SLOW = 0.5
"""Seconds of an answer from which on it is time that a run lacks: in the time of a check fifty of them fit."""
_LEAST_LOST = 3
"""Requests to one operation that have to be lost before their share says something."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a run knows at one moment; nothing changes it afterwards."""

    ledger: Ledger
    """A copy of its own."""
    prefix: str
    """Begins the names of the run."""
    run_id: str
    """Names the run in `traceparent`."""
    began: float
    """When the first contact was over, in seconds of the run's clock."""
    requests: int = 0
    """Requests that were sent."""
    served: Mapping[str, int] = field(default_factory=dict)
    """Operation → answers of 200."""
    interpretations: Mapping[str, str] = field(default_factory=dict)
    """Open question → the interpretation that the target takes."""
    interference: Mapping[str, int] = field(default_factory=dict)
    """Kind of interference → how often it was met."""
    sent: Mapping[str, int] = field(default_factory=dict)
    """Operation → requests that were sent to it."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """Operation → how many of them met interference."""
    usual: float = 0.0
    """Seconds that the first answers took in the middle."""
    not_offered: tuple[str, ...] = ()
    """Operations that the target does not have."""
    cross_check: CrossChecked = field(default_factory=CrossChecked)
    progress: Progress = field(default_factory=Progress)
    ended: str | None = None
    """What has cut the run short, in one sentence."""
    crash: str = ""
    """The traceback of a failure of the judge."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Says what one run proves, at its end or so far."""

    plan: Plan
    document: Document
    started: datetime
    """In UTC."""
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    """As `RunFinished.places`."""

    def finished(self, now: Snapshot, at: float) -> RunFinished:
        """Return the last event of a run that ends with this snapshot, `at` in seconds of its clock."""
        plan, ledger, before = self.plan, now.ledger, self.plan.before
        violations, warnings = tuple(ledger.violations), tuple(ledger.warnings)
        broken = {finding.rule for finding in (*violations, *warnings)}
        suspected = {
            rule: _with_flag(ledger.suspected[rule])
            for rule in self._wanted()
            if rule in ledger.suspected and rule not in broken
        }
        inconclusive = now.ended or self._too_little(now) or self._suspicious(suspected)
        tested = {
            rule: ledger.tested[rule]
            for rule in self._wanted()
            if ledger.tested[rule] and rule not in ledger.doubtful and rule not in suspected
        }
        finished = RunFinished(
            target=plan.target.base_url,
            document=self.document.name,
            digest=self.document.digest,
            seed=plan.seed,
            started=before.run.started if before else self.started.isoformat(timespec="seconds"),
            seconds=round(at - now.began + (before.run.seconds if before else 0), 1),
            requests=now.requests + (before.run.requests if before else 0),
            served={label: now.served.get(label, 0) for label in self.document.operations},
            violations=violations,
            warnings=warnings,
            interpretations=dict(sorted(now.interpretations.items())),
            not_verified=self._not_verified(ledger, broken, inconclusive or "no answer verified it"),
            tested=tested,
            interference=dict(now.interference),
            cross_check=now.cross_check,
            inconclusive=inconclusive,
            strict=plan.strict,
            secrets=dict(plan.target.secrets),
            negatives=dict(ledger.negatives),
            ingress=plan.target.ingress_url,
            keys=tuple((one.org, one.name) for one in plan.target.credentials),
            prefix=now.prefix,
            target_flags=plan.target.flags,
            run_id=now.run_id,
            baseline=with_states(
                plan.baseline,
                {finding.id for finding in (*violations, *warnings)},
                set(tested),
                self.started.date(),
            ),
            not_offered=now.not_offered,
            connection=plan.target.connection,
            min_verified=plan.min_verified,
            places=self.places,
            crash=now.crash,
            suspected=suspected,
        )
        if inconclusive is None and finished.verified < plan.min_verified:
            few = f"Too little was verified: {finished.verified:.0f} % of the rules, and {plan.min_verified:.0f} % was asked for"
            return replace(finished, inconclusive=f"{few}{self._hint(now)}.")
        return finished

    def _wanted(self) -> list[str]:
        """Return the codes of the rules that the run was to verify, in their order."""
        plan = self.plan
        asked = plan.only or (RULES.keys() if plan.expected else RULES.keys() - {"READ-2"})
        return [rule for rule in RULES if rule in asked]

    def _not_verified(self, ledger: Ledger, broken: Collection[str], why: str) -> dict[str, str]:
        """Return rule → why it was not verified: `why`, where the ledger knows no reason of its own."""
        reasons = {**ledger.masked, **ledger.doubtful, **ledger.suspected}
        return {
            rule: _with_flag(reasons.get(rule, why))
            for rule in self._wanted()
            if (rule in ledger.suspected or rule in ledger.doubtful or not ledger.tested[rule])
            and rule not in broken
        }

    def _suspicious(self, suspected: Mapping[str, str]) -> str | None:
        """Say that rules which make a run fail seemed to be broken, and could not be tried again; None where none did."""
        counting = [
            rule for rule in suspected if self.plan.strict or RULES[rule].severity is Severity.VIOLATION
        ]
        if not counting:
            return None
        return f"{', '.join(counting)} seemed to be broken, and that could not be shown again."

    def _too_much_interference(self, now: Snapshot) -> str | None:
        """Say that too many requests got no answer of the application, in all or of one operation."""
        before = self.plan.before
        lost, sent = sum(now.interference.values()), now.requests + (before.run.requests if before else 0)
        most = self.plan.max_interference
        if not lost:
            return None
        worst = max(now.interference, key=lambda kind: now.interference[kind])
        flag = f"; --max-interference allows {33 if most is None else most:g} %"
        if 100 * lost > sent * (_A_THIRD if most is None else most):
            return f"{lost} of {sent} requests met no answer of the application, most often: {worst}{flag}."
        for label, count in now.lost.items():
            asked = now.sent.get(label, 0)
            too_many = count >= asked if most is None else 100 * count > asked * most
            if too_many and count >= _LEAST_LOST and label in self.document.operations:
                return f"{count} of {asked} requests to {label} met no answer of the application{flag}."
        return None

    def _too_little(self, now: Snapshot) -> str | None:
        """Say in one sentence why a run without a finding proves too little; None when it proves something."""
        if why := self._too_much_interference(now):
            return why
        if self.plan.only:
            untested = sorted(rule for rule in self.plan.only if not now.ledger.tested[rule])
            return f"{', '.join(untested)} could not be verified." if untested else None
        accepted = ((PUT, "definition"), (INGRESS, "work"))
        for label, what in accepted[1:] if self.plan.declared else accepted:
            if not now.served.get(label):
                return f"Too little was verified: no {what} was accepted ({label} never answered 200){self._hint(now)}."
        return None

    def _hint(self, now: Snapshot) -> str:
        """Say what would let a run verify more: time where answers are slow, a variant where none can be put."""
        if now.usual > _SLOW:
            return (
                f"; answers take {now.usual:.1f} s, so that {self.plan.max_time:g} s were enough for {now.requests} requests: "
                "--max-time gives more"
            )
        if self.plan.limits.requests is not None:
            return f"; {self.plan.limits.requests} requests were allowed: --max-requests gives more"
        return ""


_FLAGS = {
    "the time was up": "--max-time gives more",
    "requests was used up": "--max-requests allows more",
    "writes was used up": "--max-writes allows more",
    "before the time is up": "--max-time gives more, and --rate sends more slowly",
    "no answer in time": "--timeout gives more",
    "the key may not put definitions": "--variant declares what exists",
}
"""End of a reason → the flag that helps."""


def _with_flag(why: str) -> str:
    """Return a reason with the flag that helps, where there is one."""
    flag = next((flag for end, flag in _FLAGS.items() if why.endswith(end)), None)
    return f"{why}; {flag}" if flag else why


__all__ = ["Outcome", "Snapshot"]
