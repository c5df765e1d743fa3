"""A sequence of calls: plays one request after the other, and keeps the exchanges and the suspicions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..checks.answers import is_foreign_failure
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.rules import RULES
from ..model.world import FRESH_REFUSALS
from ..oracle.judge import Judge
from ..oracle.observation import Observation
from ..transport.client import Client
from ..transport.interference import Interference, UnreadAnswer, UnusableAnswer
from ..transport.wire import Request
from .policy import TrafficPolicy

_LOST_PROBES = 2
"""Probes in a row that may meet interference before it is taken to be more than theirs."""


class CallSequence:
    """Requests that are played one after the other, each judged and followed by the model."""

    def __init__(
        self,
        client: Client,
        judge: Judge,
        policy: TrafficPolicy,
        *,
        careful: bool = False,
        on_refusal: Callable[[list[Finding], float], None],
        on_failure: Callable[[list[Finding], float], None],
        on_silence: Callable[[Request, str, float], None],
        on_proofs: Callable[[list[Finding]], None],
    ) -> None:
        """Begin an empty sequence.

        Args:
            client: sends the requests.
            judge: judges the answers.
            policy: how the run behaves.
            careful: ask a second time for what is refused against expectation, when all of the target knows what was made.
            on_refusal: called with findings that a good key was refused, and the seconds that an answer may take.
            on_failure: called with findings that a server error is not in the application's words, and the same seconds.
            on_silence: called with a request that met interference, its kind, and the seconds that an answer may take.
            on_proofs: called with what concurrent calls have shown.
        """
        self._client = client
        self._judge = judge
        self._policy = policy
        self._careful = careful
        self._on_refusal = on_refusal
        self._on_failure = on_failure
        self._on_silence = on_silence
        self._on_proofs = on_proofs
        self.exchanges: list[Exchange] = []
        """All exchanges, in order, as they are kept."""
        self.waited = 0.0
        """Seconds that were let pass on purpose until now."""
        self._suspicions: list[Finding] = []
        self._lost = 0
        """Probes that have met interference since the last one that was answered."""
        self._made = -math.inf
        """When a definition or an action was made last, in seconds of the target's clock."""

    # Requests

    def play(self, request: Request, timeout: float | None = None) -> Exchange:
        """Send a request, judge its answer, and return the exchange; of a long answer only the beginning is left by then.

        The answer may take `timeout` seconds, by default as many as the policy says.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        timeout = self._policy.timeout if timeout is None else timeout
        exchange, observed = self._sent(request, timeout)
        if self._careful and exchange.status in FRESH_REFUSALS and observed.suspicions:
            self._client.wait(self._made + self._judge.model.fresh_seconds - self._client.now())
            self._judge.disregard(exchange)
            exchange, observed = self._sent(request, timeout)
        self._suspicions += observed.suspicions
        exchange = exchange.abridged()
        self.exchanges.append(exchange)
        if exchange.created:
            self._made = exchange.back
        refused = [finding for finding in observed.findings if RULES[finding.rule].checked_elsewhere]
        if refused:
            self._on_refusal(refused, timeout)
        failed = [finding for finding in observed.findings if is_foreign_failure(finding)]
        if failed:
            self._on_failure(failed, timeout)
        return exchange

    def probe(self, request: Request) -> Exchange | None:
        """Play a request that may meet interference of its own; None when it does.

        Raises:
            Interference: the probes before it have met interference too, so the sequence as a whole does.
            TimeUp: the run has ended, or a budget is used up.
        """
        try:
            exchange = self.play(request, self._policy.probe_timeout)
        except Interference:
            self._lost += 1
            if self._lost > _LOST_PROBES:
                raise
            return None
        self._lost = 0
        return exchange

    def volley(self, requests: Sequence[Request]) -> list[Exchange | None]:
        """Send requests at the same moment and judge each answer by itself; None where interference was met.

        Raises:
            Interference: the connections could not be made, or the target was restarted meanwhile.
            TimeUp: the run has ended, or a budget is used up.
        """
        answers: list[Exchange | None] = []
        for answer in self._client.volley(requests, timeout=self._policy.timeout):
            unread = answer is not None and answer.unread
            if answer is not None and unread:
                self._suspicions += self._judge.lose_track_of(answer)
            elif answer is not None and answer.status >= 500 and not answer.has_envelope:
                self._client.note_foreign_failure(answer)
            answers.append(None if unread else answer)
        self._on_proofs(self._judge.observe_together([one for one in answers if one is not None]))
        return [one and one.abridged() for one in answers]

    def note_wait(self, seconds: float) -> None:
        """Note that `seconds` were let pass on purpose, which a replay has to repeat."""
        self.waited += seconds

    def _sent(self, request: Request, timeout: float) -> tuple[Exchange, Observation]:
        try:
            exchange = self._client.send(request, self.waited, timeout=timeout)
        except Interference as met:
            lost = met.exchange if isinstance(met, UnreadAnswer) else self._client.unanswered(request)
            self._suspicions += self._judge.lose_track_of(lost)
            self._on_silence(request, "" if isinstance(met, UnusableAnswer) else str(met), timeout)
            raise
        return exchange, self._judge.observe(exchange)

    # Suspicions

    @property
    def suspicions(self) -> tuple[Finding, ...]:
        """What the sequence seems to show against the reference model since suspicions were last taken."""
        return tuple(self._suspicions)

    def take_suspicions(self) -> list[Finding]:
        """Hand over the suspicions, in the order in which they were raised, and begin again without any."""
        taken, self._suspicions = self._suspicions, []
        return taken

    def suspect(self, suspicion: Finding) -> None:
        """Keep one more suspicion."""
        self._suspicions.append(suspicion)

    def withdraw(self, exchange: Exchange) -> None:
        """Drop the suspicions whose last exchange is this one, as another one stands for them."""
        self._suspicions = [
            one
            for one in self._suspicions
            if (one.exchanges[-1].call, one.exchanges[-1].trace) != (exchange.call, exchange.trace)
        ]

    def note(self, question: str, answer: str, *shown: Exchange) -> None:
        """Write down the interpretation that these exchanges show; a second, different one is a suspicion."""
        self._suspicions += self._judge.note(question, answer, *shown)


__all__ = ["CallSequence"]
