"""A second opinion on answers: which of them openapi-core is asked about, and where it differs from our validator."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ..core.exchange import Exchange, media_type
from ..openapi.document import path_below
from .context import CheckContext

_ASKED = 400
"""Answers that are asked about."""


@dataclass(slots=True)
class CrossCheck:
    """Asks openapi-core, when the run is over, about every new (operation, status, shape) and one in fifty of the rest."""

    context: CheckContext
    asked: int = 0
    answers: int = 0
    differences: dict[str, None] = field(default_factory=dict)
    _seen: set[Any] = field(default_factory=set)
    _kept: list[Exchange] = field(default_factory=list)

    def hear(self, exchange: Exchange) -> None:
        """Keep what is to be asked about: asking takes milliseconds, and the library half a second to load."""
        operation = self.context.operation(exchange.operation)
        pointer = operation.answer_schema(exchange.status) if operation else None
        if operation is None or pointer is None or not exchange.has_plain_path:
            return
        self.answers += 1
        if len(self._kept) == _ASKED:
            return
        shape = (
            operation.label,
            exchange.status,
            exchange.answer_header("content-type"),
            _shape(exchange.value(), 3),
        )
        if shape not in self._seen or self.answers % 50 == 0:
            self._seen.add(shape)
            self._kept.append(exchange)

    def ask(self, until: float) -> None:
        """Ask, and compare with what our own validator says."""
        from ..openapi.openapi_core import OpenAPICoreValidator

        second = OpenAPICoreValidator(self.context.document)
        for exchange in self._kept:
            operation = self.context.operation(exchange.operation)
            pointer = operation.answer_schema(exchange.status) if operation else None
            if operation is None or pointer is None or time.monotonic() > until:
                continue
            self.asked += 1
            ours = self._ours(exchange, pointer)
            base = self.context.target.base_of(operation.path)
            theirs = second.why_refused(exchange, path_below(exchange.url, base))
            if ours is not None and (theirs is None) != (ours == "") and len(self.differences) < 20:
                said = f"openapi-core {theirs or 'accepts it'}; ours {ours or 'accepts it'}"
                self.differences[f"{operation.label} {exchange.status}: {said}"] = None

    def _ours(self, exchange: Exchange, pointer: str) -> str | None:
        """What our validator says: nothing when it accepts, None when the two cannot be compared."""
        if media_type(exchange.answer_header("content-type")) != "application/json":
            return None
        try:
            problems = self.context.schemas.at(pointer).problems(exchange.required_value())
        except ValueError:
            return None
        return "; ".join(f"{problem.place}: {problem.expected}" for problem in problems)


def _shape(value: Any, depth: int) -> Any:
    if depth and isinstance(value, dict):
        return tuple(sorted((name, _shape(member, depth - 1)) for name, member in value.items()))
    if depth and isinstance(value, list):
        return ("list", *sorted({str(_shape(item, depth - 1)) for item in value}))
    return type(value).__name__


__all__ = ["CrossCheck"]
