"""A run as GitHub Actions shows it: annotations by workflow commands, and a summary of the job in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core.events import RunFinished
from .json_report import record
from .markdown import cell, table
from .sarif import DOCUMENT, line_of
from .summary import (
    Gist,
    Record,
    again,
    gist,
    shown,
    some,
    when,
)


def announce(run: RunFinished, environment: Mapping[str, str]) -> list[str]:
    """Append the summary to `$GITHUB_STEP_SUMMARY`, where there is one; returns the lines for the output of the job."""
    data = record(run)
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(summary(data))
    return commands(data) if environment.get("GITHUB_ACTIONS") == "true" else []


def commands(run: Record) -> list[str]:
    """A workflow command for each thing that somebody should look at."""
    brief = gist(run)
    lines = [_of("error", one, run) for one in brief.violations]
    lines += [_of("warning", one, run) for one in brief.warnings]
    if run["inconclusive"]:
        lines.append(_command("error", "Inconclusive", run["inconclusive"]))
    if not brief.enough:
        rules = "; ".join(f"{some(rules)}: {why}" for rules, why in brief.not_verified)
        lines.append(_command("notice", "Too little verified", f"{brief.verified}. Not verified: {rules}"))
    for name, entry in brief.expired.items():
        said = f"{entry['owner']} has excused {name} until {entry['expires']}: {entry['reason']}"
        lines.append(_command("notice", "A baseline entry has expired", said))
    return lines


def _of(level: str, one: Record, run: Record) -> str:
    said = f"To blame: {one['side']}. {when(one)}; {shown(one)}."
    text = "\n".join([f"{one['sentence']}.", said, *again(one, run)])
    return _command(level, one["id"], text, file=DOCUMENT, line=str(line_of(one["operation"])))


def _command(level: str, title: str, text: str, **place: str) -> str:
    """One workflow command; what ends a line, a value or a command in it is escaped."""
    values = ",".join(f"{name}={_value(value)}" for name, value in (place | {"title": title}).items())
    return f"::{level} {values}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(run: Record) -> str:
    """The run as Markdown: the verdict, what it rests on, and a table of findings."""
    brief = gist(run)
    lines = [
        f"## {_verdict(run, brief)}",
        "",
        f"{cell(run['target'])}, {run['started']}. {brief.verified}.",
        f"Judged by {cell(run['document']['name'])} sha256-{run['document']['sha256'][:12]}.",
        "",
    ]
    lines += [f"- not verified: {', '.join(rules)}: {cell(why)}" for rules, why in brief.not_verified]
    lines += [f"- not offered: {', '.join(run['not_offered'])}"] if run["not_offered"] else []
    lines += [
        f"- excused no more: {name}: {cell(entry['owner'])}, until {entry['expires']}: {cell(entry['reason'])}"
        for name, entry in brief.expired.items()
    ]
    rows = [
        [f"`{one['id']}`", cell(one["sentence"]), cell(one["side"]), cell(when(one)), shown(one)]
        for one in (*brief.violations, *brief.warnings)
    ]
    rows += [
        [
            f"`{one['id']}`",
            cell(one["sentence"]),
            "",
            "",
            f"excused: {cell(entry['owner'])}, until {entry['expires']}",
        ]
        for one, entry in brief.excused
    ]
    if rows:
        lines += ["", *table(["Finding", "What broke", "Side", "When", "Shown"], rows)]
    return "\n".join([*lines, "", ""])


def _verdict(run: Record, brief: Gist) -> str:
    if run["exit_code"] == 3:
        return f"Inconclusive: {cell(run['inconclusive'])}"
    return brief.headline if run["exit_code"] == 1 else f"Conforms: {brief.headline}"


__all__ = ["announce", "commands", "summary"]
