"""Plays what led to a finding again, from nothing and under fresh names, and makes it as short as it can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..checks.facts import action_id, definition_names, request_value
from ..core.curl import SHORTEST_PAUSE
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.rules import codes_where
from ..model.world import FRESH_REFUSALS, FRESH_SECONDS
from ..oracle.judge import Judge
from ..transport.client import Client, Request, TimeUp
from ..transport.interference import Interference
from .renaming import _renamer, _rewritten, names_of

_LONGEST = 100
"""Exchanges of a sequence that are played again."""
_TRIES, _PATIENCE, _OFTEN = 40, 3.0, 150
"""Replays that one finding is worth, and the seconds; how often one that is rare is asked for again."""
NEEDING_CONTROL_ACTIONS = codes_where(lambda rule: rule.needs_control_actions)
"""Codes of the rules that another client which settles actions makes look broken."""
_NOBODYS = "9" * 18
"""Stands for an action that is not made in the script: from nothing there is none."""
_OTHERS = 10
"""Actions that are let alone beside one that is lost."""


class Replay:
    """Repeats exchanges of a run against the same target."""

    def __init__(
        self,
        client: Client,
        judge: Judge,
        prefix: str,
        *,
        reuses_names: bool = False,
        thrifty: bool = False,
    ) -> None:
        self._client = client
        self._judge = judge
        self._prefix = prefix
        self.clock = client.clock
        self._reuses_names = reuses_names
        """Whether the names of the run are used again, as each other one would be a definition that stays."""
        self._count = 0
        self.excused: set[tuple[str, str]] = set()
        """Findings that are no wonder, as others like them have ends of their own."""
        self.thrifty = thrifty
        """Whether examples are made short at the end only, as requests are few."""

    def confirm(self, finding: Finding, whole: Sequence[Exchange]) -> Finding | None:
        """The finding with the shortest way to it that was found; None when it did not show again.

        `whole` is the sequence in which it came up, for when what is known to lead to it is not enough.

        Raises:
            Interference, TimeUp: it could not be tried.
        """
        at = next(
            (n for n, one in enumerate(whole) if one.call == finding.exchanges[-1].call), len(whole) - 1
        )
        for script in (finding.exchanges, tuple(whole[max(0, at - _LONGEST) : at + 1])):
            again = self.play(script, finding)
            if again is not None:
                return self._in_time(again if self.thrifty else self._shortened(again))
        return None

    def shorter(self, finding: Finding) -> Finding | None:
        """A finding that is beyond doubt, with the shortest way to it that was found.

        Raises:
            Interference, TimeUp: it could not be tried.
        """
        again = self.play(finding.exchanges, finding)
        return None if again is None else self._shortened(again)

    def again(self, finding: Finding) -> Finding | None:
        """The finding, if its own exchanges show it, and also when all of the target has had the time to know them.

        Raises:
            Interference, TimeUp: it could not be tried.
        """
        again = self.play(finding.exchanges, finding)
        return None if again is None else self._in_time(again)

    def _in_time(self, finding: Finding) -> Finding | None:
        """The finding; if it rests on what may pass, only if it shows when all of the target has had time to know."""
        late = finding.question or finding.exchanges[-1].status in FRESH_REFUSALS
        return self._once_more(finding) if late else finding

    def shows(self, finding: Finding) -> bool:
        """Whether a finding shows once more; of what is lost, only where others that were let alone are not.

        Raises:
            Interference, TimeUp: it could not be tried.
        """
        if finding.rule in NEEDING_CONTROL_ACTIONS:
            return self._once_more(finding) is not None
        return self.play(finding.exchanges, finding) is not None

    def play(self, script: Sequence[Exchange], finding: Finding, *, patient: bool = True) -> Finding | None:
        """Play a script; the same finding, if it comes up. Without patience it ends where an answer is another one."""
        playing = self._begun(finding)
        for number, one in enumerate(script):
            self._pause(script, number)
            last = number + 1 == len(script)
            exchange = playing.send(one, patient=patient and not last)
            if not patient and not last and one.status < 300 <= exchange.status:
                return None
            if (again := playing.shows(finding)) is not None:
                return again
        return None

    def _once_more(self, finding: Finding) -> Finding | None:
        """The finding, if it shows when all of the target has had the time to know what was made.

        Beside an action that is lost others are let alone: where they are lost too, somebody settles actions here, and
        may have settled that one (Q2, Q23).
        """
        playing, script = self._begun(finding), finding.exchanges
        until = self._client.clock.now() + 3 * _PATIENCE
        for number, one in enumerate(script):
            self._pause(script, number)
            last = number + 1 == len(script)
            if (
                one.method == "POST"
                and one.status in FRESH_REFUSALS
                and (last or self._client.clock.now() < until)
            ):
                age = self._client.now() - playing.began
                others = playing.alike(script) if last and finding.rule in NEEDING_CONTROL_ACTIONS else []
                self._client.wait(
                    max(age if others else 0.0, playing.made + FRESH_SECONDS - self._client.now())
                )
                if any(self._client.send(other).status == 404 for other in others):
                    self.excused.add(finding.key)
                    return None
            playing.send(one, patient=not last)
            if (again := playing.shows(finding)) is not None:
                if not last and finding.rule in NEEDING_CONTROL_ACTIONS:  # before others were let alone
                    self.excused.add(finding.key)
                    return None
                return again
        return None

    def _begun(self, finding: Finding) -> _Playing:
        self._count += 1
        fresh = self._prefix if self._reuses_names else f"{self._prefix}r{self._count:x}."
        return _Playing(self._client, self._judge, self._judge.scratch(finding.question), self._prefix, fresh)

    def _pause(self, script: Sequence[Exchange], number: int) -> None:
        pause = script[number].waited - script[max(0, number - 1)].waited
        if pause >= SHORTEST_PAUSE:
            self._client.wait(pause)

    def often(self, finding: Finding) -> Finding | None:
        """The finding, if it shows when its last exchange is sent again and again."""
        until = self._client.clock.now() + _PATIENCE
        for _ in range(_OFTEN):
            if self._client.clock.now() > until:
                return None
            again = self.play(finding.exchanges[-1:], finding)
            if again is not None:
                return replace(again, times=2 * _OFTEN)
        return None

    def _shortened(self, finding: Finding) -> Finding:
        """Without every exchange that is not needed."""
        best, tries, until = finding, 0, self._client.clock.now() + _PATIENCE
        size = len(best.exchanges)
        while size > 1:
            size, at = size // 2, 0
            while at < len(best.exchanges) - 1 and tries < _TRIES and self._client.clock.now() < until:
                script = best.exchanges[:at] + best.exchanges[min(at + size, len(best.exchanges) - 1) :]
                if self._reuses_names and not _unmade(script) <= _unmade(
                    best.exchanges
                ):  # it is there, in this name prefix
                    at += size
                    continue
                tries += 1
                try:
                    again = self.play(script, best, patient=False)
                except (Interference, TimeUp):
                    return best
                if again is None:
                    at += size
                else:
                    best = again
        return best


class _Playing:
    """A script that is being played under names of its own."""

    def __init__(self, client: Client, run: Judge, judge: Judge, prefix: str, fresh: str) -> None:
        self._client = client
        self._run = run
        self._judge = judge
        self._prefix = prefix
        self._fresh = fresh
        self._ids: dict[str, str] = {}
        self._played: list[Exchange] = []
        self._suspicions: tuple[Finding, ...] = ()
        """Those of the exchange that was sent last."""
        self.began = client.now()
        self.made = -math.inf
        """When a definition or an action was made last."""

    def send(self, one: Exchange, *, patient: bool) -> Exchange:
        """Send what an exchange has sent; with patience what was served then is asked for until it is."""
        asked = _asked_for(one)
        made_before = asked in self._judge.model.issued_ids and asked not in self._ids
        request = self._request(one, {**self._ids, str(asked): _NOBODYS} if made_before else self._ids)
        if self._fresh == self._prefix:
            self._run.renew(one)
        exchange = self._client.send(request, one.waited)
        began = self._client.clock.now()
        while (
            patient
            and not made_before
            and one.status < 300
            and exchange.status in FRESH_REFUSALS
            and self._client.clock.now() < began + FRESH_SECONDS
        ):
            self._client.clock.wait(0.2)
            exchange = self._client.send(request, one.waited)
        self._suspicions = self._judge.observe(exchange).suspicions
        self._played.append(exchange)
        if exchange.made:
            self.made = exchange.back
        old, new = _number(one), _number(exchange)
        if old and new:
            self._ids[old] = new
        return exchange

    def shows(self, finding: Finding) -> Finding | None:
        """The finding, if what was sent last has brought it up."""
        for found in (*self._judge.ledger.all(), *self._suspicions):
            if found.id == finding.id:
                return replace(found, exchanges=tuple(self._played))
        return None

    def alike(self, script: Sequence[Exchange]) -> list[Request]:
        """Signals for actions that are made like the one which a script asks for last, and that nobody touches."""
        number = _asked_for(script[-1]) or ""
        made = [one for one in script if number and _number(one) == number]
        asked = [one for one in script[:-1] if _asked_for(one) == number and one.status == 200]
        if not (made and asked):
            return []
        for one in script:
            if one.method == "PUT":  # which may be lost as well
                self._client.send(self._request(one, self._ids))
        others = [self._client.send(self._request(made[0], self._ids)) for _ in range(_OTHERS)]
        return [self._request(asked[0], {number: new}) for one in others if (new := _number(one))]

    def _request(self, one: Exchange, ids: dict[str, str]) -> Request:
        """The same request, with names and ids of this replay."""
        rename = _renamer(self._prefix, self._fresh, ids)
        base = self._client.target.base_of(self._judge.context.path_of(one.url))
        path = names_of(self._prefix).sub(self._fresh, one.url[len(base) :])
        return Request(one.method, path, one.headers, _rewritten(one.body, rename, self._fresh), one.chunks)


def _asked_for(exchange: Exchange) -> str | None:
    """The id of the action that a signal is for."""
    return action_id(request_value(exchange))


def _number(exchange: Exchange) -> str:
    """The id that an action was given, in digits; nothing where there is none."""
    number = exchange.data().get("a_id")
    return number if isinstance(number, str) and number.isascii() and number.isdigit() else ""


def _unmade(script: Sequence[Exchange]) -> set[str]:
    """Names under which work is posted, and that the script itself has not put."""
    made: set[str] = set()
    unmade: set[str] = set()
    for one in script:
        if one.method == "PUT":
            made |= set(definition_names(request_value(one)))
        elif one.method == "POST" and one.segment not in made:
            unmade.add(one.segment)
    return unmade


def hasty(finding: Finding) -> bool:
    """Whether it rests on a refusal of something that was so fresh that not all of a target need have known it."""
    made: dict[tuple[str | None, Any], float] = {}
    for one in finding.exchanges:
        key = one.sent("x-arklow-auth") or one.sent("authorization")
        names = (one.segment, _asked_for(one))
        if one.status in FRESH_REFUSALS and any(
            one.call < made.get((key, name), -math.inf) + FRESH_SECONDS for name in names
        ):
            return True
        if one.made and one.method == "PUT":
            made |= {(key, name): one.back for name in definition_names(request_value(one))}
        elif _number(one):
            made[key, _number(one)] = one.back
    return False


__all__ = ["NEEDING_CONTROL_ACTIONS", "Replay", "hasty"]
