"""Commands that move an organisation's clock, and run what falls due on the way, each at its own time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

from ..domain.clock import OrganisationClock
from ..domain.errors import ClockGoesBack, TooMuchDue
from ..domain.ports import Organisation, Store
from ..timestamps import timestamp
from .timers import Timers

MOST_DUE: Final = 1_000_000
"""Actions that may fall due in one command: some ten seconds' work."""


class ClockControl:
    """Sets and advances the clocks of organisations. Event loop only; each command is entered in the journal."""

    def __init__(self, store: Store, timers: Timers, most_due: int = MOST_DUE) -> None:
        self.most_due = most_due
        """Actions that may fall due in one command."""
        self._store = store
        self._timers = timers
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One command at a time moves a clock."""

    async def set(
        self, org_id: str, *, frozen: bool = False, to: int | None = None, real: bool = False
    ) -> Organisation:
        """Freeze the clock or let it run, from `to` (milliseconds since the epoch) or from where it is.

        With `real` it runs with the machine's. What falls due until then is run first.

        Raises:
            ClockGoesBack: the new time is earlier than now, and there are actions.
            TooMuchDue: see `advance`.
        """
        organisation = self._store.organisation(org_id)
        async with self._locks[org_id]:
            machine = self._timers.machine_now()
            now = organisation.clock.at(machine)
            at = machine if real else now if to is None else to
            if at < now and organisation.action_table.count:
                raise ClockGoesBack(
                    f"body/{'mode' if real else 'now'}: expected a time from {timestamp(now)} on, as organisation "
                    f"{org_id} has actions, got {timestamp(at)}; reset it first"
                )
            mode = "real" if real else "frozen" if frozen else "running"
            organisation.journal.add_command(at, "clock", f"{mode} at {timestamp(at)}")
            await self._pass_to(organisation, now, at, frozen=frozen, real=real)
        return organisation

    async def advance(self, org_id: str, by: int = 0, *, to: int | None = None) -> int:
        """Move the clock forward, by milliseconds or to a time, and run all that falls due on the way.

        Everything runs in order and at its own time.

        Returns:
            How many times an action fell due.

        Raises:
            ClockGoesBack: `to` is earlier than now.
            TooMuchDue: `most_due` actions were run, and more are due. The clock shows the time that was asked for, and the
                rest runs next, between requests.
        """
        organisation = self._store.organisation(org_id)
        async with self._locks[org_id]:
            now = self._timers.now(organisation)
            at = now + by if to is None else to
            if at < now:
                raise ClockGoesBack(
                    f"body/to: expected a time from {timestamp(now)} on, where the clock of organisation {org_id} "
                    f"stands, got {timestamp(at)}"
                )
            organisation.journal.add_command(at, "advance", f"{at - now} ms")
            frozen = organisation.clock.frozen_at is not None
            return await self._pass_to(organisation, now, at, frozen=frozen)

    async def catch_up(self, organisation: Organisation) -> None:
        """Run all that is due now.

        Raises:
            TooMuchDue: more than `most_due` actions were due.
        """
        self._refuse_too_many(organisation, await self._timers.catch_up(organisation, self.most_due + 1))

    async def _pass_to(
        self, organisation: Organisation, now: int, to: int, *, frozen: bool, real: bool = False
    ) -> int:
        """Let time pass until `to`, with a frozen clock while webhooks are called, and leave the clock there, also after a
        failure. Return how many times an action fell due."""
        action_table = organisation.action_table
        if organisation.clock.frozen_at is None:
            organisation.clock = OrganisationClock(frozen_at=now)
        try:
            done = await self._timers.pass_to(organisation, to, self.most_due + 1)
        finally:
            if organisation.action_table is action_table:
                if not frozen:
                    machine = self._timers.machine_now()
                    organisation.clock = (
                        OrganisationClock() if real else OrganisationClock(ahead_ms=to - machine)
                    )
                elif organisation.clock.frozen_at != to:  # a clock without actions goes back
                    organisation.clock = OrganisationClock(frozen_at=to)
                self._timers.cancel_alarm(organisation)
                self._timers.set_alarm(organisation)
        self._refuse_too_many(organisation, done)
        return done

    def _refuse_too_many(self, organisation: Organisation, done: int) -> None:
        if done > self.most_due:
            raise TooMuchDue(
                f"expected at most {self.most_due} actions to fall due in one command, got more: the clock of "
                f"organisation {organisation.org_id} has moved, what is still due runs next, and a request that reads "
                "waits for it"
            )
