"""The clock of one organisation, as a value: it follows the machine at a distance, or stands still."""

from __future__ import annotations

from typing import NamedTuple


class OrganisationClock(NamedTuple):
    """Real by default. Milliseconds since the Unix epoch, or between the two clocks."""

    ahead: int = 0
    """How far a running clock is ahead of the machine's."""
    stands_at: int | None = None
    """Where a frozen clock stands; None for a running one."""

    def at(self, machine: int) -> int:
        """The organisation's time when the machine's clock shows `machine`."""
        return machine + self.ahead if self.stands_at is None else self.stands_at

    def moved(self, to: int, machine: int) -> OrganisationClock:
        """The same clock, running or frozen as before, showing `to`."""
        return OrganisationClock(to - machine) if self.stands_at is None else OrganisationClock(stands_at=to)
