"""All that is known of a run, line by line: what `--verbose` prints before the summary, and what is printed of findings whose
reports could not be written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from rich.text import Text

from ..core.events import RunFinished
from ..core.rules import RULES
from .json_report import name_of_test
from .summary import JsonObject, Summary, evidence, excuse, replay_command, when_sent

_LONGEST_LINE = 600
"""Characters of a curl line that are printed: no screen holds more, and report.json has the whole line."""
_OUTCOMES = ("confirmed", "accepted", "masked", "not attempted")
"""Outcomes of a broken body, in the order in which they are counted."""


def detail_lines(
    run: RunFinished, data: JsonObject, summary: Summary, reports: Path | None = None
) -> Iterator[Text]:
    """Yield everything: tables first, then each finding with its example.

    `data` is the run as JSON data; `reports` is the directory of its reports, if they were written.
    """
    yield from _table("Interpretations of this deployment", data["interpretations"].items())
    yield from _table("Interference, which never counts against the target", data["interference"].items())
    yield from _table("Bodies with one broken member", _negatives(run))
    yield from _table("What was sent and verified", _totals(run, data))
    reasons = ((", ".join(rules), why) for rules, why in summary.not_verified)
    yield from _table("Not verified", reasons)
    excused = ((one["id"], excuse(entry)) for one, entry in summary.excused)
    yield from _table("Known, and excused by the baseline", excused)
    yield from finding_lines(data, summary, reports)


def finding_lines(
    data: JsonObject, summary: Summary, reports: Path | None = None, only: Collection[str] | None = None
) -> Iterator[Text]:
    """Yield every finding that is not excused in full, the plainest last, where the summary follows.

    `only` has the ids of those that are wanted, if not all are.
    """
    kinds = (("WARNING", "yellow", summary.warnings), ("VIOLATION", "red", summary.violations))
    for kind, colour, findings in kinds:
        for one in reversed(findings):
            if only is not None and one["id"] not in only:
                continue
            yield Text.assemble((f"{kind}  ", f"bold {colour}"), (f"{one['sentence']}.", "bold"))
            yield from _details(one, summary)
            if data["run"]:
                yield from _repetition(one, data, reports)
            yield Text()


def _details(finding: JsonObject, summary: Summary) -> Iterator[Text]:
    """Yield the facts of a finding, one a line, then its example."""
    entry = summary.expired.get(finding["id"])
    rows = [
        ("expected", finding["expected"], ""),
        ("actual", finding["actual"], ""),
        ("rule", RULES[finding["rule"]].title, f" ({finding['source']})"),
        ("at fault", finding["side"], ""),
        ("when", when_sent(finding), ""),
        ("evidence", evidence(finding), ""),
        ("id", finding["id"], ""),
        ("baseline", f"expired; {excuse(entry)}" if entry else "", ""),
    ]
    for name, text, aside in rows:
        if text:
            yield Text.assemble((f"  {name:8}  ", "dim"), text, (aside, "dim"))
    for line in finding["curl"].splitlines():
        cut = line if len(line) < _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…  (whole in report.json)"
        yield Text(f"  {cut}", style="cyan")


def _repetition(finding: JsonObject, run: JsonObject, reports: Path | None) -> Iterator[Text]:
    """Yield how to see a finding again; without reports, what has to be written for it."""
    yield Text.assemble(("  replay    ", "dim"), (how_to_replay(finding, run, reports), "cyan"))
    if reports is not None:
        test = reports / "tests" / f"{name_of_test(finding['id'])}.py"
        yield Text.assemble(("  test      ", "dim"), (f"pytest {test}", "cyan"))


def how_to_replay(finding: JsonObject, run: JsonObject, reports: Path | None) -> str:
    """Return the command that plays a finding again; without reports, what has to be written for it."""
    if reports is None:
        return f"arklow-contracts replay {finding['id']}, after a run with --report-dir DIR"
    return replay_command(finding, {**run, "report_dir": str(reports)})


def _negatives(run: RunFinished) -> Iterator[tuple[str, str]]:
    """Yield each operation with how many broken bodies had which outcome; those that prove nothing are named."""
    for operation in dict.fromkeys(label for label, _, _ in run.negatives):
        outcomes = {
            (place, keyword): outcome
            for (label, place, keyword), outcome in run.negatives.items()
            if label == operation
        }
        counts = [(sum(one == what for one in outcomes.values()), what) for what in _OUTCOMES]
        counted = ", ".join(f"{count} {what}" for count, what in counts if count)
        unproven = [
            f"{place or 'body'} {keyword}"
            for (place, keyword), outcome in outcomes.items()
            if outcome in ("masked", "not attempted")
        ]
        named = f": {', '.join(unproven[:4])}{'…' if len(unproven) > 4 else ''}" if unproven else ""
        yield operation, counted + named


def _totals(run: RunFinished, data: JsonObject) -> Iterator[tuple[str, object]]:
    """Yield each total of a run with its name; differences between the two validators at the end."""
    check = run.cross_check
    share = f"{100 * check.asked / check.answers:.0f} %" if check.answers else "none"
    yield from ((f"200  {operation}", count) for operation, count in run.served.items())
    yield "requests", f"{run.requests} in {run.seconds} s; {len(run.tested)} rules verified"
    yield (
        "cross-check",
        f"not done: {data['cross_check']['not_done']}"
        if check.not_done
        else f"openapi-core judged {check.asked} of {check.answers} documented answers ({share})",
    )
    for difference in data["cross_check"]["differences"]:
        yield "A DEFECT OF THE JUDGE, please report", difference


def _table(title: str, rows: Iterable[tuple[str, object]]) -> Iterator[Text]:
    rows = list(rows)
    if not rows:
        return
    width = max((len(name) for name, _ in rows if len(name) < 60), default=0)
    yield Text(title, style="bold")
    for name, value in rows:
        yield Text.assemble(f"  {name:{width}}  ", (str(value), "dim"))
    yield Text()


__all__ = ["detail_lines", "finding_lines", "how_to_replay"]
