"""Print line and branch coverage of each package, and name those below 90 % with the reason.

`python -m tests.coverage_by_package REPORT`, where REPORT is what `coverage json` wrote; `make coverage` does both. The
reasons stand in pyproject.toml. The exit code is 1 if a package below 90 % has none, or a reason has lost its package.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
ENOUGH = 90
"""Percent of lines, and of branches."""


@dataclass(frozen=True)
class Row:
    """What the tests run of a package."""

    package: str
    """As `program.folder`, or the program itself for the modules at its root."""
    statements: int
    branches: int
    lines_run: float
    """Percent."""
    branches_run: float
    """Percent; 100 where there are none."""

    @property
    def is_enough(self) -> bool:
        """Whether lines and branches are both run often enough."""
        return min(self.lines_run, self.branches_run) >= ENOUGH


def rows(report: Mapping[str, Any]) -> list[Row]:
    """A row for each package of coverage's report, by name."""
    totals: dict[str, Counter[str]] = {}
    for file, measured in report["files"].items():
        package = ".".join(PurePosixPath(file.replace("\\", "/")).parent.parts[:2])
        summary = measured["summary"]
        totals.setdefault(package, Counter()).update(
            statements=summary["num_statements"],
            lines=summary["covered_lines"],
            branches=summary["num_branches"],
            branches_run=summary["covered_branches"],
        )
    return [
        Row(
            package,
            of["statements"],
            of["branches"],
            _percent(of["lines"], of["statements"]),
            _percent(of["branches_run"], of["branches"]),
        )
        for package, of in sorted(totals.items())
    ]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def table(found: Sequence[Row], reasons: Mapping[str, str]) -> Iterator[str]:
    """The lines of the table, with the reason beside each package below the limit."""
    yield f"{'package':28} {'statements':>10} {'branches':>9} {'lines':>8} {'branches':>9}"
    for row in found:
        reason = "" if row.is_enough else f"  below {ENOUGH} %: {reasons.get(row.package, 'NO REASON')}"
        figures = f"{row.statements:10} {row.branches:9} {row.lines_run:6.1f} % {row.branches_run:7.1f} %"
        yield f"{row.package:28} {figures}{reason}"


def faults(found: Sequence[Row], reasons: Mapping[str, str]) -> list[str]:
    """Packages below the limit without a reason, and reasons that hold no longer, as sentences."""
    below = {row.package for row in found if not row.is_enough}
    return [
        *(
            f"{one} is below {ENOUGH} % and has no reason in pyproject.toml"
            for one in sorted(below - {*reasons})
        ),
        *(
            f"{one} is not below {ENOUGH} %: drop its reason from pyproject.toml"
            for one in sorted({*reasons} - below)
        ),
    ]


def main(arguments: Sequence[str]) -> int:
    """Print the table and what is wrong with it."""
    found = rows(json.loads(Path(arguments[0]).read_text("utf-8")))
    reasons = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["coverage-by-package"]["reasons"]
    wrong = faults(found, reasons)
    print(*table(found, reasons), *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
