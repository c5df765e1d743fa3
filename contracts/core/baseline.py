"""Findings that are known and excused for a time: who looks after each, why, and until when."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from .findings import ID_DIGITS

EntryState = Literal["excused", "expired", "gone", "not verified"]
SCHEMA_VERSION: Final = 2
"""Of baselines and reports: since 2 the id of a finding names its operation and what was wrong as well."""
_MEMBERS: Final = ("id", "finding", "owner", "reason", "expires")
_ID: Final = re.compile(rf"[A-Z]+-[0-9]+-[0-9a-f]{{{ID_DIGITS}}}")


class BadBaseline(ValueError):
    """The file is not a baseline; the text says where, and what was expected."""


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """One finding that is known and has an owner."""

    id: str
    """As `LEASE-3-1b2c3d4e`."""
    finding: str
    """The sentence of the finding that it excuses, as the report had it that day."""
    owner: str
    reason: str
    expires: date
    """The last day, in UTC, on which it is excused."""
    state: EntryState = "not verified"
    """What a run has shown of it."""


def entries(value: Any) -> tuple[BaselineEntry, ...]:
    """Read the entries of a baseline, in order.

    It is an object with `schema_version` and `findings`, a list of objects with `id`, `finding`, `owner`, `reason` and
    `expires`.

    Returns:
        a tuple of the entries, none of which has a state of a run yet.

    Raises:
        BadBaseline: the value is no such object, or is of an earlier schema version.
    """
    found: dict[str, BaselineEntry] = {}
    for number, one in enumerate(_listed(value)):
        where = f"entry {number + 1}"
        if not isinstance(one, dict):
            raise BadBaseline(f"{where}: expected an object with {', '.join(_MEMBERS)}")
        if unknown := [str(name) for name in one if name not in _MEMBERS]:
            raise BadBaseline(f"{where}: unknown member {unknown[0]!r}; there are {', '.join(_MEMBERS)}")
        for name in _MEMBERS[:4]:
            if not isinstance(one.get(name), str) or not one[name].strip():
                raise BadBaseline(f"{where}: {name!r} must be a text")
        if not _ID.fullmatch(one["id"]):
            raise BadBaseline(
                f"{where}: {one['id']!r} is not the id of a finding: a code such as LEASE-3, a hyphen, "
                f"and {ID_DIGITS} digits or letters from a to f"
            )
        if one["id"] in found:
            raise BadBaseline(f"{where}: {one['id']} stands there twice")
        expires = _day(where, one.get("expires"))
        found[one["id"]] = BaselineEntry(one["id"], one["finding"], one["owner"], one["reason"], expires)
    return tuple(found.values())


def _listed(value: Any) -> list[Any]:
    """Return what a baseline lists.

    Raises:
        BadBaseline: it is none, or is of an earlier schema version.
    """
    if value is None:
        return []
    if isinstance(value, list):
        raise BadBaseline(
            "this baseline is of schema version 1, whose ids did not name the operation: write it as an object with "
            f"'schema_version: {SCHEMA_VERSION}' and 'findings', and take the ids from a new report"
        )
    if not isinstance(value, dict) or value.keys() != {"schema_version", "findings"}:
        raise BadBaseline("expected an object with schema_version and findings")
    if value["schema_version"] != SCHEMA_VERSION:
        raise BadBaseline(f"schema_version must be {SCHEMA_VERSION}, and is {value['schema_version']!r:.40}")
    listed = value["findings"]
    if not isinstance(listed, list | None):
        raise BadBaseline(f"findings: expected a list of entries with {', '.join(_MEMBERS)}")
    return listed or []


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


__all__ = ["SCHEMA_VERSION", "BadBaseline", "BaselineEntry", "EntryState", "entries", "with_states"]
