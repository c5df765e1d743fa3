"""Judges recorded traffic by the rules on single exchanges; nothing is contacted.

A rule is applied to an exchange only if the recording kept all that the rule looks at: what was lost breaks no rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from arklow_local.formats.excerpts import excerpt

from ..checks.answers import is_of_a_negative_version
from ..checks.context import CheckContext
from ..core.baseline import BaselineEntry
from ..core.events import RunFinished
from ..core.target import Credential, Target
from ..openapi.document import Document
from ..openapi.schemas import DocumentSchemas
from .deployments import (
    NO_CREDENTIAL,
    KeyNames,
    RecordedDeployment,
    RecordedTarget,
    is_of_a_gateway,
    place_of,
    shows_arklow,
    without_default_port,
)
from .har import Entry
from .masking import UnwordedContext
from .outcome import RecordingOutcome, Tally

_ELSEWHERE: Final = "of another host or path"
_UNSIGNED: Final = "of {}, which shows no sign of Arklow (name it with --base-url to judge it)"
_PROGRESS: Final = 100
"""Exchanges from one call of the progress to the next: a tenth of a second of work."""


class RecordingJudge:
    """Judges the entries of archives by one document."""

    def __init__(
        self,
        document: Document,
        *,
        bases: Collection[str] = (),
        credential: Credential | None = None,
        strict: bool = False,
        baseline: tuple[BaselineEntry, ...] = (),
        min_verified: float = 0.0,
    ) -> None:
        self._document = document
        self._schemas = DocumentSchemas(document.content)
        self._bases = [without_default_port(base) for base in bases]
        """Base URLs of the deployment; where there are none, every host is looked at."""
        self._given = credential
        self._strict = strict
        self._baseline = baseline
        self._min_verified = min_verified

    def judge(
        self, archives: Sequence[Sequence[Entry]], progress: Callable[[int, int], None] = lambda *_: None
    ) -> RunFinished:
        """Judge all entries of all archives together, in the order of their times.

        `progress` is told now and then how many exchanges are judged, and of how many.
        """
        started = datetime.now(UTC)
        entries = [entry for archive in archives for entry in archive]
        tally = Tally(len(entries))
        by_base = self._by_base(sorted(entries, key=lambda one: one.exchange.at), tally)
        names = KeyNames(self._given)
        deployments = [
            RecordedDeployment(base, self._context(base), group, self._given, names)
            for base, group in by_base.items()
        ]
        count = sum(len(one.exchanges) for one in deployments)
        for deployment in deployments:
            _judge(deployment, tally, lambda judged: progress(judged, count))
        outcome = RecordingOutcome(
            *(self._document, self._given, self._bases, self._strict, names),
            *(self._baseline, self._min_verified),
        )
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
        return {base: group for base, group in by_base.items() if self._is_arklow(base, group, tally)}

    def _is_arklow(self, base: str, entries: Sequence[Entry], tally: Tally) -> bool:
        """Whether a base URL was given, or shows a sign of Arklow; one that does not is counted as left out."""
        if self._bases or any(shows_arklow(entry.exchange) for entry in entries):
            return True
        tally.passed_over[_UNSIGNED.format(excerpt(base, 200))] += len(entries)
        return False

    def _context(self, base: str) -> CheckContext:
        secrets = {} if self._given is None else Target("", "", self._given).secrets
        target = RecordedTarget(base, base, self._given or NO_CREDENTIAL, hidden=secrets)
        return UnwordedContext(self._document, self._schemas, target)


def _judge(deployment: RecordedDeployment, tally: Tally, progress: Callable[[int], None]) -> None:
    """Apply to each exchange of a deployment the rules for which all was kept."""
    for one in deployment.exchanges:
        left_open = deployment.rules_left_open(one)
        tested: Counter[str] = Counter()
        for finding in deployment.findings(one, deployment.context, tested):
            if finding.rule not in left_open and not is_of_a_negative_version(finding):
                tally.note(deployment, one, finding)
        for rule in tested:
            if rule in left_open:
                tally.left_open.setdefault(rule, Counter())[left_open[rule]] += 1
            else:
                tally.tested[rule] += tested[rule]
        tally.judged += 1
        if tally.judged % _PROGRESS == 0:
            progress(tally.judged)


__all__ = ["RecordingJudge"]
