"""The runs that `benchmarks.judges` keeps, and what follows from them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from benchmarks.judges_tools import Signature

CONFORMING: Final = "conforming"
"""In the place of a mutant's id, for runs against the conforming server."""
LEVELS: Final = frozenset({"violation", "warning"})
CLOCK_CHECKS: Final = frozenset({"ST112"})
"""Checks of how long an answer takes, which a busy machine makes fail as well: Schemathesis has one."""


@dataclass(frozen=True)
class Run:
    """One run of one tool against one server."""

    seed: int
    seconds: float
    cpu: float | None
    """Seconds of the tool's own user and system time; None in runs from before it was measured."""
    requests: int
    exit: int
    """Exit code of the process; below 0 where a signal ended it."""
    capped: bool
    """Whether it was interrupted at its time limit."""
    unreadable: str
    """Why there is no report; empty where there is one."""
    found: frozenset[Signature]

    def at(self, levels: frozenset[str]) -> frozenset[Signature]:
        """The signatures of these levels."""
        return frozenset(one for one in self.found if one.level in levels)


class Mark(StrEnum):
    """What one tool made of one mutant."""

    ACCUSED = "✓"
    ONCE = "~"
    OPEN = "?"
    MISSED = "·"
    UNREADABLE = "!"
    ABSENT = " "


@dataclass
class Results:
    """All runs so far, as the file has them."""

    path: Path
    tools: dict[str, dict[str, str]] = field(default_factory=dict)
    """Tool → version, command, machine, network, and the day of its last run."""
    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    """Tool → mutant or `CONFORMING` → runs."""

    def of(self, tool: str, server: str = CONFORMING) -> list[Run]:
        """The runs of a tool against a mutant or the conforming server; a list that can be added to."""
        return self.runs.setdefault(tool, {}).setdefault(server, [])

    def conforming(self, tool: str, levels: frozenset[str] = LEVELS) -> frozenset[Signature]:
        """Everything that any run accuses the conforming server of."""
        return frozenset[Signature]().union(*(run.at(levels) for run in self.of(tool)))

    def wavering(self, tool: str) -> frozenset[tuple[str, str]]:
        """Pairs of operation and check in which two runs against the conforming server differ."""
        runs = self.of(tool)
        steady = frozenset.intersection(*(run.found for run in runs)) if runs else frozenset()
        return frozenset((one.operation, one.code) for one in self.conforming(tool) - steady)

    def wants(self, tool: str, mutant: str) -> bool:
        """Whether another run is needed: the first, or a second that confirms what may be chance."""
        runs = self.of(tool, mutant)
        if len(runs) != 1:
            return not runs
        news = runs[0].found - self.conforming(tool)
        wavering = self.wavering(tool)
        by_chance = [one.code in CLOCK_CHECKS or (one.operation, one.code) in wavering for one in news]
        return bool(runs[0].unreadable) or (bool(news) and all(by_chance))

    def mark(self, tool: str, mutant: str, levels: frozenset[str] = LEVELS) -> Mark:
        """Mark a mutant as accused when all of its runs show a signature that the conforming server never gave."""
        runs = [run for run in self.of(tool, mutant) if not run.unreadable]
        if not runs:
            return Mark.UNREADABLE if self.of(tool, mutant) else Mark.ABSENT
        news = [run.at(levels) - self.conforming(tool, levels) for run in runs]
        if frozenset.intersection(*news):
            return Mark.OPEN if self.wants(tool, mutant) else Mark.ACCUSED
        return Mark.ONCE if any(news) else Mark.MISSED

    def save(self) -> None:
        """Write the file; signatures are numbered, since many runs repeat them."""
        everything = (run for servers in self.runs.values() for runs in servers.values() for run in runs)
        table = sorted({one for run in everything for one in run.found})
        number = {signature: index for index, signature in enumerate(table)}
        packed = {
            tool: {server: [pack(run, number) for run in runs] for server, runs in servers.items() if runs}
            for tool, servers in self.runs.items()
        }
        parts = {"tools": self.tools, "signatures": table, "runs": packed}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(laid_out(parts) + "\n", "utf-8")
        fresh.replace(self.path)


def pack(run: Run, number: dict[Signature, int]) -> list[Any]:
    """Make the list that the file has for a run."""
    found = sorted(number[one] for one in run.found)
    return [run.seed, run.seconds, run.cpu, run.requests, run.exit, run.capped, run.unreadable, found]


def laid_out(value: Any, depth: int = 0) -> str:
    """Write JSON in which each run, signature and tool has a line."""
    if depth == 3 or not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {laid_out(item, depth + 1)}" for key, item in value.items()]
    elif depth == 1:
        parts = [json.dumps(item, ensure_ascii=False) for item in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    inner = ",\n".join(" " * (depth + 1) + part for part in parts)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}\n{' ' * depth}{closing}"


def load(path: Path) -> Results:
    """Read the file; no runs where there is none."""
    if not path.exists():
        return Results(path)
    data = json.loads(path.read_text("utf-8"))
    table = [Signature(*one) for one in data["signatures"]]
    runs = {
        tool: {server: [unpack(run, table) for run in runs] for server, runs in servers.items()}
        for tool, servers in data["runs"].items()
    }
    return Results(path, data["tools"], runs)


def unpack(run: list[Any], table: list[Signature]) -> Run:
    """Make a run of the list that the file has for it."""
    seed, seconds, cpu, requests, code, capped, unreadable, found = run
    signatures = frozenset(table[index] for index in found)
    return Run(seed, seconds, cpu, requests, code, capped, unreadable, signatures)
