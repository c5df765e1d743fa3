"""What a run proves: its last event, made of a snapshot of all that is known by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..core.baseline import with_states
from ..core.events import CrossChecked, Progress, RunFinished
from ..core.ledger import Ledger
from ..core.rules import RULES
from ..openapi.document import Document
from ..phases.requests import INGRESS, PUT
from .plan import Plan


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
        inconclusive = now.ended or self._too_little(now)
        violations, warnings = tuple(ledger.violations), tuple(ledger.warnings)
        tested = {
            rule: ledger.tested[rule]
            for rule in self._wanted()
            if ledger.tested[rule] and rule not in ledger.doubtful
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
            not_verified=self._not_verified(ledger, inconclusive or "no answer verified it"),
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
        )
        if inconclusive is None and finished.verified < plan.min_verified:
            few = f"Too little was verified: {finished.verified:.0f} % of the rules, and {plan.min_verified:.0f} % was asked for."
            return replace(finished, inconclusive=few)
        return finished

    def _wanted(self) -> list[str]:
        """Return the codes of the rules that the run was to verify, in their order."""
        plan = self.plan
        asked = plan.only or (RULES.keys() if plan.expected else RULES.keys() - {"READ-2"})
        return [rule for rule in RULES if rule in asked]

    def _not_verified(self, ledger: Ledger, why: str) -> dict[str, str]:
        """Return rule → why it was not verified: `why`, where the ledger knows no reason of its own."""
        broken = {finding.rule for finding in (*ledger.violations, *ledger.warnings)}
        return {
            rule: ledger.doubtful.get(rule) or ledger.masked.get(rule, why)
            for rule in self._wanted()
            if (rule in ledger.doubtful or not ledger.tested[rule]) and rule not in broken
        }

    def _too_little(self, now: Snapshot) -> str | None:
        """Say in one sentence why a run without a finding proves too little; None when it proves something."""
        lost, sent = sum(now.interference.values()), now.requests
        if lost > sent / 3:
            worst = max(now.interference, key=lambda kind: now.interference[kind])
            return f"{lost} of {sent} requests met no answer of the application, most often: {worst}."
        if self.plan.only:
            untested = sorted(rule for rule in self.plan.only if not now.ledger.tested[rule])
            return f"{', '.join(untested)} could not be verified." if untested else None
        accepted = ((PUT, "definition"), (INGRESS, "work"))
        for label, what in accepted[1:] if self.plan.declared else accepted:
            if not now.served.get(label):
                return f"Too little was verified: no {what} was accepted ({label} never answered 200)."
        return None


__all__ = ["Outcome", "Snapshot"]
