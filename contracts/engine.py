"""A run from beginning to end: what is tried in which order, what counts, and what it proves. Prints nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from . import strict_json
from .baseline import Known, told
from .client import TOO_SLOW, Client, Request, TimeUp, Weather
from .document import LINKED, PUBLISHED, load
from .events import (
    Advanced,
    Found,
    Kept,
    Listener,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
    SecondOpinions,
)
from .exchange import Exchange
from .failures import Finding, Ledger
from .judge import Judge, finding_of
from .knowledge import Knowledge
from .model import MAY_PASS, Breach
from .opinions import Opinions
from .pace import Limits
from .proof import Proof
from .replay import Replay
from .rules import RULES
from .scenarios import SCENARIOS, Scenario, leases, requests
from .schemas import Shapes
from .stage import INGRESS, PUT, Manners, NotReached, Stage
from .target import Target

if TYPE_CHECKING:
    from .machine import Walk

ANYWHERE = frozenset(
    rule
    for rule in RULES
    if rule.startswith(("PAGE-", "SAFE-"))
    or rule in ("JSON-7", "JSON-9", "AUTH-8", "HTTP-6", "HTTP-9", "READ-2")
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

_ATTEST = 2.0
"""Seconds in which every finding is tried again when the time is up."""

LONG = 75.0
"""Seconds after which the leases that every destination has, of a minute, have run out."""

_SHORT, _RANDOM = "every short sequence", "random walks against the model"

_ROUND = 60.0
"""Seconds of random sequences, and of generated requests, before it is the others' turn."""

_KEEP = 0.5
"""Seconds after which what there is so far is told."""

_ALWAYS = frozenset({"how a body is read"})
"""Titles of sequences that others build on."""

_MAY_NOT = (401, 403, 404, 405, 501)
"""Statuses by which a key is told that it may not put definitions, or that nobody may."""

_PATIENCE = 4.0
"""Seconds that a target may take to come back before a sequence is given up."""

_LONG_PATIENCE = 1_800.0
"""The same for a night, in which somebody may deploy."""


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
    turns: int = 2
    """Sequences that are played before it goes on, where time is no measure."""


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
    slot: str = ""
    """Names the definitions of a run, which runs of the same slot use again; empty for fresh names in each run."""
    limits: Limits = field(default_factory=Limits)
    intrusive: bool = True
    """Large, deep and slow requests, and many at the same moment, are in order."""
    steady: bool = False
    """The same requests in each run against the same target, however fast it is."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Variant that exists → a payload that it takes, for a key that may not put definitions."""
    min_verified: float = 0.0
    """Percent of the rules that have to be put to the test before a run can be green."""
    baseline: tuple[Known, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    """Open question → the reading that another one is a warning for."""
    night: bool = False
    """Go on with random sequences and generated requests, round after round, until the time is up."""
    before: Kept | None = None
    """What an earlier part of the run has left."""


class Run:
    """One run against one target."""

    def __init__(self, plan: Plan, *listeners: Listener) -> None:
        document = load(plan.document)
        started = datetime.now(UTC)
        self._started, self._today = started.isoformat(timespec="seconds"), started.date()
        self._plan = plan
        self._listeners: tuple[Listener, ...] = listeners
        self._document = document
        self._known = Knowledge(document, Shapes(document.content), plan.target)
        self._ledger = Ledger(
            plan.only, heard=lambda finding: self._tell(Found(finding)), secrets=plan.target.secrets
        )
        self._judge = Judge(self._known, self._ledger)
        self._client = Client(plan.target, self._locate, plan.limits)
        self._pending: list[_Pending] = []
        self._asked_again = False
        self._opinions = Opinions(self._known)
        self._judge.listeners.append(self._opinions.hear)
        self._judge.listeners.append(lambda _: self._tell_progress())
        self._random = Random(plan.seed if plan.steady else f"{plan.seed} {time.time_ns()}")
        self._known.prefix = "contract"
        self._known.declared = plan.declared
        self._prefix = f"contract.{plan.slot or f'{self._random.getrandbits(32):08x}'}."
        self._proof = self._prover()
        self._began = self._told = time.monotonic()
        self._inconclusive: str | None = None
        self._unreachable: str | None = None
        self._interrupted = False
        self._drops = 0
        self._canary: Request | None = None
        """The definition that was put at first contact."""
        self._progress = Progress()
        self._kept = -math.inf
        if plan.before is not None:
            self._remember(plan.before)

    def _remember(self, before: Kept) -> None:
        """Begin where an earlier part of the run has ended."""
        run, progress, ledger = before.run, before.progress, self._ledger
        self._progress, self._started, self._client.trace = progress, run.started, run.run
        ledger.tested.update(run.tested)
        ledger.masked.update(progress.masked)
        ledger.doubtful.update(progress.doubtful)
        ledger.negatives.update(run.negatives)
        ledger.add([*run.violations, *run.warnings], proven=True)
        self._judge.model.taken.update(progress.readings)
        self._judge.served.update(run.served)
        self._known.readings.update(run.readings)
        self._client.weather.update(run.weather)

    def _prover(self) -> Proof:
        excused = {one.id for one in self._plan.baseline if one.expires >= self._today}
        replay = Replay(self._client, self._judge, self._prefix, slot=bool(self._plan.slot))
        replay.thrifty = self._plan.limits.requests is not None
        return Proof(
            replay,
            self._judge,
            self._ledger,
            excused,
            self._begun_anew,
            lambda: self._wait() and self._lost_all(),
        )

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
            self._interrupted = True
            self._client.pace.close("the run was interrupted")
            self._client.deadline = min(self._client.deadline, time.monotonic() + 1)
            self._join(worker)
        reached = self._client.deadline < math.inf
        if worker.is_alive() and reached:
            self._client.note_weather("an answer without end")
        elif worker.is_alive():
            self._inconclusive = f"{plan.target.base_url} could not be reached: it answers without end."
        self._client.deadline = 0.0
        if not self._plan.only and self._opinions.answers:
            self._opinions.ask(time.monotonic() + _POLISH)
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
            self._inconclusive = self._first_contact()
            if self._inconclusive is None:
                self._began = time.monotonic()
                self._client.pace.reserve = self._reserve()
                self._client.deadline = self._began + max(self._plan.max_time, (self._plan.wait or 0) + 10)
                self._constructed()
                if self._plan.night:
                    self._rounds()
                else:
                    self._explored()
                    self._generated()
                self._resume(last=True)
                self._give_up(*self._pending)
                self._polish()
                self._expected()
                self._proof.end()
        except Exception as error:
            self._inconclusive = (
                f"The judge itself failed, which says nothing of the target: {describe(error)}."
            )

    def _reserve(self) -> int:
        """Requests that are kept for examples: a tenth of what may be sent."""
        most = self._plan.limits.requests
        return 0 if most is None else most // 10

    def _first_contact(self) -> str | None:
        """Why nothing can be judged, in one sentence; None when something can."""
        self._phase("first contact")
        self._client.timeout = 3.0
        said: list[str] = []
        for pause in (0.0, 0.5, 1.0):
            time.sleep(pause)
            served = None
            try:
                stage = self._stage()
                stage.looks_into_refusals = False
                answers = [self._first_definition(stage)]
                with suppress(Weather):  # of one operation alone, which is looked into
                    answers.append(stage.ingress(stage.name("unknown")))
                    served = self._served_at_first(stage, answers[0])
                with suppress(Weather):
                    answers.append(stage.modack("1"))
                others = [
                    stage.put(f"{stage.prefix}plain0" if stage.slot else stage.name(), org=org)
                    for org in range(1, len(self._plan.target.credentials))
                ]
            except NotReached as why:
                return f"There is nothing to judge: {why}."
            except Weather as weather:
                said.append(str(weather))
                continue
            self._client.timeout = 10.0
            self._known.puts_refused = not answers[0].data() and answers[0].status in _MAY_NOT
            reason = self._nobody(answers) or self._strangers(answers[0], others)
            self._client.yardstick = self._request_of(served or answers[-1])
            self._canary = self._request_of(answers[0]) if served and answers[0].data() else None
            if reason:
                self._ledger.clear()
            self._judge.suspects.clear()
            return reason
        base = self._plan.target.base_url
        if said[-1].isdigit():
            return f"{base} answers nothing but {said[-1]}, which is a gateway or a limit and not the application."
        return f"{base} could not be reached: {said[-1]}."

    def _served_at_first(self, stage: Stage, defined: Exchange) -> Exchange | None:
        """Work for the first definition, or for a declared one, which is served as long as the target knows it."""
        variant = defined.data().get("variant") or next(iter(self._known.declared), None)
        exchange = None if variant is None else stage.ingress(str(variant))
        return exchange if exchange is not None and exchange.status == 200 else None

    def _first_definition(self, stage: Stage) -> Exchange:
        """A definition; under a name without dots if names with dots are refused, which is a broken promise (B057)."""
        dotted = stage.put(stage.name("plain"))
        if dotted.data() or dotted.status not in (400, 409, 422):
            return dotted
        stage.prefix = self._prefix.replace(".", "-")
        plain = stage.put(stage.name("plain"))
        if plain.data():
            self._prefix = stage.prefix
            self._proof = self._prover()
            title = "A definition whose variant has dots is refused, and one without dots is not"
            breach = Breach("PAGE-11", title, "200, as dots are a convention", str(dotted.status), "variant")
            finding = finding_of(breach, dotted, (dotted,))
            self._ledger.add([replace(finding, staged=True, shown=1, tried=1)])
        return plain

    def _strangers(self, first: Exchange, others: list[Exchange]) -> str | None:
        """Which key is refused for its own organisation."""
        for credential, answer in zip(self._plan.target.credentials, (first, *others), strict=True):
            if answer.status == 401 or (answer is not first and answer.status == 403 != first.status):
                return (
                    f"The target refuses the key ${credential.name} for organisation {credential.org}: "
                    f"its definitions are answered with {answer.status}."
                )
        return None

    def _request_of(self, one: Exchange) -> Request:
        return Request(one.method, self._known.path_of(one.url), one.headers, one.body)

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
            if scenario.title in self._progress.done and scenario.title not in _ALWAYS:
                continue
            if self._over():
                self._mask(scenario.rules, str(self._up()))
                continue
            if scenario.title in _ALWAYS or self._wanted(scenario.rules):
                self._phase(scenario.title)
                self._play(scenario)
                self._done(scenario)
            for pending in self._pending:
                pending.turns -= 1
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
        late = time.monotonic() > self._client.deadline or self._client.pace.spent is not None
        return late or self._ledger.settled or self._unreachable is not None

    def _up(self) -> TimeUp:
        why = self._client.pace.spent
        return TimeUp() if why is None else TimeUp(why)

    def _play(self, scenario: Scenario, *, again: bool = False) -> None:
        """Play a sequence, from the beginning as often as weather disturbs it."""
        reason = ""
        for _ in range(4):
            stage = self._stage()
            stage.careful, stage.scope = again, scenario.initials
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
                self._lost_all()
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
            early = pending.turns > 0 if self._plan.limits.requests is not None else left > 0
            too_early = early and not (last or moved)
            if too_early or self._ledger.settled or (self._over() and not self._plan.only):
                return
            if not moved and time.monotonic() + left > self._client.deadline:
                self._mask(pending.scenario.rules, str(self._up()))
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
                pending.due, pending.seconds, pending.turns = time.monotonic() + seconds, seconds, 2
                pending.suspects += self._judge.take()
                self._pending.append(pending)
                return
        except (Weather, NotReached, TimeUp) as why:
            self._mask(scenario.rules, str(why))
        self._judge.suspects += pending.suspects
        self._settle(scenario, stage.exchanges, again=pending.again)
        self._done(scenario)

    def _done(self, scenario: Scenario) -> None:
        """Remember that a sequence is over, unless it waits for something or was cut short."""
        waits = any(one.scenario is scenario for one in self._pending)
        if not (self._over() or waits or scenario.title in self._progress.done):
            self._progress = replace(self._progress, done=(*self._progress.done, scenario.title))

    def _settle(self, scenario: Scenario | None, whole: Sequence[Exchange], *, again: bool = False) -> None:
        self._proof.prove()
        if self._proof.settle(scenario, whole, again=again) and scenario is not None:
            self._play(scenario, again=True)

    def _polish(self) -> None:
        """Every finding again, and shorter examples: with what was kept for them of time and requests."""
        self._phase("every finding again")
        self._client.pace.reserve = 0
        self._client.deadline = max(self._client.deadline, time.monotonic() + _POLISH + _ATTEST)
        self._proof.prove()
        self._proof.attest(math.inf if self._plan.steady else _ATTEST)
        self._proof.polish(math.inf if self._plan.steady else _POLISH)

    def _begun_anew(self) -> bool:
        """Whether the target has closed a connection since somebody asked, and has forgotten what it knew."""
        drops, self._drops = self._drops, self._client.drops
        return drops != self._drops and self._lost_all()

    def _lost_all(self) -> bool:
        """Whether what was served at first contact is refused; then the model begins anew too."""
        canary = self._client.yardstick
        if canary is None or not self._canary:
            return False
        with suppress(Weather, TimeUp):
            if self._client.send(canary).status in MAY_PASS:
                self._judge.model.start_again()
                self._client.send(self._canary)
                return True
        return False

    def _wait(self) -> bool:
        """Wait until the target answers again; False when it does not."""
        until = time.monotonic() + (_LONG_PATIENCE if self._plan.night else _PATIENCE)
        pause = 0.2
        while time.monotonic() < min(until, self._client.deadline):
            time.sleep(pause)
            pause = min(1.2 * pause, 10.0)
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

        self._walk(_SHORT, short_walks(), 0.3)
        self._walk(_RANDOM, walks(self._plan.seed), 0.35)

    def _walk(self, title: str, source: Iterable[Walk], share: float, most: float = math.inf) -> None:
        """Walk after walk, for a share of what is left of time and requests."""
        until = time.monotonic() + min(most, share * (self._client.deadline - time.monotonic()))
        enough = self._client.requests + share * self._client.pace.left
        self._phase(title)
        for walk in source:
            late = time.monotonic() > until and not self._plan.steady
            if late or self._client.requests > enough or self._over():
                break
            stage = self._stage()
            stage.scope = "w"
            try:
                walk(stage)
            except Weather:
                self._judge.suspects.clear()
                if not self._wait():
                    return
                self._lost_all()
                continue
            except NotReached:
                continue
            except TimeUp:
                return
            if self._judge.suspects or self._ledger.unproven:
                self._settle(None, stage.exchanges)
        self._resume()

    def _generated(self) -> None:
        """Schemathesis for the rest of the time."""
        if not self._over() and self._wanted(_OF_ONE_EXCHANGE):
            self._fuzz(self._plan.seed, self._client.deadline - _POLISH)

    def _rounds(self) -> None:
        """Random sequences and generated requests in turns, none of them twice, as long as there is time."""
        from .machine import walks

        while not self._over():
            number = self._progress.rounds
            self._progress = replace(self._progress, rounds=number + 1)
            seed = self._plan.seed + 1_000 * (number + 1)
            self._walk(_RANDOM, walks(seed), 1.0, _ROUND)
            self._fuzz(seed, min(time.monotonic() + _ROUND, self._client.deadline - _POLISH))
            self._judge.forget()

    def _fuzz(self, seed: int, until: float) -> None:
        from .fuzzing import fuzz
        from .hooks import Aim
        from .machine import no_traces

        with no_traces():
            stage = self._stage()
            names = [stage.name("any"), stage.name("any")] if stage.slot else []
            aim = Aim(self._client, self._judge, self._prefix, names)
            with suppress(NotReached, Weather, TimeUp):  # then requests are aimed at what there is
                aim.variant = stage.plain()
                aim.action = stage.live()
            content: Mapping[str, Any] = self._document.content
            if self._plan.document == PUBLISHED and LINKED.exists():
                linked = load(LINKED).content  # of which only what is published is asked for
                content = {**linked, "paths": {path: linked["paths"][path] for path in content["paths"]}}
            fuzz(content, aim, seed, until, self._phase, self._over)
        self._settle(None, ())

    def _too_little(self) -> str | None:
        """Why a run without a finding proves too little, in one sentence."""
        if self._interrupted:
            return "The run was interrupted."
        if self._inconclusive or self._unreachable:
            return self._inconclusive or self._unreachable
        lost, sent = sum(self._client.weather.values()), self._client.requests
        if lost > sent / 3:
            worst = max(self._client.weather, key=lambda reason: self._client.weather[reason])
            return f"{lost} of {sent} requests met no answer of the application, most often: {worst}."
        if self._plan.only:
            untested = sorted(rule for rule in self._plan.only if not self._ledger.tested[rule])
            return f"{', '.join(untested)} could not be put to the test." if untested else None
        served = ((PUT, "definition"), (INGRESS, "work"))
        for label, what in served[1:] if self._known.declared else served:
            if not self._judge.served.get(label):
                return f"Too little was verified: no {what} was accepted ({label} never answered 200)."
        return None

    def _expected(self) -> None:
        """A reading that is lawful, and another one than somebody counts on, is a warning."""
        for question, expected in self._plan.expected.items():
            taken = self._known.readings.get(question)
            shown = self._judge.origins.first(question)
            if taken is None or not shown:
                continue
            self._ledger.tested["READ-2"] += 1
            if taken != expected:
                title = f"{question[0].upper()}{question[1:]}: {taken}, and {expected} was expected"
                self._ledger.add(
                    [finding_of(Breach("READ-2", title, expected, taken, question), shown[-1], shown)],
                    proven=True,
                )

    def _finished(self) -> RunFinished:
        plan, ledger = self._plan, self._ledger
        inconclusive = self._too_little()
        asked = plan.only or (RULES.keys() if plan.expected else RULES.keys() - {"READ-2"})
        wanted = [rule for rule in RULES if rule in asked]
        why = inconclusive or "no answer put it to the test"
        opinions = self._opinions
        broken = {finding.rule for finding in (*ledger.violations, *ledger.warnings)}
        finished = RunFinished(
            target=plan.target.base_url,
            document=self._document.name,
            digest=self._document.digest,
            seed=plan.seed,
            started=self._started,
            seconds=round(
                time.monotonic() - self._began + (plan.before.run.seconds if plan.before else 0), 1
            ),
            requests=self._client.requests + (plan.before.run.requests if plan.before else 0),
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
            prefix=self._prefix,
            run=self._client.trace,
            known=told(
                plan.baseline,
                {finding.id for finding in (*ledger.violations, *ledger.warnings)},
                {rule for rule in wanted if ledger.tested[rule] and rule not in ledger.doubtful},
                self._today,
            ),
            not_offered=self._not_offered(),
            min_verified=plan.min_verified,
        )
        if inconclusive is None and finished.verified < plan.min_verified:
            few = f"Too little was verified: {finished.verified:.0f} % of the rules, and {plan.min_verified:.0f} % was asked for."
            return replace(finished, inconclusive=few)
        return finished

    def _not_offered(self) -> tuple[str, ...]:
        known = self._known
        published = [label for label in self._document.operations if label in known.asked - known.routed]
        return (*published, *sorted(known.not_offered))

    def _stage(self) -> Stage:
        plan = self._plan
        manners = Manners(bool(plan.slot), plan.intrusive, plan.steady)
        stage = Stage(self._client, self._judge, self._random, self._prefix, manners)
        stage.patience = 2.0 if self._plan.only else 1.0
        stage.long = self._plan.wait or LONG
        return stage

    def _locate(self, method: str, url: str) -> tuple[str | None, str | None]:
        """The operation and the path template of a URL."""
        target = self._plan.target
        return self._document.locate(method, url, {target.base_url, target.ingress_url})

    def _mask(self, rules: frozenset[str], why: str) -> None:
        for rule in rules:
            self._ledger.masked.setdefault(rule, why)

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
            self._progress,
            readings=dict(self._judge.model.taken),
            masked=dict(ledger.masked),
            doubtful=dict(ledger.doubtful),
        )
        self._tell(Kept(run, progress))
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
    return f"{type(error).__name__}: {strict_json.excerpt(str(error))}{where}"


__all__ = ["Plan", "Run", "describe"]
