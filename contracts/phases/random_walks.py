"""The door to Hypothesis: sequences of plain calls, first every short one, then long random ones."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.configuration import set_hypothesis_home_dir

from ..generation.strategies import LETTERS, Letter, long_sequences
from .sequence import CallSequence

Walk = Callable[[CallSequence], None]


@contextmanager
def no_traces() -> Iterator[None]:
    """Keep what Hypothesis writes away from where the user stands."""
    with tempfile.TemporaryDirectory(prefix="arklow-contracts-", ignore_cleanup_errors=True) as home:
        set_hypothesis_home_dir(home)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def short_walks() -> Iterator[Walk]:
    """Every sequence of two letters, then every one of three."""
    for length in (2, 3):
        for word in itertools.product(LETTERS, repeat=length):
            yield _walk(word)


def walks(seed: int) -> Iterator[Walk]:
    """Random sequences without end."""
    with no_traces():
        for round_ in itertools.count():
            yield from map(_walk, _drawn(seed * 1_000 + round_))


def _drawn(seed: int) -> list[Sequence[Letter]]:
    """Twenty words."""
    words: list[Sequence[Letter]] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        verbosity=hypothesis.Verbosity.quiet,
    )
    @given(long_sequences)
    def draw(word: list[Letter]) -> None:
        words.append(word)

    draw()
    return words


def _walk(word: Sequence[Letter]) -> Walk:
    return lambda sequence: _World(sequence).go(word)


class _World:
    """Two variants, an alias, and the actions that were accepted for them."""

    def __init__(self, sequence: CallSequence) -> None:
        self._stage = sequence
        self._names = [sequence.name("any"), sequence.name("any"), sequence.name("alias")]
        self._actions: list[tuple[int, str]] = []
        self._two = sequence.two

    def go(self, word: Sequence[Letter]) -> None:
        """Call after call; the first variant is defined before."""
        self._stage.put(self._names[0])
        for letter in word:
            self._call(letter)

    def _call(self, letter: Letter) -> None:
        sequence, org = self._stage, letter.org if self._two else 0
        name = self._names[letter.name]
        match letter.verb:
            case "put":
                members = {"alias": [self._names[2]]} if letter.alias else {}
                sequence.put(name, letter.schema, org=org, **members)
            case "put version":
                known = sequence.model.definitions.get((sequence.org(org), name))
                version = max(1, (known.version if known else 1) + letter.number)
                sequence.put(name, letter.schema, org=org, version=version)
            case "work":
                self._accepted(org, sequence.ingress(name, letter.payload, org=org))
            case "work version":
                known = sequence.model.definitions.get((sequence.org(org), name))
                version = max(1, (known.version if known else 1) + letter.number)
                self._accepted(org, sequence.ingress(name, letter.payload, org=org, version=version))
            case "modack" if self._actions:
                whose, number = self._actions[letter.number % len(self._actions)]
                sequence.modack(number, letter.attempt, letter.seconds, org=whose if letter.org == 0 else org)

    def _accepted(self, org: int, exchange: Any) -> None:
        number = exchange.data().get("a_id")
        if isinstance(number, str):
            self._actions.append((org, number))


__all__ = ["Walk", "no_traces", "short_walks", "walks"]
