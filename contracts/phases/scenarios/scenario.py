"""What a scenario is: a constructed sequence, and the rules that it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..api import Api

Play = Callable[[Api], Iterator[float] | None]
"""Plays calls; one that needs time to pass yields the seconds, and is continued when they have passed."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A constructed sequence, and the rules that it verifies beside those of every exchange."""

    title: str
    """Stands in reports, and tells a resumed night which scenarios are done."""
    rules: frozenset[str]
    """Codes of the rules."""
    play: Play

    @property
    def initials(self) -> str:
        """The first letters of the words of its title."""
        return "".join(word[0] for word in self.title.replace(",", "").split())


def scenario(title: str, *rules: str) -> Callable[[Play], Scenario]:
    """Return a decorator that makes a scenario of the function that plays it."""
    return lambda play: Scenario(title, frozenset(rules), play)


__all__ = ["Play", "Scenario", "scenario"]
