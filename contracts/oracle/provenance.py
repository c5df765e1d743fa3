"""Where ids and variants came from, so that every example can be repeated from nothing."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ..checks.context import CheckContext
from ..checks.facts import Facts, definition_names
from ..core.digits import numbers_in
from ..core.exchange import Exchange

_REMEMBERED_NAMES: Final = 4_000
"""Definitions, actions and histories that are kept of each, the latest used: a night must not need more room than an hour."""
_LONGEST_HISTORY: Final = 12
"""Exchanges that are kept of one name, the latest, beside its first: examples are meant to be short."""
_ANSWER_BYTES: Final = 4_000
"""Bytes that are kept of an answer; what is shown of it is shorter."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """An exchange, its answer cut short, and the names of what it read or changed."""

    exchange: Exchange
    subjects: tuple[str, ...]


class Provenance:
    """What made the variants and actions of the latest exchanges, and what happened to each."""

    def __init__(self, context: CheckContext, most_names: int = _REMEMBERED_NAMES) -> None:
        self._context = context
        self._most_names = most_names
        """How many names are remembered."""
        self._definitions, self._aliases = _Makers(most_names), _Makers(most_names)
        """What makes each `variant NAME`, and that with a key before it: one PUT may have thousands of aliases."""
        self._actions = _Makers(most_names)
        """What makes each action."""
        self._past: OrderedDict[str, list[_Remembered]] = OrderedDict()
        """Name → its first exchange, and its latest ones; the latest used name last."""
        self._first: dict[str, tuple[Exchange, ...]] = {}
        """Open question → the exchanges that showed its first answer."""

    def learn(self, facts: Facts) -> None:
        """Remember an exchange: what it made, and what it was about."""
        exchange = facts.exchange
        short = replace(exchange, answer=exchange.answer[:_ANSWER_BYTES])
        for name in facts.subjects:
            past = self._past.setdefault(name, [])
            self._past.move_to_end(name)
            past.append(_Remembered(short, facts.subjects))
            if len(past) > _LONGEST_HISTORY + 1:
                del past[1]
        while len(self._past) > self._most_names:
            self._past.popitem(last=False)
        if not facts.accepted:
            return
        sound = facts.owner is not None and not facts.body.problems
        maker = short if facts.owner is not None else self._with_good_key(short)
        if exchange.method == "PUT":
            is_first_key = _key(exchange) == self._context.target.first.key
            for place, name in enumerate(_stored_names(facts)):
                makers = self._aliases if place else self._definitions
                makers.keep(f"{_key(exchange)} variant {name}", (maker,), sound=sound)
                if is_first_key or f"variant {name}" not in makers:
                    # for requests with a key that made none itself
                    makers.keep(f"variant {name}", (maker,), sound=sound)
        elif (number := facts.issued_id or exchange.issued_id) is not None:
            self._actions.keep(number, (*self._makers(facts, math.inf), maker), sound=sound)

    def needed(self, facts: Facts, before: float = math.inf) -> tuple[Exchange, ...]:
        """Return the exchanges that must be sent before this one, and then this one.

        `before`: they came before this moment, in seconds of the run's clock, as far as that is known.
        """
        return (*self._makers(facts, before), facts.exchange)

    def history(
        self, facts: Facts, first_of: str | None = None, beside: Iterable[str] = ()
    ) -> tuple[Exchange, ...]:
        """Return all exchanges on the subjects of this one, in order of time, and then this one.

        With the name of a question in `first_of`, also what showed its first answer; `beside` has more subjects.
        """
        before: dict[float, Exchange] = {}
        wanted, seen = [*facts.subjects, *beside], set[str]()
        while wanted:
            name = wanted.pop()
            if name in seen:
                continue
            seen.add(name)
            for one in self._past.get(name, ()):
                if one.exchange.call <= facts.exchange.call and one.exchange.call not in before:
                    before[one.exchange.call] = one.exchange
                    wanted += one.subjects
            for maker in self._of_definition(name) or self._actions.of(name):
                before.setdefault(maker.call, maker)
        for first in self._first.get(first_of or "", ()):
            before[first.call] = first
        before.pop(facts.exchange.call, None)
        return (*(before[call] for call in sorted(before)), facts.exchange)

    def witness(self, question: str, facts: Facts) -> None:
        """Remember an exchange as the one that answered a question first; later ones are passed over."""
        if question not in self._first:
            self._first[question] = self.history(facts)

    def first(self, question: str) -> tuple[Exchange, ...]:
        """The exchanges that showed the first answer to a question, as a tuple in order of time; empty where none did."""
        return self._first.get(question, ())

    def unlearn(self, question: str) -> None:
        """Forget what showed the first answer to a question, as it has turned out to show nothing."""
        self._first.pop(question, None)

    def forget(self, facts: Facts) -> None:
        """Leave an exchange out of all histories, as its request was sent again."""
        for name in facts.subjects:
            past = self._past.get(name, [])
            past[:] = [one for one in past if one.exchange.call != facts.exchange.call]

    def _makers(self, facts: Facts, before: float) -> tuple[Exchange, ...]:
        """Return the exchanges that made the definition or the action that a request is for, those before a moment."""
        exchange = facts.exchange
        if exchange.path is None:
            return ()
        if exchange.path.endswith("/{variant}"):
            return self._of_variant(exchange, exchange.segment, before)
        if exchange.method == "PUT":
            # calls at the same moment change what was there before; a single one is an example of its own
            names = definition_names(facts.body.value)[:1] if before < math.inf else []
            return next((self._of_variant(exchange, name, before) for name in names), ())
        for name in (*facts.subjects, *numbers_in(exchange.body)):
            if makers := self._actions.of(name, before):
                return makers
        return ()

    def _of_variant(self, exchange: Exchange, name: str, before: float) -> tuple[Exchange, ...]:
        """Return what gave a definition the variant or alias that an exchange names, with the same key if there is such."""
        own = self._of_definition(f"{_key(exchange)} variant {name}", before)
        return own or self._of_definition(f"variant {name}", before)

    def _of_definition(self, name: str, before: float = math.inf) -> tuple[Exchange, ...]:
        """Return what gave a definition this variant or alias; the later of both, if there are two."""
        made = self._definitions.of(name, before), self._aliases.of(name, before)
        return max(made, key=lambda exchanges: exchanges[-1].call if exchanges else -math.inf)

    def _with_good_key(self, exchange: Exchange) -> Exchange:
        """Return an exchange that was served without a good key, with one: what it made is needed, and not how."""
        headers = (("x-arklow-auth", self._context.target.first.key), ("content-type", "application/json"))
        return replace(exchange, headers=headers)


class _Makers:
    """What made each of many names; the ones that were used longest ago are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: OrderedDict[str, tuple[Exchange, ...]] = OrderedDict()
        """Name → the exchanges that make it from nothing, the one that made it last; the latest used last."""
        self._first: dict[str, tuple[Exchange, ...]] = {}
        """Name → the exchanges that made it at first."""
        self._doubtful: set[str] = set()
        """Names whose maker is one that a deployment which breaks no rule would have refused."""

    def __contains__(self, name: str) -> bool:
        return name in self._last

    def keep(self, name: str, exchanges: tuple[Exchange, ...], *, sound: bool) -> None:
        """Remember what made a name; what had to be refused takes the place of no other maker."""
        if not sound and name in self._last and name not in self._doubtful:
            return
        (self._doubtful.discard if sound else self._doubtful.add)(name)
        self._last[name] = exchanges
        self._last.move_to_end(name)
        self._first.setdefault(name, exchanges)
        if len(self._last) > self._most:
            forgotten, _ = self._last.popitem(last=False)
            del self._first[forgotten]
            self._doubtful.discard(forgotten)

    def of(self, name: str, before: float = math.inf) -> tuple[Exchange, ...]:
        """Return what made a name last, or at first where that was not before a moment; a name that is used is kept longer."""
        made = self._last.get(name, ())
        if not made:
            return ()
        self._last.move_to_end(name)
        return made if made[-1].call < before else self._first[name]


def _stored_names(facts: Facts) -> Iterator[str]:
    """Yield variant and aliases of a definition that was put; those of the request where the answer cannot be read."""
    data = facts.data
    if not isinstance(data.get("variant"), str):
        yield from definition_names(facts.body.value)
        return
    alias = data.get("alias")
    yield data["variant"]
    yield from (one for one in (alias if isinstance(alias, list) else ()) if isinstance(one, str))


def _key(exchange: Exchange) -> str:
    return exchange.request_header("x-arklow-auth") or exchange.request_header("authorization") or ""


__all__ = ["Provenance"]
