"""Runs the judge against every mutant and every conforming variant: who is caught, how soon, by how many findings, and who is not.

`python -m tests.mutants.matrix --help`; each mutant and each run of the judge is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import (
    CONFORMING_VARIANTS,
    DEPLOYMENTS,
    HOLDOUT,
    MUTANTS,
    RACING,
)
from .catalogue import Mutant

KEYS = {"KEY_ONE": "good-key-one", "KEY_TWO": "good-key-two"}
SETS: dict[str, dict[str, Mutant]] = {"table": MUTANTS, "holdout": HOLDOUT, "races": RACING}


@dataclass
class Row:
    """What one run of the judge said of one server."""

    name: str
    verdict: str
    text: str
    violations: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    first: float | None = None
    """Seconds from the start of the judge to its first finding."""
    seconds: float = 0.0
    requests: int = 0
    lines: list[int] = field(default_factory=list)
    """Requests in the printed example of each finding that counts."""
    repeats: list[bool] = field(default_factory=list)
    """Whether the printed example of each violation failed again against a fresh server."""
    exit_code: int | None = None

    @property
    def right(self) -> bool:
        """Whether the judge said what it owes: an accusation, at least a warning, or nothing of weight."""
        match self.verdict:
            case "violation":
                return bool(self.violations)
            case "warning":
                return bool(self.warnings or self.violations)
            case _:
                return not self.violations


@contextmanager
def serving(*flags: str) -> Iterator[str]:
    """A server of this package in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.mutants", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def judged(
    row: Row, url: str, flags: Sequence[str], *, first: bool = False, start: Sequence[str] = ()
) -> Row:
    """Run the judge; with `first` only until it has said something that counts; `start` the examples again."""
    with tempfile.TemporaryDirectory() as reports:
        command = [
            *(sys.executable, "-m", "contracts", "check", "--base-url", url, "--report-dir", reports),
            *(
                "--api-key",
                "env:KEY_ONE",
                "--org",
                "1",
                "--second-api-key",
                "env:KEY_TWO",
                "--second-org",
                "2",
            ),
            *flags,
        ]
        began = time.monotonic()
        running = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **KEYS, "PYTHONUNBUFFERED": "1", "COLUMNS": "400"},
        )
        assert running.stdout is not None
        for line in running.stdout:
            found = re.match(r"(violation|warning)  .* breaks ([A-Z]+-\d+):", line)
            if found and (found[1] == row.verdict or row.first is None):
                row.first = row.first or round(time.monotonic() - began, 2)
                if first:
                    (row.violations if found[1] == "violation" else row.warnings).append(found[2])
                if first and found[1] == row.verdict:
                    running.kill()
                    break
        row.exit_code = running.wait()
        row.seconds = round(time.monotonic() - began, 1)
        report = Path(reports) / "report.json"
        if report.exists() and not first:
            told = json.loads(report.read_text("utf-8"))
            read(row, told)
            if start:
                repeated(row, told, start, url)
    return row


def repeated(row: Row, report: dict[str, Any], start: Sequence[str], url: str) -> None:
    """Whether each printed example tells a fresh mutant from a fresh conforming variant that keeps its promises."""
    found = report["violations"] or report["warnings"]
    for one in found:
        with serving(*start) as lying, serving() as honest:
            if one["curl"].rstrip().endswith("--only does it often"):
                flags = ["--only", one["rule"], "--max-time", "20"]
                again = judged(Row("", "violation", ""), lying, flags, first=True)
                row.repeats.append(bool(again.violations))
                continue
            slow = one["rule"] == "HTTP-6"
            row.repeats.append(shown(one["curl"], url, lying, slow) != shown(one["curl"], url, honest, slow))


def shown(script: str, url: str, server: str, slow: bool) -> object:
    """What the lines print against a server, without what differs from run to run."""
    began = time.monotonic()
    ran = subprocess.run(
        ["sh", "-c", script.replace(url, server)],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **KEYS},
        timeout=120,
    )
    if slow:
        return time.monotonic() - began > 1
    text = re.sub(r"(?m)^Date:.*$", "", ran.stdout)
    ids: dict[str, str] = {}
    return ran.returncode, re.sub(
        r"[0-9]{10,}", lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text
    )


def read(row: Row, report: dict[str, Any]) -> None:
    """What the report says."""
    row.violations = [one["rule"] for one in report["violations"]]
    row.warnings = [one["rule"] for one in report["warnings"]]
    row.requests = report["requests"]
    found = report["violations"] or report["warnings"]
    row.lines = [one["curl"].count("curl ") for one in found]


def rows(names: Iterable[str], sets: Iterable[str]) -> Iterator[tuple[Row, list[str]]]:
    """Every server that is asked for, and the flags that start it."""
    wanted = set(names)
    for kind in sets:
        for fault in SETS.get(kind, {}).values():
            if not wanted or fault.id in wanted:
                yield Row(fault.id, fault.verdict, fault.text), ["--mutant", fault.id]
        if kind == "conforming variants":
            for name in (*CONFORMING_VARIANTS, *DEPLOYMENTS):
                if not wanted or name in wanted:
                    yield Row(name, "none", "keeps every promise"), ["--variant", name]


def told(row: Row) -> str:
    """One line of the table."""
    mark = "ok  " if row.right else "MISS" if row.verdict != "none" else "FALSE"
    found = " ".join([*row.violations, *(f"({rule})" for rule in row.warnings)])
    if row.repeats:
        found += f"  {sum(row.repeats)} of {len(row.repeats)} again"
    first = f"{row.first:.2f}" if row.first is not None else "-"
    return f"{mark:5} {row.name:18} {row.verdict:9} {first:>6} s {row.seconds:5} s {row.requests:6}  {found}  | {row.text}"


def summary(done: Sequence[Row]) -> str:
    """The figures of a table."""
    lines = []
    for verdict in ("violation", "warning", "none"):
        of = [row for row in done if row.verdict == verdict]
        if of:
            lines.append(f"{verdict}: {sum(row.right for row in of)} of {len(of)} right")
    firsts = [row.first for row in done if row.first is not None and row.verdict == "violation"]
    if firsts:
        lines.append(f"first finding: median {statistics.median(firsts):.2f} s, worst {max(firsts):.2f} s")
    caught = [row for row in done if row.verdict == "violation" and row.violations]
    if caught:
        again = [one for row in done for one in row.repeats]
        if again:
            lines.append(f"printed examples that fail again: {sum(again)} of {len(again)}")
        single = sum(len(row.violations) == 1 for row in caught)
        short = sum(bool(row.lines) and row.lines[0] <= 3 for row in caught)
        lines.append(
            f"exactly one violation: {single} of {len(caught)}; at most 3 requests: {short} of {len(caught)}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.matrix", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants or conforming variants; none for all")
    parser.add_argument("--sets", default="table,holdout,races,conforming variants")
    parser.add_argument("--max-time", default="25")
    parser.add_argument("--first", action="store_true", help="stop each run at the first finding that counts")
    parser.add_argument(
        "--repeat", action="store_true", help="run every printed example against a fresh server"
    )
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--out", type=Path, help="write the rows here as JSON")
    options = parser.parse_args()
    done = []
    flags = [
        "--max-time",
        options.max_time,
        "--seed",
        options.seed,
        *(["--strict"] if options.strict else []),
    ]
    for row, start in rows(options.names, options.sets.split(",")):
        with serving(*start) as url:
            judged(row, url, flags, first=options.first, start=start if options.repeat else ())
        done.append(row)
        print(told(row), flush=True)
        if options.out:
            options.out.write_text(json.dumps([asdict(one) for one in done], indent=1), "utf-8")
    print(summary(done))


if __name__ == "__main__":
    main()
