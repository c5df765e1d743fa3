"""What counts: what was found is tried again on fresh names, made short, and shown so many times of three."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.ledger import Ledger
from ..core.rules import RULES
from ..oracle.judge import Judge
from ..transport.client import TimeUp
from ..transport.interference import Interference
from .replay import NEEDING_CONTROL_ACTIONS, Replay, hasty

_LONGEST = 500
"""Exchanges of a sequence that is played once more when what it found does not show by itself."""
_LONG_PAUSE = 20.0
"""Seconds that are not let go by a second time: what shows twice after them counts."""
_TRIES = 3
"""How often a finding is tried again when all is done."""


class Confirmation:
    """Puts into the ledger what stands when it is tried again."""

    def __init__(
        self,
        replay: Replay,
        judge: Judge,
        ledger: Ledger,
        excused: Collection[str],
        begun_anew: Callable[[], bool] = lambda: False,
        lost_all: Callable[[], bool] = lambda: False,
    ) -> None:
        self.replay = replay
        self._judge = judge
        self._ledger = ledger
        self._excused = excused
        """Ids of findings that are known, and not tried again."""
        self._begun_anew = begun_anew
        """Tells whether the target has lost all that it knew since somebody asked."""
        self._lost_all = lost_all
        """Waits until the target is back, and tells whether it has lost all that it knew."""
        self._unsure: set[tuple[Any, tuple[str, str]]] = set()
        self._tried: Counter[tuple[str, str]] = Counter()

    def settle(
        self,
        suspicions: Sequence[Finding],
        sequence: Any,
        whole: Sequence[Exchange],
        *,
        again: bool = False,
    ) -> bool:
        """Put into the ledger the suspicions that are found again from a fresh beginning.

        `sequence` tells what raised them; `whole` are all of its exchanges.

        Returns:
            whether the sequence has to be played again to tell.
        """
        distinct: dict[tuple[str, str], Finding] = {}
        taken = sorted(suspicions, key=lambda one: one.exchanges[-1].call)
        for finding in taken:
            distinct.setdefault(finding.key, finding)
        if taken and self._begun_anew():
            return not again
        often = Counter(finding.key for finding in taken)
        known = {finding.key for finding in self._ledger.all()}
        unsure = []
        for key, finding in distinct.items():
            if (
                key in known
                or not self._ledger.wants(finding.rule)
                or self._ledger.is_explained(finding.rule)
            ):
                continue
            waited = finding.exchanges[-1].waited - finding.exchanges[0].waited
            if finding.id in self._excused or (often[key] > 1 and waited > _LONG_PAUSE):
                self._ledger.add([finding], confirmed=True)
                continue
            self._tried[key] += 1
            try:
                confirmed = self._confirmed(finding, whole)
            except (Interference, TimeUp) as why:
                if isinstance(why, TimeUp) or not self._lost_all():  # which explains it
                    self._ledger.doubtful[finding.rule] = (
                        f"it was broken, and could not be tried again: {why}"
                    )
                continue
            if confirmed is not None and self._begun_anew():
                self._ledger.doubtful[finding.rule] = (
                    "it was broken, and the target lost what it knew meanwhile"
                )
            elif confirmed is not None:
                self._ledger.add([confirmed], confirmed=True)
            elif again and (sequence, key) in self._unsure and self._stands(finding):
                self._ledger.add([replace(finding, confirmed=1, attempts=1)], confirmed=True)
            else:
                unsure.append(finding.rule)
                if hasty(finding):
                    self._judge.unlearn(finding.question or "")
        if unsure and sequence is not None and not again and len(whole) <= _LONGEST:
            self._unsure |= {(sequence, key) for key in distinct}
            return True
        self._doubt(unsure)
        return False

    def _confirmed(self, finding: Finding, whole: Sequence[Exchange]) -> Finding | None:
        """The finding as it shows from a fresh beginning, if it does; tried again when interference comes between."""
        if finding.needs_sequence or self._tried[finding.key] > _TRIES:
            return None
        for left in reversed(range(_TRIES)):
            try:
                return self.replay.confirm(finding, whole)
            except Interference:
                if not left or self._lost_all():
                    raise
        return None

    def _doubt(self, rules: Sequence[str]) -> None:
        broken = {finding.rule for finding in self._ledger.all()}
        for rule in rules:
            if rule not in broken:
                self._ledger.doubtful[rule] = "it was broken once and kept when tried again"

    def _stands(self, finding: Finding) -> bool:
        """Whether it counts when its sequence shows it a second time, although a replay does not."""
        lost = (
            finding.rule in NEEDING_CONTROL_ACTIONS or finding.key in self.replay.excused
        )  # which somebody may have settled
        return finding.needs_sequence or not (hasty(finding) or lost)

    def confirm(self) -> None:
        """Show what single exchanges have broken a second time; a few times at most in a run."""
        for key in list(self._ledger.unconfirmed):
            finding = self._ledger.finding(key)
            if finding.id in self._excused:
                self._ledger.confirm(key)
            if key not in self._ledger.unconfirmed or self._tried[key] > _TRIES:
                continue
            self._tried[key] += 1
            try:
                again = self.replay.play(finding.exchanges, finding)
                if again is None and not self.replay.thrifty and self._tried[key] == 1:
                    again = self.replay.often(finding)
            except (Interference, TimeUp):
                continue
            if again is not None:
                self._ledger.replace_example(again)
            if again is not None or (self._tried[key] == _TRIES and self._ledger.sightings[key] > _TRIES):
                self._ledger.confirm(key)

    def end(self) -> None:
        """What was never shown a second time does not stand."""
        for key in list(self._ledger.unconfirmed):
            often = f"{self._ledger.sightings[key]} time{'s' if self._ledger.sightings[key] > 1 else ''}"
            tried = "kept when tried again" if self._tried[key] else "there was no time to try it again"
            self._ledger.drop(key, f"it was broken {often}, and {tried}")

    def shrink(self, seconds: float) -> None:
        """Find a shorter way to what single exchanges have shown."""
        until = self.replay.clock.now() + seconds
        for finding in self._open():
            if self.replay.clock.now() > until:
                return
            if RULES[finding.rule].checked_elsewhere or len({one.waited for one in finding.exchanges}) > 1:
                continue  # the one looks into refusals first
            with suppress(Interference, TimeUp):
                better = self.replay.shorter(finding) or self.replay.often(finding)
                if better is not None:
                    self._ledger.replace_example(
                        replace(better, confirmed=finding.confirmed, attempts=finding.attempts)
                    )

    def confirm_again(self, seconds: float = math.inf) -> None:
        """Try every finding again, three times if there is time, and write down how often it showed."""
        until = self.replay.clock.now() + seconds
        for _ in range(_TRIES):
            for finding in self._open():
                if self.replay.clock.now() > until or finding.times > 1:
                    continue
                try:
                    shown = self.replay.shows(finding)
                except (Interference, TimeUp):
                    continue
                self._ledger.replace_example(
                    replace(finding, confirmed=finding.confirmed + shown, attempts=finding.attempts + 1)
                )
        for finding in self._open():
            if (
                finding.attempts == _TRIES
                and not finding.confirmed
                and self._ledger.sightings[finding.key] <= _TRIES
            ):
                why = f"it was broken, and kept {_TRIES} times when tried again at the end"
                self._ledger.drop(finding.key, why)

    def _open(self) -> list[Finding]:
        """Findings that a replay of their exchanges can tell."""
        return [
            finding
            for finding in self._ledger.all()
            if not (finding.needs_no_confirmation or finding.needs_sequence or finding.id in self._excused)
        ]


__all__ = ["Confirmation"]
