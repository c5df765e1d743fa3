"""What a tester does to an organisation from outside: its clock, its worker, its past."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from ..domain import actions
from ..domain.actions import Action
from ..domain.errors import ClockGoesBack, SettleRefused, TooMuchDue, UnknownSnapshot
from ..domain.own_time import OwnTime
from ..domain.ports import Organisation, Store
from ..domain.states import Event, State
from ..domain.worker import Worker
from ..timestamps import timestamp
from .clockwork import Clockwork
from .records import SCANNED
from .signals import find

MOST_DUE: Final = 1_000_000
"""Actions that may fall due in one command: some ten seconds' work."""


class Steering:
    """The commands of the admin plane. Event loop only; each is entered in the organisation's journal."""

    def __init__(self, store: Store, clockwork: Clockwork, *, most_due: int = MOST_DUE) -> None:
        self._store = store
        self._clockwork = clockwork
        self._most_due = most_due
        self._sweeping = False

    def organisations(self) -> Sequence[Organisation]:
        """All that were used."""
        return self._store.organisations()

    def organisation(self, org_id: str) -> Organisation:
        """One of them, made on first use."""
        return self._store.organisation(org_id)

    def now(self, organisation: Organisation) -> int:
        """The organisation's time, in milliseconds since the epoch."""
        return self._clockwork.now(organisation)

    async def reset(
        self,
        org_id: str,
        *,
        seed: int | None = None,
        frozen: bool = False,
        to: int | None = None,
        worker: Worker | None = None,
    ) -> Organisation:
        """Make the organisation as new: no definitions, no actions, an empty journal, ids from the beginning;
        the clock follows the machine and the worker holds, unless told otherwise. Snapshots stay."""
        organisation = self._store.organisation(org_id)
        self._store.reset(organisation, seed)
        if worker is not None:
            organisation.worker = worker
        machine = self._clockwork.machine()
        at = machine if to is None else to
        organisation.time = OwnTime(stands_at=at) if frozen else OwnTime(ahead=at - machine)
        self._entered(organisation, "reset", "" if seed is None else f"seed {seed}")
        self._clockwork.disarm(organisation)
        return organisation

    async def set_time(
        self, org_id: str, *, frozen: bool = False, to: int | None = None, real: bool = False
    ) -> Organisation:
        """Freeze the clock or let it run, from `to` or from where it is; `real` is from the machine's time. What falls
        due by then is run first.

        Raises:
            ClockGoesBack: the new time is earlier than now, and there are actions.
            TooMuchDue: see `advance`.
        """
        organisation = self._store.organisation(org_id)
        machine = self._clockwork.machine()
        now = organisation.time.at(machine)
        at = machine if real else now if to is None else to
        if at < now and organisation.shelf.count:
            raise ClockGoesBack(
                f"body/{'mode' if real else 'now'}: expected a time from {timestamp(now)} on, as organisation {org_id} has actions, got "
                f"{timestamp(at)}; reset it first"
            )
        organisation.time = OwnTime(stands_at=at) if frozen else OwnTime(ahead=at - machine)
        mode = "real" if real else "frozen" if frozen else "running"
        organisation.journal.commanded(at, "clock", f"{mode} at {timestamp(at)}")
        await self._settle(organisation)
        return organisation

    async def advance(self, org_id: str, by: int = 0, *, to: int | None = None) -> int:
        """Move the clock forward, by milliseconds or to a time, and run all that falls due on the way, in order and
        each at its own time; returns, when nothing more is due, how many times an action fell due.

        Raises:
            ClockGoesBack: `to` is earlier than now.
            TooMuchDue: as much as may was run, and more is due; the clock is where it was asked to be, and the rest
                runs next, while others are served.
        """
        organisation = self._store.organisation(org_id)
        machine = self._clockwork.machine()
        now = organisation.time.at(machine)
        at = now + by if to is None else to
        if at < now:
            raise ClockGoesBack(
                f"body/to: expected a time from {timestamp(now)} on, where the clock of organisation {org_id} stands, "
                f"got {timestamp(at)}"
            )
        organisation.journal.commanded(at, "advance", f"{at - now} ms")
        organisation.time = organisation.time.moved(at, machine)
        return await self._settle(organisation)

    async def set_worker(self, org_id: str, worker: Worker) -> Organisation:
        """Give the worker other scripts, after what was due under the old ones. What waits for capacity is given to
        it, if it has some now.

        Raises:
            TooMuchDue: see `advance`; the scripts are the old ones still.
        """
        organisation = self._store.organisation(org_id)
        await self._settle(organisation)
        organisation.worker = worker
        organisation.journal.commanded(self.now(organisation), "worker", "")
        shelf = organisation.shelf
        for looked_at, number in enumerate(range(shelf.oldest, shelf.end)):
            if looked_at % SCANNED == SCANNED - 1:
                await asyncio.sleep(0)
                if organisation.shelf is not shelf or organisation.worker is not worker:
                    break  # another command came in between and did its own
            action = shelf.get(number)
            if action is not None and action.state is State.DISPATCH_WAIT:
                now = self.now(organisation)
                action = self._clockwork.caught_up(organisation, action, now)
                if action.is_over:
                    continue
                course = actions.dispatched(action, worker, organisation.seed, now)
                if course:
                    self._clockwork.save(organisation, course, now)
        return organisation

    def snapshot(self, org_id: str, name: str) -> Organisation:
        """Keep what the organisation is now under a name; its journal and other snapshots are not part of it.

        Raises:
            TooManySnapshots: it keeps as many as it may.
        """
        organisation = self._store.organisation(org_id)
        self._store.snapshot(organisation, name)
        self._entered(organisation, "snapshot", name)
        return organisation

    async def restore(self, org_id: str, name: str) -> Organisation:
        """Make the organisation what it was when the snapshot was taken, its clock and its ids included.

        A running clock goes on as far from the machine's as it was; what fell due meanwhile is run.

        Raises:
            UnknownSnapshot: it has none of this name.
        """
        organisation = self._store.organisation(org_id)
        self._store.become(organisation, _snapshot(organisation, name))
        self._entered(organisation, "restore", name)
        await self._clockwork.settle(organisation, self._most_due)
        return organisation

    def forget(self, org_id: str, name: str) -> Organisation:
        """Delete a snapshot.

        Raises:
            UnknownSnapshot: there is none of this name.
        """
        organisation = self._store.organisation(org_id)
        _snapshot(organisation, name)
        self._store.forget(organisation, name)
        self._entered(organisation, "forget", name)
        return organisation

    async def fork(self, org_id: str, to: str, name: str | None) -> Organisation:
        """Make organisation `to` what this one is, or was at a snapshot: the same definitions, actions and
        ids; new ids are its own, and its journal begins anew.

        Raises:
            UnknownSnapshot: there is none of this name.
        """
        source, target = self._store.organisation(org_id), self._store.organisation(to)
        content = source.content() if name is None else _snapshot(source, name)
        self._store.fork(target, content)
        self._entered(target, "fork", f"of {org_id}" + (f" at {name}" if name else ""))
        await self._clockwork.settle(target, self._most_due)
        return target

    async def end(self, org_id: str, action_id: str, event: Event) -> Action:
        """End an attempt, as if its holder or the passing of time had: `EXPIRE`, `ACK`, `NACK`, `REJECT`,
        `TIME_OUT`, or `CANCEL`, which nobody else can.

        Raises:
            UnknownAction, DroppedAction: see `find`.
            SettleRefused: the attempt is not held, or the action is over.
        """
        organisation = self._store.organisation(org_id)
        action, now = await self._clockwork.current(
            organisation, lambda: find(organisation, action_id, "path id")
        )
        try:
            after = _ended(action, event, organisation.seed, now)
        except SettleRefused as refused:
            raise type(refused)(f"path id: {refused.message.partition(': ')[2]}") from None
        organisation.journal.commanded(now, "end", f"{action_id} {event}")
        self._clockwork.save(organisation, (after,), now)
        return organisation.action(action_id) or after

    async def _settle(self, organisation: Organisation) -> int:
        done = await self._clockwork.settle(organisation, self._most_due + 1)
        if done > self._most_due:
            raise TooMuchDue(
                f"expected at most {self._most_due} actions to fall due in one command, got more: the clock of "
                f"organisation {organisation.org_id} has moved, what is still due runs next, and a reading waits for it"
            )
        return done

    def _entered(self, organisation: Organisation, name: str, details: str) -> None:
        """A command that may have discarded something is told to the journal."""
        organisation.journal.commanded(self.now(organisation), name, details)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_soon(self._sweep)

    def _sweep(self) -> None:
        self._sweeping = self._store.sweep()
        if self._sweeping:
            asyncio.get_running_loop().call_later(0.005, self._sweep)


def _ended(action: Action, event: Event, seed: int, now: int) -> Action:
    """After whatever ends the current attempt."""
    match event:
        case Event.EXPIRE:
            return actions.expired(action, now)
        case Event.ACK:
            return actions.acked(action, action.attempt, now)
        case Event.NACK | Event.REJECT:
            retry = event is Event.NACK
            return actions.nacked(action, action.attempt, retry=retry, retry_at=None, seed=seed, now=now)
        case _:
            return actions.ended(action, event, now)


def _snapshot(organisation: Organisation, name: str) -> Any:
    found = organisation.snapshots.get(name)
    if found is None:
        known = ", ".join(sorted(organisation.snapshots)) or "none yet"
        raise UnknownSnapshot(
            f"path name: expected a snapshot of organisation {organisation.org_id} ({known}), got {name[:60]!r}"
        )
    return found
