"""`interpretations.yaml`: the answers of a deployment to open questions.

`arklow-mock --interpretations` and `arklow-contracts check --expect-interpretations` read it.
"""

from __future__ import annotations

from pathlib import Path

from arklow_local.formats.yaml_writer import write_block

from ..core.events import RunFinished
from .json_report import report_data, write_atomically
from .printable import printable_data

_HEAD = (
    "# The interpretations that a deployment takes where the documentation is silent or contradicts itself.\n"
)
_WIDTH = 100
"""Characters of a line, so that the file reads well in a review."""


def write(run: RunFinished, directory: Path) -> None:
    """Write `interpretations.yaml`."""
    data = printable_data(report_data(run))
    content = {
        "target": data["target"],
        "judged": data["started"],
        "interpretations": data["interpretations"],
    }
    write_atomically(directory / "interpretations.yaml", _HEAD + write_block(content, width=_WIDTH))


__all__ = ["write"]
