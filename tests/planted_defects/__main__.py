"""Plant defects and say which of them `make test` alone catches.

`python -m tests.planted_defects --seed 1 --count 40`. What is committed is copied; each defect is planted in a copy, and
the fast tests run until one fails: first those that reach the defect, then all. The exit code is 1 if fewer than nine
of ten defects are caught.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from coverage import CoverageData

from .choice import Defect, chosen
from .trial import Outcome, Reach, copy_repository, measured, tried

ROOT = Path(__file__).parents[2]
ENOUGH = 0.9
"""The share of the defects that the fast tests have to catch."""


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = argparse.ArgumentParser(prog="python -m tests.planted_defects", description=__doc__)
    flags.add_argument("--seed", type=int, default=1, help="what chooses the defects")
    flags.add_argument("--count", type=int, default=40)
    flags.add_argument("--jobs", type=int, default=2, help="how many defects are tried at a time")
    flags.add_argument("--only", default="", help="the beginning of the paths whose defects are tried")
    flags.add_argument("--quick", action="store_true", help="run no test that does not reach the defect")
    flags.add_argument("--list", action="store_true", help="print the defects, and try none")
    flags.add_argument(
        "--measurement", type=Path, help="take the reach of the tests from an earlier run's file"
    )
    return flags


def line_of(outcome: Outcome) -> str:
    """One row of the table."""
    caught = (
        f"by {outcome.caught_by}" if outcome.caught_by else f"by none of the {outcome.tests} that reach it"
    )
    mark = "caught" if outcome.caught_by else "MISSED"
    return f"{mark} {outcome.seconds:6.1f} s  {name_of(outcome.defect)}  | {caught}"


def name_of(defect: Defect) -> str:
    """Where a defect is, and what it changes."""
    return f"{defect.path}:{defect.line} {defect.operator}: {defect.difference}"


def outcomes(defects: Sequence[Defect], jobs: int, measurement: Path | None, *, quick: bool) -> list[Outcome]:
    """Try the defects, each in one of as many copies of the repository, and print a row for each as it is done."""
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            copy_repository(ROOT, Path(folder) / str(number))
            copies.put(Path(folder) / str(number))
        data = CoverageData(str(measurement or measured(Path(folder) / "0", jobs)))
        data.read()
        reach = Reach(data)

        def outcome(defect: Defect) -> Outcome:
            copy = copies.get()
            try:
                done = tried(defect, copy, reach, quick=quick)
            finally:
                copies.put(copy)
            print(line_of(done), flush=True)
            return done

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(outcome, defects))


def main() -> None:
    """Choose the defects, try them, and print the table and what was missed."""
    options = parser().parse_args()
    defects = [one for one in chosen(ROOT, options.seed, options.count) if one.path.startswith(options.only)]
    if options.list:
        print("\n".join(map(name_of, defects)))
        return
    done = outcomes(defects, options.jobs, options.measurement, quick=options.quick)
    missed = [one for one in done if one.caught_by is None]
    print(f"{len(done) - len(missed)} of {len(done)} defects caught", *map(line_of, missed), sep="\n")
    sys.exit(len(missed) > len(done) * (1 - ENOUGH))


if __name__ == "__main__":
    main()
