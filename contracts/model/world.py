"""The reference model: what the sources allow a deployment to answer, given all that it answered before.

Times are seconds of one clock, given by the caller. Where sources are open the model takes every interpretation; what a
deployment shows narrows them, and going back on what it has shown is a breach. It never predicts more than all
interpretations that are left agree on.

Here is the world, as far as it was told. What an answer may be, and what it tells, is said by what was asked:
`definitions` (PUT), `work` (POST) and `leases` (signals) are functions on a `Model`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..core.findings import Breach
from .interpretations import QUESTIONS

IN_FORCE: Final = 2.0
"""Seconds that a fresh definition, or a fresh action, may take to be known: nothing says that it is at once."""

MAY_PASS: Final = frozenset({400, 404})
"""Statuses that such a thing may be answered with while not all of the target knows it."""

LONG_ID: Final = 12
"""Digits from which on nobody else has made the same id, and two organisations do not count to it."""

Fit = Callable[[Any, Any], bool | None]
"""Whether a payload keeps a schema; None when that depends on who reads the schema."""


@dataclass(slots=True)
class Definition:
    """What is known of one definition of one organisation."""

    org: str
    variant: str
    ids: frozenset[str]
    """All that were answered for the variant: an update may give a new one (Q5)."""
    version: int
    """The one that was answered last."""
    current: frozenset[int]
    """Versions of which an ingress without one uses one."""
    schemas: dict[int, Any]
    """Version → schema, as far as PUTs have answered them."""
    alias: frozenset[str]
    unattended: bool
    """No destination is linked, so that nobody else settles its actions."""
    since: float
    """When its first PUT was answered."""
    confirmed: bool = False
    """It has accepted work."""
    told: bool = True
    """Nothing happened to it that is not known."""
    shaken: bool = False
    """Another definition was given one of its aliases: whose it is, is open (C5)."""
    found: int = 0
    """The version with which it was found; those below may have been stored by somebody before."""

    @property
    def schema(self) -> Any:
        """What was put last."""
        return self.schemas[self.version]


@dataclass(slots=True)
class Action:
    """What is known of one accepted action."""

    unattended: bool
    since: float
    attempt: int | None = None
    """The attempt whose lease was extended last."""
    lowest: int = 0
    """Attempts below are over: they only go up (B077)."""
    leased_until: float = 0.0
    over_at: float | None = None
    """When that lease is over, if `mod_ack` counts from now."""
    refused: bool = False
    """That attempt was refused later: another one goes on, or somebody has settled the action."""
    ended: bool = False
    """It was acked, or rejected for good, by a signal that was accepted."""
    acked: bool = False
    deferred: bool = False
    waits: bool = False
    """A nack asked for a time that is far away."""


@dataclass(slots=True)
class Model:
    """The world as the deployment has told it."""

    fits: Fit = lambda *_: True
    taken: dict[str, str] = field(default_factory=dict)
    """Open question → the interpretation seen first."""
    interpretations: list[tuple[str, str]] = field(default_factory=list)
    """Questions and the interpretations seen since somebody asked, in order."""
    tested: list[str] = field(default_factory=list)
    """Codes of the rules that could have been broken, in order."""
    definitions: dict[tuple[str, str], Definition] = field(default_factory=dict)
    """(organisation, variant) → definition."""
    organisations: set[str] = field(default_factory=set)
    """Those that have actions."""
    seen: set[str] = field(default_factory=set)
    """Ids of actions that were answered to anybody, whoever has them."""
    actions: dict[tuple[str, str], Action] = field(default_factory=dict)
    """(organisation, action id) → action."""
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, variant) of which definitions may exist that no PUT has shown."""
    reused: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(organisation, variant) of which a definition may be there from an earlier run → whether one PUT tells it."""
    _owners: defaultdict[tuple[str, str], dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """(organisation, alias) → variants that have it, or had it."""
    _letters: dict[tuple[str, str], str] = field(default_factory=dict)
    """(organisation, variant in small letters) → a variant that was defined."""
    by_id: dict[str, dict[str, str]] = field(default_factory=dict)
    """Definition id → organisation → variant."""
    bare: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, action id without the noughts before it)."""
    one_count: bool = False
    """Actions of all organisations are counted together, so that no two have the same id."""

    def scratch(self, without: str | None = None) -> Model:
        """An empty world in which the same interpretations are taken, but for one."""
        taken = {name: answer for name, answer in self.taken.items() if name != without}
        muddled = {place for place, told in self.reused.items() if not told}
        return Model(
            self.fits,
            taken,
            seen=self.seen,
            doubtful=muddled,
            reused=self.reused,
            one_count=self.one_count,
        )

    def note(self, question: str, answer: str) -> list[Breach]:
        """An interpretation was seen; another one than before is a breach where it has to be kept."""
        asked = QUESTIONS[question]
        self.interpretations.append((question, answer))
        breaches = []
        before = self.taken.setdefault(question, answer)
        if asked.kept:
            self.tested.append("READ-1")
        if before != answer and asked.kept:
            title = f"{question[0].upper()}{question[1:]}: {answer}, which was {before} before"
            breaches.append(Breach("READ-1", title, before, answer, question, question))
        for remarked, remark in asked.remarks.items():
            self.tested.append(remark.rule)
            if answer == remarked:
                breaches.append(Breach(remark.rule, remark.title, remark.expected, answer, question))
        return breaches

    def trim(self, most: int) -> None:
        """Forget all actions but the latest."""
        for org, number in list(self.actions)[:-most]:
            del self.actions[org, number]
            self.bare.discard((org, number.lstrip("0")))
        if len(self.seen) > 2 * most:
            self.seen = {number for _, number in self.actions}

    def start_again(self) -> None:
        """The deployment has forgotten everything: nothing that was told holds any more."""
        self.definitions.clear()
        self.actions.clear()

    def store(self, known: Definition, identity: str) -> None:
        """A definition was told, under that id this time; whose its aliases were before is open from now on."""
        self.definitions[known.org, known.variant] = known
        for name in known.alias:
            for other in self.owners(known.org, name):
                other.shaken = other.shaken or other.variant != known.variant
            self._owners[known.org, name][known.variant] = None
        self.by_id.setdefault(identity, {})[known.org] = known.variant
        self._letters[known.org, known.variant.lower()] = known.variant

    def forget(self, org: str, variant: str) -> None:
        """Nobody can say what is stored under a variant."""
        self.definitions.pop((org, variant), None)
        self.doubtful.add((org, variant))
        for owner in self.owners(org, variant):
            owner.shaken = True

    def renew(self, org: str, variant: str, *, told: bool = True) -> None:
        """What is stored under a variant is open until its next PUT, which tells it unless versions went up and down."""
        self.reused[org, variant] = told
        if not told:
            self.forget(org, variant)
            return
        self.definitions.pop((org, variant), None)
        self.doubtful.discard((org, variant))

    def may_exist(self, place: tuple[str, str]) -> bool:
        """Whether a variant that no PUT has shown may be defined."""
        return place in self.doubtful or place in self.reused

    def spelled(self, org: str, name: str) -> str:
        """The variant that was defined last of those that differ from a name by the case of letters; else the name."""
        return self._letters.get((org, name.lower()), name)

    def owners(self, org: str, name: str) -> list[Definition]:
        """Definitions that have a name as an alias."""
        variants = self._owners.get((org, name), {})
        found = (self.definitions.get((org, one)) for one in variants)
        return [one for one in found if one is not None and name in one.alias]


def whole(number: Any) -> int | None:
    """The integer that a JSON number is (9.0 is 9), if it is one."""
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        return None
    return int(number)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: members in any order, 1 and 1.0 alike, true not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or (2**53 < abs(one) < _LARGEST > abs(other) and float(one) == float(other))
    return bool(one == other)


_LARGEST = 2**1023
"""Numbers up to here are equal as far as a double tells (RFC 8259 §6)."""


def wrong(rule: str, member: str, expected: Any, actual: Any, place: str | None = None) -> Breach:
    """An answer has another member than it should have; its place is the member's name by default."""
    return Breach(
        rule,
        f"`{member}` of the answer is not the right one",
        f"{member}: {expected!r}",
        repr(actual),
        member if place is None else place,
    )


__all__ = ["IN_FORCE", "LONG_ID", "MAY_PASS", "Action", "Definition", "Model", "same", "whole", "wrong"]
