"""Judges recorded traffic by the rules on single exchanges; nothing is contacted.

A rule is applied to an exchange only if the recording kept all that the rule looks at: what was lost breaks no rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from ..checks import run_checks, secrecy
from ..checks.answers import is_of_a_negative_version
from ..checks.context import CheckContext
from ..core.events import RunFinished
from ..core.target import Credential, Target
from ..openapi.document import Document
from ..openapi.schemas import DocumentSchemas
from .deployments import (
    NO_CREDENTIAL,
    RecordedDeployment,
    RecordedTarget,
    is_of_a_gateway,
    place_of,
    without_default_port,
)
from .har import Entry
from .outcome import RecordingOutcome, Tally

_ELSEWHERE: Final = "of another host or path"


class RecordingJudge:
    """Judges the entries of archives by one document."""

    def __init__(
        self,
        document: Document,
        *,
        bases: Collection[str] = (),
        credential: Credential | None = None,
        strict: bool = False,
    ) -> None:
        self._document = document
        self._schemas = DocumentSchemas(document.content)
        self._bases = [without_default_port(base) for base in bases]
        """Base URLs of the deployment; where there are none, every host is looked at."""
        self._given = credential
        self._strict = strict

    def judge(self, archives: Sequence[Sequence[Entry]]) -> RunFinished:
        """Judge all entries of all archives together, in the order of their times."""
        started = datetime.now(UTC)
        entries = [entry for archive in archives for entry in archive]
        tally = Tally(len(entries))
        by_base = self._by_base(sorted(entries, key=lambda one: one.exchange.at), tally)
        secrets = self._named_secrets(entry for group in by_base.values() for entry in group)
        deployments = [
            RecordedDeployment(base, self._context(base, secrets), group, self._given)
            for base, group in by_base.items()
        ]
        for deployment in deployments:
            _judge(deployment, tally)
        outcome = RecordingOutcome(self._document, self._given, self._bases, self._strict, secrets)
        return outcome.finished(tally, deployments, started)

    def _by_base(self, entries: Iterable[Entry], tally: Tally) -> dict[str, list[Entry]]:
        """Sort the entries that can be judged by their base URL; count the others by what is wrong with them."""
        by_base: dict[str, list[Entry]] = {}
        for entry in entries:
            exchange = entry.exchange
            found = place_of(exchange, self._document, self._bases)
            if found is None:
                tally.passed_over[_ELSEWHERE] += 1
                continue
            base, path = found
            label = f"{exchange.method} {path}"
            operation = label if label in self._document.operations else None
            located = replace(exchange, operation=operation, path=path)
            if entry.not_judged or is_of_a_gateway(located):
                tally.passed_over[entry.not_judged or f"{exchange.status}"] += 1
                continue
            by_base.setdefault(base, []).append(replace(entry, exchange=located))
        return by_base

    def _named_secrets(self, entries: Iterable[Entry]) -> dict[str, str]:
        """Give every secret of the entries a name: secret → shell variable; a key that was given keeps its own."""
        secrets = {} if self._given is None else dict(Target("", "", self._given).secrets)
        count = 0
        for entry in entries:
            for value in entry.secrets:
                if value not in secrets:
                    count += 1
                    credential = Credential(value, "", f"KEY_{count}")
                    secrets[value] = f"${credential.name}"
                    for form, shown in credential.encodings.items():
                        secrets.setdefault(form, shown)
        return secrets

    def _context(self, base: str, secrets: dict[str, str]) -> CheckContext:
        target = RecordedTarget(base, base, self._given or NO_CREDENTIAL, hidden=secrets)
        return CheckContext(self._document, self._schemas, target)


def _judge(deployment: RecordedDeployment, tally: Tally) -> None:
    """Apply to each exchange of a deployment the rules for which all was kept."""
    served_keys = deployment.context_of_served_keys
    for one in deployment.exchanges:
        left_open = deployment.rules_left_open(one)
        tested: Counter[str] = Counter()
        for finding in (
            *run_checks(one.facts, deployment.context, tested),
            *secrecy.shown_keys(one.facts.exchange, served_keys),
        ):
            if finding.rule not in left_open and not is_of_a_negative_version(finding):
                tally.found.append((one, finding))
        for rule in tested:
            if rule in left_open:
                tally.left_open.setdefault(rule, Counter())[left_open[rule]] += 1
            else:
                tally.tested[rule] += tested[rule]
        tally.judged += 1


__all__ = ["RecordingJudge"]
