"""What is played when, after the first contact: scenarios, random walks, generated requests, and findings again."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ..core.events import Progress
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.rules import RULES, Phase, codes_where
from ..openapi.document import load_with_links
from ..oracle.judge import Judge
from ..phases.api import Api
from ..phases.requests import NotReached
from ..phases.scenarios import SCENARIOS, Scenario, leases, requests
from ..transport.client import Client
from ..transport.interference import TOO_SLOW, Interference
from ..transport.throttle import Allowance, TimeUp
from .interfaces import Presence, Settling
from .plan import Plan

if TYPE_CHECKING:
    from ..phases.random_walks import Walk

ANYWHERE: Final = codes_where(lambda rule: rule.may_show_anywhere)
"""Codes of the rules that every part of a run may show a breach of."""
SHRINK_SECONDS: Final = 2.0
"""Seconds that go into smaller examples when the time is up, and into the cross-check: what a person waits for gladly."""
_CONFIRM_SECONDS = 2.0
"""Seconds in which every finding is tried again when the time is up."""
_POSTPONED_SECONDS: Final = 20.0
"""Seconds in which suspicions are tried again for which there was no time: one that a slow target learns late takes ten."""

_SHORT_WALKS, _RANDOM_WALKS = "every short sequence", "random walks against the model"
"""Titles of these two parts of a run."""
_SHORT_SHARE, _RANDOM_SHARE = 0.3, 0.35
"""Shares of what is left of time and requests that they take; generated requests have the rest."""
_ROUND = 60.0
"""Seconds of random walks, and of generated requests, in one round of a night: each finds what the other does not."""
_TRIES = 4
"""How often a scenario is played that interference disturbs."""
_TURNS = 2
"""Scenarios that are played before one goes on that waits, where a run is measured by requests and not by time."""
_FOUNDATIONS = frozenset({"how a body is read"})
"""Titles of scenarios whose result others need, so that they are played in each part of a run."""


@dataclass(slots=True)
class _Waiting:
    """A scenario that goes on when some time has passed."""

    scenario: Scenario
    api: Api
    steps: Iterator[float]
    repeated: bool
    """It is played a second time, to tell whether its suspicions stand."""
    seconds: float
    """How long it waits."""
    due: float
    """When it goes on, in seconds of the run's clock."""
    turns: int = _TURNS
    """Scenarios that are played before it goes on, where a run is measured by requests."""
    suspicions: list[Finding] = field(default_factory=list)
    """Those of its earlier steps."""


class Scheduler:
    """Plays everything against one target, within the time and the budgets of the run."""

    def __init__(
        self,
        plan: Plan,
        client: Client,
        judge: Judge,
        presence: Presence,
        make_confirmation: Callable[[], Settling],
        *,
        announce: Callable[[str], None],
        scenarios: Sequence[Scenario] = SCENARIOS,
    ) -> None:
        """Prepare to play `scenarios` and all that comes after them.

        Args:
            plan: what the run is to do.
            client: sends requests, and has the clock and the throttle of the run.
            judge: judges answers, and has the ledger.
            presence: makes sequences, and tells whether the target is still there.
            make_confirmation: called once, when the names of the run are settled.
            announce: called with the title of each part of the run.
            scenarios: in the order in which they are played.
        """
        self._plan = plan
        self._client = client
        self._clock = client.clock
        self._throttle = client.throttle
        self._judge = judge
        self._ledger = judge.ledger
        self._presence = presence
        self._make_confirmation = make_confirmation
        self._announce = announce
        self._scenarios = scenarios
        self._waiting: list[_Waiting] = []
        self._unsettled: list[Finding] = []
        """Suspicions of random walks that were cut short; they are settled together with those of the next sequence."""
        self._slow_played = False
        self.progress = Progress() if plan.before is None else plan.before.progress
        """How far the run has come; scenarios and rounds are kept up to date here."""

    @cached_property
    def confirmation(self) -> Settling:
        """Decides which suspicions and findings stand."""
        return self._make_confirmation()

    # The parts of a run

    def play_scenarios(self) -> None:
        """Play every scenario that is wanted, but those that an earlier part of the run has played to their end."""
        for scenario in self._in_order():
            if scenario.title in self.progress.done and scenario.title not in _FOUNDATIONS:
                continue
            if self._is_over():
                self._mask(scenario.rules, str(self._time_up()))
                continue
            if scenario.title in _FOUNDATIONS or self._wants(scenario.rules):
                self._announce(scenario.title)
                self._play(scenario)
                self._note_done(scenario)
            for waiting in self._waiting:
                waiting.turns -= 1
            self._go_on()
            self._play_slow()
        if self._plan.only:
            self._go_on(last=True)

    def walk(self) -> None:
        """Play every short sequence of plain calls, then random walks."""
        if self._is_over() or not self._wants_part(Phase.RANDOM_WALKS):
            return
        from ..phases.random_walks import random_walks, short_walks  # Hypothesis takes half a second to load

        self._play_walks(_SHORT_WALKS, short_walks(), _SHORT_SHARE)
        self._play_walks(_RANDOM_WALKS, random_walks(self._plan.seed), _RANDOM_SHARE)

    def generate(self) -> None:
        """Send requests that Schemathesis generates for the rest of the time; scenarios that are due go on in between."""
        for seed in itertools.count(self._plan.seed):
            if self._is_over() or not self._wants_part(Phase.GENERATED):
                return
            end = self._throttle.deadline - SHRINK_SECONDS
            due = math.inf if self._plan.steady else min((one.due for one in self._waiting), default=math.inf)
            self._play_generated(seed, min(due, end))
            if due >= end:
                return
            with suppress(TimeUp):
                self._throttle.pause(max(0.0, due - self._clock.now()))
            self._go_on()

    def alternate(self) -> None:
        """Play random walks and generated requests in turns until the time is up, with another seed in each round.

        A round that sends nothing is the last one: what is next would have to wait beyond the end.
        """
        from ..phases.random_walks import random_walks

        sent = -1
        while not self._is_over() and sent < self._client.requests:
            sent = self._client.requests
            number = self.progress.rounds
            self.progress = replace(self.progress, rounds=number + 1)
            seed = self._plan.seed + 1_000 * (number + 1)
            self._play_walks(_RANDOM_WALKS, random_walks(seed), 1.0, _ROUND)
            self._play_generated(
                seed, min(self._clock.now() + _ROUND, self._throttle.deadline - SHRINK_SECONDS)
            )
            self.confirmation.settle_postponed()
            self._judge.trim()

    def finish(self) -> None:
        """Play what still waits; then try every finding again, and make examples smaller, with what was reserved for it."""
        self._go_on(last=True)
        self._allow(SHRINK_SECONDS + _CONFIRM_SECONDS, self._throttle.deadline)
        if self._plan.limits.requests is None:  # what was waited for is not given up for another sequence
            self._go_on(last=True)
        self._give_up(self._waiting, str(self._time_up()))
        self._announce("every finding again")
        self._settle_postponed()
        self.confirmation.confirm()
        self.confirmation.shrink(math.inf if self._plan.steady else SHRINK_SECONDS)
        self.confirmation.confirm_again(math.inf if self._plan.steady else _CONFIRM_SECONDS)

    # Scenarios

    def _in_order(self) -> Iterator[Scenario]:
        """Yield the scenarios; the one that waits longest comes second, so that others are played meanwhile."""
        for number, scenario in enumerate(self._scenarios):
            if number == 1 and (self._plan.wait or self._plan.target.admin):
                yield leases.long_leases
            yield scenario

    def _play(self, scenario: Scenario, *, repeated: bool = False) -> None:
        """Play a scenario, from the beginning as often as interference disturbs it."""
        kind = ""
        for _ in range(_TRIES):
            api = self._presence.new_sequence(scope=scenario.initials, careful=repeated)
            try:
                steps = scenario.play(api)
                if steps is not None:
                    self._wait_for(scenario, api, steps, repeated=repeated)
                    return
            except Interference as met:
                slow_twice, kind = kind == str(met) == TOO_SLOW, str(met)
                self._unsettled.clear()
                self._play_slow()
                if slow_twice or not self._presence.wait_for_return():
                    break
                self._presence.has_forgotten()  # then the next try begins with an empty model
                continue
            except (NotReached, TimeUp) as why:
                self._mask(_concerned(scenario, why), str(why))
            self._settle(scenario, api.exchanges, self._take_suspicions(api), repeated=repeated)
            return
        self._mask(scenario.rules, f"interference: {kind}")

    def _wait_for(self, scenario: Scenario, api: Api, steps: Iterator[float], *, repeated: bool) -> None:
        """Begin a scenario that waits, and leave it until it is due; a clock that can be moved is moved at once."""
        seconds = next(steps)
        due = self._clock.now() + seconds
        waiting = _Waiting(scenario, api, steps, repeated, seconds, due)
        waiting.suspicions = self._take_suspicions(api)
        self._waiting.append(waiting)
        if self._plan.target.admin is not None:
            self._go_on()

    def _go_on(self, *, last: bool = False) -> None:
        """Go on with the scenarios that are due; the last time they are waited for."""
        while self._waiting:
            waiting = min(self._waiting, key=lambda one: one.due)
            moved = self._plan.target.admin is not None
            left = max(0.0, waiting.due - self._clock.now())
            early = waiting.turns > 0 if self._plan.limits.requests is not None else left > 0
            too_early = early and not (last or moved)
            if too_early or self._ledger.all_found or (self._is_over() and not self._plan.only):
                return
            if not moved and self._clock.now() + left > self._throttle.deadline:
                self._mask(waiting.scenario.rules, str(self._time_up()))
                return
            self._waiting.remove(waiting)
            self._announce(waiting.scenario.title)
            try:
                self._client.wait(waiting.seconds if moved else left, "a lease to run out")
            except (Interference, TimeUp) as why:
                self._mask(waiting.scenario.rules, str(why))
                self._give_up([waiting], str(why))
                return
            waiting.api.sequence.note_wait(waiting.seconds)
            self._play_next_step(waiting)

    def _play_next_step(self, waiting: _Waiting) -> None:
        """Play a scenario until it waits again or is over."""
        scenario, api = waiting.scenario, waiting.api
        try:
            seconds = next(waiting.steps, None)
            if seconds is not None:
                waiting.due, waiting.seconds, waiting.turns = self._clock.now() + seconds, seconds, _TURNS
                waiting.suspicions += self._take_suspicions(api)
                self._settle_twice_shown(waiting)
                self._waiting.append(waiting)
                return
        except (Interference, NotReached, TimeUp) as why:
            self._mask(_concerned(scenario, why), str(why))
        suspicions = [*self._take_suspicions(api), *waiting.suspicions]
        self._settle(scenario, api.exchanges, suspicions, repeated=waiting.repeated)
        self._note_done(scenario)

    def _play_slow(self) -> None:
        """Ask slow requests again, once in a run, and as soon as one was slow, since slow answers use up the time.

        A steady run does not, as what it sends must not depend on time.
        """
        if self._judge.slow and self._plan.steady:
            why = "an answer took longer, and what a gate sends does not depend on time"
            self._ledger.doubtful |= dict.fromkeys(requests.slow.rules, why)
        elif self._judge.slow and not self._slow_played:
            self._slow_played = True
            self._play(requests.slow)

    def _note_done(self, scenario: Scenario) -> None:
        """Note that a scenario was played to its end: it does not wait, and was not cut short."""
        waits = any(one.scenario is scenario for one in self._waiting)
        if not (self._is_over() or waits or scenario.title in self.progress.done):
            self.progress = replace(self.progress, done=(*self.progress.done, scenario.title))

    # Random walks and generated requests

    def _play_walks(self, title: str, walks: Iterable[Walk], share: float, most: float = math.inf) -> None:
        """Play walk after walk for a share of what is left of time and requests, `most` seconds at most."""
        now = self._clock.now()
        until = now + min(most, share * (self._throttle.deadline - now))
        enough = self._client.requests + share * self._throttle.left
        self._announce(title)
        for walk in walks:
            late = self._clock.now() > until and not self._plan.steady
            if late or self._client.requests > enough or self._is_over():
                break
            self._go_on()
            api = self._presence.new_sequence(scope="w")
            try:
                walk(api)
            except Interference:
                self._unsettled.clear()
                if not self._presence.wait_for_return():
                    return
                self._presence.has_forgotten()  # then the next walk begins with an empty model
                continue
            except NotReached:
                self._unsettled += api.sequence.take_suspicions()
                continue
            except TimeUp:
                self._unsettled += api.sequence.take_suspicions()
                return
            suspicions = self._take_suspicions(api)
            if suspicions or self._ledger.unconfirmed:
                self._settle(None, api.exchanges, suspicions)
        self._go_on()

    def _play_generated(self, seed: int, until: float) -> None:
        """Send generated requests until a moment of the run's clock."""
        from ..phases.random_walks import no_traces  # Schemathesis takes a second to load
        from ..phases.schemathesis_hooks import Aim
        from ..phases.schemathesis_run import generate

        with no_traces():
            api = self._presence.new_sequence()
            names = [api.name("any"), api.name("any")] if api.names.reused else []
            aim = Aim(self._client, self._judge, self._presence.prefix, names)
            with suppress(NotReached, Interference, TimeUp):  # then requests are aimed at what there is
                aim.variant = api.open_variant()
                aim.action = api.live()
            failed = generate(
                self._published(),
                aim,
                seed,
                self._announce,
                self._share(until, 1),
                lambda parts: self._share(until, parts),
            )
        if failed is not None:
            self._mask(codes_where(lambda rule: rule.may_show_in(Phase.GENERATED)), failed)
        self._settle(None, (), [*self._take_suspicions(api), *aim.suspicions])

    def _share(self, until: float, parts: int) -> Callable[[], bool]:
        """Return what says that one of `parts` parts has had its share of the time until a moment, and of the budget.

        A steady run looks at the budget alone, as what it sends must not depend on time.
        """
        clock, client, now = self._clock, self._client, self._clock.now()
        end = math.inf if self._plan.steady else now + (until - now) / parts
        enough = client.requests + self._throttle.left / parts
        return lambda: clock.now() >= end or client.requests >= enough or self._is_over()

    def _published(self) -> Mapping[str, Any]:
        """Return the document with its links, which say what follows what, and with no more paths than it has itself."""
        content: Mapping[str, Any] = self._judge.context.document.content
        linked = load_with_links(self._plan.document)
        if linked is None:
            return content
        return {**linked, "paths": {path: linked["paths"][path] for path in content["paths"]}}

    # Suspicions

    def _take_suspicions(self, api: Api) -> list[Finding]:
        """Take what is unsettled, and the suspicions of a sequence."""
        unsettled, self._unsettled = self._unsettled, []
        return [*unsettled, *api.sequence.take_suspicions()]

    def _settle(
        self,
        scenario: Scenario | None,
        exchanges: Sequence[Exchange],
        suspicions: Sequence[Finding],
        *,
        repeated: bool = False,
    ) -> None:
        """Find out which suspicions stand; where that takes the scenario once more, play it."""
        self.confirmation.confirm()
        undecided = self.confirmation.settle(suspicions, scenario, exchanges, repeated=repeated)
        if undecided and scenario is not None:
            self._play(scenario, repeated=True)

    def _settle_postponed(self) -> None:
        """Try again what could not be tried before, in time of its own; what comes afterwards has its own as well."""
        if not self.confirmation.has_postponed:
            return
        before = self._throttle.deadline
        self._allow(_POSTPONED_SECONDS, before)
        self.confirmation.settle_postponed()
        self._allow(SHRINK_SECONDS + _CONFIRM_SECONDS, before)

    def _settle_twice_shown(self, waiting: _Waiting) -> None:
        """Settle what a scenario that goes on to wait has shown of two actions already, as each confirms the other."""
        often = Counter(one.key for one in waiting.suspicions)
        twice = [one for one in waiting.suspicions if often[one.key] > 1]
        if twice:
            waiting.suspicions = [one for one in waiting.suspicions if often[one.key] == 1]
            self.confirmation.settle(twice, None, waiting.api.exchanges)

    def _give_up(self, scenarios: Iterable[_Waiting], why: str) -> None:
        """Postpone the suspicions of scenarios that were not played to their end."""
        for one in scenarios:
            self.confirmation.postpone(one.suspicions, one.api.exchanges, why)

    # Limits

    def _wants(self, rules: frozenset[str]) -> bool:
        """Say whether the run is for one of these rules, or for one that any part of it may show."""
        only = self._plan.only
        return not only or bool(only & (rules | ANYWHERE))

    def _wants_part(self, phase: Phase) -> bool:
        """Say whether the run is for a rule that this part of it may show."""
        only = self._plan.only
        return not only or any(RULES[code].may_show_in(phase) for code in only)

    def _is_over(self) -> bool:
        """Say whether nothing more is to be sent: time or a budget is used up, all was found, or the target is gone."""
        late = self._clock.now() >= self._throttle.deadline or self._throttle.spent is not None
        return late or self._ledger.all_found or self._presence.unreachable is not None

    def _allow(self, seconds: float, until: float) -> None:
        """Let the run go on for so many seconds, and until a moment of its clock at least, with all that is left of its budgets."""
        self._throttle.allow(Allowance(max(until, self._clock.now() + seconds)))

    def _time_up(self) -> TimeUp:
        why = self._throttle.spent
        return TimeUp() if why is None else TimeUp(why)

    def _mask(self, rules: frozenset[str], why: str) -> None:
        """Write down why rules could not be verified, unless a reason is known."""
        for rule in rules:
            self._ledger.masked.setdefault(rule, why)


def _concerned(scenario: Scenario, why: Exception) -> frozenset[str]:
    """Return the codes of the rules that a scenario could not verify for this reason: all of its own, or those that it names."""
    return why.rules if isinstance(why, NotReached) and why.rules else scenario.rules


__all__ = ["ANYWHERE", "SHRINK_SECONDS", "Scheduler"]
