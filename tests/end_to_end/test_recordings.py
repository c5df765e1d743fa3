"""The mock records a run of the judge; judged once more, its archive breaks nothing, and enough of it is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts import (
    Credential,
    Plan,
    Run,
    Target,
)
from tests.running_mock import RunningMock, mock

COMMAND = Path(sys.executable).parent / "arklow-contracts"
KEYS = Credential("org-41", "41", "A"), Credential("org-42", "42", "B")


def exported(running: RunningMock, org: str, file: Path) -> Path:
    """Return the journal of an organisation as the admin plane exports it."""
    reply = running.command("GET", f"/organisations/{org}/journal.har")
    assert reply.status == 200
    file.write_bytes(reply.body)
    return file


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Archives that the mock recorded of a few seconds of the judge, one for each organisation."""
    folder = tmp_path_factory.mktemp("archives")
    with mock("--journal", "100000") as running:
        url, ingress = (f"http://127.0.0.1:{port}" for port in (running.port, running.ingress_port))
        Run(Plan(Target(url, ingress, *KEYS), seed=1, max_time=5)).judge()
        return [exported(running, one.org, folder / f"{one.org}.har") for one in KEYS]


def judge(*arguments: Any, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [COMMAND, "judge", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("key", [[], ["--api-key", "org-41", "--org", "41"]])
def test_the_mocks_own_archive_breaks_nothing(archives: list[Path], key: list[str], tmp_path: Path) -> None:
    """It has more than a thousand exchanges; keys are redacted, and some bodies are cut."""
    ran = judge(*archives, *key, "--strict", "--report-dir", tmp_path, cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout[-3_000:]
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["requests"] > 1_000
    assert {"PAGE-1", "PAGE-4", "PAGE-5", "PAGE-9", "JSON-5", "JSON-7", "JSON-8"} <= report["tested"].keys()
    assert min(report["served"].values()) > 10


def test_an_injected_fault_is_not_judged(tmp_path: Path) -> None:
    """A mock that answers 500 on request has done what it was asked for."""
    with mock() as running:
        for fault in ("500", "404"):
            running.call("POST", f"/v1/modack?__code={fault}", {"action_record_id": "1"})
        file = exported(running, "42", tmp_path / "fault.har")

    ran = judge(file, cwd=tmp_path)

    assert ran.returncode == 3
    assert "fault that was asked for  2" in ran.stdout
