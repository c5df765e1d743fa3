"""What it costs to keep a world, to go back in it and to throw it away.

    python -m benchmarks.world [--actions 1000000]

No peer has snapshots of state. In one process, the services over the store as the server sets them up:

- bytes an action: resident memory of this process before and after, less the payloads;
- snapshot, restore after 1,000 changes and reset of 1,000 actions, each beside ever more stored actions;
- the longest pause of the event loop while a million actions are reset, restored and fall due by themselves: a task
  that asks for its turn every millisecond notes how late it comes. The same beside an empty store is what the
  machine does by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from benchmarks.processes import machine
from mock_server.adapters.clocks import ManualClock
from mock_server.adapters.id_suffixes import IdSuffixes
from mock_server.adapters.process_pool import PebbleProcessPool
from mock_server.adapters.webhook_client import WebhookClient
from mock_server.domain.interpretations import Interpretations
from mock_server.domain.json_text import Json
from mock_server.services.administration import Administration
from mock_server.services.deliveries import Deliveries
from mock_server.services.ingress import Ingress
from mock_server.services.payloads import PayloadSchemas
from mock_server.services.signals import Signals
from mock_server.services.timers import Timers
from mock_server.storage.memory import MemoryStore

PAYLOAD = b'{"order_id":"8471","total":12.5,"items":[{"sku":"a-1","quantity":2}]}'
SECOND = 1_000


class World:
    """A mock without HTTP, its machine clock moved by hand."""

    def __init__(self, journal: int = 2_000) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(2_000_000, 1 << 40, journal_limit=journal, suffix=IdSuffixes().of, seed=0)
        self.timers = Timers(self.store, self.clock, Deliveries(WebhookClient()))
        self.ingress = Ingress(
            self.store,
            self.timers,
            PayloadSchemas(PebbleProcessPool()),
            Interpretations(unknown_variant="made on the fly"),
        )
        self.signals = Signals(self.store, self.timers)
        self.administration = Administration(self.store, self.timers, most_due=10**9)

    async def accept(self, count: int, org_id: str = "1") -> list[str]:
        """Work, in slices as it would come over the network; the ids."""
        ids = []
        for number in range(count):
            payload = Json(b"%s%07d" % (PAYLOAD, number))
            action = await self.ingress.accept(org_id, "v", payload, metadata=b"", tags=(), version=None)
            ids.append(action.id)
            if number % 50 == 49:
                await asyncio.sleep(0)
        return ids


async def costs(stored: int) -> dict[str, float]:
    """Milliseconds of each command beside `stored` actions of the same organisation."""
    world = World()
    await world.administration.clock.set("1", frozen=True, to=None)
    ids = await world.accept(stored)
    taken: dict[str, list[float]] = {"snapshot": [], "restore": [], "reset": []}
    for turn in range(20):
        began = time.perf_counter()
        world.administration.snapshots.take("1", f"s{turn}")
        taken["snapshot"].append(time.perf_counter() - began)
        for number in range(1_000):
            await world.signals.modack("1", ids[number * stored // 1_000], 0, 30 + number % 60)
        began = time.perf_counter()
        await world.administration.snapshots.restore("1", f"s{turn}")
        taken["restore"].append(time.perf_counter() - began)
        await world.accept(1_000, "2")
        began = time.perf_counter()
        await world.administration.reset("2")
        taken["reset"].append(time.perf_counter() - began)
        while world.store.sweep():
            pass
    return {name: statistics.median(times) * 1_000 for name, times in taken.items()}


async def pause(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    """The longest delay, in milliseconds, of a task that wants its turn every millisecond."""
    worst = 0.0
    over = False

    async def beat() -> None:
        nonlocal worst
        while not over:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, (time.perf_counter() - began) * 1_000 - 1)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    worst = 0.0
    await work()
    over = True
    await beating
    return worst


async def pauses(count: int) -> dict[str, float]:
    """The longest pause in each case."""
    world = World()
    found = {}

    async def nothing() -> None:
        await asyncio.sleep(3)

    async def accept() -> None:
        await world.accept(count)

    async def snapshot() -> None:
        world.administration.snapshots.take("1", "s")

    async def expire() -> None:
        world.clock.advance(60 * SECOND)
        world.timers.cancel_alarm(world.store.organisation("1"))
        world.timers.set_alarm(world.store.organisation("1"))
        while world.store.organisation("1").action_table.next_check() <= world.clock.now():
            await asyncio.sleep(0.01)

    async def restore() -> None:
        await world.administration.snapshots.restore("1", "s")
        await asyncio.sleep(1)

    async def reset() -> None:
        world.administration.snapshots.delete("1", "s")
        await world.administration.reset("1")
        while world.store.sweep():
            await asyncio.sleep(0.005)

    found["nothing to do"] = await pause(nothing)
    found[f"accept {count:,}"] = await pause(accept)
    found["snapshot"] = await pause(snapshot)
    found["all fall due"] = await pause(expire)
    found["restore after all changed"] = await pause(restore)
    found["reset, and all freed"] = await pause(reset)
    return found


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


async def memory(count: int) -> tuple[float, float]:
    """Bytes an action beyond its payload: fresh ones, and with a full history of events."""
    world = World()
    await world.administration.clock.set("1", frozen=True, to=None)
    gc.collect()
    before = resident()
    await world.accept(count)
    gc.collect()
    length = len(PAYLOAD) + 7
    fresh = (resident() - before) / count - length
    for _ in range(6):
        await world.administration.clock.advance("1", 60 * SECOND)
    gc.collect()
    return fresh, (resident() - before) / count - length


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--actions", type=int, default=1_000_000)
    options = parser.parse_args()
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 4, 1_000_000)  # as the server has it
    print(machine())
    fresh, full = asyncio.run(memory(options.actions))
    print(
        f"{options.actions:,} actions: {fresh:.0f} bytes each beyond the payload, {full:.0f} with 16 events each"
    )
    print(f"{'stored':>10} {'snapshot':>12} {'restore':>12} {'reset':>12}   (ms, median of 20)")
    for stored in (1_000, 10_000, 100_000, options.actions):
        taken = asyncio.run(costs(stored))
        print(
            f"{stored:>10,}" + "".join(f" {taken[name]:12.3f}" for name in ("snapshot", "restore", "reset"))
        )
    for case, worst in asyncio.run(pauses(options.actions)).items():
        print(f"longest pause, {case}: {worst:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
