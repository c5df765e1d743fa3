"""A gate is repeatable: it sends the same requests, finds the same ids, and leaves few definitions behind."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contracts import Plan, Run, RunFinished
from contracts.phases.requests import TAG
from contracts.transport.throttle import Limits
from tests.clocks import VirtualClock
from tests.contracts.in_process import LATENCY, InProcessTransport
from tests.contracts.runs import RUN_ID, URL, target
from tests.mutants import MUTANTS, ConformingServer, interferences
from tests.mutants.interferences import Arrival, Interference

REQUESTS = 600


class Target:
    """A server in this process that many runs are made against; time goes on between them."""

    def __init__(self, app: Any, clock: VirtualClock) -> None:
        self.app = app
        self.clock = clock

    def judged(self, *, latency: float = LATENCY, run_id: str = RUN_ID, **members: Any) -> RunFinished:
        """Carry out a plan with these members."""
        transport = InProcessTransport(self.app, self.clock, latency)
        plan = Plan(target(URL), **members)
        return Run(plan, clock=self.clock, transport=transport, run_id=run_id).judge()

    def gate(self, name_prefix: str, requests: int = REQUESTS, **members: Any) -> RunFinished:
        """Run a gate of so many requests, as `--profile gate` does."""
        return self.judged(
            **{
                "max_time": 1_800.0,
                "name_prefix": name_prefix,
                "steady": True,
                "limits": Limits(requests=requests),
                **members,
            }
        )


def undisturbed() -> Target:
    """A conforming server that records what comes."""
    clock = VirtualClock()
    return Target(Interference(clock), clock)


def mutated(fault: str) -> Target:
    """A mutant."""
    clock = VirtualClock()
    return Target(MUTANTS[fault](clock=clock), clock)


def renamed(one: Arrival, name_prefix: str) -> str:
    """Return a request without what differs between runs: name prefix, id of the run, ids and versions of the target."""
    headers = sorted(
        (name.lower(), value) for name, value in one.headers if name.lower() not in ("host", "content-length")
    )
    text = f"{one.method} {one.path} {headers} {one.body.decode('latin-1')}".replace(
        f".{name_prefix}.", ".name_prefix."
    )
    text = re.sub(r"[0-9a-f]{32}", "run", text)
    text = re.sub(r"(?<![0-9])[0-9]{18,21}(?![0-9])|(?:\\u[0-9a-f]{4}){18,21}", "id", text)
    return re.sub(r'"version": ?[0-9.]+', '"version": v', text)


def test_two_gates_send_the_same() -> None:
    """Under another name prefix, and under the first one again, which has the definitions of the first gate."""
    this = undisturbed()
    sent: list[list[str]] = []
    for number, name_prefix in enumerate(("one", "two", "one")):
        before = len(this.app.requests)
        assert this.gate(name_prefix, run_id=f"{number + 1:032x}").exit_code == 0
        sent.append([renamed(one, name_prefix) for one in this.app.requests[before:]])
    names = [one.variant for one in this.app.world.definitions.values()]

    assert sent[0] == sent[1] == sent[2]
    assert len(sent[0]) == 0.9 * REQUESTS
    assert len([name for name in names if name.startswith("contract.one.")]) <= 20


def test_a_gate_that_is_far_away_sends_the_same() -> None:
    """Half a second for each answer changes when requests are sent, and nothing else."""
    near, far = undisturbed(), undisturbed()
    runs = [near.gate("one"), far.gate("one", latency=0.5)]

    assert [renamed(one, "one") for one in near.app.requests] == [
        renamed(one, "one") for one in far.app.requests
    ]
    assert set(runs[0].not_verified) == set(runs[1].not_verified)
    assert runs[1].seconds > 250.0


def test_a_gate_whose_target_is_too_slow_for_its_requests_ends_with_its_time() -> None:
    """Half an hour, and some seconds for what was found."""
    this = undisturbed()
    run = this.gate("one", latency=2.5, requests=1_000)

    assert len(this.app.requests) < 750
    assert 1_800.0 <= run.seconds <= 1_804.0
    assert run.violations == ()


def test_actions_carry_the_run_in_their_tags() -> None:
    """So that they can be found, in the server's log too, by the trace."""
    this = undisturbed()
    run = this.gate("tagged", 200)
    traces = {dict(one.headers).get("traceparent", "") for one in this.app.requests}
    tags = [action.work.tags for action in this.app.world.actions.values()]

    assert {one.split("-")[1] for one in traces if one} == {run.run_id}
    assert sum(tag.get(TAG) == run.run_id for tag in tags if isinstance(tag, dict)) > 0.8 * len(tags)


@pytest.mark.parametrize("fault", ["R04", "S05", "V18"])
def test_a_finding_has_the_same_id_in_every_run(fault: str) -> None:
    """Whatever the seed, the name prefix and the order."""
    this = mutated(fault)
    runs = [this.gate(name_prefix, 400) for name_prefix in ("one", "two")]
    runs.append(this.judged(seed=9, max_time=60.0, latency=0.1))
    ids = [[one.id for one in run.violations] for run in runs]

    assert ids[0] == ids[1]
    assert set(ids[0]) <= set(ids[2])
    assert len(ids[0]) == 1


def test_confirmation_adds_few_definitions_under_a_name_prefix() -> None:
    """Definitions cannot be deleted: at most eight examples are sent under names of their own, and say so by `.r`."""
    left: list[set[str]] = []
    for make in (ConformingServer, MUTANTS["S05"]):
        clock = VirtualClock()
        this = Target(make(clock=clock), clock)
        this.gate("one", 400)
        left.append({one.variant for one in this.app.definitions.values()})

    added = left[1] - left[0]
    assert 0 < len(added) <= 8
    assert all(name.startswith("contract.one.r") for name in added)


def test_an_example_works_where_the_name_prefix_was_never_used() -> None:
    """It puts the definition that it posts to, although that was there when the example was shrunk."""
    this = mutated("R04")
    runs = [this.judged(name_prefix="one", only=frozenset({"PAGE-5"})) for _ in range(2)]
    for run in runs:
        [finding] = run.violations
        assert [one.method for one in finding.exchanges] == ["PUT", "POST"]


def test_slow_answers_change_no_request_of_a_gate() -> None:
    """A busy machine must not change it; HTTP-6 is then not verified."""
    sent: list[list[str]] = []
    runs: list[RunFinished] = []
    for seconds in (0.0, 1.2):
        clock = VirtualClock()
        this = Target(interferences.lingering(clock, 30, seconds), clock)
        runs.append(this.gate("one", 200))
        sent.append([renamed(one, "one") for one in this.app.requests])

    assert sent[0] == sent[1]
    assert [run.exit_code for run in runs] == [0, 0]
    assert "HTTP-6" not in runs[0].not_verified
    assert "HTTP-6" in runs[1].not_verified
