"""A gate that does not move: the same requests, the same ids, and few definitions that stay."""

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
    """A run as `--profile gate` makes it."""
    plan = Plan(
        target(url), max_time=90.0, name_prefix=name_prefix, steady=True, limits=Limits(requests=requests)
    )
    return Run(plan).judge()


def renamed(one: Arrival, name_prefix: str) -> str:
    """A request without what differs from run to run: name prefix, run, ids and versions that the target made."""
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
    """In another name prefix, and in the same one again, in which they find what they left."""
    sent: list[list[str]] = []
    with interferences.far(0.0) as interference:
        for name_prefix in ("one", "two", "one"):
            before = len(interference.requests)
            assert gate(interference.url, name_prefix).exit_code == 0
            sent.append([renamed(one, name_prefix) for one in interference.requests[before:]])
        names = [one.variant for one in interference.world.definitions.values()]

    assert sent[0] == sent[1] == sent[2]
    assert len([name for name in names if name.startswith("contract.one.")]) <= 20


def test_actions_carry_the_run_in_their_tags() -> None:
    """By which they can be found, in the server's log as well."""
    with interferences.far(0.0) as interference:
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


def test_what_is_tried_again_in_a_name_prefix_adds_no_definition() -> None:
    """They cannot be deleted: whatever is found, the name prefix has those that it has when nothing is."""
    left: list[set[str]] = []
    for world in (ConformingServer(), MUTANTS["S05"]()):
        with serving(world) as url:
            gate(url, "one", 400)
        left.append({one.variant for one in world.definitions.values()})

    assert left[1] <= left[0]


def test_an_example_of_a_name_prefix_shows_where_the_name_prefix_was_never_used() -> None:
    """It puts what it posts to, although the definition was there when it was made short."""
    with serving(MUTANTS["R04"]()) as url:
        plan = Plan(target(url), name_prefix="one", only=frozenset({"PAGE-5"}))
        runs = [Run(plan).judge() for _ in range(2)]
    for run in runs:
        [finding] = run.violations
        assert [one.method for one in finding.exchanges] == ["PUT", "POST"]


def test_a_gate_sends_nothing_for_the_time_that_an_answer_took() -> None:
    """Or a busy machine would move it; what it cannot tell it does not say."""
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
