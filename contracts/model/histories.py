"""Specifications that histories of concurrent calls are compared with: versions of a variant, and settling an action."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from .linearizability import NO_ANSWER, Call, Specification, State, Timing

REFUSED: Final = ("refused",)
"""The answer to a put or an ingress that was not accepted."""


@dataclass(frozen=True, slots=True)
class ImplicitVersions(Specification):
    """One variant whose puts carry no version: each put of a new schema moves it, ingress uses the current one.

    ("put", marker) answers ("ok", version, id) or ("refused",), ("ingress",) answers ("ok", a_ve, a_def_id) or
    ("refused",), with whole numbers for versions. What an ingress without a version uses is stated (B035). That an
    update adds one is an old sentence (B055, Q5), so the increment is what the deployment showed. A put may be refused
    at any time and then changes nothing; an ingress is refused only while the variant is not defined (Q6).
    """

    increment: int | None
    """What a put of another schema adds to the version: 0, 1, or None where each may be either."""
    version: int | None = None
    """The current one before the history; None when the variant is not defined, so that the first put makes 1."""
    keeps_id: bool = False
    """A definition keeps its id when it is updated (Q5); otherwise the ids are not judged here."""
    has_gaps: bool = False
    """There may have been puts that are not in the history."""

    def start(self) -> Iterable[State]:
        """The version, and the id once an answer has shown it."""
        return ((self.version, None),)

    def step(self, state: tuple[int | None, Any], op: Any, answer: Any) -> Iterable[State]:
        """A put moves the version, an ingress shows it."""
        version, known_id = state
        if answer is None:
            moves = op[0] == "put" and not self.has_gaps
            return {state, *((one, known_id) for one in self._next(version))} if moves else (state,)
        if answer == REFUSED:
            return (state,) if op[0] == "put" or version is None else ()
        _, shown, identity = answer
        if self.keeps_id and known_id not in (None, identity):
            return ()
        allowed = self._may_put(version, shown) if op[0] == "put" else self._may_show(version, shown)
        return ((shown, identity if self.keeps_id else None),) if allowed else ()

    def timing(self, state: tuple[int | None, Any], op: Any, answer: Any) -> Timing:
        """The version never goes back, and showing it changes nothing."""
        is_put, version = op[0] == "put", state[0]
        if answer is None or answer == REFUSED:
            if is_put:
                return Timing.OPEN if answer is None and not self.has_gaps else Timing.NOW
            return Timing.NOW if answer is None or version is None else Timing.NEVER
        if version is None:
            return Timing.OPEN
        if answer[1] < version + (is_put and (self.increment or 0)):
            return Timing.NEVER
        return Timing.NOW if answer[1] == version else Timing.OPEN

    def kind_of(self, op: Any) -> Hashable:
        """Return the verb alone: each call puts something new, so what it puts does not matter."""
        kind: Hashable = op[0]
        return kind

    def relaxed(self) -> Specification | None:
        """Allow gaps: the calls that show a duplicate or a step back show it without the others too."""
        return None if self.has_gaps else replace(self, has_gaps=True)

    def removable(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """Return the calls that change no version; with gaps every call, as a higher version allows no more than a lower one."""
        return [[one] for one in calls if self.has_gaps or one.op[0] == "ingress" or one.answer == REFUSED]

    def _next(self, version: int | None) -> tuple[int, ...]:
        if version is None:
            return (1,)
        step = self.increment
        return (version, version + 1) if step is None else (version + step,)

    def _may_put(self, version: int | None, shown: int) -> bool:
        if not self.has_gaps:
            return shown in self._next(version)
        return version is None or shown >= version + (self.increment or 0)

    def _may_show(self, version: int | None, shown: int) -> bool:
        return shown == version or (self.has_gaps and (version is None or shown > version))


ExplicitState = tuple[str, int | None, int]
"""The interpretation, the current number if there is one, and how many calls are to read it before it goes."""


@dataclass(frozen=True, slots=True)
class ExplicitVersions(Specification):
    """One variant of which every put names a version of its own, stored as sent (Q5); ingress uses a stored one.

    ("put", number) answers ("ok", number, …) or ("refused",), ("ingress",) answers ("ok", number, …), or
    ("refused",) while nothing is stored.
    """

    current: Literal["last", "highest"] | None = None
    """Which one is current (B035) after a lower one was put; None when either is taken for all of the history."""
    version: int | None = None
    """The current one before the history, if there is any."""
    readers: Mapping[int | None, int] | None = None
    """Number → how many calls read it; None when that is not known, or a number is put twice."""

    def start(self) -> Iterable[State]:
        """Nothing, or the version that was there."""
        interpretations = (self.current,) if self.current else ("last", "highest")
        return [self._with_current(interpretation, self.version) for interpretation in interpretations]

    def step(self, state: ExplicitState, op: Any, answer: Any) -> Iterable[State]:
        """A put stores its number, an ingress shows the current one."""
        if op[0] == "ingress":
            return (state,) if answer is None else self._read(state, _number(answer))
        if answer is None:
            return {state, *self._put(state, op[1])}
        if answer == REFUSED:
            return (state,)
        return self._put(state, op[1]) if answer[1] == op[1] else ()

    def timing(self, state: ExplicitState, op: Any, answer: Any) -> Timing:
        """Reading changes nothing, nor does a put that no call reads; the highest number never goes back."""
        interpretation, current, _ = state
        number = op[1] if op[0] == "put" else _number(answer)
        lower = interpretation == "highest" and current is not None and (number is None or number < current)
        if op[0] == "ingress":
            return Timing.NEVER if lower and answer is not None else Timing.NOW
        unread = interpretation == "last" and self.readers is not None and number not in self.readers
        return Timing.NOW if lower or unread or answer == REFUSED else Timing.OPEN

    def specialised(self, calls: Sequence[Call]) -> Specification:
        """The last number stays until all have read it that do: if no number is put twice, it never comes back."""
        puts = [one.op[1] for one in calls if one.op[0] == "put" and one.answer != REFUSED]
        twice = len({*puts, self.version}) <= len(puts)
        answers = [one.answer for one in calls if one.op[0] == "ingress" and one.back < NO_ANSWER]
        readers = Counter(_number(answer) for answer in answers if answer is not None)
        return replace(self, readers=None if twice else readers)

    def removable(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """A put and all that read its number, as each other number stays current where it was; and each ingress."""
        by_number: defaultdict[int | None, list[Call]] = defaultdict(list)
        for one in calls:
            by_number[one.op[1] if one.op[0] == "put" else _number(one.answer)].append(one)
        alone = [[one] for one in calls if one.op[0] == "ingress"]
        return [group for number, group in by_number.items() if number is not None] + alone

    def _with_current(self, interpretation: str, number: int | None) -> ExplicitState:
        if interpretation == "highest" or self.readers is None:
            return interpretation, number, 0
        return self._with_readers(number, self.readers.get(number, 0))

    def _with_readers(self, number: int | None, left: int) -> ExplicitState:
        """The state with a number that so many calls will read; one that none will read is like none at all."""
        return "last", number if left else None, left

    def _read(self, state: ExplicitState, number: int | None) -> Iterable[ExplicitState]:
        interpretation, current, left = state
        if number != current:
            return ()
        if interpretation == "highest" or self.readers is None:
            return (state,)
        return (self._with_readers(number, left - 1),) if left else ()

    def _put(self, state: ExplicitState, number: int) -> Iterable[ExplicitState]:
        interpretation, current, left = state
        if interpretation == "highest" and current is not None:
            number = max(number, current)
        return () if left else (self._with_current(interpretation, number),)


def _number(answer: Any) -> int | None:
    """The number that an ingress has shown."""
    number: int | None = None if answer is None or answer == REFUSED else answer[1]
    return number


@dataclass(frozen=True, slots=True)
class Settlement(Specification):
    """One action whose attempt 0 is held: it is settled once, and only that attempt may do it (B120).

    ("modack", attempt) and ("ack", attempt) answer "ok" or "refused". An attempt that is not the authoritative one is
    refused (B120, B121), and so is an extension of what is settled (B134, Q3). A refusal of the held attempt means
    that another client has settled the action, or its lease is over: from then on it is not held. Every call may be
    left out: whatever an action answers that is not held, one that is held may answer, beginning with a refusal.
    """

    second_ack: Literal["refuse", "ok"] | None = None
    """What an ack of a settled action is answered (Q3); None when each may be either."""

    def start(self) -> Iterable[State]:
        """Held."""
        return ("open",)

    def step(self, state: str, op: Any, answer: Any) -> Iterable[State]:
        """Settled by an ack, or lost to another client; then an ack is refused, whatever a second one is answered."""
        verb, attempt = op
        if answer is None:
            return {one for either in ("ok", "refused") for one in self.step(state, op, either)}
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
        return (state,) if answer in self._answers_to_late_ack(state) else ()

    def timing(self, state: str, op: Any, answer: Any) -> Timing:
        """Tell that a call which leaves the action as it is may be the next one."""
        held = state == "open" and op[1] == 0
        return Timing.OPEN if held and (op[0], answer) != ("modack", "ok") else Timing.NOW

    def removable(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """Return each call as a group of its own, as any call may be left out."""
        return [[one] for one in calls]

    def _answers_to_late_ack(self, state: str) -> tuple[str, ...]:
        """Return the answers that an ack may get when it comes too late."""
        if state == "lost" or self.second_ack == "refuse":
            return ("refused",)
        return ("ok",) if self.second_ack == "ok" else ("ok", "refused")


__all__ = ["REFUSED", "ExplicitState", "ExplicitVersions", "ImplicitVersions", "Settlement"]
