"""Measures what the fixture `arklow` costs a test, with 200 tests in four workers of pytest-xdist.

    python -m benchmarks.team_tests [--rounds 5]

Each round runs the same tests with and without the fixture, one after the other. A test's figure is the sum of its
set-up, body and clean-up. What happens once, such as the start of the mock, is in each worker's first test: that one is
left out, and the figure of the whole run has it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import machine

ROOT = Path(__file__).parent.parent
TESTS = """
import urllib.request

import pytest

@pytest.fixture(scope="session", autouse=True)
def begun(request):
    if {with_it}:
        mock = request.getfixturevalue("arklow_mock")
        token = {{"authorization": f"Bearer {{mock.admin_token}}"}}
        urllib.request.urlopen(urllib.request.Request(f"{{mock.admin_url}}/organisations", headers=token)).close()

@pytest.mark.parametrize("n", range(200))
def test_own_work({arguments}):
    assert sum(range(20_000)) > n
"""
REPORTS = """
import collections, json, pathlib

SPENT, FIRST = collections.defaultdict(float), {}

def pytest_runtest_logreport(report):
    if hasattr(report, "node"):  # in the controller
        FIRST.setdefault(report.node.gateway.id, report.nodeid)
        SPENT[report.nodeid] += report.duration

def pytest_sessionfinish(session):
    if SPENT:
        spent = [seconds for node, seconds in SPENT.items() if node not in FIRST.values()]
        pathlib.Path("spent.json").write_text(json.dumps(spent))
"""


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    added: list[float] = []
    middle: list[float] = []
    longer: list[float] = []
    for _ in range(options.rounds):
        without, alone = run(False)
        with_it, together = run(True)
        added.append((statistics.fmean(with_it) - statistics.fmean(without)) * 1_000)
        middle.append((statistics.median(with_it) - statistics.median(without)) * 1_000)
        longer.append(together - alone)
    print(machine())
    for name, unit, figures in (
        ("a test, mean", "ms", added),
        ("a test, median", "ms", middle),
        ("the whole run, start and end of the mock included", "s", longer),
    ):
        print(
            f"{name:<50} + {statistics.median(figures):5.2f} {unit}   ({min(figures):.2f} to {max(figures):.2f})"
        )
    return 0


def run(with_it: bool) -> tuple[list[float], float]:
    """Run the tests; seconds of each test but the first of each worker, and seconds of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_work.py").write_text(
            TESTS.format(with_it=with_it, arguments="arklow, n" if with_it else "n")
        )
        Path(folder, "conftest.py").write_text(REPORTS)
        mock = Path(folder, "mock")
        mock.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m mock_server \"$@\"\n")
        mock.chmod(0o755)
        plugins = ("--disable-plugin-autoload", "-p", "xdist.plugin", "-p", "arklow_local.pytest_fixture")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *plugins, "-n", "4", "--arklow-mock", str(mock)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return json.loads(Path(folder, "spent.json").read_text()), time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
