"""What `benchmarks.judges` keeps of its runs, and what follows from them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from benchmarks.judges_tools import Signature

HONEST: Final = "honest"
"""Stands where a fault's id does, for runs against the correct server."""
LEVELS: Final = frozenset({"violation", "warning"})
OF_THE_CLOCK: Final = frozenset({"ST112"})
"""Checks of how long an answer takes, which a busy machine makes fail as well: Schemathesis's is one."""


@dataclass(frozen=True)
class Run:
    """One run of one tool against one server."""

    seed: int
    seconds: float
    cpu: float | None
    """Seconds of the tool's own user and system time; None for runs from before it was measured."""
    requests: int
    exit: int
    """Of the process; 0 and less where a signal ended it."""
    capped: bool
    """Whether it was interrupted at its limit."""
    unreadable: str
    """Why there is no report; empty where there is one."""
    found: frozenset[Signature]

    def at(self, levels: frozenset[str]) -> frozenset[Signature]:
        """The signatures of these levels."""
        return frozenset(one for one in self.found if one.level in levels)


class Mark(StrEnum):
    """What came of one fault under one tool."""

    ACCUSED = "✓"
    ONCE = "~"
    OPEN = "?"
    MISSED = "·"
    UNREADABLE = "!"
    ABSENT = " "


@dataclass
class Kept:
    """All runs so far, as the file has them."""

    path: Path
    tools: dict[str, dict[str, str]] = field(default_factory=dict)
    """Tool → version, command, machine, network, and the day of its last run."""
    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    """Tool → fault → runs."""

    def of(self, tool: str, fault: str = HONEST) -> list[Run]:
        """The runs of a tool against a mutant, or against the correct server."""
        return self.runs.setdefault(tool, {}).setdefault(fault, [])

    def honest(self, tool: str, levels: frozenset[str] = LEVELS) -> frozenset[Signature]:
        """Everything that any run accuses the correct server of."""
        return frozenset[Signature]().union(*(run.at(levels) for run in self.of(tool)))

    def wavering(self, tool: str) -> frozenset[tuple[str, str]]:
        """Operations and checks in which two runs against the correct server differ."""
        runs = self.of(tool)
        steady = frozenset.intersection(*(run.found for run in runs)) if runs else frozenset()
        return frozenset((one.operation, one.code) for one in self.honest(tool) - steady)

    def wants(self, tool: str, fault: str) -> bool:
        """Whether another run is needed: the first, or one that confirms what may be chance."""
        runs = self.of(tool, fault)
        if len(runs) != 1:
            return not runs
        news = runs[0].found - self.honest(tool)
        wavering = self.wavering(tool)
        by_chance = [one.code in OF_THE_CLOCK or (one.operation, one.code) in wavering for one in news]
        return bool(runs[0].unreadable) or (bool(news) and all(by_chance))

    def mark(self, tool: str, fault: str, levels: frozenset[str] = LEVELS) -> Mark:
        """A fault is accused when all of its runs show a signature that the correct server never gave."""
        runs = [run for run in self.of(tool, fault) if not run.unreadable]
        if not runs:
            return Mark.UNREADABLE if self.of(tool, fault) else Mark.ABSENT
        news = [run.at(levels) - self.honest(tool, levels) for run in runs]
        if frozenset.intersection(*news):
            return Mark.OPEN if self.wants(tool, fault) else Mark.ACCUSED
        return Mark.ONCE if any(news) else Mark.MISSED

    def save(self) -> None:
        """Write the file; signatures are numbered, since many runs repeat them."""
        everything = (run for faults in self.runs.values() for runs in faults.values() for run in runs)
        table = sorted({one for run in everything for one in run.found})
        number = {signature: index for index, signature in enumerate(table)}
        packed = {
            tool: {fault: [pack(run, number) for run in runs] for fault, runs in faults.items() if runs}
            for tool, faults in self.runs.items()
        }
        parts = {"tools": self.tools, "signatures": table, "runs": packed}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(laid_out(parts) + "\n", "utf-8")
        fresh.replace(self.path)


def pack(run: Run, number: dict[Signature, int]) -> list[Any]:
    """A run as the file has it."""
    found = sorted(number[one] for one in run.found)
    return [run.seed, run.seconds, run.cpu, run.requests, run.exit, run.capped, run.unreadable, found]


def laid_out(value: Any, depth: int = 0) -> str:
    """JSON in which each run, signature and tool has a line."""
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


def load(path: Path) -> Kept:
    """What the file has, or nothing yet."""
    if not path.exists():
        return Kept(path)
    data = json.loads(path.read_text("utf-8"))
    table = [Signature(*one) for one in data["signatures"]]
    runs = {
        tool: {fault: [unpack(run, table) for run in runs] for fault, runs in faults.items()}
        for tool, faults in data["runs"].items()
    }
    return Kept(path, data["tools"], runs)


def unpack(run: list[Any], table: list[Signature]) -> Run:
    """A run out of the file."""
    seed, seconds, cpu, requests, code, capped, unreadable, found = run
    signatures = frozenset(table[index] for index in found)
    return Run(seed, seconds, cpu, requests, code, capped, unreadable, signatures)
