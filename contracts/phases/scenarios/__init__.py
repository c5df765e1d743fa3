"""Constructed sequences of calls, each of which brings a deployment to where some rules can be verified.

They only send requests: the checks and the reference model say what may be answered.
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
    requests.paths,
    requests.depths,
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
"""In the order in which they are played: what proves most for its requests comes first."""

__all__ = ["SCENARIOS", "Scenario", "leases", "requests"]
