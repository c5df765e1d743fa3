"""Several runs side by side, as one page: what is new, still there, unstable, fixed, or was not verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..core.rules import RULES
from .markdown import cell, table
from .summary import JsonObject

Kind = Literal["new", "still there", "unstable", "fixed", "not verified"]
KINDS: Final[Mapping[Kind, str]] = {
    "new": "Found by the last run, and by none before.",
    "still there": "Found by the last run, and by the one before it that verified the rule.",
    "unstable": "Found before and shown less often than tried, or there, gone and there again.",
    "fixed": "Found before; the last run verified the rule, and it was kept.",
    "not verified": "Found before; the last run did not verify the rule.",
}
"""Kind of a finding → what it means, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one run says of one finding."""

    found: bool | None
    """None: the run did not verify the rule."""
    confirmed: int = 0
    attempts: int = 0

    @property
    def is_unstable(self) -> bool:
        """Whether fewer attempts confirmed it than were made."""
        return bool(self.found) and self.confirmed < self.attempts

    def __str__(self) -> str:
        sign = {True: "✗", False: "✓", None: "–"}[self.found]
        return f"{sign} ({self.confirmed}/{self.attempts})" if self.is_unstable else sign


def kind_of(history: Sequence[Sighting]) -> Kind:
    """Return the kind of a finding from what each run says of it; at least one run has found it."""
    last, verified = history[-1], [one for one in history if one.found is not None]
    if last.found is None:
        return "not verified"
    found = [one for one in verified if one.found]
    signs = "".join("x" if one.found else "." for one in verified).strip(".")
    if last.found and len(found) == 1:
        return "new"
    if found[-1].is_unstable or "." in signs:
        return "unstable"
    return "still there" if last.found else "fixed"


def histories(runs: Sequence[JsonObject]) -> dict[str, list[Sighting]]:
    """Return id of a finding of any run → what each run says of it, in the order of the rules."""
    order = {code: number for number, code in enumerate(RULES)}
    rules = {one["id"]: one["rule"] for run in runs for one in _found(run)}
    found_by_run = [{one["id"]: one for one in _found(run)} for run in runs]
    ids = sorted(rules, key=lambda name: (order.get(rules[name], len(order)), name))
    return {
        name: [
            _sighting(name, rules[name], run, found) for run, found in zip(runs, found_by_run, strict=True)
        ]
        for name in ids
    }


def _sighting(name: str, rule: str, run: JsonObject, found: Mapping[str, JsonObject]) -> Sighting:
    if name in found:
        reproduced = found[name]["reproduced"]
        return Sighting(True, reproduced["shown"], reproduced["tried"])
    broken = {one["rule"] for one in found.values()}
    unverified = {one["rule"] for one in run["not_verified"]} - broken
    reasons = RULES[rule].explained_by if rule in RULES else frozenset()
    explained = bool(reasons & broken)  # the run would have left the finding out
    verified = rule in run["tested"].keys() | broken and rule not in unverified and not explained
    return Sighting(False if verified else None)


def _found(run: JsonObject) -> list[JsonObject]:
    return [*run["violations"], *run["warnings"]]


def new_violations(runs: Sequence[JsonObject]) -> list[str]:
    """Return the ids of the violations that are new, and that the baseline does not excuse."""
    known, excused = histories(runs), _excused(runs[-1])
    return [
        one["id"]
        for one in runs[-1]["violations"]
        if kind_of(known[one["id"]]) == "new" and one["id"] not in excused
    ]


def _excused(run: JsonObject) -> set[str]:
    return {one["id"] for one in run.get("baseline", []) if one["state"] == "excused"}


def page(runs: Sequence[JsonObject]) -> str:
    """Return the comparison of runs, which are in the order of time, as Markdown."""
    known = histories(runs)
    kinds = {name: kind_of(history) for name, history in known.items()}
    names = {kind: [name for name in known if kinds[name] == kind] for kind in KINDS}
    lines = [f"# {', '.join(f'{len(names[kind])} {kind}' for kind in KINDS)}", "", *_remarks(runs)]
    latest = {one["id"]: one for run in runs for one in _found(run)}
    for kind in ("new", "fixed"):
        items = [f"- **{kind}** `{name}` {cell(latest[name]['sentence'])}" for name in names[kind]]
        lines += [*items, ""] if items else []
    excused = _excused(runs[-1])
    for kind, meaning in KINDS.items():
        if not names[kind]:
            continue
        rows = [
            [f"`{name}`", _sentence(latest[name], kind, known[name], excused), *map(str, known[name])]
            for name in names[kind]
        ]
        heading = f"{kind.capitalize()} ({len(rows)})"
        head = ["Finding", "What broke", *_dates(runs)]
        lines += [f"## {heading}", "", meaning, "", *table(head, rows), ""]
    lines += [
        "✗ found, ✓ verified and not found, – not verified, (n/m) shown again n times of m.",
        "",
    ]
    lines += ["## Verdicts", "", *_verdicts(runs), "", *_interpretations(runs)]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(one: JsonObject, kind: Kind, history: Sequence[Sighting], excused: set[str]) -> str:
    text = cell(one["sentence"])
    if kind == "new" and not any(sighting.found is False for sighting in history):
        text += " (not verified before)"
    return text + (" (excused by the baseline)" if one["id"] in excused else "")


def _remarks(runs: Sequence[JsonObject]) -> Iterator[str]:
    """Yield what makes the runs hard to compare, each with an empty line after it."""
    targets = list(dict.fromkeys(run["target"] for run in runs))
    documents = list(dict.fromkeys(_document(run) for run in runs))
    for what, values in (("targets", targets), ("documents", documents)):
        if len(values) > 1:
            yield f"The runs have different {what}: {', '.join(map(cell, values))}."
            yield ""
    if runs[-1]["inconclusive"]:
        yield f"The last run is inconclusive: {cell(runs[-1]['inconclusive'])}"
        yield ""


def _document(run: JsonObject) -> str:
    return f"{run['document']['name']} {run['document']['sha256'][:12]}"


def _dates(runs: Sequence[JsonObject]) -> list[str]:
    """Return when each run began, in UTC; numbered where two began in the same minute."""
    dates = [run["started"][:16].replace("T", " ") for run in runs]
    return [f"{date} #{number}" if dates.count(date) > 1 else date for number, date in enumerate(dates, 1)]


def _verdicts(runs: Sequence[JsonObject]) -> Iterator[str]:
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


def _interpretations(runs: Sequence[JsonObject]) -> list[str]:
    """Return a section with the open questions to which the runs have different answers; none without any."""
    questions = dict.fromkeys(question for run in runs for question in run["interpretations"])
    rows = [
        [cell(question), *(cell(run["interpretations"].get(question, "–")) for run in runs)]
        for question in questions
        if len({run["interpretations"][question] for run in runs if question in run["interpretations"]}) > 1
    ]
    head = ["Question", *_dates(runs)]
    return ["## Interpretations that changed", "", *table(head, rows), ""] if rows else []


__all__ = ["KINDS", "Kind", "Sighting", "histories", "kind_of", "new_violations", "page"]
