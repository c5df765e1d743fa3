"""The home of the rules: what the judge may say about a deployment, each rule as one value with all that is known of it.

A rule says its code, its weight, its sentence and its sources; where in a run a breach may show, and which package
finds it; whether one sighting is proof; what a recording must have kept to show it; how a generated test asserts it;
what to do about it. Every other module asks the rule, and keeps no list of codes of its own. `spec/rules.md` has the
same table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import consistency, definitions, keys, leases, messages, pages, work
from .rule import (
    RELEASE,
    Assertion,
    Evidence,
    Example,
    Phase,
    Rule,
    Severity,
    Verifier,
)

PAGES: Final = {
    "S-ing": "POST /v1/ingress/{variant}",
    "S-mod": "POST /v1/modack",
    "S-def": "PUT /v1/orgs/{org_id}/actions/definitions",
}
"""Source that is a published page → its operation, with all that it refers to."""

RULES: Final[dict[str, Rule]] = {
    rule.code: rule
    for family in (keys, messages, consistency, pages, definitions, work, leases)
    for rule in family.RULES
}
"""Code → rule, in the order of reports."""


def codes_where(holds: Callable[[Rule], bool]) -> frozenset[str]:
    """Return the codes of the rules of which something holds."""
    return frozenset(code for code, rule in RULES.items() if holds(rule))


__all__ = [
    "PAGES",
    "RELEASE",
    "RULES",
    "Assertion",
    "Evidence",
    "Example",
    "Phase",
    "Rule",
    "Severity",
    "Verifier",
    "codes_where",
]
