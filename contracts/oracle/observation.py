"""What the judge says about one exchange, as a value: the caller decides what a suspicion counts."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.findings import Finding


@dataclass(frozen=True, slots=True)
class Observation:
    """What one exchange shows."""

    findings: tuple[Finding, ...]
    """Rules on single exchanges that it breaks, in the order of the checks."""
    suspicions: tuple[Finding, ...]
    """What the reference model does not allow, in the order in which it was noticed. A suspicion counts only when it is
    found again from a fresh beginning."""


__all__ = ["Observation"]
