"""Judge mutants in every way in which a user runs the judge, and say whether the finding of each has the same id in all."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from .runs import in_process
from .servers import MUTANTS_OF, Server, servers

SECONDS: Final = "10"
"""Seconds of a run, of its own clock."""
WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "check": ("--max-time", SECONDS, "--seed", "1"),
    **{f"seed {seed}": ("--max-time", SECONDS, "--seed", f"{seed}") for seed in range(2, 6)},
    "prefix": ("--max-time", SECONDS, "--seed", "1", "--name-prefix", "x"),
    "gate": ("--profile", "gate"),
    "night": ("--profile", "night", "--max-time", "30", "--seed", "1"),
}
"""Way → its flags."""


def ids_of(server: Server, rules: Sequence[str]) -> dict[str, list[str]]:
    """Return way → the ids of what was found of some rules."""
    found = {}
    for way, flags in WAYS.items():
        row = in_process(server, flags)
        found[way] = [one for one in row.ids if one.rpartition("-")[0] in rules]
    return found


def main(argv: Sequence[str]) -> int:
    """Print a line for each mutant; 1 where no id of its finding is the same in every way that has found it."""
    flags = argparse.ArgumentParser(prog="python -m tests.matrix.same_ids", description=__doc__)
    flags.add_argument("names", nargs="*", help="ids of mutants; none for all violations of the catalogue")
    flags.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = flags.parse_args(argv)
    chosen = [one for one in servers(["catalogue"], options.names) if one.verdict == "violation"]
    rules = [MUTANTS_OF["catalogue"][one.name].caught_by for one in chosen]
    other = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for server, found in zip(chosen, pool.map(ids_of, chosen, rules), strict=True):
            shown = {way: set(ids) for way, ids in found.items() if ids}
            in_all = set.intersection(*shown.values()) if shown else set()
            other += not in_all
            missed = ", ".join(way for way in WAYS if way not in shown)
            print(
                f"{'ok' if in_all else 'OTHER':5} {server.name:5} {sorted(in_all) or found}"
                f"{f', not found by {missed}' if missed else ''}",
                flush=True,
            )
    print(
        f"{len(chosen) - other} of {len(chosen)} have an id that is the same in each of {', '.join(WAYS)} that has found it"
    )
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
