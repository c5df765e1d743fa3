"""Plays the findings of a report again, on fresh names, against the deployment that the command line names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Any, Final
from urllib.parse import urlsplit

from ..checks.context import CheckContext
from ..checks.learned import Learned
from ..core.baseline import SCHEMA_VERSION
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.ledger import Ledger
from ..core.rules import RULES
from ..core.serialization import finding_from
from ..core.target import Credential, Target
from ..model.interpretations import QUESTIONS
from ..model.world import Model
from ..openapi.document import Document
from ..openapi.schemas import DocumentSchemas
from ..oracle.judge import Judge
from ..transport.client import Client
from ..transport.clock import Clock
from ..transport.interference import Interference
from ..transport.wire import Transport
from .renaming import names_of
from .replay import Replay

_PREFIX: Final = re.compile(r"contract[.-][0-9a-z]+[.-]")
"""What the names of a run begin with."""


_UNKNOWN: Final = (401, 403, 404)
"""Statuses that say that what a request needs is not there: the key, or the action."""


class BadReport(ValueError):
    """The file is not a report of this judge; the text says where."""


@dataclass(frozen=True, slots=True)
class RerunResult:
    """What came of playing one finding again."""

    shown: int
    """How often it showed."""
    tried: int
    """How often it was played to its end."""
    finding: Finding | None = None
    """As it showed the last time."""
    why: str | None = None
    """Why it could not be tried, or not as often as asked."""


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """What is needed of a report."""

    data: Mapping[str, Any]

    @property
    def findings(self) -> dict[str, Mapping[str, Any]]:
        """Id → finding, violations first."""
        return {one["id"]: one for kind in ("violations", "warnings") for one in self.data[kind]}

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Pairs of the name and the organisation of each key of that run."""
        return [(str(one["name"]), str(one["organisation"])) for one in self.data.get("keys", ())]

    @property
    def digest(self) -> str:
        """The SHA-256 of the document that was judged by."""
        return str(self.data["document"]["sha256"])

    def prefix(self, script: Sequence[Exchange]) -> str:
        """Return what the names of that run begin with; where the report does not say it, the names in a script do."""
        prefix = self.data.get("prefix")
        if isinstance(prefix, str) and prefix:
            return prefix
        texts = (f"{one.url} {(one.body or b'').decode('latin-1')}" for one in script)
        prefixes = Counter(found for text in texts for found in _PREFIX.findall(text))
        return prefixes.most_common(1)[0][0] if prefixes else ""


def earlier_version(name: str, version: object) -> str:
    """Say that a report is of another schema version than the one that is read."""
    return (
        f"{name} is a report of schema version {version!r:.20}, and this release reads {SCHEMA_VERSION}: the ids of findings "
        "have changed, so make a new report by check"
    )


def read_report(text: bytes, name: str) -> EarlierReport:
    """Read a report; `name` is that of its file, for the message.

    Raises:
        BadReport: it is none.
    """
    try:
        data = json.loads(text)
        if isinstance(data, dict) and "violations" in data and data.get("schema_version") != SCHEMA_VERSION:
            raise BadReport(earlier_version(name, data.get("schema_version", 1)))
        report = EarlierReport(data)
        for one in report.findings.values():
            if one["rule"] not in RULES:
                raise ValueError(f"it has a finding of {one['rule']!r:.40}, which is no rule of this release")
            for exchange in one["script"]:
                if not all(isinstance(exchange[name], str) for name in ("method", "path")):
                    raise ValueError(f"{one['id']} has an exchange without method and path")
        _ = report.digest, report.keys
    except BadReport:
        raise
    except RecursionError:
        raise BadReport(f"{name} is nested too deeply for a report") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BadReport(f"{name} is not a report.json of arklow-contracts: {missing}") from None
    return report


def needs_a_run(finding: Mapping[str, Any]) -> bool:
    """Say whether only what looked for a finding of a report can show it again, and not its requests alone."""
    rule = RULES.get(finding["rule"])
    return bool(finding["together"] or finding["staged"] or (rule is not None and rule.not_replayable))


class Rerun:
    """Plays findings of one report against one target."""

    def __init__(
        self,
        report: EarlierReport,
        document: Document,
        target: Target,
        *,
        clock: Clock | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Play findings of `report` against `target`; time and wire are those of this machine, if none are given."""
        self._report = report
        self._clock = clock
        self._transport = transport
        self._target = target
        self._document = document
        self._renamed_target = _with_key_names(target, [name for name, _ in report.keys])

    def play(self, finding: Mapping[str, Any], times: int) -> RerunResult:
        """Play a finding of the report so many times.

        Raises:
            BadReport: it has no exchanges that could be sent.
        """
        client = Client(self._target, self._locate, clock=self._clock, transport=self._transport)
        try:
            return self._played(finding, times, client)
        finally:
            client.close()

    def _played(self, reported: Mapping[str, Any], times: int, client: Client) -> RerunResult:
        if self._needs_another_key(reported):
            return RerunResult(0, 0, why="it takes another key: give --second-api-key and --second-org")
        fresh = f"contract.{SystemRandom().getrandbits(32):08x}."
        try:
            finding, judge = self._restored(reported, fresh), self._judge()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadReport(f"{reported['id']} cannot be read: {error!r}") from None
        script = finding.exchanges
        if not self._report.prefix(script) and any(one.method == "PUT" for one in script):
            return RerunResult(
                0, 0, why="it was recorded, and would put a definition again that is not the judge's"
            )
        replay = Replay(client, judge, fresh)
        shown, last = 0, None
        for number in range(times):
            try:
                again = replay.repeat(finding) if finding.times > 1 else replay.confirm_example(finding)
            except Interference as interference:
                return RerunResult(shown, number, last, str(interference))
            if again is None and (why := self._why_it_proves_nothing(replay.played, finding)):
                return RerunResult(shown, number, last, why)
            if again is not None:
                shown, last = shown + 1, again
        return RerunResult(shown, times, last)

    def _judge(self) -> Judge:
        """Return a judge that knows of that run which interpretations were taken and which operations there are."""
        document = self._document
        interpretations = {
            str(question): str(answer)
            for question, answer in self._report.data.get("interpretations", {}).items()
        }
        not_offered = set(map(str, self._report.data.get("not_offered", ())))
        learned = Learned(interpretations, routed=document.operations.keys() - not_offered)
        context = CheckContext(
            document, DocumentSchemas(document.content), self._target, "contract", learned=learned
        )
        taken = {
            question: answer
            for question, answer in interpretations.items()
            if question in QUESTIONS and " or " not in answer
        }
        return Judge(context, Ledger(), Model(context.fits, taken))

    def _restored(self, reported: Mapping[str, Any], fresh: str) -> Finding:
        """Return a finding of the report, its exchanges with fresh names and with the keys of this target."""
        adapted = {**reported, "script": [self._adapted(exchange) for exchange in reported["script"]]}
        finding = finding_from(adapted, self._renamed_target)
        prefix = self._report.prefix(finding.exchanges)
        script = tuple(_renamed(exchange, prefix, fresh) for exchange in finding.exchanges)
        return replace(finding, exchanges=script)

    def _adapted(self, exchange: Mapping[str, Any]) -> dict[str, Any]:
        """Return an exchange of the report with the organisations of this target in its path, and halves of its keys."""
        adapted = json.loads(_with_halves_of_keys(json.dumps(exchange), self._renamed_target))
        organisations = dict(
            zip(
                [organisation for _, organisation in self._report.keys],
                [credential.org for credential in self._target.credentials],
                strict=False,
            )
        )
        adapted["path"] = re.sub(
            r"^(/v1/orgs/)([^/?]+)",
            lambda found: found[1] + organisations.get(found[2], found[2]),
            adapted["path"],
        )
        return dict(adapted)

    def _why_it_proves_nothing(self, played: Sequence[Exchange], finding: Finding) -> str | None:
        """Say why it proves nothing that a replay did not show the finding; None when it proves that it is gone.

        It proves nothing where a request went another way than in the report for a reason of its own: what it needs was not
        made, or its last answer is not one that the rule speaks of.
        """
        script, rule = finding.exchanges, RULES[finding.rule]
        if not played:
            return "nothing was sent"
        if len(played) < len(script) and finding.times == 1:
            return f"it ended at {_named(played[-1])}, which is answered with {played[-1].status}"
        for then, now in zip(script[:-1], played[:-1], strict=False):
            is_made = then.created and not rule.assertion.compares_answers
            if (is_made and not now.created) or (then.status < 300 and now.status in _UNKNOWN):
                return f"{_named(now)} was answered with {then.status}, and now with {now.status}"
        then, now = script[-1], played[-1]
        if rule.assertion.judges_content and _kind(then) != _kind(now):
            return f"{_named(now)} was answered with {then.status}, and now with {now.status}, which says nothing of it"
        refused = now.status in (401, 403) and self._has_good_key(now) and not rule.concerns_keys
        elsewhere = 300 <= now.status < 400 or (now.status in (404, 405, 501) and not now.is_envelope)
        if now.status != then.status and (refused or elsewhere):
            return f"{_named(now)} is answered with {now.status}"
        return None

    def _has_good_key(self, exchange: Exchange) -> bool:
        """Say whether a request has a key of the target in a header."""
        keys = {credential.key for credential in self._target.credentials}
        return any(value in keys for _, value in exchange.headers)

    def _needs_another_key(self, reported: Mapping[str, Any]) -> bool:
        """Say whether a key or an organisation of that run has none in this target to stand for it."""
        text = json.dumps(reported["script"])
        return any(
            re.search(rf"\$\{{?{re.escape(name)}(?![A-Za-z0-9_])", text)
            or f'"/v1/orgs/{organisation}/' in text
            for name, organisation in self._report.keys[len(self._target.credentials) :]
        )

    def _locate(self, method: str, url: str) -> tuple[str | None, str | None]:
        return self._document.locate(method, url, {self._target.base_url, self._target.ingress_url})


def _with_key_names(target: Target, names: Sequence[str]) -> Target:
    """Return the target, its keys under the names that they have in the report."""

    def named(credential: Credential | None, number: int) -> Credential | None:
        known = number < len(names) and credential is not None
        return replace(credential, name=names[number]) if known and credential is not None else credential

    return replace(target, first=named(target.first, 0) or target.first, second=named(target.second, 1))


def _with_halves_of_keys(text: str, target: Target) -> str:
    """Return the text with shell expressions for half a key changed to half the length of the target's keys."""
    for credential in target.credentials:
        half = len(credential.key) // 2
        text = re.sub(rf'%\.[0-9]+s (\\"\${re.escape(credential.name)}\\")', rf"%.{half}s \1", text)
    return text


def _renamed(exchange: Exchange, prefix: str, fresh: str) -> Exchange:
    """Return an exchange whose names begin with `fresh` instead of `prefix`, or of a replay under it."""
    if not prefix:
        return exchange
    old = names_of(prefix)
    body = exchange.body and old.sub(fresh, exchange.body.decode("latin-1")).encode("latin-1")
    return replace(exchange, url=old.sub(fresh, exchange.url), body=body)


def _kind(exchange: Exchange) -> int:
    """Return the first digit of the status: what becomes of a request."""
    return exchange.status // 100


def _named(exchange: Exchange) -> str:
    return exchange.operation or f"{exchange.method} {urlsplit(exchange.url).path}"


__all__ = [
    "BadReport",
    "EarlierReport",
    "Rerun",
    "RerunResult",
    "earlier_version",
    "needs_a_run",
    "read_report",
]
