"""Decides what stands: suspicions and findings are tried again on fresh names, and counted when they show again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from ..core.exchange import Exchange
from ..core.findings import Finding, Key
from ..core.ledger import Ledger
from ..core.rules import RULES
from ..transport.clock import Clock
from ..transport.interference import Interference
from ..transport.throttle import TimeUp
from .replay import NEEDING_CONTROL_ACTIONS, OFTEN
from .scripts import has_hasty_refusal

_LONGEST = 500
"""Exchanges of a sequence beyond which it is not played once more for what a replay does not show."""
_LONG_PAUSE = 20.0
"""Seconds of waiting in an example beyond which it is not replayed: it counts when its sequence shows it twice."""
_TRIES = 3
"""How often a finding is tried again at most, at each of the two occasions."""
_NOT_TRIED = "it could not be tried again: {}"
_NOT_ALONE = "its sequence has shown it twice, and its requests alone do not"
"""Why a rule is suspected."""
_MOST_POSTPONED = 20
"""Suspicions that are kept to be tried later: each holds the exchanges of its sequence."""


class Replaying(Protocol):
    """Plays examples again: `Replay`, or what stands for it in a test."""

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        ...

    @property
    def thrifty(self) -> bool:
        """Whether requests are few, so that nothing is repeated that may not show."""
        ...

    @property
    def explained(self) -> Collection[Key]:
        """Keys of findings explained because control actions vanished too."""
        ...

    def confirm(self, finding: Finding, sequence: Sequence[Exchange]) -> Finding | None:
        """Return the finding with a small example; None when it does not show again."""
        ...

    def play(self, script: Sequence[Exchange], finding: Finding) -> Finding | None:
        """Return the finding if playing the script shows it."""
        ...

    def repeat(self, finding: Finding) -> Finding | None:
        """Return the finding if it shows when its last exchange is sent again and again."""
        ...

    def shrink(self, finding: Finding) -> Finding | None:
        """Return the finding with a smaller example; None when it does not show again."""
        ...

    def shows(self, finding: Finding) -> bool:
        """Say whether the finding shows once more."""
        ...


class Confirmation:
    """Puts into the ledger what shows again, and takes out of it what does not."""

    def __init__(
        self,
        replay: Replaying,
        ledger: Ledger,
        excused: Collection[str] = (),
        *,
        unlearn: Callable[[str], None] = lambda _: None,
        has_restarted: Callable[[], bool] = lambda: False,
        has_forgotten: Callable[[], bool] = lambda: False,
    ) -> None:
        """Decide for one run.

        Args:
            replay: plays examples again.
            ledger: has the findings of the run.
            excused: ids of findings that the baseline excuses; these are not tried again.
            unlearn: called with an open question whose first answer may have been none.
            has_restarted: tells whether the target was restarted since this was last asked, and has forgotten what it knew.
            has_forgotten: waits until the target is back, and tells whether it has forgotten what it knew.
        """
        self._replay = replay
        self._ledger = ledger
        self._excused = excused
        self._unlearn = unlearn
        self._has_restarted = has_restarted
        self._has_forgotten = has_forgotten
        self._undecided: set[tuple[Hashable, Key]] = set()
        """Sequence, and key of a suspicion that it has to show a second time."""
        self._tried: Counter[Key] = Counter()
        """Key of a finding → how often it was tried again."""
        self._postponed: dict[Key, tuple[Finding, Sequence[Exchange]]] = {}
        """Suspicions that could not be tried again yet, with all exchanges of their sequences."""
        self._in_the_way: dict[Key, str] = {}
        """Key of a finding → what was in the way when it was last to be tried again; without those that could be tried."""

    # Suspicions of sequences

    def settle(
        self,
        suspicions: Sequence[Finding],
        source: Hashable,
        exchanges: Sequence[Exchange],
        *,
        repeated: bool = False,
    ) -> bool:
        """Put into the ledger the suspicions of a sequence that show again from a fresh beginning.

        Args:
            suspicions: what the sequence seems to show.
            source: what was played; None if it cannot be played again.
            exchanges: all exchanges of the sequence.
            repeated: it was played a second time, as this method asked for.

        Returns:
            whether the sequence has to be played again to decide.
        """
        ordered = sorted(suspicions, key=lambda one: one.exchanges[-1].call)
        if ordered and self._has_restarted():
            return not repeated
        distinct: dict[Key, Finding] = {}
        for suspicion in ordered:
            distinct.setdefault(suspicion.key, suspicion)
        often = Counter(suspicion.key for suspicion in ordered)
        known = {finding.key for finding in self._ledger.all()}
        unshown = []
        for key, suspicion in distinct.items():
            rule = suspicion.rule
            if key in known or not self._ledger.wants(rule) or self._ledger.is_explained(rule):
                continue
            waited = suspicion.exchanges[-1].waited - suspicion.exchanges[0].waited
            if suspicion.id in self._excused or (often[key] > 1 and waited > _LONG_PAUSE):
                self._ledger.add([suspicion], confirmed=True)
            elif not self._decided(suspicion, exchanges, twice=repeated and (source, key) in self._undecided):
                unshown.append(rule)
        if unshown and source is not None and not repeated and len(exchanges) <= _LONGEST:
            self._undecided |= {(source, key) for key in distinct}
            return True
        self._doubt(unshown)
        return False

    def _decided(self, suspicion: Finding, exchanges: Sequence[Exchange], *, twice: bool) -> bool:
        """Try a suspicion again and write down what came of it; False when it did not show, and may yet be true.

        `twice`: its sequence was played twice, and has shown it each time.
        """
        ledger = self._ledger
        if suspicion.key in self._postponed:
            return True
        try:
            confirmed = self._replayed(suspicion, exchanges)
        except (Interference, TimeUp) as why:
            explained = isinstance(why, Interference) and self._has_forgotten()
            if not explained:
                self.postpone([suspicion], exchanges, str(why))
            return True
        self._tried[suspicion.key] += 1
        if confirmed is not None and self._has_restarted():
            self.postpone([suspicion], exchanges, "the target lost what it knew")
        elif confirmed is not None:
            ledger.add([replace(confirmed, confirmed=1, attempts=1)], confirmed=True)
        elif twice and suspicion.needs_sequence:
            ledger.add([replace(suspicion, confirmed=1, attempts=1)], confirmed=True)
        elif twice and self._counts_twice(suspicion):
            ledger.suspect(suspicion, _NOT_ALONE)  # what cannot be repeated is no finding
        else:
            if has_hasty_refusal(suspicion):
                self._unlearn(suspicion.question or "")
            return False
        return True

    def _replayed(self, suspicion: Finding, exchanges: Sequence[Exchange]) -> Finding | None:
        """Return the suspicion as it shows from a fresh beginning; tried again when interference comes between.

        Raises:
            Interference: it came between each time, or the target has forgotten what it knew.
            TimeUp: the run has ended, or a budget is used up.
        """
        if suspicion.needs_sequence or self._tried[suspicion.key] >= _TRIES:
            return None
        for left in reversed(range(_TRIES)):
            try:
                return self._replay.confirm(suspicion, exchanges)
            except Interference:
                if not left or self._has_forgotten():
                    raise
        return None

    def _counts_twice(self, suspicion: Finding) -> bool:
        """Say whether it means something that a sequence has shown a suspicion twice, although a replay does not show it.

        It does not if something fresh was refused too early, or if another client may have settled the action.
        """
        settled = suspicion.rule in NEEDING_CONTROL_ACTIONS or suspicion.key in self._replay.explained
        return not (has_hasty_refusal(suspicion) or settled)

    # Suspicions for which there was no time, or in whose way something was

    def postpone(self, suspicions: Iterable[Finding], exchanges: Sequence[Exchange], why: str) -> None:
        """Keep suspicions of a sequence that could not be tried again until `settle_postponed`; their rules are suspected."""
        for suspicion in suspicions:
            if not self._ledger.wants(suspicion.rule):
                continue
            self._ledger.suspect(suspicion, _NOT_TRIED.format(why))
            if len(self._postponed) < _MOST_POSTPONED:
                self._postponed.setdefault(suspicion.key, (suspicion, exchanges))

    @property
    def has_postponed(self) -> bool:
        """Whether suspicions wait for `settle_postponed`."""
        return bool(self._postponed)

    def settle_postponed(self) -> None:
        """Try again what could not be tried when it was suspected; what only its whole sequence shows stays suspected."""
        postponed, self._postponed = list(self._postponed.values()), {}
        replayable = [one for one in postponed if not one[0].needs_sequence]
        for suspicion, _ in replayable:
            self._ledger.suspected.pop(suspicion.rule, None)
        for suspicion, exchanges in replayable:
            self.settle([suspicion], None, exchanges)

    def _doubt(self, rules: Sequence[str]) -> None:
        broken = {finding.rule for finding in self._ledger.all()}
        for rule in rules:
            if rule not in broken:
                self._ledger.doubtful[rule] = "it was broken once and kept when tried again"

    # Findings of single exchanges

    def confirm(self) -> None:
        """Try findings again that the ledger has unconfirmed, each a few times at most in a run."""
        for key in list(self._ledger.unconfirmed):
            finding = self._ledger.finding(key)
            if finding.id in self._excused:
                self._ledger.confirm(key)
            if key not in self._ledger.unconfirmed or self._tried[key] > _TRIES:
                continue
            self._tried[key] += 1
            try:
                again = self._replay.play(finding.exchanges, finding)
                if again is None and not self._replay.thrifty and self._tried[key] == 1:
                    again = self._replay.repeat(finding)
            except (Interference, TimeUp) as why:
                self._in_the_way[key] = str(why)
                continue
            self._in_the_way.pop(key, None)
            if again is not None:
                self._ledger.replace_example(replace(again, confirmed=1, attempts=1))
            if again is not None or (self._tried[key] == _TRIES and self._ledger.sightings[key] > _TRIES):
                self._ledger.confirm(key)

    # At the end of a run

    def shrink(self, seconds: float) -> None:
        """Make the examples of findings smaller, as far as `seconds` go; what shows now and then alone is repeated."""
        until = self._replay.clock.now() + seconds
        for finding in self._replayable():
            if self._replay.clock.now() > until:
                return
            waited = finding.exchanges[-1].waited - finding.exchanges[0].waited
            if RULES[finding.rule].checked_elsewhere or waited > _LONG_PAUSE:
                continue  # no replay asks elsewhere, and one that waits takes too long
            with suppress(Interference, TimeUp):
                smaller = self._replay.shrink(finding) or self._replay.repeat(finding)
                if smaller is not None:
                    self._ledger.replace_example(replace(smaller, confirmed=1, attempts=1))
                    continue
            if finding.needs_no_confirmation and not finding.confirmed:
                self._ledger.replace_example(replace(finding, times=OFTEN))  # it shows now and then

    def confirm_again(self, seconds: float = math.inf) -> None:
        """Try every finding again, three times if `seconds` allow it, and count how often it shows; drop what never does.

        Each is tried by the very example that the reports print.
        """
        until = self._replay.clock.now() + seconds
        shown: Counter[Key] = Counter()
        tried: Counter[Key] = Counter()
        for _ in range(_TRIES):
            for finding in self._replayable():
                if self._replay.clock.now() > until:
                    return
                try:
                    often = finding.times > 1
                    shows = self._replay.repeat(finding) is not None if often else self._replay.shows(finding)
                except (Interference, TimeUp):
                    continue
                key = finding.key
                shown[key] += shows
                tried[key] += 1
                self._ledger.replace_example(replace(finding, confirmed=shown[key], attempts=tried[key]))
        for finding in self._replayable():
            never = tried[finding.key] == _TRIES and not (finding.confirmed or finding.needs_no_confirmation)
            if never and self._ledger.sightings[finding.key] <= _TRIES:
                why = f"it was broken, and kept {_TRIES} times when tried again at the end"
                self._ledger.drop(finding.key, why)

    def drop_unconfirmed(self) -> None:
        """Take out of the ledger what was never shown a second time."""
        for key in list(self._ledger.unconfirmed):
            if self._tried[key] and key not in self._in_the_way:
                often = f"{self._ledger.sightings[key]} time{'s' if self._ledger.sightings[key] > 1 else ''}"
                self._ledger.drop(key, f"it was broken {often}, and kept when tried again")
            else:
                why = self._in_the_way.get(key, str(TimeUp()))
                self._ledger.drop(key, _NOT_TRIED.format(why), tried=False)

    def _replayable(self) -> list[Finding]:
        """Return the findings that a replay of their exchanges can show."""
        return [
            finding
            for finding in self._ledger.all()
            if not (finding.concurrent or finding.needs_sequence or finding.id in self._excused)
        ]


__all__ = ["Confirmation", "Replaying"]
