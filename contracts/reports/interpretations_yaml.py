"""`readings.yaml`: the readings that a deployment takes, for `arklow-mock --readings` and `check --expect-readings`."""

from __future__ import annotations

from pathlib import Path

from ..core.events import RunFinished
from ..core.yaml_text import write_yaml
from .json_report import record, replaced

_HEAD = "# The readings that a deployment takes where the documentation is silent or contradicts itself.\n"


def write(run: RunFinished, directory: Path) -> None:
    """Write `readings.yaml`."""
    data = record(run)
    told = {"target": data["target"], "judged": data["started"], "readings": data["readings"]}
    replaced(directory / "readings.yaml", _HEAD + write_yaml(told))


__all__ = ["write"]
