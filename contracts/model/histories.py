"""Sequential objects that histories of concurrent calls are compared with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from .linearizability import NO_ANSWER, Call, Outlook, Spec, State

REFUSED: Final = ("refused",)
"""The answer to a put or an ingress that was not accepted."""


@dataclass(frozen=True, slots=True)
class Versions(Spec):
    """One variant whose puts carry no version: each put of a new schema moves it, ingress uses the current one.

    ("put", marker) answers ("ok", version, id) or ("refused",), ("ingress",) answers ("ok", a_ve, a_def_id) or
    ("refused",), with whole numbers for versions. What an ingress without a version uses is stated (B035). That an
    update adds one is an old sentence (B055, Q5), so the step is what the deployment showed. A put may be refused at
    any time and then changes nothing; an ingress is refused only while the variant is not defined (Q6).
    """

    bump: Mapping[str, int | None]
    """"changed" → what a put of another schema adds: 0, 1, or None where each may be either."""
    version: int | None = None
    """The current one before the history; None when the variant is not defined, so that the first put makes 1."""
    stays: bool = False
    """A definition keeps its id when it is updated (Q5); otherwise the ids are not judged here."""
    gaps: bool = False
    """There may have been puts that the history does not tell of."""

    def start(self) -> Iterable[State]:
        """The version, and the id once an answer has told it."""
        return ((self.version, None),)

    def step(self, state: tuple[int | None, Any], op: Any, answer: Any) -> Iterable[State]:
        """A put moves the version, an ingress tells it."""
        version, known = state
        if answer is None:
            moved = op[0] == "put" and not self.gaps
            return {state, *((one, known) for one in self._next(version))} if moved else (state,)
        if answer == REFUSED:
            return (state,) if op[0] == "put" or version is None else ()
        _, told, identity = answer
        if self.stays and known not in (None, identity):
            return ()
        moves = self._put(version, told) if op[0] == "put" else self._shown(version, told)
        return ((told, identity if self.stays else None),) if moves else ()

    def outlook(self, state: tuple[int | None, Any], op: Any, answer: Any) -> Outlook:
        """The version never goes back, and telling it changes nothing."""
        put, version = op[0] == "put", state[0]
        if answer is None or answer == REFUSED:
            if put:
                return Outlook.OPEN if answer is None and not self.gaps else Outlook.NOW
            return Outlook.NOW if answer is None or version is None else Outlook.NEVER
        if version is None:
            return Outlook.OPEN
        if answer[1] < version + (put and (self.bump["changed"] or 0)):
            return Outlook.NEVER
        return Outlook.NOW if answer[1] == version else Outlook.OPEN

    def alike(self, op: Any) -> Hashable:
        """What is put does not matter: it is new each time."""
        kind: Hashable = op[0]
        return kind

    def loose(self) -> Spec | None:
        """With gaps: a duplicate and a step back can be shown by the calls that show them."""
        return None if self.gaps else replace(self, gaps=True)

    def units(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """What moves no version; with gaps each call, as a higher version allows no more than a lower one."""
        return [[one] for one in calls if self.gaps or one.op[0] == "ingress" or one.answer == REFUSED]

    def _next(self, version: int | None) -> tuple[int, ...]:
        if version is None:
            return (1,)
        step = self.bump["changed"]
        return (version, version + 1) if step is None else (version + step,)

    def _put(self, version: int | None, told: int) -> bool:
        if not self.gaps:
            return told in self._next(version)
        return version is None or told >= version + (self.bump["changed"] or 0)

    def _shown(self, version: int | None, told: int) -> bool:
        return told == version or (self.gaps and (version is None or told > version))


Kept = tuple[str, int | None, int]
"""The interpretation, the current number if there is one, and how many calls are to read it before it goes."""


@dataclass(frozen=True, slots=True)
class Explicit(Spec):
    """One variant of which every put names a version of its own, stored as sent (Q5); ingress uses a stored one.

    ("put", number) answers ("ok", number, …) or ("refused",), ("ingress",) answers ("ok", number, …), or
    ("refused",) while nothing is stored.
    """

    latest: Literal["last", "highest"] | None = None
    """Which one is current (B035) after a lower one was put; None when either is taken for all of the history."""
    version: int | None = None
    """The current one before the history, if there is any."""
    reads: Mapping[int | None, int] | None = None
    """How many calls read a number; None when that is not known, or a number is put twice."""

    def start(self) -> Iterable[State]:
        """Nothing, or the version that was there."""
        interpretations = (self.latest,) if self.latest else ("last", "highest")
        return [self._current(interpretation, self.version) for interpretation in interpretations]

    def step(self, state: Kept, op: Any, answer: Any) -> Iterable[State]:
        """A put stores its number, an ingress tells the current one."""
        if op[0] == "ingress":
            return (state,) if answer is None else self._read(state, _number(answer))
        if answer is None:
            return {state, *self._put(state, op[1])}
        if answer == REFUSED:
            return (state,)
        return self._put(state, op[1]) if answer[1] == op[1] else ()

    def outlook(self, state: Kept, op: Any, answer: Any) -> Outlook:
        """Reading changes nothing, nor does a put of what nobody will see; the highest never goes back."""
        interpretation, current, _ = state
        number = op[1] if op[0] == "put" else _number(answer)
        lower = interpretation == "highest" and current is not None and (number is None or number < current)
        if op[0] == "ingress":
            return Outlook.NEVER if lower and answer is not None else Outlook.NOW
        unseen = interpretation == "last" and self.reads is not None and number not in self.reads
        return Outlook.NOW if lower or unseen or answer == REFUSED else Outlook.OPEN

    def knowing(self, calls: Sequence[Call]) -> Spec:
        """The last number stays until all have read it that do: if no number is put twice, it never comes back."""
        puts = [one.op[1] for one in calls if one.op[0] == "put" and one.answer != REFUSED]
        twice = len({*puts, self.version}) <= len(puts)
        told = [one.answer for one in calls if one.op[0] == "ingress" and one.back < NO_ANSWER]
        reads = Counter(_number(answer) for answer in told if answer is not None)
        return replace(self, reads=None if twice else reads)

    def units(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """A put and all that read its number, as each other number stays current where it was; and each ingress."""
        bonds: defaultdict[int | None, list[Call]] = defaultdict(list)
        for one in calls:
            bonds[one.op[1] if one.op[0] == "put" else _number(one.answer)].append(one)
        alone = [[one] for one in calls if one.op[0] == "ingress"]
        return [unit for number, unit in bonds.items() if number is not None] + alone

    def _current(self, interpretation: str, number: int | None) -> Kept:
        if interpretation == "highest" or self.reads is None:
            return interpretation, number, 0
        return self._left(number, self.reads.get(number, 0))

    def _left(self, number: int | None, left: int) -> Kept:
        """What nobody will read is like what nobody has stored."""
        return "last", number if left else None, left

    def _read(self, state: Kept, number: int | None) -> Iterable[Kept]:
        interpretation, current, left = state
        if number != current:
            return ()
        if interpretation == "highest" or self.reads is None:
            return (state,)
        return (self._left(number, left - 1),) if left else ()

    def _put(self, state: Kept, number: int) -> Iterable[Kept]:
        interpretation, current, left = state
        if interpretation == "highest" and current is not None:
            number = max(number, current)
        return () if left else (self._current(interpretation, number),)


def _number(answer: Any) -> int | None:
    """What an ingress told."""
    number: int | None = None if answer is None or answer == REFUSED else answer[1]
    return number


@dataclass(frozen=True, slots=True)
class Settling(Spec):
    """One action whose attempt 0 is held: it is settled once, and only that attempt may do it (B120).

    ("modack", attempt) and ("ack", attempt) answer "ok" or "refused". An attempt that is not the authoritative one is
    refused (B120, B121), and so is an extension of what is settled (B134, Q3). A refusal of the held attempt means
    that somebody else has settled the action, or its lease is over: from then on it is not held. Every call may be
    left out: whatever an action answers that is not held, one that is held may answer, beginning with a refusal.
    """

    second_ack: Literal["refuse", "ok"] | None = None
    """What an ack of a settled action is answered (Q3); None when each may be either."""

    def start(self) -> Iterable[State]:
        """Held."""
        return ("open",)

    def step(self, state: str, op: Any, answer: Any) -> Iterable[State]:
        """Settled by an ack, or lost to somebody else, after which an ack is refused whatever a second one is."""
        verb, attempt = op
        if answer is None:
            return {one for told in ("ok", "refused") for one in self.step(state, op, told)}
        if attempt != 0:
            return (state,) if answer == "refused" else ()
        if state == "open":
            if answer == "ok":
                return ("settled",) if verb == "ack" else ("open",)
            if self.second_ack != "ok":
                return ("settled",)
            return ("lost",) if verb == "ack" else ("settled", "lost")
        if verb == "modack":
            return (state,) if answer == "refused" else ()
        return (state,) if answer in self._again(state) else ()

    def outlook(self, state: str, op: Any, answer: Any) -> Outlook:
        """What leaves the action as it is."""
        held = state == "open" and op[1] == 0
        return Outlook.OPEN if held and (op[0], answer) != ("modack", "ok") else Outlook.NOW

    def units(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """Each call alone, see above."""
        return [[one] for one in calls]

    def _again(self, state: str) -> tuple[str, ...]:
        """What an ack may be answered that comes too late."""
        if state == "lost" or self.second_ack == "refuse":
            return ("refused",)
        return ("ok",) if self.second_ack == "ok" else ("ok", "refused")


__all__ = ["REFUSED", "Explicit", "Kept", "Settling", "Versions"]
