"""Where ids and variants came from, so that every example can be repeated from nothing."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import replace

from ..checks.acceptance import accepted
from ..checks.context import CheckContext
from ..core.exchange import Exchange

_KEPT = 4_000
"""Names that are remembered."""
_LONGEST = 12
"""Exchanges that are remembered of one name, beside its first."""
_DIGITS = re.compile(rb"[0-9]+")


class Provenance:
    """What made the variants and actions of the latest exchanges, and what happened to each."""

    def __init__(self, known: CheckContext) -> None:
        self._known = known
        self._made: OrderedDict[str, tuple[Exchange, ...]] = OrderedDict()
        self._past: OrderedDict[str, list[Exchange]] = OrderedDict()
        self._first: dict[str, tuple[Exchange, ...]] = {}

    def learn(self, exchange: Exchange) -> None:
        """Remember an exchange: what it made, and what it was about."""
        kept = replace(exchange, answer=exchange.answer[:4_000])
        for name in self._about(kept):
            past = self._past.setdefault(name, [])
            past.append(kept)
            if len(past) > _LONGEST + 1:
                del past[1]
        while len(self._past) > _KEPT:
            self._past.popitem(last=False)
        operation = self._known.operation(exchange.operation)
        if operation is None or not accepted(exchange, operation):
            return
        data = exchange.data()
        if exchange.method == "PUT" and isinstance(data.get("variant"), str):
            alias = data.get("alias")
            for name in (data["variant"], *(alias if isinstance(alias, list) else ())):
                self._keep(f"{_key(kept)} variant {name}", (kept,))
                if _key(kept) == self._known.target.first.key or f"variant {name}" not in self._made:
                    self._keep(f"variant {name}", (kept,))  # for whoever has no such key
        elif isinstance(data.get("a_id"), str):
            self._keep(data["a_id"], self.needed(kept))

    def needed(self, exchange: Exchange) -> tuple[Exchange, ...]:
        """What has to be sent before an exchange, and the exchange."""
        if exchange.path is None:
            return (exchange,)
        if exchange.path.endswith("/{variant}"):
            name = f"variant {exchange.segment}"
            made = self._made.get(f"{_key(exchange)} {name}") or self._made.get(name, ())
            return (*made, exchange)
        text = (exchange.body or b"").replace(b"\\uff1", b"")  # full-width digits as JSON escapes them
        for name in (*self._about(exchange), *(digits.decode() for digits in _DIGITS.findall(text))):
            if name in self._made and name.isdigit():
                return (*self._made[name], exchange)
        return (exchange,)

    def history(self, exchange: Exchange, first_of: str | None = None) -> tuple[Exchange, ...]:
        """All that is known to have happened to what an exchange is about, and the exchange.

        With a question, also what showed its first answer.
        """
        before: dict[float, Exchange] = {}
        wanted, seen = list(self._about(exchange)), set[str]()
        while wanted:
            name = wanted.pop()
            if name in seen:
                continue
            seen.add(name)
            for one in self._past.get(name, ()):
                if one.call <= exchange.call and one.call not in before:
                    before[one.call] = one
                    wanted += self._about(one)
            for one in self._made.get(name, ()):
                before.setdefault(one.call, one)
        for one in self._first.get(first_of or "", ()):
            before[one.call] = one
        before.pop(exchange.call, None)
        return (*(before[call] for call in sorted(before)), exchange)

    def witness(self, question: str, exchange: Exchange) -> None:
        """An exchange has answered a question; the first one that did is remembered."""
        if question not in self._first:
            self._first[question] = self.history(exchange)

    def first(self, question: str) -> tuple[Exchange, ...]:
        """What showed the first answer to a question; nothing where no exchange is known for it."""
        return self._first.get(question, ())

    def unlearn(self, question: str) -> None:
        """What showed the first answer to a question has shown nothing."""
        self._first.pop(question, None)

    def forget(self, exchange: Exchange) -> None:
        """An exchange stands for nothing: it was asked again."""
        for name in self._about(exchange):
            past = self._past.get(name, [])
            past[:] = [one for one in past if one.call != exchange.call]

    def _about(self, exchange: Exchange) -> list[str]:
        """Names of what an exchange reads or changes."""
        if exchange.path is not None and exchange.path.endswith("/{variant}"):
            number = exchange.data().get("a_id")
            return [f"variant {exchange.segment}", *([number] if isinstance(number, str) else [])]
        try:
            body = json.loads(exchange.body or b"null")
        except (ValueError, RecursionError):
            return []
        if not isinstance(body, dict):
            return []
        alias = body.get("alias")
        names = [body.get("variant"), *(alias if isinstance(alias, list) else ())]
        number = body.get("action_record_id")
        return [f"variant {name}" for name in names if isinstance(name, str)] + (
            [number] if isinstance(number, str) else []
        )

    def _keep(self, name: str, exchanges: tuple[Exchange, ...]) -> None:
        self._made[name] = exchanges
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)


def _key(exchange: Exchange) -> str:
    return exchange.sent("x-arklow-auth") or exchange.sent("authorization") or ""


__all__ = ["Provenance"]
