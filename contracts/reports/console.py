"""What a person sees in a terminal: progress while the run goes on, then a summary."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from ..core.events import (
    Advanced,
    Event,
    Found,
    PhaseStarted,
    RunFinished,
    RunStarted,
)
from ..core.exchange import redact
from ..core.rules import RULES, Severity
from .json_report import name_of_test, report_data
from .summary import (
    JsonObject,
    Summary,
    evidence,
    excuse,
    listed,
    summarise,
    when_sent,
)

_LONGEST_LINE = 600
"""Characters of a curl line that are printed: no screen holds more, and report.json has the whole line."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
"""Seconds between two lines of progress where there is no terminal: a tenth of the time so far, within these."""
_OUTCOMES = ("confirmed", "accepted", "masked", "not attempted")
"""Outcomes of a broken body, in the order in which they are counted."""


class _Discarded(io.StringIO):
    """An output that keeps nothing of what is written."""

    def write(self, text: str) -> int:
        """Take a text, and return its length."""
        return len(text)


class UnbreakableConsole(Console):
    """A console whose reader may go away: a run is not over because its output is no longer read."""

    def on_broken_pipe(self) -> None:
        """Discard all further output."""
        self.file = _Discarded()


class Terminal:
    """A listener that prints: on a terminal progress is one moving line, elsewhere a line now and then."""

    def __init__(self, console: Console, secrets: Mapping[str, str]) -> None:
        self._console = console
        self._secrets = secrets
        self._status: Status | None = None
        self._phase = ""
        self._limit = 0.0
        self._next_line_at = 0.0

    def __call__(self, event: Event) -> None:
        """Print what an event says."""
        match event:
            case RunStarted():
                self._begin(event)
            case PhaseStarted():
                self._phase = event.title
            case Advanced():
                self._print_progress(event)
            case Found():
                self._print_finding(event)
            case RunFinished():
                self.close()

    def summarise(self, run: RunFinished, reports: Path | None = None) -> None:
        """Print the summary of a run; `reports` is the directory of its reports, if they were written."""
        for line in summary_lines(run, reports):
            self._console.print(line, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """End the moving line."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _begin(self, event: RunStarted) -> None:
        self._limit = event.max_time
        self._console.print(
            f"[bold]{escape(event.target)}[/] judged by {escape(event.document)} "
            f"[dim]{event.digest[:12]}, seed {event.seed}, up to {event.max_time:.0f} s[/]",
            highlight=False,
            soft_wrap=True,
        )
        if self._console.is_terminal:
            self._status = self._console.status("preflight")
            self._status.start()

    def _print_finding(self, event: Found) -> None:
        """Print one line as soon as a finding is confirmed; the summary says more."""
        finding = event.finding
        rule = RULES[finding.rule]
        colour = "red" if rule.severity is Severity.VIOLATION else "yellow"
        self._console.print(
            Text.assemble(
                (f"{rule.severity}  ", colour),
                redact(finding.sentence, self._secrets),
            ),
            soft_wrap=True,
        )

    def _print_progress(self, event: Advanced) -> None:
        line = (
            f"{event.seconds:4.0f} s  {event.requests:5} requests  {_counted(event.violations, 'violation')}"
            f"  {_counted(event.warnings, 'warning')}  {self._phase}"
        )
        if self._status is not None:
            self._status.update(f"{line} [dim](up to {self._limit:.0f} s)[/]")
        elif event.seconds >= self._next_line_at:
            self._console.print(line, highlight=False, soft_wrap=True)
            pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, event.seconds / 10))
            self._next_line_at = event.seconds + pause


def summary_lines(run: RunFinished, reports: Path | None = None) -> Iterator[Text]:
    """Yield the summary of a run line by line: what the verdict rests on first, then findings, the verdict last.

    `reports` is the directory of its reports, if they were written.
    """
    data = report_data(run)
    summary = summarise(data)
    yield Text()
    yield from _basis(summary, data)
    yield Text()
    yield from _findings("violation", summary.violations, "red", data, summary, reports)
    yield from _findings("warning", summary.warnings, "yellow", data, summary, reports)
    excused = ((one["id"], excuse(entry)) for one, entry in summary.excused)
    yield from _table("Known, and excused by the baseline", excused)
    suspected = ((rule, f"{RULES[rule].title}: {why}") for rule, why in run.unconfirmed.items())
    yield from _table("Suspected, and neither confirmed nor cleared", suspected)
    yield from _table("Interpretations of this deployment", data["interpretations"].items())
    yield from _table("Interference, which never counts against the target", data["interference"].items())
    yield from _table("Bodies with one broken member", _negatives(run))
    yield from _table("What was sent and verified", _totals(run, data))
    yield _verdict(run, summary, data["inconclusive"])


def _basis(summary: Summary, data: JsonObject) -> Iterator[Text]:
    """Yield what the verdict rests on, and what it says nothing about."""
    yield Text(summary.verified, style="bold" if summary.enough else "bold yellow")
    rows = [("Not verified", f"{listed(rules)}: {why}") for rules, why in summary.not_verified]
    rows += [("Not offered", ", ".join(data["not_offered"]))] if data["not_offered"] else []
    rows += [("Excused", f"{len(summary.excused)} by the baseline, below")] if summary.excused else []
    rows += [("Expired", f"{name}: {excuse(entry)}") for name, entry in summary.expired.items()]
    rows += [("Gone", f"{one['id']} was not found: remove it from the baseline") for one in summary.gone]
    previous = ""
    for name, text in rows:
        yield Text.assemble((f"{'' if name == previous else name:12}  ", "dim"), text)
        previous = name


def _findings(
    kind: str,
    findings: Iterable[JsonObject],
    colour: str,
    data: JsonObject,
    summary: Summary,
    reports: Path | None,
) -> Iterator[Text]:
    for number, one in enumerate(findings, 1):
        yield Text.assemble((f"{kind.upper()} {number}  ", f"bold {colour}"), (f"{one['sentence']}.", "bold"))
        yield from _details(one, summary)
        if data["run"]:
            yield from _repetition(one, reports)
        yield Text()


def _details(finding: JsonObject, summary: Summary) -> Iterator[Text]:
    """Yield the facts of a finding, one a line, then its example."""
    entry = summary.expired.get(finding["id"])
    rows = [
        ("also", ", ".join(finding["also"]), ""),
        ("expected", finding["expected"], ""),
        ("actual", finding["actual"], ""),
        ("rule", RULES[finding["rule"]].title, f" ({finding['source']})"),
        ("at fault", finding["side"], ""),
        ("when", when_sent(finding), ""),
        ("evidence", evidence(finding), ""),
        ("baseline", f"expired; {excuse(entry)}" if entry else "", ""),
    ]
    for name, text, aside in rows:
        if text:
            yield Text.assemble((f"  {name:8}  ", "dim"), text, (aside, "dim"))
    for line in finding["curl"].splitlines():
        cut = line if len(line) < _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…  (whole in report.json)"
        yield Text(f"  {cut}", style="cyan")


def _repetition(finding: JsonObject, reports: Path | None) -> Iterator[Text]:
    """Yield how to see a finding again; without reports, what has to be written for it."""
    if reports is None:
        hint = f"arklow-contracts replay {finding['id']}, after a run with --report-dir DIR"
        yield Text.assemble(("  replay    ", "dim"), (hint, "cyan"))
        return
    replay = f"arklow-contracts replay {finding['id']} --report {reports / 'report.json'} …"
    test = reports / "tests" / f"{name_of_test(finding['id'])}.py"
    yield Text.assemble(("  replay    ", "dim"), (replay, "cyan"))
    yield Text.assemble(("  test      ", "dim"), (f"pytest {test}", "cyan"))


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
        f"openapi-core judged {check.asked} of {check.answers} documented answers ({share})",
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


def _verdict(run: RunFinished, summary: Summary, inconclusive: str | None) -> Text:
    if run.exit_code == 1:
        return Text(f"✗ {summary.headline}", style="bold red")
    if run.exit_code == 3:
        return Text(f"? Inconclusive: {inconclusive}", style="bold yellow")
    headline = summary.headline.replace("0 violations", "no violation", 1)
    if run.lost:
        headline += f"; {run.lost:g} % of the requests met no answer of the application"
    return Text(f"✓ Conforms: {headline}", style="bold green")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


__all__ = ["Terminal", "UnbreakableConsole", "summary_lines"]
