"""Plays the findings of a report again, on fresh names, against the deployment that the command line names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Any, Final

from ..checks.context import CheckContext
from ..checks.learned import Learned
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.ledger import Ledger
from ..core.rules import RULES, codes_where
from ..core.serialization import finding_from
from ..core.target import Credential, Target
from ..model.interpretations import QUESTIONS
from ..model.world import Model
from ..openapi.document import Document
from ..openapi.schemas import DocumentSchemas
from ..oracle.judge import Judge
from ..transport.client import Client, Locate
from ..transport.clock import Clock
from ..transport.interference import Interference
from ..transport.wire import Request, Transport
from .renaming import names_of
from .replay import Replay

_CONCERNING_KEYS: Final = codes_where(lambda rule: rule.concerns_keys)
"""Codes of the rules for which a refused key is what was looked for."""
_PREFIX: Final = re.compile(r"contract[.-][0-9a-z]+[.-]")
"""What the names of a run begin with."""


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


def read_report(text: bytes, name: str) -> EarlierReport:
    """Read a report; `name` is that of its file, for the message.

    Raises:
        BadReport: it is none.
    """
    try:
        report = EarlierReport(json.loads(text))
        for one in report.findings.values():
            for exchange in one["script"]:
                if not all(isinstance(exchange[name], str) for name in ("method", "path")):
                    raise ValueError(f"{one['id']} has an exchange without method and path")
        _ = report.digest, report.keys
    except RecursionError:
        raise BadReport(f"{name} is nested too deeply for a report") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BadReport(f"{name} is not a report.json of arklow-contracts: {missing}") from None
    return report


def why_not_replayable(finding: Mapping[str, Any]) -> str | None:
    """Say why a replay of its exchanges cannot tell whether a finding of a report shows; None when it can."""
    if finding.get("together"):
        return "it takes calls at the same moment"
    if finding.get("staged"):
        return "only the sequence that looked for it can tell it"
    rule = RULES.get(finding["rule"])
    return None if rule is None else rule.not_replayable


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
        client = _RecordingClient(self._target, self._locate, self._clock, self._transport)
        try:
            return self._played(finding, times, client)
        finally:
            client.close()

    def _played(self, reported: Mapping[str, Any], times: int, client: _RecordingClient) -> RerunResult:
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
            client.exchanges.clear()
            try:
                again = replay.repeat(finding) if finding.times > 1 else replay.confirm_example(finding)
            except Interference as interference:
                return RerunResult(shown, number, last, str(interference))
            if again is None and (why := _why_it_proves_nothing(client.exchanges, finding)):
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
        learned = Learned(
            interpretations,
            routed={str(label) for label, count in self._report.data.get("served", {}).items() if count},
        )
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


class _RecordingClient(Client):
    """A client that remembers its exchanges."""

    def __init__(
        self, target: Target, locate: Locate, clock: Clock | None, transport: Transport | None
    ) -> None:
        super().__init__(target, locate, clock=clock, transport=transport)
        self.exchanges: list[Exchange] = []

    def send(self, request: Request, waited: float = 0.0, *, timeout: float | None = None) -> Exchange:
        """Send one request as every client does, and remember its exchange."""
        exchange = super().send(request, waited, timeout=timeout)
        self.exchanges.append(exchange)
        return exchange


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


def _why_it_proves_nothing(exchanges: Sequence[Exchange], finding: Finding) -> str | None:
    """Say why it proves nothing that these exchanges did not show the finding; None when it proves that it is gone.

    It proves nothing when the beginning was not served, or when another application than that of the report answered.
    """
    served = {one.operation for one in exchanges if one.status < 300}
    for earlier in finding.exchanges[:-1]:
        if earlier.status < 300 and earlier.operation not in served:
            now = next((one.status for one in exchanges if one.operation == earlier.operation), None)
            return f"{earlier.operation} was answered with {earlier.status}, and now with {now}"
    if not exchanges:
        return "nothing was sent"
    last, before = exchanges[-1], {one.status for one in finding.exchanges}
    value = last.value()
    foreign = not (isinstance(value, dict) and value.keys() & {"data", "errors"})
    refused = last.status in (401, 403) and finding.rule not in _CONCERNING_KEYS
    elsewhere = 300 <= last.status < 400 or (last.status in (404, 405, 501) and foreign)
    if last.status not in before and (refused or elsewhere):
        return f"{last.operation or last.method} is answered with {last.status}"
    return None


__all__ = ["BadReport", "EarlierReport", "Rerun", "RerunResult", "read_report", "why_not_replayable"]
