"""Whether concurrent calls can be explained one after the other: linearizability, judged key by key.

A call takes effect at one moment between its request and its answer. A history is possible if such moments exist
that a sequential specification allows all the answers; the checker looks for them (Wing and Gong 1993, with Lowe's
just-in-time order and memo, 2017). A correct deployment has a possible history, so an impossible one is proof,
and nothing else is: calls of equal times overlap, calls without an answer may have taken effect at any later time
or never, and a search that its budget cut off proves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final, Protocol

BUDGET: Final = 1_000_000
"""Steps that a search may take: one or two seconds."""

NO_ANSWER: Final = float("inf")
"""The time of an answer that never came."""

State = Hashable


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what came of it."""

    key: Hashable
    """What it was about: (organisation, variant), or the id of an action. Keys are independent of each other."""
    call: float
    """When it was about to be sent, in seconds of one clock."""
    back: float
    """When the answer was read; infinite when none came."""
    op: Any
    """What was asked."""
    answer: Any
    """What was answered; None when that is not known."""


class Timing(Enum):
    """What a specification knows of when a call takes effect that is under way."""

    NOW = auto()
    """If it can be next it may be next: no possible history is lost by that."""
    NEVER = auto()
    """It cannot be next, neither in this state nor in any that may follow."""
    OPEN = auto()
    """Neither is known."""


class Specification(Protocol):
    """What a key may answer if it is asked one call at a time.

    `start` and `step` say what is possible. The other methods say what need not be searched, and what an explanation can
    do without; as they are here they say nothing.
    """

    def start(self) -> Iterable[State]:
        """Return the states that the key may be in before the history."""
        ...

    def step(self, state: Any, op: Any, answer: Any) -> Iterable[State]:
        """Return every state that the call may lead to; none if it cannot have this answer. An answer of None may be any."""
        ...

    def timing(self, state: Any, op: Any, answer: Any) -> Timing:
        """When the call takes effect."""
        return Timing.OPEN

    def kind_of(self, op: Any) -> Hashable:
        """Operations of the same kind do the same in every state."""
        kind: Hashable = op
        return kind

    def specialised(self, calls: Sequence[Call]) -> Specification:
        """The same for a history of these calls alone: it need not allow what leads nowhere with them."""
        return self

    def relaxed(self) -> Specification | None:
        """A specification that allows whatever this one does, and of which more calls may be left out."""
        return None

    def removable(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """Groups of calls: without a whole group, any possible history of all these calls stays possible."""
        return ()


@dataclass(frozen=True)
class HistoryVerdict:
    """What a history shows."""

    ok: bool = True
    """No key is shown to be impossible."""
    key: Hashable | None = None
    """Of the impossible keys, the one with the fewest calls."""
    core: tuple[Call, ...] = ()
    """Calls of that key that are impossible alone, in the order in which they were sent; a call that was still under
    way when that showed is there as one without an answer. See `_core`."""
    undecided: bool = False
    """The budget ended before all was searched, and what was searched shows nothing impossible."""


def check_history(
    history: Iterable[Call], specification: Specification, budget: int = BUDGET
) -> HistoryVerdict:
    """Judge every key, those with few calls first.

    Args:
        history: calls of any number of keys, in any order.
        specification: what each key may answer.
        budget: steps for all keys together, and as many again for the core.
    """
    keys: defaultdict[Hashable, list[Call]] = defaultdict(list)
    for call in history:
        keys[call.key].append(call)
    left, undecided = budget, False
    for key, calls in sorted(keys.items(), key=lambda item: len(item[1])):
        found = _search(calls, specification, left)
        left -= found.steps
        if found.impossible:
            return HistoryVerdict(ok=False, key=key, core=_core(calls, specification, budget))
        undecided = undecided or found.undecided
    return HistoryVerdict(undecided=undecided)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A call that is under way, as the search sees it."""

    bit: int
    op: Any
    answer: Any
    before: int = 0
    """The bit of the call without an answer that is of the same kind, was sent earlier, and so is tried first."""


@dataclass(frozen=True, slots=True)
class _Return:
    """The return of one call: by now it has taken effect."""

    bit: int
    due: tuple[_UnderWay, ...]
    """It and all that are under way, by their return."""
    lost: tuple[_UnderWay, ...]
    """Calls sent by now that never come back."""


def _returns(calls: Iterable[Call], specification: Specification) -> list[_Return]:
    """The returns in their order. Of two equal times the sending is first, so that the calls overlap."""
    moments = [(one.call, 0, number, one) for number, one in enumerate(calls)]
    moments += [(one.back, 1, number, one) for _, _, number, one in moments if one.back < NO_ANSWER]
    under_way: dict[int, tuple[float, _UnderWay]] = {}
    lost: list[_UnderWay] = []
    last: dict[Hashable, int] = {}
    free: list[int] = []
    returns = []
    for _, is_return, number, one in sorted(moments, key=lambda moment: moment[:3]):
        if is_return:
            due = sorted(under_way.values(), key=lambda item: item[0])
            bit = under_way.pop(number)[1].bit
            returns.append(_Return(bit, tuple(call for _, call in due), tuple(lost)))
            free.append(bit)
        elif one.back < NO_ANSWER:
            bit = free.pop() if free else 1 << len(under_way)
            under_way[number] = one.back, _UnderWay(bit, one.op, one.answer)
        else:
            kind, bit = (specification.kind_of(one.op), one.answer), 1 << len(lost)
            lost.append(_UnderWay(bit, one.op, one.answer, last.get(kind, 0)))
            last[kind] = bit
    return returns


@dataclass(frozen=True, slots=True)
class _SearchEnd:
    """How a search ended."""

    steps: int
    impossible: bool = False
    undecided: bool = False


def _search(calls: Sequence[Call], specification: Specification, budget: int) -> _SearchEnd:
    """Search depth first: a position is the next return, which calls under way have had their effect, and the state.

    A call without an answer goes only where it changes the state, and after those of its kind that were sent before it.
    A position reached with some of these is not searched if it was with fewer, which can do all the same.
    """
    specification = specification.specialised(calls)
    returns, steps = _returns(calls, specification), 0
    stack = [(0, 0, 0, state) for state in specification.start()]
    seen: defaultdict[tuple[int, int, State], list[int]] = defaultdict(list)
    while stack:
        at, done, used, state = stack.pop()
        while at < len(returns):
            if not done & returns[at].bit:
                steps += 1
                done, state, alive = _advance(returns[at].due, done, state, specification)
                if not alive or not done & returns[at].bit:
                    break
            done &= ~returns[at].bit
            at += 1
        else:
            return _SearchEnd(steps)
        others = seen[at, done, state]
        if not alive or any(other & used == other for other in others):
            continue
        if steps > budget:
            return _SearchEnd(steps, undecided=True)
        others.append(used)
        for call in returns[at].lost:
            if not used & call.bit and call.before & used == call.before:
                steps += 1
                after = specification.step(state, call.op, call.answer)
                stack += [(at, done, used | call.bit, one) for one in after if one != state]
        for call in reversed(returns[at].due):
            if not done & call.bit:
                steps += 1
                after = specification.step(state, call.op, call.answer)
                stack += [(at, done | call.bit, used, one) for one in after]
    return _SearchEnd(steps, impossible=True)


def _advance(
    due: Sequence[_UnderWay], done: int, state: State, specification: Specification
) -> tuple[int, State, bool]:
    """The position after all calls that may as well be next: done, state, and whether every other call still can be."""
    again = True
    while again:
        again = False
        for call in due:
            if done & call.bit:
                continue
            timing = specification.timing(state, call.op, call.answer)
            if timing is Timing.NEVER:
                return done, state, False
            if timing is Timing.NOW:
                after = tuple(specification.step(state, call.op, call.answer))
                if len(after) == 1:
                    done |= call.bit
                    again = again or after[0] != state
                    state = after[0]
    return done, state, True


def _core(calls: Sequence[Call], specification: Specification, budget: int) -> tuple[Call, ...]:
    """Few calls that no correct deployment could have answered so, whatever else it was asked.

    Each cut keeps that: were the larger history possible, the smaller one would be too.

    - What had been sent by the return of one call, the first by which the history is impossible. Those under way at
      that return count as never answered: they may have had their effect by then, or not.
    - Groups that the specification says are removable. A change of the state is seldom one: without it a correct read
      may look wrong.
    - A relaxed specification allows whatever the strict one does, so what it cannot explain is impossible there too.
    """
    relaxed = specification.relaxed()
    if relaxed is not None:
        found = _search(calls, relaxed, budget)
        budget -= found.steps
        specification = relaxed if found.impossible else specification
    kept, budget = _shortest_prefix(calls, specification, budget)
    groups = [list(group) for group in specification.removable(kept)]
    kept = _without_groups(kept, groups, specification, budget)
    return tuple(sorted(kept, key=lambda one: (one.call, one.back)))


def _shortest_prefix(
    calls: Sequence[Call], specification: Specification, budget: int
) -> tuple[list[Call], int]:
    """The history until the first return by which it is impossible, and the steps that are left of the budget."""
    ends = sorted(one.back for one in calls if one.back < NO_ANSWER)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        found = _search(_until(ends[middle], calls), specification, budget)
        budget -= found.steps
        low, high = (low, middle) if found.impossible else (middle + 1, high)
    return _until(ends[high], calls), budget


def _until(end: float, calls: Iterable[Call]) -> list[Call]:
    """Return the calls as they were known at the moment `end`: later answers are missing."""
    sent = [one for one in calls if one.call <= end]
    return [one if one.back <= end else replace(one, back=NO_ANSWER, answer=None) for one in sent]


def _without_groups(
    calls: list[Call], groups: list[list[Call]], specification: Specification, budget: int
) -> list[Call]:
    """Leave out halves of the groups, then quarters, down to single ones, while the rest stays impossible; return the rest."""
    size = len(groups)
    while size and budget > 0:
        at = 0
        while at < len(groups) and budget > 0:
            out = {id(one) for group in groups[at : at + size] for one in group}
            fewer = [one for one in calls if id(one) not in out]
            found = _search(fewer, specification, budget)
            budget -= found.steps + len(fewer)
            if found.impossible:
                calls = fewer
                del groups[at : at + size]
            else:
                at += size
        size //= 2
    return calls


__all__ = [
    "BUDGET",
    "NO_ANSWER",
    "Call",
    "HistoryVerdict",
    "Specification",
    "State",
    "Timing",
    "check_history",
]
