"""The judge against the mock, over real sockets: it accuses nothing, reaches everything, and waits for restarts."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from contracts import (
    Credential,
    Plan,
    Run,
    RunFinished,
    Target,
)
from tests.running_mock import mock

COMMAND = Path(sys.executable).parent / "arklow-contracts"
KEYS = Credential("org-41", "41", "A"), Credential("org-42", "42", "B")


def test_the_mock_conforms_and_every_operation_is_reached(tmp_path: Path, seed: int) -> None:
    """One short run here; longer ones with more seeds by `make fuzz`. At least 20 answers of 200 each."""
    with mock() as running:
        first = [
            "--api-key",
            "org-41",
            "--org",
            "41",
            "--ingress-url",
            f"http://127.0.0.1:{running.ingress_port}",
        ]
        second = ["--second-api-key", "org-42", "--second-org", "42"]
        command = [str(COMMAND), "check", "--base-url", f"http://127.0.0.1:{running.port}", *first, *second]
        ran = subprocess.run(
            [*command, "--seed", str(seed), "--max-time", "12", "--report-dir", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=90,
        )

    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    print(report["served"], report["requests"], report["seconds"], report["cross_check"])
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout[-5_000:]
    assert (report["violations"], report["warnings"]) == ([], [])
    assert min(report["served"].values()) >= 20
    opinion = report["cross_check"]
    assert opinion["differences"] == []
    assert opinion["asked"] >= 100
    untested = [one["rule"] for one in report["not_verified"]]
    assert untested == ["PAGE-6", "PAGE-7"]  # no destination, so no timestamp and no `format: uri`


def test_a_target_that_is_restarted_five_times_is_never_accused() -> None:
    """It forgets definitions and actions and gives its ids again; that is interference too."""
    runs: list[RunFinished] = []
    with mock("--auto-define") as first:
        port, url = first.port, f"http://127.0.0.1:{first.port}"
    judge = threading.Thread(
        target=lambda: runs.append(Run(Plan(Target(url, url, *KEYS), seed=1, max_time=16)).judge())
    )
    for number in range(6):
        with mock("--auto-define", "--port", str(port)):
            if number == 0:
                judge.start()
            time.sleep(1.5 + number / 10)
    with mock("--auto-define", "--port", str(port)):
        judge.join()

    assert [finding.title for finding in runs[0].violations] == []
    assert runs[0].exit_code in (0, 3)
    assert runs[0].interference
