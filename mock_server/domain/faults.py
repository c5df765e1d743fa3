"""Injected faults as frozen values: what happens to answers on request, and which answer a fault hits.

Which answer is hit follows from a hash and a count, not from chance. Arklow has no such faults; all of it is ours (FAULT-1 to
FAULT-9).
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

MAX_FAULTS: Final = 100
"""Faults that one organisation keeps: far more than a test needs, and few enough to look at for every answer."""
DEFAULT_CODE: Final = "INJECTED"
"""The error code of an answer with an injected fault, unless the fault names another."""
CUT_STATUS: Final = 500
"""The status of a half-sent answer to a request that was not carried out: every page lists it for a failure."""
LONGEST_DELAY: Final = 300
"""Seconds: longer than the time-outs of common clients."""


class Cut(StrEnum):
    """How a connection ends before its answer does."""

    CLOSE = "close"
    """Closed, without an answer."""
    HALF = "half"
    """Closed after the head and half of the body."""
    RESET = "reset"
    """Reset (TCP RST), without an answer."""


class Fault(NamedTuple):
    """What is to happen to answers. It has at least one of status, delay and cut, and never both status and cut."""

    operation: str = ""
    """The operation's id; empty for every operation."""
    times: int | None = None
    """Number of answers that are hit; None for no end."""
    share: float = 1.0
    """The share of the answers that is hit, above 0 and up to 1."""
    status: int | None = None
    code: str = DEFAULT_CODE
    message: str = ""
    """What the error says; empty for a sentence of the mock's own."""
    delay: float | None = None
    """Real seconds that the answer is late."""
    cut: Cut | None = None
    retry_after: int | None = None
    """Seconds, for the header `Retry-After`."""
    carried_out: bool = False
    """Whether the request is carried out before its answer is replaced or lost."""

    @property
    def only_delays(self) -> bool:
        """Whether the answer is the ordinary one, but late."""
        return self.status is None and self.cut is None


class PlannedFault(NamedTuple):
    """A fault that was added to an organisation, with its counts."""

    number: int
    fault: Fault
    eligible: int = 0
    """Number of answers that it could have hit."""
    hit: int = 0
    """Number of answers that it has hit."""

    @property
    def left(self) -> int | None:
        """Number of answers that it has yet to hit; None for no end."""
        return None if self.fault.times is None else self.fault.times - self.hit

    def fits(self, operation: str) -> bool:
        """Return whether it can hit an answer of the operation."""
        return self.fault.operation in ("", operation) and self.left != 0


class FaultPlan(NamedTuple):
    """The faults of an organisation, in the order of their addition. Methods return new plans."""

    faults: tuple[PlannedFault, ...] = ()
    last: int = 0
    """The number of the fault that was added last."""

    @property
    def is_full(self) -> bool:
        """Whether no other fault can be added: there are as many as may be, and none of them is spent."""
        return len(self.faults) >= MAX_FAULTS and all(planned.left != 0 for planned in self.faults)

    def added(self, fault: Fault) -> FaultPlan:
        """Return the plan, which is not full, with one more fault; the oldest spent one makes room where it must."""
        kept = self.faults
        if len(kept) >= MAX_FAULTS:
            spent = next(at for at, planned in enumerate(kept) if planned.left == 0)
            kept = kept[:spent] + kept[spent + 1 :]
        return FaultPlan((*kept, PlannedFault(self.last + 1, fault)), self.last + 1)

    def without(self, number: int | None) -> FaultPlan:
        """Return the plan without the fault of this number, or without any; later faults get higher numbers all the same."""
        kept = () if number is None else tuple(planned for planned in self.faults if planned.number != number)
        return FaultPlan(kept, self.last)

    def fits(self, operation: str) -> bool:
        """Return whether any of them can hit an answer of the operation."""
        return any(planned.fits(operation) for planned in self.faults)

    def after_answer(self, operation: str, seed: int) -> tuple[FaultPlan, PlannedFault | None]:
        """Count one answer of the operation. The first fault hits it that fits and in whose share it is.

        Returns:
            (the plan with its counts, the fault that hits the answer or None).
        """
        after = list(self.faults)
        for at, planned in enumerate(after):
            if planned.fits(operation):
                hits = _hits_next(planned, seed)
                counted = planned._replace(eligible=planned.eligible + 1, hit=planned.hit + hits)
                after[at] = counted
                if hits:
                    return FaultPlan(tuple(after), self.last), counted
        return FaultPlan(tuple(after), self.last), None


def _hits_next(planned: PlannedFault, seed: int) -> bool:
    """Whether the next eligible answer is in the share; the same for the same seed, number and count (LIFE-19)."""
    digest = sha256(f"{seed}/trouble/{planned.number}/{planned.eligible}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < planned.fault.share * 2**64
