"""Several runs beside each other: what is new, still there, unstable, fixed, or could not be told; as one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..core.rules import RULES
from .markdown import cell, table
from .summary import Record

Kind = Literal["new", "still there", "unstable", "fixed", "not verified"]
KINDS: Final[Mapping[Kind, str]] = {
    "new": "Found by the last run, and by none before.",
    "still there": "Found by the last run, and by the one before it that could tell.",
    "unstable": "Reproduced less often than tried, or there, gone and there again.",
    "fixed": "Found before; the last run put the rule to the test, and it held.",
    "not verified": "Found before; the last run did not put the rule to the test.",
}
"""Class → what it means, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run says of one finding."""

    found: bool | None
    """None: it could not tell, as the rule was not put to the test."""
    shown: int = 0
    tried: int = 0

    @property
    def shaky(self) -> bool:
        """Whether it showed less often than it was tried."""
        return bool(self.found) and self.shown < self.tried

    def __str__(self) -> str:
        sign = {True: "✗", False: "✓", None: "–"}[self.found]
        return f"{sign} ({self.shown}/{self.tried})" if self.shaky else sign


def kind_of(history: Sequence[Seen]) -> Kind:
    """What a finding is that some of the runs, which are in order, have found."""
    last, told = history[-1], [one for one in history if one.found is not None]
    if last.found is None:
        return "not verified"
    found = [one for one in told if one.found]
    signs = "".join("x" if one.found else "." for one in told).strip(".")
    if found[-1].shaky or "." in signs:
        return "unstable"
    if not last.found:
        return "fixed"
    return "new" if len(found) == 1 else "still there"


def histories(runs: Sequence[Record]) -> dict[str, list[Seen]]:
    """Id of each finding of any run → what each run says of it; by the order of the rules."""
    order = {code: number for number, code in enumerate(RULES)}
    rules = {one["id"]: one["rule"] for run in runs for one in _found(run)}
    told = [{one["id"]: one for one in _found(run)} for run in runs]
    ids = sorted(rules, key=lambda name: (order.get(rules[name], len(order)), name))
    return {
        name: [_seen(name, rules[name], run, found) for run, found in zip(runs, told, strict=True)]
        for name in ids
    }


def _seen(name: str, rule: str, run: Record, found: Mapping[str, Record]) -> Seen:
    if name in found:
        again = found[name].get("reproduced") or {"shown": 0, "tried": 0}
        return Seen(True, again["shown"], again["tried"])
    broken = {one["rule"] for one in found.values()}
    unsaid = {one["rule"] for one in run["not_verified"]} - broken
    reasons = RULES[rule].explained_by if rule in RULES else frozenset()
    hidden = bool(reasons & broken)  # said of it would be said twice
    return Seen(
        False if rule in run["tested"].keys() | broken and rule not in unsaid and not hidden else None
    )


def _found(run: Record) -> list[Record]:
    return [*run["violations"], *run["warnings"]]


def new_violations(runs: Sequence[Record]) -> list[str]:
    """Ids of the violations that are new, and that no baseline excuses."""
    told, excused = histories(runs), _excused(runs[-1])
    return [
        one["id"]
        for one in runs[-1]["violations"]
        if kind_of(told[one["id"]]) == "new" and one["id"] not in excused
    ]


def _excused(run: Record) -> set[str]:
    return {one["id"] for one in run.get("baseline", []) if one["state"] == "excused"}


def page(runs: Sequence[Record]) -> str:
    """The comparison in Markdown; the runs are in order."""
    told = histories(runs)
    kinds = {name: kind_of(history) for name, history in told.items()}
    names = {kind: [name for name in told if kinds[name] == kind] for kind in KINDS}
    lines = [f"# {', '.join(f'{len(names[kind])} {kind}' for kind in KINDS)}", "", *_remarks(runs)]
    latest = {one["id"]: one for run in runs for one in _found(run)}
    for kind in ("new", "fixed"):
        said = [f"- **{kind}** `{name}` {cell(latest[name]['sentence'])}" for name in names[kind]]
        lines += [*said, ""] if said else []
    excused = _excused(runs[-1])
    for kind, meaning in KINDS.items():
        if not names[kind]:
            continue
        rows = [
            [f"`{name}`", _sentence(latest[name], kind, told[name], excused), *map(str, told[name])]
            for name in names[kind]
        ]
        heading = f"{kind.capitalize()} ({len(rows)})"
        head = ["Finding", "What broke", *_dates(runs)]
        lines += [f"## {heading}", "", meaning, "", *table(head, rows), ""]
    lines += [
        "✗ found, ✓ put to the test and not found, – could not be told, (n/m) reproduced n times of m.",
        "",
    ]
    lines += ["## Verdicts", "", *_verdicts(runs), "", *_interpretations(runs)]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(one: Record, kind: Kind, history: Sequence[Seen], excused: set[str]) -> str:
    text = cell(one["sentence"])
    if kind == "new" and not any(seen.found is False for seen in history):
        text += " (not verified before)"
    return text + (" (excused by the baseline)" if one["id"] in excused else "")


def _remarks(runs: Sequence[Record]) -> Iterator[str]:
    """What makes the runs hard to compare."""
    targets = list(dict.fromkeys(run["target"] for run in runs))
    documents = list(dict.fromkeys(_document(run) for run in runs))
    for what, values in (("targets", targets), ("documents", documents)):
        if len(values) > 1:
            yield f"The runs have different {what}: {', '.join(map(cell, values))}."
            yield ""
    if runs[-1]["inconclusive"]:
        yield f"The last run is inconclusive: {cell(runs[-1]['inconclusive'])}"
        yield ""


def _document(run: Record) -> str:
    return f"{run['document']['name']} {run['document']['sha256'][:12]}"


def _dates(runs: Sequence[Record]) -> list[str]:
    """When each run was, in UTC; numbered where two began in the same minute."""
    dates = [run["started"][:16].replace("T", " ") for run in runs]
    return [f"{date} #{number}" if dates.count(date) > 1 else date for number, date in enumerate(dates, 1)]


def _verdicts(runs: Sequence[Record]) -> Iterator[str]:
    rows = [
        [
            date,
            cell(run["target"]),
            cell(_document(run)),
            str(run["seed"]),
            run["verdict"],
            str(run["requests"]),
            f"{run['verified']:g} %",
        ]
        for date, run in zip(_dates(runs), runs, strict=True)
    ]
    return table(["Run", "Target", "Document", "Seed", "Verdict", "Requests", "Verified"], rows)


def _interpretations(runs: Sequence[Record]) -> list[str]:
    """Open questions that not all runs have the same answer to."""
    questions = dict.fromkeys(question for run in runs for question in run["interpretations"])
    rows = [
        [cell(question), *(cell(run["interpretations"].get(question, "–")) for run in runs)]
        for question in questions
        if len({run["interpretations"][question] for run in runs if question in run["interpretations"]}) > 1
    ]
    head = ["Question", *_dates(runs)]
    return ["## Interpretations that changed", "", *table(head, rows), ""] if rows else []


__all__ = ["KINDS", "Kind", "Seen", "histories", "kind_of", "new_violations", "page"]
