"""`report.html`: one page that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined

from ..core.events import RunFinished
from ..core.rules import RULES
from .json_report import name_of, record, replaced
from .summary import gist, shown, when

_TEMPLATE: Final = Path(__file__).parent / "report.html.jinja"


def write(run: RunFinished, directory: Path) -> None:
    """Write `report.html`."""
    data = record(run)
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = page.from_string(_TEMPLATE.read_text("utf-8")).render(
        run=data, rules=RULES, brief=gist(data), when=when, shown=shown, name_of=name_of
    )
    replaced(directory / "report.html", text)


__all__ = ["write"]
