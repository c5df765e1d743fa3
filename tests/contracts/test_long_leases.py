"""Leases that are waited for: what the wait shows is confirmed within the same wait, and a suspicion that is left is shown as one."""

from __future__ import annotations

import pytest

from contracts import RunFinished
from tests.clocks import VirtualClock
from tests.contracts.runs import judged_in_process
from tests.mutants import Choices, ConformingServer
from tests.mutants.conforming_server import Action

ALL = Choices(operations="all")


class Leasing(ConformingServer):
    """Grants leases of thirty seconds."""

    lease = 30.0

    def deliver(self, action: Action, when: float) -> None:
        super().deliver(action, when)
        action.deadline = min(when + self.lease, action.ends)


class NotExtending(Leasing):
    """An extension of more than a moment has no effect."""

    def extend(self, action: Action, seconds: float) -> None:
        if seconds < 10:
            super().extend(action, seconds)


class NotExtendingLong(NotExtending):
    """The same with leases of a minute."""

    lease = 60.0


class NotExpiring(Leasing):
    """An attempt can be extended although a later one has begun, if its own lease was over for long."""

    def check_attempt(self, action: Action, attempt: int) -> None:
        if attempt + 1 < action.attempt:
            return
        super().check_attempt(action, attempt)


def judged(kind: type[ConformingServer], **members: object) -> RunFinished:
    """Judge a server of a kind, and wait for its leases."""

    def make(clock: VirtualClock) -> ConformingServer:
        return kind(ALL, clock=clock)

    return judged_in_process(make, latency=0.2, wait=75.0, max_time=25.0, **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "rule"), [(NotExtending, "LEASE-8"), (NotExtendingLong, "LEASE-8"), (NotExpiring, "LEASE-3")]
)
def test_a_fault_of_leases_that_only_time_shows_is_found_within_the_wait(
    kind: type[ConformingServer], rule: str
) -> None:
    """Two actions are waited for side by side, so that the second one confirms what the first one shows."""
    run = judged(kind)

    assert (run.exit_code, {one.rule for one in run.violations}) == (1, {rule})
    assert run.suspected == {}


@pytest.mark.parametrize("kind", [ConformingServer, Leasing])
def test_a_conforming_server_is_under_no_suspicion_after_the_wait(kind: type[ConformingServer]) -> None:
    """Leases of thirty seconds and of a minute."""
    run = judged(kind)

    assert (run.violations, run.exit_code, run.suspected) == ((), 0, {})
    assert not any("it was broken" in why for why in run.not_verified.values())
    assert run.tested["LEASE-8"] > 10
