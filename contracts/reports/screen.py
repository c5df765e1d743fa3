"""The end of a run as it fits one screen: the verdict first and last, and between them the findings, the plainest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.text import Text

from .details import how_to_replay
from .summary import JsonObject, Summary, excuse, listed

WIDTH: Final = 80
"""Columns of a screen that is not known, such as that of a log."""
_ROWS: Final = 23
"""Rows of the smallest usual terminal, of 24, without the one where the shell asks for the next command."""
_MOST_REASONS: Final = 3
"""Reasons why rules were not verified that the screen names: `--verbose` and the reports have all."""
_LONGEST: Final = 2
"""Rows that one fact may take: a long one says what it says at its beginning, and the reports have it whole."""
_COLOURS: Final = {"PASSED": "bold green", "FAILED": "bold red", "INCONCLUSIVE": "bold yellow"}


@dataclass(frozen=True, slots=True)
class Ending:
    """What the screen says of a run beside its data."""

    reports: Path | None = None
    """The directory of its reports, if they were written."""
    problems: tuple[str, ...] = ()
    """What could not be written, and why."""
    kept: str = ""
    """What of the reports of an earlier run was left alone, and why."""
    crash: Path | None = None
    """Where the traceback of a failure of the judge is."""
    withdrawn: tuple[tuple[str, str], ...] = ()
    """Sentence of each finding that was printed and does not stand, with the reason."""
    width: int = WIDTH
    """Columns of the screen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The lines of one screen, and what has no room on it."""

    lines: tuple[Text, ...]
    without_example: tuple[str, ...]
    """Ids of the findings whose requests are neither on the screen nor in a report."""


def screen_of(data: JsonObject, summary: Summary, ending: Ending) -> Screen:
    """Put a run on one screen. `data` is the run as JSON data."""
    first = Text(summary.line, style=_COLOURS[summary.verdict])
    last = first.copy()
    if ending.reports is not None:
        last.append(f"{'' if summary.line.endswith('.') else '.'} Reports are in {ending.reports}/")
    basis = [*_basis(summary, data, ending)]
    taken = _rows([first, last, *basis], ending.width) + 2  # and two empty lines
    found, without_example = _findings(data, summary, ending, _ROWS - taken)
    lines = (first, Text(), *found, *([Text()] if found else []), *basis, last)
    return Screen(lines, () if ending.reports else without_example)


def _findings(
    data: JsonObject, summary: Summary, ending: Ending, room: int
) -> tuple[list[Text], tuple[str, ...]]:
    """Put as much of the findings into `room` rows as they hold: all in a few lines, else the plainest so, others in one line.

    Returns:
        (the lines, ids of the findings of which they do not have all).
    """
    kinds = (("VIOLATION", "red", summary.violations), ("WARNING", "yellow", summary.warnings))
    findings = [(kind, colour, one) for kind, colour, found in kinds for one in found]
    ids = tuple(one["id"] for _, _, one in findings)
    short = [[_sentence(*one, ending.width)] for one in findings]
    whole = [[head, *_facts(one[2], data, ending)] for [head], one in zip(short, findings, strict=True)]
    for number in range(len(findings), 0, -1):
        blocks = [*whole[:number], *short[number:]]
        if sum(_rows(block, ending.width) for block in blocks) <= room:
            return [line for block in blocks for line in block], ids[number:]
    lines: list[Text] = []
    for number, block in enumerate(short):
        if not number:
            block = [*block, *_facts(findings[0][2], data, ending, example=False)]
        rows = _rows(block, ending.width)
        if number and rows > room - (number < len(short) - 1):
            where = f"in {ending.reports}/report.html" if ending.reports else "above"
            lines.append(Text(f"… and {len(short) - number} more, {where}", style="dim"))
            break
        room -= rows
        lines += block
    return lines, ids


def _sentence(kind: str, colour: str, finding: JsonObject, width: int) -> Text:
    """Return a finding as one sentence, with its id."""
    head, end = f"{kind}  ", f"  {finding['id']}"
    sentence = _cut(f"{finding['sentence']}.", _LONGEST * width - len(head) - len(end))
    return Text.assemble((head, f"bold {colour}"), (sentence, "bold"), (end, "dim"))


def _facts(finding: JsonObject, data: JsonObject, ending: Ending, *, example: bool = True) -> Iterator[Text]:
    """Yield what was expected, what came, and how to see it again: by a replay, or by curl where no report was written."""
    for name in ("expected", "actual"):
        yield _fact(name, finding[name], ending.width)
    if data["run"] and ending.reports is not None:
        yield _fact("replay", how_to_replay(finding, data, ending.reports), 10 * ending.width, "cyan")
    elif example:
        yield from (Text(f"  {line}", style="cyan") for line in finding["curl"].splitlines())
    else:
        yield _fact("example", "above", ending.width)


def _fact(name: str, text: str, width: int, style: str = "") -> Text:
    return Text.assemble((f"  {name:8}  ", "dim"), (_cut(text, _LONGEST * width - 12), style))


def _basis(summary: Summary, data: JsonObject, ending: Ending) -> Iterator[Text]:
    """Yield what the verdict rests on, and what it says nothing about."""
    cut_short = summary.reason if summary.verdict == "FAILED" else ""
    rows = [("Cut short", cut_short)] if cut_short else []
    rows += [("Verified", summary.verified.removeprefix("Verified "))]
    reasons = [
        (rules, why) for rules, why in summary.not_verified if why != summary.reason
    ]  # which is said already
    rows += [("Not verified", f"{listed(rules, 4)}: {why}") for rules, why in reasons[:_MOST_REASONS]]
    if len(reasons) > _MOST_REASONS:
        left = sum(len(rules) for rules, _ in reasons[_MOST_REASONS:])
        rows += [("Not verified", f"{left} more, for other reasons: see the report, or --verbose")]
    rows += [("Suspected", one["why"]) for one in data["suspected"]]
    rows += [("Not offered", ", ".join(data["not_offered"]))] if data["not_offered"] else []
    rows += [("Excused", f"{len(summary.excused)} by the baseline")] if summary.excused else []
    rows += [("Expired", f"{name}: {excuse(entry)}") for name, entry in summary.expired.items()]
    rows += [("Gone", f"{one['id']} was not found: remove it from the baseline") for one in summary.gone]
    rows += [("Withdrawn", f"{sentence}: {why}") for sentence, why in ending.withdrawn]
    rows += [("Crash", f"please send us {ending.crash}, which has no secrets")] if ending.crash else []
    rows += [("Kept", ending.kept)] if ending.kept else []
    rows += [("Not written", problem) for problem in ending.problems]
    check = data["cross_check"]
    if check["not_done"] and check["answers"] and len(data["tested"]) > 1:
        rows += [("Cross-check", f"not done: {check['not_done']}")]
    if check["differences"]:
        rows += [("Judge", "its validators differ, which is a defect of ours: please send report.json")]
    previous = ""
    for name, text in rows:
        label = "" if name == previous else name
        yield Text.assemble((f"{label:12}  ", "dim"), _cut(text, _LONGEST * ending.width - 14))
        previous = name


def _cut(text: str, cells: int) -> str:
    """Leave out the middle of a text that is longer than `cells`: its end says where, such as an entry of an archive."""
    end = cells // 3
    return text if len(text) <= cells else f"{text[: cells - end - 1]}…{text[-end:]}"


def _rows(lines: Iterable[Text], width: int) -> int:
    """Return how many rows of a screen these lines take."""
    return sum(max(1, -(-line.cell_len // width)) for line in lines)


__all__ = ["WIDTH", "Ending", "Screen", "screen_of"]
