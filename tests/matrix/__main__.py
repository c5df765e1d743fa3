"""Run the judge against mutants and conforming variants, and print a line for each and the figures at the end.

By default each run is made in one process on a virtual clock, so that it is the same each time; as many run at once as there
are cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from .conditions import CONDITIONS, PLAIN
from .runs import Judge, Row, in_process, over_sockets
from .servers import MUTANTS_OF, VARIANTS, Server, servers

SECONDS = "10"
"""Seconds of a run, of the clock by which it goes: two and a half thousand requests, of which every part of a run has its share."""
LONGER = "40"
"""Seconds for a mutant that was missed: the last scenarios, and what shows by chance, need more requests."""


def right(server: Server, row: Row) -> bool:
    """Whether the judge said what it owes: an accusation, at least a warning, or no violation; or is known to miss it."""
    match server.verdict:
        case "violation":
            return bool(row.violations) or bool(server.missed)
        case "warning":
            return bool(row.warnings or row.violations) or bool(server.missed)
        case _:
            return {one.partition(" ")[0] for one in row.violations} <= CONDITIONS[row.condition].true


def judged(task: tuple[Server, str], judge: Judge, flags: Sequence[str]) -> Row:
    """Judge a server with these flags; without any, a mutant that was missed is judged once more and for longer.

    `task`: the server, and the condition under which it is judged.
    """
    server, condition = task
    if condition != PLAIN:
        return in_process(server, flags or _flags(SECONDS), condition)
    if flags:
        return judge(server, flags)
    row = judge(server, _flags(SECONDS))
    missed = server.verdict != "none" and not right(server, row)
    return judge(server, _flags(LONGER)) if missed else row


def _flags(seconds: str) -> list[str]:
    return ["--max-time", seconds, "--seed", "1"]


def line_of(server: Server, row: Row) -> str:
    """One line of the table."""
    mark = "ok" if right(server, row) else "FALSE" if server.verdict == "none" else "MISS"
    found = "  ".join([*row.violations, *(f"({one})" for one in row.warnings)])
    if server.caught_by and not row.rules & {*server.caught_by}:
        found += f"  not {' or '.join(server.caught_by)}{' (known)' if server.missed else ''}"
    if row.repeats:
        found += f"  {sum(row.repeats)} of {len(row.repeats)} again"
    first = "-" if row.first is None else str(row.first)
    name = row.name if row.condition == PLAIN else f"{row.name}, {row.condition}"
    return f"{mark:5} {name:18} {server.verdict:9} {first:>6} {row.requests:6} {row.seconds:6.1f} s  {found}"


def summary(done: Sequence[tuple[Server, Row]]) -> str:
    """The figures of a table, one a line."""
    lines = []
    for verdict in ("violation", "warning", "none"):
        of = [right(server, row) for server, row in done if server.verdict == verdict]
        if of:
            lines.append(f"{verdict}: {sum(of)} of {len(of)} right")
    named = [bool(row.rules & {*server.caught_by}) for server, row in done if server.caught_by]
    if named:
        lines.append(f"by a rule that the mutant names: {sum(named)} of {len(named)}")
    firsts = [row.first for _, row in done if row.first is not None]
    if firsts:
        lines.append(
            f"requests until the first finding: median {statistics.median(firsts):.0f}, most {max(firsts)}"
        )
    caught = [row for server, row in done if server.verdict == "violation" and row.violations]
    if caught:
        single = sum(len(row.violations) == 1 for row in caught)
        short = sum(bool(row.examples) and row.examples[0] <= 3 for row in caught)
        lines.append(
            f"exactly one violation: {single} of {len(caught)}; at most 3 requests: {short} of {len(caught)}"
        )
    again = [one for _, row in done for one in row.repeats]
    if again:
        lines.append(f"printed examples that fail again: {sum(again)} of {len(again)}")
    return "\n".join(lines)


def compared(done: Sequence[tuple[Server, Row]], file: Path) -> tuple[int, str]:
    """Compare with rows of another run: how many verdicts or ids of findings differ, and a line for each of them."""
    before = {one["name"]: Row(**one) for one in json.loads(file.read_text("utf-8"))}
    lines = []
    for server, row in done:
        other = before.get(server.name)
        if other is not None and (other.verdict, other.ids) != (row.verdict, row.ids):
            lines.append(
                f"differs {server.name}: before {other.verdict} {other.ids}; now {row.verdict} {row.ids}"
            )
    both = sum(server.name in before for server, _ in done)
    return len(lines), "\n".join([*lines, f"{both - len(lines)} of {both} the same as in {file.name}"])


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = argparse.ArgumentParser(
        prog="python -m tests.matrix",
        description=__doc__,
        epilog="Flags of `check` may follow a lone --, in place of "
        f"{' '.join(_flags(SECONDS))}, and {LONGER} seconds for a mutant that was missed.",
    )
    add = flags.add_argument
    add("names", nargs="*", help="ids of mutants, or names of variants; none for all of --sets")
    add(
        "--sets",
        default="catalogue,holdout,races,further,variants",
        help=f"which servers, where no names are given; of {', '.join([*MUTANTS_OF, VARIANTS])}",
    )
    add(
        "--conditions",
        default=PLAIN,
        help=f"what lies between the judge and each server, with commas, or all; of {', '.join(CONDITIONS)}",
    )
    add("--over-sockets", action="store_true", help="serve and judge in processes of their own")
    add("--repeat", action="store_true", help="try every printed example against fresh servers; over sockets")
    add(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="runs at the same time (default: as many as cores)",
    )
    add("--out", type=Path, help="write the rows here as JSON")
    add("--compare", type=Path, help="compare with the rows in this file")
    return flags


def main(argv: Sequence[str]) -> int:
    """Run the judge against each server; 1 when it was wrong of one, or said something else than in --compare."""
    mine, _, flags = _parted(argv)
    options = parser().parse_args(mine)
    judge: Judge = partial(over_sockets, repeats=options.repeat) if options.over_sockets else in_process
    conditions = list(CONDITIONS) if options.conditions == "all" else options.conditions.split(",")
    chosen = [
        (server, condition)
        for condition in conditions
        for server in servers(options.sets.split(","), options.names)
    ]
    done: list[tuple[Server, Row]] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = pool.map(partial(judged, judge=judge, flags=flags), chosen)
        for (server, _), row in zip(chosen, rows, strict=True):
            done.append((server, row))
            print(line_of(server, row), flush=True)
            if options.out:
                options.out.write_text(json.dumps([asdict(one) for _, one in done], indent=1), "utf-8")
    print(summary(done))
    wrong = sum(not right(server, row) for server, row in done)
    if options.compare:
        differing, text = compared(done, options.compare)
        print(text)
        wrong += differing
    return 1 if wrong else 0


def _parted(argv: Sequence[str]) -> tuple[list[str], str, list[str]]:
    """Part the flags of this command from those of `check`, at the first lone `--`."""
    where = list(argv).index("--") if "--" in argv else len(argv)
    return list(argv[:where]), "--", list(argv[where + 1 :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
