"""A day in seconds: 10,000 actions over 24 virtual hours, settled, extended, deferred and timed out.

    python -m benchmarks.day [--actions 10000] [--runs 20]

No peer has a clock that can be moved. One process runs all of the mock but HTTP: services, domain, store, journal. A plan,
drawn with a seed, accepts the actions during the first half of the day and sends signals to each of them, most of them 1 ms
before, at, or 1 ms after the end of a lease. What the documentation says of each signal is computed here and compared.
Figures: seconds, events by kind, signals at each boundary, and a digest of the whole journal, which has to be the same in
all runs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import sys
import time
from collections import Counter
from hashlib import sha256
from heapq import heapify, heappop, heappush

from benchmarks.processes import machine
from mock_server.adapters.clocks import ManualClock
from mock_server.adapters.id_suffixes import IdSuffixes
from mock_server.adapters.process_pool import PebbleProcessPool
from mock_server.adapters.webhook_client import WebhookClient
from mock_server.domain.errors import DeferredAction, FinishedAction, SettleRefused, StaleAttempt
from mock_server.domain.json_text import EMPTY_OBJECT
from mock_server.domain.ports import Organisation
from mock_server.domain.states import Event
from mock_server.services.administration import Administration
from mock_server.services.definitions import Definitions
from mock_server.services.deliveries import Deliveries
from mock_server.services.ingress import Ingress
from mock_server.services.payloads import PayloadSchemas
from mock_server.services.signals import Signals
from mock_server.services.timers import Timers
from mock_server.storage.memory import MemoryStore

START = 1_767_225_600_000
SECOND = 1_000
LEASE = 60 * SECOND
DAY = 86_400 * SECOND
"""Times are milliseconds."""
COUNTED = {Event.EXTEND, Event.ACK, Event.NACK, Event.SCHEDULE, Event.DEFER, Event.EXPIRE, Event.DELIVER}
"""Events whose number is printed."""


class Expected:
    """One action as the documentation describes it: its attempt, and until when that is held."""

    __slots__ = ("attempt", "custody", "end", "id", "over", "until", "waits")

    def __init__(self, id: str, now: int) -> None:
        self.id = id
        self.attempt = 0
        self.until = now + LEASE
        self.end = now + DAY
        self.waits = False
        """Whether an attempt has ended and the next begins at `until`."""
        self.custody = self.over = False

    def pass_to(self, now: int) -> None:
        """Let time pass: an unsettled action gets the next attempt (B101), until the lifetime is over (B106)."""
        while not self.over and self.until <= now:
            if self.custody or self.until >= self.end:
                self.over = True
            else:
                self.attempt += 1
                self.until = min(self.until + LEASE, self.end)
                self.waits = False

    def refusal(self, call: str, attempt: int) -> type[SettleRefused] | None:
        """The refusal of a signal now, None when it is accepted (B120, B134, B143)."""
        if self.over:
            return FinishedAction
        if attempt < self.attempt or self.waits:
            return StaleAttempt
        return DeferredAction if self.custody and call in ("nack", "nack_at") else None


def plan(count: int) -> tuple[list[int], list[list[tuple[str, int, int]]]]:
    """(when each action is accepted, its signals as (signal, milliseconds from the end of the lease, seconds))."""
    chance = random.Random(2026)
    accepted = sorted(START + chance.randrange(DAY // 2) for _ in range(count))
    calls = []
    for _ in range(count):
        own = []
        for _ in range(chance.randint(3, 5)):
            offset = chance.choice([-1, 0, 1, -1, 0, 1, -30_000, 150_000])
            seconds = round(21_600 ** chance.random())  # 1 s to 6 h
            own.append(
                (chance.choice(["extend", "extend", "extend", "nack", "nack_at", "defer"]), offset, seconds)
            )
        own.append(("ack", chance.choice([-1, 0, 1]), 1))
        calls.append(own)
    return accepted, calls


class Day:
    """One run: a mock of its own, on a frozen clock."""

    def __init__(self) -> None:
        store = MemoryStore(10**7, 1 << 40, journal_limit=10**7, suffix=IdSuffixes().of, seed=7)
        clock = ManualClock(START)
        self.timers = Timers(store, clock, Deliveries(WebhookClient()))
        self.schemas = PayloadSchemas(PebbleProcessPool())
        self.ingress = Ingress(store, self.timers, self.schemas)
        self.definitions = Definitions(store, self.schemas, strict=False)
        self.signals = Signals(store, self.timers)
        self.administration = Administration(store, self.timers)
        self.organisation: Organisation = store.organisation("42")
        self.hits: Counter[int] = Counter()

    async def run(self, accepted: list[int], calls: list[list[tuple[str, int, int]]]) -> None:
        """Carry out the plan, each step at its time."""
        await self.administration.clock.set("42", frozen=True, to=START)
        await self.definitions.put("42", "v", EMPTY_OBJECT, alias=None, version=None)
        now = START
        known: list[Expected | None] = [None] * len(accepted)
        agenda = [(at, number, 0) for number, at in enumerate(accepted)]
        heapify(agenda)
        while agenda:
            at, number, step = heappop(agenda)
            if at > now:
                await self.administration.clock.advance("42", at - now)
                now = at
            action = known[number]
            if action is None:
                new = await self.ingress.accept("42", "v", EMPTY_OBJECT, metadata=b"", tags=(), version=None)
                known[number] = action = Expected(new.id, now)
            else:
                await self.call(action, calls[number][step - 1], now)
            if step < len(calls[number]) and not action.over:
                heappush(agenda, (max(now, action.until + calls[number][step][1]), number, step + 1))
            elif not action.over:  # a settle that came too late is sent for the next attempt
                heappush(agenda, (action.until + (1 if action.waits else -1), number, step))
        await self.administration.clock.advance("42", START + 2 * DAY - now)

    async def call(self, action: Expected, planned: tuple[str, int, int], now: int) -> None:
        """Send a signal for the attempt that was held when it was planned, and compare its result with what is expected."""
        call, _, seconds = planned
        if action.waits:
            action.pass_to(now)
        attempt, distance = action.attempt, now - action.until
        if not action.waits:
            self.hits[distance] += 1
        action.pass_to(now)
        expected = action.refusal(call, attempt)
        refused: type[SettleRefused] | None = None
        try:
            if call == "extend":
                await self.signals.modack("42", action.id, attempt, seconds)
            elif call == "ack":
                await self.signals.ack("42", action.id, attempt)
            elif call == "defer":
                await self.signals.defer("42", action.id, attempt)
            else:
                retry_at = now // SECOND + seconds if call == "nack_at" else None
                await self.signals.nack("42", action.id, attempt, retry=True, retry_at=retry_at)
        except SettleRefused as error:
            refused = type(error)
        assert refused is expected, f"{call} at {distance:+} ms: expected {expected}, got {refused}"
        if refused:
            return
        if call == "extend":
            action.until = min(now + seconds * SECOND, action.end)
        elif call == "ack":
            action.over = True
        elif call == "defer":
            action.until = action.until if action.custody else min(now + LEASE, action.end)
            action.custody = True
        else:
            kept = self.organisation.action(action.id)
            assert kept is not None
            pause = kept.available_at - now
            if call == "nack_at":
                assert kept.available_at == max(now, min((now // SECOND + seconds) * SECOND, action.end))
            else:
                assert pause <= 75 * SECOND
                assert pause >= SECOND or kept.available_at == action.end
            action.until = kept.available_at
            action.waits = True
            action.pass_to(now)

    def journal(self) -> tuple[Counter[Event], str]:
        """(number of events by kind, digest of all entries)."""
        digest = sha256()
        kinds: Counter[Event] = Counter()
        for entry in self.organisation.journal.entries():
            digest.update(repr(tuple(entry)).encode())
            event = getattr(entry, "event", None)
            if event is not None:
                kinds[event.kind] += 1
        return kinds, digest.hexdigest()


def main() -> int:
    """Run it several times and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    accepted, calls = plan(options.actions)
    gc.set_threshold(5_000, 4, 1_000_000)  # as the server sets it
    seconds, digests = [], set()
    for _ in range(options.runs):
        day = Day()
        started = time.perf_counter()
        asyncio.run(day.run(accepted, calls))
        seconds.append(time.perf_counter() - started)
        kinds, digest = day.journal()
        digests.add(digest)
    counted = {event.value: kinds[event] for event in Event if event in COUNTED}
    print(machine())
    print(f"{options.actions} actions, {sum(counted.values())} counted transitions: {counted}")
    print(
        f"boundaries: {day.hits[-1]} at t-1 ms, {day.hits[0]} at t, {day.hits[1]} at t+1 ms, all as expected"
    )
    print(
        f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), {options.runs} runs"
    )
    print(f"journal digests: {len(digests)}, {digest[:16]}…")
    return 0 if len(digests) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
