"""Where sequences are played: the calls of an Arklow client, each sent, judged, and followed by the model."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final
from urllib.parse import quote

from ..core.exchange import Exchange
from ..core.findings import Breach, Finding, finding_of
from ..core.rules import RULES
from ..generation.corpus.probe import Probe
from ..generation.examples import example_of
from ..model.world import FRESH_REFUSALS, FRESH_SECONDS, Action, Definition, Model
from ..oracle.judge import Judge
from ..oracle.verdict import Verdict
from ..transport.client import TIMEOUT, Client, Request
from ..transport.interference import CUT_OFF, TOO_SLOW, Interference
from .requests import _ASKED, _OF_SIGNALS, INGRESS, JSON, MODACK, PUT, TAG, NotInDocument, NotReached

_IMPATIENT = 0.3
"""Seconds for which a fresh thing is asked for again when two seconds have been in vain before."""
_PAUSE = 0.2
"""Seconds after which it is asked for again."""
PLAIN: Final = {"order_id": "8471"}
"""A payload that nobody has a reason to refuse."""
_PROBE = 5.0
"""Seconds that the answer to a probe may take: some targets hang on some of them."""


_RING = 3
"""Definitions of a name prefix that take turns."""
_AGAIN = 3
"""How often a request is sent again whose connection was cut off, where that does no harm."""
_NO_DEFINITIONS = frozenset({"alias", "unknown"})
"""Kinds of names under which nothing is put."""
_MUDDLED = frozenset({"any"})
"""Kinds of names whose versions come in any order, so that one PUT does not tell what is stored."""


@dataclass(frozen=True, slots=True)
class TrafficPolicy:
    """How a run behaves at its target."""

    reuses_names: bool = False
    """Names are used again by each run, as definitions cannot be deleted; actions carry the run in their tags."""
    intrusive: bool = True
    """Large, deep and slow requests, and many at the same moment, are in order."""
    steady: bool = False
    """What is sent depends on answers alone, and not on the time they take."""
    patience: float = 1.0
    """How many times its usual time a sequence that depends on chance may take."""
    long: float = 0.0
    """Seconds that leases of the length that every destination has are given to run out."""
    timeout: float = TIMEOUT
    """Seconds that an answer may take."""
    looks_into_refusals: bool = True
    """Whether a refused key is asked for again elsewhere before the target is blamed."""


class CallSequence:
    """One sequence of calls under names that nobody has used."""

    def __init__(
        self,
        client: Client,
        judge: Judge,
        random: Random,
        prefix: str = "contract.run.",
        policy: TrafficPolicy | None = None,
        *,
        scope: str = "",
        careful: bool = False,
    ) -> None:
        self.policy = policy or TrafficPolicy()
        self.client = client
        self.judge = judge
        self.context = judge.context
        self.random = random
        self.prefix = prefix
        """Begins every variant and alias of the run."""
        self.exchanges: list[Exchange] = []
        """All of this sequence, in order."""
        self.scope = scope
        """Tells the aliases of this sequence in a name prefix from those of others."""
        self.waited = 0.0
        """Seconds that were let go by on purpose."""
        self._looks_into_refusals = self.policy.looks_into_refusals
        self._careful = careful
        """Whether a refusal that nobody expects is asked for again when all of the target knows what was made."""
        self._suspicions: list[Finding] = []
        self._given: Counter[str] = Counter()
        self._plain: dict[int, str] = {}
        self._lost = 0
        self._made = -math.inf

    @property
    def suspicions(self) -> tuple[Finding, ...]:
        """What the reference model did not allow of this sequence's calls since it was last taken."""
        return tuple(self._suspicions)

    def take_suspicions(self) -> list[Finding]:
        """Hand over the suspicions, in the order in which they were raised, and begin again without any."""
        taken, self._suspicions = self._suspicions, []
        return taken

    def note(self, question: str, answer: str, *shown: Exchange) -> None:
        """Write down the interpretation that these exchanges show; two different ones are a suspicion."""
        self._suspicions += self.judge.note(question, answer, *shown)

    @property
    def model(self) -> Model:
        """The world as the deployment has told it."""
        return self.judge.model

    def name(self, kind: str = "v") -> str:
        """A variant that nobody has used; in a name prefix one of its few, of which only its next PUT tells what it is."""
        if not self.policy.reuses_names:
            return f"{self.prefix}{kind}{self.random.getrandbits(32):08x}"
        number = self._given[kind]
        self._given[kind] += 1
        if kind in _NO_DEFINITIONS:
            name = f"{self.prefix}{kind}.{self.scope}{number}"
        else:
            name = f"{self.prefix}{kind}{number % _RING if kind == 'v' else number}"
        if kind != "unknown":
            self.renew(name, told=kind not in _MUDDLED)
        return name

    def renew(self, name: str, *, told: bool = True) -> None:
        """In a name prefix a definition may be there from an earlier run: its next PUT tells it, if versions went upwards."""
        for credential in self.context.target.credentials if self.reuses_names else ():
            self.model.reopen(credential.org, name, next_put_settles=told)

    @property
    def reuses_names(self) -> bool:
        """Whether names are those of a name prefix, which earlier runs had as well."""
        return self.policy.reuses_names

    def key(self, org: int = 0) -> tuple[str, str]:
        """The header with the key of the first or second organisation."""
        return "x-arklow-auth", self.context.target.credentials[org].key

    def org(self, org: int = 0) -> str:
        """The first or second organisation."""
        return self.context.target.credentials[org].org

    @property
    def two(self) -> bool:
        """Whether there is a second organisation."""
        return len(self.context.target.credentials) > 1

    # One request

    def request(
        self,
        label: str,
        body: Any = None,
        *,
        name: str = "",
        org: int = 0,
        path_org: str | None = None,
        headers: Sequence[tuple[str, str]] | None = None,
        raw: bytes | None = None,
        query: str = "",
        method: str | None = None,
        as_it_is: bool = False,
    ) -> Request:
        """A request to an operation, published or not, with the key of an organisation unless headers are given.

        A body gets what the document asks for beyond today's pages, unless it is to be sent as it is.

        Raises:
            NotInDocument: it is a published one, and the document that is judged by does not have it.
        """
        if label in (PUT, INGRESS, MODACK) and self.context.operation(label) is None:
            raise NotInDocument(f"the document has no {label}")
        if isinstance(body, dict) and raw is None and not as_it_is:
            body = self.whole(label, body)
        if label == INGRESS and raw is None and isinstance(body, dict) and "payload" in body:
            body = self._worked(name, body)
        verb, _, template = label.partition(" ")
        path = template.replace("{variant}", quote(name, safe="")).replace(
            "{org_id}", quote(self.org(org) if path_org is None else path_org, safe="")
        )
        sent = [self.key(org), JSON] if headers is None else list(headers)
        text = raw if raw is not None else None if body is None else json.dumps(body).encode()
        return Request(method or verb, path + (f"?{query}" if query else ""), tuple(sent), text)

    def whole(self, label: str, body: dict[str, Any]) -> dict[str, Any]:
        """A body with an example of each member that the document requires, and that sequences do not say by themselves."""
        more = self.context.learned.example(label, self._more)
        return {**body, **{name: value for name, value in more.items() if name not in body}} if more else body

    def _more(self, label: str) -> dict[str, Any]:
        operation, at = self.context.operation(label), self.context.document.resolve
        if operation is None or operation.request_schema is None:
            return {}
        schema = at(operation.request_schema)
        parts = [schema, *(at(one["$ref"]) if "$ref" in one else one for one in schema.get("allOf", ()))]
        required = {name for part in parts for name in part.get("required", ())}
        value = example_of(schema, at)
        wanted = required - _ASKED.get(label, _OF_SIGNALS)
        return {name: value[name] for name in value if name in wanted} if isinstance(value, dict) else {}

    def _worked(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Work with a payload that a declared variant takes, and the run's own tag."""
        if name in self.context.declared:
            body = {**body, "payload": self.context.declared[name]}
        tags = body.get("tags", {})
        if not self.reuses_names or not isinstance(tags, dict):
            return body
        return {**body, "tags": {**tags, TAG: self.client.trace}}

    def send(self, label: str, body: Any = None, **members: Any) -> Exchange:
        """One request, judged."""
        return self.play(self.request(label, body, **members))

    def play(self, request: Request, timeout: float | None = None) -> Exchange:
        """Send a request, and have its answer judged; it may take `timeout` seconds, else as many as the policy says.

        Raises:
            Interference: no answer of the application came.
        """
        timeout = self.policy.timeout if timeout is None else timeout
        exchange, verdict = self._sent(request, timeout)
        if self._careful and exchange.status in FRESH_REFUSALS and verdict.suspicions:
            self.client.wait(self._made + FRESH_SECONDS - self.client.now())
            self.judge.disregard(exchange)
            exchange, verdict = self._sent(request, timeout)
        self._suspicions += verdict.suspicions
        self.exchanges.append(exchange)
        if exchange.made:
            self._made = exchange.back
        refused = [finding for finding in verdict.findings if RULES[finding.rule].checked_elsewhere]
        if refused and self._looks_into_refusals:
            self._look_into(refused, timeout)
        return exchange

    def _sent(self, request: Request, timeout: float) -> tuple[Exchange, Verdict]:
        try:
            exchange = self.client.send(request, self.waited, timeout=timeout)
        except Interference as interference:
            self._suspicions += self.judge.lose_track_of(self.client.unanswered(request))
            self._look_into_silence(request, str(interference), timeout)
            raise
        return exchange, self.judge.observe(exchange)

    def probe(self, label: str, body: Any = None, **members: Any) -> Exchange | None:
        """One request that stands alone: interference costs it and not the sequence, as long as others get through; and so
        does a document that does not have its operation."""
        try:
            return self.try_out(self.request(label, body, **members))
        except NotInDocument:
            return None

    def try_out(self, request: Request) -> Exchange | None:
        """As `probe`, for a request that is ready."""
        try:
            exchange = self.play(request, _PROBE)
        except Interference:
            self._lost += 1
            if self._lost > 2:
                raise
            return None
        self._lost = 0
        return exchange

    def volley(self, requests: Sequence[Request]) -> list[Exchange | None]:
        """Requests at the same moment, each judged by itself; None where interference was met."""
        answers = self.client.volley(requests, timeout=self.policy.timeout)
        self.judge.observe_together([exchange for exchange in answers if exchange is not None])
        return answers

    def probed(self, label: str, probe: Probe, name: str = "", **members: Any) -> Exchange | None:
        """Send what the catalogue has."""
        try:
            made = self.request(
                label, name=name, raw=probe.body, query=probe.query, method=probe.method, **members
            )
        except NotInDocument:
            return None
        media = [] if probe.content_type is None else [("content-type", probe.content_type)]
        path, _, query = made.path.partition("?")
        if probe.path:
            path = probe.path.replace("{variant}", quote(name, safe="")).replace("{org_id}", self.org())
        return self.try_out(
            Request(
                made.method,
                path + probe.tail + (f"?{query}" if query else ""),
                (self.key(), *media, *probe.headers),
                probe.body,
                probe.chunks,
            )
        )

    def _look_into_silence(self, request: Request, reason: str, timeout: float) -> None:
        """A plain request that is cut off each time, while others beside it are answered, is not interference."""
        silent = self.client.unanswered(request)
        if reason == TOO_SLOW:
            self.judge.note_slow(silent)
        known = silent.operation in self.context.learned.silent or silent.operation is None
        if reason != CUT_OFF or known or not self.judge.is_ordinary(silent):
            return
        self.context.learned.note_silent(str(silent.operation))
        self.judge.ledger.tested["HTTP-9"] += 1
        beside = self.request(PUT, {"variant": self.name(), "schema": {}})
        for _ in range(2):
            try:
                self.client.send(beside, timeout=timeout)
            except Interference:
                self.context.learned.discard_silent(str(silent.operation))
                return
            try:
                self.client.send(request, timeout=timeout)
            except Interference:
                continue
            return
        title = "A plain request is cut off each time, and others beside it are answered"
        breach = Breach("HTTP-9", title, "an answer", "no answer, three times")
        self.blame(breach, (*self.judge.needed(silent)[:-1], silent))

    def _look_into(self, refused: list[Finding], timeout: float) -> None:
        """Blame a refusal of a good key on the deployment only while the key is good elsewhere.

        Raises:
            Interference: it is refused everywhere by now, as keys are after many wrong ones.
        """
        self._looks_into_refusals = False
        plain = self.play(self.request(PUT, {"variant": self.name(), "schema": {}}), timeout)
        self._looks_into_refusals = True
        if plain.status in (401, 403):
            raise Interference("the key is refused from now on")
        self.judge.ledger.add(refused, confirmed=True)

    # What clients do

    def put(self, variant: str, schema: Any = None, *, org: int = 0, **members: Any) -> Exchange:
        """Put a definition; without a schema it is open."""
        body = {"variant": variant, "schema": {} if schema is None else schema, **members}
        return self.send(PUT, body, org=org)

    def define(self, schema: Any = None, *, org: int = 0, kind: str = "v", **members: Any) -> str:
        """A fresh definition; one that is declared, where none can be put.

        Raises:
            NotReached: the deployment does not take it.
        """
        if self.context.learned.puts_refused and self.context.declared:
            if schema is None and not members and kind == "v":
                return next(iter(self.context.declared))
            raise NotReached("the key may not put definitions")
        for _ in range(_AGAIN):
            variant = self.name(kind)
            try:
                exchange = self.put(variant, schema, org=org, **members)
            except Interference as interference:
                if str(interference) != CUT_OFF:
                    raise
                continue
            if (self.org(org), variant) not in self.model.definitions:
                declare = "; declare what exists with --variant" if self.context.learned.puts_refused else ""
                raise NotReached(f"a plain definition is answered with {exchange.status}{declare}")
            return variant
        raise Interference(CUT_OFF)

    def plain(self, *, org: int = 0) -> str:
        """A definition that takes any work, of which nothing else is asked: one for all of the sequence, or the name prefix."""
        name = self._plain.get(org, f"{self.prefix}plain0")
        known = self.model.definitions.get((self.org(org), name))
        if known is None or not known.fully_known:
            self._given["plain"] = 0
            own = self.reuses_names and not self.context.learned.puts_refused
            name = self._plain[org] = self.define(org=org, kind="plain" if own else "v")
        return name

    def ingress(
        self, name: str, payload: Any = PLAIN, *, org: int = 0, query: str = "", **members: Any
    ) -> Exchange:
        """Post work in a valid envelope. Work for a fresh definition is posted again for two seconds."""
        request = self.request(INGRESS, {"payload": payload, **members}, name=name, org=org, query=query)
        exchange = self._insist(request)
        known = self.model.definitions.get((self.org(org), name))
        fresh = known is not None and not known.has_accepted_work
        fits = known is None or self.context.fits(known.schema, payload) is not False
        return self._patiently(exchange, request, 400) if fresh and fits else exchange

    def ripen(self, name: str, *, org: int = 0) -> None:
        """Wait until a definition is as old as a fresh one may be before all of the target knows it."""
        known = self.model.definitions.get((self.org(org), name))
        if known is not None:
            self.client.wait(known.defined_at + FRESH_SECONDS - self.client.now())

    def accept(self, name: str, payload: Any = PLAIN, *, org: int = 0, **members: Any) -> str:
        """The id of an action that was accepted.

        Raises:
            NotReached: it was not.
        """
        exchange = self.ingress(name, payload, org=org, **members)
        number = exchange.data().get("a_id")
        if exchange.status != 200 or not isinstance(number, str):
            raise NotReached(f"plain work is answered with {exchange.status}")
        return number

    def modack(self, number: str, attempt: int = 0, seconds: int = 300, *, org: int = 0) -> Exchange:
        """Extend a lease. A fresh action that is not known yet is asked for again for two seconds."""
        body = {"action_record_id": number, "attempt": attempt, "mod_ack": seconds}
        request = self.request(MODACK, body, org=org)
        exchange = self._insist(request)
        action = self.model.actions.get((self.org(org), number))
        if exchange.status != 404 or action is None or action.attempt is not None:
            return exchange
        later = self._patiently(exchange, request, 404)
        if later.status != 404:
            self._suspect(_LATE, self.judge.needed(exchange))
        return later

    def signal(self, kind: str, number: str, attempt: int = 0, *, org: int = 0, **members: Any) -> Exchange:
        """Ack, nack or defer an attempt; operations that are documented in guides alone (B127, B128, B140)."""
        body = {"action_record_id": number, "attempt": attempt, **members}
        return self.send(f"POST /v1/{kind}", body, org=org)

    def live(self, *, org: int = 0) -> str:
        """An action whose attempt this run holds, with minutes of its lease left.

        Raises:
            NotReached: no attempt of a fresh action can be extended.
        """
        number = self.accept(self.plain(org=org), org=org)
        asked = []
        for attempt in (0, 0, 1, 0):
            asked.append(self.modack(number, attempt, org=org))
            if asked[-1].status == 200:
                return number
            if asked[-1].status == 404:
                break
            self.client.clock.wait(0.05)
        if [one.status for one in asked] == [400, 400, 409, 400]:
            title = "Attempt 0 is refused as a bad request, and attempt 1 is not"
            breach = Breach("PAGE-11", title, "200 or 409, as attempts begin with 0", "400")
            self.accuse(breach, self.judge.needed(asked[3]))
        if MODACK not in self.context.learned.routed:
            raise NotReached(f"the target does not offer {MODACK}")
        raise NotReached(f"no attempt of a fresh action can be extended ({asked[-1].status})")

    def definition(self, variant: str) -> Definition:
        """What is known of a definition of the first organisation.

        Raises:
            NotReached: nothing is, as it was declared and not put.
        """
        known = self.model.definitions.get((self.org(), variant))
        if known is None:
            raise NotReached("the key may not put definitions")
        return known

    def live_or_not(self) -> str:
        """An action of ours: live, or at least known."""
        try:
            return self.live()
        except NotReached:
            return self.accept(self.plain())

    @staticmethod
    def in_chunks(request: Request) -> Request:
        """The same request, its body in pieces of seven bytes."""
        return replace(request, chunks=(7,) * (len(request.body or b"") // 7))

    def attempt_of(self, number: str) -> int:
        """The attempt that this run holds."""
        return self.action(number).attempt or 0

    def lease(self, number: str) -> dict[str, Any]:
        """A body that extends the attempt that this run holds by five minutes."""
        return {"action_record_id": number, "attempt": self.attempt_of(number), "mod_ack": 300}

    @staticmethod
    def counted(number: str) -> int:
        """An action's id as a number.

        Raises:
            NotReached: it is not made of digits, or of too many.
        """
        if not (number.isascii() and number.isdigit() and len(number) < 1_000):
            raise NotReached("an action's id is not made of digits")
        return int(number)

    def action(self, number: str) -> Action:
        """What is known of an action of the first organisation.

        Raises:
            NotReached: nothing any more, as the target has begun anew.
        """
        known = self.model.actions.get((self.org(), number))
        if known is None:
            raise NotReached("the target has lost what it knew")
        return known

    def accuse(self, breach: Breach, shown: tuple[Exchange, ...]) -> None:
        """A breach that only the whole sequence shows; it stands for what else the last exchange broke."""
        self._suspicions = [one for one in self._suspicions if one.exchanges[-1] is not shown[-1]]
        self._suspect(breach, shown)

    def blame(self, breach: Breach, shown: tuple[Exchange, ...]) -> None:
        """A breach that the sequence has already seen twice."""
        self.judge.ledger.add(
            [replace(finding_of(breach, shown[-1], shown), needs_sequence=True, confirmed=1, attempts=1)]
        )

    def _suspect(self, breach: Breach, shown: tuple[Exchange, ...]) -> None:
        self._suspicions.append(replace(finding_of(breach, shown[-1], shown), needs_sequence=True))

    def _insist(self, request: Request) -> Exchange:
        """Send what does no harm when it is done twice: again, if its connection is cut off."""
        for left in reversed(range(_AGAIN)):
            try:
                return self.play(request)
            except Interference as interference:
                if str(interference) != CUT_OFF or not left:
                    raise
        raise AssertionError

    def _patiently(self, first: Exchange, request: Request, refusal: int) -> Exchange:
        """Ask again while a fresh thing is refused: only the last answer stands."""
        exchange = first
        patience = _IMPATIENT if refusal in self.context.learned.lasting_refusals else FRESH_SECONDS
        for _ in range(math.ceil(patience / _PAUSE)):
            if exchange.status != refusal:
                break
            self.client.clock.wait(_PAUSE)
            self.waited += _PAUSE
            self.judge.disregard(exchange)
            exchange = self.play(request)
        if exchange.status == refusal:
            self.context.learned.note_lasting_refusal(refusal)
        return exchange


_LATE = Breach(
    "ING-12", "An accepted action is not known at once", "known when its POST is answered", "404, later not"
)

__all__ = ["PLAIN", "CallSequence", "TrafficPolicy"]
