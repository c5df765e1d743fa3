"""The state of one run, and what the run's own thread does with it: its parts in their order.

Everything here belongs to that thread. It hands out frozen values alone: events, and snapshots of what is known.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arklow_local.formats.excerpts import one_line

from ..checks.context import CheckContext
from ..checks.cross_check import CrossCheck
from ..core.events import Advanced, Checkpoint, CrossChecked, Event, Found, PhaseStarted, Waiting
from ..core.exchange import Exchange
from ..core.findings import Breach, finding_of
from ..core.ledger import Ledger
from ..model.world import Model
from ..openapi.document import Document
from ..openapi.schemas import DocumentSchemas
from ..oracle.judge import Judge
from ..reproduction.confirm import Confirmation
from ..reproduction.replay import Replay
from ..transport.client import Client
from ..transport.clock import Clock
from ..transport.throttle import Allowance, Cancellation
from ..transport.wire import Transport
from .outcome import Outcome, Snapshot
from .plan import Plan
from .preflight import Preflight
from .scheduler import SHRINK_SECONDS, Scheduler

_KEEP = 0.5
"""Seconds between two events with what there is so far: what a night loses when it is killed."""
_ADVANCE = 0.25
"""Seconds between two events with figures: what a person sees as moving."""
_FIRST_ANSWERS = 10
"""Answers of the first contact, each of which may take its whole time."""
_LEASES = 10.0
"""Seconds that a run goes on at least after the leases that it waits for have run out."""
_SHARE_LOST = 0.1
"""Share of a run in which the target lets nothing go before the run ends: with more of it the run proves too little."""
NOT_OVER = "The run is not over, or was ended from outside."
"""Why what there is so far proves nothing."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The run's thread awaits an answer; both moments are in seconds of its clock."""

    by: float
    """When the answer is there, or given up."""
    deadline: float
    """When the run has to end, or the part of it that goes on."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The run's thread awaits no answer any more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run's thread has come to its end, and its last snapshot has been posted."""


Message = Event | Snapshot | Awaiting | Answered | Ended


class Session:
    """One run against one target, from first contact to the last finding that is tried again."""

    def __init__(
        self,
        plan: Plan,
        document: Document,
        outcome: Outcome,
        post: Callable[[Message], None],
        *,
        clock: Clock,
        transport: Transport | None,
        cancellation: Cancellation,
        observers: Sequence[Callable[[Exchange], None]],
        run_id: str,
    ) -> None:
        """Make what a run needs; `post` takes what it has to say, `observers` see every exchange."""
        self._plan = plan
        self._outcome = outcome
        self._post = post
        self._clock = clock
        target, before = plan.target, plan.before
        context = CheckContext(document, DocumentSchemas(document.content), target, "contract", plan.declared)
        self._context = context
        self._ledger = Ledger(
            plan.only, plan.sought, on_new=lambda finding: post(Found(finding)), secrets=target.secrets
        )
        model = Model(fits=context.fits, fresh_seconds=plan.settle)
        self._judge = Judge(context, self._ledger, model)
        self._client = Client(
            target,
            lambda method, url: document.locate(method, url, {target.base_url, target.ingress_url}),
            plan.limits,
            clock=clock,
            transport=transport,
            cancellation=cancellation,
            awaiting=self._await,
            waiting=lambda seconds, why: post(Waiting(seconds, why)),
            trace=run_id,
            timeout=plan.timeout,
            interference=before.run.interference if before else None,
        )
        self._cross_check = CrossCheck(context)
        self._judge.listen(*observers, self._cross_check.hear, lambda _: self._advance())
        self._preflight = Preflight(plan, self._client, self._judge)
        self._scheduler = Scheduler(
            plan,
            self._client,
            self._judge,
            self._preflight,
            self._make_confirmation,
            announce=lambda title: post(PhaseStarted(title)),
        )
        self._began = self._advanced = clock.now()
        self._kept = -math.inf
        self._seconds = max(plan.max_time, (plan.wait or 0) + _LEASES)
        """How long the run goes on after the first contact."""
        self._inconclusive: str | None = None
        self._crash = ""
        self._is_first_contact = True
        if before is not None:
            self._remember(before)
        post(self._snapshot())

    def _remember(self, before: Checkpoint) -> None:
        """Begin where an earlier part of the run has ended."""
        run, progress, ledger = before.run, before.progress, self._ledger
        ledger.tested.update(run.tested)
        ledger.masked.update(progress.masked)
        ledger.doubtful.update(progress.doubtful)
        ledger.suspected.update(progress.suspected)
        ledger.negatives.update(run.negatives)
        ledger.add([*run.violations, *run.warnings], confirmed=True)
        self._judge.resume(run.served, run.interpretations, progress.interpretations)

    def judge(self) -> None:
        """Judge the target; whatever fails, what was found before stands."""
        try:
            if self._plan.night:
                self._keep()
            self._play()
        except BaseException as error:  # nothing but this ends the thread, for which the caller waits
            self._crash = trace_of(error)
            self._inconclusive = (
                f"The judge itself failed, which says nothing of the target: {describe(error)}."
            )
        try:
            self._ask_openapi_core()
            self._client.close()
        finally:
            self._post(self._snapshot())
            self._post(Ended())

    def _play(self) -> None:
        """Send everything that is to be sent."""
        plan, scheduler = self._plan, self._scheduler
        self._post(PhaseStarted("first contact"))
        throttle = self._client.throttle
        now, held = self._clock.now(), max(plan.wait_for, plan.max_time)
        answers = plan.wait_for + _FIRST_ANSWERS * plan.timeout
        throttle.allow(Allowance(now + max(answers, held), hold_until=now + held))
        self._inconclusive = f"{plan.target.base_url} could not be reached: it answers without end."
        self._inconclusive = self._preflight.check()  # unless it hangs here
        self._is_first_contact = False
        if self._inconclusive is not None:
            return
        self._began = self._clock.now()
        throttle.allow(Allowance(self._began + self._seconds, self._reserve()))
        scheduler.play_scenarios()
        if plan.night:
            scheduler.alternate()
        else:
            scheduler.walk()
            scheduler.generate()
        scheduler.finish()
        self._compare_interpretations()
        scheduler.confirmation.drop_unconfirmed()

    def _make_confirmation(self) -> Confirmation:
        """Return what decides which findings of this run stand; its names are settled by now."""
        plan, preflight = self._plan, self._preflight
        replay = Replay(
            self._client,
            self._judge,
            preflight.prefix,
            reuses_names=bool(plan.name_prefix),
            thrifty=plan.limits.requests is not None,
        )
        return Confirmation(
            replay,
            self._ledger,
            {one.id for one in plan.baseline if one.expires >= self._outcome.started.date()},
            unlearn=self._judge.unlearn,
            has_restarted=preflight.has_restarted,
            has_forgotten=lambda: preflight.wait_for_return() and preflight.has_forgotten(),
        )

    def _await(self, by: float | None) -> None:
        """Say that an answer is awaited until a moment, and what is known before it; or that none is awaited any more."""
        if by is None:
            self._post(Answered())
            return
        self._post(self._snapshot())
        self._post(Awaiting(by, by if self._is_first_contact else self._client.throttle.deadline))

    def _reserve(self) -> int:
        """Return how many requests are kept for examples: a tenth of what may be sent."""
        most = self._plan.limits.requests
        return 0 if most is None else most // 10

    def _compare_interpretations(self) -> None:
        """Warn where the target takes another lawful interpretation than the one that is counted on (READ-2)."""
        for question, expected in self._plan.expected.items():
            taken = self._context.learned.interpretations.get(question)
            shown = self._judge.provenance.first(question)
            if taken is None or not shown:
                continue
            self._ledger.tested["READ-2"] += 1
            if taken != expected:
                title = f"{question[0].upper()}{question[1:]}: {taken}, and {expected} was expected"
                breach = Breach("READ-2", title, expected, taken, question)
                self._ledger.add([finding_of(breach, shown[-1], shown)], confirmed=True)

    def _ask_openapi_core(self) -> None:
        """Compare our validator with openapi-core, unless the run is for single rules alone."""
        cross_check = self._cross_check
        if self._plan.only:
            cross_check.not_done = "the run was for single rules"
            return
        if cross_check.answers:
            self._post(PhaseStarted("the cross-check with openapi-core"))
        why_refused = cross_check.prepare()
        if why_refused is not None:
            until = self._clock.now() + SHRINK_SECONDS  # counted from when the library is there
            cross_check.ask(why_refused, lambda: self._clock.now() > until)

    def _advance(self) -> None:
        """Say how far the run is, and what there is so far, if it was not said just now."""
        now = self._clock.now()
        if self._plan.night and now - self._kept > _KEEP:
            self._keep()
        if now - self._advanced < _ADVANCE:
            return
        self._advanced = now
        ledger = self._ledger
        self._post(
            Advanced(now - self._began, self._client.requests, len(ledger.violations), len(ledger.warnings))
        )

    def _keep(self) -> None:
        """Say all that there is so far, from which the run can be told if it is killed."""
        snapshot = self._snapshot()
        run = replace(self._outcome.finished(snapshot, self._clock.now()), inconclusive=NOT_OVER)
        self._post(Checkpoint(run, snapshot.progress))
        self._kept = self._clock.now()

    def _snapshot(self) -> Snapshot:
        """Return what is known now."""
        client, judge, cross_check = self._client, self._judge, self._cross_check
        ledger, learned = self._ledger.copy(), self._context.learned
        published = [
            label for label in self._context.document.operations if label in learned.asked - learned.routed
        ]
        return Snapshot(
            ledger=ledger,
            prefix=self._preflight.prefix,
            run_id=client.trace,
            began=self._began,
            requests=client.requests,
            served=dict(judge.served),
            interpretations=dict(learned.interpretations),
            interference=client.interference,
            sent=client.sent,
            lost=client.lost,
            usual=client.throttle.usual,
            not_offered=(*published, *sorted(learned.not_offered)),
            cross_check=CrossChecked(
                cross_check.asked,
                cross_check.answers,
                tuple(cross_check.differences),
                cross_check.not_done,
            ),
            progress=replace(
                self._scheduler.progress,
                interpretations=dict(judge.model.first_answers),
                masked=ledger.masked,
                doubtful=ledger.doubtful,
                suspected=ledger.suspected,
            ),
            ended=self._ended(),
            crash=self._crash,
        )

    def _ended(self) -> str | None:
        """Say in one sentence what has cut the run short; None while nothing has."""
        closed = self._client.throttle.closed
        why = closed and f"{closed[0].upper()}{closed[1:]}."
        return why or self._inconclusive or self._preflight.unreachable or self._limited()

    def _limited(self) -> str | None:
        """Say that the target's own limit has cut the run short, where it took more than a tenth of its time."""
        throttle = self._client.throttle
        return throttle.limited if throttle.lost > _SHARE_LOST * self._seconds else None


def trace_of(error: BaseException) -> str:
    """Return the traceback of an exception, and of what it comes from."""
    return "".join(traceback.format_exception(error))


def describe(error: BaseException) -> str:
    """Return an exception in one line, with the place in the code where it came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {one_line(str(error))}{where}"


__all__ = ["NOT_OVER", "Answered", "Awaiting", "Ended", "Message", "Session", "describe", "trace_of"]
