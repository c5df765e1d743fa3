"""Measures how long a linearizability check takes: histories of 16 clients, correct ones and ones with one defect.

    python -m benchmarks.linear [--seed 1] [--rounds 5]

The clients are simulated, so that the machine has no part in the histories. Each client sends its next call when the
last one came back; a call takes effect at a moment drawn within its window, and the server does the calls in the order
of these moments. Half of the calls change something. A hundredth gets no answer and takes effect later or never.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, NamedTuple

from benchmarks.processes import machine
from contracts.model.histories import REFUSED, ExplicitVersions, ImplicitVersions, Settlement
from contracts.model.linearizability import Call, Specification, check_history

BOUND = 2.0
"""Seconds that no check may exceed, ten thousand calls included."""


@dataclass
class Versioned:
    """A server whose puts add one to a version, and lose an update at the put of a key that `lost` names.

    It loses `often` updates in a row, since a put without an answer shows nothing.
    """

    lost: dict[Hashable, int] = field(default_factory=dict)
    often: int = 1
    versions: dict[Hashable, int] = field(default_factory=dict)
    puts: dict[Hashable, int] = field(default_factory=dict)

    def ask(self, chance: random.Random, number: int) -> Any:
        """Draw a call: half are puts, half work."""
        return ("put", number) if chance.random() < 0.5 else ("ingress",)

    def do(self, key: Hashable, op: Any) -> Any:
        """Carry out a call on a key, and return the answer."""
        if op[0] == "put":
            self.puts[key] = self.puts.get(key, 0) + 1
            first = self.lost.get(key, math.inf)
            if not first <= self.puts[key] < first + self.often:
                self.versions[key] = self.versions.get(key, 0) + 1
        return ("ok", self.versions[key], "d") if key in self.versions else REFUSED


@dataclass
class Stored:
    """A server that stores the versions that are sent, and forgets the last 60 at the work of a key that `lost` names.

    It forgets them `often` times in a row, since work that takes long may have been done before these puts.
    """

    lost: dict[Hashable, int] = field(default_factory=dict)
    often: int = 1
    stored: dict[Hashable, list[int]] = field(default_factory=dict)
    works: dict[Hashable, int] = field(default_factory=dict)
    highest: bool = False

    def ask(self, chance: random.Random, number: int) -> Any:
        """Draw a call: half are puts, half work; versions rise, but not always."""
        return ("put", number ^ 31) if chance.random() < 0.5 else ("ingress",)

    def do(self, key: Hashable, op: Any) -> Any:
        """Carry out a call on a key, and return the answer."""
        stored = self.stored.setdefault(key, [])
        if op[0] == "put":
            stored.append(op[1])
            return "ok", op[1], "d"
        self.works[key] = self.works.get(key, 0) + 1
        first = self.lost.get(key, math.inf)
        seen = stored[:-60] if first <= self.works[key] < first + self.often else stored
        return ("ok", max(seen) if self.highest else seen[-1], "d") if seen else REFUSED


@dataclass
class Held:
    """A server of actions that the first ack settles, and that forgets one ack of each key in `lost`."""

    lost: dict[Hashable, int] = field(default_factory=dict)
    acks: dict[Hashable, int] = field(default_factory=dict)

    def ask(self, chance: random.Random, number: int) -> Any:
        """Draw a call: nine of ten are extensions."""
        return "ack" if chance.random() < 0.1 else "modack", int(chance.random() < 0.1)

    def do(self, key: Hashable, op: Any) -> Any:
        """Carry out a call on a key, and return the answer."""
        verb, attempt = op
        if attempt or self.acks.get(key, 0) > (key in self.lost):
            return "refused"
        self.acks[key] = self.acks.get(key, 0) + (verb == "ack")
        return "ok"


Server = Versioned | Stored | Held


def windows(
    chance: random.Random, clients: int, calls: int, unanswered: float
) -> Iterator[tuple[float, float, float]]:
    """For each call, the seconds at which it is sent, takes effect, and comes back."""
    for client in range(clients):
        now = 0.0
        for _ in range(calls // clients + (client < calls % clients)):
            now += chance.expovariate(1_000)
            sent, lasts = now, chance.expovariate(100)
            now += lasts
            if chance.random() < unanswered:
                yield (
                    sent,
                    math.inf if chance.random() < 0.5 else sent + lasts * chance.uniform(0, 9),
                    math.inf,
                )
            else:
                yield sent, chance.uniform(sent, now), now


def history(
    server: Server, seed: int, calls: int, keys: int = 1, clients: int = 16, unanswered: float = 0.01
) -> list[Call]:
    """Simulate the clients, and return their calls as they saw them, in the order in which these were sent."""
    chance, numbers, seen = random.Random(seed), count(1), []
    for sent, point, back in sorted(
        windows(chance, clients, calls, unanswered), key=lambda window: window[1]
    ):
        key, op = chance.randrange(keys), server.ask(chance, next(numbers))
        answer = server.do(key, op) if point < math.inf else None
        seen.append(Call(key, sent, back, op, None if back == math.inf else answer))
    return sorted(seen, key=lambda call: call.call)


class Case(NamedTuple):
    """One kind of history: a server, and the specification that it is checked against."""

    name: str
    server: Callable[[dict[Hashable, int]], Server]
    spec: Specification
    defect: str = ""
    """What the server does wrong at the first key; empty where it is correct."""
    first: bool = False
    """Whether the defect comes at the first occasion, and not at 30 % of the history."""


CASES = [
    Case("versions that rise by one", Versioned, ImplicitVersions(1)),
    Case("versions, step not known", Versioned, ImplicitVersions(None)),
    Case("explicit versions, last", Stored, ExplicitVersions("last")),
    Case("explicit versions, highest", partial(Stored, highest=True), ExplicitVersions("highest")),
    Case("explicit versions, not known", Stored, ExplicitVersions()),
    Case("settling", Held, Settlement("refuse")),
    Case("versions that rise by one", partial(Versioned, often=3), ImplicitVersions(1), "lost update"),
    Case("explicit versions, last", partial(Stored, often=3), ExplicitVersions("last"), "stale read"),
    Case(
        "explicit versions, highest",
        partial(Stored, often=3, highest=True),
        ExplicitVersions("highest"),
        "stale read",
    ),
    Case("explicit versions, not known", partial(Stored, often=3), ExplicitVersions(), "stale read"),
    Case("settling", Held, Settlement("refuse"), "lost ack", first=True),
]

SIZES = ((10_000, 40), (2_000, 1))
"""Pairs of how many calls a history has, and on how many keys."""


def play(case: Case, calls: int, keys: int, seeds: Iterable[int]) -> bool:
    """Check one history for each seed and print a row; whether every verdict was right and in time."""
    occasion = 1 if case.first else calls // keys * 3 // 10
    times, cores, wrong = [], set(), 0
    for seed in seeds:
        seen = history(case.server({0: occasion} if case.defect else {}), seed, calls, keys)
        began = time.perf_counter()
        verdict = check_history(seen, case.spec)
        times.append(time.perf_counter() - began)
        cores.add(len(verdict.core))
        wrong += verdict.undecided or verdict.ok == bool(case.defect)
    size, kind = f"{calls:,} on {keys}", case.defect or "correct"
    found = f"core of {', '.join(map(str, sorted(cores)))}" if case.defect else "possible"
    seconds = f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"
    print(f"{size:>12}  {case.name:29} {kind:12} {seconds:25} {found}{f', {wrong} WRONG' if wrong else ''}")
    return not wrong and max(times) <= BOUND


def main() -> int:
    """Check all cases and print the table; exit code 1 where a verdict is wrong or late."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.rounds)
    print(machine())
    good = [play(case, calls, keys, seeds) for calls, keys in SIZES for case in CASES]
    print(f"every verdict right and within {BOUND:.0f} s: {'yes' if all(good) else 'NO'}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
