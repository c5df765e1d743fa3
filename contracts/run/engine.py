"""A run as its caller sees it: starts the run's own thread, hands its events to listeners, and ends it if it hangs.

Only frozen values pass between the two threads; listeners are called in the thread of the caller. Prints nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from ..core.events import Checkpoint, Event, Listener, RunFinished, RunStarted
from ..core.exchange import Exchange
from ..openapi.document import load
from ..transport.clock import Clock, SystemClock
from ..transport.throttle import Cancellation
from ..transport.wire import Transport
from .outcome import Outcome, Snapshot
from .plan import Plan
from .session import NOT_OVER, Due, Ended, Message, Session, describe

_FIRST_CONTACT = 13.0
"""Seconds that the first contact may take whatever the target does: three tries of three answers in three seconds each."""
_GRACE = 5.0
"""Seconds that the last request may go on after the time is up."""
_INTERRUPTED = 13.0
"""Seconds that a run may take to come to its end after it was interrupted."""
_LOOK = 1.0
"""Seconds after which the caller's thread looks at the clock again, so that it can be interrupted on any system."""


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
        self._clock = clock or SystemClock()
        self._cancellation = Cancellation()
        self._outcome = Outcome(plan, document, datetime.now(UTC))
        self._messages: SimpleQueue[Event | Due | Ended] = SimpleQueue()
        self._latest: Snapshot
        self._failure: str | None = None
        """Why the run proves nothing, as a listener failed."""
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
        self._due = math.inf
        """When the run's thread sends its last request, in seconds of the clock; infinite before it is known."""

    def judge(self) -> RunFinished:
        """Judge the target and tell the listeners; return the last event, which they are told as well."""
        plan = self._plan
        self._deliver_waiting()  # findings of an earlier part of the run
        self._tell(
            RunStarted(
                plan.target.base_url, self._document.name, self._document.digest, plan.seed, plan.max_time
            )
        )
        reached = self._clock.now() + _FIRST_CONTACT
        threading.Thread(target=self._session.judge, daemon=True).start()
        try:
            last = self._follow(reached)
        except KeyboardInterrupt:
            now = self._clock.now()
            self._cancellation.cancel(now + 1, "the run was interrupted")
            self._due = min(self._due, now + 1)
            last = replace(self._follow(now + _INTERRUPTED), ended="The run was interrupted.")
        self._cancellation.cancel(0.0)  # a thread that hangs sends nothing more when it comes back
        if self._failure is not None:
            last = replace(last, ended=self._failure)
        finished = self._outcome.finished(last, self._clock.now())
        if plan.night:
            self._tell(Checkpoint(replace(finished, inconclusive=NOT_OVER), last.progress))
        self._tell(finished)
        return finished

    def _follow(self, least: float) -> Snapshot:
        """Hand on events until the run ends, and return its last snapshot.

        A run that goes on after `least`, and some seconds after its time is up, hangs in an answer without end. It is left
        alone, and its snapshot says so.
        """
        until = max(least, self._due + _GRACE) if self._due < math.inf else least
        while True:
            try:
                message = self._messages.get(timeout=min(_LOOK, max(0.01, until - self._clock.now())))
            except Empty:
                if self._clock.now() > until:
                    return self._hanging()
                continue
            if isinstance(message, Ended):
                return self._latest
            if isinstance(message, Due):
                self._due = message.at
                until = max(least, message.at + _GRACE)
            else:
                self._hand_on(message)

    def _hanging(self) -> Snapshot:
        """Return what was known before the request that hangs."""
        last = self._latest
        if self._due < math.inf:
            kind = "an answer without end"
            return replace(last, interference={**last.interference, kind: last.interference.get(kind, 0) + 1})
        base = self._plan.target.base_url
        return replace(last, ended=last.ended or f"{base} could not be reached: it answers without end.")

    def _post(self, message: Message) -> None:
        """Take a message of the run's thread; of snapshots only the latest is kept."""
        if isinstance(message, Snapshot):
            self._latest = message
        else:
            self._messages.put(message)

    def _deliver_waiting(self) -> None:
        """Hand on the events that the run has had before it began."""
        while not self._messages.empty():
            message = self._messages.get()
            if not isinstance(message, Due | Ended):
                self._hand_on(message)

    def _hand_on(self, event: Event) -> None:
        """Tell the listeners; when one of them fails, end the run."""
        if self._failure is not None:
            return
        try:
            self._tell(event)
        except Exception as error:
            self._failure = f"The judge itself failed, which says nothing of the target: {describe(error)}."
            self._cancellation.cancel(self._clock.now(), "a listener failed")

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)


__all__ = ["Run"]
