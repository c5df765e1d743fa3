"""What a person sees: progress while the run goes on, then a summary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
from .json_report import name_of, record
from .summary import (
    Gist,
    gist,
    shown,
    some,
    when,
)


class Patient(Console):
    """A console that outlives its reader: a run is not over because nobody looks."""

    def on_broken_pipe(self) -> None:
        """Go on in silence."""
        self.file = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process


class Terminal:
    """Listens and prints; on a terminal progress is one moving line, elsewhere a line for each part."""

    def __init__(self, console: Console, secrets: Mapping[str, str]) -> None:
        self._console = console
        self._secrets = secrets
        self._status: Status | None = None
        self._part = ""
        self._limit = 0.0
        self._printed = 0.0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._limit = event.max_time
                self._console.print(
                    f"[bold]{escape(event.target)}[/] judged by {escape(event.document)} "
                    f"[dim]{event.digest[:12]}, seed {event.seed}, up to {event.max_time:.0f} s[/]",
                    highlight=False,
                    soft_wrap=True,
                )
                if self._console.is_terminal:
                    self._status = self._console.status("first contact")
                    self._status.start()
            case PhaseStarted():
                self._part = event.title
            case Advanced():
                self._advanced(event)
            case Found():
                self._found(event)
            case RunFinished():
                self.close()

    def summarise(self, run: RunFinished, reports: Path | None = None) -> None:
        """Print the summary; `reports` is the directory that has them, if they were written."""
        for line in summary(run, reports):
            self._console.print(line, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """End the moving line."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _found(self, event: Found) -> None:
        """Say it as soon as it is known; the summary says more."""
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

    def _advanced(self, event: Advanced) -> None:
        line = (
            f"{event.seconds:4.0f} s  {event.requests:5} requests  {_counted(event.violations, 'violation')}"
            f"  {_counted(event.warnings, 'warning')}  {self._part}"
        )
        if self._status is not None:
            self._status.update(f"{line} [dim](up to {self._limit:.0f} s)[/]")
        elif event.seconds >= self._printed:
            self._console.print(line, highlight=False, soft_wrap=True)
            self._printed = event.seconds + min(600, max(5, event.seconds / 10))


def summary(run: RunFinished, reports: Path | None = None) -> Iterator[Text]:
    """Everything a tired person needs, line by line: what the verdict rests on first, the verdict last."""
    data = record(run)
    brief = gist(data)
    yield Text()
    yield from _basis(brief, data)
    yield Text()
    for kind, found, colour in (
        ("violation", brief.violations, "red"),
        ("warning", brief.warnings, "yellow"),
    ):
        for number, one in enumerate(found, 1):
            yield Text.assemble(
                (f"{kind.upper()} {number}  ", f"bold {colour}"), (f"{one['sentence']}.", "bold")
            )
            yield from _details(one, brief)
            if data["run"]:
                yield from _again(one, reports)
            yield Text()
    excused = ((one["id"], _excuse(entry)) for one, entry in brief.excused)
    yield from _table("Known, and excused by the baseline", excused)
    yield from _table("Interpretations this deployment takes", data["interpretations"].items())
    yield from _table(
        "In the way of requests, and not counted against the target", data["interference"].items()
    )
    yield from _table("Bodies that break one member in one way", _negatives(run))
    cross_check = run.cross_check
    share = f"{100 * cross_check.asked / cross_check.answers:.0f} %" if cross_check.answers else "none"
    yield from _table(
        "Done",
        [
            *((f"200  {operation}", count) for operation, count in run.served.items()),
            ("requests", f"{run.requests} in {run.seconds} s; {len(run.tested)} rules put to the test"),
            (
                "second opinion",
                f"openapi-core judged {cross_check.asked} of {cross_check.answers} documented answers ({share})",
            ),
            *(
                ("A FAULT OF THE JUDGE, please report", difference)
                for difference in data["second_opinion"]["differences"]
            ),
        ],
    )
    yield _verdict(run, brief, data["inconclusive"])


def _basis(brief: Gist, data: dict[str, Any]) -> Iterator[Text]:
    """What the verdict rests on, and what it says nothing about."""
    yield Text(brief.verified, style="bold" if brief.enough else "bold yellow")
    rows = [("Not verified", f"{some(rules)}: {why}") for rules, why in brief.not_verified]
    rows += [("Not offered", ", ".join(data["not_offered"]))] if data["not_offered"] else []
    rows += [("Excused", f"{len(brief.excused)} by the baseline, below")] if brief.excused else []
    rows += [("Expired", f"{name}: {_excuse(entry)}") for name, entry in brief.expired.items()]
    rows += [("Gone", f"{one['id']} did not show: take it out of the baseline") for one in brief.gone]
    said = ""
    for name, text in rows:
        yield Text.assemble((f"{'' if name == said else name:12}  ", "dim"), text)
        said = name


def _excuse(entry: dict[str, Any]) -> str:
    return f"{entry['owner']}, until {entry['expires']}: {entry['reason']}"


def _details(one: dict[str, Any], brief: Gist) -> Iterator[Text]:
    """A finding line by line: what was expected, who is to blame, when it was."""
    entry = brief.expired.get(one["id"])
    rows = [
        ("also", ", ".join(one["also"]), ""),
        ("expected", one["expected"], ""),
        ("actual", one["actual"], ""),
        ("rule", RULES[one["rule"]].title, f" ({one['source']})"),
        ("side", one["side"], ""),
        ("when", when(one), ""),
        ("shown", shown(one), ""),
        ("baseline", f"expired; {_excuse(entry)}" if entry else "", ""),
    ]
    for name, text, aside in rows:
        if text:
            yield Text.assemble((f"  {name:8}  ", "dim"), text, (aside, "dim"))
    for line in one["curl"].splitlines():
        yield Text(
            f"  {line if len(line) < _LONG else line[:_LONG] + '…  (whole in report.json)'}", style="cyan"
        )


def _again(one: dict[str, Any], reports: Path | None) -> Iterator[Text]:
    """How to see a finding again, if it was this run that sent its requests."""
    again = f"{one['id']}, from a report: --report-dir DIR"
    if reports is not None:
        again = f"arklow-contracts replay {one['id']} --report {reports / 'report.json'} …"
    yield Text.assemble(("  again     ", "dim"), (again, "cyan"))
    if reports is not None:
        test = reports / "tests" / f"{name_of(one['id'])}.py"
        yield Text.assemble(("  test      ", "dim"), (f"pytest {test}", "cyan"))


def _negatives(run: RunFinished) -> Iterator[tuple[str, str]]:
    """How many were refused for their own sake, and which were not."""
    for operation in dict.fromkeys(label for label, _, _ in run.negatives):
        told = {
            (place, word): said for (label, place, word), said in run.negatives.items() if label == operation
        }
        counted = [f"{sum(said == what for said in told.values())} {what}" for what in _OUTCOMES]
        others = [
            f"{place or 'body'} {word}"
            for (place, word), said in told.items()
            if said in ("masked", "not attempted")
        ]
        told_of = ", ".join(one for one in counted if not one.startswith("0 "))
        yield (
            operation,
            told_of + (f": {', '.join(others[:4])}{'…' if len(others) > 4 else ''}" if others else ""),
        )


_OUTCOMES = ("confirmed", "accepted", "masked", "not attempted")
_LONG = 600


def _table(title: str, rows: Iterable[tuple[str, object]]) -> Iterator[Text]:
    rows = list(rows)
    if not rows:
        return
    width = max((len(name) for name, _ in rows if len(name) < 60), default=0)
    yield Text(title, style="bold")
    for name, value in rows:
        yield Text.assemble(f"  {name:{width}}  ", (str(value), "dim"))
    yield Text()


def _verdict(run: RunFinished, brief: Gist, inconclusive: str | None) -> Text:
    if run.exit_code == 1:
        return Text(f"✗ {brief.headline}", style="bold red")
    if run.exit_code == 3:
        return Text(f"? Inconclusive: {inconclusive}", style="bold yellow")
    return Text(
        f"✓ Conforms: {brief.headline.replace('0 violations', 'no violation', 1)}", style="bold green"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


__all__ = ["Patient", "Terminal", "summary"]
