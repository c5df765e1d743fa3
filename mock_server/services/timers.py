"""The passing of time: what falls due happens, in order, whether somebody looks or not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Container
from typing import Final

from arklow_local.formats.excerpts import excerpt

from ..domain import actions, webhook_answers
from ..domain.actions import NEVER, Action, Changes
from ..domain.destinations import Destination, Kind
from ..domain.journal import Delivery
from ..domain.ports import (
    Alarm,
    Clock,
    Organisation,
    Store,
)
from ..domain.routing import Routing
from ..domain.states import Event, State
from ..domain.webhook_answers import Reply
from ..domain.worker import Recipient
from .deliveries import Call, Deliveries

SLICE: Final = 100
"""Actions that may fall due before others get their turn: some two milliseconds."""
SCANNED: Final = 5_000
"""Actions looked at before others get their turn: some two milliseconds."""


class Timers:
    """Runs what is due in an organisation, by its own clock, and gives attempts to whoever takes them. Event loop
    only."""

    def __init__(
        self,
        store: Store,
        machine: Clock,
        deliveries: Deliveries,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._machine = machine
        self._deliveries = deliveries
        self._log = log
        deliveries.report_to(self._answered, self._has_room)

    def now(self, organisation: Organisation) -> int:
        """The organisation's time, in milliseconds since the epoch."""
        return organisation.clock.at(self._machine.now())

    def machine(self) -> int:
        """The machine's time, in milliseconds since the epoch."""
        return self._machine.now()

    def recipient(self, organisation: Organisation) -> Recipient:
        """Whoever takes the attempts of an organisation's actions now."""
        routes = organisation.registry.routes
        if not routes:
            return organisation.worker
        return Routing(organisation.worker, routes, self._deliveries.busy(organisation))

    def add(self, organisation: Organisation, changes: Changes) -> None:
        """Keep a new action, and see to it that it is looked at in time."""
        self._store.add_action(organisation.org_id, changes)
        self._handed_on(organisation, changes)
        alarm = organisation.alarm
        if alarm is None or actions.due_at(changes[-1]) < alarm.at:
            self.arm(organisation)

    async def current(self, organisation: Organisation, find: Callable[[], Action]) -> tuple[Action, int]:
        """The action that `find` gives, after all that is due of it now, and what now is; others get their turn while
        that is much."""
        while True:
            now = self.now(organisation)
            action = find()
            for _ in range(SLICE):
                if actions.due_at(action) > now:
                    return action, now
                action = self._fall(organisation, action, now)
            await asyncio.sleep(0)

    def caught_up(self, organisation: Organisation, action: Action, now: int) -> Action:
        """The action after all that was due by `now`, which is saved; for one that was current a moment ago."""
        while actions.due_at(action) <= now:
            action = self._fall(organisation, action, now)
        return action

    def save(self, organisation: Organisation, changes: Changes, now: int) -> None:
        """Keep what became of an action, and what is due of it at once."""
        organisation.save(changes)
        self._handed_on(organisation, changes)
        self.caught_up(organisation, changes[-1], now)
        self.arm(organisation)

    def run(self, organisation: Organisation, limit: int) -> int:
        """Run up to `limit` of the actions that are due, in order; how many there were."""
        now = self.now(organisation)
        for done in range(limit):
            action = organisation.action_table.pop_due(now)
            if action is None:
                return done
            self._fall(organisation, action, now)
        _tidy()
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

    async def pass_to(self, organisation: Organisation, to: int, limit: int) -> int:
        """Let the time of a clock that stands pass until `to`: all that falls due on the way is run at its own time, and
        time goes on when each call that begins there has its answer. Others get their turn. Returns how much was run;
        with `limit` the clock is at its aim at once, and the rest is due. Ends early when the organisation becomes
        another meanwhile."""
        action_table = organisation.action_table
        done = 0
        while True:
            if self._deliveries.at_work(organisation):
                await self._deliveries.settle(organisation)
                if organisation.action_table is not action_table:
                    return done
            now = self.now(organisation)
            if action_table.next_check() > max(to, now) or done >= limit:
                break
            ran, is_much = self._pass(organisation, to, min(SLICE, limit - done))
            done += ran
            if is_much:
                await asyncio.sleep(0)
                if organisation.action_table is not action_table:
                    return done
        if to > now:
            organisation.clock = organisation.clock.set_to(to, self._machine.now())
        return done

    def _pass(self, organisation: Organisation, to: int, limit: int) -> tuple[int, bool]:
        """Run up to `limit` of what falls due until `to`, as far as no answer is awaited; how much it was, and whether there
        may be more."""
        action_table, calls = organisation.action_table, self._deliveries.last()
        began = now = self.now(organisation)
        to = max(to, now)
        done = 0
        for _ in range(limit):
            look = action_table.next_check()
            if look > now:
                if look > to or self._deliveries.last() != calls:
                    is_much = False
                    break
                now = look
            action = action_table.pop_due(now)
            if action is not None:
                self._fall(organisation, action, now)
                done += 1
        else:
            is_much = True
            _tidy()
        if now > began:  # nobody looks at the clock in between
            organisation.clock = organisation.clock.set_to(now, self._machine.now())
        return done, is_much

    async def wake(self, organisation: Organisation, variants: Container[str] | None = None) -> None:
        """Give away again what waits for capacity, as who takes it is another now: what waits for a webhook, and what
        waits for the worker, of some variants or of all."""
        action_table, worker = organisation.action_table, organisation.worker
        self._deliveries.forget_waiting(organisation)
        for looked_at, action in enumerate(organisation.actions()):
            if looked_at % SCANNED == SCANNED - 1:
                await asyncio.sleep(0)
                if organisation.action_table is not action_table or organisation.worker is not worker:
                    break  # another command came in between and did its own
            self._offer_again(organisation, action, variants)

    def start(self, organisation: Organisation) -> None:
        """Give away what waits for a destination that has room, and see to it that the rest is looked at in time."""
        for action in organisation.actions() if organisation.registry.routes else ():
            self._offer_again(organisation, action, ())
        self.arm(organisation)
        _tidy()

    def _offer_again(
        self, organisation: Organisation, action: Action, variants: Container[str] | None
    ) -> None:
        if action.state is not State.DISPATCH_WAIT:
            return
        variant = action.work.variant
        destination = organisation.registry.routes.get(variant)
        called = destination is not None and destination.kind is Kind.WEBHOOK
        if not called and variants is not None and variant not in variants:
            return
        if not self._has_room(organisation, action.id) and destination is not None and called:
            self._deliveries.wait(organisation, destination.label, action.id)

    async def prepare_calls(self) -> None:
        """Get ready for the first call of a webhook."""
        await self._deliveries.prepare()

    def why_not_called(self, destination: Destination) -> str:
        """Why a webhook is not called; empty for one that is, and where there is nobody to call."""
        if destination.kind is not Kind.WEBHOOK:
            return ""
        return self._deliveries.why_not_called(destination.config["url"])

    def give_up(self, organisation: Organisation) -> None:
        """Let nothing that is under way reach an organisation that is about to become another."""
        self.disarm(organisation)
        self._deliveries.give_up(organisation)

    def arm(self, organisation: Organisation) -> None:
        """See to it that what falls due next is run in time; with a clock that stands, only what is due already."""
        look = organisation.action_table.next_check()
        alarm = organisation.alarm
        if look == NEVER or (alarm and alarm.at <= look):
            return
        now = self.now(organisation)
        if look > now and organisation.clock.frozen_at is not None:
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

    def _fall(self, organisation: Organisation, action: Action, now: int) -> Action:
        """What becomes of an action at the moment it is due, which is saved."""
        changes = actions.run_due(action, self.recipient(organisation), organisation.seed, now)
        organisation.save(changes)
        self._handed_on(organisation, changes)
        return changes[-1]

    def _handed_on(self, organisation: Organisation, changes: Changes) -> None:
        """Begin the call that a course ends with, have it wait for its turn, or tell of what a sink took."""
        if not organisation.registry.routes:
            return
        last = changes[-1]
        destination = organisation.registry.routes.get(last.work.variant)
        if destination is None or destination.kind is Kind.SDK:
            return
        if destination.kind is not Kind.WEBHOOK:
            if last.event is Event.ACK and changes[-2:-1] and changes[-2].event is Event.DELIVER:
                organisation.journal.add_delivery(last.updated_at, _sunk(last, destination))
        elif actions.starts_call(last):
            self._deliveries.begin(organisation, last, destination)
        elif last.event is Event.WAIT:
            self._deliveries.wait(organisation, destination.label, last.id)

    def _has_room(self, organisation: Organisation, action_id: str) -> bool:
        """Give away an action that waited; whether a call has begun."""
        action = organisation.action(action_id)
        if action is None or action.state is not State.DISPATCH_WAIT:
            return False
        now = self.now(organisation)
        action = self.caught_up(organisation, action, now)
        if action.is_over:
            return False
        changes = actions.dispatched(action, self.recipient(organisation), organisation.seed, now, now)
        if not changes:
            return False
        self.save(organisation, changes, now)
        return actions.starts_call(changes[-1])

    def _answered(self, call: Call, reply: Reply | None, reason: str) -> None:
        """A call has ended: what was answered becomes of the attempt, unless somebody settled it meanwhile."""
        organisation, attempt = call.organisation, call.action.attempt
        if organisation.action_table is not call.timeline:
            return
        meaning = webhook_answers.UNANSWERED
        if reply is not None:
            meaning = webhook_answers.meaning(reply, acks_by_default=call.destination.acks_by_default)
        now = self.now(organisation)
        action = organisation.action(call.action.id)
        after = None
        if action is not None:
            action = self.caught_up(organisation, action, now)
            after = actions.answered(action, attempt, meaning, organisation.seed, now)
        outcome = after.event.value if after is not None else ""
        delivery = call.told(reply, outcome, reason or meaning.note)
        organisation.journal.add_delivery(now, delivery)
        self._log(_line(organisation, call.action, delivery))
        if after is not None:
            self.save(organisation, (after,), now)


def _tidy() -> None:
    """Look for cycles while there is little to look at: copied chunks are few objects with thousands of references each,
    and a provisioned organisation is hundreds of objects."""
    gc.collect(0)


def _sunk(action: Action, destination: Destination) -> Delivery:
    payload = action.work.payload
    return Delivery(
        action.id,
        action.attempt,
        destination.label,
        destination.kind.value,
        "",
        (),
        payload,
        len(payload),
        0,
        (),
        b"",
        None,
        Event.ACK.value,
        "",
        0.0,
    )


def _line(organisation: Organisation, action: Action, delivery: Delivery) -> str:
    line = (
        f"{delivery.status or '---'} delivery {delivery.label}  org {organisation.org_id}  "
        f"{delivery.seconds * 1000:.1f} ms  action {action.id} attempt {delivery.attempt}: {delivery.outcome or 'no change'}"
    )
    return excerpt(f"{line}  {delivery.note}" if delivery.note else line, 500)
