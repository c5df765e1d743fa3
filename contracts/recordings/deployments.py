"""What was recorded of one deployment: its exchanges, and what all of them together tell of its keys.

Exchanges are judged by base URL, as two base URLs may be two deployments: a key that one of them has served says
nothing of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ..checks.context import CheckContext
from ..checks.facts import Facts, derive_facts
from ..core.exchange import INTERFERENCE, Exchange
from ..core.rules import Evidence
from ..core.target import Credential, Target
from ..openapi.document import Document
from .har import Entry
from .losses import Loss, rules_left_open, rules_needing
from .secrets import is_key

NO_CREDENTIAL: Final = Credential("\ue000", "", "KEY")
"""Stands where no key is given: no header can have this one."""
_MOST_KEYS: Final = 20
"""Keys that are looked for in answers: each is looked for in many encodings."""
_NO_ROUTE: Final = (404, 405, 501)
"""Statuses of an operation that a deployment does not have."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Scheme → the port that a URL of it need not name."""


@dataclass(frozen=True, slots=True)
class RecordedTarget(Target):
    """A deployment of which a recording shows keys."""

    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Every secret of the recording → what stands for it."""
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
        self, base: str, context: CheckContext, entries: Iterable[Entry], given: Credential | None
    ) -> None:
        self.base = base
        self.context = context
        self.exchanges: Sequence[RecordedExchange] = [
            RecordedExchange(entry, derive_facts(entry.exchange, context), number)
            for number, entry in enumerate(entries)
        ]
        self._given = None if given is None else given.key
        self._kept_key_headers: dict[str, set[str]] = {}
        """File → the headers for keys that it has kept, at least once, as they were sent."""
        self._served: dict[str, list[int]] = {}
        """Key → numbers of the exchanges, in order, in which it was served."""
        for one in self.exchanges:
            self._learn(one)

    @property
    def context_of_served_keys(self) -> CheckContext:
        """The check context whose keys are those that the recording shows to be served."""
        target = self.context.target
        served = tuple(
            Credential(key, "", target.secrets.get(key, "$KEY").removeprefix("$"))
            for key in list(self._served)[:_MOST_KEYS]
            if key != target.first.key
        )
        return replace(
            self.context,
            target=RecordedTarget(self.base, self.base, NO_CREDENTIAL, hidden=target.secrets, served=served),
        )

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
    "RecordedDeployment",
    "RecordedExchange",
    "RecordedTarget",
    "is_of_a_gateway",
    "place_of",
    "without_default_port",
]
