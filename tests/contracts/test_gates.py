"""A gate is repeatable: it sends the same requests, finds the same ids, and leaves few definitions behind."""

from __future__ import annotations

import re

import pytest

from contracts import Plan, Run, RunFinished
from contracts.phases.requests import TAG
from contracts.transport.throttle import Limits
from tests.contracts.runs import target
from tests.mutants import MUTANTS, ConformingServer, interferences
from tests.mutants.interferences import Arrival
from tests.serving import serving

REQUESTS = 600


def gate(url: str, name_prefix: str, requests: int = REQUESTS) -> RunFinished:
    """Run a gate of so many requests, as `--profile gate` does."""
    plan = Plan(
        target(url), max_time=90.0, name_prefix=name_prefix, steady=True, limits=Limits(requests=requests)
    )
    return Run(plan).judge()


def renamed(one: Arrival, name_prefix: str) -> str:
    """Return a request without what differs between runs: name prefix, id of the run, ids and versions of the target."""
    headers = sorted(
        (name.lower(), value)
        for name, value in one.headers
        if name.lower() not in ("traceparent", "host", "content-length")
    )
    text = f"{one.method} {one.path} {headers} {one.body.decode('latin-1')}".replace(
        f".{name_prefix}.", ".name_prefix."
    )
    text = re.sub(r"[0-9a-f]{32}", "run", text)
    text = re.sub(r"(?<![0-9])[0-9]{18,21}(?![0-9])|(?:\\u[0-9a-f]{4}){18,21}", "id", text)
    return re.sub(r'"version": ?[0-9.]+', '"version": v', text)


def test_two_gates_send_the_same() -> None:
    """Under another name prefix, and under the first one again, which has the definitions of the first gate."""
    sent: list[list[str]] = []
    with interferences.delaying(0.0) as interference:
        for name_prefix in ("one", "two", "one"):
            before = len(interference.requests)
            assert gate(interference.url, name_prefix).exit_code == 0
            sent.append([renamed(one, name_prefix) for one in interference.requests[before:]])
        names = [one.variant for one in interference.world.definitions.values()]

    assert sent[0] == sent[1] == sent[2]
    assert len([name for name in names if name.startswith("contract.one.")]) <= 20


def test_actions_carry_the_run_in_their_tags() -> None:
    """So that they can be found, in the server's log too, by the trace."""
    with interferences.delaying(0.0) as interference:
        run = gate(interference.url, "tagged", 200)
        traces = {dict(one.headers).get("traceparent", "") for one in interference.requests}
        tags = [action.work.tags for action in interference.world.actions.values()]

    assert {one.split("-")[1] for one in traces if one} == {run.run_id}
    assert sum(tag.get(TAG) == run.run_id for tag in tags if isinstance(tag, dict)) > 0.8 * len(tags)


@pytest.mark.parametrize("fault", ["R04", "S05", "V18"])
def test_a_finding_has_the_same_id_in_every_run(fault: str) -> None:
    """Whatever the seed, the name prefix and the order."""
    with serving(MUTANTS[fault]()) as url:
        ids = [[one.id for one in gate(url, name_prefix, 400).violations] for name_prefix in ("one", "two")]
        ids.append([one.id for one in Run(Plan(target(url), seed=9, max_time=6.0)).judge().violations])

    assert ids[0] == ids[1]
    assert set(ids[0]) <= set(ids[2])
    assert len(ids[0]) == 1


def test_confirmation_adds_no_definition_under_a_name_prefix() -> None:
    """Definitions cannot be deleted, so a run with findings leaves those that a run without any leaves."""
    left: list[set[str]] = []
    for world in (ConformingServer(), MUTANTS["S05"]()):
        with serving(world) as url:
            gate(url, "one", 400)
        left.append({one.variant for one in world.definitions.values()})

    assert left[1] <= left[0]


def test_an_example_works_where_the_name_prefix_was_never_used() -> None:
    """It puts the definition that it posts to, although that was there when the example was shrunk."""
    with serving(MUTANTS["R04"]()) as url:
        plan = Plan(target(url), name_prefix="one", only=frozenset({"PAGE-5"}))
        runs = [Run(plan).judge() for _ in range(2)]
    for run in runs:
        [finding] = run.violations
        assert [one.method for one in finding.exchanges] == ["PUT", "POST"]


def test_slow_answers_change_no_request_of_a_gate() -> None:
    """A busy machine must not change it; HTTP-6 is then not verified."""
    sent: list[list[str]] = []
    runs: list[RunFinished] = []
    for seconds in (0.0, 1.2):
        with interferences.lingering(30, seconds) as interference:
            runs.append(gate(interference.url, "one", 200))
            sent.append([renamed(one, "one") for one in interference.requests])

    assert sent[0] == sent[1]
    assert [run.exit_code for run in runs] == [0, 0]
    assert "HTTP-6" not in runs[0].not_verified
    assert "HTTP-6" in runs[1].not_verified
