"""Judges traffic that others have recorded, by the rules on single exchanges; nothing is contacted.

A rule is applied to an exchange only if the recording kept all that the rule looks at: what was lost accuses nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ..checks import run_checks, secrecy
from ..checks.answers import is_of_a_negative_version
from ..checks.context import CheckContext
from ..checks.facts import derive_facts
from ..core.events import CrossChecked, RunFinished
from ..core.exchange import INTERFERENCE, Exchange
from ..core.findings import Finding
from ..core.ledger import Ledger
from ..core.rules import RULES, Evidence
from ..core.target import Credential, Target
from ..openapi.document import Document, Operation
from ..openapi.schemas import DocumentSchemas
from .har import (
    Entry,
    Loss,
    is_key,
    is_secret,
)
from .losses import _EVIDENCE, _NOBODY, _Place, _Seen, rules_needing

_ELSEWHERE: Final = "of another host or path"
_LIVE: Final = "one recorded exchange cannot tell it; a run against the deployment can"


class Recorded:
    """The judge of a few archives."""

    def __init__(
        self,
        document: Document,
        *,
        bases: Collection[str] = (),
        credential: Credential | None = None,
        strict: bool = False,
    ) -> None:
        self._document = document
        self._shapes = DocumentSchemas(document.content)
        self._bases = [_told(base) for base in bases]
        self._given = credential
        self._strict = strict
        self._places: dict[str, _Place] = {}
        self._secrets: dict[str, str] = {}
        self._void: Counter[str] = Counter()
        self._untold: dict[str, Counter[str]] = {}
        self._sources: dict[int, Entry] = {}
        self._found: list[tuple[_Place, int, Finding]] = []
        self._judged = 0
        self._tested: Counter[str] = Counter()

    def judge(self, archives: Sequence[Sequence[Entry]]) -> RunFinished:
        """What all entries show together; the order is that of their times."""
        started = datetime.now(UTC)
        entries = [entry for archive in archives for entry in archive]
        for entry in sorted(entries, key=lambda one: one.exchange.at):
            self._sort_in(entry)
        self._hide(entry for place in self._places.values() for entry in place.entries)
        for place in self._places.values():
            self._learn(place)
            for number, entry in enumerate(place.entries):
                self._see(place, number, entry)
        return self._finished(archives, started)

    # What is there

    def _hide(self, entries: Iterable[Entry]) -> None:
        """Name every secret of what may be shown, the keys that were given by their own names."""
        given = self._given
        if given is not None:
            self._secrets.update(Target("", "", given).secrets)
        count = 0
        for entry in entries:
            for value in entry.hidden:
                if value not in self._secrets:
                    count += 1
                    one = Credential(value, "", f"KEY_{count}")
                    self._secrets[value] = f"${one.name}"
                    for form, shown in one.encodings.items():
                        self._secrets.setdefault(form, shown)

    def _sort_in(self, entry: Entry) -> None:
        exchange = entry.exchange
        found = self._place_of(exchange)
        if found is None:
            self._void[_ELSEWHERE] += 1
            return
        base, path = found
        label = f"{exchange.method} {path}"
        located = replace(
            exchange, operation=label if label in self._document.operations else None, path=path
        )
        if entry.void or self._of_a_gateway(located):
            self._void[entry.void or f"{exchange.status}"] += 1
            return
        if base not in self._places:
            first = self._given or _NOBODY
            known = CheckContext(self._document, self._shapes, _Seen(base, base, first, hidden=self._secrets))
            self._places[base] = _Place(base, known, known)
        place = self._places[base]
        place.entries.append(replace(entry, exchange=located))
        place.facts.append(derive_facts(located, place.known))

    def _place_of(self, exchange: Exchange) -> tuple[str, str] | None:
        """The base URL and the path template of an exchange; None when the document has no such path."""
        try:
            parts = urlsplit(exchange.url)
        except ValueError:
            return None
        if self._bases:
            for base in sorted(self._bases, key=len, reverse=True):
                _, path = self._document.locate(exchange.method, exchange.url, [base])
                if path is not None and exchange.url.startswith(f"{base}/"):
                    return base, path
            return None
        segments = parts.path.strip("/").split("/")
        lengths = {len(one.path.strip("/").split("/")) for one in self._document.operations.values()}
        for length in sorted(lengths, reverse=True):
            path = self._document.path_of("/".join(segments[-length:]))
            if path is not None and parts.netloc and parts.scheme in ("http", "https"):
                before = "/".join(("", *segments[:-length]))
                return urlunsplit((parts.scheme, parts.netloc, before.rstrip("/"), "", "")), path
        return None

    @staticmethod
    def _of_a_gateway(exchange: Exchange) -> bool:
        """Whether it is the word of a gateway or a limit, as a run would take it, or a redirect to another host."""
        if exchange.status in INTERFERENCE:
            return True
        if not 300 <= exchange.status < 400:
            return False
        try:
            here, there = urlsplit(exchange.url), urlsplit(exchange.got("location") or "")
        except ValueError:
            return True
        return bool(there.netloc) and (there.scheme, there.netloc) != (here.scheme, here.netloc)

    def _learn(self, place: _Place) -> None:
        """What all entries together tell, before each is judged."""
        known = place.known
        for number, (entry, facts) in enumerate(zip(place.entries, place.facts, strict=True)):
            exchange, names = entry.exchange, place.kept.setdefault(entry.file, set())
            operation = facts.operation
            keys = {
                name.lower(): value
                for name, value in exchange.headers
                if name.lower() in self._document.key_headers
            }
            names.update(name for name, value in keys.items() if is_key(value))
            if operation is None:
                continue
            if exchange.status not in (404, 405, 501):
                known.learned.note_routed(operation.label)
            if Loss.ANSWER in entry.losses or not facts.accepted:
                continue
            for value in keys.values():
                if is_key(value):
                    place.served.setdefault(value, []).append(number)
            data = facts.data
            version = data.get("version")
            if operation.control_plane and isinstance(version, int) and version < 0:
                known.learned.note_negative_version(str(data.get("id")), str(data.get("variant")))
        served = tuple(
            Credential(key, "", self._secrets.get(key, "$KEY").removeprefix("$"))
            for key in list(place.served)[:_MANY]
            if key != known.target.first.key
        )
        seen = _Seen(place.base, place.base, _NOBODY, hidden=self._secrets, served=served)
        place.echoes = replace(known, target=seen)

    # What each shows

    def _see(self, place: _Place, number: int, entry: Entry) -> None:
        facts = place.facts[number]
        untold = self._not_to_be_told(place, number, entry)
        tested: Counter[str] = Counter()
        exchange = facts.exchange
        for finding in (
            *run_checks(facts, place.known, tested),
            *secrecy.shown_keys(exchange, place.echoes),
        ):
            if finding.rule not in untold and not is_of_a_negative_version(finding):
                self._found.append((place, number, finding))
        for rule in tested:
            if rule in untold:
                self._untold.setdefault(rule, Counter())[untold[rule]] += 1
            else:
                self._tested[rule] += tested[rule]
        self._judged += 1

    def _not_to_be_told(self, place: _Place, number: int, entry: Entry) -> dict[str, str]:
        """Rule → why it is not applied to an exchange."""
        exchange, losses = entry.exchange, entry.losses
        facts = place.facts[number]
        operation = facts.operation
        untold: dict[str, str] = {}

        def without(rules: Iterable[str], why: str) -> None:
            for rule in rules:
                untold.setdefault(rule, why)

        for loss in losses:
            without(rules_needing(_EVIDENCE[loss]), loss.value)
        if Loss.ANSWER in losses and operation is not None and operation.control_plane:
            without(rules_needing(Evidence.SERVICE), Loss.ANSWER.value)
        if Loss.BODY in losses and exchange.status in (411, 413):
            without(rules_needing(Evidence.CAUSE), Loss.BODY.value)
        if Loss.SENT_MEDIA in losses and exchange.status == 415:
            without(rules_needing(Evidence.CAUSE), Loss.SENT_MEDIA.value)
        if Loss.SENT_HEADERS in losses and exchange.status not in (400, 401, 404, 409, 422):
            without(rules_needing(Evidence.CAUSE), Loss.SENT_HEADERS.value)
        if not facts.enveloped:
            without(rules_needing(Evidence.ENVELOPE), "the refusal is not the application's envelope")
        without(*self._keys_untold(place, number, entry, operation))
        return untold

    def _keys_untold(
        self, place: _Place, number: int, entry: Entry, operation: Operation | None
    ) -> tuple[Iterable[str], str]:
        """The rules on keys that cannot be told, and why."""
        exchange = entry.exchange
        if operation is None or not operation.key_headers:
            return (), ""
        shown = {
            name.lower(): value
            for name, value in exchange.headers
            if name.lower() in self._document.key_headers or name.lower() in ("cookie", "proxy-authorization")
        }
        given = "" if self._given is None else self._given.key
        missing = set(operation.key_headers) - shown.keys()
        if missing - place.kept[entry.file]:
            return rules_needing(Evidence.KEYS), "the recording may have left out keys, as browsers do"
        if any(not value or value != given for value in shown.values()):
            return rules_needing(Evidence.KEYS), "whether a key is a good one is not known"
        if shown:
            served = place.served.get(given, [])
            if not (served and served[0] < number < served[-1]):
                return rules_needing(Evidence.GOOD_KEY), "the key was not served both before and after"
        return (), ""

    # What comes of it

    def _finished(self, archives: Sequence[Sequence[Entry]], started: datetime) -> RunFinished:
        ledger = Ledger(secrets=self._secrets)
        often: Counter[tuple[str, str]] = Counter()
        shortest: dict[tuple[object, ...], tuple[_Place, int, Finding]] = {}
        for place, number, finding in self._found:
            often[finding.key] += 1
            kept = shortest.setdefault((*finding.key, finding.operation), (place, number, finding))
            if finding.size < kept[2].size:
                shortest[(*finding.key, finding.operation)] = (place, number, finding)
        for place, number, finding in shortest.values():
            shown = self._without_secrets(finding.exchanges[-1])
            self._sources[id(shown)] = place.entries[number]
            ledger.add([replace(finding, exchanges=(shown,))])
        violations = tuple(self._from_where(one, often) for one in ledger.violations)
        warnings = tuple(self._from_where(one, often) for one in ledger.warnings)
        broken = {finding.rule for finding in (*violations, *warnings)}
        served = Counter(
            str(entry.exchange.operation)
            for place in self._places.values()
            for entry in place.entries
            if entry.exchange.status == 200
        )
        target, ingress = self._where()
        total = sum(map(len, archives))
        return RunFinished(
            target=target,
            document=self._document.name,
            digest=self._document.digest,
            seed=0,
            started=started.isoformat(timespec="seconds"),
            seconds=round((datetime.now(UTC) - started).total_seconds(), 1),
            requests=self._judged,
            served={label: served[label] for label in self._document.operations},
            violations=violations,
            warnings=warnings,
            interpretations={},
            not_verified={
                rule: self._why(rule) for rule in RULES if rule not in self._tested and rule not in broken
            },
            tested={rule: self._tested[rule] for rule in RULES if self._tested[rule]},
            interference=dict(self._void.most_common()) | self._counts(),
            cross_check=CrossChecked(),
            inconclusive=self._nothing(total),
            strict=self._strict,
            negatives={},
            secrets=dict(self._secrets),
            ingress=ingress,
            keys=() if self._given is None else ((self._given.org, self._given.name),),
        )

    def _from_where(self, finding: Finding, often: Mapping[tuple[str, str], int]) -> Finding:
        """A finding that says which entry it is from."""
        entry = self._sources[id(finding.exchanges[-1])]
        count = often[finding.key] - 1
        more = f" and {count} more" if count else ""
        return replace(finding, title=f"{finding.title} ({entry.name}{more})")

    def _without_secrets(self, exchange: Exchange) -> Exchange:
        """An exchange whose answer names its secrets; those of the request are named where it is shown."""
        headers = tuple(
            (name, self._secrets.get(value, value) if is_secret(name) else value)
            for name, value in exchange.answer_headers
        )
        return replace(exchange, answer_headers=headers)

    def _where(self) -> tuple[str, str]:
        """Base URLs of most that was judged: of the control plane, and of ingress."""
        if self._bases:
            return self._bases[0], self._bases[-1]
        counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for place in self._places.values():
            for entry in place.entries:
                control = (entry.exchange.path or "").startswith("/v1/orgs/")
                counts[control][place.base] += 1
        both = [counts[control].most_common(1) for control in (True, False)]
        named = [found[0][0] for found in both if found]
        return (named[0], named[-1]) if named else ("a recording", "a recording")

    def _why(self, rule: str) -> str:
        reasons = self._untold.get(rule)
        if not reasons:
            return _LIVE if not RULES[rule].recorded else "no recorded answer put it to the test"
        (why, count), *_ = reasons.most_common(1)
        return f"{why} ({count} of {reasons.total()})" if len(reasons) > 1 else why

    def _counts(self) -> dict[str, int]:
        """Why rules were not applied → to how many exchanges."""
        counts: Counter[str] = Counter()
        for place in self._places.values():
            for entry in place.entries:
                counts.update(loss.value for loss in entry.losses)
        return dict(counts.most_common())

    def _nothing(self, total: int) -> str | None:
        """Why nothing is proved, in one sentence; None when something is."""
        if self._tested:
            return None
        said = ", ".join(f"{count} {why}" for why, count in self._void.most_common())
        of = f"{total} {'entry' if total == 1 else 'entries'}" + (f" ({said})" if said else "")
        return f"No exchange with an operation of {self._document.name} could be judged: {of}."


_MANY: Final = 20
"""Keys that are looked for in answers."""


def _told(base: str) -> str:
    """A base URL as archives have it, without the port that goes without saying."""
    parts = urlsplit(base)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    netloc = parts.netloc.rpartition(":")[0] if parts.port == usual else parts.netloc
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


__all__ = ["Recorded"]
