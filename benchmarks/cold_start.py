"""Seconds from a cold start to the first 200, against Prism.

    npm install --prefix DIR @stoplight/prism-cli@5.16.0
    python -m benchmarks.cold_start --prism DIR/node_modules/.bin/prism [--rounds 10]

The time runs from spawning the command to the first 200 for an ingress POST, sent again and again. The two are started in turn,
with warm caches and bytecode compiled as `make install` does. Ours is the installed `arklow-mock`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.processes import free_port, machine

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prism", default="prism")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    version = subprocess.run(
        [options.prism, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    ours: list[float] = []
    prism: list[float] = []
    for _ in range(options.rounds):
        port = free_port()
        ours.append(
            first_200(
                [
                    str(Path(sys.executable).parent / "arklow-mock"),
                    "--auto-define",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(port),
                    "--ingress-port",
                    "0",
                ],
                port,
            )
        )
        port = free_port()
        prism.append(
            first_200(
                [options.prism, "mock", "-p", str(port), str(ROOT / "spec" / "arklow.openapi.yaml")], port
            )
        )
    print(machine())
    for name, times in ((f"prism {version}", prism), ("arklow-mock", ours)):
        print(f"{name:<14} {statistics.median(times):5.2f} s   ({min(times):.2f} to {max(times):.2f})")
    ratios = [a / b for a, b in zip(ours, prism, strict=True)]
    print(f"ratio          {statistics.median(ratios):5.2f}     ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


def first_200(command: list[str], port: int) -> float:
    """Seconds from spawn to the first 200."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.perf_counter() - started < 60:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request(
                    "POST",
                    "/v1/ingress/x",
                    b'{"payload":1}',
                    {"x-arklow-auth": "org-42", "content-type": "application/json"},
                )
                if connection.getresponse().status == 200:
                    return time.perf_counter() - started
            if process.poll() is not None:
                break
            time.sleep(0.005)
        raise SystemExit(f"no 200 from {' '.join(command)}")
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
