"""The passing of time: runs what falls due in an organisation, in order and at its own time, and delivers attempts.

What falls due is run by an alarm of the event loop. A request that concerns an action first runs what is due of it, so no
answer depends on how punctual the alarm is.
"""

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
from ..domain.ports import Alarm, Clock, Organisation, Store
from ..domain.routing import Routing
from ..domain.states import Event, State
from ..domain.webhook_answers import Reply
from ..domain.worker import Recipient
from .deliveries import Call, Deliveries

DUE_AT_A_TIME: Final = 100
"""Actions that are run before requests get their turn: some two milliseconds."""
SCANNED_AT_A_TIME: Final = 5_000
"""Actions that are looked at before requests get their turn: some two milliseconds."""


class Timers:
    """Runs what is due by each organisation's own clock, and gives attempts to their recipients. Event loop only."""

    def __init__(
        self,
        store: Store,
        machine: Clock,
        deliveries: Deliveries,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take over the answers of `deliveries`; `log` gets a line for each call that ended."""
        self._store = store
        self._machine = machine
        self._deliveries = deliveries
        self._log = log
        deliveries.connect(self._on_answer, self._dispatch_waiting)

    def now(self, organisation: Organisation) -> int:
        """Return the organisation's time in milliseconds since the epoch."""
        return organisation.clock.at(self._machine.now())

    def machine_now(self) -> int:
        """Return the machine's time in milliseconds since the epoch."""
        return self._machine.now()

    def recipient(self, organisation: Organisation) -> Recipient:
        """Return what the attempts of an organisation's actions are given to now."""
        routes = organisation.registry.routes
        if not routes:
            return organisation.worker
        return Routing(organisation.worker, routes, self._deliveries.busy(organisation))

    def add(self, organisation: Organisation, changes: Changes) -> None:
        """Keep a new action, deliver its attempt, and set the alarm for it."""
        self._store.add_action(organisation.org_id, changes)
        self._deliver(organisation, changes)
        alarm = organisation.alarm
        if alarm is None or actions.due_at(changes[-1]) < alarm.at:
            self.set_alarm(organisation)

    async def current_action(
        self, organisation: Organisation, find: Callable[[], Action]
    ) -> tuple[Action, int]:
        """Run all that is due of the action that `find` gives; requests get their turn while that is much.

        Returns:
            (the action afterwards, the time of the organisation in milliseconds since the epoch).
        """
        while True:
            now = self.now(organisation)
            action = find()
            for _ in range(DUE_AT_A_TIME):
                if actions.due_at(action) > now:
                    return action, now
                action = self._run_due(organisation, action, now)
            await asyncio.sleep(0)

    def catch_up_action(self, organisation: Organisation, action: Action, now: int) -> Action:
        """Run all that is due of one action by `now` (milliseconds), and return it; for one that was current a moment ago."""
        while actions.due_at(action) <= now:
            action = self._run_due(organisation, action, now)
        return action

    def save(self, organisation: Organisation, changes: Changes, now: int) -> None:
        """Replace an action by the last of `changes`, at `now` (milliseconds), and run what is due of it at once."""
        organisation.save(changes)
        self._deliver(organisation, changes)
        self.catch_up_action(organisation, changes[-1], now)
        self.set_alarm(organisation)

    def _run_some(self, organisation: Organisation, limit: int) -> int:
        """Run up to `limit` actions that are due, in order. Return their number."""
        now = self.now(organisation)
        for done in range(limit):
            action = organisation.action_table.pop_due(now)
            if action is None:
                return done
            self._run_due(organisation, action, now)
        _collect_young()
        return limit

    async def catch_up(self, organisation: Organisation, limit: int | None = None) -> int:
        """Run all actions that are due now, or `limit` of them, between requests. Return their number."""
        done = 0
        while limit is None or done < limit:
            ran = self._run_some(
                organisation, DUE_AT_A_TIME if limit is None else min(DUE_AT_A_TIME, limit - done)
            )
            done += ran
            if ran < DUE_AT_A_TIME:
                break
            await asyncio.sleep(0)
        self.cancel_alarm(organisation)  # the clock or the actions may be others now
        self.set_alarm(organisation)
        return done

    async def pass_to(self, organisation: Organisation, to: int, limit: int) -> int:
        """Let time pass on a frozen clock until `to` (milliseconds), between requests.

        All that falls due on the way is run at its own time. Time stands still while webhooks are called. After `limit`
        actions the clock shows `to` at once, and the rest is due. When the organisation is reset, restored or forked meanwhile,
        this ends early.

        Returns:
            The number of actions that were run.
        """
        action_table = organisation.action_table
        done = 0
        while True:
            if self._deliveries.has_open_calls(organisation):
                await self._deliveries.finish(organisation)
                if organisation.action_table is not action_table:
                    return done
            now = self.now(organisation)
            if action_table.next_check() > max(to, now) or done >= limit:
                break
            ran, is_much = self._pass_some(organisation, to, min(DUE_AT_A_TIME, limit - done))
            done += ran
            if is_much:
                await asyncio.sleep(0)
                if organisation.action_table is not action_table:
                    return done
        if to > now:
            organisation.clock = organisation.clock.set_to(to, self._machine.now())
        return done

    def _pass_some(self, organisation: Organisation, to: int, limit: int) -> tuple[int, bool]:
        """Run up to `limit` actions that fall due until `to`, up to the moment at which a call begins.

        Returns:
            (number of actions that were run, whether more may be due).
        """
        action_table, last_call = organisation.action_table, self._deliveries.last_number()
        began = now = self.now(organisation)
        to = max(to, now)
        done = 0
        for _ in range(limit):
            next_check = action_table.next_check()
            if next_check > now:
                if next_check > to or self._deliveries.last_number() != last_call:
                    is_much = False
                    break
                now = next_check
            action = action_table.pop_due(now)
            if action is not None:
                self._run_due(organisation, action, now)
                done += 1
        else:
            is_much = True
            _collect_young()
        if now > began:  # set once, as nothing reads the clock in between
            organisation.clock = organisation.clock.set_to(now, self._machine.now())
        return done, is_much

    async def offer_waiting(self, organisation: Organisation, variants: Container[str] | None = None) -> None:
        """Give away again what waits for capacity, after its recipient has changed.

        That is what waits for a webhook, and what waits for the worker: of some variants, or with None of all.
        """
        action_table, worker = organisation.action_table, organisation.worker
        self._deliveries.clear_queue(organisation)
        for looked_at, action in enumerate(organisation.actions()):
            if looked_at % SCANNED_AT_A_TIME == SCANNED_AT_A_TIME - 1:
                await asyncio.sleep(0)
                if organisation.action_table is not action_table or organisation.worker is not worker:
                    break  # another command came in between and has done the same
            self._offer(organisation, action, variants)

    def start(self, organisation: Organisation) -> None:
        """Give away what waits for a destination after an organisation was provisioned, and set its alarm."""
        for action in organisation.actions() if organisation.registry.routes else ():
            self._offer(organisation, action, ())
        self.set_alarm(organisation)
        _collect_young()

    def _offer(self, organisation: Organisation, action: Action, variants: Container[str] | None) -> None:
        if action.state is not State.DISPATCH_WAIT:
            return
        variant = action.work.variant
        destination = organisation.registry.routes.get(variant)
        called = destination is not None and destination.kind is Kind.WEBHOOK
        if not called and variants is not None and variant not in variants:
            return
        if not self._dispatch_waiting(organisation, action.id) and destination is not None and called:
            self._deliveries.queue(organisation, destination.label, action.id)

    async def prepare_calls(self) -> None:
        """Do what the first call of a webhook needs."""
        await self._deliveries.prepare()

    def why_not_called(self, destination: Destination) -> str:
        """Return why a webhook is not called; empty for one that is, and for destinations of other types."""
        if destination.kind is not Kind.WEBHOOK:
            return ""
        return self._deliveries.why_not_called(destination.config["url"])

    def stop(self, organisation: Organisation) -> None:
        """Cancel the alarm and the calls of an organisation that is about to be reset, restored or forked."""
        self.cancel_alarm(organisation)
        self._deliveries.cancel(organisation)

    def set_alarm(self, organisation: Organisation) -> None:
        """Have the event loop run what falls due next; with a frozen clock, only what is due already."""
        next_check = organisation.action_table.next_check()
        alarm = organisation.alarm
        if next_check == NEVER or (alarm and alarm.at <= next_check):
            return
        now = self.now(organisation)
        if next_check > now and organisation.clock.frozen_at is not None:
            return
        self.cancel_alarm(organisation)
        pause = max(0, next_check - now) / 1_000
        handle = asyncio.get_running_loop().call_later(pause, self._on_alarm, organisation)
        organisation.alarm = Alarm(next_check, handle.cancel)

    def cancel_alarm(self, organisation: Organisation) -> None:
        """Cancel the alarm, as the clock or the actions are others now."""
        if organisation.alarm is not None:
            organisation.alarm.cancel()
            organisation.alarm = None

    def _on_alarm(self, organisation: Organisation) -> None:
        organisation.alarm = None
        self._run_some(organisation, DUE_AT_A_TIME)
        self.set_alarm(organisation)

    def _run_due(self, organisation: Organisation, action: Action, now: int) -> Action:
        """Save what becomes of an action at the moment it is due, and return it."""
        changes = actions.run_due(action, self.recipient(organisation), organisation.seed, now)
        organisation.save(changes)
        self._deliver(organisation, changes)
        return changes[-1]

    def _deliver(self, organisation: Organisation, changes: Changes) -> None:
        """Begin the call that the changes end with, queue what waits for room, or enter what a sink took in the journal."""
        if not organisation.registry.routes:
            return
        last = changes[-1]
        destination = organisation.registry.routes.get(last.work.variant)
        if destination is None or destination.kind is Kind.SDK:
            return
        if destination.kind is not Kind.WEBHOOK:
            if last.event is Event.ACK and changes[-2:-1] and changes[-2].event is Event.DELIVER:
                organisation.journal.add_delivery(last.updated_at, _sink_delivery(last, destination))
        elif actions.starts_call(last):
            self._deliveries.begin(organisation, last, destination)
        elif last.event is Event.WAIT:
            self._deliveries.queue(organisation, destination.label, last.id)

    def _dispatch_waiting(self, organisation: Organisation, action_id: str) -> bool:
        """Give away an action that waited for capacity. Return whether a call has begun."""
        action = organisation.action(action_id)
        if action is None or action.state is not State.DISPATCH_WAIT:
            return False
        now = self.now(organisation)
        action = self.catch_up_action(organisation, action, now)
        if action.is_over:
            return False
        changes = actions.dispatched(action, self.recipient(organisation), organisation.seed, now, now)
        if not changes:
            return False
        self.save(organisation, changes, now)
        return actions.starts_call(changes[-1])

    def _on_answer(self, call: Call, reply: Reply | None, reason: str) -> None:
        """Save what the answer to a call makes of its attempt, unless the attempt was settled meanwhile."""
        organisation, attempt = call.organisation, call.action.attempt
        if organisation.action_table is not call.action_table:
            return
        meaning = webhook_answers.UNANSWERED
        if reply is not None:
            meaning = webhook_answers.meaning(reply, acks_by_default=call.destination.acks_by_default)
        now = self.now(organisation)
        action = organisation.action(call.action.id)
        after = None
        if action is not None:
            action = self.catch_up_action(organisation, action, now)
            after = actions.answered(action, attempt, meaning, organisation.seed, now)
        outcome = after.event.value if after is not None else ""
        seconds = self._deliveries.seconds(call)
        delivery = call.delivery(reply, outcome, reason or meaning.note, seconds)
        organisation.journal.add_delivery(now, delivery)
        self._log(_log_line(organisation, call.action, delivery))
        if after is not None:
            self.save(organisation, (after,), now)


def _collect_young() -> None:
    """Collect cycles among young objects while there are few: a copied chunk is few objects with thousands of references, and
    a provisioned organisation hundreds of objects, which a later collection would look at all together."""
    gc.collect(0)


def _sink_delivery(action: Action, destination: Destination) -> Delivery:
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


def _log_line(organisation: Organisation, action: Action, delivery: Delivery) -> str:
    line = (
        f"{delivery.status or '---'} delivery {delivery.label}  org {organisation.org_id}  "
        f"{delivery.seconds * 1000:.1f} ms  action {action.id} attempt {delivery.attempt}: {delivery.outcome or 'no change'}"
    )
    return excerpt(f"{line}  {delivery.note}" if delivery.note else line, 500)
