"""The mock records a run of the judge; judged once more, its archive breaks nothing, and enough of it is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contracts import Plan, Run, Target
from contracts.transport.throttle import Limits
from tests.contracts.asgi import KEYS, judged_on
from tests.contracts.commands import ran
from tests.running_mock import Mock, mock
from tests.still_mock import StillMock

COMMAND = Path(sys.executable).parent / "arklow-contracts"


def exported(served: Mock, org: str, file: Path) -> Path:
    """Return the journal of an organisation as the admin plane exports it."""
    reply = served.command("GET", f"/organisations/{org}/journal.har")
    assert reply.status == 200
    file.write_bytes(reply.body)
    return file


def test_the_mocks_own_archives_break_nothing(tmp_path: Path) -> None:
    """One for each organisation, of more than a thousand exchanges; keys are redacted, and some bodies are cut.

    It makes no difference whether the judge is told a key.
    """
    with StillMock(journal=100_000) as still:
        judged_on(still, max_time=160)
        archives = [exported(still, one.org, tmp_path / f"{one.org}.har") for one in KEYS]

    for key in ((), ("--api-key", "org-41", "--org", "41")):
        judged = ran("judge", *archives, *key, "--strict", "--report-dir", tmp_path)
        report = json.loads((tmp_path / "report.json").read_text("utf-8"))

        assert (judged.code, judged.errors) == (0, ""), judged.out[-3_000:]
        assert report["requests"] > 1_000
        assert report["tested"].keys() >= {
            "PAGE-1",
            "PAGE-4",
            "PAGE-5",
            "PAGE-9",
            "JSON-5",
            "JSON-7",
            "JSON-8",
        }
        assert min(report["served"].values()) > 10


def test_an_injected_fault_is_not_judged(tmp_path: Path) -> None:
    """A mock that answers 500 on request has done what it was asked for."""
    with StillMock() as still:
        for fault in ("500", "404"):
            still.call("POST", f"/v1/modack?__code={fault}", {"action_record_id": "1"})
        file = exported(still, "42", tmp_path / "fault.har")

    judged = ran("judge", file)

    assert judged.code == 3
    assert "2 fault that was asked for" in judged.out


@pytest.mark.slow
def test_what_two_processes_have_recorded_and_judge_breaks_nothing(tmp_path: Path) -> None:
    """The same with the command, and with a mock that was judged over sockets."""
    with mock("--journal", "100000") as running:
        url, ingress = (f"http://127.0.0.1:{port}" for port in (running.port, running.ingress_port))
        limits = Limits(requests=1_500)
        Run(Plan(Target(url, ingress, *KEYS), seed=1, max_time=600, limits=limits, steady=True)).judge()
        files = [exported(running, one.org, tmp_path / f"{one.org}.har") for one in KEYS]
    judged = subprocess.run(
        [COMMAND, "judge", *files, "--strict"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )

    assert (judged.returncode, judged.stderr) == (0, ""), judged.stdout[-3_000:]
