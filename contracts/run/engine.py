"""A run as its caller sees it: starts the run's own thread, hands its events to listeners, and ends it if it hangs.

Only frozen values pass between the two threads; listeners are called in the thread of the caller. Prints nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from ..core.events import Checkpoint, Event, Listener, RunFinished, RunStarted
from ..core.exchange import Exchange
from ..openapi.document import load
from ..openapi.places import places_in_repository
from ..transport.clock import Clock, SystemClock
from ..transport.throttle import Cancellation
from ..transport.wire import Transport
from .outcome import Outcome, Snapshot
from .plan import Plan
from .session import NOT_OVER, Answered, Awaiting, Ended, Message, Session, describe, trace_of

_GRACE = 5.0
"""Seconds that an answer may be late which is awaited when the time is up."""
_LOOK = 0.25
"""Seconds after which the caller's thread looks again whether the run hangs, and can be interrupted on any system."""


class Run:
    """One run against one target.

    Raises:
        Unreadable: the document of the plan cannot be read.
        NoWay: a file that says how the target is reached cannot be used.
    """

    def __init__(
        self,
        plan: Plan,
        *listeners: Listener,
        clock: Clock | None = None,
        transport: Transport | None = None,
        observers: Sequence[Callable[[Exchange], None]] = (),
        run_id: str = "",
    ) -> None:
        """Prepare a run.

        Args:
            plan: what it is to do.
            listeners: get its events.
            clock: tells and passes time; that of the machine, if none is given.
            transport: carries the requests; over sockets, if none is given.
            observers: see each exchange in the run's own thread.
            run_id: 32 hexadecimal digits that name the run; drawn at random, if none are given.
        """
        document = load(plan.document)
        self._plan = plan
        self._listeners = listeners
        self._document = document
        self._cancellation = Cancellation()
        self._clock = clock or SystemClock()
        started = datetime.fromtimestamp(self._clock.unix_time(), UTC)
        self._outcome = Outcome(plan, document, started, places_in_repository(plan.document))
        self._messages: SimpleQueue[Event | Ended] = SimpleQueue()
        self._latest: Snapshot
        self._awaiting: Awaiting | None = None
        """What the run's thread waits for; None while it works."""
        self._failure: str | None = None
        """Why the run proves nothing, as a listener failed."""
        self._crash = ""
        """The traceback of that."""
        self._session = Session(
            plan,
            document,
            self._outcome,
            self._post,
            clock=self._clock,
            transport=transport,
            cancellation=self._cancellation,
            observers=observers,
            run_id=plan.before.run.run_id if plan.before else run_id,
        )

    def judge(self) -> RunFinished:
        """Judge the target and tell the listeners; return the last event, which they are told as well."""
        plan = self._plan
        self._deliver_waiting()  # findings of an earlier part of the run
        self._tell(
            RunStarted(
                plan.target.base_url, self._document.name, self._document.digest, plan.seed, plan.max_time
            )
        )
        threading.Thread(target=self._session.judge, daemon=True).start()
        try:
            last = self._follow_or_interrupt()
        finally:
            self._cancellation.cancel(0.0)  # a thread that comes back later sends nothing more
        if self._failure is not None:
            last = replace(last, ended=self._failure, crash=self._crash)
        finished = self._outcome.finished(last, self._clock.now())
        if plan.night:
            self._tell(Checkpoint(replace(finished, inconclusive=NOT_OVER), last.progress))
        self._tell(finished)
        return finished

    def _follow_or_interrupt(self) -> Snapshot:
        """Follow the run; when the user interrupts it, let it come to its end, which takes no more than one answer."""
        try:
            return self._follow()
        except KeyboardInterrupt:
            self._cancellation.cancel(self._clock.now(), "the run was interrupted")
            return replace(self._follow(), ended="The run was interrupted.")

    def _follow(self) -> Snapshot:
        """Hand on events until the run ends, and return its last snapshot.

        A run that hangs in an answer without end is left alone, and its snapshot says so.
        """
        while True:
            try:
                message = self._messages.get(timeout=_LOOK)
            except Empty:
                if self._hangs():
                    last, kind = self._latest, "an answer without end"
                    count = last.interference.get(kind, 0) + 1
                    return replace(last, interference={**last.interference, kind: count})
                continue
            if isinstance(message, Ended):
                return self._latest
            self._hand_on(message)

    def _hangs(self) -> bool:
        """Say whether the run's thread awaits an answer that should be there, although the time is up.

        A thread that works, however slowly, does not hang. The clock is read first: what is awaited afterwards may be there
        later still.
        """
        now, awaiting = self._clock.now(), self._awaiting
        if awaiting is None:
            return False
        deadline = min(awaiting.deadline, self._cancellation.deadline)
        return now > max(awaiting.by, deadline) + _GRACE

    def _post(self, message: Message) -> None:
        """Take a message of the run's thread: keep what is known and what is awaited now, and queue the rest."""
        if isinstance(message, Snapshot):
            self._latest = message
        elif isinstance(message, Awaiting):
            self._awaiting = message
        elif isinstance(message, Answered):
            self._awaiting = None
        else:
            self._messages.put(message)

    def _deliver_waiting(self) -> None:
        """Hand on the events that the run has had before it began."""
        while not self._messages.empty():
            message = self._messages.get()
            if not isinstance(message, Ended):
                self._hand_on(message)

    def _hand_on(self, event: Event) -> None:
        """Tell the listeners; when one of them fails, end the run."""
        if self._failure is not None:
            return
        try:
            self._tell(event)
        except Exception as error:
            self._failure = f"The judge itself failed, which says nothing of the target: {describe(error)}."
            self._crash = trace_of(error)
            self._cancellation.cancel(self._clock.now(), "a listener failed")

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)


__all__ = ["Run"]
