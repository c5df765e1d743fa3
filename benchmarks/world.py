"""What actions cost in memory, and what it costs to snapshot, restore and reset them.

    python -m benchmarks.world [--actions 1000000]

No peer has snapshots of state. One process runs the services over the store as the server sets them up:

- bytes of an action: resident memory of this process before and after, without the payloads;
- snapshot, restore after 1,000 changes, and reset of 1,000 actions, each beside a growing number of stored actions;
- the longest pause of the event loop while a million actions are reset, restored and fall due: a task that asks for its
  turn every millisecond measures how late it comes. The same beside an empty store is the machine's own noise.
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
    """A mock without HTTP, on a manual clock."""

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
        """Accept work in portions, as it would come over the network. Return the ids of the actions."""
        ids = []
        for number in range(count):
            payload = Json(b"%s%07d" % (PAYLOAD, number))
            action = await self.ingress.accept(org_id, "v", payload, metadata=b"", tags=(), version=None)
            ids.append(action.id)
            if number % 50 == 49:
                await asyncio.sleep(0)
        return ids


async def costs(stored: int) -> dict[str, float]:
    """Command → milliseconds beside `stored` actions of the same organisation."""
    world = World()
    await world.administration.clock.set("1", frozen=True, to=None)
    ids = await world.accept(stored)
    seconds: dict[str, list[float]] = {"snapshot": [], "restore": [], "reset": []}
    for turn in range(20):
        began = time.perf_counter()
        world.administration.snapshots.take("1", f"s{turn}")
        seconds["snapshot"].append(time.perf_counter() - began)
        for number in range(1_000):
            await world.signals.modack("1", ids[number * stored // 1_000], 0, 30 + number % 60)
        began = time.perf_counter()
        await world.administration.snapshots.restore("1", f"s{turn}")
        seconds["restore"].append(time.perf_counter() - began)
        await world.accept(1_000, "2")
        began = time.perf_counter()
        await world.administration.reset("2")
        seconds["reset"].append(time.perf_counter() - began)
        while world.store.sweep():
            pass
    return {name: statistics.median(times) * 1_000 for name, times in seconds.items()}


async def pause(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    """The longest delay, in milliseconds, of a task that asks for its turn every millisecond."""
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
    """Case → longest pause in milliseconds."""
    world = World()
    found = {}

    async def idle() -> None:
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

    found["nothing to do"] = await pause(idle)
    found[f"accept {count:,}"] = await pause(accept)
    found["snapshot"] = await pause(snapshot)
    found["all fall due"] = await pause(expire)
    found["restore after all changed"] = await pause(restore)
    found["reset, and all freed"] = await pause(reset)
    return found


def resident() -> int:
    """Bytes of resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


async def memory(count: int) -> tuple[float, float]:
    """(bytes of a fresh action, bytes of one with a full history), both without the payload."""
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
    gc.set_threshold(5_000, 4, 1_000_000)  # as the server sets it
    print(machine())
    fresh, full = asyncio.run(memory(options.actions))
    print(
        f"{options.actions:,} actions: {fresh:.0f} bytes each beyond the payload, {full:.0f} with 16 events each"
    )
    print(f"{'stored':>10} {'snapshot':>12} {'restore':>12} {'reset':>12}   (ms, median of 20)")
    for stored in (1_000, 10_000, 100_000, options.actions):
        milliseconds = asyncio.run(costs(stored))
        print(
            f"{stored:>10,}"
            + "".join(f" {milliseconds[name]:12.3f}" for name in ("snapshot", "restore", "reset"))
        )
    for case, worst in asyncio.run(pauses(options.actions)).items():
        print(f"longest pause, {case}: {worst:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
