"""Calls to webhooks beside the API: bounded in number, and cancelled when their organisation is reset, restored or forked."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Final, NamedTuple

from ..domain.actions import Action
from ..domain.destinations import Destination
from ..domain.journal import MASK, Delivery, Headers
from ..domain.ports import ActionTable, NoAnswer, Organisation, WebhookCaller
from ..domain.webhook_answers import Reply

MAX_CALLS: Final = 64
"""Calls at a time, over all organisations, so that sockets never run out."""
MAX_CALLS_TO_ONE: Final = 8
"""Calls at a time to one destination, so that a receiver on a developer's machine is not flooded (B072)."""
CALL_INTERVAL: Final = 0.002
"""Seconds between the beginnings of two calls, so that requests are answered in between when many fall due at once."""


class Call(NamedTuple):
    """One call under way."""

    number: int
    organisation: Organisation
    action_table: ActionTable
    """The organisation's table when the call began; another one means that it was reset, restored or forked meanwhile."""
    action: Action
    destination: Destination
    headers: tuple[tuple[str, str], ...]
    """(name, value), as sent."""
    began: float
    """Seconds, by the timer of `Deliveries`."""

    def delivery(self, reply: Reply | None, outcome: str, note: str, seconds: float) -> Delivery:
        """Return the journal's record of the call.

        Args:
            reply: the answer; None when there was no usable one.
            outcome: the event that followed; empty for none.
            note: why there is no answer, or which part of it was ignored.
            seconds: how long it took.
        """
        work = self.action.work
        credential = self.destination.credential
        return Delivery(
            self.action.id,
            self.action.attempt,
            self.destination.label,
            self.destination.kind.value,
            self.destination.config["url"],
            _journal_headers(self.headers, dict(credential.headers) if credential else ()),
            work.payload,
            len(work.payload),
            reply.status if reply else 0,
            _journal_headers(reply.headers) if reply else (),
            reply.body if reply else b"",
            None if reply is None or not reply.whole else len(reply.body),
            outcome,
            note,
            seconds,
        )


OnAnswer = Callable[[Call, Reply | None, str], None]
"""Called at the end of a call with its answer, or with None and why there is none."""
Dispatch = Callable[[Organisation, str], bool]
"""(organisation, action id) → whether giving away an action that waited has begun a call."""


class _EveryLabel:
    def __contains__(self, _: object) -> bool:
        return True


_EVERY_LABEL: Final = _EveryLabel()


class Deliveries:
    """The calls that are under way, and the actions that wait until one of them ends. Event loop only.

    Each call has a number, given when it begins or when its action begins to wait. So `finish` knows which calls it has to
    wait for.
    """

    def __init__(self, caller: WebhookCaller, timer: Callable[[], float] = time.perf_counter) -> None:
        """Call webhooks by `caller`; `timer` returns seconds, by which durations are measured."""
        self._caller = caller
        self._timer = timer
        self._on_answer: OnAnswer = _no_listener
        self._dispatch: Dispatch = _no_dispatcher
        self._tasks: dict[Organisation, dict[asyncio.Task[None], Call]] = {}
        self._counts: dict[Organisation, dict[str, int]] = {}
        """Organisation → label of a destination → number of calls under way there."""
        self._count = 0
        """Number of calls under way."""
        self._next_start = 0.0
        """When the next call may begin, by the loop's clock."""
        self._waiting: dict[tuple[Organisation, str], deque[tuple[int, str]]] = {}
        """(organisation, label) → (call number, action id) of actions that wait for the destination."""
        self._last = 0
        """The latest number of a call."""
        self._open: dict[Organisation, set[int]] = {}
        """Organisation → numbers of its calls that are under way or wait."""
        self._dispatched: int | None = None
        """The number of the call whose action is given away after a wait; None for none."""
        self._changed: dict[Organisation, asyncio.Event] = {}
        """Organisation → set when one of its calls is no longer open."""

    def connect(self, on_answer: OnAnswer, dispatch: Dispatch) -> None:
        """Call `on_answer` when a call ends, and `dispatch` when an action that waited can be given away."""
        self._on_answer, self._dispatch = on_answer, dispatch

    def busy(self, organisation: Organisation) -> Container[str]:
        """Return the labels of the destinations that have no room for another call now."""
        if self._count >= MAX_CALLS:
            return _EVERY_LABEL
        counts = self._counts.get(organisation)
        return [label for label, count in counts.items() if count >= MAX_CALLS_TO_ONE] if counts else ()

    def begin(self, organisation: Organisation, action: Action, destination: Destination) -> None:
        """Call a destination that is not busy."""
        call = Call(
            self._new_number(organisation) if self._dispatched is None else self._dispatched,
            organisation,
            organisation.action_table,
            action,
            destination,
            destination.headers(action.id, action.attempt),
            0.0,
        )
        loop = asyncio.get_running_loop()
        start = self._next_start = max(loop.time(), self._next_start + CALL_INTERVAL)
        task = loop.create_task(self._call(call, start - loop.time()))
        self._tasks.setdefault(organisation, {})[task] = call
        counts = self._counts.setdefault(organisation, {})
        counts[destination.label] = counts.get(destination.label, 0) + 1
        self._count += 1
        task.add_done_callback(lambda done: self._end(done, organisation))

    def queue(self, organisation: Organisation, label: str, action_id: str) -> None:
        """Give an action away when its destination has room."""
        waiting = (self._new_number(organisation), action_id)
        self._waiting.setdefault((organisation, label), deque()).append(waiting)

    def clear_queue(self, organisation: Organisation) -> None:
        """Give none of its waiting actions away."""
        for key in [key for key in self._waiting if key[0] is organisation]:
            for number, _ in self._waiting.pop(key):
                self._close_number(organisation, number)

    def seconds(self, call: Call) -> float:
        """Return how long a call has taken so far."""
        return self._timer() - call.began

    def last_number(self) -> int:
        """Return the number of the latest call."""
        return self._last

    def has_open_calls(self, organisation: Organisation) -> bool:
        """Return whether a call of the organisation is under way or waits."""
        return organisation in self._open

    async def finish(self, organisation: Organisation) -> None:
        """Wait until all calls of the organisation have ended that are under way or wait now.

        Calls that begin meanwhile are not waited for, or this would not end while work comes in.
        """
        until = self._last
        while min(self._open.get(organisation, ()), default=until + 1) <= until:
            await self._changed.setdefault(organisation, asyncio.Event()).wait()

    def cancel(self, organisation: Organisation) -> None:
        """Cancel the calls of an organisation that is about to be reset, restored or forked; there is room for new ones at
        once."""
        self.clear_queue(organisation)
        for task in list(self._tasks.get(organisation, ())):
            self._remove(task, organisation)
            task.cancel()

    async def prepare(self) -> None:
        """Do what the first call needs."""
        await self._caller.prepare()

    def why_not_called(self, url: str) -> str:
        """Return why a URL may not be called; empty when it may."""
        return self._caller.why_not_called(url)

    async def close(self) -> None:
        """Cancel all calls, and close the client."""
        self._waiting.clear()
        tasks = [task for calls in self._tasks.values() for task in calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._caller.close()

    async def _call(self, call: Call, pause: float) -> None:
        if pause > 0:
            await asyncio.sleep(pause)
        call = call._replace(began=self._timer())
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
        self._on_answer(call, reply, reason)
        if failure is not None:
            raise failure

    def _end(self, task: asyncio.Task[None], organisation: Organisation) -> None:
        if task in self._tasks.get(organisation, ()):  # else it was cancelled and is removed already
            self._remove(task, organisation)
        for key in list(self._waiting):
            if self._count >= MAX_CALLS:
                break
            self._dispatch_waiting(key)
        if not task.cancelled():
            task.result()

    def _remove(self, task: asyncio.Task[None], organisation: Organisation) -> None:
        call = self._tasks[organisation].pop(task)
        counts, label = self._counts[organisation], call.destination.label
        counts[label] -= 1
        if not counts[label]:
            del counts[label]
        if not counts:
            del self._tasks[organisation], self._counts[organisation]
        self._count -= 1
        self._close_number(organisation, call.number)

    def _dispatch_waiting(self, key: tuple[Organisation, str]) -> None:
        """Give away actions that wait for a destination, until one of them begins a call."""
        organisation, label = key
        queue = self._waiting.get(key)
        while queue and label not in self.busy(organisation):
            number, action_id = queue.popleft()
            self._dispatched = number
            try:
                began = self._dispatch(organisation, action_id)
            finally:
                self._dispatched = None
            if began:
                self._waiting[key] = self._waiting.pop(key)  # next time other destinations come first
                break
            self._close_number(organisation, number)
        if not queue:
            self._waiting.pop(key, None)

    def _new_number(self, organisation: Organisation) -> int:
        self._last += 1
        self._open.setdefault(organisation, set()).add(self._last)
        return self._last

    def _close_number(self, organisation: Organisation, number: int) -> None:
        numbers = self._open.get(organisation, set())
        numbers.discard(number)
        if not numbers:
            self._open.pop(organisation, None)
        if organisation in self._changed:
            self._changed.pop(organisation).set()


def _journal_headers(headers: Iterable[tuple[str, str]], secret: Container[str] = ()) -> Headers:
    """Headers as the journal keeps them, with the values of the `secret` names masked (B202)."""
    return tuple(
        (name.encode("latin-1"), (MASK if name in secret else value).encode("latin-1"))
        for name, value in headers
    )


def _no_listener(call: Call, reply: Reply | None, reason: str) -> None:
    raise AssertionError("an answer came before `connect`")


def _no_dispatcher(organisation: Organisation, action_id: str) -> bool:
    raise AssertionError("an action waited before `connect`")
