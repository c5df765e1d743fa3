"""A night may end at any moment: it leaves a report, and can be resumed where it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts import Run
from contracts.cli import parser
from contracts.commands.night_state import NIGHT, NightRecorder
from contracts.commands.plan_options import plan_of
from contracts.commands.ports import Ports
from contracts.commands.report_files import ReportFiles
from contracts.core.events import Checkpoint, Event
from contracts.phases.scenarios import SCENARIOS
from contracts.reports.json_report import SCHEMA
from tests.clocks import MachineClock, VirtualClock
from tests.contracts.commands import URL, Make, ran
from tests.contracts.in_process import InProcessTransport
from tests.contracts.runs import RUN_ID
from tests.mutants import MUTANTS, ConformingServer
from tests.mutants.interferences import Interference
from tests.processes import started
from tests.serving import serving
from tests.waiting import wait_until

COMMAND = Path(sys.executable).parent / "arklow-contracts"
LATENCY = 0.25
"""Seconds to a target and back: so much that a night of minutes is one of a few hundred requests."""


def flags(url: str, directory: Path, seconds: int) -> list[str]:
    return [
        *("check", "--profile", "night", "--base-url", url, "--api-key", "good-key-one", "--org", "1"),
        *("--max-time", str(seconds), "--report-dir", str(directory), "--seed", "3"),
    ]


def read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def ports_to(make: Make, latency: float = LATENCY) -> Ports:
    """Return ports that lead to a server in this process; it and its clock go on between two nights."""
    clock = VirtualClock()
    return Ports(clock, InProcessTransport(make(clock), clock, latency), RUN_ID)


def killed_night(directory: Path, ports: Ports, checkpoints: int) -> None:
    """Run a night that writes nothing after so many checkpoints, as its process was killed then; a few requests follow."""
    words = [*flags(URL, directory, 300), "--max-requests", str(60 + 4 * checkpoints)]
    recorder, left = NightRecorder(directory, ReportFiles(directory).write), list(range(checkpoints))

    def hear(event: Event) -> None:
        if isinstance(event, Checkpoint) and left:
            left.pop()
            recorder(event)

    plan = plan_of(parser().parse_args(words), {})
    Run(plan, hear, clock=ports.clock, transport=ports.transport, run_id=ports.run_id).judge()
    assert left == []


@pytest.mark.parametrize("checkpoints", [1, 20, 150])
def test_a_night_that_is_killed_leaves_a_report_and_can_be_resumed(checkpoints: int, tmp_path: Path) -> None:
    """Whenever it was killed. Scenarios that are done are not played again."""
    ports = ports_to(Interference)
    killed_night(tmp_path, ports, checkpoints)
    before, report = read(tmp_path / NIGHT), read(tmp_path / "report.json")
    Draft202012Validator(read(SCHEMA)).validate(report)
    assert (report["verdict"], report["exit_code"]) == ("inconclusive", 3)

    done = ran(*flags(URL, tmp_path, 90), "--resume", ports=ports)

    after = read(tmp_path / NIGHT)
    played = before["progress"]["done"]
    assert done.code == 0
    assert bool(played) is (checkpoints > 1)
    assert after["progress"]["done"][: len(played)] == played
    assert len(after["progress"]["done"]) > len(played)
    assert len(set(after["progress"]["done"])) == len(after["progress"]["done"])
    assert after["report"]["requests"] > before["report"]["requests"] + 100
    assert after["report"]["seconds"] > before["report"]["seconds"] + 80
    assert after["report"]["run"] == before["report"]["run"] == RUN_ID
    assert read(tmp_path / "report.json")["exit_code"] == 0


def test_a_night_goes_on_round_after_round_until_its_time_is_up(tmp_path: Path) -> None:
    """A minute of random walks, then generated requests; the rounds of an earlier part are not played again."""
    ports = ports_to(Interference, latency=1.0)
    ran(*flags(URL, tmp_path, 10), ports=ports)
    state = read(tmp_path / NIGHT)
    state["progress"].update(done=[one.title for one in SCENARIOS], rounds=4)
    (tmp_path / NIGHT).write_text(json.dumps(state))
    began = ports.clock.now()

    done = ran(*flags(URL, tmp_path, 66), "--resume", "--min-verified", "1", ports=ports)

    assert done.code == 0
    assert read(tmp_path / NIGHT)["progress"]["rounds"] == 5
    assert 66 <= ports.clock.now() - began <= 75


def test_findings_of_the_first_part_stay_findings(tmp_path: Path) -> None:
    """With their exchanges, and with the key as a variable."""
    ports = ports_to(lambda clock: MUTANTS["R11"](clock=clock))
    ran(*flags(URL, tmp_path, 30), ports=ports)
    [first] = read(tmp_path / "report.json")["violations"]
    ran(*flags(URL, tmp_path, 1), "--resume", ports=ports)

    [finding] = read(tmp_path / "report.json")["violations"]
    assert (finding["rule"], finding["id"]) == ("PAGE-5", first["id"])
    assert finding["script"][-1]["headers"][0] == ["x-arklow-auth", "$ARKLOW_API_KEY"]
    assert "good-key-one" not in (tmp_path / NIGHT).read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("{", "is not what a night leaves behind"),
        ('{"report": {}}', "is not what a night leaves behind"),
    ],
)
def test_a_missing_night_cannot_be_resumed(text: str | None, said: str, tmp_path: Path) -> None:
    """It is refused before anything is sent."""
    if text is not None:
        (tmp_path / NIGHT).write_text(text)

    done = ran(*flags(URL, tmp_path, 3), "--resume")

    assert done.code == 2
    assert said in done.errors


def test_the_night_of_another_target_is_not_resumed(tmp_path: Path) -> None:
    """Its interpretations and findings are not those of this one."""
    ran(*flags(URL, tmp_path, 2), ports=ports_to(lambda clock: ConformingServer(clock=clock)))

    done = ran(*flags("http://127.0.0.1:9", tmp_path, 3), "--resume")

    assert done.code == 2
    assert "the night in" in done.errors


# As a process


@contextmanager
def night(url: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a night in a process of its own."""
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = {**inherited, "HOME": str(directory)}
    command: list[str | Path] = [COMMAND, *flags(url, directory, 300)]
    with started(command, stdout=subprocess.DEVNULL, env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.slow
@pytest.mark.parametrize("scenarios", [0, 3])
def test_a_night_whose_process_is_killed_leaves_a_report_and_can_be_resumed(
    scenarios: int, tmp_path: Path
) -> None:
    """It is killed when its first report is there, or when a few scenarios are done."""

    def is_so_far() -> bool:
        reported = (tmp_path / "report.json").exists() and (tmp_path / NIGHT).exists()
        return reported and len(read(tmp_path / NIGHT)["progress"]["done"]) >= scenarios

    with serving(Interference(MachineClock())) as url:
        with night(url, tmp_path) as running:
            wait_until(is_so_far, "the state of the night")
            running.send_signal(signal.SIGKILL)
            running.wait()
        Draft202012Validator(read(SCHEMA)).validate(read(tmp_path / "report.json"))
        before = read(tmp_path / NIGHT)

        done = ran(*flags(url, tmp_path, 6), "--resume")

    after = read(tmp_path / NIGHT)
    assert done.code in (0, 3)
    assert after["progress"]["done"][: len(before["progress"]["done"])] == before["progress"]["done"]
    assert after["report"]["requests"] > before["report"]["requests"]
    assert after["report"]["run"] == before["report"]["run"]
