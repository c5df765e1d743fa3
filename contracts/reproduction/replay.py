"""Plays what led to a finding again, from nothing and under fresh names, and says whether the finding shows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ..core.curl import SHORTEST_PAUSE
from ..core.exchange import Exchange, leading_definitions
from ..core.findings import Finding, Key
from ..core.rules import RULES, Verifier, codes_where
from ..model.world import FRESH_REFUSALS
from ..oracle.judge import Judge
from ..transport.client import Client
from ..transport.interference import Interference
from ..transport.throttle import TimeUp
from . import shrinking
from .playback import Playback
from .scripts import with_earlier_definitions, with_last_definitions

_LONGEST = 100
"""Exchanges of a sequence that are played again at most: what they do not show would take too many requests."""
_REPEATS = 150
"""How often an example is sent again: a fault that shows once in fifty requests is shown by them."""
OFTEN: Final = 2 * _REPEATS
"""How often an example is sent by hand that shows now and then."""
_FRESH_TRIES = 8
"""Replays under names that no run has used, in a run with a name prefix: the definitions of each stay on the target."""
_MARGIN = 0.05
"""Seconds that a pause is longer than it was: of a sum of short waits a little is lost, and what was just late enough is early."""
_REPEAT_SECONDS = 3.0
"""Seconds in which it is sent so often."""
_LATE_SECONDS = 9.0
"""Seconds after which refusals before the last one are no longer waited for."""
NEEDING_CONTROL_ACTIONS: Final = codes_where(lambda rule: rule.needs_control_actions)
"""Codes of the rules that another client which settles actions makes look broken."""


class Replay:
    """Plays exchanges of a run again against the same target."""

    def __init__(
        self,
        client: Client,
        judge: Judge,
        prefix: str,
        *,
        reuses_names: bool = False,
        thrifty: bool = False,
    ) -> None:
        """Prepare replays of one run.

        Args:
            client: sends the requests.
            judge: the judge of the run.
            prefix: begins the names of the run.
            reuses_names: use those names again, as each fresh one would be a definition that stays.
            thrifty: requests are few, so that examples are made smaller at the end of the run only.
        """
        self._client = client
        self._judge = judge
        self._prefix = prefix
        self._reuses_names = reuses_names
        self.thrifty = thrifty
        self.clock = client.clock
        """The clock of the run."""
        self.explained: set[Key] = set()
        """Keys of findings explained because control actions vanished too."""
        self._count = 0
        self._fresh_tries = _FRESH_TRIES
        """How often names that no run has used may still be taken under a name prefix."""
        self._playback: Playback | None = None

    @property
    def played(self) -> tuple[Exchange, ...]:
        """A tuple of the exchanges of the latest replay: one for each of its script as far as it was played, in their order."""
        return () if self._playback is None else self._playback.exchanges

    def confirm(self, finding: Finding, sequence: Sequence[Exchange]) -> Finding | None:
        """Return the finding with a small example; None when it does not show again.

        `sequence` has all exchanges of the sequence that showed it, for when those that are known to lead to it are not
        enough.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        at = next(
            (n for n, one in enumerate(sequence) if one.call == finding.exchanges[-1].call), len(sequence) - 1
        )
        scripts = [finding.exchanges, tuple(sequence[max(0, at - _LONGEST) : at + 1])]
        if self._rests_on_state(finding):
            scripts.insert(0, with_earlier_definitions(finding.exchanges))
        for script in scripts:
            again = self.play(script, finding)
            if again is not None:
                return self._when_all_is_known(again if self.thrifty else self._shrunk(again))
        return self._confirm_anew(finding)

    def _confirm_anew(self, finding: Finding) -> Finding | None:
        """Return the finding if it shows under unused names, where no earlier definition leaves open what is in force."""
        script = with_last_definitions(finding.exchanges)
        if not self._rests_on_state(finding) or script == finding.exchanges or not self._fresh_tries:
            return None
        self._fresh_tries -= 1
        again = self.play(script, finding, patient=False, unused_names=True)
        if again is None:
            return None
        return self._when_all_is_known(again if self.thrifty else self._shrunk_here(again))

    def confirm_example(self, finding: Finding) -> Finding | None:
        """Return the finding if its own exchanges show it, also when all of the target has had the time to know them.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        again = self.play(finding.exchanges, finding)
        return None if again is None else self._when_all_is_known(again)

    def shrink(self, finding: Finding) -> Finding | None:
        """Return a finding that is beyond doubt with a smaller example; None when it does not show again.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        again = self.play(finding.exchanges, finding)
        return None if again is None else self._shrunk(again)

    def shows(self, finding: Finding) -> bool:
        """Say whether a finding shows once more; of a lost action, only where control actions are not lost.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        if finding.rule in NEEDING_CONTROL_ACTIONS:
            return self._play_late(finding) is not None
        return self.play(finding.exchanges, finding) is not None

    def play(
        self,
        script: Sequence[Exchange],
        finding: Finding,
        *,
        patient: bool = True,
        unused_names: bool = False,
    ) -> Finding | None:
        """Play a script and return the finding if it shows; else None.

        With patience a request that was served before the last one is sent again while it is refused; without, the replay
        ends there. `unused_names`: under names that no run has used, whose definitions stay.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        playback = self._begin(finding, unused_names=unused_names)
        may_show_early = not self._rests_on_state(finding)
        for number, earlier in enumerate(script):
            self._pause(script, number)
            last = number + 1 == len(script)
            exchange = playback.send(earlier, patient=patient and not last)
            if not patient and not last and earlier.status < 300 <= exchange.status:
                return None
            again = playback.shown(finding) if last or may_show_early else None
            if again is not None:
                return again
        return None

    def repeat(self, finding: Finding) -> Finding | None:
        """Return the finding if it shows when its exchanges are sent again and again, with how often to send them.

        Definitions that it begins with are put once, as they stay; actions are new ones each time.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        until = self.clock.now() + _REPEAT_SECONDS
        playback = self._begin(finding)
        once = leading_definitions(finding.exchanges)
        for earlier in finding.exchanges[:once]:
            playback.send(earlier, patient=True)
        before, repeated = playback.exchanges, finding.exchanges[once:]
        for _ in range(_REPEATS):
            if self.clock.now() > until:
                return None
            for earlier in repeated:
                playback.send(earlier, patient=False)
            if (again := playback.shown(finding)) is not None:
                last = playback.exchanges[-len(repeated) :]
                return replace(again, exchanges=(*before, *last), times=OFTEN)
        return None

    def _when_all_is_known(self, finding: Finding) -> Finding | None:
        """Return the finding; one that rests on a refusal which may pass, only if it shows when it cannot pass any more."""
        may_pass = finding.question or finding.exchanges[-1].status in FRESH_REFUSALS
        return self._play_late(finding) if may_pass else finding

    def _play_late(self, finding: Finding) -> Finding | None:
        """Return the finding if it shows when all of the target has had the time to know what was made.

        Beside an action that is lost, control actions are made and left alone: where they are lost too, another client
        settles actions here, and may have settled that one (Q2, Q23).
        """
        playback, script, client = self._begin(finding), finding.exchanges, self._client
        with_controls = finding.rule in NEEDING_CONTROL_ACTIONS
        until = self.clock.now() + _LATE_SECONDS
        for number, earlier in enumerate(script):
            self._pause(script, number)
            last = number + 1 == len(script)
            refused = earlier.method == "POST" and earlier.status in FRESH_REFUSALS
            if refused and (last or self.clock.now() < until):
                age = client.now() - playback.began
                controls = playback.similar_actions(script) if last and with_controls else []
                client.wait(
                    max(
                        age if controls else 0.0,
                        playback.made + self._judge.model.fresh_seconds - client.now(),
                    )
                )
                if any(client.send(one).status == 404 for one in controls):
                    self.explained.add(finding.key)
                    return None
            playback.send(earlier, patient=not last)
            if (again := playback.shown(finding)) is not None:
                if not last and with_controls:  # no control action was left alone as long
                    self.explained.add(finding.key)
                    return None
                return again
        return None

    def _rests_on_state(self, finding: Finding) -> bool:
        """Say whether what an earlier run has left under a name that is used again may be what shows a finding."""
        rule = RULES[finding.rule]
        return self._reuses_names and (Verifier.MODEL in rule.verifiers or rule.assertion.compares_answers)

    def _begin(self, finding: Finding, *, unused_names: bool = False) -> Playback:
        self._count += 1
        of_this_run = self._client.trace[:8] if unused_names else ""
        reused = self._reuses_names and not unused_names
        fresh = self._prefix if reused else f"{self._prefix}r{of_this_run}{self._count:x}."
        scratch = self._judge.scratch(finding.question)
        self._playback = Playback(self._client, self._judge, scratch, self._prefix, fresh)
        return self._playback

    def _pause(self, script: Sequence[Exchange], number: int) -> None:
        """Wait as long as the sequence waited before this exchange, if that was on purpose."""
        pause = script[number].waited - script[max(0, number - 1)].waited
        if pause >= SHORTEST_PAUSE:
            self._client.wait(pause + _MARGIN)

    def _shrunk(self, finding: Finding) -> Finding:
        """Return a finding with a smaller example, which shows where no earlier run has left anything.

        Where that cannot be tried, the finding stays as it is: it has just been shown.
        """
        smaller = self._shrunk_here(finding)
        if not self._rests_on_state(finding):
            return smaller
        compares_answers = RULES[finding.rule].assertion.compares_answers
        with suppress(Interference, TimeUp):
            for one in (smaller, finding):
                if self._fresh_tries:
                    self._fresh_tries -= 1
                    again = self.play(one.exchanges, one, unused_names=True)
                    if again is not None:  # a test compares the answers of a new world
                        return again if compares_answers else one
        return finding

    def _shrunk_here(self, finding: Finding) -> Finding:
        return shrinking.shrink(
            finding,
            lambda script, best: self.play(script, best, patient=False),
            self.clock,
            reuses_names=self._reuses_names,
        )


__all__ = ["NEEDING_CONTROL_ACTIONS", "OFTEN", "Replay"]
