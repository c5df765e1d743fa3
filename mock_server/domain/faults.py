"""What was asked to go wrong with answers, and which answer is hit: frozen values, nothing drawn by chance.

None of this exists in Arklow; all of it is ours (TRB-1 to TRB-9).
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

MOST: Final = 100
"""Faults that one organisation keeps."""
CODE: Final = "INJECTED"
"""The error code of an answer with an injected fault, unless another was asked for."""
CUT_STATUS: Final = 500
"""The status of what is half sent when nothing was carried out: the one that every page lists for a failure."""
LONGEST_DELAY: Final = 300
"""Seconds."""


class Cut(StrEnum):
    """How a connection ends before its answer does."""

    CLOSE = "close"
    """Closed, without an answer."""
    HALF = "half"
    """Closed after the head and half of the body."""
    RESET = "reset"
    """Reset (TCP RST), without an answer."""


class Fault(NamedTuple):
    """What is to happen to answers. At least one of status, delay and cut; never both status and cut."""

    operation: str = ""
    """The operation's id; empty for every operation."""
    times: int | None = None
    """Answers that are hit; None for all to come."""
    share: float = 1.0
    """The part of the answers that is hit, above 0 and up to 1."""
    status: int | None = None
    code: str = CODE
    message: str = ""
    """What the error says; empty for a sentence of the mock's."""
    delay: float | None = None
    """Real seconds that the answer is late."""
    cut: Cut | None = None
    retry_after: int | None = None
    """Seconds, for the header `Retry-After`."""
    carried_out: bool = False
    """Whether the request is carried out before its answer is replaced or lost."""

    @property
    def only_delays(self) -> bool:
        """Whether the request is answered as always, but late."""
        return self.status is None and self.cut is None


class PlannedFault(NamedTuple):
    """A fault that was added, and what has become of it."""

    number: int
    fault: Fault
    eligible: int = 0
    """Answers that it could have hit."""
    hit: int = 0

    @property
    def left(self) -> int | None:
        """Answers that it will hit yet; None without an end."""
        return None if self.fault.times is None else self.fault.times - self.hit

    def fits(self, operation: str) -> bool:
        """Whether it can hit an answer of the operation."""
        return self.fault.operation in ("", operation) and self.left != 0


class FaultPlan(NamedTuple):
    """The faults of an organisation, in the order of their addition."""

    faults: tuple[PlannedFault, ...] = ()
    last: int = 0
    """The number of the one that was added last."""

    @property
    def is_full(self) -> bool:
        """Whether no other one can be added."""
        return len(self.faults) >= MOST and all(planned.left != 0 for planned in self.faults)

    def added(self, fault: Fault) -> FaultPlan:
        """With another one at the end, to a plan that is not full; the oldest that hits no more makes room for it."""
        kept = self.faults
        if len(kept) >= MOST:
            spent = next(at for at, planned in enumerate(kept) if planned.left == 0)
            kept = kept[:spent] + kept[spent + 1 :]
        return FaultPlan((*kept, PlannedFault(self.last + 1, fault)), self.last + 1)

    def without(self, number: int | None) -> FaultPlan:
        """Without one of them, or without any; numbers go on."""
        kept = () if number is None else tuple(s for s in self.faults if s.number != number)
        return FaultPlan(kept, self.last)

    def fits(self, operation: str) -> bool:
        """Whether some of them can hit an answer of the operation."""
        return any(planned.fits(operation) for planned in self.faults)

    def after_answer(self, operation: str, seed: int) -> tuple[FaultPlan, PlannedFault | None]:
        """The plan after one answer of the operation, and what hits it: the first that fits and whose share it is."""
        after = list(self.faults)
        for at, planned in enumerate(after):
            if planned.fits(operation):
                struck = _struck(seed, planned)
                after[at] = eligible = planned._replace(
                    eligible=planned.eligible + 1, hit=planned.hit + struck
                )
                if struck:
                    return FaultPlan(tuple(after), self.last), eligible
        return FaultPlan(tuple(after), self.last), None


def _struck(seed: int, planned: PlannedFault) -> bool:
    """Whether the next answer is in the share; the same for the same seed, number and count (LIFE-19)."""
    digest = sha256(f"{seed}/trouble/{planned.number}/{planned.eligible}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < planned.fault.share * 2**64
