"""The clock of one organisation as a frozen value: it runs beside the machine's clock, or stands still.

The machine's clock is a port (`ports.Clock`); here its time is an argument. All times are milliseconds since the Unix
epoch.
"""

from __future__ import annotations

from typing import NamedTuple


class OrganisationClock(NamedTuple):
    """A clock that runs `ahead_ms` ahead of the machine's, or is frozen. The default shows the machine's time."""

    ahead_ms: int = 0
    """Milliseconds that a running clock is ahead of the machine's; negative when it is behind."""
    frozen_at: int | None = None
    """The time that a frozen clock shows; None while the clock runs."""

    def at(self, machine: int) -> int:
        """Return the organisation's time while the machine's clock shows `machine`, both in milliseconds."""
        return machine + self.ahead_ms if self.frozen_at is None else self.frozen_at

    def set_to(self, to: int, machine: int) -> OrganisationClock:
        """Return the same clock, running or frozen as before, that shows `to` while the machine's shows `machine`, both in
        milliseconds."""
        return OrganisationClock(to - machine) if self.frozen_at is None else OrganisationClock(frozen_at=to)
