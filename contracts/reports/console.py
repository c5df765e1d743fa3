"""What a person sees in a terminal: progress while the run goes on, then a summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from arklow_local.formats.excerpts import inert, one_line

from ..core.events import (
    Advanced,
    Event,
    Found,
    PhaseStarted,
    RunFinished,
    RunStarted,
    Waiting,
)
from ..core.exchange import redact
from ..core.findings import Finding
from ..core.rules import RULES, Severity
from .details import detail_lines, finding_lines
from .json_report import report_data
from .printable import printable_data
from .screen import Ending, screen_of
from .summary import summarise

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
"""Seconds between two lines of progress where there is no terminal: a tenth of the time so far, within these."""
_LONG_WAIT = 5.0
"""Seconds of a wait from which on it has a line of its own where there is no terminal."""


def console() -> Console:
    """Return a console that prints on standard output, and leaves it to the terminal where lines end."""
    return Console(soft_wrap=True)


class Terminal:
    """A listener that prints: on a terminal progress is one moving line, elsewhere a line now and then."""

    def __init__(self, console: Console, secrets: Mapping[str, str]) -> None:
        self._console = console
        self._secrets = secrets
        self._status: Status | None = None
        self._line = ""
        """The last line of progress."""
        self._phase = ""
        self._limit = 0.0
        self._next_line_at = 0.0
        self._waits_for = ""
        """What the last line says that the run waits for; empty where it says something else."""
        self._printed: dict[str, Finding] = {}
        """Id → finding that was printed as confirmed."""

    def __call__(self, event: Event) -> None:
        """Print what an event says."""
        match event:
            case RunStarted():
                self._begin(event)
            case PhaseStarted():
                self._phase = event.title
            case Waiting():
                self._print_wait(event)
            case Advanced():
                self._print_progress(event)
            case Found():
                self._print_finding(event.finding)
            case RunFinished():
                self.close()

    def say(self, text: str) -> None:
        """Print a sentence beside the progress."""
        self._console.print(Text(redact(text, self._secrets)), soft_wrap=True)

    def summarise(self, run: RunFinished, ending: Ending | None = None, *, verbose: bool = False) -> None:
        """Print the summary of a run: with `verbose` all that is known of it, then one screen."""
        ending = replace(ending or Ending(), withdrawn=tuple(self._withdrawn(run)), width=self._console.width)
        for line in summary_lines(run, ending, verbose=verbose):
            self._console.print(line, highlight=False, soft_wrap=True)

    def show_work(self, text: str) -> None:
        """Say in the moving line what is done now; nothing where there is no terminal."""
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(Text(inert(text)))
            self._status.start()
        else:
            self._status.update(Text(inert(text)))

    def close(self) -> None:
        """End the moving line."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _begin(self, event: RunStarted) -> None:
        self._limit = event.max_time
        self._console.print(
            f"[bold]{escape(inert(event.target))}[/] judged by {escape(inert(event.document))} "
            f"[dim]{event.digest[:12]}, seed {event.seed}, up to {event.max_time:.0f} s[/]",
            highlight=False,
            soft_wrap=True,
        )
        if self._console.is_terminal:
            self._status = self._console.status("preflight", spinner="line")
            self._status.start()

    def _print_finding(self, finding: Finding) -> None:
        """Print one line as soon as a finding is confirmed; the summary says more."""
        self._printed[finding.id] = finding
        rule = RULES[finding.rule]
        colour = "red" if rule.severity is Severity.VIOLATION else "yellow"
        self._console.print(
            Text.assemble(
                (f"{rule.severity}  ", colour),
                one_line(redact(finding.sentence, self._secrets), 600),
                (f"  {finding.id}", "dim"),
            ),
            soft_wrap=True,
        )

    def _print_wait(self, event: Waiting) -> None:
        text = f"waits {event.seconds:.0f} s for {event.why}"
        if self._status is not None:
            self._status.update(f"{self._line}  [bold]{escape(text)}[/]" if self._line else escape(text))
        elif event.seconds >= _LONG_WAIT and self._waits_for != event.why:
            self._console.print(f"        {text}", highlight=False, markup=False, soft_wrap=True)
            self._waits_for = event.why

    def _print_progress(self, event: Advanced) -> None:
        self._line = (
            f"{event.requests:5} requests  {_counted(event.violations, 'violation')}"
            f"  {_counted(event.warnings, 'warning')}"
        )
        line = f"{event.seconds:4.0f} s  {self._line}  {self._phase}"
        if self._status is not None:
            limit = f" of {self._limit:.0f}" if event.seconds <= self._limit else ""
            self._status.update(f"{event.seconds:.0f}{limit} s  {self._line}  {escape(self._phase)}")
        elif event.seconds >= self._next_line_at:
            self._waits_for = ""
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
            pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, event.seconds / 10))
            self._next_line_at = event.seconds + pause

    def _withdrawn(self, run: RunFinished) -> Iterator[tuple[str, str]]:
        """Yield each finding that was printed and does not stand: its sentence, and why not."""
        standing = (*run.violations, *run.warnings)
        ids, rules = {one.id for one in standing}, {one.rule for one in standing}
        for name, finding in self._printed.items():
            if name in ids:
                continue
            causes = sorted(RULES[finding.rule].explained_by & rules)
            why = f"it follows from {causes[0]}" if causes else run.not_verified.get(finding.rule)
            sentence, why = redact(finding.sentence, self._secrets), why or "it did not show again"
            yield sentence, redact(why, self._secrets)


def summary_lines(run: RunFinished, ending: Ending | None = None, *, verbose: bool = False) -> Iterator[Text]:
    """Yield the summary of a run line by line: with `verbose` all that is known of it, then one screen.

    Before the screen are the findings whose requests have no room on it and are in no report, so that no example is lost.
    """
    ending = ending or Ending()
    data = printable_data(report_data(run))
    summary = summarise(data)
    screen = screen_of(data, summary, ending)
    yield Text()
    if verbose:
        yield from detail_lines(run, data, summary, ending.reports)
    else:
        yield from finding_lines(data, summary, only=screen.without_example)
    yield from screen.lines


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


__all__ = ["Terminal", "console", "summary_lines"]
