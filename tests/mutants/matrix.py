"""Run the judge against mutants and conforming variants: who is caught, by which rules, how soon, and who is missed.

`python -m tests.mutants.matrix --help`. Each server and each run of the judge is a process of its own.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import started

from . import CONFORMING_VARIANTS, DEPLOYMENTS, FURTHER, HOLDOUT, MUTANTS, RACES, Mutant

KEYS = {"KEY_ONE": "good-key-one", "KEY_TWO": "good-key-two"}
"""Environment variable → key, as the judge reads them."""
MUTANTS_OF: dict[str, dict[str, Mutant]] = {
    "catalogue": MUTANTS,
    "holdout": HOLDOUT,
    "races": RACES,
    "further": FURTHER,
}
"""Name of a set of mutants → the mutants by id."""
VARIANTS = "variants"
"""Name of the set of all servers that break nothing."""
SLOW_ANSWER = 1.0
"""Seconds; an example of HTTP-6 is confirmed by the time that it takes."""


@dataclass(frozen=True)
class Server:
    """A server that the judge is to meet, and the flags that start it."""

    name: str
    verdict: str
    text: str
    flags: tuple[str, ...]
    caught_by: tuple[str, ...] = ()


@dataclass
class Row:
    """What one run of the judge said of one server."""

    name: str
    verdict: str
    text: str
    caught_by: tuple[str, ...] = ()
    """The codes that the mutant itself names."""
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
        """Whether the judge said what it owes: an accusation, at least a warning, or no violation."""
        match self.verdict:
            case "violation":
                return bool(self.violations)
            case "warning":
                return bool(self.warnings or self.violations)
            case _:
                return not self.violations

    @property
    def named(self) -> bool:
        """Whether one of the rules that the mutant names is among the findings."""
        return bool({*self.caught_by} & {*self.violations, *self.warnings})


@contextmanager
def server_process(*flags: str) -> Iterator[str]:
    """Serve `python -m tests.mutants` with these flags in a process of its own, and yield the URL."""
    with started([sys.executable, "-m", "tests.mutants", *flags], stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


def command(url: str, reports: str, flags: Sequence[str]) -> list[str]:
    """The command line of the judge with both keys and both organisations."""
    return [
        *(sys.executable, "-m", "contracts", "check", "--base-url", url, "--report-dir", reports),
        *("--api-key", "env:KEY_ONE", "--org", "1"),
        *("--second-api-key", "env:KEY_TWO", "--second-org", "2", *flags),
    ]


def judge(row: Row, url: str, flags: Sequence[str], *, first: bool = False, start: Sequence[str] = ()) -> Row:
    """Run the judge and fill the row.

    `first`: stop at the first finding that counts, so that the row has no other; `start`: flags of a fresh server to
    try each printed example against, none to try none.
    """
    with tempfile.TemporaryDirectory() as reports:
        began = time.monotonic()
        environment = {**os.environ, **KEYS, "PYTHONUNBUFFERED": "1", "COLUMNS": "400"}
        with started(command(url, reports, flags), stderr=subprocess.DEVNULL, env=environment) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if follow(row, line, time.monotonic() - began, first=first):
                    running.kill()
                    break
            row.exit_code = running.wait()
        row.seconds = round(time.monotonic() - began, 1)
        report = Path(reports) / "report.json"
        if report.exists() and not first:
            content = json.loads(report.read_text("utf-8"))
            read(row, content)
            if start:
                repeat(row, content, start, url)
    return row


def follow(row: Row, line: str, seconds: float, *, first: bool) -> bool:
    """Note a finding that the judge prints; whether that was all that the row waits for."""
    found = re.match(r"(violation|warning)  .* breaks ([A-Z]+-\d+):", line)
    if not found or (found[1] != row.verdict and row.first is not None):
        return False
    row.first = row.first or round(seconds, 2)
    if first:
        (row.violations if found[1] == "violation" else row.warnings).append(found[2])
    return first and found[1] == row.verdict


def read(row: Row, report: dict[str, Any]) -> None:
    """Fill the row with what the report says."""
    row.violations = [one["rule"] for one in report["violations"]]
    row.warnings = [one["rule"] for one in report["warnings"]]
    row.requests = report["requests"]
    found = report["violations"] or report["warnings"]
    row.lines = [one["curl"].count("curl ") for one in found]


def repeat(row: Row, report: dict[str, Any], start: Sequence[str], url: str) -> None:
    """Note whether each printed example tells a fresh mutant from a fresh conforming server."""
    for one in report["violations"] or report["warnings"]:
        with server_process(*start) as mutant, server_process() as conforming:
            if one["curl"].rstrip().endswith("--only does it often"):
                flags = ["--only", one["rule"], "--max-time", "20"]
                row.repeats.append(
                    bool(judge(Row("", "violation", ""), mutant, flags, first=True).violations)
                )
                continue
            slow = one["rule"] == "HTTP-6"
            outputs = [output(one["curl"].replace(url, server), slow=slow) for server in (mutant, conforming)]
            row.repeats.append(outputs[0] != outputs[1])


def output(script: str, *, slow: bool) -> object:
    """What the lines of a shell print, without what differs from run to run; `slow`: whether they take long."""
    began = time.monotonic()
    ran = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **KEYS},
        timeout=120,
    )
    if slow:
        return time.monotonic() - began > SLOW_ANSWER
    text = re.sub(r"(?m)^Date:.*$", "", ran.stdout)
    ids: dict[str, str] = {}
    return ran.returncode, re.sub(
        r"[0-9]{10,}", lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text
    )


def servers(sets: Sequence[str]) -> Iterator[Server]:
    """The servers of some sets."""
    for name in sets:
        for one in MUTANTS_OF.get(name, {}).values():
            yield Server(one.id, one.verdict, one.text, ("--mutant", one.id), one.caught_by)
    if VARIANTS in sets:
        for name in (*CONFORMING_VARIANTS, *DEPLOYMENTS):
            yield Server(name, "none", "keeps every promise", ("--conforming", name))


def line_of(row: Row) -> str:
    """One line of the table."""
    mark = "ok  " if row.right else "MISS" if row.verdict != "none" else "FALSE"
    found = " ".join([*row.violations, *(f"({rule})" for rule in row.warnings)])
    if row.caught_by and row.right and not row.named:
        found += f"  not {' or '.join(row.caught_by)}"
    if row.repeats:
        found += f"  {sum(row.repeats)} of {len(row.repeats)} again"
    first = f"{row.first:.2f}" if row.first is not None else "-"
    figures = f"{first:>6} s {row.seconds:5} s {row.requests:6}"
    return f"{mark:5} {row.name:18} {row.verdict:9} {figures}  {found}  | {row.text}"


def summary(done: Sequence[Row]) -> str:
    """The figures of a table, one a line."""
    lines = []
    for verdict in ("violation", "warning", "none"):
        of = [row for row in done if row.verdict == verdict]
        if of:
            lines.append(f"{verdict}: {sum(row.right for row in of)} of {len(of)} right")
    expected = [row for row in done if row.caught_by]
    if expected:
        lines.append(
            f"by the rule that the mutant names: {sum(row.named for row in expected)} of {len(expected)}"
        )
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


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = argparse.ArgumentParser(prog="python -m tests.mutants.matrix", description=__doc__)
    flags.add_argument(
        "names", nargs="*", help="ids of mutants, or names of variants; none for all of --sets"
    )
    flags.add_argument(
        "--sets",
        default="catalogue,holdout,races,variants",
        help=f"which servers, where no names are given; of {', '.join([*MUTANTS_OF, VARIANTS])}",
    )
    flags.add_argument("--max-time", default="25", help="seconds of each run")
    flags.add_argument("--first", action="store_true", help="stop each run at the first finding that counts")
    flags.add_argument(
        "--repeat", action="store_true", help="try every printed example against a fresh server"
    )
    flags.add_argument("--strict", action="store_true")
    flags.add_argument("--seed", default="1")
    flags.add_argument("--out", type=Path, help="write the rows here as JSON")
    return flags


def main() -> None:
    """Run the judge against each server, print a line for each, and the figures at the end."""
    options = parser().parse_args()
    flags = [
        "--max-time",
        options.max_time,
        "--seed",
        options.seed,
        *(["--strict"] if options.strict else []),
    ]
    chosen = [
        one
        for one in servers([*MUTANTS_OF, VARIANTS] if options.names else options.sets.split(","))
        if not options.names or one.name in options.names
    ]
    done: list[Row] = []
    for server in chosen:
        row = Row(server.name, server.verdict, server.text, server.caught_by)
        with server_process(*server.flags) as url:
            judge(row, url, flags, first=options.first, start=server.flags if options.repeat else ())
        done.append(row)
        print(line_of(row), flush=True)
        if options.out:
            options.out.write_text(json.dumps([asdict(one) for one in done], indent=1), "utf-8")
    print(summary(done))


if __name__ == "__main__":
    main()
