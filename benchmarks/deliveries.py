"""What bad receivers and a thousand deliveries at once do to the requests of other clients.

    python -m benchmarks.deliveries [--rounds 5] [--seconds 4]

One connection posts work without pause to an organisation without destinations. Meanwhile no webhook is called (calm), or a
thousand actions of another organisation become due at once, whose receiver acks, never answers, sends 1 GiB, or breaks off in
the middle of its answer. Figures: the 99th percentile of the time to an answer against that of the calm of the same round, the
states of the thousand actions, and the memory of the mock.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import free_port, machine, server

HEADERS = {"content-type": "application/json"}
TOKEN = "a-token-of-the-benchmarks"
MANY = 1_000
"""Actions that become due at once."""
CASES = ("acks", "hangs", "floods", "breaks off")


def main() -> int:
    """Run every case in every round and print one line each."""
    if sys.argv[1:2] == ["--receive"]:
        asyncio.run(receive([int(port) for port in sys.argv[2:]]))
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    ports = {case: free_port() for case in CASES}
    control, ingress, admin = free_port(), free_port(), free_port()
    command = [sys.executable, "-m", "mock_server", "--host", "127.0.0.1", "--admin-host", "127.0.0.1"]
    command += ["--port", str(control), "--ingress-port", str(ingress), "--admin-port", str(admin)]
    receiver = [sys.executable, "-m", "benchmarks.deliveries", "--receive", *map(str, ports.values())]
    print(machine())
    with (
        server([*command, "--admin-token", TOKEN, "--auto-define"], control) as mock,
        server(receiver, ports["acks"]),
    ):
        mock_at = Client(control, {"x-arklow-auth": "org-42"})
        plane = Client(admin, {"authorization": f"Bearer {TOKEN}"})
        warm_up(mock_at)
        calm: list[float] = []
        ratios: dict[str, list[float]] = {case: [] for case in CASES}
        org = 1_000
        for _ in range(options.rounds):
            quiet = p99(latencies(mock_at, options.seconds))
            calm.append(quiet)
            for case in CASES:
                org += 1
                prepare(plane, Client(control, {"x-arklow-auth": f"org-{org}"}), org, ports[case])
                plane.ask("PUT", f"/organisations/{org}/links", {"variant": "v", "destinations": ["d"]})
                ratios[case].append(p99(latencies(mock_at, options.seconds)) / quiet)
                print(f"{case:<11} {states(plane, control, org)}; {memory(mock)} MiB", flush=True)
                plane.ask("POST", f"/organisations/{org}/reset")
                time.sleep(0.3)
        print(
            f"{'calm':<11} p99 {statistics.median(calm) * 1000:.2f} ms ({spread([c * 1000 for c in calm])})"
        )
        for case in CASES:
            print(f"{case:<11} p99 {statistics.median(ratios[case]):.2f} × calm ({spread(ratios[case])})")
    return 0


class Client:
    """One connection with its headers."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = HEADERS | headers

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The member `data` of an answer, whose status is 200."""
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (answer.status, content)
        return json.loads(content)["data"]


def warm_up(mock: Client) -> None:
    """Have all loaded that the mock loads with the first requests."""
    latencies(mock, 1)


def prepare(plane: Client, mock: Client, org: int, port: int) -> None:
    """Make an organisation with a thousand actions that wait for their destination."""
    plane.ask("PUT", f"/organisations/{org}/worker", {"default": "wait"})
    config = {"url": f"http://127.0.0.1:{port}/hook"}
    plane.ask(
        "PUT", f"/organisations/{org}/destinations", {"label": "d", "type": "webhook", "config": config}
    )
    for n in range(MANY):
        mock.ask("POST", "/v1/ingress/v", {"payload": {"n": n}})


def latencies(mock: Client, seconds: float) -> list[float]:
    """Seconds to each answer of a client that posts every other millisecond."""
    found = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        mock.ask("POST", "/v1/ingress/v", {"payload": {"order_id": "8471"}})
        found.append(time.perf_counter() - began)
        time.sleep(0.002)
    return found


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[-1]


def spread(values: list[float]) -> str:
    """The least and the greatest value."""
    return f"{min(values):.2f} to {max(values):.2f}"


def states(plane: Client, control: int, org: int) -> str:
    """The number of an organisation's actions in each state."""
    mock = Client(control, {"x-arklow-auth": f"org-{org}"})
    for _ in range(100):  # until none changes between two requests
        counts = {}
        for status in ("succeeded", "running", "retrying", "dispatch_wait", "ack_wait"):
            query = f"/v1/orgs/{org}/actions/records?status={status}&count_only=true"
            if count := mock.ask("GET", query)["count"]:
                counts[status] = count
        if sum(counts.values()) == MANY:
            break
    else:
        raise AssertionError(f"of {MANY} there are {counts}")
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def memory(process: int) -> int:
    """MiB of resident memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1_024
    raise AssertionError("no such process")


async def receive(ports: list[int]) -> None:
    """Run the four receivers, each on a port of its own."""
    ack = b"HTTP/1.1 200 OK\r\nx-arklow-signaling: ack\r\ncontent-length: %d\r\n\r\n"

    async def acks(writer: asyncio.StreamWriter) -> None:
        writer.write(ack % 0)

    async def hangs(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def floods(writer: asyncio.StreamWriter) -> None:
        writer.write(ack % (1 << 30))
        for _ in range(1 << 14):
            writer.write(b"x" * (1 << 16))
            await writer.drain()

    async def breaks_off(writer: asyncio.StreamWriter) -> None:
        writer.write(ack % 1_000 + b"x" * 500)

    def served(behave: Any) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                if await reader.read(65_536):
                    await behave(writer)
                writer.close()

        return serve

    behaviours = (acks, hangs, floods, breaks_off)
    servers = [
        await asyncio.start_server(served(behave), "127.0.0.1", port)
        for behave, port in zip(behaviours, ports, strict=True)
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    sys.exit(main())
