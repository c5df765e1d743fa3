"""The judge against the mock: it accuses nothing, reaches everything, and waits for restarts."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts import Plan, Run, RunFinished, Target
from contracts.core.events import Advanced, Event
from tests.contracts.asgi import KEYS, URL, MockTransport, judged_on, ports_to
from tests.contracts.commands import ran
from tests.running_mock import mock
from tests.still_mock import StillMock
from tests.waiting import wait_until

COMMAND = Path(sys.executable).parent / "arklow-contracts"
WITH_BOTH_KEYS = "--api-key org-41 --org 41 --second-api-key org-42 --second-org 42".split()


def assert_conforms(report: Any, *, least: int) -> None:
    """Assert that nothing was found, that every operation answered 200 so often, and that openapi-core agrees."""
    assert (report["violations"], report["warnings"]) == ([], [])
    assert min(report["served"].values()) >= least
    assert report["cross_check"]["differences"] == []


def test_the_mock_conforms_and_every_operation_is_reached(tmp_path: Path) -> None:
    """By the whole command with all its reports, in three thousand requests; over sockets in the slow lane."""
    with StillMock() as still:
        flags = (*WITH_BOTH_KEYS, "--seed", "1", "--max-time", "330", "--report-dir", str(tmp_path))
        judged = ran("check", "--base-url", URL, *flags, ports=ports_to(still))

    assert (judged.code, judged.errors) == (0, ""), judged.out[-5_000:]
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert_conforms(report, least=200)
    untested = [one["rule"] for one in report["not_verified"]]
    assert untested == ["PAGE-6", "PAGE-7"]  # no destination, so no timestamp and no `format: uri`
    assert [line for line in still.lines if "INTERNAL_ERROR" in line] == []


@pytest.mark.slow
def test_the_mock_conforms_over_sockets(tmp_path: Path, seed: int) -> None:
    """Each program is a process, on both ports. The run is bounded by requests, and more seeds are judged by `make fuzz`."""
    with mock() as running:
        urls = (
            *("--base-url", f"http://127.0.0.1:{running.port}"),
            *("--ingress-url", f"http://127.0.0.1:{running.ingress_port}"),
        )
        flags = (
            *urls,
            *WITH_BOTH_KEYS,
            "--seed",
            str(seed),
            "--max-time",
            "40",
            "--report-dir",
            str(tmp_path),
        )
        judged = subprocess.run([COMMAND, "check", *flags], capture_output=True, text=True, timeout=890)

    assert (judged.returncode, judged.stderr) == (0, ""), judged.stdout[-5_000:]
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    print(report["served"], report["requests"], report["seconds"], report["cross_check"])
    assert_conforms(report, least=20)


RESTARTS: list[Iterable[float]] = [(20, 40, 61, 83, 104), (7, 29, 33, 64, 111)]
"""Moments at which the mock is started anew, in seconds of the run's clock."""


@pytest.mark.parametrize("auto_define", [False, True], ids=["", "auto-define"])
@pytest.mark.parametrize("moments", RESTARTS, ids=str)
def test_a_target_that_is_restarted_five_times_is_never_accused(
    moments: Iterable[float], auto_define: bool
) -> None:
    """It forgets definitions and actions and gives its ids again; that is interference too."""
    with StillMock(auto_define=auto_define) as still:
        successors = [(moment, lambda: StillMock(still.loop, auto_define=auto_define)) for moment in moments]
        transport = MockTransport(still, successors=successors)
        run = judged_on(still, transport=transport, max_time=130)

    assert ([finding.title for finding in run.violations], run.exit_code) == ([], 0)
    assert transport.drops == 5
    assert run.interference["connection refused"] >= 5


def _went_on(judge: threading.Thread, advanced: list[Event], times: int) -> bool:
    return len(advanced) >= times or not judge.is_alive()


@pytest.mark.slow
def test_a_process_that_is_restarted_five_times_is_never_accused() -> None:
    """Each time once the judge has gone on for three quarters of a second; if it has given up, that is all right too."""
    runs: list[RunFinished] = []
    advanced: list[Event] = []

    def hear(event: Event) -> None:
        if isinstance(event, Advanced):
            advanced.append(event)

    with mock() as first:
        port, url = first.port, f"http://127.0.0.1:{first.port}"
    plan = Plan(Target(url, url, *KEYS), seed=1, max_time=40)
    judge = threading.Thread(target=lambda: runs.append(Run(plan, hear).judge()))
    for number in range(6):
        with mock("--port", str(port)):
            if number == 0:
                judge.start()
            since = len(advanced)
            wait_until(partial(_went_on, judge, advanced, since + 3))
    with mock("--port", str(port)):
        judge.join()

    assert [finding.title for finding in runs[0].violations] == []
    assert runs[0].exit_code in (0, 3)
    assert runs[0].interference
