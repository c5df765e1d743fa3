"""Judge mutants, hand each finding over, and print a line for each and the figures at the end."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from random import Random

from tests.mutants import FURTHER, HOLDOUT, MUTANTS, RACES

from .trial import MODES, Row, tried

ALL = MUTANTS | HOLDOUT | RACES | FURTHER
TABLE = [name for name, one in MUTANTS.items() if one.verdict == "violation"]
DRAWN = 20


def _task(given: tuple[str, str, bool, str]) -> Row:
    name, mode, by_hand, seconds = given
    flags = ("--max-time", seconds) if seconds and mode in ("check", "prefix") else ()
    return tried(ALL[name], mode, flags, by_hand=by_hand)


def main(argv: Sequence[str]) -> int:
    flags = argparse.ArgumentParser(prog="python -m tests.hand_over", description=__doc__)
    flags.add_argument("names", nargs="*")
    flags.add_argument("--modes", default=",".join(MODES))
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--max-time", default="", help="seconds of a run, where the mode does not say it")
    flags.add_argument("--replays", action="store_true", help="try replays alone")
    flags.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    flags.add_argument("--out", type=Path)
    options = flags.parse_args(argv)
    tasks = []
    for mode in options.modes.split(","):
        names = options.names or TABLE
        if mode in ("gate", "night") and not options.names:
            names = sorted(Random(options.seed).sample(TABLE, DRAWN))
        tasks += [(name, mode, not options.replays, options.max_time) for name in names]
    rows = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for row in pool.map(_task, tasks):
            rows.append(row)
            bad = [one for one in row.findings if not one.holds]
            print(
                f"{row.mutant:8} {row.mode:7} exit {row.exit_code} {len(row.findings)} findings, {len(bad)} not handed over, {row.seconds} s",
                flush=True,
            )
            for one in bad:
                print(
                    f"    {one.id} {one.severity} {one.requests} replays {one.replays} test {one.test} curl {one.curl}",
                    flush=True,
                )
            if options.out:
                options.out.write_text(json.dumps([asdict(one) for one in rows], indent=1), "utf-8")
    found = [one for row in rows for one in row.findings]
    sizes = sorted(one.requests for one in found)
    print(
        f"{sum(one.holds for one in found)} of {len(found)} findings handed over; of {sum(row.exit_code == 1 for row in rows)} of {len(rows)} runs that failed"
    )
    if sizes:
        print(
            f"requests in an example: median {statistics.median(sizes)}, 95 % at most {sizes[int(0.95 * (len(sizes) - 1))]}, most {sizes[-1]}"
        )
    return 0 if all(one.holds for one in found) and all(row.exit_code == 1 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
