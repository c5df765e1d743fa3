"""What a run proves: its last event, made of all that is known by then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ..checks.cross_check import CrossCheck
from ..core.baseline import with_states
from ..core.events import CrossChecked, RunFinished
from ..core.findings import Breach, finding_of
from ..core.rules import RULES
from ..oracle.judge import Judge
from ..phases.requests import INGRESS, PUT
from ..transport.client import Client
from .plan import Plan


@dataclass(frozen=True, slots=True)
class Outcome:
    """Says what one run proves, at its end or so far."""

    plan: Plan
    client: Client
    judge: Judge
    cross_check: CrossCheck
    started: datetime
    """In UTC."""

    def finished(self, seconds: float, prefix: str, ended: str | None) -> RunFinished:
        """The last event; `prefix` begins the names of the run, `ended` is what has cut it short, in one sentence."""
        plan, ledger, known = self.plan, self.judge.ledger, self.judge.context
        inconclusive = ended or self._too_little()
        asked = plan.only or (RULES.keys() if plan.expected else RULES.keys() - {"READ-2"})
        wanted = [rule for rule in RULES if rule in asked]
        why = inconclusive or "no answer put it to the test"
        cross_check = self.cross_check
        broken = {finding.rule for finding in (*ledger.violations, *ledger.warnings)}
        finished = RunFinished(
            target=plan.target.base_url,
            document=known.document.name,
            digest=known.document.digest,
            seed=plan.seed,
            started=plan.before.run.started if plan.before else self.started.isoformat(timespec="seconds"),
            seconds=round(seconds + (plan.before.run.seconds if plan.before else 0), 1),
            requests=self.client.requests + (plan.before.run.requests if plan.before else 0),
            served={label: self.judge.served.get(label, 0) for label in known.document.operations},
            violations=tuple(ledger.violations),
            warnings=tuple(ledger.warnings),
            interpretations=dict(sorted(known.learned.interpretations.items())),
            not_verified={
                rule: ledger.doubtful.get(rule) or ledger.masked.get(rule, why)
                for rule in wanted
                if (rule in ledger.doubtful or not ledger.tested[rule]) and rule not in broken
            },
            tested={
                rule: ledger.tested[rule]
                for rule in wanted
                if ledger.tested[rule] and rule not in ledger.doubtful
            },
            interference=dict(list(self.client.interference.items())),
            cross_check=CrossChecked(cross_check.asked, cross_check.answers, tuple(cross_check.differences)),
            inconclusive=inconclusive,
            strict=plan.strict,
            secrets=dict(plan.target.secrets),
            negatives=dict(ledger.negatives),
            ingress=plan.target.ingress_url,
            keys=tuple((one.org, one.name) for one in plan.target.credentials),
            prefix=prefix,
            run_id=self.client.trace,
            baseline=with_states(
                plan.baseline,
                {finding.id for finding in (*ledger.violations, *ledger.warnings)},
                {rule for rule in wanted if ledger.tested[rule] and rule not in ledger.doubtful},
                self.started.date(),
            ),
            not_offered=self._not_offered(),
            connection=plan.target.connection,
            min_verified=plan.min_verified,
        )
        if inconclusive is None and finished.verified < plan.min_verified:
            few = f"Too little was verified: {finished.verified:.0f} % of the rules, and {plan.min_verified:.0f} % was asked for."
            return replace(finished, inconclusive=few)
        return finished

    def _too_little(self) -> str | None:
        """Why a run without a finding proves too little, in one sentence."""
        lost, sent = sum(self.client.interference.values()), self.client.requests
        if lost > sent / 3:
            worst = max(self.client.interference, key=lambda reason: self.client.interference[reason])
            return f"{lost} of {sent} requests met no answer of the application, most often: {worst}."
        if self.plan.only:
            untested = sorted(rule for rule in self.plan.only if not self.judge.ledger.tested[rule])
            return f"{', '.join(untested)} could not be put to the test." if untested else None
        served = ((PUT, "definition"), (INGRESS, "work"))
        for label, what in served[1:] if self.judge.context.declared else served:
            if not self.judge.served.get(label):
                return f"Too little was verified: no {what} was accepted ({label} never answered 200)."
        return None

    def _not_offered(self) -> tuple[str, ...]:
        known = self.judge.context
        published = [
            label
            for label in known.document.operations
            if label in known.learned.asked - known.learned.routed
        ]
        return (*published, *sorted(known.learned.not_offered))

    def compare_interpretations(self) -> None:
        """An interpretation that is lawful, and another one than somebody counts on, is a warning."""
        for question, expected in self.plan.expected.items():
            taken = self.judge.context.learned.interpretations.get(question)
            shown = self.judge.provenance.first(question)
            if taken is None or not shown:
                continue
            self.judge.ledger.tested["READ-2"] += 1
            if taken != expected:
                title = f"{question[0].upper()}{question[1:]}: {taken}, and {expected} was expected"
                self.judge.ledger.add(
                    [finding_of(Breach("READ-2", title, expected, taken, question), shown[-1], shown)],
                    confirmed=True,
                )


__all__ = ["Outcome"]
