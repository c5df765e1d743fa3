"""`report.html`: the run as one page that loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined

from ..core.events import RunFinished
from ..core.rules import RULES
from .json_report import name_of_test, report_data, write_atomically
from .printable import printable_data
from .summary import evidence, excuse, replay_command, summarise, when_sent

_TEMPLATE: Final = Path(__file__).parent / "report.html.jinja"


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.html`."""
    data = printable_data(report_data(run))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        run=data,
        rules=RULES,
        summary=summarise(data),
        when_sent=when_sent,
        evidence=evidence,
        excuse=excuse,
        name_of_test=name_of_test,
        replay_command=replay_command,
    )
    write_atomically(directory / "report.html", page)


__all__ = ["write"]
