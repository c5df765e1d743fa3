"""What was recorded of one deployment: its exchanges, and what all of them together tell of its keys.

Exchanges are judged by base URL, as two base URLs may be two deployments: a key that one of them has served says
nothing of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ..checks import run_checks, secrecy
from ..checks.context import CheckContext
from ..checks.facts import Facts, derive_facts
from ..core.exchange import INTERFERENCE, Exchange
from ..core.findings import Finding
from ..core.rules import Evidence
from ..core.target import Credential, Target, is_of_the_service
from ..openapi.document import Document
from .har import Entry
from .losses import Loss, rules_left_open, rules_needing
from .masking import WordedContext, masked_exchange, recogniser_for
from .secrets import is_key, parts_of

NO_CREDENTIAL: Final = Credential("\ue000", "", "KEY")
"""Stands where no key is given: no header can have this one."""
_MOST_KEYS: Final = 20
"""Keys that are looked for in answers: each is looked for in many encodings."""
_KEY_HEADER: Final = "x-arklow-auth"
"""The header for keys that no other service has."""
_NO_ROUTE: Final = (404, 405, 501)
"""Statuses of an operation that a deployment does not have."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Scheme → the port that a URL of it need not name."""


@dataclass(frozen=True, slots=True)
class RecordedTarget(Target):
    """A deployment of which a recording shows keys."""

    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The key that was given, in every form → what stands for it."""
    served: tuple[Credential, ...] = ()
    """Keys that it has served, whichever organisations they belong to."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The key that was given, and those that were served."""
        return (self.first, *self.served)

    @property
    def secrets(self) -> Mapping[str, str]:
        """What is not to be shown → what stands for it."""
        return self.hidden


class KeyNames:
    """Names the keys of a recording as shell variables: the one that was given as it is called, others `KEY_1` and so on."""

    def __init__(self, given: Credential | None) -> None:
        self._names: dict[str, str] = {} if given is None else {given.key: given.name}
        self._count = 0

    def of(self, key: str) -> str:
        """Return the name of a key."""
        if key not in self._names:
            self._count += 1
            self._names[key] = f"KEY_{self._count}"
        return self._names[key]

    def secrets_in(self, exchange: Exchange) -> dict[str, str]:
        """Return the keys that are all of a header's value in an exchange, and that have a name: key → its variable."""
        values = {value for _, value in exchange.headers}
        return {key: f"${name}" for key, name in self._names.items() if key in values}


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """One exchange of a deployment."""

    entry: Entry
    facts: Facts
    number: int
    """Its place among the exchanges of its deployment, by time, counted from 0."""


class RecordedDeployment:
    """All that was recorded of one base URL."""

    def __init__(
        self,
        base: str,
        context: CheckContext,
        entries: Iterable[Entry],
        given: Credential | None,
        names: KeyNames,
    ) -> None:
        self.base = base
        self.context = context
        """What its exchanges are judged by; its words describe nothing."""
        self.exchanges: Sequence[RecordedExchange] = [
            RecordedExchange(entry, derive_facts(entry.exchange, context), number)
            for number, entry in enumerate(entries)
        ]
        self._given = None if given is None else given.key
        self._names = names
        self._kept_key_headers: dict[str, set[str]] = {}
        """File → the headers for keys that it has kept, at least once, as they were sent."""
        self._served: dict[str, list[int]] = {}
        """Key → numbers of the exchanges, in order, in which it was served."""
        for one in self.exchanges:
            self._learn(one)

    @cached_property
    def served_keys(self) -> tuple[Credential, ...]:
        """The keys that the recording shows to be served, beside the one that was given."""
        served = [key for key in self._served if key != self._given][:_MOST_KEYS]
        return tuple(Credential(key, "", self._names.of(key)) for key in served)

    def findings(
        self, one: RecordedExchange, context: CheckContext, tested: Counter[str]
    ) -> tuple[Finding, ...]:
        """Return what an exchange breaks, in the words of a context; count in `tested` what it could have broken."""
        target = RecordedTarget(
            self.base, self.base, NO_CREDENTIAL, hidden=context.target.secrets, served=self.served_keys
        )
        served = replace(context, target=target)
        return (*run_checks(one.facts, context, tested), *secrecy.shown_keys(one.facts.exchange, served))

    def worded(self, one: RecordedExchange, finding: Finding) -> Finding:
        """Return a finding as a report may show it: its words and its exchange without what is not known to be harmless."""
        keys = self._keys_of(one.entry.exchange)
        recogniser = recogniser_for(one.entry, keys)
        context = self.context
        worded = WordedContext(
            *(context.document, context.schemas, context.target, context.prefix, context.declared),
            *(context.learned, recogniser),
        )
        same = (other for other in self.findings(one, worded, Counter()) if other.key == finding.key)
        said = next(same, finding)
        return replace(
            said,
            title=recogniser.mask(said.title),
            expected=recogniser.mask(said.expected),
            place=recogniser.mask(said.place),
            exchanges=(masked_exchange(one.entry.exchange, recogniser, keys),),
        )

    def _keys_of(self, exchange: Exchange) -> dict[str, str]:
        """Return the keys that an exchange may show: each as it was sent → its variable."""
        sent = [
            value
            for name, value in exchange.headers
            if name.lower() in self.context.document.key_headers and is_key(value)
        ]
        served = [one.key for one in self.served_keys]
        given = [] if self._given is None else [self._given]
        keys = {part: f"${self._names.of(value)}" for value in sent for part in parts_of(value)}
        return keys | {key: f"${self._names.of(key)}" for key in (*sent, *served, *given)}

    def rules_left_open(self, one: RecordedExchange) -> dict[str, str]:
        """Return the rules that are not applied to an exchange: code → why."""
        left_open = rules_left_open(one.facts, one.entry.losses)
        rules, why = self._rules_on_keys_left_open(one)
        for rule in rules:
            left_open.setdefault(rule, why)
        return left_open

    def _learn(self, one: RecordedExchange) -> None:
        """Learn what an exchange tells of the operations and keys of the deployment."""
        exchange, facts, learned = one.entry.exchange, one.facts, self.context.learned
        keys = {
            name.lower(): value
            for name, value in exchange.headers
            if name.lower() in self.context.document.key_headers
        }
        kept = self._kept_key_headers.setdefault(one.entry.file, set())
        kept.update(name for name, value in keys.items() if is_key(value))
        if facts.operation is None:
            return
        if exchange.status not in _NO_ROUTE:
            learned.note_routed(facts.operation.label)
        if Loss.ANSWER in one.entry.losses or not facts.accepted:
            return
        for value in keys.values():
            if is_key(value):
                self._served.setdefault(value, []).append(one.number)
        version = facts.data.get("version")
        if facts.operation.control_plane and isinstance(version, int) and version < 0:
            learned.note_negative_version(str(facts.data.get("id")), str(facts.data.get("variant")))

    def _rules_on_keys_left_open(self, one: RecordedExchange) -> tuple[Collection[str], str]:
        """Return the codes of the rules on keys that cannot be judged, and why."""
        operation = one.facts.operation
        if operation is None or not operation.key_headers:
            return (), ""
        shown = {
            name.lower(): value
            for name, value in one.entry.exchange.headers
            if name.lower() in self.context.document.key_headers
            or name.lower() in ("cookie", "proxy-authorization")
        }
        missing = set(operation.key_headers) - shown.keys()
        if missing - self._kept_key_headers[one.entry.file]:
            return rules_needing(Evidence.KEYS), "the recording may have left out keys, as browsers do"
        if any(not value or value != self._given for value in shown.values()):
            return rules_needing(Evidence.KEYS), "whether a key is a good one is not known"
        if shown:
            served = self._served.get(self._given or "", [])
            if not (served and served[0] < one.number < served[-1]):
                return rules_needing(Evidence.GOOD_KEY), "the key was not served both before and after"
        return (), ""


def place_of(exchange: Exchange, document: Document, bases: Collection[str]) -> tuple[str, str] | None:
    """Return the pair of base URL and path template of an exchange; None when the document has no such path.

    Without `bases` every URL whose path ends as the document's do has a base URL of its own.
    """
    try:
        parts = urlsplit(exchange.url)
    except ValueError:
        return None
    if bases:
        for base in sorted(bases, key=len, reverse=True):
            _, path = document.locate(exchange.method, exchange.url, [base])
            if path is not None and exchange.url.startswith(f"{base}/"):
                return base, path
        return None
    segments = parts.path.strip("/").split("/")
    lengths = {len(one.path.strip("/").split("/")) for one in document.operations.values()}
    for length in sorted(lengths, reverse=True):
        path = document.path_of("/".join(segments[-length:]))
        if path is not None and parts.netloc and parts.scheme in _DEFAULT_PORTS:
            before = "/".join(("", *segments[:-length]))
            return urlunsplit((parts.scheme, parts.netloc, before.rstrip("/"), "", "")), path
    return None


def shows_arklow(exchange: Exchange) -> bool:
    """Whether an exchange shows that its host is an Arklow: paths alone do not, as other services have such ones.

    Signs are the header in which only Arklow reads a key, the host of the service itself, and an answer with members that
    the page of the operation has: the envelope of refusals and of the control plane, or the id of accepted work.
    """
    if any(name.lower() == _KEY_HEADER for name, _ in exchange.headers):
        return True
    if is_of_the_service(urlsplit(exchange.url).hostname):
        return True
    value = exchange.value()
    if not isinstance(value, dict):
        return False
    if "a_id" in exchange.data():
        return True
    errors = value.get("errors", ())
    listed = errors if isinstance(errors, list) else [] if errors is None else None
    return (
        listed is not None
        and exchange.is_whole_envelope
        and all(isinstance(one, dict) and "code" in one for one in listed)
    )


def is_of_a_gateway(exchange: Exchange) -> bool:
    """Whether an answer is that of a gateway or a limit, as a run would take it, or a redirect to another host."""
    if exchange.status in INTERFERENCE:
        return True
    if not 300 <= exchange.status < 400:
        return False
    try:
        here, there = urlsplit(exchange.url), urlsplit(exchange.answer_header("location") or "")
    except ValueError:
        return True
    return bool(there.netloc) and (there.scheme, there.netloc) != (here.scheme, here.netloc)


def without_default_port(base: str) -> str:
    """A base URL as archives have it: without a port that its scheme implies."""
    parts = urlsplit(base)
    netloc = parts.netloc
    if parts.port == _DEFAULT_PORTS.get(parts.scheme):
        netloc = netloc.rpartition(":")[0]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


__all__ = [
    "NO_CREDENTIAL",
    "KeyNames",
    "RecordedDeployment",
    "RecordedExchange",
    "RecordedTarget",
    "is_of_a_gateway",
    "place_of",
    "shows_arklow",
    "without_default_port",
]
