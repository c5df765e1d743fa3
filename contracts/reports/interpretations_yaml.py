"""`interpretations.yaml`: the interpretations that a deployment takes, for `arklow-mock --interpretations` and `check --expect-interpretations`."""

from __future__ import annotations

from pathlib import Path

from arklow_local.formats.yaml_writer import write_block

from ..core.events import RunFinished
from .json_report import record, replaced

_HEAD = (
    "# The interpretations that a deployment takes where the documentation is silent or contradicts itself.\n"
)


def write(run: RunFinished, directory: Path) -> None:
    """Write `interpretations.yaml`."""
    data = record(run)
    told = {"target": data["target"], "judged": data["started"], "interpretations": data["interpretations"]}
    replaced(directory / "interpretations.yaml", _HEAD + write_block(told, width=100))


__all__ = ["write"]
