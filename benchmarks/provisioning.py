"""What it costs to provision an organisation from the template of a seed file, on its first use.

    python -m benchmarks.provisioning [--organisations 64] [--runs 5]

The template has 20 definitions with schemas and aliases, 5 destinations, links, scripts for the worker, and 50 actions
in mixed states. One process runs the services over the store as the server sets them up. The file is read and checked
once, as at the start of a mock, and that time is printed separately.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from arklow_local.formats.yaml_writer import write
from benchmarks.processes import machine
from mock_server.app import create_app
from mock_server.settings import Settings

STATUSES = [
    *("queued", "dispatch_wait", "scheduled", "retrying", "running", "ack_wait", "deferred"),
    *("succeeded", "failed", "canceled", None),
]


def template() -> dict[str, Any]:
    """A template such as a team would write."""
    schema = {
        "type": "object",
        "required": ["order_id", "lines"],
        "properties": {
            "order_id": {"type": "string", "pattern": "^[0-9]+$"},
            "total": {"type": "number", "minimum": 0},
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["sku"],
                    "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}},
                },
            },
        },
    }
    webhook = {"url": "http://localhost:8080/hooks", "headers": {"x-team": "orders"}}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("webhook", webhook),
        ("webhook", webhook | {"signaling": {"enabled": True, "default": "ack"}}),
        ("sdk", {"namespace": "shop"}),
        ("default_sink", {}),
        ("aws_sqs", {"queue_url": "http://localhost/q"}),
    ]
    actions = []
    for number in range(50):
        action: dict[str, Any] = {
            "variant": f"order.event-{number % 20}",
            "payload": {"order_id": str(number), "total": 12.5, "lines": [{"sku": "a-1", "quantity": 2}]},
            "tags": {"shop": "north"},
        }
        status = STATUSES[number % len(STATUSES)]
        if status:
            action |= {"status": status, "accepted_ago": 600}
            if status not in ("queued", "dispatch_wait", "canceled"):
                action["attempt"] = number % 4
        actions.append(action)
    return {
        "clock": {"mode": "frozen", "now": "2030-01-01T00:00:00Z"},
        "worker": {
            "default": "hold",
            "variants": {f"order.event-{n}": ["nack", {"do": "ack", "after": 2}] for n in range(5, 10)},
        },
        "destinations": [
            {"label": f"destination-{n}", "type": kind, "config": config, "tags": {"team": "a"}}
            | ({"credential": {"headers": {"authorization": "Bearer x"}}} if kind == "webhook" else {})
            for n, (kind, config) in enumerate(kinds)
        ],
        "definitions": [
            {
                "variant": f"order.event-{n}",
                "alias": [f"event-{n}", f"e{n}"],
                "schema": schema,
                **({"destinations": [f"destination-{n % 3 + 2}"]} if n >= 10 else {}),
            }
            for n in range(20)
        ],
        "actions": actions,
    }


async def run(organisations: int, file: Path) -> tuple[float, list[float]]:
    """(seconds to read and check the file, milliseconds of each first use)."""
    app = create_app(Settings(seed_file=file))
    try:
        began = time.perf_counter()
        await app.read_seed()
        read = time.perf_counter() - began
        gc.collect()
        gc.freeze()  # as the server does before it serves
        gc.set_threshold(5_000, 4, 1_000_000)
        milliseconds = []
        async with app.running():
            for number in range(organisations):
                began = time.perf_counter()
                organisation = app.store.organisation(str(number))
                milliseconds.append((time.perf_counter() - began) * 1_000)
                assert organisation.action_table.count == 50
                await asyncio.sleep(0)
        return read, milliseconds
    finally:
        app.close()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--organisations", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    gc.set_threshold(5_000, 4, 1_000_000)  # as the server sets it
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "seed.yaml"
        file.write_text(write({"template": template()}), "utf-8")
        print(f"template of {file.stat().st_size:,} bytes; {options.organisations} fresh organisations a run")
        for _ in range(options.runs):
            read, milliseconds = asyncio.run(run(options.organisations, file))
            print(
                f"read and checked in {read * 1_000:6.1f} ms; provisioned in {statistics.median(milliseconds):.3f} ms (median), "
                f"{max(milliseconds):.3f} ms (worst), {sum(milliseconds):.1f} ms in all"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
