"""Organisations and their clocks as the JSON of the admin plane."""

from __future__ import annotations

from typing import Any

from ..domain.ports import Organisation
from ..seeds import scripts
from ..timestamps import timestamp


def organisation_json(organisation: Organisation, now: int) -> dict[str, Any]:
    """Return all members of an organisation by name; `now` is its time, in milliseconds since the epoch."""
    return counts_json(organisation) | {
        "seed": organisation.seed,
        "clock": clock_json(organisation, now),
        "worker": scripts.to_json(organisation.worker),
        "snapshots": sorted(organisation.snapshots),
        "journal": {"last": organisation.journal.last},
    }


def counts_json(organisation: Organisation) -> dict[str, Any]:
    """Return the members that an organisation has in a list by name: its id, and how much it holds."""
    table = organisation.action_table
    return {
        "org_id": organisation.org_id,
        "definitions": len(organisation.registry.by_variant),
        "destinations": len(organisation.registry.destinations),
        "actions": {"kept": table.count, "dropped": table.oldest},
    }


def clock_json(organisation: Organisation, now: int) -> dict[str, Any]:
    """Return the members of an organisation's clock by name; `now` is its time, in milliseconds since the epoch."""
    clock = organisation.clock
    is_frozen = clock.frozen_at is not None
    return {
        "mode": "frozen" if is_frozen else "running" if clock.ahead_ms else "real",
        "now": timestamp(now),
        "ahead_ms": None if is_frozen else clock.ahead_ms,
    }


__all__ = ["clock_json", "counts_json", "organisation_json"]
