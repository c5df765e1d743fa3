"""How a run behaves at its target, as a frozen value that its sequences are handed."""

from __future__ import annotations

from dataclasses import dataclass

from ..transport.client import TIMEOUT


@dataclass(frozen=True, slots=True)
class TrafficPolicy:
    """What the requests of a run may ask of the target."""

    reuses_names: bool = False
    """Definitions have the names that earlier runs gave them, as none can be deleted; actions are tagged with the run."""
    intrusive: bool = True
    """Large, deep and slow requests are sent, and many at the same moment."""
    steady: bool = False
    """What is sent depends on answers alone, and not on the time that they take."""
    patience: float = 1.0
    """How many times its usual time a sequence that depends on chance may take."""
    lease_wait: float = 0.0
    """Seconds that are waited for leases of the length that every destination has."""
    timeout: float = TIMEOUT
    """Seconds that an answer may take."""
    looks_into_refusals: bool = True
    """A refusal of a good key is held against the target only if the key is good elsewhere."""

    @property
    def probe_timeout(self) -> float:
        """Seconds that the answer to a probe may take: half the usual time, as some targets hang on some of them."""
        return self.timeout / 2

    @property
    def slow_timeout(self) -> float:
        """Seconds that are waited for an answer which took too long before, and may never come."""
        return 0.3 * self.timeout


__all__ = ["TrafficPolicy"]
