"""What a sequence shows as a whole, and what has to be looked into before the target is accused of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from ..core.exchange import Exchange
from ..core.findings import Breach, Finding, finding_of
from ..oracle.judge import Judge
from ..transport.client import Client
from ..transport.interference import CUT_OFF, TOO_SLOW, Interference, UnusableAnswer
from ..transport.wire import Request
from .names import Names
from .requests import PUT, RequestBuilder
from .sequence import CallSequence

_TURNS = 10
"""How often a request that was cut off is sent again, and an ordinary one beside it, to tell the application from the network:
where every second connection is cut off at random, it looks like the application once in a million times."""
_FAILURES = 3
"""How often a request is sent again that a gateway may have answered with a server error: errors of one request in forty meet
it each time in one run of thousands."""
_RESTARTED = "the target was restarted, and has forgotten what it knew"
"""The kind of interference that concurrent calls have met which were not answered by one world."""


class Accusations:
    """Raises suspicions of one sequence, and looks into refusals of a good key and into silence."""

    def __init__(
        self,
        sequence: CallSequence,
        client: Client,
        judge: Judge,
        names: Names,
        requests: RequestBuilder,
        *,
        looks_into_refusals: bool,
        was_restarted: Callable[[], bool],
    ) -> None:
        """Accuse in the name of `sequence`; without looking into refusals a refused key is not accused.

        `was_restarted` tells whether the target was restarted, and has lost what it knew.
        """
        self._sequence = sequence
        self._client = client
        self._judge = judge
        self._names = names
        self._requests = requests
        self._looks_into_refusals = looks_into_refusals
        self._was_restarted = was_restarted

    def suspect(self, breach: Breach, history: tuple[Exchange, ...]) -> None:
        """Raise a suspicion that only the whole sequence can show; `history` ends with what shows it."""
        self._sequence.suspect(_of_sequence(breach, history))

    def accuse(self, breach: Breach, history: tuple[Exchange, ...]) -> None:
        """Raise a suspicion that stands for all others of the last exchange of `history`."""
        self._sequence.withdraw(history[-1])
        self.suspect(breach, history)

    def blame(self, breach: Breach, history: tuple[Exchange, ...]) -> None:
        """Put a breach into the ledger that the sequence has already seen twice."""
        self._judge.ledger.add([replace(_of_sequence(breach, history), confirmed=1, attempts=1)])

    def prove(self, proofs: Sequence[Finding]) -> None:
        """Put into the ledger what concurrent calls have shown: such a history is its own confirmation.

        Raises:
            Interference: the target was restarted meanwhile, so that no single world has answered.
        """
        if proofs and self._was_restarted():
            raise Interference(_RESTARTED)
        self._judge.ledger.add(map(self._judge.prepared, proofs))

    def look_into_refusal(self, refused: list[Finding], timeout: float) -> None:
        """Put refusals of a good key into the ledger if the key is good elsewhere (AUTH-1).

        Another request is sent to find out; its answer may take `timeout` seconds. A refusal that is not in the envelope is the
        word of a gateway: it counts only if the same request meets it again.

        Raises:
            Interference: the key is refused everywhere by now, as a target may do after many wrong keys.
        """
        if not self._looks_into_refusals:
            return
        self._looks_into_refusals = False  # the requests below may be refused as well
        exchange = refused[0].exchanges[-1]
        if not exchange.has_envelope:
            again = self._sequence.play(_same(exchange, self._client, self._judge), timeout)
            if again.status != exchange.status:
                self._looks_into_refusals = True
                return
        ordinary = self._sequence.play(self._ordinary_put(), timeout)
        self._looks_into_refusals = True
        if ordinary.status in (401, 403):
            raise Interference("the key is refused from now on")
        self._judge.ledger.add(refused, confirmed=True)

    def look_into_silence(self, request: Request, kind: str, timeout: float) -> None:
        """Find out whether the application itself cuts off an ordinary request (HTTP-9).

        It does, if it cuts off each further try while another request beside it is answered each time. `kind` is the kind
        of interference that was met, empty if an answer began; answers may take `timeout` seconds.
        """
        learned = self._judge.context.learned
        silent = self._client.unanswered(request)
        if kind == TOO_SLOW:
            self._judge.note_slow(silent)
        known = silent.operation in learned.silent or silent.operation is None
        if kind != CUT_OFF or known or not self._judge.is_ordinary(silent):
            return
        learned.note_silent(str(silent.operation))
        self._judge.ledger.tested["HTTP-9"] += 1
        if not self.is_cut_off_each_time(request, self._ordinary_put(), timeout):
            learned.discard_silent(str(silent.operation))
            return
        title = "A plain request is cut off each time, and others beside it are answered"
        breach = Breach("HTTP-9", title, "an answer", f"no answer, {1 + _TURNS} times")
        self.blame(breach, (*self._judge.needed(silent)[:-1], silent))

    def is_cut_off_each_time(self, request: Request, ordinary: Request, timeout: float | None = None) -> bool:
        """Say whether a request is cut off each time it is sent again, and an ordinary one beside it never.

        After an ordinary one both are sent in a mixed order, so that a network which cuts off every second connection does
        not look like that. Answers may take `timeout` seconds.
        """
        turns = [request, ordinary] * _TURNS
        Random(request.path).shuffle(turns)
        for one in (ordinary, *turns):
            try:
                self._client.send(one, timeout=timeout)
            except Interference as met:
                if one is ordinary or str(met) != CUT_OFF or isinstance(met, UnusableAnswer):
                    return False
            else:
                if one is request:
                    return False
        self._client.note_own_doing(CUT_OFF, _TURNS)
        return True

    def _ordinary_put(self) -> Request:
        return self._requests.build(PUT, {"variant": self._names.take(), "schema": {}})


def look_into_failure(
    client: Client, judge: Judge, failed: list[Finding], timeout: float | None = None
) -> None:
    """Put server errors into the ledger that are not in the envelope, if their request meets one each time.

    What depends on the request is the application's doing, or that of its own front end; what comes by chance may be a
    gateway's, and is counted as interference. Answers may take `timeout` seconds.

    Raises:
        Interference: no answer came at all.
        TimeUp: the run has ended, or a budget is used up.
    """
    exchange = failed[0].exchanges[-1]
    request = _same(exchange, client, judge)
    for _ in range(_FAILURES):
        again = client.send(request, exchange.waited, timeout=timeout)
        if again.status < 500:
            client.note_foreign_failure(exchange)
            judge.lose_track_of(again)
            return
    judge.ledger.add(failed, confirmed=True)


def _same(exchange: Exchange, client: Client, judge: Judge) -> Request:
    """Return the request of an exchange, to be sent again."""
    base = client.target.base_of(judge.context.path_of(exchange.url))
    return Request(
        exchange.method, exchange.url[len(base) :], exchange.headers, exchange.body, exchange.chunks
    )


def _of_sequence(breach: Breach, history: tuple[Exchange, ...]) -> Finding:
    return replace(finding_of(breach, history[-1], history), needs_sequence=True)


__all__ = ["Accusations", "look_into_failure"]
