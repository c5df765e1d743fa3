"""The scheduler of a run, handed a target, a clock and a confirmation that tests look into."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from contracts import Finding, Plan
from contracts.core.exchange import Exchange
from contracts.core.ledger import Ledger
from contracts.oracle.judge import Judge
from contracts.phases.api import Api
from contracts.phases.requests import MODACK
from contracts.phases.scenarios import Scenario
from contracts.phases.scenarios.scenario import Play
from contracts.run.scheduler import Scheduler
from contracts.transport.client import Client
from contracts.transport.throttle import Allowance
from contracts.transport.wire import Request
from tests.clocks import VirtualClock
from tests.contracts.ports import ScriptedTransport, refused
from tests.contracts.runs import check_context, client, exchange, rules, target

SECONDS = 25.0
"""How long the runs of these tests go on."""
MODACK_AGAIN = Request("POST", "/v1/modack", body=b"{}")


class FakePresence:
    """A target that is always there, unless a test says otherwise."""

    def __init__(self, to: Client, judge: Judge) -> None:
        self.prefix = "contract.test."
        self.unreachable: str | None = None
        self.comes_back = True
        self.looks = 0
        """How often it was asked whether the target has forgotten what it knew."""
        self.sequences: list[tuple[str, bool]] = []
        """Scope of each sequence, and whether it was careful."""
        self._client = to
        self._judge = judge

    def new_sequence(self, *, scope: str = "", careful: bool = False) -> Api:
        self.sequences.append((scope, careful))
        return Api(self._client, self._judge, Random(1), self.prefix, scope=scope, careful=careful)

    def has_forgotten(self) -> bool:
        self.looks += 1
        return False

    def wait_for_return(self) -> bool:
        if not self.comes_back:
            self.unreachable = "It went away."
        return self.comes_back


class FakeConfirmation:
    """Writes down what it is asked, and decides nothing as often as it is told."""

    def __init__(self) -> None:
        self.undecided = 0
        """How often it asks for a sequence to be played again."""
        self.settled: list[tuple[list[str], str | None, int, bool]] = []
        """Rules of the suspicions, title of the scenario, number of exchanges, and whether it was repeated."""
        self.postponed: list[tuple[list[str], str]] = []
        """Rules of the suspicions, and why they could not be tried."""
        self.calls: list[tuple[str, float]] = []

    def settle(
        self,
        suspicions: Sequence[Finding],
        source: Hashable,
        exchanges: Sequence[Exchange],
        *,
        repeated: bool = False,
    ) -> bool:
        title = source.title if isinstance(source, Scenario) else None
        self.settled.append((rules(suspicions), title, len(exchanges), repeated))
        self.undecided -= 1
        return self.undecided >= 0

    def postpone(self, suspicions: Iterable[Finding], exchanges: Sequence[Exchange], why: str) -> None:
        self.postponed.append((rules(list(suspicions)), why))

    @property
    def has_postponed(self) -> bool:
        return bool(self.postponed)

    def settle_postponed(self) -> None:
        self.calls.append(("settle postponed", 0.0))

    def confirm(self) -> None:
        pass

    def confirm_again(self, seconds: float = math.inf) -> None:
        self.calls.append(("confirm again", seconds))

    def shrink(self, seconds: float) -> None:
        self.calls.append(("shrink", seconds))

    def drop_unconfirmed(self) -> None:
        self.calls.append(("drop", 0.0))


@dataclass
class World:
    """A scheduler, and all that it is handed."""

    plan: Plan
    scenarios: Sequence[Scenario]
    clock: VirtualClock = field(default_factory=VirtualClock)
    announced: list[str] = field(default_factory=list)
    confirmation: FakeConfirmation = field(default_factory=FakeConfirmation)

    def __post_init__(self) -> None:
        self.transport = ScriptedTransport(lambda _: refused(409))
        self.client = client(
            "http://target", clock=self.clock, transport=self.transport, limits=self.plan.limits
        )
        self.client.throttle.allow(Allowance(self.clock.now() + SECONDS))
        self.judge = Judge(check_context(), Ledger(self.plan.only))
        self.presence = FakePresence(self.client, self.judge)
        self.scheduler = Scheduler(
            self.plan,
            self.client,
            self.judge,
            self.presence,
            lambda: self.confirmation,
            announce=self.announced.append,
            scenarios=self.scenarios,
        )

    @property
    def masked(self) -> dict[str, str]:
        return self.judge.ledger.masked


def world(*scenarios: Scenario, **members: object) -> World:
    return World(Plan(target("http://target"), seed=7, **members), scenarios)  # type: ignore[arg-type]


def scenario(title: str, play: Play, *codes: str) -> Scenario:
    return Scenario(title, frozenset(codes or {"LEASE-3"}), play)


def does_nothing(title: str, *codes: str) -> Scenario:
    return scenario(title, raising(), *codes)


def suspicious(rule: str = "LEASE-3") -> Finding:
    return Finding(rule, MODACK, "It breaks", "this", "that", (exchange(MODACK, 409),))


def raising(*errors: Exception) -> Callable[[Api], None]:
    """Plays that end with these errors, one after the other; the next one ends well."""
    left = list(errors)

    def play(api: Api) -> None:
        if left:
            raise left.pop(0)

    return play
