"""One replay of a script: its requests under names of their own, and what a judge that knows nothing else sees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..model.world import FRESH_REFUSALS
from ..oracle.judge import Judge
from ..transport.client import Client
from ..transport.wire import Request
from .renaming import names_of, renamer, rewrite_body
from .scripts import created_action, requested_action

_UNKNOWN_ACTION = "9" * 18
"""The id of an action that is never made: it stands for one that the script does not make itself."""
_SIMILAR_ACTIONS = 10
"""Actions that are made beside one that seems to be lost: enough to see whether all of them are."""
_PAUSE = 0.2
"""Seconds between two tries of a request that was served before, and is refused while what it needs is fresh."""


class Playback:
    """A script that is being played again."""

    def __init__(self, client: Client, run: Judge, scratch: Judge, prefix: str, fresh: str) -> None:
        """Begin a replay.

        Args:
            client: sends the requests.
            run: the judge of the run, whose model does not see this replay.
            scratch: a judge that has seen nothing, for this replay alone.
            prefix: begins the names in the script.
            fresh: begins the names of this replay; equal to `prefix` where names are reused.
        """
        self._client = client
        self._run = run
        self._scratch = scratch
        self._prefix = prefix
        self._fresh = fresh
        self._ids: dict[str, str] = {}
        """Id of an action in the script → its id in this replay."""
        self._exchanges: list[Exchange] = []
        self._suspicions: tuple[Finding, ...] = ()
        """Those of the latest exchange."""
        self.began = client.now()
        """In seconds of the target's clock."""
        self.made = -math.inf
        """When a definition or an action was made last, in seconds of the target's clock."""

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was sent, and the last answer to each."""
        return tuple(self._exchanges)

    def send(self, earlier: Exchange, *, patient: bool) -> Exchange:
        """Send the request of an earlier exchange and judge the answer.

        With patience a request that was served then is sent again while it is refused, for two seconds.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        client = self._client
        asked = requested_action(earlier)
        of_before = asked in self._scratch.model.issued_ids and asked not in self._ids
        request = self._request(
            earlier, {**self._ids, str(asked): _UNKNOWN_ACTION} if of_before else self._ids
        )
        if self._fresh == self._prefix:
            self._run.renew(earlier)
        exchange = client.send(request, earlier.waited)
        until = client.clock.now() + self._run.model.fresh_seconds
        while (
            patient
            and not of_before
            and earlier.status < 300
            and exchange.status in FRESH_REFUSALS
            and client.clock.now() < until
        ):
            client.throttle.pause(_PAUSE)
            exchange = client.send(request, earlier.waited)
        self._suspicions = self._scratch.observe(exchange).suspicions
        self._exchanges.append(exchange.abridged())
        if exchange.created:
            self.made = exchange.back
        old, new = created_action(earlier), created_action(exchange)
        if old and new:
            self._ids[old] = new
        return exchange

    def shown(self, finding: Finding) -> Finding | None:
        """Return the finding with the exchanges of this replay, if the latest one shows it."""
        for found in (*self._scratch.ledger.all(), *self._suspicions):
            if found.id == finding.id:
                return replace(found, exchanges=tuple(self._exchanges))
        return None

    def similar_actions(self, script: Sequence[Exchange]) -> list[Request]:
        """Make actions like the one that the script asks for last, and return a signal for each of them.

        They are left alone until the signals are sent. Empty where the script does not make that action, or was not served
        when it asked for it before.

        Raises:
            Interference: no answer of the application came.
        """
        number = requested_action(script[-1]) or ""
        creating = [one for one in script if number and created_action(one) == number]
        signals = [one for one in script[:-1] if requested_action(one) == number and one.status == 200]
        if not (creating and signals):
            return []
        for one in script:
            if one.method == "PUT":  # the definition may be lost as well
                self._client.send(self._request(one, self._ids))
        made = [self._client.send(self._request(creating[0], self._ids)) for _ in range(_SIMILAR_ACTIONS)]
        return [self._request(signals[0], {number: new}) for one in made if (new := created_action(one))]

    def _request(self, earlier: Exchange, ids: Mapping[str, str]) -> Request:
        """Return the same request with names and ids of this replay."""
        rename = renamer(self._prefix, self._fresh, ids)
        base = self._client.target.base_of(self._scratch.context.path_of(earlier.url))
        path = names_of(self._prefix).sub(self._fresh, earlier.url[len(base) :])
        body = rewrite_body(earlier.body, rename, self._fresh)
        return Request(earlier.method, path, earlier.headers, body, earlier.chunks)


__all__ = ["Playback"]
