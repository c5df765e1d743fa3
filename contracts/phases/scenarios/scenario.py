"""What a constructed sequence is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..api import Api

Play = Callable[[Api], Iterator[float] | None]
"""Plays on a sequence; one that needs time yields the seconds that have to go by before it is played on."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A sequence, and the rules that it puts to the test beside those of every exchange."""

    title: str
    rules: frozenset[str]
    play: Play

    @property
    def initials(self) -> str:
        """Its title as few letters."""
        return "".join(word[0] for word in self.title.replace(",", "").split())


def scenario(title: str, *rules: str) -> Callable[[Play], Scenario]:
    """Make a scenario of a function that plays it."""
    return lambda play: Scenario(title, frozenset(rules), play)


__all__ = ["Play", "Scenario", "scenario"]
