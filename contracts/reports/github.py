"""A run as GitHub Actions shows it: annotations by workflow commands, and a summary of the job in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..core.events import RunFinished
from .json_report import report_data
from .markdown import cell, table
from .printable import printable_data
from .sarif import Places, place_of
from .summary import (
    JsonObject,
    Summary,
    evidence,
    excuse,
    listed,
    replay_hint,
    summarise,
    when_sent,
)


def announce(run: RunFinished, environment: Mapping[str, str]) -> list[str]:
    """Append the summary to the file `$GITHUB_STEP_SUMMARY`, if there is one.

    Returns:
        the lines to print for the annotations; none outside of GitHub Actions.
    """
    data = report_data(run)
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(job_summary(data))
    return commands(data, run.places) if environment.get("GITHUB_ACTIONS") == "true" else []


def commands(run: JsonObject, places: Places) -> list[str]:
    """Return a workflow command for each finding, and for whatever else makes the verdict weaker."""
    run = printable_data(run)
    summary = summarise(run)
    lines = [_annotation("error", one, run, places) for one in summary.violations]
    lines += [_annotation("warning", one, run, places) for one in summary.warnings]
    if run["inconclusive"]:
        lines.append(_command("error", "Inconclusive", run["inconclusive"]))
    if not summary.enough:
        rules = "; ".join(f"{listed(rules)}: {why}" for rules, why in summary.not_verified)
        text = f"{summary.verified}. Not verified: {rules}"
        lines.append(_command("notice", "Too little verified", text))
    for name, entry in summary.expired.items():
        text = f"{entry['owner']} has excused {name} until {entry['expires']}: {entry['reason']}"
        lines.append(_command("notice", "A baseline entry has expired", text))
    return lines


def _annotation(level: str, finding: JsonObject, run: JsonObject, places: Places) -> str:
    facts = f"At fault: {finding['side']}. {when_sent(finding)}; {evidence(finding)}."
    text = "\n".join([f"{finding['sentence']}.", facts, *replay_hint(finding, run)])
    found = place_of(finding["operation"], places)
    place = {} if found is None else {"file": found[0], "line": str(found[1])}
    return _command(level, finding["id"], text, **place)


def _command(level: str, title: str, text: str, **place: str) -> str:
    """Return one workflow command; what would end a line, a value or the command is escaped."""
    values = ",".join(f"{name}={_value(value)}" for name, value in (place | {"title": title}).items())
    return f"::{level} {values}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def job_summary(run: JsonObject) -> str:
    """Return a run as Markdown: the verdict, what it rests on, and a table of findings."""
    run = printable_data(run)
    summary = summarise(run)
    lines = [
        f"## {cell(summary.line)}",
        "",
        f"{cell(run['target'])}, {run['started']}. {summary.verified}.",
        f"Judged by {cell(run['document']['name'])} sha256-{run['document']['sha256'][:12]}.",
        "",
    ]
    lines += [f"- suspected: {one['rule']}: {cell(one['why'])}" for one in run["suspected"]]
    lines += [f"- not verified: {', '.join(rules)}: {cell(why)}" for rules, why in summary.not_verified]
    lines += [f"- not offered: {', '.join(run['not_offered'])}"] if run["not_offered"] else []
    lines += [
        f"- no longer excused: {name}: {cell(excuse(entry))}" for name, entry in summary.expired.items()
    ]
    rows = [*_rows(summary)]
    if rows:
        lines += ["", *table(["Finding", "What broke", "At fault", "When", "Evidence"], rows)]
    return "\n".join([*lines, "", ""])


def _rows(summary: Summary) -> Iterator[list[str]]:
    for one in (*summary.violations, *summary.warnings):
        yield [
            f"`{one['id']}`",
            cell(one["sentence"]),
            cell(one["side"]),
            cell(when_sent(one)),
            evidence(one),
        ]
    for one, entry in summary.excused:
        because = f"excused: {cell(entry['owner'])}, until {entry['expires']}"
        yield [f"`{one['id']}`", cell(one["sentence"]), "", "", because]


__all__ = ["announce", "commands", "job_summary"]
