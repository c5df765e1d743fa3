"""The passing of time: what falls due happens, in order, whether somebody looks or not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Final

from ..domain import actions
from ..domain.actions import NEVER, Action, Course
from ..domain.ports import Alarm, Clock, Organisation, Store

SLICE: Final = 100
"""Actions that may fall due before others get their turn: some two milliseconds."""


class Clockwork:
    """Runs what is due in an organisation, by its own clock. Event loop only."""

    def __init__(self, store: Store, machine: Clock) -> None:
        self._store = store
        self._machine = machine

    def now(self, organisation: Organisation) -> int:
        """The organisation's time, in milliseconds since the epoch."""
        return organisation.time.at(self._machine.now())

    def machine(self) -> int:
        """The machine's time, in milliseconds since the epoch."""
        return self._machine.now()

    def add(self, organisation: Organisation, course: Course) -> None:
        """Keep a new action, and see to it that it is looked at in time."""
        self._store.add_action(organisation, course)
        alarm = organisation.alarm
        if alarm is None or actions.due(course[-1]) < alarm.at:
            self.arm(organisation)

    async def current(self, organisation: Organisation, find: Callable[[], Action]) -> tuple[Action, int]:
        """The action that `find` gives, after all that is due of it now, and what now is; others get their turn while
        that is much."""
        while True:
            now = self.now(organisation)
            action = find()
            for _ in range(SLICE):
                if actions.due(action) > now:
                    return action, now
                action = _fall(organisation, action)
            await asyncio.sleep(0)

    def caught_up(self, organisation: Organisation, action: Action, now: int) -> Action:
        """The action after all that was due by `now`, which is saved; for one that was current a moment ago."""
        while actions.due(action) <= now:
            action = _fall(organisation, action)
        return action

    def save(self, organisation: Organisation, course: Course, now: int) -> None:
        """Keep what became of an action, and what is due of it at once."""
        organisation.save(course)
        self.caught_up(organisation, course[-1], now)
        self.arm(organisation)

    def run(self, organisation: Organisation, limit: int) -> int:
        """Run up to `limit` of the actions that are due, in order; how many there were."""
        now = self.now(organisation)
        for done in range(limit):
            action = organisation.shelf.pop_due(now)
            if action is None:
                return done
            _fall(organisation, action)
        gc.collect(0)  # while it is little: copied chunks are few objects with thousands of references each
        return limit

    async def settle(self, organisation: Organisation, limit: int | None = None) -> int:
        """Run all that is due now, or `limit` of it, while others get their turn; how much it was."""
        done = 0
        while limit is None or done < limit:
            ran = self.run(organisation, SLICE if limit is None else min(SLICE, limit - done))
            done += ran
            if ran < SLICE:
                break
            await asyncio.sleep(0)
        self.disarm(organisation)  # the clock or the actions may be others now
        self.arm(organisation)
        return done

    def arm(self, organisation: Organisation) -> None:
        """See to it that what falls due next is run in time; with a clock that stands, only what is due already."""
        look = organisation.shelf.next_look()
        alarm = organisation.alarm
        if look == NEVER or (alarm and alarm.at <= look):
            return
        now = self.now(organisation)
        if look > now and organisation.time.stands_at is not None:
            return
        self.disarm(organisation)
        pause = max(0, look - now) / 1_000
        handle = asyncio.get_running_loop().call_later(pause, self._ring, organisation)
        organisation.alarm = Alarm(look, handle.cancel)

    def disarm(self, organisation: Organisation) -> None:
        """Nobody comes by any more, as the clock or the actions are others now."""
        if organisation.alarm is not None:
            organisation.alarm.cancel()
            organisation.alarm = None

    def _ring(self, organisation: Organisation) -> None:
        organisation.alarm = None
        self.run(organisation, SLICE)
        self.arm(organisation)


def _fall(organisation: Organisation, action: Action) -> Action:
    """What becomes of an action at the moment it is due, which is saved."""
    course = actions.fallen_due(action, organisation.worker, organisation.seed)
    organisation.save(course)
    return course[-1]
