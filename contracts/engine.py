"""A run from beginning to end: what is tried in which order, what counts, and what it proves. Prints nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from . import strict_json
from .client import Client, TimeUp, Weather
from .document import LINKED, PUBLISHED, load, target_of
from .events import Advanced, Listener, PhaseStarted, RunFinished, RunStarted, SecondOpinions
from .exchange import Exchange, media
from .failures import Ledger
from .knowledge import Knowledge
from .rules import RULES
from .scenarios import SCENARIOS, Scenario, read_bodies
from .schemas import Shapes
from .stage import INGRESS, PUT, Judge, NotReached, Stage
from .target import Target

ANYWHERE = frozenset(rule for rule in RULES if rule.startswith("PAGE-") or rule in ("JSON-7", "AUTH-8"))
"""Rules that every exchange may break."""

_OF_THE_MODEL = frozenset(
    {"DEF-3", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-11", "LEASE-3", "LEASE-7", "LEASE-8"}
)
"""Rules that random walks may break."""

_OF_ONE_EXCHANGE = ANYWHERE | {rule for rule in RULES if rule.startswith(("AUTH-", "HTTP-", "JSON-"))}
"""Rules that generated requests may break."""

_FIRST_CONTACT = 13.0
"""Seconds that first contact may take, whatever the target does."""

_GRACE = 5.0
"""Seconds that the last request may go on after the time is up."""

_PATIENCE = 4.0
"""Seconds that a target may take to come back before a sequence is given up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to judge, and how long."""

    target: Target
    document: Path = PUBLISHED
    seed: int = 0
    max_time: float = 45.0
    """Seconds for everything after the first contact."""
    strict: bool = False
    only: frozenset[str] = frozenset()
    """Codes of the rules to listen to; empty for all."""


@dataclass(slots=True)
class _Opinions:
    """Asks openapi-core about every new (operation, status, shape), and about one in twenty of the rest."""

    knowledge: Knowledge
    asked: int = 0
    answers: int = 0
    differences: dict[str, None] = field(default_factory=dict)
    _seen: set[Any] = field(default_factory=set)
    _second: Any = None

    def hear(self, exchange: Exchange) -> None:
        """Ask, when it is time to, and compare with what our own validator says."""
        operation = self.knowledge.operation(exchange.operation)
        pointer = operation.answer(exchange.status) if operation else None
        if operation is None or pointer is None:
            return
        self.answers += 1
        shape = operation.label, exchange.status, exchange.got("content-type"), _shape(exchange.value(), 3)
        if shape in self._seen and self.answers % 20:
            return
        if len(self._seen) < 5_000:
            self._seen.add(shape)
        self.asked += 1
        ours = self._ours(exchange, pointer)
        if ours is None:
            return
        if self._second is None:
            from .conformance import SecondOpinion  # half a second of imports, which a short run may not need

            self._second = SecondOpinion(self.knowledge.document)
        base = self.knowledge.target.base_of(operation.path)
        theirs = self._second.refuses(exchange, target_of(exchange.url, base))
        if (theirs is None) != (ours == "") and len(self.differences) < 20:
            said = f"openapi-core {theirs or 'accepts it'}; ours {ours or 'accepts it'}"
            self.differences[f"{operation.label} {exchange.status}: {said}"] = None

    def _ours(self, exchange: Exchange, pointer: str) -> str | None:
        """What our validator says: nothing when it accepts, None when the two cannot be compared."""
        if media(exchange.got("content-type")) != "application/json":
            return None
        try:
            problems = self.knowledge.shapes.at(pointer).problems(exchange.read())
        except ValueError:
            return None
        return "; ".join(f"{problem.place}: {problem.expected}" for problem in problems)


def _shape(value: Any, depth: int) -> Any:
    if depth and isinstance(value, dict):
        return tuple(sorted((name, _shape(member, depth - 1)) for name, member in value.items()))
    if depth and isinstance(value, list):
        return ("list", *sorted({str(_shape(item, depth - 1)) for item in value}))
    return type(value).__name__


class Run:
    """One run against one target."""

    def __init__(self, plan: Plan, *listeners: Listener) -> None:
        document = load(plan.document)
        self._plan = plan
        self._listeners: tuple[Listener, ...] = listeners
        self._document = document
        self._known = Knowledge(document, Shapes(document.content), plan.target)
        self._ledger = Ledger(plan.only)
        self._judge = Judge(self._known, self._ledger)
        self._client = Client(plan.target, self._locate)
        self._opinions = _Opinions(self._known)
        self._judge.listeners.append(self._opinions.hear)
        self._judge.listeners.append(lambda _: self._tell_progress())
        self._random = Random(f"{plan.seed} {time.time_ns()}")  # names are fresh in every run
        self._name = f"{self._random.getrandbits(32):08x}"
        self._began = self._told = time.monotonic()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._inconclusive: str | None = None
        self._unreachable: str | None = None

    def judge(self) -> RunFinished:
        """Judge the target, telling the listeners; the last event is also returned."""
        plan = self._plan
        self._tell(
            RunStarted(
                plan.target.base_url, self._document.name, self._document.digest, plan.seed, plan.max_time
            )
        )
        worker = threading.Thread(target=self._work, daemon=True)
        worker.start()
        worker.join(_FIRST_CONTACT)
        reached = self._client.deadline < math.inf
        if reached:
            worker.join(max(0.0, self._client.deadline + _GRACE - time.monotonic()))
        if worker.is_alive() and reached:
            self._client.note_weather("an answer without end")
        elif worker.is_alive():
            self._inconclusive = f"{plan.target.base_url} could not be reached: it answers without end."
        self._client.deadline = 0.0
        finished = self._finished()
        self._tell(finished)
        self._listeners = ()  # what a hanging request still says is not heard
        return finished

    def _work(self) -> None:
        """Everything that sends requests; whatever fails, what was found before stands."""
        try:
            self._inconclusive = self._first_contact()
            if self._inconclusive is None:
                self._began = time.monotonic()
                self._client.deadline = self._began + self._plan.max_time
                self._constructed()
                self._generated()
        except Exception as error:
            self._inconclusive = (
                f"The judge itself failed, which says nothing of the target: {describe(error)}."
            )

    def _first_contact(self) -> str | None:
        """Why nothing can be judged, in one sentence; None when something can."""
        self._phase("first contact")
        self._client.timeout = 3.0
        said: list[str] = []
        for pause in (0.0, 0.5, 1.0):
            time.sleep(pause)
            try:
                stage = self._stage()
                stage.looks_into_refusals = False
                answers = [stage.put(stage.name()), stage.ingress(stage.name(), 1), stage.modack("1")]
                others = [
                    stage.put(stage.name(), org=org) for org in range(1, len(self._plan.target.credentials))
                ]
            except NotReached as why:
                return f"There is nothing to judge: {why}."
            except Weather as weather:
                said.append(str(weather))
                continue
            self._client.timeout = 10.0
            reason = self._nobody(answers) or self._strangers(answers[0], others)
            if reason:
                self._ledger.clear()
            return reason
        base = self._plan.target.base_url
        if said[-1].isdigit():
            return f"{base} answers nothing but {said[-1]}, which is a gateway or a limit and not the application."
        return f"{base} could not be reached: {said[-1]}."

    def _strangers(self, first: Exchange, others: list[Exchange]) -> str | None:
        """Which key is refused for its own organisation."""
        for credential, answer in zip(self._plan.target.credentials, (first, *others), strict=True):
            if answer.status == 401 or (answer is not first and answer.status == 403):
                return (
                    f"The target refuses the key ${credential.name} for organisation {credential.org}: "
                    f"its definitions are answered with {answer.status}."
                )
        return None

    def _nobody(self, answers: list[Exchange]) -> str | None:
        """Why these answers are not the application's, in one sentence; None when one of them is."""
        base, first = self._plan.target.base_url, answers[0]
        statuses = {answer.status for answer in answers}
        if statuses <= {401, 403}:
            key = self._plan.target.first.name
            return f"The target refuses the key ${key}: every operation is answered with {first.status}."
        if statuses <= {301, 302, 303, 307, 308}:
            where = first.got("location") or "nowhere"
            return f"{base} redirects everything to {where}: give the URL that answers itself."
        if statuses <= {404, 405, 501} and not any(answer.value() for answer in answers):
            return f"None of the operations is at {base}: every one is answered with {first.status}."
        return None

    def _constructed(self) -> None:
        self._play(Scenario("how a body is read", frozenset({"PAGE-9", "PAGE-10"}), read_bodies))
        for scenario in SCENARIOS:
            if self._over():
                self._mask(scenario.rules, "the time was up")
                continue
            if self._wanted(scenario.rules):
                self._phase(scenario.title)
                self._play(scenario)

    def _wanted(self, rules: frozenset[str]) -> bool:
        only = self._plan.only
        return not only or bool(only & (rules | ANYWHERE))

    def _over(self) -> bool:
        late = time.monotonic() > self._client.deadline
        return late or self._ledger.settled or self._unreachable is not None

    def _play(self, scenario: Scenario) -> None:
        """Play a sequence; what the model finds counts when it is found again from a fresh beginning."""
        stage = self._played(scenario)
        if stage is None or not stage.findings:
            return
        found = {finding.key: finding for finding in stage.findings}
        again = self._played(scenario) or self._played(scenario)
        if again is None:
            self._ledger.doubtful.update(
                dict.fromkeys((key[0] for key in found), "it was broken, and could not be tried again")
            )
            return
        confirmed = [finding for finding in again.findings if finding.key in found]
        self._ledger.add(confirmed)
        for rule, *_ in found.keys() - {finding.key for finding in confirmed}:
            late = time.monotonic() > self._client.deadline
            self._ledger.doubtful[rule] = (
                "it was broken, and there was no time to try again"
                if late
                else "it was broken once and kept when tried again"
            )

    def _played(self, scenario: Scenario) -> Stage | None:
        """The stage after a sequence that no weather disturbed; None when there was no such."""
        reason = ""
        for _ in range(4):
            stage = self._stage()
            try:
                scenario.play(stage)
            except Weather as weather:
                reason = str(weather)
                if not self._wait():
                    break
                continue
            except NotReached as why:
                self._mask(scenario.rules, str(why))
            except TimeUp:
                self._mask(scenario.rules, "the time was up")
            return stage
        self._mask(scenario.rules, f"weather: {reason}")
        return None

    def _wait(self) -> bool:
        """Wait until the target answers again; False when it does not."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            time.sleep(0.2)
            try:
                self._client.send("GET", "/v1/modack")
            except Weather:
                continue
            except TimeUp:
                return False
            return True
        self._unreachable = f"{self._plan.target.base_url} went away during the run and did not come back."
        return False

    def _generated(self) -> None:
        """Random walks for a quarter of what is left, then Schemathesis for the rest."""
        if self._over():
            return
        from .fuzzing import fuzz
        from .hooks import Aim
        from .machine import no_traces, walk

        with no_traces():
            self._phase("random walks against the model")
            left = self._client.deadline - time.monotonic()
            if self._wanted(_OF_THE_MODEL):
                self._ledger.add(walk(self._stage, self._plan.seed, min(left / 4, 20.0)))
            if self._over() or not self._wanted(_OF_ONE_EXCHANGE):
                return
            aim = Aim(self._client, self._judge, f"contract.{self._name}")
            stage = self._stage()
            with suppress(NotReached, Weather, TimeUp):  # then requests are aimed at what there is
                aim.variant = stage.define()
                aim.action = stage.live()
            content: Mapping[str, Any] = self._document.content
            if self._plan.document == PUBLISHED and LINKED.exists():
                linked = load(LINKED).content  # of which only what is published is asked for
                content = {**linked, "paths": {path: linked["paths"][path] for path in content["paths"]}}
            fuzz(content, aim, self._plan.seed, self._client.deadline, self._phase, self._over)

    def _too_little(self) -> str | None:
        """Why a run without a finding proves too little, in one sentence."""
        if self._inconclusive or self._unreachable:
            return self._inconclusive or self._unreachable
        lost, sent = sum(self._client.weather.values()), self._client.requests
        if lost > sent / 3:
            worst = max(self._client.weather, key=lambda reason: self._client.weather[reason])
            return f"{lost} of {sent} requests met no answer of the application, most often: {worst}."
        if self._plan.only:
            untested = sorted(rule for rule in self._plan.only if not self._ledger.tested[rule])
            return f"{', '.join(untested)} could not be put to the test." if untested else None
        for label, what in ((PUT, "definition"), (INGRESS, "work")):
            if not self._judge.served.get(label):
                return f"Too little was verified: no {what} was accepted ({label} never answered 200)."
        return None

    def _finished(self) -> RunFinished:
        plan, ledger = self._plan, self._ledger
        inconclusive = self._too_little()
        wanted = [rule for rule in RULES if not plan.only or rule in plan.only]
        why = inconclusive or "no answer put it to the test"
        opinions = self._opinions
        broken = {finding.rule for finding in (*ledger.violations, *ledger.warnings)}
        return RunFinished(
            target=plan.target.base_url,
            document=self._document.name,
            digest=self._document.digest,
            seed=plan.seed,
            started=self._started,
            seconds=round(time.monotonic() - self._began, 1),
            requests=self._client.requests,
            served={label: self._judge.served.get(label, 0) for label in self._document.operations},
            violations=tuple(ledger.violations),
            warnings=tuple(ledger.warnings),
            readings=dict(sorted(self._known.readings.items())),
            not_verified={
                rule: ledger.doubtful.get(rule) or ledger.masked.get(rule, why)
                for rule in wanted
                if (rule in ledger.doubtful or not ledger.tested[rule]) and rule not in broken
            },
            tested={
                rule: ledger.tested[rule]
                for rule in wanted
                if ledger.tested[rule] and rule not in ledger.doubtful
            },
            weather=dict(list(self._client.weather.items())),
            opinions=SecondOpinions(opinions.asked, opinions.answers, tuple(opinions.differences)),
            inconclusive=inconclusive,
            strict=plan.strict,
            secrets=dict(plan.target.secrets),
        )

    def _stage(self) -> Stage:
        return Stage(self._client, self._judge, self._random, f"contract.{self._name}")

    def _locate(self, method: str, url: str) -> tuple[str | None, str | None]:
        """The operation and the path template of a URL."""
        bases = {self._plan.target.base_url, self._plan.target.ingress_url}
        for base in sorted(bases, key=len, reverse=True):
            parts, prefix = urlsplit(url), urlsplit(base)
            if parts.netloc == prefix.netloc and parts.path.startswith(f"{prefix.path}/"):
                path = self._document.path_of(target_of(url, base))
                label = f"{method} {path}"
                if path is not None:
                    return (label if label in self._document.operations else None), path
        return None, None

    def _mask(self, rules: frozenset[str], why: str) -> None:
        for rule in rules:
            self._ledger.masked.setdefault(rule, why)

    def _phase(self, title: str) -> None:
        self._tell(PhaseStarted(title))

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if now - self._told < 0.25:
            return
        self._told = now
        ledger = self._ledger
        self._tell(
            Advanced(now - self._began, self._client.requests, len(ledger.violations), len(ledger.warnings))
        )

    def _tell(self, event: Any) -> None:
        for listener in self._listeners:
            listener(event)


def describe(error: BaseException) -> str:
    """An exception in one line, with the place in the code where it came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {strict_json.excerpt(str(error))}{where}"


__all__ = ["Plan", "Run", "describe"]
