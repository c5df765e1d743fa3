"""Constructed sequences: short plays that bring a deployment to where a rule can be tested.

They only drive. What is allowed is said by the model and the checks; a sequence names the rules that it is for.
"""

from __future__ import annotations

from typing import Final

from . import (
    basics,
    definitions,
    keys,
    leases,
    races,
    requests,
    tour,
    work,
)
from .scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    basics.bodies,
    tour.life,
    tour.broken,
    tour.unknown_keys,
    tour.seldom,
    tour.acked,
    leases.short_leases,
    basics.refusals,
    basics.first_steps,
    definitions.updates,
    definitions.versions,
    leases.attempts,
    leases.unknown_ids,
    definitions.aliases,
    definitions.organisations,
    definitions.nothing_stored,
    leases.settling,
    leases.settling_others,
    leases.rejected,
    leases.deferred,
    leases.given_back,
    requests.methods,
    definitions.near_names,
    definitions.schemas,
    work.custody,
    work.kinds,
    requests.broken_modacks,
    requests.broken_work,
    requests.broken_definitions,
    requests.others,
    requests.edges,
    keys.wrong_keys,
    work.equal_work,
    definitions.removed_aliases,
    definitions.names,
    definitions.negative_versions,
    definitions.more_members,
    work.query_tags,
    races.updates,
    races.explicit_versions,
    races.settlements,
    keys.keys,
    definitions.strange_schemas,
    *requests.wire,
    requests.large,
)
"""In the order of what they prove for their cost."""

__all__ = ["SCENARIOS", "Scenario", "leases", "requests"]
