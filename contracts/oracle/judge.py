"""Judges exchanges one by one: the checks look at each alone, the reference model at what it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..checks import run_checks
from ..checks.answers import is_foreign_failure
from ..checks.context import CheckContext
from ..checks.facts import Facts, action_id, derive_facts
from ..core.exchange import LONG_ID, Exchange
from ..core.findings import Breach, Finding, concurrent_finding, finding_of
from ..core.ledger import Ledger
from ..core.rules import RULES
from ..model import definitions, ingress, signals
from ..model.signals import Kind, Signal
from ..model.world import Model, as_integer
from .evidence import INGRESS_PATH, NOT_READ, PUT_LABEL, tells_of_state, unmistakable_body
from .observation import Observation
from .provenance import Provenance

SIGNALS: Final[dict[str, Kind]] = {
    "/v1/modack": "modack",
    "/v1/ack": "ack",
    "/v1/nack": "nack",
    "/v1/defer": "defer",
}
"""Path → what its operation does to an attempt; of today's pages only the first."""


Derive = Callable[[Exchange, CheckContext], Facts]
"""Derives the facts of an exchange, as `derive_facts` does."""


class Judge:
    """Judges the exchanges of one run, and owns what the run has learned of its target."""

    def __init__(
        self,
        context: CheckContext,
        ledger: Ledger,
        model: Model | None = None,
        derive: Derive = derive_facts,
        *,
        adds_refused_keys: bool = False,
    ) -> None:
        self.context = context
        self.ledger = ledger
        self.model = Model(fits=context.fits) if model is None else model
        self.provenance = Provenance(context)
        self.served: dict[str, int] = {}
        """Operation → how often it has answered 200."""
        self._listeners: list[Callable[[Exchange], None]] = []
        self.slow: list[Exchange] = []
        """The first exchanges that took longer than a second."""
        self._derive = derive
        self._adds_refused_keys = adds_refused_keys
        """Whether a refusal of a good key is put in the ledger at once, as no caller looks into it."""

    def listen(self, *listeners: Callable[[Exchange], None]) -> None:
        """Tell listeners of every exchange from now on, each before it is judged."""
        self._listeners += listeners

    def observe(self, exchange: Exchange) -> Observation:
        """Judge one exchange by the checks and by the model, and learn from it.

        Findings of the checks are also put in the ledger, except those that are for the caller to look into
        (`is_looked_into`). Suspicions are only returned.
        """
        facts = self._derive(exchange, self.context)
        self._record(facts)
        found = [
            replace(finding, exchanges=_abridged(self.provenance.needed(facts)))
            for finding in run_checks(facts, self.context, self.ledger.tested)
        ]
        self.ledger.add(
            finding for finding in found if self._adds_refused_keys or not is_looked_into(finding)
        )
        broken = any(not RULES[finding.rule].harmless for finding in found)
        suspicions = self._follow(facts, broken=broken)
        self.provenance.learn(facts)
        return Observation(tuple(found), tuple(suspicions))

    def observe_together(self, exchanges: Sequence[Exchange]) -> list[Finding]:
        """Judge exchanges that overlapped: each is judged alone, as the order in which they took effect is unknown.

        What breaks a rule whatever the order was is returned as proofs; it is not put in the ledger, as a restart of the
        target explains it.
        """
        proofs: list[Finding] = []
        for exchange in exchanges:
            facts = self._derive(exchange, self.context)
            self._record(facts)
            found = list(run_checks(facts, self.context, self.ledger.tested))
            self.ledger.add(
                replace(
                    one, exchanges=_abridged(self.provenance.needed(facts, exchanges[0].call)), together=1
                )
                for one in found
                if not is_looked_into(one)
            )
            if exchange.path == INGRESS_PATH and exchange.is_served and facts.owner is not None:
                number = facts.data.get("a_id")
                others = tuple(one for one in exchanges if one.data().get("a_id") == number)
                breaches = ingress.accept_action(
                    self.model, facts.owner, number, unattended=True, at=exchange.call
                )
                proofs += [
                    concurrent_finding(breach, str(exchange.operation), _abridged(others))
                    for breach in breaches
                ]
            self.ledger.tested.update(self.model.take_observations().tested)
            self.provenance.learn(facts)
        return proofs

    def add_cut_off(self, request: Exchange, size: int) -> None:
        """Put into the ledger that a body of `size` bytes was cut off each time, and a small one beside it was not."""
        self.ledger.add(
            [
                Finding(
                    "HTTP-7",
                    str(request.operation),
                    f"The connection is cut off by a body of {size:,} bytes",
                    "an answer: 200, or a refusal such as 413",
                    "no answer, each time",
                    (request,),
                )
            ],
            confirmed=True,
        )

    def note(self, question: str, answer: str, *shown: Exchange) -> list[Finding]:
        """Write down the interpretation that a sequence has shown by these exchanges; return the suspicions it raises."""
        breaches = self.model.note(question, answer)
        suspicions = self._suspicions(self._derive(shown[-1], self.context), breaches, shown)
        return [replace(one, needs_sequence=True) for one in suspicions]

    def note_slow(self, exchange: Exchange) -> None:
        """Remember a request that took too long, to be asked again."""
        self.slow.append(exchange.abridged())

    def unlearn(self, question: str) -> None:
        """Forget the first answer to a question, as it did not show again: the next one is the one to be kept."""
        self.model.first_answers.pop(question, None)
        self.context.learned.unlearn(question)
        self.provenance.unlearn(question)

    def lose_track_of(self, exchange: Exchange) -> list[Finding]:
        """Leave open what a request did: no answer came, or none that says it. Return the suspicions that this raises.

        An answer whose body could not be read is judged by its status and its headers.
        """
        facts = self._derive(exchange, self.context)
        if exchange.unread:
            found = run_checks(facts, self.context, self.ledger.tested)
            self.ledger.add(replace(one, exchanges=_abridged(self.provenance.needed(facts))) for one in found)
        return self._lose_track(facts)

    def needed(self, exchange: Exchange) -> tuple[Exchange, ...]:
        """Return the exchanges that must be sent before this one to repeat it from nothing, and then this one."""
        return _abridged(self.provenance.needed(self._derive(exchange, self.context)))

    def prepared(self, finding: Finding) -> Finding:
        """Return a finding of concurrent calls, its example with what has to be sent before these calls."""
        calls = finding.exchanges
        makers: dict[float, Exchange] = {}
        for exchange in calls:
            facts = self._derive(exchange, self.context)
            makers |= {one.call: one for one in self.provenance.needed(facts, before=calls[0].call)[:-1]}
        before = tuple(makers[call] for call in sorted(makers) if call < calls[0].call)
        return replace(finding, exchanges=(*before, *calls))

    def history(self, exchange: Exchange) -> tuple[Exchange, ...]:
        """Return all exchanges on the subjects of this one, in order of time, and then this one."""
        return _abridged(self.provenance.history(self._derive(exchange, self.context)))

    def is_ordinary(self, exchange: Exchange) -> bool:
        """Whether only the application itself can have a reason to refuse the request."""
        return self._derive(exchange, self.context).is_ordinary_request

    def disregard(self, exchange: Exchange) -> None:
        """Leave an exchange out of all histories, as its request is sent again."""
        self.provenance.forget(self._derive(exchange, self.context))

    def renew(self, exchange: Exchange) -> None:
        """Leave open what is stored under the names of a PUT, as it is sent again where the run does not see it."""
        if exchange.method == "PUT":
            facts = self._derive(exchange, self.context)
            body = facts.body.value
            variant = body.get("variant") if isinstance(body, dict) else None
            for org, name in self._places(variant, facts.data.get("variant")):
                settles = self.model.from_earlier_runs.get((org, name), True)
                self.model.reopen(org, name, next_put_settles=settles)

    def resume(
        self, served: Mapping[str, int], interpretations: Mapping[str, str], first_answers: Mapping[str, str]
    ) -> None:
        """Begin where an earlier part of the run has ended.

        `served` has the number of answers of 200 by operation; the others have, by question, the interpretations shown
        and the answer that was the first one.
        """
        self.served.update(served)
        self.context.learned.resume(interpretations)
        self.model.first_answers.update(first_answers)

    def trim(self) -> None:
        """Keep only the latest 50,000 actions, definitions and names."""
        self.model.trim(_REMEMBERED)
        self.context.learned.trim(_REMEMBERED)

    def scratch(self, without: str | None) -> Judge:
        """Make a judge of the same target that has seen nothing, but knows the interpretations, all but one."""
        return Judge(
            self.context, Ledger(), self.model.scratch(without), self._derive, adds_refused_keys=True
        )

    def _record(self, facts: Facts) -> None:
        """Write down what an exchange tells apart from the model: operations, ids, slow answers, negative versions."""
        exchange, operation = facts.exchange, facts.operation
        for listener in self._listeners:
            listener(exchange)
        number = exchange.issued_id if exchange.is_unreadable else facts.data.get("a_id")
        if isinstance(number, str) and len(number) <= LONG_ID:
            self.model.issued_ids.add(number)
            self.model.longest_id = max(number, self.model.longest_id, key=len)
        if operation is None:
            return
        self.ledger.tested.update(["HTTP-6", "HTTP-9"])
        if exchange.back - exchange.call > _SLOW_SECONDS and len(self.slow) < _MOST_SLOW:
            self.slow.append(exchange.abridged())
        learned = self.context.learned
        learned.note_call(operation.label, routed=exchange.status not in _NO_ROUTE or facts.enveloped)
        if exchange.status != 200 or not facts.accepted:
            return
        self.served[operation.label] = self.served.get(operation.label, 0) + 1
        data = facts.data
        if operation.control_plane:
            learned.note_variant(str(data.get("variant"))[:LONG_ID])
            if isinstance(data.get("version"), int) and data["version"] < 0:
                learned.note_negative_version(str(data.get("id")), str(data.get("variant")))

    # The model

    def _follow(self, facts: Facts, *, broken: bool) -> list[Finding]:
        """Tell the model what was asked and answered, when that is beyond doubt; return what it does not allow."""
        exchange, operation = facts.exchange, facts.operation
        if operation is None and exchange.path is None:
            kind = SIGNALS.get(self.context.path_of(exchange.url))
            if kind is not None and exchange.method == "POST" and exchange.status != 404:
                return self._follow_signal(facts, kind)
            return []
        if operation is None:
            return self._lose_track(facts) if 200 <= exchange.status < 300 else []
        body = unmistakable_body(facts)
        unread = exchange.status < 300 and exchange.is_unreadable
        in_doubt = facts.leaves_open or (body is None and facts.accepted)
        if exchange.status >= 500 or in_doubt or broken or unread:
            return self._lose_track(facts)
        if body is None or not tells_of_state(facts, body, self.context):
            return []
        if operation.label == PUT_LABEL:
            return self._follow_put(facts, body)
        if exchange.path == INGRESS_PATH:
            return self._follow_work(facts, body)
        if operation.method == "POST" and operation.path in SIGNALS:
            return self._follow_signal(facts, SIGNALS[operation.path])
        return []

    def _lose_track(self, facts: Facts) -> list[Finding]:
        """Leave open what a request did: the definitions that it names, and whether its action was new."""
        exchange = facts.exchange
        if facts.operation is None or facts.operation.control_plane:
            for org, name in self._places(*facts.definition_names, facts.data.get("variant")):
                self.model.forget(org, name)
        elif exchange.path == INGRESS_PATH and facts.owner is not None:
            number = facts.data.get("a_id")
            breaches = ingress.accept_action(
                self.model, facts.owner, number, unattended=False, at=exchange.back
            )
            if isinstance(number, str):
                self.context.learned.note_action(number, facts.owner)
            return self._suspicions(facts, breaches)
        elif (
            facts.leaves_open
            and facts.owner is not None
            and (action := action_id(facts.body.value)) is not None
        ):
            self.model.leave_open(facts.owner, action)
        return []

    def _places(self, *variants: Any) -> Iterator[tuple[str, str]]:
        """Yield pairs of organisation and variant: each organisation of the run with each of these that is a text."""
        for variant in {one for one in variants if isinstance(one, str)}:
            for credential in self.context.target.credentials:
                yield credential.org, variant

    def _follow_put(self, facts: Facts, body: dict[str, Any]) -> list[Finding]:
        """Tell the model of a PUT of a definition."""
        org, exchange = str(facts.organisation), facts.exchange
        data = facts.data if facts.accepted else {}
        owner = self.model.variant_with_id(org, data.get("id"))
        breaches = definitions.put(self.model, org, body, exchange.status, data, exchange.back)
        if isinstance(data.get("id"), str):
            self.context.learned.note_definition(data["id"], org)
        is_another = owner not in (None, body["variant"])
        shown = self.provenance.history(facts, beside=[f"variant {owner}"]) if is_another else ()
        return self._suspicions(facts, breaches, shown)

    def _follow_work(self, facts: Facts, body: dict[str, Any]) -> list[Finding]:
        """Tell the model of work that was posted."""
        org, exchange = str(facts.owner), facts.exchange
        has_tags = bool(body.get("tags") or exchange.query)
        too_many_tags = has_tags and b"TAG_CARDINALITY_EXCEEDED" in exchange.answer  # B041, C3
        if not exchange.segment.startswith(self.context.prefix):
            self.model.possibly_defined.add((org, exchange.segment))  # another client may have defined it
        breaches = ingress.post(
            self.model,
            org,
            exchange.segment,
            body,
            exchange.status,
            facts.data,
            fits=False if too_many_tags else None,
            enveloped=self.context.learned.takes_envelopes,
            at=exchange.call,
        )
        if facts.issued_id is not None:
            self.context.learned.note_action(facts.issued_id, org)
        return self._suspicions(facts, breaches)

    def _follow_signal(self, facts: Facts, kind: Kind) -> list[Finding]:
        """Tell the model of a signal, whether the document lists its operation or the guides alone."""
        exchange, body = facts.exchange, facts.body.value
        if facts.owner is None or not isinstance(body, dict):
            return []
        if exchange.status in NOT_READ or exchange.status >= 500:
            return []
        number, attempt = action_id(body), body.get("attempt")
        if number is None or isinstance(attempt, bool) or not isinstance(attempt, int):
            return []
        if not exchange.has_envelope:
            self.model.leave_open(facts.owner, number)
            return []
        seconds, terms = body.get("mod_ack", 0), body.get("terms")
        retry_at = as_integer(terms.get("retry_at")) if isinstance(terms, dict) else None
        signal = Signal(
            kind,
            facts.owner,
            number,
            attempt,
            exchange.status,
            exchange.call,
            exchange.back,
            seconds=as_integer(seconds) or 0,
            final=isinstance(terms, dict) and terms.get("retry") is False,
            far=retry_at is not None and retry_at > exchange.at + _FAR,
        )
        breaches = signals.follow(self.model, signal)
        beside = [one.beside for one in breaches if one.beside]
        shown = self.provenance.history(facts, beside=beside) if beside else ()
        return self._suspicions(facts, breaches, shown)

    def _suspicions(
        self, facts: Facts, breaches: list[Breach], shown: tuple[Exchange, ...] = ()
    ) -> list[Finding]:
        """Write down the interpretations that the model saw; return the breaches as findings, with what led to each."""
        observed = self.model.take_observations()
        self.ledger.tested.update(observed.tested)
        for question, answer in observed.interpretations:
            self.context.learned.note(question, answer)
            self.provenance.witness(question, replace(facts, exchange=facts.exchange.abridged()))
        suspicions = []
        for breach in breaches:
            if breach.question is not None:
                led_to_it = self.provenance.history(facts, first_of=breach.question)
            else:
                led_to_it = shown or self.provenance.history(facts)
            suspicions.append(finding_of(breach, facts.exchange, _abridged(led_to_it)))
        return suspicions


def _abridged(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """What is kept of exchanges that have been judged."""
    return tuple(one.abridged() for one in exchanges)


def is_looked_into(finding: Finding) -> bool:
    """Say whether the caller has to send more requests before a finding counts: a refused good key, a foreign failure."""
    return RULES[finding.rule].checked_elsewhere or is_foreign_failure(finding)


_REMEMBERED: Final = 50_000
"""Actions, definitions and names that are remembered, each, so that a night needs no more room than an hour."""
_SLOW_SECONDS: Final = 1.0
"""Seconds for an answer that HTTP-6 allows."""
_MOST_SLOW: Final = 20
"""Slow exchanges that are remembered: more are not asked again."""
_NO_ROUTE: Final = (404, 405, 501)
"""Statuses of an operation that a target does not have."""
_FAR: Final = 600.0
"""Seconds from which on a time is not reached in a sequence, whatever the target's clock says."""


__all__ = ["INGRESS_PATH", "PUT_LABEL", "SIGNALS", "Judge", "is_looked_into"]
