"""First contact with a target, and from then on whether it is still there, and knows what it knew."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from random import Random

from ..core.exchange import Exchange
from ..core.findings import Breach, finding_of
from ..model.world import FRESH_REFUSALS
from ..oracle.judge import Judge
from ..phases.requests import NotInDocument, NotReached
from ..phases.sequence import CallSequence, TrafficPolicy
from ..transport.client import Client, Request, TimeUp
from ..transport.interference import Interference
from .plan import LONG, Plan

_MAY_NOT = (401, 403, 404, 405, 501)
"""Statuses by which a key is told that it may not put definitions, or that nobody may."""

_PATIENCE = 4.0
"""Seconds that a target may take to come back before a sequence is given up."""

_FIRST_TIMEOUT = 3.0
"""Seconds that each of the first answers may take."""

_LONG_PATIENCE = 1_800.0
"""The same for a night, in which somebody may deploy."""


class Preflight:
    """One target, as a run finds it."""

    def __init__(self, plan: Plan, client: Client, judge: Judge) -> None:
        self._plan = plan
        self._client = client
        self._judge = judge
        self._known = judge.context
        self._random = Random(plan.seed if plan.steady else f"{plan.seed} {time.time_ns()}")
        self._policy = TrafficPolicy(
            bool(plan.name_prefix),
            plan.intrusive,
            plan.steady,
            patience=2.0 if plan.only else 1.0,
            long=plan.wait or LONG,
        )
        self.prefix = f"contract.{plan.name_prefix or f'{self._random.getrandbits(32):08x}'}."
        """Begins every variant and alias of the run; settled when first contact is made."""
        self.unreachable: str | None = None
        """That the target went away for good, in one sentence."""
        self._drops = 0
        self._served: Request | None = None
        """A plain request that was served at first contact."""
        self._canary: Request | None = None
        """The definition that was put at first contact."""

    def first(self) -> str | None:
        """Why nothing can be judged, in one sentence; None when something can."""
        said: list[str] = []
        for pause in (0.0, 0.5, 1.0):
            self._client.clock.wait(pause)
            served = None
            try:
                sequence = self._first_sequence()
                answers = [self._first_definition(sequence)]
                with suppress(Interference):  # of one operation alone, which is looked into
                    answers.append(sequence.ingress(sequence.name("unknown")))
                    served = self._served_at_first(sequence, answers[0])
                with suppress(Interference, NotInDocument):
                    answers.append(sequence.modack("1"))
                others = [
                    sequence.put(
                        f"{sequence.prefix}plain0" if sequence.reuses_names else sequence.name(), org=org
                    )
                    for org in range(1, len(self._plan.target.credentials))
                ]
            except NotReached as why:
                return f"There is nothing to judge: {why}."
            except TimeUp as why:
                return f"Nothing could be judged: {why}."
            except Interference as interference:
                said.append(str(interference))
                continue
            self._known.learned.note_puts_refused(not answers[0].data() and answers[0].status in _MAY_NOT)
            reason = self._nobody(answers) or self._refused_key(answers[0], others)
            self._served = self._request_of(served or answers[-1])
            self._client.breaker.arm(self._served)
            self._canary = self._request_of(answers[0]) if served and answers[0].data() else None
            if reason:
                self._judge.ledger.clear()
            return reason
        base = self._plan.target.base_url
        if said[-1].isdigit():
            return f"{base} answers nothing but {said[-1]}, which is a gateway or a limit and not the application."
        return f"{base} could not be reached: {said[-1]}."

    def begun_anew(self) -> bool:
        """Whether the target has closed a connection since somebody asked, and has forgotten what it knew."""
        drops, self._drops = self._drops, self._client.drops
        return drops != self._drops and self.lost_all()

    def lost_all(self) -> bool:
        """Whether what was served at first contact is refused; then the model begins anew too."""
        if self._served is None or not self._canary:
            return False
        with suppress(Interference, TimeUp):
            if self._client.send(self._served).status in FRESH_REFUSALS:
                self._judge.model.start_again()
                self._client.send(self._canary)
                return True
        return False

    def wait(self) -> bool:
        """Wait until the target answers again; False when it does not."""
        until = self._client.clock.now() + (_LONG_PATIENCE if self._plan.night else _PATIENCE)
        pause = 0.2
        while self._client.clock.now() < min(until, self._client.throttle.deadline):
            self._client.clock.wait(pause)
            pause = min(1.2 * pause, 10.0)
            try:
                self._client.send(Request("GET", "/v1/modack"))
            except Interference:
                continue
            except TimeUp:
                return False
            return True
        self.unreachable = f"{self._plan.target.base_url} went away during the run and did not come back."
        return False

    def sequence(self, *, scope: str = "", careful: bool = False) -> CallSequence:
        """Where one sequence is played, under the names of the run."""
        return CallSequence(
            self._client, self._judge, self._random, self.prefix, self._policy, scope=scope, careful=careful
        )

    def _first_sequence(self) -> CallSequence:
        """As `sequence`, for the first requests of all: these wait less long, and no refusal of a key is looked into."""
        policy = replace(self._policy, timeout=_FIRST_TIMEOUT, looks_into_refusals=False)
        return CallSequence(self._client, self._judge, self._random, self.prefix, policy)

    def _served_at_first(self, sequence: CallSequence, defined: Exchange) -> Exchange | None:
        """Work for the first definition, or for a declared one, which is served as long as the target knows it."""
        variant = defined.data().get("variant") or next(iter(self._known.declared), None)
        exchange = None if variant is None else sequence.ingress(str(variant))
        return exchange if exchange is not None and exchange.status == 200 else None

    def _first_definition(self, sequence: CallSequence) -> Exchange:
        """A definition; under a name without dots if names with dots are refused, which is a broken promise (B057)."""
        dotted = sequence.put(sequence.name("plain"))
        if dotted.data() or dotted.status not in (400, 409, 422):
            return dotted
        sequence.prefix = self.prefix.replace(".", "-")
        plain = sequence.put(sequence.name("plain"))
        if plain.data():
            self.prefix = sequence.prefix
            title = "A definition whose variant has dots is refused, and one without dots is not"
            breach = Breach("PAGE-11", title, "200, as dots are a convention", str(dotted.status), "variant")
            finding = finding_of(breach, dotted, (dotted,))
            self._judge.ledger.add([replace(finding, needs_sequence=True, confirmed=1, attempts=1)])
        return plain

    def _refused_key(self, first: Exchange, others: list[Exchange]) -> str | None:
        """Which key is refused for its own organisation."""
        for credential, answer in zip(self._plan.target.credentials, (first, *others), strict=True):
            if answer.status == 401 or (answer is not first and answer.status == 403 != first.status):
                return (
                    f"The target refuses the key ${credential.name} for organisation {credential.org}: "
                    f"its definitions are answered with {answer.status}."
                )
        return None

    def _nobody(self, answers: list[Exchange]) -> str | None:
        """Why these answers are not the application's, in one sentence; None when one of them is."""
        base, first = self._plan.target.base_url, answers[0]
        statuses = {answer.status for answer in answers}
        if statuses <= {401, 403}:
            key = self._plan.target.first.name
            return f"The target refuses the key ${key}: every operation is answered with {first.status}."
        if statuses <= {301, 302, 303, 307, 308}:
            where = self._known.shown(first.got("location") or "nowhere")
            return f"{base} redirects everything to {where}: give the URL that answers itself."
        if statuses <= {404, 405, 501} and not any(answer.value() for answer in answers):
            return f"None of the operations is at {base}: every one is answered with {first.status}."
        return None

    def _request_of(self, one: Exchange) -> Request:
        return Request(one.method, self._known.path_of(one.url), one.headers, one.body)


__all__ = ["Preflight"]
