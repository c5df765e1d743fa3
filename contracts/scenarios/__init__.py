"""Constructed sequences: short plays that bring a deployment to where a rule can be tested.

They only drive. What is allowed is said by the model and the checks; a sequence names the rules that it is for.
"""

from __future__ import annotations

from typing import Final

from . import basics, definitions, keys, leases, races, requests, work
from .scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    basics.bodies,
    basics.refusals,
    leases.short_leases,
    basics.first_steps,
    requests.broken_modacks,
    requests.broken_work,
    requests.broken_definitions,
    definitions.updates,
    definitions.versions,
    leases.attempts,
    leases.unknown_ids,
    keys.wrong_keys,
    work.kinds,
    definitions.aliases,
    definitions.organisations,
    definitions.nothing_stored,
    work.equal_work,
    work.custody,
    definitions.schemas,
    definitions.strange_schemas,
    definitions.removed_aliases,
    definitions.names,
    definitions.near_names,
    definitions.negative_versions,
    definitions.more_members,
    work.query_tags,
    requests.edges,
    requests.methods,
    leases.settling,
    races.updates,
    races.explicit_versions,
    races.settlements,
    keys.keys,
    requests.wire,
    requests.large,
)
"""In the order of what they prove for their cost."""

__all__ = ["SCENARIOS", "Scenario", "leases", "requests"]
