"""Where ids and variants came from, so that an example can be repeated from nothing."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace

from .checks.acceptance import accepted
from .exchange import Exchange
from .knowledge import Knowledge

_KEPT = 5_000
_DIGITS = re.compile(rb"[0-9]+")


class Origins:
    """What made the variants and actions of the latest exchanges."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known
        self._made: OrderedDict[str, tuple[Exchange, ...]] = OrderedDict()

    def learn(self, exchange: Exchange) -> None:
        """Remember what an accepted request made."""
        operation = self._known.operation(exchange.operation)
        if operation is None or not accepted(exchange, operation):
            return
        data = exchange.data()
        if operation.control_plane and isinstance(data.get("variant"), str):
            alias = data.get("alias")
            for name in (data["variant"], *(alias if isinstance(alias, list) else ())):
                self._keep(f"variant {name}", (exchange,))
        elif isinstance(data.get("a_id"), str):
            self._keep(data["a_id"], self.needed(exchange))

    def needed(self, exchange: Exchange) -> tuple[Exchange, ...]:
        """What has to be sent before an exchange, and the exchange."""
        if exchange.path is None:
            return (exchange,)
        if exchange.path.endswith("/{variant}"):
            return (*self._made.get(f"variant {exchange.segment}", ()), exchange)
        text = (exchange.body or b"").replace(b"\\uff1", b"")  # full-width digits as JSON escapes them
        for digits in _DIGITS.findall(text):
            if digits.decode() in self._made:
                return (*self._made[digits.decode()], exchange)
        return (exchange,)

    def _keep(self, name: str, exchanges: tuple[Exchange, ...]) -> None:
        self._made[name] = tuple(replace(one, answer=one.answer[:4_000]) for one in exchanges)
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)


__all__ = ["Origins"]
