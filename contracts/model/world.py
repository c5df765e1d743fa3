"""What is known of a deployment's definitions and actions, given all that it has answered so far.

Times are seconds of one clock, given by the caller. Where the sources are open the model takes every interpretation.
What a deployment shows narrows them, and going back on it is a breach. The model never predicts more than all
interpretations that are left agree on.

This module keeps the state. What an answer may be, and what it tells, depends on the request: `definitions` (PUT),
`ingress` (POST of work) and `signals` (modack, ack, nack, defer) are functions on a `Model`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..core.findings import Breach
from .interpretations import QUESTIONS

FRESH_SECONDS: Final = 2.0
"""Seconds that a new definition or action may take until all of the target knows it, unless the user says otherwise: no source
says that it is known at once."""

FRESH_REFUSALS: Final = frozenset({400, 404})
"""Statuses with which a target may refuse what is not yet known everywhere."""

UNIQUE_ID_DIGITS: Final = 12
"""Digits of an id from which on another client cannot have got the same one, nor another organisation counted to it."""

FAR_BEYOND: Final = 1_000_000
"""Ids beyond the latest one from which on other clients cannot have come to an id while a run goes on."""
_MOST_DIGITS: Final = 100
"""Digits of an id that is compared with those next to it: no sequence of ids has more."""
_NEAR: Final = 3
"""Ids of a sequence that may be left out between two that are answered, as other clients get them."""

Fit = Callable[[Any, Any], bool | None]
"""Tells whether a payload (second) keeps a schema (first); None when validators differ."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What is known of one definition of one organisation."""

    org: str
    variant: str
    ids: frozenset[str]
    """All that were answered for the variant: an update may give a new one (Q5)."""
    version: int
    """The version that was answered last."""
    current_versions: frozenset[int]
    """An ingress that names no version uses one of these."""
    schemas: Mapping[int, Any]
    """Version → schema, as far as PUTs have answered them."""
    alias: frozenset[str]
    unattended: bool
    """No destination is linked, so that only clients with its key settle its actions."""
    defined_at: float
    """When its first PUT was answered."""
    has_accepted_work: bool = False
    fully_known: bool = True
    """Nothing has happened to it whose outcome is open."""
    alias_list: tuple[str, ...] = ()
    """The aliases as the last answer lists them: a list in another order, or with doubles, may be a change (Q5)."""
    alias_contested: bool = False
    """Another definition was given one of its aliases: which of them has it, is open (C5)."""
    first_seen_version: int = 0
    """The version that its first PUT found; earlier runs may have stored those below."""

    @property
    def schema(self) -> Any:
        """The schema that was put last."""
        return self.schemas[self.version]


@dataclass(frozen=True, slots=True)
class Action:
    """What is known of one accepted action."""

    unattended: bool
    """As `Definition.unattended`."""
    accepted_at: float
    attempt: int | None = None
    """The attempt whose lease was extended last."""
    lowest_attempt: int = 0
    """Attempts below are over, as attempts only go up (B077)."""
    leased_until: float = 0.0
    """Until when that attempt is certain to hold the lease."""
    lease_end_from_now: float | None = None
    """When that lease ends, if `mod_ack` counts from now (Q8)."""
    was_refused: bool = False
    """That attempt was refused later: another one goes on, or another client has settled the action."""
    ended: bool = False
    """A signal that was accepted has acked it, or rejected it for good."""
    acked: bool = False
    deferred: bool = False
    retry_is_far: bool = False
    """A nack asked for a time that is far away."""


@dataclass(frozen=True, slots=True)
class Observations:
    """What the model has noticed beside breaches."""

    interpretations: tuple[tuple[str, str], ...]
    """Pairs of an open question and the answer that was shown, in order."""
    tested: tuple[str, ...]
    """Codes of the rules that could have been broken, in order."""


@dataclass(slots=True)
class Model:
    """The state of a deployment as its answers have shown it."""

    fits: Fit = lambda *_: True
    first_answers: dict[str, str] = field(default_factory=dict)
    """Open question → the answer that was shown first."""
    definitions: dict[tuple[str, str], Definition] = field(default_factory=dict)
    """(organisation, variant) → definition."""
    actions: dict[tuple[str, str], Action] = field(default_factory=dict)
    """(organisation, action id) → action."""
    issued_ids: set[str] = field(default_factory=set)
    """Ids of actions that were answered to any request, whichever organisation has them."""
    organisations: set[str] = field(default_factory=set)
    """Those that have actions."""
    possibly_defined: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, variant) of which a definition may exist that no PUT has shown."""
    from_earlier_runs: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(organisation, variant) of which an earlier run may have left a definition → whether the next PUT settles it."""
    has_forgotten_names: bool = False
    """Names of definitions were forgotten for want of room, so that any name may be defined."""
    ids_are_shared: bool = False
    """Actions of all organisations are counted together, so that no two have the same id."""
    ids_are_counted: bool = False
    """Actions have short ids that are counted upwards, so that an id far beyond the latest one was never issued."""
    fresh_seconds: float = FRESH_SECONDS
    """Seconds that this deployment may take until all of it knows what was made."""
    longest_id: str = ""
    """The longest id that an action was given; a replay begins without, as its example has to show it."""
    by_id: dict[str, dict[str, str]] = field(default_factory=dict)
    """Definition id → organisation → variant."""
    _used: dict[tuple[str, str], None] = field(default_factory=dict)
    """(organisation, variant) of each definition, the one that was used last at the end."""
    _ids_without_zeros: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, action id without its leading zeros)."""
    _by_alias: defaultdict[tuple[str, str], dict[str, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """(organisation, alias) → variants that have it, or had it."""
    _by_lower_case: dict[tuple[str, str], str] = field(default_factory=dict)
    """(organisation, variant in lower case) → a variant that was defined."""
    _shown: list[tuple[str, str]] = field(default_factory=list)
    _tested: list[str] = field(default_factory=list)

    def scratch(self, without: str | None = None) -> Model:
        """Make an empty world that knows the same interpretations, except the one of the question `without`."""
        first_answers = {name: answer for name, answer in self.first_answers.items() if name != without}
        unsettled = {place for place, settled in self.from_earlier_runs.items() if not settled}
        return Model(
            self.fits,
            first_answers,
            issued_ids=self.issued_ids,
            possibly_defined=unsettled,
            from_earlier_runs=self.from_earlier_runs,
            ids_are_shared=self.ids_are_shared,
            ids_are_counted=self.ids_are_counted,
            fresh_seconds=self.fresh_seconds,
        )

    def note(self, question: str, answer: str) -> list[Breach]:
        """Write down an answer to an open question; return the breaches.

        A different answer than the first one is a breach where the question is binding, and some answers deserve a
        warning.
        """
        asked = QUESTIONS[question]
        self._shown.append((question, answer))
        breaches = []
        before = self.first_answers.setdefault(question, answer)
        if asked.binding:
            self.mark_tested("READ-1")
        if before != answer and asked.binding:
            title = f"{question[0].upper()}{question[1:]}: {answer}, which was {before} before"
            breaches.append(Breach("READ-1", title, before, answer, question, question, "two answers"))
        for warned_of, warning in asked.warnings.items():
            self.mark_tested(warning.rule)
            if answer == warned_of:
                breaches.append(Breach(warning.rule, warning.title, warning.expected, answer, question))
        return breaches

    def mark_tested(self, *rules: str) -> None:
        """Write down that rules could have been broken."""
        self._tested += rules

    def take_observations(self) -> Observations:
        """Hand over what was noticed since the last time."""
        taken = Observations(tuple(self._shown), tuple(self._tested))
        self._shown.clear()
        self._tested.clear()
        return taken

    def trim(self, most: int) -> None:
        """Keep only the latest actions and definitions, `most` of each, and what is known of their names and ids.

        Names that were forgotten may be defined: nothing is told from work for them.
        """
        for org, number in list(self.actions)[:-most]:
            del self.actions[org, number]
            self._ids_without_zeros.discard((org, number.lstrip("0")))
        if len(self.issued_ids) > 2 * most:
            self.issued_ids = {number for _, number in self.actions}
        if len(self.definitions) > most or len(self.possibly_defined) > most:
            self._trim_names(most)

    def _trim_names(self, most: int) -> None:
        self.has_forgotten_names = True
        self._used = dict.fromkeys([place for place in self._used if place in self.definitions][-most:])
        self.definitions = {place: one for place, one in self.definitions.items() if place in self._used}
        self.possibly_defined.clear()
        self.by_id.clear()
        self._by_alias.clear()
        self._by_lower_case.clear()
        for (org, variant), known in self.definitions.items():
            for identity in known.ids:
                self.by_id.setdefault(identity, {})[org] = variant
            for name in known.alias:
                self._by_alias[org, name][variant] = None
            self._by_lower_case[org, variant.lower()] = variant

    def start_again(self) -> None:
        """Forget all definitions and actions, as the deployment has."""
        self.definitions.clear()
        self.actions.clear()
        self.by_id.clear()
        self._ids_without_zeros.clear()
        self._by_alias.clear()
        self._by_lower_case.clear()

    def store(self, definition: Definition, identity: str) -> None:
        """Keep what a PUT has shown, answered with the definition id `identity`.

        Which definition has its aliases is open for those that had them before.
        """
        self.definitions[definition.org, definition.variant] = definition
        self._note_use(definition.org, definition.variant)
        for name in definition.alias:
            for other in self.definitions_with_alias(definition.org, name):
                if other.variant != definition.variant:
                    self._contest(other)
            self._by_alias[definition.org, name][definition.variant] = None
        self.by_id.setdefault(identity, {})[definition.org] = definition.variant
        self._by_lower_case[definition.org, definition.variant.lower()] = definition.variant

    def _note_use(self, org: str, variant: str) -> None:
        """Write down which definition was used last, so that one which is used all the time is never forgotten."""
        self._used.pop((org, variant), None)
        self._used[org, variant] = None

    def forget(self, org: str, variant: str) -> None:
        """Leave open what is stored under a variant: a request may have changed it."""
        self.definitions.pop((org, variant), None)
        self.possibly_defined.add((org, variant))
        for owner in self.definitions_with_alias(org, variant):
            self._contest(owner)

    def leave_open(self, org: str, number: str) -> None:
        """Leave open whether an action goes on, and with which attempt: a signal for it may have had an effect."""
        if (org, number) in self.actions:
            known = self.actions[org, number]
            self.actions[org, number] = replace(
                known, unattended=False, was_refused=True, deferred=False, retry_is_far=False
            )

    def reopen(self, org: str, variant: str, *, next_put_settles: bool = True) -> None:
        """Leave open what an earlier run has stored under a variant.

        The next PUT settles it, unless versions were put upwards and downwards.
        """
        self.from_earlier_runs[org, variant] = next_put_settles
        if not next_put_settles:
            self.forget(org, variant)
            return
        self.definitions.pop((org, variant), None)
        self.possibly_defined.discard((org, variant))

    def may_exist(self, place: tuple[str, str]) -> bool:
        """Whether a variant that no PUT has shown may be defined; `place` is (organisation, variant)."""
        return self.has_forgotten_names or place in self.possibly_defined or place in self.from_earlier_runs

    def in_defined_case(self, org: str, name: str) -> str:
        """The variant that was defined last among those equal to a name but for the case of letters; else the name."""
        return self._by_lower_case.get((org, name.lower()), name)

    def variant_with_id(self, org: str, identity: Any) -> str | None:
        """The variant whose definition was last answered with an id; None where no definition of the organisation was."""
        return self.by_id.get(identity, {}).get(org) if isinstance(identity, str) else None

    def is_beyond_the_counter(self, number: str) -> bool:
        """Whether a short id was never issued: the organisation's ids are counted, and have not come near it."""
        if not (self.ids_are_counted and number.isascii() and number.isdigit()):
            return False
        issued = (one for one in self.issued_ids if one.isascii() and one.isdigit())
        latest = max((int(one) for one in issued if len(one) < UNIQUE_ID_DIGITS), default=0)
        return int(number) > latest + FAR_BEYOND

    def owner_of_action(self, org: str, number: str) -> str | None:
        """Another organisation that has an action of the same id, where the id can only be of one; else None."""
        others = (one for one in self.organisations if one != org and (one, number) in self.actions)
        owner = next(others, None)
        return owner if owner is not None and self.is_of_one_organisation(number) else None

    def is_of_one_organisation(self, number: str) -> bool:
        """Whether two organisations cannot have come to an id each for itself.

        It is long, and no id next to it was answered: it is no number of a sequence that begins with a high one.
        """
        digits = number.lstrip("0")
        if (
            not digits.isascii()
            or not digits.isdigit()
            or not UNIQUE_ID_DIGITS <= len(digits) <= _MOST_DIGITS
        ):
            return False
        near = (f"{int(digits) + step}" for step in range(-_NEAR, _NEAR + 1) if step)
        return self.issued_ids.isdisjoint(near)

    def definitions_with_alias(self, org: str, name: str) -> list[Definition]:
        """Definitions that have a name as an alias."""
        variants = self._by_alias.get((org, name), {})
        found = (self.definitions.get((org, variant)) for variant in variants)
        return [one for one in found if one is not None and name in one.alias]

    def has_had_alias(self, org: str, variant: str, name: str) -> bool:
        """Whether the definition of a variant has a name as an alias, or had it."""
        return variant in self._by_alias.get((org, name), {})

    def note_accepted_work(self, org: str, variant: str) -> None:
        """Write down that a definition has accepted work."""
        if (known := self.definitions.get((org, variant))) is not None:
            self.definitions[org, variant] = replace(known, has_accepted_work=True)
            self._note_use(org, variant)

    def note_current_version(self, definition: Definition, version: int) -> None:
        """Write down which version an ingress without one uses."""
        place = definition.org, definition.variant
        self.definitions[place] = replace(self.definitions[place], current_versions=frozenset({version}))

    def add_action(self, org: str, number: str, action: Action) -> None:
        """Keep an action that was accepted."""
        self.actions[org, number] = action
        self._ids_without_zeros.add((org, number.lstrip("0")))

    def differs_by_zeros(self, org: str, number: str) -> bool:
        """Whether an id is that of an action but for the zeros before it."""
        return (org, number.lstrip("0")) in self._ids_without_zeros

    def _contest(self, definition: Definition) -> None:
        self.definitions[definition.org, definition.variant] = replace(definition, alias_contested=True)


def as_integer(number: Any) -> int | None:
    """The integer that a JSON number is (9.0 is 9); None when it is none."""
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        return None
    return int(number)


def equal_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: members in any order, 1 and 1.0 alike, true not 1.

    Pair by pair, as an answer may be as deep as a request, and Python recurses no further than some 500 levels.
    """
    pairs = [(one, other)]
    while pairs:
        mine, theirs = pairs.pop()
        if isinstance(mine, dict) and isinstance(theirs, dict):
            if mine.keys() != theirs.keys():
                return False
            pairs += ((mine[name], theirs[name]) for name in mine)
        elif isinstance(mine, list) and isinstance(theirs, list):
            if len(mine) != len(theirs):
                return False
            pairs += zip(mine, theirs, strict=True)
        elif not _equal_scalars(mine, theirs):
            return False
    return True


def _equal_scalars(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or (_EXACT < abs(one) < _LARGEST > abs(other) and float(one) == float(other))
    return bool(one == other)


_EXACT: Final = 2**53
"""Integers up to here have a double of their own (RFC 8259 §6)."""
_LARGEST: Final = 2**1023
"""Numbers up to here have a double that is near them; larger ones may have none."""


_SHOWN: Final = 15_000
"""Characters that are kept of a wrong value: fifty for each that is shown, as keys and blanks in it are shortened first."""


def wrong_member(rule: str, member: str, expected: Any, actual: Any, place: str | None = None) -> Breach:
    """Say that an answer has another value of a member than it should have; its place is the member by default."""
    return Breach(
        rule,
        f"`{member}` of the answer is not the right one",
        f"{member}: {expected!r}",
        repr(actual)[:_SHOWN],
        member if place is None else place,
    )


__all__ = [
    "FAR_BEYOND",
    "FRESH_REFUSALS",
    "FRESH_SECONDS",
    "UNIQUE_ID_DIGITS",
    "Action",
    "Definition",
    "Fit",
    "Model",
    "Observations",
    "as_integer",
    "equal_json",
    "wrong_member",
]
