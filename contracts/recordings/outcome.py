"""What recorded traffic shows, in the form in which a run ends, so that every report can print it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from ..core.baseline import BaselineEntry, with_states
from ..core.events import CrossChecked, RunFinished
from ..core.exchange import Exchange
from ..core.findings import Finding, Key
from ..core.ledger import Ledger
from ..core.rules import RULES, Evidence
from ..core.target import Credential, Target
from ..openapi.document import Document
from .deployments import KeyNames, RecordedDeployment, RecordedExchange
from .losses import rules_needing

_NEEDS_A_RUN: Final = "one recorded exchange cannot tell it; a run against the deployment can"


_NO_ANSWERS: Final = "Nothing was judged: the archive has kept the body of no answer, or hidden it, in {} exchanges. Record with bodies."


@dataclass(frozen=True, slots=True)
class Example:
    """One finding about one exchange."""

    deployment: RecordedDeployment
    exchange: RecordedExchange
    finding: Finding


@dataclass(slots=True)
class Tally:
    """What was found so far, and what was not."""

    entries: int
    """How many entries the archives have."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Why entries are not judged → how many."""
    judged: int = 0
    """How many exchanges were judged."""
    often: Counter[Key] = field(default_factory=Counter)
    """Key of a finding → how many exchanges show it."""
    shortest: dict[Key, Example] = field(default_factory=dict)
    """Key of a finding → its shortest example."""
    tested: Counter[str] = field(default_factory=Counter)
    """Code of a rule → how many exchanges could have broken it."""
    left_open: dict[str, Counter[str]] = field(default_factory=dict)
    """Code of a rule → why it was not applied → to how many exchanges that could have broken it."""

    def note(self, deployment: RecordedDeployment, one: RecordedExchange, finding: Finding) -> None:
        """Count a finding, and keep it if it has the shortest example."""
        self.often[finding.key] += 1
        known = self.shortest.get(finding.key)
        if known is None or finding.size < known.finding.size:
            self.shortest[finding.key] = Example(deployment, one, finding)


@dataclass(frozen=True, slots=True)
class RecordingOutcome:
    """Says what a few archives show."""

    document: Document
    given: Credential | None
    """The key whose answers are judged."""
    bases: Sequence[str]
    """Base URLs that were given."""
    strict: bool
    names: KeyNames
    """Names of the keys that are shown."""
    baseline: tuple[BaselineEntry, ...] = ()
    min_verified: float = 0.0
    """Percent of the rules that must be verified before the recording proves something."""

    def finished(
        self, tally: Tally, deployments: Sequence[RecordedDeployment], started: datetime
    ) -> RunFinished:
        """Return what the archives show as the last event of a run."""
        violations, warnings = self._findings(tally)
        secrets = {} if self.given is None else dict(Target("", "", self.given).secrets)
        for finding in (*violations, *warnings):
            secrets |= self.names.secrets_in(finding.exchanges[-1])
        broken = {finding.rule for finding in (*violations, *warnings)}
        served = Counter(
            str(one.entry.exchange.operation)
            for deployment in deployments
            for one in deployment.exchanges
            if one.entry.exchange.status == 200
        )
        target, ingress = self._base_urls(deployments)
        finished = RunFinished(
            target=target,
            document=self.document.name,
            digest=self.document.digest,
            seed=0,
            started=started.isoformat(timespec="seconds"),
            seconds=round((datetime.now(UTC) - started).total_seconds(), 1),
            requests=tally.judged,
            served={label: served[label] for label in self.document.operations},
            violations=violations,
            warnings=warnings,
            interpretations={},
            not_verified={
                rule: _why_not_verified(rule, tally)
                for rule in RULES
                if rule not in tally.tested and rule not in broken
            },
            tested={rule: tally.tested[rule] for rule in RULES if tally.tested[rule]},
            interference=dict(tally.passed_over.most_common()) | _losses(deployments),
            cross_check=CrossChecked(not_done="recorded answers are judged by our validator alone"),
            inconclusive=self._inconclusive(tally),
            strict=self.strict,
            negatives={},
            secrets=secrets,
            ingress=ingress,
            keys=() if self.given is None else ((self.given.org, self.given.name),),
            baseline=with_states(
                self.baseline,
                {finding.id for finding in (*violations, *warnings)},
                set(tally.tested),
                started.date(),
            ),
            min_verified=self.min_verified,
        )
        if finished.inconclusive is None and finished.verified < self.min_verified:
            few = (
                f"Too little was verified: {finished.verified:.0f} % of the rules,"
                f" and {self.min_verified:.0f} % was asked for."
            )
            return replace(finished, inconclusive=few)
        return finished

    def _findings(self, tally: Tally) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """The violations and the warnings: each with its shortest example, and the entry that this is from."""
        ledger = Ledger()
        sources: dict[int, tuple[Exchange, str, int]] = {}  # by identity, which the exchange keeps in use
        for example in tally.shortest.values():
            worded = example.deployment.worded(example.exchange, example.finding)
            shown, count = worded.exchanges[-1], tally.often[example.finding.key]
            sources[id(shown)] = shown, example.exchange.entry.name, count
            ledger.add([worded])

        def with_source(finding: Finding) -> Finding:
            _, source, count = sources[id(finding.exchanges[-1])]
            more = f" and {count - 1} more" if count > 1 else ""
            return replace(finding, title=f"{finding.title} ({source}{more})")

        return tuple(map(with_source, ledger.violations)), tuple(map(with_source, ledger.warnings))

    def _base_urls(self, deployments: Sequence[RecordedDeployment]) -> tuple[str, str]:
        """The base URLs of most that was judged: of the control plane, and of ingress."""
        if self.bases:
            return self.bases[0], self.bases[-1]
        counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for deployment in deployments:
            for one in deployment.exchanges:
                is_control_plane = (one.entry.exchange.path or "").startswith("/v1/orgs/")
                counts[is_control_plane][deployment.base] += 1
        both = [counts[is_control_plane].most_common(1) for is_control_plane in (True, False)]
        named = [found[0][0] for found in both if found]
        return (named[0], named[-1]) if named else ("a recording", "a recording")

    def _inconclusive(self, tally: Tally) -> str | None:
        """Why nothing is proved, in one sentence; None when something is."""
        if tally.tested:
            return None if self._has_judged_an_answer(tally) else _NO_ANSWERS.format(tally.judged)
        reasons = ", ".join(f"{count} {why}" for why, count in tally.passed_over.most_common())
        entries = f"{tally.entries} {'entry' if tally.entries == 1 else 'entries'}"
        if reasons:
            entries += f" ({reasons})"
        return f"No exchange with an operation of {self.document.name} could be judged: {entries}."

    def _has_judged_an_answer(self, tally: Tally) -> bool:
        """Whether the body of some answer was judged, or something was found without one."""
        return bool(tally.often) or bool(tally.tested.keys() & rules_needing(Evidence.ANSWER_BODY))


def _why_not_verified(rule: str, tally: Tally) -> str:
    """The most frequent reason for which a rule was not applied."""
    reasons = tally.left_open.get(rule)
    if not reasons:
        return _NEEDS_A_RUN if not RULES[rule].recorded else "no recorded answer verified it"
    (why, count), *_ = reasons.most_common(1)
    return f"{why} ({count} of {reasons.total()})" if len(reasons) > 1 else why


def _losses(deployments: Sequence[RecordedDeployment]) -> dict[str, int]:
    """Count the losses: what was lost → of how many exchanges."""
    counts: Counter[str] = Counter()
    for deployment in deployments:
        for one in deployment.exchanges:
            counts.update(loss.value for loss in sorted(one.entry.losses))
    return dict(counts.most_common())


__all__ = ["RecordingOutcome", "Tally"]
