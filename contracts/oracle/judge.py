"""Judges exchanges one by one, wherever they come from: the checks look at each, the model at what it changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from ..checks import judge
from ..checks.acceptance import accepted, organisation
from ..checks.context import CheckContext
from ..core import strict_json
from ..core.exchange import Exchange, media
from ..core.findings import Breach, Finding, finding_of
from ..core.ledger import Ledger
from ..core.rules import RULES
from ..model import definitions, ingress, signals
from ..model.signals import Signal
from ..model.world import Model, whole
from ..openapi.document import Operation
from .provenance import Provenance
from .verdict import Verdict

SIGNALS: dict[str, Signal] = {
    "/v1/modack": "modack",
    "/v1/ack": "ack",
    "/v1/nack": "nack",
    "/v1/defer": "defer",
}
"""Path → what its operation does to an attempt; of today's pages only the first."""

INGRESS_PATH = "/v1/ingress/{variant}"
PUT_LABEL = "PUT /v1/orgs/{org_id}/actions/definitions"


class Judge:
    """What is known of a target, and what follows from each answer."""

    def __init__(self, known: CheckContext, ledger: Ledger, model: Model | None = None) -> None:
        self.known = known
        self.ledger = ledger
        self.model = Model(fits=known.fits) if model is None else model
        self.provenance = Provenance(known)
        self.served: dict[str, int] = {}
        """Operation → answers of 200."""
        self.listeners: list[Callable[[Exchange], None]] = []
        self.trusting = False
        """Whether a refusal of a good key is put in the ledger without a look into it."""
        self.slow: list[Exchange] = []
        """Those that took more than a second."""

    def observe(self, exchange: Exchange) -> Verdict:
        """Judge one exchange by the checks and by the model, and learn from it.

        Findings of the checks are also put in the ledger, except a refused good key (AUTH-1): that is for the caller to
        look into. Suspicions are only returned.
        """
        self._count(exchange)
        found = [
            replace(finding, exchanges=self.provenance.needed(exchange))
            for finding in judge(exchange, self.known, self.ledger.tested)
        ]
        self.ledger.add(
            finding for finding in found if self.trusting or not RULES[finding.rule].checked_elsewhere
        )
        broken = any(not RULES[finding.rule].harmless for finding in found)
        suspicions = self._follow(exchange, broken=broken)
        self.provenance.learn(exchange)
        return Verdict(tuple(found), tuple(suspicions))

    def observe_together(self, exchanges: Sequence[Exchange]) -> None:
        """Judge exchanges that overlapped: each is judged alone, as the order in which they took effect is unknown."""
        for exchange in exchanges:
            self._count(exchange)
            found = list(judge(exchange, self.known, self.ledger.tested))
            self.ledger.add(
                replace(one, exchanges=(exchange,), together=True)
                for one in found
                if not RULES[one.rule].checked_elsewhere
            )
            owner = self._owner(exchange, self.known.operation(exchange.operation))
            if exchange.path == INGRESS_PATH and exchange.status == 200 and owner is not None:
                number = exchange.data().get("a_id")
                others = [one for one in exchanges if one.data().get("a_id") == number]
                for breach in ingress.issued(self.model, owner, number, unattended=True, at=exchange.call):
                    self.proved(breach, str(exchange.operation), tuple(others))
            self.ledger.tested.update(self.model.tested)
            self.model.tested.clear()
            self.provenance.learn(exchange)

    def proved(self, breach: Breach, operation: str, shown: tuple[Exchange, ...]) -> None:
        """What concurrent calls have shown counts at once: a history is its own confirmation."""
        finding = finding_of(breach, shown[-1], shown)
        self.ledger.add([replace(finding, operation=operation, together=True)])

    def unanswered(self, request: Exchange, size: int) -> None:
        """A large request was cut off twice, and a small one beside it was not."""
        self.ledger.add(
            [
                Finding(
                    "HTTP-7",
                    str(request.operation),
                    f"The connection is cut off by a body of {size:,} bytes",
                    "an answer: 200, or a refusal such as 413",
                    "no answer, twice",
                    (request,),
                )
            ],
            confirmed=True,
        )

    def note(self, question: str, answer: str, *shown: Exchange) -> list[Finding]:
        """Write down the interpretation that a sequence has shown by these exchanges; return the suspicions it raises."""
        breaches = self.model.note(question, answer)
        if shown:
            return self._suspicions(shown[-1], breaches, shown)
        self.known.note(question, answer)
        self.model.interpretations.clear()
        return []

    def note_slow(self, exchange: Exchange) -> None:
        """Remember a request that took too long, to be asked again."""
        self.slow.append(exchange)

    def unlearn(self, question: str) -> None:
        """An answer to a question was taken back, and not when it was tried again: it may have been none."""
        self.model.taken.pop(question, None)
        self.known.interpretations.pop(question, None)
        self.provenance.unlearn(question)

    @staticmethod
    def body_of(exchange: Exchange) -> Any:
        """The JSON value of what was sent; None when it has none."""
        try:
            return strict_json.read((exchange.body or b"").removeprefix(strict_json.MARK))
        except ValueError:
            return None

    @staticmethod
    def names_of(exchange: Exchange) -> set[str]:
        """The names that what was sent gives to a definition: its variant, and its aliases."""
        body = Judge.body_of(exchange)
        if not isinstance(body, dict):
            return set()
        alias = body.get("alias")
        names = (body.get("variant"), *(alias if isinstance(alias, list) else ()))
        return {name for name in names if isinstance(name, str)}

    def lose_track_of(self, exchange: Exchange) -> list[Finding]:
        """Leave open what a request did: no answer came, or none that says it. Return the suspicions that this raises."""
        operation = self.known.operation(exchange.operation)
        if operation is None or operation.control_plane:
            for org, name in self._places(*self.names_of(exchange), exchange.data().get("variant")):
                self.model.forget(org, name)
        elif exchange.path == INGRESS_PATH and (owner := self._owner(exchange, operation)) is not None:
            number = exchange.data().get("a_id")
            breaches = ingress.issued(self.model, owner, number, unattended=False, at=exchange.back)
            if isinstance(number, str):
                self.known.actions[number] = owner
            return self._suspicions(exchange, breaches)
        return []

    def renew(self, exchange: Exchange) -> None:
        """What an exchange has put is put once more, where the run does not see it."""
        if exchange.method == "PUT":
            body = self.body_of(exchange)
            variant = body.get("variant") if isinstance(body, dict) else None
            for org, name in self._places(variant, exchange.data().get("variant")):
                self.model.renew(org, name, told=self.model.reused.get((org, name), True))

    def _places(self, *variants: Any) -> Iterator[tuple[str, str]]:
        """Each organisation with each of these variants that is one."""
        for variant in {one for one in variants if isinstance(one, str)}:
            for credential in self.known.target.credentials:
                yield credential.org, variant

    def forget(self) -> None:
        """Let go of actions but the latest, so that a night needs no more room than an hour."""
        self.model.trim(_REMEMBERED)
        for number in list(self.known.actions)[:-_REMEMBERED]:
            del self.known.actions[number]

    def scratch(self, without: str | None) -> Judge:
        """A judge of the same target that has seen nothing, but knows the interpretations, all but one."""
        judge = Judge(self.known, Ledger(), self.model.scratch(without))
        judge.trusting = True
        return judge

    def _count(self, exchange: Exchange) -> None:
        for listener in self.listeners:
            listener(exchange)
        number = exchange.issued if exchange.unread else exchange.data().get("a_id")
        if isinstance(number, str):
            self.model.seen.add(number)
        operation = self.known.operation(exchange.operation)
        if operation is None:
            return
        self.ledger.tested.update(["HTTP-6", "HTTP-9"])
        if exchange.back - exchange.call > 1 and len(self.slow) < _SLOW:
            self.slow.append(exchange)
        self.known.asked.add(operation.label)
        if exchange.status not in _NO_ROUTE or (
            isinstance(exchange.value(), dict) and "errors" in exchange.value()
        ):
            self.known.routed.add(operation.label)
        if exchange.status != 200 or not accepted(exchange, operation):
            return
        self.served[operation.label] = self.served.get(operation.label, 0) + 1
        data = exchange.data()
        if operation.control_plane:
            self.known.variants.add(str(data.get("variant")))
            if isinstance(data.get("version"), int) and data["version"] < 0:
                self.known.negative |= {str(data.get("id")), str(data.get("variant"))}

    # The model

    def _follow(self, exchange: Exchange, *, broken: bool) -> list[Finding]:
        """Tell the model what was asked and answered, when that is sure; return what it does not allow."""
        operation = self.known.operation(exchange.operation)
        if operation is None and exchange.path is None:
            signal = SIGNALS.get(self.known.path_of(exchange.url))
            if signal is not None and exchange.method == "POST" and exchange.status != 404:
                return self._signalled(exchange, signal)
            return []
        if operation is None:
            return self.lose_track_of(exchange) if 200 <= exchange.status < 300 else []
        body = self._sure(exchange, operation) if exchange.plain_path else None
        untold = exchange.status < 300 and exchange.unread
        if exchange.status >= 500 or (body is None and accepted(exchange, operation)) or broken or untold:
            return self.lose_track_of(exchange)
        if body is None or not self._tells(exchange, operation, body):
            return []
        if operation.label == PUT_LABEL:
            return self._put(exchange, operation, body)
        if exchange.path == INGRESS_PATH:
            return self._worked(exchange, body)
        if operation.method == "POST" and operation.path in SIGNALS:
            return self._signalled(exchange, SIGNALS[operation.path])
        return []

    def _tells(self, exchange: Exchange, operation: Operation, body: dict[str, Any]) -> bool:
        """Whether an answer says something about the world, rather than about keys, HTTP or limits."""
        if exchange.status in _NOT_READ or 300 <= exchange.status < 400:
            return False
        if accepted(exchange, operation):
            return True
        named = self.known.document.at(operation.request or "").get("properties", {})
        return body.keys() <= named.keys() and plain(exchange, body)

    def _sure(self, exchange: Exchange, operation: Operation) -> dict[str, Any] | None:
        """The body of a request with one good key that keeps its page in every way; None for all others."""
        owner = self._owner(exchange, operation)
        if owner is None or operation.request is None or exchange.sent("content-encoding"):
            return None
        org = organisation(exchange, operation)
        if (org is not None and org != owner) or _unusual(exchange.query):
            return None
        types = [value for name, value in exchange.headers if name.lower() == "content-type"]
        if [media(one) for one in types] != ["application/json"]:
            return None
        try:
            body = strict_json.read(exchange.body or b"")
            problems = self.known.shapes.at(operation.request).problems(body)
        except ValueError:
            return None
        return body if isinstance(body, dict) and not problems else None

    def _owner(self, exchange: Exchange, operation: Operation | None) -> str | None:
        """The organisation of the one key that the request shows."""
        owners = {credential.key: credential.org for credential in self.known.target.credentials}
        listed = operation.keys if operation is not None else ("x-arklow-auth",)
        shown = [value for name, value in exchange.headers if name.lower() in _KEYS]
        named = [name.lower() for name, _ in exchange.headers if name.lower() in _KEYS]
        if len(shown) != 1 or named[0] not in listed:
            return None
        return owners.get(shown[0])

    def _put(self, exchange: Exchange, operation: Operation, body: dict[str, Any]) -> list[Finding]:
        org = str(organisation(exchange, operation))
        data = exchange.data() if accepted(exchange, operation) else {}
        breaches = definitions.put(self.model, org, body, exchange.status, data, exchange.back)
        if isinstance(data.get("id"), str):
            self.known.definitions[data["id"]] = org
        return self._suspicions(exchange, breaches)

    def _worked(self, exchange: Exchange, body: dict[str, Any]) -> list[Finding]:
        org = str(self._owner(exchange, self.known.operation(exchange.operation)))
        lanes = b"TAG_CARDINALITY_EXCEEDED" in exchange.answer  # B041, C3
        surely = False if (body.get("tags") or exchange.query) and lanes else None
        if not exchange.segment.startswith(self.known.prefix):
            self.model.doubtful.add((org, exchange.segment))  # somebody else may have defined it
        breaches = ingress.ingress(
            self.model,
            org,
            exchange.segment,
            body,
            exchange.status,
            exchange.data(),
            fits=surely,
            enveloped=self.known.envelopes,
            at=exchange.call,
        )
        number = exchange.data().get("a_id")
        if isinstance(number, str):
            self.known.actions[number] = org
        return self._suspicions(exchange, breaches)

    def _signalled(self, exchange: Exchange, signal: Signal) -> list[Finding]:
        body = self.body_of(exchange)
        org = self._owner(exchange, self.known.operation(exchange.operation))
        if (
            org is None
            or not isinstance(body, dict)
            or exchange.status in _NOT_READ
            or exchange.status >= 500
        ):
            return []
        number, attempt = body.get("action_record_id"), body.get("attempt")
        if not isinstance(number, str) or isinstance(attempt, bool) or not isinstance(attempt, int):
            return []
        seconds, terms = body.get("mod_ack", 0), body.get("terms")
        retry_at = whole(terms.get("retry_at")) if isinstance(terms, dict) else None
        return self._suspicions(
            exchange,
            signals.signal(
                self.model,
                signal,
                org,
                number,
                attempt,
                exchange.status,
                exchange.call,
                exchange.back,
                seconds=whole(seconds) or 0,
                final=isinstance(terms, dict) and terms.get("retry") is False,
                far=retry_at is not None and retry_at > time.time() + _FAR,
            ),
        )

    def _suspicions(
        self, exchange: Exchange, breaches: list[Breach], shown: tuple[Exchange, ...] = ()
    ) -> list[Finding]:
        """Write down the interpretations that the model saw; return the breaches as findings, with what led to each."""
        self.ledger.tested.update(self.model.tested)
        self.model.tested.clear()
        for question, answer in self.model.interpretations:
            self.known.note(question, answer)
            self.provenance.witness(question, exchange)
        self.model.interpretations.clear()
        suspicions = []
        for breach in breaches:
            whole = (
                () if breach.question is None else self.provenance.history(exchange, first_of=breach.question)
            )
            suspicions.append(
                finding_of(breach, exchange, whole or shown or self.provenance.history(exchange))
            )
        return suspicions


_REMEMBERED = 50_000
"""Actions that are remembered."""
_SLOW = 20
"""Slow exchanges that are remembered."""
_NO_ROUTE = (404, 405, 501)
"""Statuses of an operation that a target does not have."""
_NOT_READ = frozenset({401, 403, 405, 408, 411, 413, 414, 415, 431})
"""Statuses that say something about keys or HTTP, not about the world."""
_KEYS = frozenset({"x-arklow-auth", "authorization"})
_FAR = 600.0
"""Seconds from which on a time is not reached in a sequence, whatever the target's clock says."""


def plain(exchange: Exchange, body: Any) -> bool:
    """Whether nobody between the client and the application has a ground of his own to refuse a request."""
    named = {name.lower(): value for name, value in exchange.headers}
    return (
        not exchange.strange
        and named.keys() <= _ORDINARY
        and named.get("accept", "*/*") == "*/*"
        and len(exchange.body or b"") <= _LARGEST
        and _modest(body, 0)
        and all(c.isalnum() or c in _IN_NAMES for c in exchange.segment)
        and exchange.segment.strip(" .") == exchange.segment
        and len(exchange.segment) <= _LONGEST_NAME
    )


def _modest(value: Any, depth: int) -> bool:
    """Whether a JSON value is within what any parser reads: RFC 8259 §9 allows limits."""
    match value:
        case dict():
            return depth < _DEEPEST and all(_modest(one, depth + 1) for pair in value.items() for one in pair)
        case list():
            return depth < _DEEPEST and all(_modest(one, depth + 1) for one in value)
        case str():
            return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        case bool() | None:
            return True
        case _:
            return bool(abs(value) <= 2**63)


_ORDINARY = frozenset(
    {
        *("x-arklow-auth", "authorization", "content-type", "content-length", "transfer-encoding", "accept"),
        *("accept-encoding", "connection", "user-agent", "host", "traceparent", "x-schemathesis-testcaseid"),
    }
)
_IN_NAMES = frozenset(" ._-:@~😀")
_LARGEST, _DEEPEST, _LONGEST_NAME = 10_000, 16, 128


def _unusual(query: str) -> bool:
    """Whether a query has anything but tags (B032)."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    plain = all(name.startswith("tag.") and f"{name}{value}".isprintable() for name, value in pairs)
    return not plain or "\ufffd" in f"{pairs}" or bool(query) > bool(pairs)


__all__ = ["INGRESS_PATH", "SIGNALS", "Judge", "plain"]
