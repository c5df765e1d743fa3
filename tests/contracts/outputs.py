"""Everything that the judge shows of a run: each report, the screen, what a build server reads."""

from __future__ import annotations

import html as markup
import io
import json
from pathlib import Path

from rich.console import Console

from contracts import RunFinished
from contracts.commands.report_files import ReportFiles
from contracts.core.events import Found
from contracts.reports import comparison
from contracts.reports.console import Terminal
from contracts.reports.github import commands, job_summary
from contracts.reports.json_report import report_data
from contracts.reports.printable import printable_data


def outputs(run: RunFinished, directory: Path) -> dict[str, str]:
    """Return name of an output → its text; those in a directory are written there."""
    directory.mkdir(parents=True, exist_ok=True)
    assert ReportFiles(directory).write(run) is None
    files = [*directory.glob("*.*"), *directory.glob("tests/test_*.py")]
    found = {file.name: file.read_bytes().decode("utf-8") for file in files}
    data = report_data(run)
    return {
        **found,
        "report.html, read": markup.unescape(found["report.html"]),
        "screen": screen(run),
        "annotations": "\n".join(commands(data, run.places)),
        "job summary": job_summary(data),
        "comparison": comparison.page([printable_data(json.loads(found["report.json"])) for _ in range(2)]),
        "curl": "\n".join(one["curl"] for one in (*data["violations"], *data["warnings"])),
    }


def screen(run: RunFinished) -> str:
    """Return what a terminal shows while a run goes on and at its end."""
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=80, soft_wrap=True), run.secrets)
    for finding in (*run.violations, *run.warnings):
        terminal(Found(finding))
    terminal.summarise(run)
    return out.getvalue()


__all__ = ["outputs", "screen"]
