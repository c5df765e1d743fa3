"""What the judge found: findings, and the ledger that keeps each distinct one once, with its smallest example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .exchange import Exchange
from .rules import RULES, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule, at one operation, with the exchanges that show it, the last one last."""

    rule: str
    operation: str
    """Such as `POST /v1/modack`."""
    title: str
    """One sentence without its full stop: what broke."""
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...]
    place: str = ""
    """Where in the request or answer; two findings that differ elsewhere only are one."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a finding distinct."""
        return self.rule, self.operation, self.place

    @property
    def severity(self) -> Severity:
        """That of its rule."""
        return RULES[self.rule].severity

    @property
    def size(self) -> tuple[int, int]:
        """Requests, then bytes: how long its example is."""
        return len(self.exchanges), sum(exchange.size for exchange in self.exchanges)


@dataclass(slots=True)
class Ledger:
    """All findings of a run, and how often each rule was put to the test."""

    only: frozenset[str] = frozenset()
    """If not empty, the rules that are listened to."""
    tested: Counter[str] = field(default_factory=Counter)
    """Rule → times the deployment could have broken it."""
    masked: dict[str, str] = field(default_factory=dict)
    """Rule → why it could not be tested; of no account when it was tested elsewhere."""
    doubtful: dict[str, str] = field(default_factory=dict)
    """Rule → why nothing can be said of it, although it was tested."""
    _kept: dict[tuple[str, str, str], Finding] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep what is new, or shorter than what was kept."""
        for finding in findings:
            if self.only and finding.rule not in self.only:
                continue
            kept = self._kept.get(finding.key)
            if kept is None or finding.size < kept.size:
                self._kept[finding.key] = finding

    def clear(self) -> None:
        """Forget everything: what it was said of was not the application."""
        self._kept.clear()
        self.tested.clear()
        self.masked.clear()

    def of(self, severity: Severity) -> list[Finding]:
        """The findings of that weight, in the order of the rules."""
        order = list(RULES)
        found = [finding for finding in list(self._kept.values()) if finding.severity is severity]
        return sorted(
            found, key=lambda finding: (order.index(finding.rule), finding.operation, finding.place)
        )

    @property
    def violations(self) -> list[Finding]:
        """What a source forbids."""
        return self.of(Severity.VIOLATION)

    @property
    def warnings(self) -> list[Finding]:
        """What is policy, or one of several readings."""
        return self.of(Severity.WARNING)

    @property
    def settled(self) -> bool:
        """Whether every rule that was asked for has spoken, so that nothing is left to look for."""
        return bool(self.only) and self.only <= {rule for rule, _, _ in list(self._kept)}


__all__ = ["Finding", "Ledger"]
