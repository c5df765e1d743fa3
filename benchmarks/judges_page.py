"""`docs/judges.md` out of the runs that `benchmarks.judges` keeps."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.judges_results import (
    HONEST,
    LEVELS,
    Kept,
    Mark,
    Run,
)
from benchmarks.judges_tools import TOOLS, Signature, Tool
from tests.mutants import MUTANTS

SERIOUS: Final = frozenset({"violation"})


class Column(NamedTuple):
    """One judge in one mode."""

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

The same {faults} servers, each the correct one of `tests/mutants` with one fault, judged by `arklow-contracts` and by
two tools that test any HTTP API against its OpenAPI document. Of the faults {violation} break a promise, {warning}
deserve a warning, and {none} are lawful: to accuse those is a mistake.

**How it is counted.** Each tool first meets the correct server {honest} times, with seeds from 1. Whatever it says
there is a false accusation, and no news elsewhere. A fault is found (✓) when a run against its server shows a
signature that no run against the correct server showed. A signature is the operation, the check or rule, the status,
and the place: in the response's schema, or with Specmatic what was done to the request as well. Where all that is new
belongs to an operation and check in which the runs against the correct server differ among themselves, or is slowness
alone, a second run with the next seed has to show the same signature; what the first alone showed is marked ~ and not
counted. Where a second run was made for another reason, both had to show it too. Whether an accusation names the real
cause is asked of nobody.
"""

FAVOURS: Final = """\
## Whom this comparison favours

Ours, and not by a little:

- Who wrote the faults knew the judge's sources, and who wrote the judge knew most of the faults. None of them is a
  hold-out. The figures say how much of what was thought of is found, not how much of what deployments get wrong.
- The faults are of this service's behaviour as its guides tell it, and ours is made for this service alone. The peers
  have its OpenAPI document, which says little of behaviour: most of the group *state* cannot be seen from it.
- Ours has the keys of two organisations. Schemathesis has a check with a second user, but only for GET, which the
  published document lacks; Specmatic has none.
- The verdicts are ours: that a fault deserves a warning, or nothing, is our interpretation of the pages. A peer that accuses
  a lawful behaviour may have good reasons of its own.
- The correct server refuses work for unknown variants, which the pages leave open. A tool that knows nothing of
  definitions then never sees an ingress accepted; the column *open servers* has stock Schemathesis without that
  hurdle.

The peers, to a lesser degree:

- Any new signature counts, whatever it is about, and places make signatures fine: noise that comes twice is a find.
- Their tuned settings were made with knowledge of this server: documented refusals, examples, ids that live. They were
  not made fault by fault, and nobody wrote checks in Python for Schemathesis, which it would take.
- Ours may take 20 s whenever it likes; the others end by themselves, long before they are interrupted at {cap} s
  as a rule. What a tool had reported until then counts.

Neither: times are of runs at the lowest priority, on a machine that did other work meanwhile and also ran the server,
so they compare tools only roughly. Requests are counted by the server, where what is not HTTP is not seen. What a tool
calls a failure or an error counts; what Schemathesis calls a warning does not.
"""

MARKS: Final = """\
## Mutant by fault

✓ found, ~ in the first run alone, ? the second run is still to be made, · not, ! the tool left no report. Of lawful
behaviours a ✓ is a false accusation.
"""

REPEAT: Final = """\
## Once more

```
npm install --prefix DIR specmatic
python -m benchmarks.judges --specmatic DIR         # what is missing: hours where that is everything
python -m benchmarks.judges --tools ours --again    # one tool anew
```

A run that is kept in `benchmarks/judges.json` is not made again without `--again`. Documents are given to tools without
`servers`, since operations of the published one name a production host there, and the kept runs saw no network
but the loopback interface (`unshare --net`).
"""


def page(kept: Kept) -> str:
    """The page, with a column for each tool that has run."""
    columns = [column for column in COLUMNS if kept.of(column.tool.name)]
    parts = [
        ABOUT.format(faults=len(MUTANTS), honest=honest_runs(kept, columns), **of_verdicts()),
        "## In short\n\n" + table(["", *heads(columns)], totals(kept, columns)),
        "## By group\n\nFound of those that break a promise or deserve a warning.\n\n"
        + table(["Group", "Faults", *heads(columns)], by_group(kept, columns)),
        FAVOURS.format(cap=" or ".join(str(cap) for cap in sorted({tool.cap for tool in TOOLS.values()}))),
        "## Settings\n\n" + "\n".join(settings(kept, columns)),
        "## What is said of the correct server\n\n" + "\n".join(slander(kept, columns)),
        MARKS,
        *(by_fault(kept, columns, group) for group in groups()),
        REPEAT,
    ]
    return "\n".join(parts)


def of_verdicts() -> dict[str, int]:
    """How many faults each verdict has."""
    return {verdict: len(chosen(verdicts=[verdict])) for verdict in VERDICTS}


def honest_runs(kept: Kept, columns: Iterable[Column]) -> str:
    """How often tools met the correct server."""
    counts = {len(kept.of(column.tool.name)) for column in columns}
    return " or ".join(str(count) for count in sorted(counts))


def groups() -> list[str]:
    """All groups of faults."""
    return sorted({fault.group for fault in MUTANTS.values()})


def chosen(group: str | None = None, verdicts: Collection[str] = tuple(VERDICTS)) -> list[str]:
    """The faults of a group, or of all groups, that have one of the verdicts."""
    return [
        name for name, fault in MUTANTS.items() if group in (None, fault.group) and fault.verdict in verdicts
    ]


def heads(columns: Iterable[Column]) -> list[str]:
    """The names of columns."""
    return [column.head for column in columns]


def table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# In short


def totals(kept: Kept, columns: list[Column]) -> Iterator[list[str]]:
    """What every tool came to."""
    for verdict, text in VERDICTS.items():
        faults = chosen(verdicts=[verdict])
        yield [f"{text} {len(faults)}", *(share(kept, column, faults) for column in columns)]
    for text, mark in (
        ("in the first run alone", Mark.ONCE),
        ("not yet confirmed by a second run", Mark.OPEN),
    ):
        yield [f"{text}, not counted", *(str(marked(kept, column, MUTANTS, mark)) for column in columns)]
    for text, cell in (
        ("accusations of the correct server, in a run", accusations),
        ("the same, over all of its runs", lambda kept, column: str(len(slanders(kept, column)))),
        ("seconds a run on the correct server", lambda *at: spread(honest(*at), "seconds", 1)),
        ("of these the tool's own CPU, where measured", lambda *at: spread(honest(*at), "cpu", 1)),
        ("seconds a run on the faulty ones", lambda *at: spread(faulty(*at), "seconds", 1)),
        ("requests a run on the correct server", lambda *at: spread(honest(*at), "requests", 0)),
        ("requests a run on the faulty ones", lambda *at: spread(faulty(*at), "requests", 0)),
        ("runs that were interrupted", lambda *at: f"{interrupted(*at)} of {len(every(*at))}"),
    ):
        yield [text, *(cell(kept, column) for column in columns)]


def marked(kept: Kept, column: Column, faults: Iterable[str], mark: Mark) -> int:
    """How many faults have a mark."""
    return sum(kept.mark(column.tool.name, fault, column.levels) is mark for fault in faults)


def share(kept: Kept, column: Column, faults: list[str]) -> str:
    """How many faults are found; of how many, where some have not been tried."""
    absent = marked(kept, column, faults, Mark.ABSENT)
    found = marked(kept, column, faults, Mark.ACCUSED)
    if absent == len(faults):
        return ""
    return f"**{found}**" + (f" of {len(faults) - absent}" if absent else "")


def accusations(kept: Kept, column: Column) -> str:
    """How many signatures a run against the correct server has."""
    counts = [len(run.at(column.levels)) for run in honest(kept, column)]
    return middle(counts, 0)


def slanders(kept: Kept, column: Column) -> frozenset[Signature]:
    """What is said of the correct server."""
    return kept.honest(column.tool.name, column.levels)


def honest(kept: Kept, column: Column) -> list[Run]:
    """The runs against the correct server."""
    return kept.of(column.tool.name, HONEST)


def faulty(kept: Kept, column: Column) -> list[Run]:
    """The runs against mutants."""
    return [run for fault in MUTANTS for run in kept.of(column.tool.name, fault)]


def every(kept: Kept, column: Column) -> list[Run]:
    """All runs."""
    return honest(kept, column) + faulty(kept, column)


def interrupted(kept: Kept, column: Column) -> int:
    """How many runs reached their limit."""
    return sum(run.capped for run in every(kept, column))


def spread(runs: list[Run], name: str, digits: int) -> str:
    """Median and range of a member of runs."""
    values = [getattr(run, name) for run in runs]
    return middle([one for one in values if one is not None], digits)


def middle(values: Sequence[float], digits: int) -> str:
    """Median, and the range where there is one."""
    if not values:
        return ""
    low, mid, high = (f"{one:,.{digits}f}" for one in (min(values), statistics.median(values), max(values)))
    return mid if low == high else f"{mid} ({low} to {high})"


# By group and by fault


def by_group(kept: Kept, columns: list[Column]) -> Iterator[list[str]]:
    """What every tool found of each group."""
    for group in groups():
        faults = chosen(group, DUE)
        yield [group, str(len(faults)), *(share(kept, column, faults) for column in columns)]
    faults = chosen(verdicts=DUE)
    yield ["all", str(len(faults)), *(share(kept, column, faults) for column in columns)]


def by_fault(kept: Kept, columns: list[Column], group: str) -> str:
    """A line for each fault of a group."""
    rows = []
    for name in chosen(group):
        fault = MUTANTS[name]
        verdict = "lawful" if fault.verdict == "none" else fault.verdict
        marks = [kept.mark(column.tool.name, name, column.levels) for column in columns]
        rows.append([name, fault.text.replace("|", "\\|"), verdict, *marks])
    return f"### {group}\n\n" + table(["", "Mutant", "Verdict", *heads(columns)], rows)


# Settings and false accusations


def settings(kept: Kept, columns: list[Column]) -> Iterator[str]:
    """How each tool was set up and started."""
    for tool in unique(columns):
        known = kept.tools[tool.name]
        yield (
            f"### {tool.title}\n\nVersion {known['version']}, on {known['date']}, {known['machine']}; network: "
            f"{known['network']}. Interrupted after {tool.cap:g} s.\n\n{tool.settings}\n"
            f"```\n{known['command']}\n```\n"
        )


def slander(kept: Kept, columns: list[Column]) -> Iterator[str]:
    """What each tool says of the correct server."""
    for tool in unique(columns):
        said = sorted(kept.honest(tool.name))
        yield f"- {tool.title}: " + ("nothing." if not said else f"{len(said)}.")
        for (operation, code, status), count in grouped(said):
            yield f"  - `{operation or 'run'}`: {code}{f', {status}' if status else ''}{f' ({count})' if count > 1 else ''}"
    yield ""


def grouped(said: Iterable[Signature]) -> Iterator[tuple[tuple[str, str, str], int]]:
    """Signatures that differ only in their place, and how many they are."""
    counts: dict[tuple[str, str, str], int] = {}
    for one in said:
        key = (one.operation, one.code, one.status)
        counts[key] = counts.get(key, 0) + 1
    yield from counts.items()


def unique(columns: Iterable[Column]) -> list[Tool]:
    """The tools of columns, each once."""
    return list({column.tool.name: column.tool for column in columns}.values())
