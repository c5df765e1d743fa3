"""The calls of an Arklow client, each played as part of one sequence: what scenarios and random walks are written in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Any, Final

from ..core.exchange import Exchange
from ..core.findings import Breach
from ..generation.corpus.probe import Probe
from ..model.world import Action, Definition, Model
from ..oracle.judge import Judge
from ..transport.client import Client
from ..transport.interference import CUT_OFF, Interference
from ..transport.wire import Request
from .accusations import Accusations, look_into_failure
from .names import Names
from .policy import TrafficPolicy
from .requests import INGRESS, MODACK, PUT, NotInDocument, NotReached, RequestBuilder, answered
from .sequence import CallSequence

PLAIN: Final = {"order_id": "8471"}
"""A payload that no part of a deployment has a reason to refuse."""

_PAUSE = 0.2
"""Seconds between two tries of a call about something fresh."""
_SHORT_PATIENCE = 0.3
"""Seconds for which such a call is tried where two seconds have been in vain before."""
_TRIES = 3
"""How often a request is sent whose connection is cut off, where sending it twice does no harm."""
_ATTEMPT_PAUSE = 0.05
"""Seconds after which a fresh action may have begun its first attempt, or the next one."""
_MOST_DIGITS = 1_000
"""Digits of an id beyond which Python would refuse to read it as a number."""

_LATE = Breach(
    "ING-12", "An accepted action is not known at once", "known when its POST is answered", "404, later not"
)


class Api:
    """The calls of an Arklow client, and all that one sequence of them needs."""

    def __init__(
        self,
        client: Client,
        judge: Judge,
        random: Random,
        prefix: str,
        policy: TrafficPolicy | None = None,
        *,
        scope: str = "",
        careful: bool = False,
        was_restarted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin a sequence without exchanges.

        Args:
            client: sends the requests.
            judge: judges the answers.
            random: draws names, ids and orders.
            prefix: begins every variant and alias of the run.
            policy: how the run behaves.
            scope: tells the aliases of this sequence from those of others, where names are reused.
            careful: ask a second time for what is refused against expectation, when all of the target knows what was made.
            was_restarted: tells whether the target was restarted, and has lost what it knew.
        """
        self.client = client
        self.judge = judge
        self.context = judge.context
        self.random = random
        self.policy = policy = policy or TrafficPolicy()
        credentials = judge.context.target.credentials
        self.names = Names(
            prefix,
            random,
            judge.model,
            [one.org for one in credentials],
            reused=policy.reuses_names,
            scope=scope,
        )
        self.requests = RequestBuilder(judge.context, client.trace if policy.reuses_names else None)
        self.sequence = CallSequence(
            client,
            judge,
            policy,
            careful=careful,
            on_refusal=lambda *refused: self.accusations.look_into_refusal(*refused),
            on_failure=lambda failed, timeout: look_into_failure(client, judge, failed, timeout),
            on_silence=lambda *silent: self.accusations.look_into_silence(*silent),
            on_proofs=lambda proofs: self.accusations.prove(proofs),
        )
        self.accusations = Accusations(
            self.sequence,
            client,
            judge,
            self.names,
            self.requests,
            looks_into_refusals=policy.looks_into_refusals,
            was_restarted=was_restarted,
        )
        self._open_variants: dict[int, str] = {}
        """Index of an organisation → its definition that takes any work."""

    @property
    def model(self) -> Model:
        """The world as far as the target has shown it."""
        return self.judge.model

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges of the sequence, in order."""
        return self.sequence.exchanges

    def name(self, kind: str = "v") -> str:
        """Return the next name of a kind."""
        return self.names.take(kind)

    # Any operation

    def send(self, label: str, body: Any = None, **members: Any) -> Exchange:
        """Play one request to an operation; `members` as in `RequestBuilder.build`.

        Raises:
            Interference: no answer of the application came.
            NotInDocument: the document does not have the operation.
        """
        return self.sequence.play(self.requests.build(label, body, **members))

    def probe(self, label: str, body: Any = None, **members: Any) -> Exchange | None:
        """Play one request that may meet interference of its own; None when it does, or when its operation is not in the
        document.

        Raises:
            Interference: the probes before it have met interference too.
        """
        try:
            return self.sequence.probe(self.requests.build(label, body, **members))
        except NotInDocument:
            return None

    def send_probe(self, label: str, probe: Probe, name: str = "") -> Exchange | None:
        """Play a probe of the corpus against an operation, as `probe` does; `name` is the variant in its path.

        Raises:
            Interference: the probes before it have met interference too.
        """
        try:
            return self.sequence.probe(self.requests.from_probe(label, probe, name))
        except NotInDocument:
            return None

    # Definitions

    def put(self, variant: str, schema: Any = None, *, org: int = 0, **members: Any) -> Exchange:
        """Put a definition; without a schema it takes any work. `org` is the index of the organisation.

        Raises:
            Interference: no answer of the application came.
        """
        body = {"variant": variant, "schema": {} if schema is None else schema, **members}
        return self.send(PUT, body, org=org)

    def define(self, schema: Any = None, *, org: int = 0, kind: str = "v", **members: Any) -> str:
        """Put a definition under the next name of a kind and return its variant.

        Where the key may not put definitions, an open one is taken from those that are declared.

        Raises:
            NotReached: the target does not take it.
            Interference: no answer of the application came.
        """
        learned, declared = self.context.learned, self.context.declared
        if learned.puts_refused and declared:
            if schema is None and not members and kind == "v":
                return next(iter(declared))
            raise NotReached("the key may not put definitions")
        for _ in range(_TRIES):
            variant = self.name(kind)
            try:
                exchange = self.put(variant, schema, org=org, **members)
            except Interference as interference:
                if str(interference) != CUT_OFF:
                    raise
                continue
            if (self.requests.organisation(org), variant) not in self.model.definitions:
                hint = "; declare what exists with --variant" if learned.puts_refused else ""
                raise NotReached(f"a plain definition {answered(exchange)}{hint}")
            return variant
        raise Interference(CUT_OFF)

    def open_variant(self, *, org: int = 0) -> str:
        """Return a variant that takes any work; all of the sequence, or of the name prefix, uses the same one.

        Raises:
            NotReached: the target takes no definition.
        """
        name = self._open_variants.get(org, f"{self.names.prefix}plain0")
        known = self.model.definitions.get((self.requests.organisation(org), name))
        if known is None or not known.fully_known:
            self.names.restart("plain")
            own = self.names.reused and not self.context.learned.puts_refused
            name = self._open_variants[org] = self.define(org=org, kind="plain" if own else "v")
        return name

    def known_definition(self, variant: str) -> Definition:
        """Return what the model knows of a definition of the first organisation.

        Raises:
            NotReached: it knows nothing, as the definition was declared and not put.
        """
        known = self.model.definitions.get((self.requests.organisation(), variant))
        if known is None:
            raise NotReached("the key may not put definitions")
        return known

    def wait_until_known(self, variant: str, *, org: int = 0) -> None:
        """Wait until a definition is as old as it may be before all of the target knows it.

        Raises:
            TimeUp: the run ends before.
        """
        known = self.model.definitions.get((self.requests.organisation(org), variant))
        if known is not None:
            self.client.wait(known.defined_at + self.model.fresh_seconds - self.client.now())

    # Work

    def ingress(
        self, name: str, payload: Any = PLAIN, *, org: int = 0, query: str = "", **members: Any
    ) -> Exchange:
        """Post work in an envelope; work for a fresh definition is posted again while it is refused, for two seconds.

        Raises:
            Interference: no answer of the application came.
        """
        body = {"payload": payload, **members}
        request = self.requests.build(INGRESS, body, name=name, org=org, query=query)
        exchange = self._insist(request)
        known = self.model.definitions.get((self.requests.organisation(org), name))
        fresh = known is not None and not known.has_accepted_work
        fits = known is None or self.context.fits(known.schema, payload) is not False
        return self._until_known(exchange, request, 400) if fresh and fits else exchange

    def accept(self, name: str, payload: Any = PLAIN, *, org: int = 0, **members: Any) -> str:
        """Post work and return the id of its action.

        Raises:
            NotReached: the work was not accepted.
            Interference: no answer of the application came.
        """
        exchange = self.ingress(name, payload, org=org, **members)
        number = exchange.data().get("a_id")
        if exchange.status != 200 or not isinstance(number, str):
            raise NotReached(f"plain work {answered(exchange)}")
        return number

    # Attempts

    def modack(self, number: str, attempt: int = 0, seconds: int = 300, *, org: int = 0) -> Exchange:
        """Extend a lease by `seconds`; a fresh action that is unknown is asked for again, for two seconds.

        Raises:
            Interference: no answer of the application came.
        """
        body = {"action_record_id": number, "attempt": attempt, "mod_ack": seconds}
        request = self.requests.build(MODACK, body, org=org)
        exchange = self._insist(request)
        action = self.model.actions.get((self.requests.organisation(org), number))
        if exchange.status != 404 or action is None or action.attempt is not None:
            return exchange
        later = self._until_known(exchange, request, 404)
        if later.status != 404 and exchange.has_envelope:
            self.accusations.suspect(_LATE, self.judge.needed(exchange))
        return later

    def signal(self, kind: str, number: str, attempt: int = 0, *, org: int = 0, **members: Any) -> Exchange:
        """Send `ack`, `nack` or `defer` for an attempt, which guides alone document (B127, B128, B140).

        Raises:
            Interference: no answer of the application came.
        """
        body = {"action_record_id": number, "attempt": attempt, **members}
        return self.send(f"POST /v1/{kind}", body, org=org)

    def live(self, *, org: int = 0) -> str:
        """Return the id of an action whose attempt the run holds, with minutes of its lease left.

        Raises:
            NotReached: no attempt of a fresh action can be extended.
            Interference: no answer of the application came.
        """
        number = self.accept(self.open_variant(org=org), org=org)
        asked = []
        for attempt in (0, 0, 1, 0):
            asked.append(self.modack(number, attempt, org=org))
            if asked[-1].is_served:
                return number
            if asked[-1].status == 404:
                break
            self.client.throttle.pause(_ATTEMPT_PAUSE)
        if [one.status for one in asked] == [400, 400, 409, 400]:
            title = "Attempt 0 is refused as a bad request, and attempt 1 is not"
            breach = Breach("PAGE-11", title, "200 or 409, as attempts begin with 0", "400")
            self.accusations.accuse(breach, self.judge.needed(asked[3]))
        if MODACK not in self.context.learned.routed:
            raise NotReached(f"the target does not offer {MODACK}")
        raise NotReached(f"no attempt of a fresh action can be extended: the modack {answered(asked[-1])}")

    def live_or_accepted(self) -> str:
        """Return the id of an action of the run: a live one, or at least one that was accepted.

        Raises:
            NotReached: no work was accepted.
        """
        try:
            return self.live()
        except NotReached:
            return self.accept(self.open_variant())

    def known_action(self, number: str) -> Action:
        """Return what the model knows of an action of the first organisation.

        Raises:
            NotReached: it knows nothing any more, as the target has lost what it knew.
        """
        known = self.model.actions.get((self.requests.organisation(), number))
        if known is None:
            raise NotReached("the target has lost what it knew")
        return known

    def held_attempt(self, number: str) -> int:
        """Return the number of the attempt that the run holds.

        Raises:
            NotReached: the target has lost what it knew.
        """
        return self.known_action(number).attempt or 0

    def lease_body(self, number: str) -> dict[str, Any]:
        """Return a body that extends the attempt that the run holds by five minutes: name → value.

        Raises:
            NotReached: the target has lost what it knew.
        """
        return {"action_record_id": number, "attempt": self.held_attempt(number), "mod_ack": 300}

    # Patience

    def _insist(self, request: Request) -> Exchange:
        """Play a request that does no harm when it is sent twice: again, if its connection is cut off.

        Raises:
            Interference: no answer came, or the connection was cut off each time.
        """
        for left in reversed(range(_TRIES)):
            try:
                return self.sequence.play(request)
            except Interference as interference:
                if str(interference) != CUT_OFF or not left:
                    raise
        raise AssertionError

    def _until_known(self, first: Exchange, request: Request, refusal: int) -> Exchange:
        """Play a request about something fresh again while it is refused with this status; only the last answer stands."""
        exchange, learned = first, self.context.learned
        patience = _SHORT_PATIENCE if refusal in learned.lasting_refusals else self.model.fresh_seconds
        for _ in range(math.ceil(patience / _PAUSE)):
            if exchange.status != refusal:
                break
            self.client.throttle.pause(_PAUSE)
            self.sequence.note_wait(_PAUSE)
            self.judge.disregard(exchange)
            exchange = self.sequence.play(request)
        if exchange.status == refusal:
            learned.note_lasting_refusal(refusal)
        return exchange


def id_as_number(number: str) -> int:
    """Return the id of an action as a number.

    Raises:
        NotReached: it is not made of digits alone, or of too many.
    """
    if not (number.isascii() and number.isdigit() and len(number) < _MOST_DIGITS):
        raise NotReached("an action's id is not made of digits")
    return int(number)


def are_counted(numbers: Sequence[str]) -> bool:
    """Whether ids of actions that were made one after the other are numbers of one sequence, with few left out.

    Raises:
        NotReached: as `id_as_number` does.
    """
    return all(0 < after - before <= _NEAR for before, after in pairwise(map(id_as_number, numbers)))


_NEAR: Final = 100
"""Numbers of a sequence between two actions: those of events, and of actions of other clients."""

__all__ = ["PLAIN", "Api", "are_counted", "id_as_number"]
