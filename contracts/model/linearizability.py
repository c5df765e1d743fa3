"""Whether concurrent calls can be explained one after the other: linearizability, judged key by key.

A call takes effect at one moment between its request and its answer. A history is possible if such moments exist
that a sequential specification allows all the answers; the checker looks for them (Wing and Gong 1993, with Lowe's
just-in-time order and memo, 2017). A correct deployment has a possible history, so an impossible one is proof,
and nothing else is: calls of equal times overlap, calls without an answer may have taken effect at any later time
or never, and a search that its budget cut off accuses nobody.
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


class Outlook(Enum):
    """What a specification may know of a call that is under way."""

    NOW = auto()
    """If it can be next it may be next: no possible history is lost by that."""
    NEVER = auto()
    """It cannot be next, in this state and in all that may follow."""
    OPEN = auto()
    """Nothing of this."""


class Spec(Protocol):
    """What a key may answer if it is asked one call at a time.

    `start` and `step` say what is possible. The others say what need not be searched, and what an explanation can do
    without; as they are here they say nothing.
    """

    def start(self) -> Iterable[State]:
        """States that the key may be in before the history."""
        ...

    def step(self, state: Any, op: Any, answer: Any) -> Iterable[State]:
        """Every state that the call may leave, none if it cannot be so answered; all answers count for None."""
        ...

    def outlook(self, state: Any, op: Any, answer: Any) -> Outlook:
        """When the call has its place."""
        return Outlook.OPEN

    def alike(self, op: Any) -> Hashable:
        """Two operations that are alike do the same in every state."""
        kind: Hashable = op
        return kind

    def knowing(self, calls: Sequence[Call]) -> Spec:
        """The same for a history of these calls alone: it need not allow what leads nowhere with them."""
        return self

    def loose(self) -> Spec | None:
        """A specification that allows whatever this one does, and of which more may be left out."""
        return None

    def units(self, calls: Sequence[Call]) -> Iterable[list[Call]]:
        """Calls without which, together, any possible history of them and others stays possible."""
        return ()


@dataclass(frozen=True)
class Verdict:
    """What a history shows."""

    ok: bool = True
    """No key is shown to be impossible."""
    key: Hashable | None = None
    """Of the impossible ones, the key with the fewest calls."""
    core: tuple[Call, ...] = ()
    """Calls of it that are impossible alone, in the order they were sent; one that was still under way when that
    showed is there as one without an answer. See `_core`."""
    undecided: bool = False
    """The budget ended before all was searched, and what was shows nothing impossible."""


def check(history: Iterable[Call], spec: Spec, budget: int = BUDGET) -> Verdict:
    """Judge every key, those with few calls first; the budget is for all of them, and once more for the core."""
    keys: defaultdict[Hashable, list[Call]] = defaultdict(list)
    for call in history:
        keys[call.key].append(call)
    left, undecided = budget, False
    for key, calls in sorted(keys.items(), key=lambda item: len(item[1])):
        found = _search(calls, spec, left)
        left -= found.steps
        if found.impossible:
            return Verdict(ok=False, key=key, core=_core(calls, spec, budget))
        undecided = undecided or found.undecided
    return Verdict(undecided=undecided)


@dataclass(frozen=True, slots=True)
class _Move:
    """A call that is under way, as the search sees it."""

    bit: int
    op: Any
    answer: Any
    before: int = 0
    """The bit of the call without an answer that is alike, was sent earlier, and so is tried first."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """The return of one call: by now it has taken effect."""

    bit: int
    due: tuple[_Move, ...]
    """It and all that are under way, by their return."""
    lost: tuple[_Move, ...]
    """Calls sent by now that never come back."""


def _turns(calls: Iterable[Call], spec: Spec) -> list[_Turn]:
    """The returns in their order. Of two equal times the sending is first, so that the calls overlap."""
    moments = [(one.call, 0, number, one) for number, one in enumerate(calls)]
    moments += [(one.back, 1, number, one) for _, _, number, one in moments if one.back < NO_ANSWER]
    under_way: dict[int, tuple[float, _Move]] = {}
    lost: list[_Move] = []
    last: dict[Hashable, int] = {}
    free: list[int] = []
    turns = []
    for _, returns, number, one in sorted(moments, key=lambda moment: moment[:3]):
        if returns:
            due = sorted(under_way.values(), key=lambda item: item[0])
            bit = under_way.pop(number)[1].bit
            turns.append(_Turn(bit, tuple(move for _, move in due), tuple(lost)))
            free.append(bit)
        elif one.back < NO_ANSWER:
            bit = free.pop() if free else 1 << len(under_way)
            under_way[number] = one.back, _Move(bit, one.op, one.answer)
        else:
            kind, bit = (spec.alike(one.op), one.answer), 1 << len(lost)
            lost.append(_Move(bit, one.op, one.answer, last.get(kind, 0)))
            last[kind] = bit
    return turns


@dataclass(frozen=True, slots=True)
class _Found:
    """How a search ended."""

    steps: int
    impossible: bool = False
    undecided: bool = False


def _search(calls: Sequence[Call], spec: Spec, budget: int) -> _Found:
    """Depth first: a position is the next return, which calls under way have had their effect, and the state.

    A call without an answer goes only where it changes the state, and after those alike that were sent before it.
    A position reached with some of these is not searched if it was with fewer, which can do all the same.
    """
    spec = spec.knowing(calls)
    turns, steps = _turns(calls, spec), 0
    stack = [(0, 0, 0, state) for state in spec.start()]
    seen: defaultdict[tuple[int, int, State], list[int]] = defaultdict(list)
    while stack:
        at, done, used, state = stack.pop()
        while at < len(turns):
            if not done & turns[at].bit:
                steps += 1
                done, state, alive = _ahead(turns[at].due, done, state, spec)
                if not alive or not done & turns[at].bit:
                    break
            done &= ~turns[at].bit
            at += 1
        else:
            return _Found(steps)
        others = seen[at, done, state]
        if not alive or any(other & used == other for other in others):
            continue
        if steps > budget:
            return _Found(steps, undecided=True)
        others.append(used)
        for move in turns[at].lost:
            if not used & move.bit and move.before & used == move.before:
                steps += 1
                after = spec.step(state, move.op, move.answer)
                stack += [(at, done, used | move.bit, one) for one in after if one != state]
        for move in reversed(turns[at].due):
            if not done & move.bit:
                steps += 1
                after = spec.step(state, move.op, move.answer)
                stack += [(at, done | move.bit, used, one) for one in after]
    return _Found(steps, impossible=True)


def _ahead(due: Sequence[_Move], done: int, state: State, spec: Spec) -> tuple[int, State, bool]:
    """The position after all calls that may as well be next, and whether every other one still can be."""
    again = True
    while again:
        again = False
        for move in due:
            if done & move.bit:
                continue
            outlook = spec.outlook(state, move.op, move.answer)
            if outlook is Outlook.NEVER:
                return done, state, False
            if outlook is Outlook.NOW:
                after = tuple(spec.step(state, move.op, move.answer))
                if len(after) == 1:
                    done |= move.bit
                    again = again or after[0] != state
                    state = after[0]
    return done, state, True


def _core(calls: Sequence[Call], spec: Spec, budget: int) -> tuple[Call, ...]:
    """Few calls that no correct deployment could have answered so, whatever else it was asked.

    Each cut keeps that: were the larger history possible, the smaller one would be too.

    - What had been sent by the return of one call, the first by which the history is impossible. Those under way at
      that return count as never answered: they may have had their effect by then, or not.
    - Units of the specification, by their meaning. A change of the state is seldom one: without it a correct read
      may look wrong.
    - A loose specification allows whatever the strict one does, so what it cannot explain is impossible there too.
    """
    loose = spec.loose()
    if loose is not None:
        found = _search(calls, loose, budget)
        budget -= found.steps
        spec = loose if found.impossible else spec
    kept, budget = _prefix(calls, spec, budget)
    kept = _without(kept, [list(unit) for unit in spec.units(kept)], spec, budget)
    return tuple(sorted(kept, key=lambda one: (one.call, one.back)))


def _prefix(calls: Sequence[Call], spec: Spec, budget: int) -> tuple[list[Call], int]:
    """The history until the first return by which it is impossible, and the budget that is left."""
    ends = sorted(one.back for one in calls if one.back < NO_ANSWER)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        found = _search(_until(ends[middle], calls), spec, budget)
        budget -= found.steps
        low, high = (low, middle) if found.impossible else (middle + 1, high)
    return _until(ends[high], calls), budget


def _until(end: float, calls: Iterable[Call]) -> list[Call]:
    """What was known then."""
    sent = [one for one in calls if one.call <= end]
    return [one if one.back <= end else replace(one, back=NO_ANSWER, answer=None) for one in sent]


def _without(calls: list[Call], units: list[list[Call]], spec: Spec, budget: int) -> list[Call]:
    """What remains impossible after leaving out half of the units, quarters, and so on to single ones."""
    size = len(units)
    while size and budget > 0:
        at = 0
        while at < len(units) and budget > 0:
            out = {id(one) for unit in units[at : at + size] for one in unit}
            fewer = [one for one in calls if id(one) not in out]
            found = _search(fewer, spec, budget)
            budget -= found.steps + len(fewer)
            if found.impossible:
                calls = fewer
                del units[at : at + size]
            else:
                at += size
        size //= 2
    return calls
