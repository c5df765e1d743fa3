"""The end of a run on one screen: the verdict first and last, the plainest finding first, and no example lost."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from contracts.commands.output import LastingOutput
from contracts.core.baseline import BaselineEntry
from contracts.core.events import Advanced, Found, PhaseStarted, RunFinished, RunStarted, Waiting
from contracts.core.findings import Finding
from contracts.reports.console import Terminal, summary_lines
from contracts.reports.screen import Ending
from tests.contracts.test_reports import KEY, RUNS, finding, finished, heard, known

OUT = Ending(Path("out"))


def screen(run: RunFinished, ending: Ending = OUT) -> list[str]:
    """Return the lines of the summary, without the empty one before it."""
    return [line.plain for line in summary_lines(run, ending)][1:]


def rows(lines: list[str], width: int = 80) -> int:
    """Return how many rows of a terminal the lines take."""
    return sum(max(1, -(-len(line) // width)) for line in lines)


def sequence(rule: str, length: int, **members: Any) -> Finding:
    """Return a finding whose example has so many requests."""
    [shown] = finding(rule).exchanges
    return finding(rule, exchanges=(shown,) * length, **members)


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        ("violations", "FAILED  1 violation, 1 warning"),
        ("warnings", "FAILED  1 warning (--strict)"),
        ("conforms", "PASSED  no violation"),
        ("inconclusive", "INCONCLUSIVE  nothing was accepted with $MY_KEY"),
    ],
)
def test_the_verdict_is_a_word_in_the_first_line_and_in_the_last(verdict: str, line: str) -> None:
    """The last line also says where the reports are."""
    lines = screen(RUNS[verdict])

    assert (lines[0], lines[-1]) == (line, f"{line}. Reports are in out/")
    assert screen(RUNS[verdict], Ending())[-1] == line
    assert all(character.isascii() or character == "…" for character in "".join(lines))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 13, 40])
@pytest.mark.parametrize("length", [20, 300])
@pytest.mark.parametrize("ending", [OUT, Ending()], ids=["reports", "no reports"])
def test_however_many_findings_there_are_verdict_and_findings_fit_a_screen_of_80_by_24(
    count: int, length: int, ending: Ending
) -> None:
    """However long their sentences and values are."""
    found = tuple(
        replace(
            sequence("PAGE-5", 1 + number % 5, place=f"p{number}"), title="x" * length, actual="y" * length
        )
        for number in range(count)
    )
    reasons = {rule: f"reason {rule}" for rule in ("LEASE-8", "RACE-1", "ORG-1", "ING-1", "ING-3")}
    run = finished(violations=found, not_verified=reasons, not_offered=("POST /v1/ack", "POST /v1/nack"))

    lines = screen(run, ending)
    lines = lines[max(at for at, line in enumerate(lines[:-1]) if line.startswith(("FAILED", "PASSED"))) :]

    assert rows(lines) <= 23
    assert lines[0].split()[0] in lines[-1]
    shown = sum(line.startswith("VIOLATION") for line in lines)
    assert shown >= min(count, 3)
    if shown < count:
        more = count + 1 - shown - sum(line.startswith("WARNING") for line in lines)
        assert any(line.startswith(f"… and {more} more") for line in lines)


def test_the_plainest_finding_comes_first() -> None:
    """One request before several, few before many, one after the other before at the same moment; violations before warnings."""
    together = sequence("RACE-1", 2, together=2)
    long, short, single = sequence("LEASE-3", 4), sequence("ING-3", 2), sequence("PAGE-5", 1)
    run = finished(violations=(together, long, short, single), warnings=(finding("AUTH-8"),))

    lines = screen(run, replace(OUT, width=400))

    heads = [line.split("breaks ")[1].split(":")[0] for line in lines if "breaks " in line]
    assert heads == ["PAGE-5", "ING-3", "LEASE-3", "RACE-1", "AUTH-8"]


def test_a_finding_is_a_sentence_with_its_id_what_was_expected_what_came_and_how_to_see_it_again() -> None:
    """By a replay of the report."""
    lines = screen(finished(warnings=()))

    assert lines[2:6] == [
        "VIOLATION  POST /v1/modack breaks PAGE-5: a title with $MY_KEY.  PAGE-5-27dc36e8",
        "  expected  not $MY_KEY",
        "  actual    200 $MY_KEY",
        "  replay    arklow-contracts replay PAGE-5-27dc36e8 --report out",
    ]


def test_without_a_report_every_example_is_printed() -> None:
    """On the screen where it has room, and above it where it has not."""
    short, long = sequence("PAGE-5", 1), sequence("LEASE-3", 12)
    lines = screen(finished(violations=(long, short), warnings=()), Ending())

    assert sum("curl -sS --globoff -i http://target/v1/modack" in line for line in lines) == 2
    assert sum(line.startswith("  curl -sS") for line in lines) == 13
    last = len(lines) - 1 - lines[:-1][::-1].index("FAILED  2 violations") - 1
    assert lines.index("VIOLATION  POST /v1/modack breaks LEASE-3: a title with $MY_KEY.") < last
    alone = screen(finished(violations=(long,), warnings=()), Ending())
    assert "  example   above" in alone[alone.index("FAILED  1 violation") :]


def test_interpretations_and_counters_are_printed_with_verbose_alone() -> None:
    """And in the report; the screen comes last all the same."""
    verbose = [line.plain for line in summary_lines(finished(), OUT, verbose=True)]

    for title in (
        "Interpretations of this deployment",
        "Bodies with one broken member",
        "What was sent and verified",
    ):
        assert title in verbose
        assert title not in screen(finished())
    assert verbose[-len(screen(finished())) :] == screen(finished())


def test_the_screen_says_what_the_verdict_rests_on() -> None:
    """Rules that were not verified for the same reason share a line; a baseline's entries have theirs."""
    entries = (known("PAGE-5", "excused"), known("PAGE-9", "expired"), known("PAGE-4", "gone"))
    run = finished(violations=(finding("PAGE-5"), finding("PAGE-9")), baseline=entries, min_verified=80.0)

    lines = screen(run)

    assert lines[0] == "FAILED  1 violation, 1 warning, 1 known"
    assert lines[lines.index("") + 1].startswith("VIOLATION  POST /v1/modack breaks PAGE-9: a title")
    assert lines[-8:-2] == [
        "Verified      4 of 7 rules (57.1 %, and 80 % are required)",
        "Not verified  LEASE-8, RACE-1: no lease, $MY_KEY",
        "              ORG-1: no second key",
        "Excused       1 by the baseline",
        "Expired       PAGE-9-27dc36e8: anna, until 2026-12-01: ticket 12",
        "Gone          PAGE-4-27dc36e8 was not found: remove it from the baseline",
    ]


def test_a_run_of_known_findings_alone_passes() -> None:
    """The verdict says how many there are."""
    entry = BaselineEntry(
        finding("PAGE-5").id, "what broke", "anna", "ticket 12", date(2026, 12, 1), "excused"
    )
    run = finished(warnings=(), baseline=(entry,))

    assert run.exit_code == 0
    assert screen(run)[0] == "PASSED  no violation, 1 known"


def test_the_reason_of_an_inconclusive_run_stands_in_its_verdict_alone() -> None:
    """Not once more for each rule that was not verified because of it."""
    why = "it could not be reached"
    run = replace(
        RUNS["inconclusive"], inconclusive=why, not_verified={"PAGE-5": why, "ORG-1": "no second key"}
    )

    lines = screen(run)

    assert sum(why in line for line in lines) == 2
    assert "Not verified  ORG-1: no second key" in lines


def test_a_failing_run_that_was_cut_short_says_so() -> None:
    """The findings count, and what came after them was not verified."""
    assert "Cut short     The run was interrupted." in screen(
        finished(inconclusive="The run was interrupted.")
    )


def summarised(run: RunFinished, *printed: Finding) -> str:
    """Return what a terminal prints at the end, after these findings were confirmed during the run."""
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=200), {KEY: "$MY_KEY"})
    for one in printed:
        terminal(Found(one))
    out.truncate(0)
    out.seek(0)
    terminal.summarise(run, OUT)
    return out.getvalue()


def test_a_finding_that_was_printed_and_does_not_stand_is_withdrawn() -> None:
    """With the reason: it follows from another one, or did not show again."""
    gone = finding("LEASE-8", place="x")
    assert (
        "Withdrawn     POST /v1/modack breaks LEASE-8: a title with $MY_KEY: no lease, $MY_KEY"
        in summarised(finished(), gone, finding("PAGE-5"))
    )
    run = finished(violations=(finding("ING-11"),), not_verified={})
    assert ": it follows from ING-11" in summarised(run, finding("DEF-3"))
    assert ": it did not show again" in summarised(run, finding("PAGE-1"))
    assert "Withdrawn" not in summarised(finished(), finding("PAGE-5"))


def test_progress_names_what_it_waits_for() -> None:
    """In a line of its own where there is no terminal, once for each wait."""
    lease = Waiting(42.4, "a lease to run out")
    lines = heard(
        Advanced(0.0, 9, 0, 0), lease, lease, Waiting(3.0, "the target's rate limit"), PhaseStarted("tour")
    )

    assert [line.strip() for line in lines[1:]] == ["waits 42 s for a lease to run out"]
    begin = RunStarted("http://target", "d.yaml", "d" * 64, 3, 30.0)
    moving = "\n".join(
        heard(begin, Advanced(0.0, 9, 0, 0), Waiting(3.0, "the target's rate limit"), is_terminal=True)
    )
    assert "waits 3 s for the target's rate limit" in moving


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_an_output_that_cannot_be_written_ends_no_run() -> None:
    """It is discarded; what was wrong is known."""
    output = LastingOutput(Full())

    assert output.write("a line\n") == 7
    output.flush()
    assert output.failure is not None
    assert not output.isatty()
