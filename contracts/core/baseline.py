"""Findings that are known and excused for a time: who looks after each, why, and until when."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

EntryState = Literal["excused", "expired", "gone", "not verified"]
_MEMBERS = ("id", "owner", "reason", "expires")


class BadBaseline(ValueError):
    """The file is not a baseline; the text says where, and what was expected."""


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """One finding that is known and has an owner."""

    id: str
    """As `LEASE-3-e3b0c4`."""
    owner: str
    reason: str
    expires: date
    """The last day, in UTC, on which it is excused."""
    state: EntryState = "not verified"
    """What a run has shown of it."""


def entries(value: Any) -> tuple[BaselineEntry, ...]:
    """Read the entries of a baseline, in order, from a list of objects with `id`, `owner`, `reason` and `expires`.

    Returns:
        a tuple of the entries, none of which has a state of a run yet.

    Raises:
        BadBaseline: the value is no such list.
    """
    if not isinstance(value, list | None):
        raise BadBaseline("expected a list of entries with id, owner, reason and expires")
    found: dict[str, BaselineEntry] = {}
    for number, one in enumerate(value or ()):
        where = f"entry {number + 1}"
        if not isinstance(one, dict):
            raise BadBaseline(f"{where}: expected an object with {', '.join(_MEMBERS)}")
        if unknown := [str(name) for name in one if name not in _MEMBERS]:
            raise BadBaseline(f"{where}: unknown member {unknown[0]!r}; there are {', '.join(_MEMBERS)}")
        for name in _MEMBERS[:3]:
            if not isinstance(one.get(name), str) or not one[name].strip():
                raise BadBaseline(f"{where}: {name!r} must be a text")
        if not re.fullmatch(r"[A-Z]+-[0-9]+-[0-9a-f]{6}", one["id"]):
            raise BadBaseline(f"{where}: {one['id']!r} is not the id of a finding such as LEASE-3-e3b0c4")
        if one["id"] in found:
            raise BadBaseline(f"{where}: {one['id']} stands there twice")
        expires = _day(where, one.get("expires"))
        found[one["id"]] = BaselineEntry(one["id"], one["owner"], one["reason"], expires)
    return tuple(found.values())


def _day(where: str, value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadBaseline(f"{where}: 'expires' must be a day such as 2026-12-31") from None


def with_states(
    baseline: Collection[BaselineEntry], found: Collection[str], verified: Collection[str], today: date
) -> tuple[BaselineEntry, ...]:
    """Return each entry of a baseline, in order, with its state after a run.

    `found` are the ids of the run's findings, `verified` the codes of the rules that it verified.
    """
    return tuple(replace(one, state=_state(one, found, verified, today)) for one in baseline)


def _state(
    entry: BaselineEntry, found: Collection[str], verified: Collection[str], today: date
) -> EntryState:
    if entry.id in found:
        return "excused" if today <= entry.expires else "expired"
    return "gone" if entry.id.rpartition("-")[0] in verified else "not verified"


__all__ = ["BadBaseline", "BaselineEntry", "EntryState", "entries", "with_states"]
