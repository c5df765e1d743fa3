"""Calls to webhooks beside the API: bounded in number, given up when their organisation becomes another."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Final, NamedTuple

from ..domain.actions import Action
from ..domain.destinations import Destination
from ..domain.journal import MASK, Delivery, Headers
from ..domain.ports import NoAnswer, Organisation, WebhookCaller
from ..domain.webhook_answers import Reply

MOST: Final = 64
"""Calls at a time, over all organisations."""
MOST_TO_ONE: Final = 8
"""Calls at a time to one destination."""


PACE: Final = 0.002
"""Seconds between the beginnings of two calls, so that requests are answered in between when many fall due at once."""


class Call(NamedTuple):
    """One call under way."""

    number: int
    organisation: Organisation
    timeline: object
    """What the organisation's actions were kept in; another one means that it was reset or restored meanwhile."""
    action: Action
    destination: Destination
    headers: tuple[tuple[str, str], ...]
    began: float
    """By the machine's clock, for its duration."""

    def told(self, reply: Reply | None, outcome: str, note: str) -> Delivery:
        """The entry of the journal."""
        work = self.action.work
        credential = self.destination.credential
        return Delivery(
            self.action.id,
            self.action.attempt,
            self.destination.label,
            self.destination.kind.value,
            self.destination.config["url"],
            _kept(self.headers, dict(credential.headers) if credential else ()),
            work.payload,
            len(work.payload),
            reply.status if reply else 0,
            _kept(reply.headers) if reply else (),
            reply.body if reply else b"",
            None if reply is None or not reply.whole else len(reply.body),
            outcome,
            note,
            time.perf_counter() - self.began,
        )


Answered = Callable[[Call, Reply | None, str], None]
"""Is told what came back, or why nothing did."""


class _Everything:
    def __contains__(self, _: object) -> bool:
        return True


_EVERYTHING: Final = _Everything()


class Deliveries:
    """The calls under way, and who waits for one to end. Event loop only."""

    def __init__(self, caller: WebhookCaller) -> None:
        self._caller = caller
        self._answered: Answered = _nobody
        self._has_room: Callable[[Organisation, str], bool] = _nobody_waits
        self._tasks: dict[Organisation, dict[asyncio.Task[None], Call]] = {}
        self._counts: dict[Organisation, dict[str, int]] = {}
        self._count = 0
        self._next = 0.0
        """When the next call may begin, by the loop's clock."""
        self._waiting: dict[tuple[Organisation, str], deque[tuple[int, str]]] = {}
        self._last = 0
        """The number of the latest call, given when it began, or began to wait for its turn."""
        self._open: dict[Organisation, set[int]] = {}
        """The numbers of the calls that are under way or wait."""
        self._offered: int | None = None
        """The number of the call that is about to begin after a wait."""
        self._changed: dict[Organisation, asyncio.Event] = {}

    def report_to(self, answered: Answered, has_room: Callable[[Organisation, str], bool]) -> None:
        """Tell `answered` what came back, and offer `has_room` an action that waited; it says whether it began a call."""
        self._answered, self._has_room = answered, has_room

    def busy(self, organisation: Organisation) -> Container[str]:
        """The labels of destinations that nobody more can call now."""
        if self._count >= MOST:
            return _EVERYTHING
        counts = self._counts.get(organisation)
        return [label for label, count in counts.items() if count >= MOST_TO_ONE] if counts else ()

    def begin(self, organisation: Organisation, action: Action, destination: Destination) -> None:
        """Call a destination that is not busy."""
        call = Call(
            self._numbered(organisation) if self._offered is None else self._offered,
            organisation,
            organisation.action_table,
            action,
            destination,
            destination.headers(action.id, action.attempt),
            0.0,
        )
        loop = asyncio.get_running_loop()
        turn = self._next = max(loop.time(), self._next + PACE)
        task = loop.create_task(self._call(call, turn - loop.time()))
        self._tasks.setdefault(organisation, {})[task] = call
        counts = self._counts.setdefault(organisation, {})
        counts[destination.label] = counts.get(destination.label, 0) + 1
        self._count += 1
        task.add_done_callback(lambda done: self._ended(done, organisation))

    def wait(self, organisation: Organisation, label: str, action_id: str) -> None:
        """Have an action offered when its destination has room."""
        waiting = (self._numbered(organisation), action_id)
        self._waiting.setdefault((organisation, label), deque()).append(waiting)

    def forget_waiting(self, organisation: Organisation) -> None:
        """Offer none of its actions any more."""
        for key in [key for key in self._waiting if key[0] is organisation]:
            for number, _ in self._waiting.pop(key):
                self._done(organisation, number)

    def last(self) -> int:
        """The number of the latest call."""
        return self._last

    def at_work(self, organisation: Organisation) -> bool:
        """Whether a call of the organisation is under way, or waits for its turn."""
        return organisation in self._open

    async def settle(self, organisation: Organisation) -> None:
        """Wait until all calls of the organisation that are under way now, or wait for their turn, have ended; those
        that begin meanwhile are others' business, or this would have no end while work comes in."""
        until = self._last
        while min(self._open.get(organisation, ()), default=until + 1) <= until:
            await self._changed.setdefault(organisation, asyncio.Event()).wait()

    def give_up(self, organisation: Organisation) -> None:
        """End the calls of an organisation that is about to become another; it has room for new ones at once."""
        self.forget_waiting(organisation)
        for task in list(self._tasks.get(organisation, ())):
            self._closed(task, organisation)
            task.cancel()

    async def prepare(self) -> None:
        """Get ready for the first call."""
        await self._caller.prepare()

    def why_not_called(self, url: str) -> str:
        """Why a URL may not be called; empty when it may."""
        return self._caller.why_not_called(url)

    async def close(self) -> None:
        """End all calls."""
        self._waiting.clear()
        tasks = [task for calls in self._tasks.values() for task in calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._caller.close()

    async def _call(self, call: Call, pause: float) -> None:
        if pause > 0:
            await asyncio.sleep(pause)
        call = call._replace(began=time.perf_counter())
        reply, reason, failure = None, "", None
        try:
            reply = await self._caller.post(
                call.destination.config["url"], call.headers, call.action.work.payload
            )
        except NoAnswer as error:
            reason = str(error)
        except Exception as error:
            reason, failure = (
                f"the mock failed to call it ({type(error).__name__}); this is its own fault",
                error,
            )
        self._answered(call, reply, reason)
        if failure is not None:
            raise failure

    def _ended(self, task: asyncio.Task[None], organisation: Organisation) -> None:
        if task in self._tasks.get(organisation, ()):  # or it was given up
            self._closed(task, organisation)
        for key in list(self._waiting):
            if self._count >= MOST:
                break
            self._offer(key)
        if not task.cancelled():
            task.result()

    def _closed(self, task: asyncio.Task[None], organisation: Organisation) -> None:
        """Take a call out of the books."""
        call = self._tasks[organisation].pop(task)
        counts, label = self._counts[organisation], call.destination.label
        counts[label] -= 1
        if not counts[label]:
            del counts[label]
        if not counts:
            del self._tasks[organisation], self._counts[organisation]
        self._count -= 1
        self._done(organisation, call.number)

    def _offer(self, key: tuple[Organisation, str]) -> None:
        organisation, label = key
        line = self._waiting.get(key)
        while line and label not in self.busy(organisation):
            number, action_id = line.popleft()
            self._offered = number
            try:
                began = self._has_room(organisation, action_id)
            finally:
                self._offered = None
            if began:
                self._waiting[key] = self._waiting.pop(key)  # others first, next time
                break
            self._done(organisation, number)
        if not line:
            self._waiting.pop(key, None)

    def _numbered(self, organisation: Organisation) -> int:
        self._last += 1
        self._open.setdefault(organisation, set()).add(self._last)
        return self._last

    def _done(self, organisation: Organisation, number: int) -> None:
        numbers = self._open.get(organisation, set())
        numbers.discard(number)
        if not numbers:
            self._open.pop(organisation, None)
        if organisation in self._changed:
            self._changed.pop(organisation).set()


def _kept(headers: Iterable[tuple[str, str]], secret: Container[str] = ()) -> Headers:
    """Headers as the journal keeps them: what a credential holds stays hidden (B202)."""
    return tuple(
        (name.encode("latin-1"), (MASK if name in secret else value).encode("latin-1"))
        for name, value in headers
    )


def _nobody(call: Call, reply: Reply | None, reason: str) -> None:
    raise AssertionError("an answer came before anybody was there to hear it")


def _nobody_waits(organisation: Organisation, action_id: str) -> bool:
    raise AssertionError("nobody is there who could wait")
