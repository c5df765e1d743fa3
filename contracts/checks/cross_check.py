"""Cross-checks our validation of answers with openapi-core: which answers it is asked about, and where the two differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from arklow_local.formats.excerpts import one_line

from ..core.exchange import Exchange, media_type
from ..openapi.document import path_below
from .context import CheckContext

_MOST_ASKED: Final = 400
"""Answers that openapi-core is asked about: each takes milliseconds, and the run's time is for requests."""
_LEAST_ASKED: Final = 10
"""Answers that it is asked about however late it is: together they take a fraction of a second."""
_MOST_DIFFERENCES: Final = 20
"""Differences that are kept: more have the same cause."""
_LONGEST: Final = 20_000
"""Bytes of an answer that is kept to ask about: what the two validators differ in shows in short ones."""
_ROOM: Final = 2_000_000
"""Bytes of all answers that are kept."""
_ONE_IN: Final = 50
"""Of the answers like earlier ones, one in so many is asked about."""
_SHAPE_DEPTH: Final = 3
"""Levels of an answer that make it a new one when they differ: its envelope, its data, and their members."""


@dataclass(slots=True)
class CrossCheck:
    """Asks openapi-core, when the run is over, about each new (operation, status, shape) and one in fifty of the rest."""

    context: CheckContext
    asked: int = 0
    """Answers that openapi-core was asked about."""
    answers: int = 0
    """Documented answers that were heard."""
    differences: dict[str, None] = field(default_factory=dict)
    """What the two validators say of the same answer, in words."""
    not_done: str = "the run had not come to it"
    """Why openapi-core was asked about none; empty when it was asked."""
    _seen: set[Any] = field(default_factory=set)
    _kept: list[Exchange] = field(default_factory=list)
    _room: int = _ROOM
    """Bytes of answers that may still be kept."""

    def hear(self, exchange: Exchange) -> None:
        """Keep an answer to ask about later: asking takes milliseconds, and the library half a second to load."""
        operation = self.context.operation(exchange.operation)
        pointer = operation.answer_schema(exchange.status) if operation else None
        if operation is None or pointer is None or not exchange.has_plain_path:
            return
        self.answers += 1
        if len(self._kept) == _MOST_ASKED or len(exchange.answer) > min(_LONGEST, self._room):
            return
        announced = exchange.answer_header("content-type")
        shape = operation.label, exchange.status, announced, _shape(exchange.value(), _SHAPE_DEPTH)
        if shape not in self._seen or self.answers % _ONE_IN == 0:
            self._seen.add(shape)
            self._kept.append(exchange)
            self._room -= len(exchange.answer)

    def prepare(self) -> Callable[[Exchange, str], str | None] | None:
        """Load openapi-core, which takes a second on a busy machine, and return its verdict; None when it cannot be had.

        The verdict takes an exchange and its path below the base URL, and says why openapi-core refuses it.
        """
        if not self.answers:
            self.not_done = "no documented answer came"
            return None
        try:
            from ..openapi.openapi_core import OpenAPICoreValidator

            return OpenAPICoreValidator(self.context.document).why_refused
        except Exception as error:  # of a library that meets a document of others
            self.not_done = (
                f"openapi-core cannot use the document: {type(error).__name__}: {one_line(str(error))}"
            )
            return None

    def ask(
        self, why_refused: Callable[[Exchange, str], str | None], is_late: Callable[[], bool] = lambda: False
    ) -> None:
        """Ask about the kept answers, and compare with our own validator, until it is late; about a few however late it is.

        `why_refused` is what `prepare` has returned.
        """
        for exchange in self._kept:
            operation = self.context.operation(exchange.operation)
            pointer = operation.answer_schema(exchange.status) if operation else None
            if operation is None or pointer is None:
                continue
            if self.asked >= _LEAST_ASKED and is_late():
                return
            self.asked += 1
            self.not_done = ""
            ours = self._our_problems(exchange, pointer)
            base = self.context.target.base_of(operation.path)
            theirs = why_refused(exchange, path_below(exchange.url, base))
            differ = ours is not None and (theirs is None) != (ours == "")
            if differ and len(self.differences) < _MOST_DIFFERENCES:
                verdicts = f"openapi-core {theirs or 'accepts it'}; ours {ours or 'accepts it'}"
                self.differences[f"{operation.label} {exchange.status}: {verdicts}"] = None

    def _our_problems(self, exchange: Exchange, pointer: str) -> str | None:
        """Return the objection of our validator, empty when it accepts the answer; None when the two cannot be compared."""
        if media_type(exchange.answer_header("content-type")) != "application/json":
            return None
        try:
            problems = self.context.schemas.at(pointer).problems(exchange.required_value())
        except ValueError:
            return None
        return "; ".join(f"{problem.place}: {problem.expected}" for problem in problems)


def _shape(value: Any, depth: int) -> Any:
    """The names of an answer's members and the types of their values, down to `depth` levels."""
    if depth and isinstance(value, dict):
        return tuple(sorted((name, _shape(member, depth - 1)) for name, member in value.items()))
    if depth and isinstance(value, list):
        return ("list", *sorted({str(_shape(item, depth - 1)) for item in value}))
    return type(value).__name__


__all__ = ["CrossCheck"]
