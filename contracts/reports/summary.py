"""What every report says first, of a run as `record` has it: what was verified, what was not and why, what is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
"""A run, or a finding of it, as `record` has it."""


@dataclass(frozen=True, slots=True)
class Gist:
    """A run in a few words."""

    verified: str
    """As `Verified 54 of 60 rules (90 %)`."""
    enough: bool
    """Whether that is as much as was asked for."""
    not_verified: tuple[tuple[tuple[str, ...], str], ...]
    """Rules, and the reason that they share."""
    violations: tuple[Record, ...]
    """Those that no baseline excuses."""
    warnings: tuple[Record, ...]
    """Likewise."""
    excused: tuple[tuple[Record, Record], ...]
    """Findings that the baseline excuses, each with its entry."""
    expired: dict[str, Record]
    """Id of a finding that it excuses no more → entry."""
    gone: tuple[Record, ...]
    """Entries whose finding did not show, although its rule was put to the test."""

    @property
    def headline(self) -> str:
        """The verdict in one line, if it is not inconclusive."""
        counted = [_counted(len(self.violations), "violation")]
        counted += [_counted(len(self.warnings), "warning")] if self.warnings else []
        return ", ".join([*counted, *([f"{len(self.excused)} known"] if self.excused else [])])


def gist(run: Record) -> Gist:
    """The gist of a run."""
    found = [*run["violations"], *run["warnings"]]
    put = run["tested"].keys() | {one["rule"] for one in found}
    asked = put | {one["rule"] for one in run["not_verified"]}
    bar = f", and {run['min_verified']:g} % are asked for" if run["min_verified"] else ""
    why: dict[str, list[str]] = {}
    for one in run["not_verified"]:
        if one["rule"] not in put:
            why.setdefault(one["why"], []).append(one["rule"])
    known = {state: {one["id"]: one for one in run["baseline"] if one["state"] == state} for state in _STATES}
    return Gist(
        f"Verified {len(put)} of {len(asked)} rules ({run['verified']:g} %{bar})",
        run["verified"] >= run["min_verified"],
        tuple((tuple(rules), reason) for reason, rules in why.items()),
        tuple(one for one in run["violations"] if one["id"] not in known["excused"]),
        tuple(one for one in run["warnings"] if one["id"] not in known["excused"]),
        tuple((one, known["excused"][one["id"]]) for one in found if one["id"] in known["excused"]),
        known["expired"],
        tuple(known["gone"].values()),
    )


def some(rules: tuple[str, ...], most: int = 8) -> str:
    """So many of them by name, and how many there are."""
    more = len(rules) - most
    return ", ".join(rules) if more <= 1 else f"{', '.join(rules[:most])} and {more} more"


def when(one: Record) -> str:
    """When a finding was made, and how its server can be asked about it."""
    said = [one["at"].replace("T", " ").replace("Z", " UTC")]
    said += [f"traceparent {one['traceparent']}"] if one["traceparent"] else []
    return ", ".join([*said, *([f"request id {one['request_id']}"] if one["request_id"] else [])])


def shown(one: Record) -> str:
    """How often a finding showed."""
    again = one["reproduced"]
    if again is None:
        return "seen once, which is proof"
    return (
        f"reproduced {again['shown']} of {again['tried']}" if again["tried"] else "seen once, not tried again"
    )


def again(one: Record, run: Record) -> list[str]:
    """How to see a finding again, in a line; nothing where its requests were somebody else's."""
    return [f"Again: arklow-contracts replay {one['id']}"] if run["run"] else []


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


_STATES = ("excused", "expired", "gone", "not verified")

__all__ = ["Gist", "Record", "again", "gist", "shown", "some", "when"]
