"""What the judge says of each mutant, word for word, stored and compared.

python -m tests.contracts.verdicts record [ID …]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from contracts import Finding, RunFinished
from tests.contracts.runs import judged_in_process
from tests.mutants import FURTHER, HOLDOUT, MUTANTS, RACES, Mutant

LEFT_TO_THE_MATRIX: Final = {
    *"H076 H077 H079 H080 H130 H141 H142 H148 H150 H151 H152 H154 H156 H158 H159".split(),
    *"H120 S42 X03".split(),
}
"""Mutants that a run for their rule alone catches only after thousands of requests, and three that it does not catch.

`python -m tests.matrix` has them.
"""
EVERY_MUTANT: Final = [*MUTANTS.values(), *HOLDOUT.values(), *RACES.values(), *FURTHER.values()]
ALONE: Final = [one for one in EVERY_MUTANT if one.caught_by and one.id not in LEFT_TO_THE_MATRIX]
"""Mutants that a run catches which listens to the first rule they name, and to no other."""
STORED: Final = Path(__file__).parent / "verdicts.json"
"""Id of a mutant → the sentences about its findings."""


def judged_alone(mutant: Mutant) -> RunFinished:
    """Judge a mutant by the first rule that it names, and by no other."""
    return judged_in_process(lambda clock: mutant(clock=clock), mutant.caught_by[0])


def verdict(run: RunFinished) -> list[str]:
    """Return what a run says of each finding, and what its example sends."""
    return [_sentence(one) for one in (*run.violations, *run.warnings)]


def _sentence(finding: Finding) -> str:
    example = ", ".join(one.method for one in finding.exchanges)
    return (
        f"{finding.sentence} at {finding.place or 'no place'}: expected {finding.expected}, got {finding.actual}; "
        f"shown by {example}, {finding.confirmed} of {finding.attempts} times again"
    )


@cache
def stored() -> dict[str, list[str]]:
    """Return what was recorded."""
    found: dict[str, list[str]] = json.loads(STORED.read_text("utf-8"))
    return found


def record(ids: Sequence[str]) -> None:
    """Store what is said of some mutants now, or of all where no id is given."""
    kept = stored() if ids else {}
    said = {one.id: verdict(judged_alone(one)) for one in ALONE if one.id in ids or not ids}
    STORED.write_text(
        json.dumps(dict(sorted({**kept, **said}.items())), indent=0, ensure_ascii=False) + "\n", "utf-8"
    )


if __name__ == "__main__":
    record(sys.argv[2:])
