"""All that is played after first contact: constructed sequences, random ones, generated requests, examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..core.events import Progress
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.rules import RULES, Phase, codes_where
from ..openapi.document import load_with_links
from ..oracle.judge import Judge
from ..phases.requests import NotReached
from ..phases.scenarios import (
    SCENARIOS,
    Scenario,
    leases,
    requests,
)
from ..phases.sequence import CallSequence
from ..reproduction.confirm import Confirmation
from ..reproduction.replay import Replay
from ..transport.client import Client, TimeUp
from ..transport.interference import TOO_SLOW, Interference
from ..transport.throttle import Allowance
from .plan import Plan
from .preflight import Preflight

if TYPE_CHECKING:
    from ..phases.random_walks import Walk

ANYWHERE = codes_where(lambda rule: rule.may_show_anywhere)
"""Codes of the rules that every part of a run may break."""

SHRINK_SECONDS = 2.0
"""Seconds that go into shorter examples when the time is up."""

_CONFIRM_SECONDS = 2.0
"""Seconds in which every finding is tried again when the time is up."""

_SHORT, _RANDOM = "every short sequence", "random walks against the model"

_ROUND = 60.0
"""Seconds of random sequences, and of generated requests, before it is the others' turn."""

_ALWAYS = frozenset({"how a body is read"})
"""Titles of sequences that others build on."""


@dataclass(slots=True)
class _Pending:
    """A sequence that goes on when its time has come."""

    due: float
    scenario: Scenario
    sequence: CallSequence
    steps: Iterator[float]
    again: bool
    seconds: float
    suspicions: list[Finding] = field(default_factory=list)
    """Those of its earlier steps."""
    turns: int = 2
    """Sequences that are played before it goes on, where time is no measure."""


class Scheduler:
    """Plays everything against one target."""

    def __init__(
        self,
        plan: Plan,
        client: Client,
        judge: Judge,
        contact: Preflight,
        excused: Collection[str],
        phase: Callable[[str], None],
        allow: Callable[[Allowance], None],
    ) -> None:
        self._plan = plan
        self._client = client
        self._judge = judge
        self._ledger = judge.ledger
        self._preflight = contact
        self._excused = excused
        """Ids of findings that are known, and not tried again."""
        self._phase = phase
        """Told of each part of the run by its title."""
        self._allow = allow
        """Begins a part of the run that may use so much."""
        self._pending: list[_Pending] = []
        self._unsettled: list[Finding] = []
        """Suspicions of random sequences that were cut short; the next sequence's are settled together with them."""
        self._asked_again = False
        self.progress = Progress() if plan.before is None else plan.before.progress
        """Its `done` and `rounds` are kept up to date."""

    @cached_property
    def confirmation(self) -> Confirmation:
        """Decides what counts; made when it is first asked for, as first contact settles the names."""
        replay = Replay(
            self._client,
            self._judge,
            self._preflight.prefix,
            reuses_names=bool(self._plan.name_prefix),
            thrifty=self._plan.limits.requests is not None,
        )
        return Confirmation(
            replay,
            self._judge,
            self._ledger,
            self._excused,
            self._preflight.begun_anew,
            lambda: self._preflight.wait() and self._preflight.lost_all(),
        )

    def constructed(self) -> None:
        """Every constructed sequence that is wanted, and is not over since an earlier part of the run."""
        for scenario in self._scenarios():
            if scenario.title in self.progress.done and scenario.title not in _ALWAYS:
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

    def explored(self) -> None:
        """Every short sequence of plain calls, then long random ones."""
        if self._over() or not self._wanted_in(Phase.RANDOM_WALKS):
            return
        from ..phases.random_walks import short_walks, walks

        self._walk(_SHORT, short_walks(), 0.3)
        self._walk(_RANDOM, walks(self._plan.seed), 0.35)

    def generated(self) -> None:
        """Schemathesis for the rest of the time."""
        if not self._over() and self._wanted_in(Phase.GENERATED):
            self._fuzz(self._plan.seed, self._client.throttle.deadline - SHRINK_SECONDS)

    def rounds(self) -> None:
        """Random sequences and generated requests in turns, none of them twice, as long as there is time."""
        from ..phases.random_walks import walks

        while not self._over():
            number = self.progress.rounds
            self.progress = replace(self.progress, rounds=number + 1)
            seed = self._plan.seed + 1_000 * (number + 1)
            self._walk(_RANDOM, walks(seed), 1.0, _ROUND)
            self._fuzz(
                seed, min(self._client.clock.now() + _ROUND, self._client.throttle.deadline - SHRINK_SECONDS)
            )
            self._judge.trim()

    def _resume(self, *, last: bool = False) -> None:
        """Go on with the sequences whose time has come; at the end all are waited for."""
        while self._pending:
            pending = min(self._pending, key=lambda one: one.due)
            moved = self._plan.target.admin is not None
            left = max(0.0, pending.due - self._client.clock.now())
            early = pending.turns > 0 if self._plan.limits.requests is not None else left > 0
            too_early = early and not (last or moved)
            if too_early or self._ledger.all_found or (self._over() and not self._plan.only):
                return
            if not moved and self._client.clock.now() + left > self._client.throttle.deadline:
                self._mask(pending.scenario.rules, str(self._up()))
                return
            self._pending.remove(pending)
            self._phase(pending.scenario.title)
            try:
                self._client.wait(pending.seconds if moved else left)
            except (Interference, TimeUp) as why:
                self._mask(pending.scenario.rules, str(why))
                self._give_up(pending)
                return
            pending.sequence.waited += pending.seconds
            self._go_on(pending)

    def end(self) -> None:
        """What still waits; every finding again, and shorter examples, with what was kept for them."""
        self._resume(last=True)
        self._give_up(*self._pending)
        self._phase("every finding again")
        deadline = self._client.clock.now() + SHRINK_SECONDS + _CONFIRM_SECONDS
        self._allow(Allowance(max(self._client.throttle.deadline, deadline)))
        self.confirmation.confirm()
        self.confirmation.confirm_again(math.inf if self._plan.steady else _CONFIRM_SECONDS)
        self.confirmation.shrink(math.inf if self._plan.steady else SHRINK_SECONDS)

    def _play(self, scenario: Scenario, *, again: bool = False) -> None:
        """Play a sequence, from the beginning as often as interference disturbs it."""
        reason = ""
        for _ in range(4):
            sequence = self._preflight.sequence(scope=scenario.initials, careful=again)
            try:
                steps = scenario.play(sequence)
                if steps is not None:
                    seconds = next(steps)
                    due = self._client.clock.now() + seconds
                    pending = _Pending(due, scenario, sequence, steps, again, seconds)
                    pending.suspicions = self._suspicions_of(sequence)
                    self._pending.append(pending)
                    if self._plan.target.admin is not None:
                        self._resume()
                    return
            except Interference as interference:
                again_slow, reason = reason == str(interference) == TOO_SLOW, str(interference)
                self._unsettled.clear()
                self._ask_slow_again()
                if again_slow or not self._preflight.wait():
                    break
                self._preflight.lost_all()
                continue
            except (NotReached, TimeUp) as why:
                self._mask(scenario.rules, str(why))
            self._settle(scenario, sequence.exchanges, self._suspicions_of(sequence), again=again)
            return
        self._mask(scenario.rules, f"interference: {reason}")

    def _go_on(self, pending: _Pending) -> None:
        scenario, sequence = pending.scenario, pending.sequence
        try:
            seconds = next(pending.steps, None)
            if seconds is not None:
                pending.due, pending.seconds, pending.turns = self._client.clock.now() + seconds, seconds, 2
                pending.suspicions += self._suspicions_of(sequence)
                self._pending.append(pending)
                return
        except (Interference, NotReached, TimeUp) as why:
            self._mask(scenario.rules, str(why))
        suspicions = [*self._suspicions_of(sequence), *pending.suspicions]
        self._settle(scenario, sequence.exchanges, suspicions, again=pending.again)
        self._done(scenario)

    def _suspicions_of(self, sequence: CallSequence) -> list[Finding]:
        """Take what is unsettled and the suspicions of a sequence."""
        unsettled, self._unsettled = self._unsettled, []
        return [*unsettled, *sequence.take_suspicions()]

    def _settle(
        self,
        scenario: Scenario | None,
        whole: Sequence[Exchange],
        suspicions: Sequence[Finding],
        *,
        again: bool = False,
    ) -> None:
        self.confirmation.confirm()
        if self.confirmation.settle(suspicions, scenario, whole, again=again) and scenario is not None:
            self._play(scenario, again=True)

    def _done(self, scenario: Scenario) -> None:
        """Remember that a sequence is over, unless it waits for something or was cut short."""
        waits = any(one.scenario is scenario for one in self._pending)
        if not (self._over() or waits or scenario.title in self.progress.done):
            self.progress = replace(self.progress, done=(*self.progress.done, scenario.title))

    def _give_up(self, *sequences: _Pending) -> None:
        """What sequences had found that were not played to their end is written down."""
        for pending in sequences:
            for finding in pending.suspicions:
                self._ledger.doubtful[finding.rule] = "it was broken, and there was no time to try again"

    def _ask_slow_again(self) -> None:
        """Once, and as soon as something was slow, since that makes the run short of time; a gate asks nothing for its time."""
        if self._judge.slow and self._plan.steady:
            why = "an answer took longer, and what a gate sends does not depend on time"
            self._ledger.doubtful |= dict.fromkeys(requests.slow.rules, why)
        elif self._judge.slow and not self._asked_again:
            self._asked_again = True
            self._play(requests.slow)

    def _scenarios(self) -> Iterator[Scenario]:
        for number, scenario in enumerate(SCENARIOS):
            if number == 1 and (self._plan.wait or self._plan.target.admin):
                yield leases.long_leases
            yield scenario

    def _walk(self, title: str, source: Iterable[Walk], share: float, most: float = math.inf) -> None:
        """Walk after walk, for a share of what is left of time and requests."""
        until = self._client.clock.now() + min(
            most, share * (self._client.throttle.deadline - self._client.clock.now())
        )
        enough = self._client.requests + share * self._client.throttle.left
        self._phase(title)
        for walk in source:
            late = self._client.clock.now() > until and not self._plan.steady
            if late or self._client.requests > enough or self._over():
                break
            sequence = self._preflight.sequence(scope="w")
            try:
                walk(sequence)
            except Interference:
                self._unsettled.clear()
                if not self._preflight.wait():
                    return
                self._preflight.lost_all()
                continue
            except NotReached:
                self._unsettled += sequence.take_suspicions()
                continue
            except TimeUp:
                self._unsettled += sequence.take_suspicions()
                return
            suspicions = self._suspicions_of(sequence)
            if suspicions or self._ledger.unconfirmed:
                self._settle(None, sequence.exchanges, suspicions)
        self._resume()

    def _fuzz(self, seed: int, until: float) -> None:
        from ..phases.random_walks import no_traces
        from ..phases.schemathesis_hooks import Aim
        from ..phases.schemathesis_run import fuzz

        with no_traces():
            sequence = self._preflight.sequence()
            names = [sequence.name("any"), sequence.name("any")] if sequence.reuses_names else []
            aim = Aim(self._client, self._judge, self._preflight.prefix, names)
            with suppress(NotReached, Interference, TimeUp):  # then requests are aimed at what there is
                aim.variant = sequence.plain()
                aim.action = sequence.live()
            content: Mapping[str, Any] = self._judge.context.document.content
            if (
                linked := load_with_links(self._plan.document)
            ) is not None:  # only what is published is asked for
                content = {**linked, "paths": {path: linked["paths"][path] for path in content["paths"]}}
            fuzz(content, aim, seed, until, self._phase, self._over)
        self._settle(None, (), [*self._suspicions_of(sequence), *aim.suspicions])

    def _wanted(self, rules: frozenset[str]) -> bool:
        only = self._plan.only
        return not only or bool(only & (rules | ANYWHERE))

    def _wanted_in(self, phase: Phase) -> bool:
        only = self._plan.only
        return not only or any(RULES[code].may_show_in(phase) for code in only)

    def _over(self) -> bool:
        late = (
            self._client.clock.now() > self._client.throttle.deadline
            or self._client.throttle.spent is not None
        )
        return late or self._ledger.all_found or self._preflight.unreachable is not None

    def _up(self) -> TimeUp:
        why = self._client.throttle.spent
        return TimeUp() if why is None else TimeUp(why)

    def _mask(self, rules: frozenset[str], why: str) -> None:
        for rule in rules:
            self._ledger.masked.setdefault(rule, why)


__all__ = ["ANYWHERE", "SHRINK_SECONDS", "Scheduler"]
