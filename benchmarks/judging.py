"""Measures how many requests a second the judge sends, with its validators and its model on every answer.

    python -m benchmarks.judging [--rounds 5] [--seconds 15]

The judge and stock Schemathesis take turns against one mock. Seconds are those of the whole command, with its start and
its reports; CPU is that of the command alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import free_port, machine, server

BOUND = 500
"""Requests a second that the median of the rounds must reach."""
BIN = Path(sys.executable).parent
DOCUMENT = Path(__file__).resolve().parents[1] / "spec" / "arklow.openapi.yaml"


def main() -> int:
    """Print the rounds and their median; exit code 1 where the median is below the bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    print(machine())
    port = free_port()
    mock = [str(BIN / "arklow-mock"), "serve", "--port", str(port), "--no-admin"]
    rates = []
    with server(mock, port):
        url = f"http://127.0.0.1:{port}"
        for number in range(1, options.rounds + 1):
            sent, seconds, cpu = judged(url, number, options.seconds)
            rates.append(sent / seconds)
            show("ours", sent, seconds, cpu)
            show("stock", *stock(url, number))
    median = statistics.median(rates)
    print(f"median {median:.0f} requests/s, to be at least {BOUND}")
    return 0 if median >= BOUND else 1


def show(tool: str, sent: int, seconds: float, cpu: float) -> None:
    """Print one line for a round: requests sent, seconds, and seconds of CPU."""
    rate = f"{sent:,} requests in {seconds:.1f} s: {sent / seconds:.0f}/s"
    print(f"{tool} {rate}, {1e3 * cpu / sent:.2f} ms CPU each", flush=True)


def judged(url: str, seed: int, seconds: float) -> tuple[int, float, float]:
    """Requests, seconds, and seconds of CPU of one run of our judge."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(str(BIN / "arklow-contracts"), "check", "--base-url", url, "--api-key", "org-1", "--org", "1"),
            *("--second-api-key", "org-2", "--second-org", "2", "--max-time", str(seconds)),
            *("--seed", str(seed), "--report-dir", folder),
        ]
        taken, cpu, output = timed(command)
        report = json.loads((Path(folder) / "report.json").read_text("utf-8"))
        if report["exit_code"]:
            raise SystemExit(output)
        return report["requests"], taken, cpu


def stock(url: str, seed: int) -> tuple[int, float, float]:
    """Test cases, seconds, and seconds of CPU of one `schemathesis run` without settings."""
    command = [
        *(str(BIN / "schemathesis"), "run", str(DOCUMENT), "--url", url, "-H", "x-arklow-auth: org-1"),
        *("--seed", str(seed), "--no-color"),
    ]
    taken, cpu, output = timed(command)
    counted = re.search(r"([\d,]+) generated", output)
    if counted is None:
        raise SystemExit(output)
    return int(counted[1].replace(",", "")), taken, cpu


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds and seconds of CPU of a command, and its output."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=os.environ, check=False
        )
    taken, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return taken, cpu, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
