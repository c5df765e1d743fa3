"""The ledger: each distinct finding of a run once, with its smallest example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .exchange import shown
from .findings import Finding
from .rules import RULES, Severity


@dataclass(slots=True)
class Ledger:
    """All findings of a run, and how often each rule was put to the test."""

    only: frozenset[str] = frozenset()
    """If not empty, the rules that are listened to."""
    heard: Callable[[Finding], None] = lambda _: None
    """Told of every finding that is new."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Key → what stands for it in the words of a finding."""
    tested: Counter[str] = field(default_factory=Counter)
    """Rule → times the deployment could have broken it."""
    masked: dict[str, str] = field(default_factory=dict)
    """Rule → why it could not be tested; of no account when it was tested elsewhere."""
    doubtful: dict[str, str] = field(default_factory=dict)
    """Rule → why nothing can be said of it, although it was tested."""
    negatives: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Operation, place and keyword that a body can break → `confirmed`, `masked`, `accepted` or `not tried`."""
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Key of a finding → how often it was made."""
    unconfirmed: dict[tuple[str, str], None] = field(default_factory=dict)
    """Keys of findings that were not shown a second time yet."""
    _kept: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding], *, confirmed: bool = False) -> None:
        """Keep what is new, or shorter than what was kept; what is not its own proof has to be shown again."""
        for finding in findings:
            if not self.wanted(finding.rule):
                continue
            self.seen[finding.key] += 1
            kept = self._kept.get(finding.key)
            if kept is None:
                self._kept[finding.key] = self._told(finding)
                self.unconfirmed[finding.key] = None
            if confirmed or finding.at_once or finding.staged:
                self.confirm(finding.key)
            if kept is None:
                continue
            shorter = (finding.together, finding.size) < (kept.together, kept.size)
            best = self._told(finding) if shorter else kept
            others = {kept.operation, finding.operation, *kept.also, *finding.also} - {best.operation}
            self._kept[finding.key] = replace(best, also=tuple(sorted(others)))

    def confirm(self, key: tuple[str, str]) -> None:
        """A finding was shown again, or needs no second time."""
        if key in self.unconfirmed:
            del self.unconfirmed[key]
            finding = self._kept[key]
            if not self.explains(finding.rule):
                self.heard(finding)

    def drop(self, key: tuple[str, str], why: str) -> None:
        """A finding does not stand: nothing can be said of its rule."""
        finding = self._kept.pop(key)
        self.unconfirmed.pop(key, None)
        if finding.rule not in {rule for rule, _ in self._kept}:
            self.doubtful[finding.rule] = why

    def of_key(self, key: tuple[str, str]) -> Finding:
        """The finding that is kept under a key."""
        return self._kept[key]

    def wanted(self, rule: str) -> bool:
        """Whether a rule is listened to."""
        return not self.only or rule in self.only

    def explains(self, rule: str) -> bool:
        """Whether another broken rule is reason enough for this one."""
        broken = {one for one, _ in list(self._kept)}
        return bool(RULES[rule].explained_by & broken)

    def clear(self) -> None:
        """Forget everything: what it was said of was not the application."""
        self._kept.clear()
        self.unconfirmed.clear()
        self.tested.clear()
        self.masked.clear()

    def put(self, finding: Finding) -> None:
        """Replace a finding by one with a better example."""
        kept = self._kept.get(finding.key, finding)
        others = {kept.operation, *kept.also} - {finding.operation}
        self._kept[finding.key] = replace(self._told(finding), also=tuple(sorted(others)))

    def _told(self, finding: Finding) -> Finding:
        """A finding in words that are few and hold no key, whatever the target has answered."""
        return replace(
            finding,
            title=shown(finding.title, self.secrets),
            expected=shown(finding.expected, self.secrets),
            actual=shown(finding.actual, self.secrets),
        )

    def all(self) -> list[Finding]:
        """Every finding, in the order in which they were made."""
        return list(self._kept.values())

    def of(self, severity: Severity) -> list[Finding]:
        """The findings of that weight, in the order of the rules."""
        order = list(RULES)
        found = [
            finding
            for finding in self.all()
            if finding.severity is severity and not self.explains(finding.rule)
        ]
        return sorted(
            found, key=lambda finding: (order.index(finding.rule), finding.operation, finding.place)
        )

    @property
    def violations(self) -> list[Finding]:
        """What a source forbids."""
        return self.of(Severity.VIOLATION)

    @property
    def warnings(self) -> list[Finding]:
        """What is policy, or one of several interpretations."""
        return self.of(Severity.WARNING)

    @property
    def settled(self) -> bool:
        """Whether every rule that was asked for has spoken, so that nothing is left to look for."""
        return bool(self.only) and self.only <= {
            key[0] for key in list(self._kept) if key not in self.unconfirmed
        }


__all__ = ["Ledger"]
