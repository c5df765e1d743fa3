"""A run from beginning to end: what is tried in which order, what counts, and what it proves. Prints nothing."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from . import strict_json
from .client import TOO_SLOW, Client, Request, TimeUp, Weather
from .document import LINKED, PUBLISHED, load, target_of
from .events import Advanced, Found, Listener, PhaseStarted, RunFinished, RunStarted, SecondOpinions
from .exchange import Exchange
from .failures import Finding, Ledger
from .judge import Judge, finding_of
from .knowledge import Knowledge
from .model import Breach
from .opinions import Opinions
from .replay import Replay, hasty
from .rules import RULES
from .scenarios import SCENARIOS, Scenario, leases, requests
from .schemas import Shapes
from .stage import INGRESS, PUT, NotReached, Stage
from .target import Target

ANYWHERE = frozenset(
    rule
    for rule in RULES
    if rule.startswith(("PAGE-", "SAFE-")) or rule in ("JSON-7", "JSON-9", "AUTH-8", "HTTP-6", "HTTP-9")
)
"""Rules that every exchange may break."""

OF_STATE = frozenset(
    {
        *("DEF-2", "DEF-3", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "ORG-1", "READ-1"),
        *("LEASE-3", "LEASE-6", "LEASE-7", "LEASE-8"),
    }
)
"""Rules that sequences of plain calls may break."""

_OF_ONE_EXCHANGE = ANYWHERE | {rule for rule in RULES if rule.startswith(("AUTH-", "HTTP-", "JSON-"))}
"""Rules that generated requests may break."""

_FIRST_CONTACT = 13.0
"""Seconds that first contact may take, whatever the target does."""

_GRACE = 5.0
"""Seconds that the last request may go on after the time is up."""

_POLISH = 2.0
"""Seconds that go into shorter examples when the time is up."""

_LONGEST = 500
"""Exchanges of a sequence that is played once more when what it found does not show by itself."""

_LONG_PAUSE = 20.0
"""Seconds that are not let go by a second time: what shows twice after them counts."""

LONG = 75.0
"""Seconds after which the leases that every destination has, of a minute, have run out."""

_ALWAYS = frozenset({"how a body is read"})
"""Titles of sequences that others build on."""

_PATIENCE = 4.0
"""Seconds that a target may take to come back before a sequence is given up."""


@dataclass(slots=True)
class _Pending:
    """A sequence that goes on when its time has come."""

    due: float
    scenario: Scenario
    stage: Stage
    steps: Iterator[float]
    again: bool
    seconds: float
    suspects: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to judge, and how long."""

    target: Target
    document: Path = PUBLISHED
    seed: int = 0
    max_time: float = 25.0
    """Seconds for everything after the first contact."""
    strict: bool = False
    only: frozenset[str] = frozenset()
    """Codes of the rules to listen to; empty for all."""
    wait: float | None = None
    """Seconds that leases are given to run out; without them only leases of a second are waited for."""


class Run:
    """One run against one target."""

    def __init__(self, plan: Plan, *listeners: Listener) -> None:
        document = load(plan.document)
        self._plan = plan
        self._listeners: tuple[Listener, ...] = listeners
        self._document = document
        self._known = Knowledge(document, Shapes(document.content), plan.target)
        self._ledger = Ledger(
            plan.only, heard=lambda finding: self._tell(Found(finding)), secrets=plan.target.secrets
        )
        self._judge = Judge(self._known, self._ledger)
        self._client = Client(plan.target, self._locate)
        self._pending: list[_Pending] = []
        self._asked_again = False
        self._unsure: set[tuple[Scenario | None, tuple[str, str]]] = set()
        self._tried: Counter[tuple[str, str]] = Counter()
        self._opinions = Opinions(self._known)
        self._judge.listeners.append(self._opinions.hear)
        self._judge.listeners.append(lambda _: self._tell_progress())
        self._random = Random(f"{plan.seed} {time.time_ns()}")  # names are fresh in every run
        self._known.prefix = "contract"
        self._prefix = f"contract.{self._random.getrandbits(32):08x}."
        self._replay = Replay(self._client, self._judge, self._prefix)
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
        if not self._plan.only and self._opinions.answers:
            self._opinions.ask(time.monotonic() + _POLISH)
        finished = self._finished()
        if not worker.is_alive():
            self._client.close()
        self._tell(finished)
        self._listeners = ()  # what a hanging request still says is not heard
        return finished

    def _work(self) -> None:
        """Everything that sends requests; whatever fails, what was found before stands."""
        try:
            self._inconclusive = self._first_contact()
            if self._inconclusive is None:
                self._began = time.monotonic()
                self._client.deadline = self._began + max(self._plan.max_time, (self._plan.wait or 0) + 10)
                self._constructed()
                self._explored()
                self._generated()
                self._resume(last=True)
                self._give_up(*self._pending)
                self._polish()
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
                answers = [self._first_definition(stage)]
                with suppress(Weather):  # of one operation alone, which is looked into
                    answers.append(stage.ingress(stage.name()))
                with suppress(Weather):
                    answers.append(stage.modack("1"))
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
            self._judge.suspects.clear()
            return reason
        base = self._plan.target.base_url
        if said[-1].isdigit():
            return f"{base} answers nothing but {said[-1]}, which is a gateway or a limit and not the application."
        return f"{base} could not be reached: {said[-1]}."

    def _first_definition(self, stage: Stage) -> Exchange:
        """A definition; under a name without dots if names with dots are refused, which is a broken promise (B057)."""
        dotted = stage.put(stage.name())
        if dotted.data() or dotted.status not in (400, 409, 422):
            return dotted
        stage.prefix = self._prefix.replace(".", "-")
        plain = stage.put(stage.name())
        if plain.data():
            self._prefix = stage.prefix
            self._replay = Replay(self._client, self._judge, self._prefix)
            title = "A definition whose variant has dots is refused, and one without dots is not"
            breach = Breach("PAGE-11", title, "200, as dots are a convention", str(dotted.status), "variant")
            self._ledger.add([finding_of(breach, dotted, (dotted,))])
        return plain

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
            where = self._known.shown(first.got("location") or "nowhere")
            return f"{base} redirects everything to {where}: give the URL that answers itself."
        if statuses <= {404, 405, 501} and not any(answer.value() for answer in answers):
            return f"None of the operations is at {base}: every one is answered with {first.status}."
        return None

    def _constructed(self) -> None:
        for scenario in self._scenarios():
            if self._over():
                self._mask(scenario.rules, str(TimeUp()))
                continue
            if scenario.title in _ALWAYS or self._wanted(scenario.rules):
                self._phase(scenario.title)
                self._play(scenario)
            self._resume()
            self._ask_slow_again()
        if self._plan.only:
            self._resume(last=True)

    def _ask_slow_again(self) -> None:
        """Once, and as soon as something was slow, since that makes the run short of time."""
        if self._judge.slow and not self._asked_again:
            self._asked_again = True
            self._play(requests.slow)

    def _scenarios(self) -> Iterator[Scenario]:
        for number, scenario in enumerate(SCENARIOS):
            if number == 1 and (self._plan.wait or self._plan.target.admin):
                yield leases.long_leases
            yield scenario

    def _wanted(self, rules: frozenset[str]) -> bool:
        only = self._plan.only
        return not only or bool(only & (rules | ANYWHERE))

    def _over(self) -> bool:
        late = time.monotonic() > self._client.deadline
        return late or self._ledger.settled or self._unreachable is not None

    def _play(self, scenario: Scenario, *, again: bool = False) -> None:
        """Play a sequence, from the beginning as often as weather disturbs it."""
        reason = ""
        for _ in range(4):
            stage = self._stage()
            stage.careful = again
            try:
                steps = scenario.play(stage)
                if steps is not None:
                    seconds = next(steps)
                    pending = _Pending(time.monotonic() + seconds, scenario, stage, steps, again, seconds)
                    pending.suspects = self._judge.take()
                    self._pending.append(pending)
                    if self._plan.target.admin is not None:
                        self._resume()
                    return
            except Weather as weather:
                again_slow, reason = reason == str(weather) == TOO_SLOW, str(weather)
                self._judge.suspects.clear()
                self._ask_slow_again()
                if again_slow or not self._wait():
                    break
                continue
            except (NotReached, TimeUp) as why:
                self._mask(scenario.rules, str(why))
            self._settle(scenario, stage.exchanges, again=again)
            return
        self._mask(scenario.rules, f"weather: {reason}")

    def _resume(self, *, last: bool = False) -> None:
        """Go on with the sequences whose time has come; at the end all are waited for."""
        while self._pending:
            pending = min(self._pending, key=lambda one: one.due)
            moved = self._plan.target.admin is not None
            left = max(0.0, pending.due - time.monotonic())
            too_early = left > 0 and not (last or moved)
            if too_early or self._ledger.settled or (self._over() and not self._plan.only):
                return
            if not moved and time.monotonic() + left > self._client.deadline:
                self._mask(pending.scenario.rules, str(TimeUp()))
                return
            self._pending.remove(pending)
            self._phase(pending.scenario.title)
            try:
                self._client.wait(pending.seconds if moved else left)
            except (Weather, TimeUp) as why:
                self._mask(pending.scenario.rules, str(why))
                self._give_up(pending)
                return
            pending.stage.waited += pending.seconds
            self._go_on(pending)

    def _give_up(self, *sequences: _Pending) -> None:
        """What sequences had found that were not played to their end is written down."""
        for pending in sequences:
            for finding in pending.suspects:
                self._ledger.doubtful[finding.rule] = "it was broken, and there was no time to try again"

    def _go_on(self, pending: _Pending) -> None:
        scenario, stage = pending.scenario, pending.stage
        try:
            seconds = next(pending.steps, None)
            if seconds is not None:
                pending.due, pending.seconds = time.monotonic() + seconds, seconds
                pending.suspects += self._judge.take()
                self._pending.append(pending)
                return
        except (Weather, NotReached, TimeUp) as why:
            self._mask(scenario.rules, str(why))
        self._judge.suspects += pending.suspects
        self._settle(scenario, stage.exchanges, again=pending.again)

    def _settle(self, scenario: Scenario | None, whole: Sequence[Exchange], *, again: bool = False) -> None:
        """What the model did not allow counts when it is found again from a fresh beginning."""
        suspects: dict[tuple[str, str], Finding] = {}
        taken = sorted(self._judge.take(), key=lambda one: one.exchanges[-1].call)
        for finding in taken:
            suspects.setdefault(finding.key, finding)
        often = Counter(finding.key for finding in taken)
        known = {finding.key for finding in self._ledger.all()}
        unsure = []
        for key, finding in suspects.items():
            unwanted = self._plan.only and finding.rule not in self._plan.only
            if key in known or unwanted or self._ledger.explains(finding.rule):
                continue
            if often[key] > 1 and finding.exchanges[-1].waited - finding.exchanges[0].waited > _LONG_PAUSE:
                self._ledger.add([finding])
                continue
            self._tried[key] += 1
            try:
                replays = not finding.staged and self._tried[key] <= 3
                confirmed = self._replay.confirm(finding, whole) if replays else None
            except (Weather, TimeUp) as why:
                self._ledger.doubtful[finding.rule] = f"it was broken, and could not be tried again: {why}"
                continue
            if confirmed is not None:
                self._ledger.add([confirmed])
            elif again and (scenario, key) in self._unsure and self._stands(finding):
                self._ledger.add([finding])
            else:
                unsure.append(finding.rule)
                if hasty(finding):
                    self._judge.unlearn(finding.question or "")
        if unsure and scenario is not None and not again and len(whole) <= _LONGEST:
            self._unsure |= {(scenario, key) for key in suspects}
            self._play(scenario, again=True)
        broken = {finding.rule for finding in self._ledger.all()}
        for rule in unsure:
            if rule not in broken:
                self._ledger.doubtful[rule] = "it was broken once and kept when tried again"

    def _stands(self, finding: Finding) -> bool:
        """Whether it counts when its sequence shows it a second time, although a replay does not."""
        return finding.staged or not (hasty(finding) or finding.key in self._replay.excused)

    def _polish(self) -> None:
        """Find a shorter way to what single exchanges have shown."""
        self._phase("shorter examples")
        until = time.monotonic() + _POLISH
        self._client.deadline = max(self._client.deadline, until)
        for finding in self._ledger.all():
            if (
                time.monotonic() > until
                or finding.rule == "AUTH-1"  # which looks into refusals first
                or finding.together
                or finding.staged
                or len({one.waited for one in finding.exchanges}) > 1
            ):
                continue
            with suppress(Weather, TimeUp):
                better = self._replay.shorter(finding) or self._replay.often(finding)
                if better is not None:
                    self._ledger.put(better)

    def _wait(self) -> bool:
        """Wait until the target answers again; False when it does not."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            time.sleep(0.2)
            try:
                self._client.send(Request("GET", "/v1/modack"))
            except Weather:
                continue
            except TimeUp:
                return False
            return True
        self._unreachable = f"{self._plan.target.base_url} went away during the run and did not come back."
        return False

    def _explored(self) -> None:
        """Every short sequence of plain calls, then long random ones."""
        if self._over() or not self._wanted(OF_STATE):
            return
        from .machine import short_walks, walks

        for title, source, share in (
            ("every short sequence", short_walks(), 0.3),
            ("random walks against the model", walks(self._plan.seed), 0.35),
        ):
            until = time.monotonic() + share * (self._client.deadline - time.monotonic())
            self._phase(title)
            for walk in source:
                if time.monotonic() > until or self._over():
                    break
                stage = self._stage()
                try:
                    walk(stage)
                except Weather:
                    self._judge.suspects.clear()
                    if not self._wait():
                        return
                    continue
                except NotReached:
                    continue
                except TimeUp:
                    return
                if self._judge.suspects:
                    self._settle(None, stage.exchanges)
            self._resume()

    def _generated(self) -> None:
        """Schemathesis for the rest of the time."""
        if self._over() or not self._wanted(_OF_ONE_EXCHANGE):
            return
        from .fuzzing import fuzz
        from .hooks import Aim
        from .machine import no_traces

        with no_traces():
            aim = Aim(self._client, self._judge, self._prefix)
            stage = self._stage()
            with suppress(NotReached, Weather, TimeUp):  # then requests are aimed at what there is
                aim.variant = stage.define()
                aim.action = stage.live()
            content: Mapping[str, Any] = self._document.content
            if self._plan.document == PUBLISHED and LINKED.exists():
                linked = load(LINKED).content  # of which only what is published is asked for
                content = {**linked, "paths": {path: linked["paths"][path] for path in content["paths"]}}
            fuzz(content, aim, self._plan.seed, self._client.deadline - _POLISH, self._phase, self._over)
        self._settle(None, ())

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
            negatives=dict(ledger.negatives),
            ingress=plan.target.ingress_url,
            keys=tuple((one.org, one.name) for one in plan.target.credentials),
            run=self._client.trace,
        )

    def _stage(self) -> Stage:
        stage = Stage(self._client, self._judge, self._random, self._prefix)
        stage.patience = 2.0 if self._plan.only else 1.0
        stage.long = self._plan.wait or LONG
        return stage

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
