"""Writes `docs/judges.md` from the runs that `benchmarks.judges` keeps."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.judges_results import CONFORMING, LEVELS, Mark, Results, Run
from benchmarks.judges_tools import TOOLS, Signature, Tool
from tests.mutants import MUTANTS

SERIOUS: Final = frozenset({"violation"})


class Column(NamedTuple):
    """One judge in one mode: its head in tables, and the levels of its accusations that count."""

    head: str
    tool: Tool
    levels: frozenset[str]


COLUMNS: Final = (
    Column("ours", TOOLS["ours"], SERIOUS),
    Column("ours `--strict`", TOOLS["ours"], LEVELS),
    Column("Schemathesis stock", TOOLS["stock"], LEVELS),
    Column("stock, open servers", TOOLS["stock-open"], LEVELS),
    Column("Schemathesis tuned", TOOLS["tuned"], LEVELS),
    Column("Specmatic", TOOLS["specmatic"], LEVELS),
    Column("Specmatic tuned", TOOLS["specmatic-tuned"], LEVELS),
)
VERDICTS: Final = {
    "violation": "violations found, of",
    "warning": "deviations that deserve a warning found, of",
    "none": "lawful behaviours accused, of",
}
DUE: Final = ("violation", "warning")

ABOUT: Final = """\
<!-- Made by `python -m benchmarks.judges` from benchmarks/judges.json. -->

# Our judge beside its peers

The same {mutants} servers, each the conforming server of `tests/mutants` with one mutation, judged by
`arklow-contracts` and by two tools that test any HTTP API against its OpenAPI document. Of the mutants {violation}
break a promise, {warning} deserve a warning, and {none} are lawful: to accuse those is a mistake.

**How it is counted.** Each tool first meets the conforming server {conforming} times, with seeds from 1. Whatever it
says there is a false accusation, and no news elsewhere. A mutant is found (✓) when a run against it shows a signature
that no run against the conforming server showed. A signature is the operation, the check or rule, the status, and the
place: in the response's schema, or with Specmatic what was done to the request as well. Where all that is new belongs to
an operation and check in which the runs against the conforming server differ among themselves, or is slowness alone, a
second run with the next seed has to show the same signature; what the first alone showed is marked ~ and not counted.
Where a second run was made for another reason, both had to show it too. An accusation need not name the real cause.
"""

FAVOURS: Final = """\
## Whom this comparison favours

Ours, and not by a little:

- The author of the mutants knew the judge's sources, and the author of the judge knew most of the mutants. None of them
  is a hold-out. The figures say how much of what was thought of is found, not how much of what deployments get wrong.
- The mutations are of this service's behaviour as its guides describe it, and ours is made for this service alone. The
  peers have its OpenAPI document, which says little of behaviour: most of the group *state* cannot be seen from it.
- Ours has the keys of two organisations. Schemathesis has a check with a second user, but only for GET, which the
  published document lacks; Specmatic has none.
- The verdicts are ours: that a mutation deserves a warning, or nothing, is our interpretation of the pages. A peer that
  accuses a lawful behaviour may have good reasons of its own.
- The conforming server refuses work for unknown variants, which the pages leave open. A tool that knows nothing of
  definitions then never sees an ingress accepted; the column *open servers* has stock Schemathesis without that
  hurdle.

The peers, to a lesser degree:

- Any new signature counts, whatever it is about, and places make signatures fine: noise that comes twice is a find.
- Their tuned settings were made with knowledge of this server: documented refusals, examples, ids that live. They were
  not made mutant by mutant, and no checks were written for Schemathesis, which it would take in Python.
- Ours always takes about 20 s; the others end by themselves, as a rule long before they are interrupted at {cap} s.
  What a tool had reported until then counts.

Neither: times are of runs at the lowest priority, on a machine that did other work meanwhile and also ran the server,
so they compare tools only roughly. Requests are counted by the server, where what is not HTTP is not seen. What a tool
calls a failure or an error counts; what Schemathesis calls a warning does not.
"""

MARKS: Final = """\
## Mutant by mutant

✓ found, ~ in the first run alone, ? the second run is still to be made, · not found, ! the tool left no report. For a
lawful behaviour ✓ is a false accusation.
"""

REPEAT: Final = """\
## How to repeat it

```
npm install --prefix DIR specmatic
python -m benchmarks.judges --specmatic DIR         # what is missing: hours where that is everything
python -m benchmarks.judges --tools ours --again    # one tool anew
python -m benchmarks.judges --page-only             # this page from the runs that are results
```

A run that is kept in `benchmarks/judges.json` is not made again without `--again`. Documents are given to tools without
`servers`, since operations of the published one name a production host there, and the kept runs saw no network
but the loopback interface (`unshare --net`).
"""


def page(results: Results) -> str:
    """Write the page, with a column for each tool that has run."""
    columns = [column for column in COLUMNS if results.of(column.tool.name)]
    parts = [
        ABOUT.format(mutants=len(MUTANTS), conforming=runs_each(results, columns), **of_verdicts()),
        "## In short\n\n" + table(["", *heads(columns)], totals(results, columns)),
        "## By group\n\nFound of the mutants that break a promise or deserve a warning.\n\n"
        + table(["Group", "Mutants", *heads(columns)], by_group(results, columns)),
        FAVOURS.format(cap=" or ".join(str(cap) for cap in sorted({tool.cap for tool in TOOLS.values()}))),
        "## Settings\n\n" + "\n".join(settings(results, columns)),
        "## What is said of the conforming server\n\n" + "\n".join(accusation_lists(results, columns)),
        MARKS,
        *(by_mutant(results, columns, group) for group in groups()),
        REPEAT,
    ]
    return "\n".join(parts)


def of_verdicts() -> dict[str, int]:
    """Verdict → how many mutants have it."""
    return {verdict: len(chosen(verdicts=[verdict])) for verdict in VERDICTS}


def runs_each(results: Results, columns: Iterable[Column]) -> str:
    """How often the tools met the conforming server."""
    counts = {len(results.of(column.tool.name)) for column in columns}
    return " or ".join(str(count) for count in sorted(counts))


def groups() -> list[str]:
    """The names of all groups of mutants."""
    return sorted({one.group for one in MUTANTS.values()})


def chosen(group: str | None = None, verdicts: Collection[str] = tuple(VERDICTS)) -> list[str]:
    """The ids of the mutants of a group, or of all groups, that have one of the verdicts."""
    return [name for name, one in MUTANTS.items() if group in (None, one.group) and one.verdict in verdicts]


def heads(columns: Iterable[Column]) -> list[str]:
    """The heads of columns."""
    return [column.head for column in columns]


def table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# In short


def totals(results: Results, columns: list[Column]) -> Iterator[list[str]]:
    """Rows with the sums of every tool."""
    for verdict, text in VERDICTS.items():
        mutants = chosen(verdicts=[verdict])
        yield [f"{text} {len(mutants)}", *(share(results, column, mutants) for column in columns)]
    for text, mark in (
        ("in the first run alone", Mark.ONCE),
        ("not yet confirmed by a second run", Mark.OPEN),
    ):
        yield [f"{text}, not counted", *(str(marked(results, column, MUTANTS, mark)) for column in columns)]
    for text, cell in (
        ("accusations of the conforming server, in a run", accusations),
        (
            "the same, over all of its runs",
            lambda results, column: str(len(false_accusations(results, column))),
        ),
        ("seconds a run on the conforming server", lambda *at: spread(on_conforming(*at), "seconds", 1)),
        ("of these the tool's own CPU, where measured", lambda *at: spread(on_conforming(*at), "cpu", 1)),
        ("seconds a run on the mutants", lambda *at: spread(on_mutants(*at), "seconds", 1)),
        ("requests a run on the conforming server", lambda *at: spread(on_conforming(*at), "requests", 0)),
        ("requests a run on the mutants", lambda *at: spread(on_mutants(*at), "requests", 0)),
        ("runs that were interrupted", lambda *at: f"{interrupted(*at)} of {len(every(*at))}"),
    ):
        yield [text, *(cell(results, column) for column in columns)]


def marked(results: Results, column: Column, mutants: Iterable[str], mark: Mark) -> int:
    """How many mutants have a mark."""
    return sum(results.mark(column.tool.name, one, column.levels) is mark for one in mutants)


def share(results: Results, column: Column, mutants: list[str]) -> str:
    """How many mutants are found; of how many, where some were not tried."""
    absent = marked(results, column, mutants, Mark.ABSENT)
    found = marked(results, column, mutants, Mark.ACCUSED)
    if absent == len(mutants):
        return ""
    return f"**{found}**" + (f" of {len(mutants) - absent}" if absent else "")


def accusations(results: Results, column: Column) -> str:
    """How many signatures a run against the conforming server has: the median, and the range."""
    counts = [len(run.at(column.levels)) for run in on_conforming(results, column)]
    return middle(counts, 0)


def false_accusations(results: Results, column: Column) -> frozenset[Signature]:
    """What is said of the conforming server."""
    return results.conforming(column.tool.name, column.levels)


def on_conforming(results: Results, column: Column) -> list[Run]:
    """The runs against the conforming server."""
    return results.of(column.tool.name, CONFORMING)


def on_mutants(results: Results, column: Column) -> list[Run]:
    """The runs against mutants."""
    return [run for one in MUTANTS for run in results.of(column.tool.name, one)]


def every(results: Results, column: Column) -> list[Run]:
    """All runs."""
    return on_conforming(results, column) + on_mutants(results, column)


def interrupted(results: Results, column: Column) -> int:
    """How many runs reached their time limit."""
    return sum(run.capped for run in every(results, column))


def spread(runs: list[Run], name: str, digits: int) -> str:
    """Median and range of one figure of the runs."""
    values = [getattr(run, name) for run in runs]
    return middle([one for one in values if one is not None], digits)


def middle(values: Sequence[float], digits: int) -> str:
    """Write the median, and the range where there is one."""
    if not values:
        return ""
    low, mid, high = (f"{one:,.{digits}f}" for one in (min(values), statistics.median(values), max(values)))
    return mid if low == high else f"{mid} ({low} to {high})"


# By group and by mutant


def by_group(results: Results, columns: list[Column]) -> Iterator[list[str]]:
    """Rows with what every tool found of each group."""
    for group in groups():
        mutants = chosen(group, DUE)
        yield [group, str(len(mutants)), *(share(results, column, mutants) for column in columns)]
    mutants = chosen(verdicts=DUE)
    yield ["all", str(len(mutants)), *(share(results, column, mutants) for column in columns)]


def by_mutant(results: Results, columns: list[Column], group: str) -> str:
    """Write a table with a line for each mutant of a group."""
    rows = []
    for name in chosen(group):
        mutant = MUTANTS[name]
        verdict = "lawful" if mutant.verdict == "none" else mutant.verdict
        marks = [results.mark(column.tool.name, name, column.levels) for column in columns]
        rows.append([name, mutant.text.replace("|", "\\|"), verdict, *marks])
    return f"### {group}\n\n" + table(["", "Mutation", "Verdict", *heads(columns)], rows)


# Settings and false accusations


def settings(results: Results, columns: list[Column]) -> Iterator[str]:
    """Sections on how each tool was set up and started."""
    for tool in unique(columns):
        known = results.tools[tool.name]
        yield (
            f"### {tool.title}\n\nVersion {known['version']}, on {known['date']}, {known['machine']}; network: "
            f"{known['network']}. Interrupted after {tool.cap:g} s.\n\n{tool.settings}\n"
            f"```\n{known['command']}\n```\n"
        )


def accusation_lists(results: Results, columns: list[Column]) -> Iterator[str]:
    """Lines with what each tool says of the conforming server."""
    for tool in unique(columns):
        accusations = sorted(results.conforming(tool.name))
        yield f"- {tool.title}: " + (f"{len(accusations)}." if accusations else "nothing.")
        for (operation, code, status), count in grouped(accusations):
            yield f"  - `{operation or 'run'}`: {code}{f', {status}' if status else ''}{f' ({count})' if count > 1 else ''}"
    yield ""


def grouped(signatures: Iterable[Signature]) -> Iterator[tuple[tuple[str, str, str], int]]:
    """Pairs of operation, code and status, and how many signatures with these differ in their place."""
    counts: dict[tuple[str, str, str], int] = {}
    for one in signatures:
        key = (one.operation, one.code, one.status)
        counts[key] = counts.get(key, 0) + 1
    yield from counts.items()


def unique(columns: Iterable[Column]) -> list[Tool]:
    """The tools of columns, each once."""
    return list({column.tool.name: column.tool for column in columns}.values())
