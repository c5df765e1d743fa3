"""The ledger: each distinct finding of a run once, with its smallest example, and how often each rule was verified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .exchange import redacted_line
from .findings import Finding, Key
from .rules import RULES, Severity


@dataclass(slots=True)
class Ledger:
    """All findings of a run, and how often each rule was verified."""

    only: frozenset[str] = frozenset()
    """Codes of the rules whose findings are kept; empty: all rules."""
    sought: frozenset[str] = frozenset()
    """Ids of the findings that are looked for; empty: any finding of each rule in `only`."""
    on_new: Callable[[Finding], None] = lambda _: None
    """Called with each distinct finding once, when it is confirmed."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Key → what stands for it in the words of a finding."""
    tested: Counter[str] = field(default_factory=Counter)
    """Code of a rule → times the deployment could have broken it."""
    masked: dict[str, str] = field(default_factory=dict)
    """Code of a rule → why a sequence could not verify it; of no account where another one could."""
    doubtful: dict[str, str] = field(default_factory=dict)
    """Code of a rule → why the run says nothing of it, although it was verified."""
    suspected: dict[str, str] = field(default_factory=dict)
    """Code of a rule that seemed to be broken → how, and why that could not be shown again."""
    negatives: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Operation, place and keyword that a body can break → `confirmed`, `masked`, `accepted` or `not attempted`."""
    sightings: Counter[Key] = field(default_factory=Counter)
    """Key of a finding → how often it was seen."""
    unconfirmed: dict[Key, None] = field(default_factory=dict)
    """Keys of findings that are not confirmed yet, in the order of their first sighting."""
    _findings: dict[Key, Finding] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding], *, confirmed: bool = False) -> None:
        """Keep findings that are new, and examples that are smaller than the one that was kept.

        `confirmed`: the findings were shown a second time, or do not need it.
        """
        for each in findings:
            if not self.wants(each.rule):
                continue
            finding = self._for_print(each)
            self.sightings[finding.key] += 1
            earlier = self._findings.get(finding.key)
            if earlier is None:
                self._findings[finding.key] = finding
                self.unconfirmed[finding.key] = None
            if confirmed or finding.needs_no_confirmation or finding.needs_sequence:
                self.confirm(finding.key)
            if earlier is None:
                continue
            smaller = (finding.concurrent, finding.size) < (earlier.concurrent, earlier.size)
            if smaller:
                self._findings[finding.key] = finding

    def confirm(self, key: Key) -> None:
        """Take a finding for confirmed, and report it if it was not."""
        if key in self.unconfirmed:
            del self.unconfirmed[key]
            finding = self._findings[key]
            if not self.is_explained(finding.rule):
                self.on_new(finding)

    def suspect(self, finding: Finding, why: str) -> None:
        """Write down that a rule seems to be broken, and why that could not be shown again."""
        self.suspected[finding.rule] = f"{self._for_print(finding).sentence}; {why}"

    def drop(self, key: Key, why: str, *, tried: bool = True) -> None:
        """Remove a finding that was not confirmed: its rule is doubtful, unless another finding breaks it.

        `tried`: the finding was tried again; otherwise its rule stays suspected.
        """
        finding = self._findings.pop(key)
        self.unconfirmed.pop(key, None)
        if finding.rule in {key[0] for key in self._findings}:
            return
        if tried:
            self.doubtful[finding.rule] = why
        else:
            self.suspect(finding, why)

    def replace_example(self, finding: Finding) -> None:
        """Replace a finding by the same one with another example, even if that is longer."""
        printed = self._for_print(finding)
        self._findings[printed.key] = printed

    def clear(self) -> None:
        """Forget all findings and verifications, as what answered was not the application."""
        self._findings.clear()
        self.unconfirmed.clear()
        self.tested.clear()
        self.masked.clear()

    def wants(self, rule: str) -> bool:
        """Tell whether findings of a rule are kept."""
        return not self.only or rule in self.only

    def is_explained(self, rule: str) -> bool:
        """Tell whether another broken rule is reason enough for this one to be broken."""
        broken = {key[0] for key in list(self._findings)}
        return bool(RULES[rule].explained_by & broken)

    def finding(self, key: Key) -> Finding:
        """Return the finding of a key, with its best example.

        Raises:
            KeyError: there is none.
        """
        return self._findings[key]

    def copy(self) -> Ledger:
        """Return a ledger with the same findings and counts, which is left alone when this one changes."""
        return Ledger(
            self.only,
            self.sought,
            secrets=self.secrets,
            tested=Counter(self.tested),
            masked=dict(self.masked),
            doubtful=dict(self.doubtful),
            suspected=dict(self.suspected),
            negatives=dict(self.negatives),
            sightings=Counter(self.sightings),
            unconfirmed=dict(self.unconfirmed),
            _findings=dict(self._findings),
        )

    def all(self) -> list[Finding]:
        """Return every finding, in the order of their first sightings."""
        return list(self._findings.values())

    def of_severity(self, severity: Severity) -> list[Finding]:
        """Return the findings of a severity that no other one explains, in the order of the rules."""
        order = list(RULES)
        found = [
            finding
            for finding in self.all()
            if finding.severity is severity and not self.is_explained(finding.rule)
        ]
        return sorted(
            found, key=lambda finding: (order.index(finding.rule), finding.operation, finding.place)
        )

    @property
    def violations(self) -> list[Finding]:
        """What a source forbids."""
        return self.of_severity(Severity.VIOLATION)

    @property
    def warnings(self) -> list[Finding]:
        """What is policy, or one of several interpretations."""
        return self.of_severity(Severity.WARNING)

    @property
    def all_found(self) -> bool:
        """Whether all that is sought was found and confirmed, so that nothing is left to look for."""
        if not self.only:
            return False
        # a copy: the thread of the run may add findings while another one asks
        confirmed = [one for key, one in list(self._findings.items()) if key not in self.unconfirmed]
        if self.sought:
            return self.sought <= {one.id for one in confirmed}
        return self.only <= {one.rule for one in confirmed}

    def _for_print(self, finding: Finding) -> Finding:
        """Shorten the words of a finding to one line each, without keys, whatever the target answered."""
        return replace(
            finding,
            title=redacted_line(finding.title, self.secrets),
            fault=redacted_line(finding.what_was_wrong, self.secrets),
            expected=redacted_line(finding.expected, self.secrets),
            actual=redacted_line(finding.actual, self.secrets),
        )


__all__ = ["Ledger"]
