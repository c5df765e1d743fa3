"""A run from beginning to end: its parts in their order, and what is told meanwhile. Prints nothing."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arklow_local.formats.excerpts import one_line

from ..checks.context import CheckContext
from ..checks.cross_check import CrossCheck
from ..core.events import (
    Advanced,
    Checkpoint,
    Found,
    Listener,
    PhaseStarted,
    RunFinished,
    RunStarted,
)
from ..core.ledger import Ledger
from ..openapi.document import load
from ..openapi.schemas import DocumentSchemas
from ..oracle.judge import Judge
from ..transport.client import Client
from .outcome import Outcome
from .plan import LONG, Plan
from .preflight import Preflight
from .scheduler import ANYWHERE, SHRINK_SECONDS, Scheduler

_FIRST_CONTACT = 13.0
"""Seconds that first contact may take, whatever the target does."""

_GRACE = 5.0
"""Seconds that the last request may go on after the time is up."""

_KEEP = 0.5
"""Seconds after which what there is so far is told."""


class Run:
    """One run against one target."""

    def __init__(self, plan: Plan, *listeners: Listener) -> None:
        document = load(plan.document)
        started = datetime.now(UTC)
        self._plan = plan
        self._listeners: tuple[Listener, ...] = listeners
        self._document = document
        context = CheckContext(
            document, DocumentSchemas(document.content), plan.target, "contract", plan.declared
        )
        self._ledger = Ledger(
            plan.only, on_new=lambda finding: self._tell(Found(finding)), secrets=plan.target.secrets
        )
        self._judge = Judge(context, self._ledger)
        self._client = Client(plan.target, self._locate, plan.limits)
        self._opinions = CrossCheck(context)
        self._judge.listeners.append(self._opinions.hear)
        self._judge.listeners.append(lambda _: self._tell_progress())
        self._preflight = Preflight(plan, self._client, self._judge)
        excused = {one.id for one in plan.baseline if one.expires >= started.date()}
        self._playing = Scheduler(plan, self._client, self._judge, self._preflight, excused, self._phase)
        self._conclusion = Outcome(plan, self._client, self._judge, self._opinions, started)
        self._began = self._told = time.monotonic()
        self._inconclusive: str | None = None
        self._kept = -math.inf
        if plan.before is not None:
            self._remember(plan.before)

    def _remember(self, before: Checkpoint) -> None:
        """Begin where an earlier part of the run has ended."""
        run, progress, ledger = before.run, before.progress, self._ledger
        self._client.trace = run.run_id
        ledger.tested.update(run.tested)
        ledger.masked.update(progress.masked)
        ledger.doubtful.update(progress.doubtful)
        ledger.negatives.update(run.negatives)
        ledger.add([*run.violations, *run.warnings], confirmed=True)
        self._judge.resume(run.served, run.interpretations, progress.interpretations)
        self._client.interference.update(run.interference)

    def judge(self) -> RunFinished:
        """Judge the target, telling the listeners; the last event is also returned."""
        plan = self._plan
        self._tell(
            RunStarted(
                plan.target.base_url, self._document.name, self._document.digest, plan.seed, plan.max_time
            )
        )
        if plan.night:
            self._keep()
        worker = threading.Thread(target=self._work, daemon=True)
        worker.start()
        try:
            self._join(worker)
        except KeyboardInterrupt:
            self._client.throttle.close("the run was interrupted")
            self._client.deadline = min(self._client.deadline, time.monotonic() + 1)
            self._join(worker)
        reached = self._client.deadline < math.inf
        if worker.is_alive() and reached:
            self._client.note_interference("an answer without end")
        elif worker.is_alive():
            self._inconclusive = f"{plan.target.base_url} could not be reached: it answers without end."
        self._client.deadline = 0.0
        if not self._plan.only and self._opinions.answers:
            self._opinions.ask(time.monotonic() + SHRINK_SECONDS)
        finished = self._finished()
        if plan.night:
            self._keep()
        if not worker.is_alive():
            self._client.close()
        self._tell(finished)
        self._listeners = ()  # what a hanging request still says is not heard
        return finished

    def _join(self, worker: threading.Thread) -> None:
        """Wait for the end; the deadline may move meanwhile."""
        worker.join(_FIRST_CONTACT)
        while worker.is_alive() and time.monotonic() < self._client.deadline + _GRACE < math.inf:
            worker.join(min(1.0, max(0.01, self._client.deadline + _GRACE - time.monotonic())))

    def _work(self) -> None:
        """Everything that sends requests; whatever fails, what was found before stands."""
        try:
            self._phase("first contact")
            self._inconclusive = self._preflight.first()
            if self._inconclusive is None:
                self._began = time.monotonic()
                self._client.throttle.reserve = self._reserve()
                self._client.deadline = self._began + max(self._plan.max_time, (self._plan.wait or 0) + 10)
                self._playing.constructed()
                if self._plan.night:
                    self._playing.rounds()
                else:
                    self._playing.explored()
                    self._playing.generated()
                self._playing.end()
                self._conclusion.compare_interpretations()
                self._playing.confirmation.end()
        except Exception as error:
            self._inconclusive = (
                f"The judge itself failed, which says nothing of the target: {describe(error)}."
            )

    def _reserve(self) -> int:
        """Requests that are kept for examples: a tenth of what may be sent."""
        most = self._plan.limits.requests
        return 0 if most is None else most // 10

    def _finished(self) -> RunFinished:
        """What the run proves if it ends now."""
        closed = self._client.throttle.closed
        why = closed and f"{closed[0].upper()}{closed[1:]}."
        ended = why or self._inconclusive or self._preflight.unreachable
        return self._conclusion.finished(time.monotonic() - self._began, self._preflight.prefix, ended)

    def _locate(self, method: str, url: str) -> tuple[str | None, str | None]:
        """The operation and the path template of a URL."""
        target = self._plan.target
        return self._document.locate(method, url, {target.base_url, target.ingress_url})

    def _phase(self, title: str) -> None:
        self._tell(PhaseStarted(title))

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if self._plan.night and now - self._kept > _KEEP:
            self._keep()
        if now - self._told < 0.25:
            return
        self._told = now
        ledger = self._ledger
        self._tell(
            Advanced(now - self._began, self._client.requests, len(ledger.violations), len(ledger.warnings))
        )

    def _keep(self) -> None:
        """Tell what there is so far."""
        run = replace(self._finished(), inconclusive="The run is not over, or was ended from outside.")
        ledger = self._ledger
        progress = replace(
            self._playing.progress,
            interpretations=dict(self._judge.model.taken),
            masked=dict(ledger.masked),
            doubtful=dict(ledger.doubtful),
        )
        self._tell(Checkpoint(run, progress))
        self._kept = time.monotonic()

    def _tell(self, event: Any) -> None:
        for listener in self._listeners:
            listener(event)


def describe(error: BaseException) -> str:
    """An exception in one line, with the place in the code where it came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {one_line(str(error))}{where}"


__all__ = ["ANYWHERE", "LONG", "Plan", "Run", "describe"]
