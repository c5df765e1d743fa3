"""Replays of what a client has asked of a server in this process, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from contracts.checks.context import CheckContext
from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.core.ledger import Ledger
from contracts.model.world import Model
from contracts.oracle.judge import Judge
from contracts.phases.api import Api
from contracts.reproduction.replay import Replay
from contracts.transport.client import Client
from tests.clocks import VirtualClock
from tests.contracts.in_process import InProcessTransport
from tests.contracts.runs import URL, check_context, client
from tests.mutants import ConformingServer

PREFIX = "contract.test."

Make = Callable[..., ConformingServer]
"""Makes a server; it is given its clock by the name `clock`."""


class Recording(Judge):
    """Records what the judges see that replays are given."""

    def __init__(self, known: CheckContext, ledger: Ledger, model: Model | None = None) -> None:
        super().__init__(known, ledger, model)
        self.played: list[Exchange] = []

    def scratch(self, without: str | None) -> Judge:
        fresh = super().scratch(without)
        fresh.listen(self.played.append)
        return fresh


@dataclass
class Stage:
    """The calls of a client, what replays their exchanges, and the clock of both and of the server."""

    api: Api
    replay: Replay
    clock: VirtualClock

    def found(self, rule: str) -> Finding:
        """Return the finding, or the suspicion, that breaks a rule."""
        known = (*self.api.judge.ledger.all(), *self.api.sequence.suspicions)
        return next(one for one in known if one.rule == rule)

    def replayed_all(self, last: Exchange) -> list[Exchange]:
        """Return what a replay of the whole sequence sends; the finding that it looks for never shows."""
        finding = Finding("RACE-1", str(last.operation), "", "", "", tuple(self.api.exchanges))
        assert self.replay.play(self.api.exchanges, finding) is None
        assert isinstance(self.api.judge, Recording)
        return self.api.judge.played


def on(make: Make, kind: type[Client] = Client, *, careful: bool = False) -> Stage:
    """Return the calls of a client of this kind to a new server, and what replays them."""
    clock = VirtualClock()
    made = client(URL, kind, clock=clock, transport=InProcessTransport(make(clock=clock), clock))
    judge = Recording(check_context(URL), Ledger())
    api = Api(made, judge, Random(7), PREFIX, careful=careful)
    return Stage(api, Replay(made, judge, PREFIX), clock)


def operations(finding: Finding) -> list[str | None]:
    """Return the operations of an example."""
    return [exchange.operation for exchange in finding.exchanges]


__all__ = ["PREFIX", "Recording", "Stage", "on", "operations"]
