"""Plays the findings of a report again, on fresh names, against the deployment that the command line names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
from ..transport.client import TIMEOUT, Client, Request
from ..transport.interference import Interference
from .renaming import names_of
from .replay import Replay


class BadReport(ValueError):
    """The file is not a report of this judge; the text says where."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of playing a finding again."""

    shown: int
    tried: int
    finding: Finding | None = None
    """As it showed the last time."""
    why: str | None = None
    """Why it could not be tried, or not to the end."""


_ABOUT_KEYS: Final = codes_where(lambda rule: rule.concerns_keys)
_PREFIX: Final = re.compile(r"contract[.-][0-9a-z]+[.-]")


@dataclass(frozen=True, slots=True)
class Report:
    """What is needed of a report."""

    data: Mapping[str, Any]

    @property
    def findings(self) -> dict[str, Mapping[str, Any]]:
        """Id → finding, violations first."""
        return {one["id"]: one for kind in ("violations", "warnings") for one in self.data[kind]}

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The name and the organisation of each key of then."""
        return [(str(one["name"]), str(one["organisation"])) for one in self.data.get("keys", ())]

    @property
    def digest(self) -> str:
        """The SHA-256 of the document that was judged by."""
        return str(self.data["document"]["sha256"])

    def prefix(self, script: Sequence[Exchange]) -> str:
        """What the names of that run begin with; told by those of a script where the report does not say it."""
        told = self.data.get("prefix")
        if isinstance(told, str) and told:
            return told
        texts = (f"{one.url} {(one.body or b'').decode('latin-1')}" for one in script)
        names = Counter(name for text in texts for name in _PREFIX.findall(text))
        return names.most_common(1)[0][0] if names else ""


def report_of(text: bytes, name: str) -> Report:
    """A report.

    Raises:
        BadReport: it is none.
    """
    try:
        report = Report(json.loads(text))
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


def untold(one: Mapping[str, Any]) -> str | None:
    """Why playing its exchanges again cannot tell whether a finding shows; None when it can."""
    if one.get("together"):
        return "it takes calls at the same moment"
    if one.get("staged"):
        return "only the sequence that looked for it can tell it"
    rule = RULES.get(one["rule"])
    return None if rule is None else rule.not_replayable


class Again:
    """Plays findings of one report."""

    def __init__(self, report: Report, document: Document, target: Target) -> None:
        self._report = report
        self._target = target
        self._document = document
        self._named = _with_names(target, [name for name, _ in report.keys])

    def play(self, one: Mapping[str, Any], times: int) -> Outcome:
        """Play a finding so many times.

        Raises:
            BadReport: it has no exchanges that could be sent.
        """
        client = _Listening(self._target, self._locate)
        try:
            return self._played(one, times, client)
        finally:
            client.close()

    def _played(self, one: Mapping[str, Any], times: int, client: _Listening) -> Outcome:
        if self._needs_another(one):
            return Outcome(0, 0, why="it takes another key: give --second-api-key and --second-org")
        fresh = f"contract.{SystemRandom().getrandbits(32):08x}."
        try:
            finding, judge = self._restored(one, fresh), self._judge()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadReport(f"{one['id']} cannot be read: {error!r}") from None
        script = finding.exchanges
        if not self._report.prefix(script) and any(one.method == "PUT" for one in script):
            return Outcome(
                0, 0, why="it was recorded, and would put a definition again that is not the judge's"
            )
        replay = Replay(client, judge, fresh)
        shown, last = 0, None
        for number in range(times):
            client.answers.clear()
            try:
                again = replay.often(finding) if finding.times > 1 else replay.again(finding)
            except Interference as interference:
                return Outcome(shown, number, last, str(interference))
            if again is None and (why := _in_the_way(client.answers, finding)):
                return Outcome(shown, number, last, why)
            if again is not None:
                shown, last = shown + 1, again
        return Outcome(shown, times, last)

    def _judge(self) -> Judge:
        """A judge that knows no more than which interpretations the deployment took, and that its operations are there."""
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

    def _restored(self, one: Mapping[str, Any], fresh: str) -> Finding:
        """The finding, its exchanges with fresh names and the keys of today."""
        moved = {**one, "script": [self._moved(exchange) for exchange in one["script"]]}
        finding = finding_from(moved, self._named)
        prefix = self._report.prefix(finding.exchanges)
        script = tuple(_renamed(exchange, prefix, fresh) for exchange in finding.exchanges)
        return replace(finding, exchanges=script)

    def _moved(self, exchange: Mapping[str, Any]) -> dict[str, Any]:
        """An exchange with the organisations of today in its path, and with keys that are cut as the new ones."""
        moved = json.loads(_recut(json.dumps(exchange), self._named))
        organisations = dict(
            zip(
                [organisation for _, organisation in self._report.keys],
                [credential.org for credential in self._target.credentials],
                strict=False,
            )
        )
        moved["path"] = re.sub(
            r"^(/v1/orgs/)([^/?]+)",
            lambda found: found[1] + organisations.get(found[2], found[2]),
            moved["path"],
        )
        return dict(moved)

    def _needs_another(self, one: Mapping[str, Any]) -> bool:
        """Whether a key or an organisation of then has none that stands for it today."""
        text = json.dumps(one["script"])
        return any(
            re.search(rf"\$\{{?{re.escape(name)}(?![A-Za-z0-9_])", text)
            or f'"/v1/orgs/{organisation}/' in text
            for name, organisation in self._report.keys[len(self._target.credentials) :]
        )

    def _locate(self, method: str, url: str) -> tuple[str | None, str | None]:
        return self._document.locate(method, url, {self._target.base_url, self._target.ingress_url})


class _Listening(Client):
    """Remembers what was answered."""

    def __init__(self, target: Target, locate: Callable[[str, str], tuple[str | None, str | None]]) -> None:
        super().__init__(target, locate)
        self.answers: list[Exchange] = []

    def send(self, request: Request, waited: float = 0.0, *, timeout: float = TIMEOUT) -> Exchange:
        """Send one request as every client does, and remember its exchange."""
        exchange = super().send(request, waited, timeout=timeout)
        self.answers.append(exchange)
        return exchange


def _with_names(target: Target, names: Sequence[str]) -> Target:
    """The target, with the names that its keys had in the report."""

    def named(credential: Credential | None, number: int) -> Credential | None:
        known = number < len(names) and credential is not None
        return replace(credential, name=names[number]) if known and credential is not None else credential

    return replace(target, first=named(target.first, 0) or target.first, second=named(target.second, 1))


def _recut(text: str, target: Target) -> str:
    """Halves of keys are halves of the keys of today."""
    for credential in target.credentials:
        half = len(credential.key) // 2
        text = re.sub(rf'%\.[0-9]+s (\\"\${re.escape(credential.name)}\\")', rf"%.{half}s \1", text)
    return text


def _renamed(exchange: Exchange, prefix: str, fresh: str) -> Exchange:
    """An exchange whose names begin with another prefix, those of earlier replays too."""
    if not prefix:
        return exchange
    old = names_of(prefix)
    body = exchange.body and old.sub(fresh, exchange.body.decode("latin-1")).encode("latin-1")
    return replace(exchange, url=old.sub(fresh, exchange.url), body=body)


def _in_the_way(heard: Sequence[Exchange], finding: Finding) -> str | None:
    """Why a script that showed nothing proves nothing: its beginning was not served, or nobody of there answered."""
    served = {one.operation for one in heard if one.status < 300}
    for one in finding.exchanges[:-1]:
        if one.status < 300 and one.operation not in served:
            now = next((other.status for other in heard if other.operation == one.operation), None)
            return f"{one.operation} was answered with {one.status}, and now with {now}"
    if not heard:
        return "nothing was sent"
    last, before = heard[-1], {one.status for one in finding.exchanges}
    value = last.value()
    foreign = not (isinstance(value, dict) and value.keys() & {"data", "errors"})
    refused = last.status in (401, 403) and finding.rule not in _ABOUT_KEYS
    elsewhere = 300 <= last.status < 400 or (last.status in (404, 405, 501) and foreign)
    if last.status not in before and (refused or elsewhere):
        return f"{last.operation or last.method} is answered with {last.status}"
    return None


__all__ = ["Again", "BadReport", "Outcome", "Report", "report_of", "untold"]
