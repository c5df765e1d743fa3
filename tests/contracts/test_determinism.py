"""A run on a virtual clock is the same each time: on any machine, under any load, in any process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.disturbed import Make, after_the_scenarios, disturbed
from tests.mutants import MUTANTS, RACES, interferences
from tests.mutants.interferences import Interference, Restarting
from tests.processes import environment, started
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def mutated(fault: str) -> Make:
    """Make a mutant that records what comes, and is restarted once."""

    def make(clock: Any) -> Interference:
        made = Restarting(clock, times=1, every=3.0, gone=0.5)
        made.world = {**MUTANTS, **RACES}[fault](clock=clock)
        return made

    return make


RUNS: dict[str, tuple[Make, dict[str, Any]]] = {
    "a whole run": (Interference, {"latency": 0.05, "max_time": 25.0}),
    "findings and a restart": (mutated("S05"), {"latency": 0.02, "max_time": 8.0}),
    "a race": (mutated("X02"), {"latency": 0.02, "only": frozenset({"RACE-1"}), "max_time": 8.0}),
    "cut connections": (lambda clock: interferences.cutting(clock, 20), {"latency": 0.05, "max_time": 20.0}),
    "a round of a night": (
        Interference,
        {"latency": 0.5, "max_time": 90.0, "night": True, "before": after_the_scenarios},
    ),
}
"""Name → a target and the members of a plan."""


def traced(name: str) -> list[str]:
    """Return all that a run shows: each request with its moment, and what the run says in the end."""
    make, members = RUNS[name]
    called = {key: value() if callable(value) else value for key, value in members.items()}
    run, interference = disturbed(make, **called)
    return [
        *(repr(one) for one in interference.requests),
        *(repr(one) for one in (*run.violations, *run.warnings)),
        repr((run.seconds, run.requests, run.inconclusive, run.prefix, run.run_id)),
        *(json.dumps(one, sort_keys=True) for one in (run.tested, run.not_verified, run.interference)),
        json.dumps([run.cross_check.asked, run.interpretations, run.served], sort_keys=True),
    ]


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_the_same_each_time(name: str) -> None:
    """Every byte of every request, the moment when it came, and what the run finds."""
    first, second = traced(name), traced(name)

    assert len(first) > 50
    assert first == second


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep so many processors busy."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(started([sys.executable, "-c", "while True: pass"]))
        yield


def traced_elsewhere(hash_seed: int) -> list[str]:
    """Return the same of all runs in a process of their own, in which sets have another order."""
    program = f"from {__name__} import *\nfor name in RUNS: print(*map(ascii, traced(name)), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment(PYTHONHASHSEED=str(hash_seed)),
        cwd=ROOT,
        timeout=10 * PATIENCE,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_runs_are_the_same_in_every_process() -> None:
    """Alone, and beside busy processors."""
    alone = traced_elsewhere(1)
    with busy_loops(2 * (os.cpu_count() or 1)):
        beside = traced_elsewhere(2)

    assert len(alone) > 50 * len(RUNS)
    assert alone == beside
