"""Random walks: sequences of plain calls that the reference model follows, first every short one, then long random ones.

The one module that runs Hypothesis.
"""

from __future__ import annotations

import gzip
import itertools
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import HypothesisWarning
from hypothesis.internal.charmap import charmap_file

from ..core.exchange import Exchange
from ..generation.strategies import LETTERS, Letter, long_sequences
from .api import Api

Walk = Callable[[Api], None]
"""Plays one sequence of plain calls."""

_LENGTHS = (2, 3)
"""Calls of the short walks: enough to do something and to see what it did, and few enough to play all of them."""
_BATCH = 20
"""Random walks that are drawn at once: drawing takes no request, and a run may end within any batch."""


@contextmanager
def no_traces() -> Iterator[None]:
    """Keep what Hypothesis writes out of the user's directory, and its warnings out of the output: users can mend neither."""
    with (
        tempfile.TemporaryDirectory(prefix="arklow-contracts-", ignore_cleanup_errors=True) as home,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", HypothesisWarning)
        set_hypothesis_home_dir(home)
        _write_table_of_utf8()
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _write_table_of_utf8() -> None:
    """Write the characters that UTF-8 has where Hypothesis looks for them: finding them out takes it 200 MB and a second."""
    file = charmap_file("codec-v2-utf-8")
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt") as table:
        json.dump([[[0, 0xD7FF], [0xE000, 0x10FFFF]], []], table)


def short_walks() -> Iterator[Walk]:
    """Yield every sequence of two calls, then every one of three."""
    for length in _LENGTHS:
        for calls in itertools.product(LETTERS, repeat=length):
            yield _walk(calls)


def random_walks(seed: int) -> Iterator[Walk]:
    """Yield random sequences without end; the same ones for the same seed."""
    for batch in itertools.count():
        with no_traces():
            drawn = _drawn(seed * 1_000 + batch)
        yield from map(_walk, drawn)


def _drawn(seed: int) -> list[Sequence[Letter]]:
    """Draw one batch of sequences."""
    drawn: list[Sequence[Letter]] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=_BATCH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        verbosity=hypothesis.Verbosity.quiet,
    )
    @given(long_sequences)
    def draw(calls: list[Letter]) -> None:
        drawn.append(calls)

    draw()
    return drawn


def _walk(calls: Sequence[Letter]) -> Walk:
    return lambda api: _World(api).walk(calls)


class _World:
    """What one walk is about: two variants, an alias, and the actions that were accepted for them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._names = [api.name("any"), api.name("any"), api.name("alias")]
        self._actions: list[tuple[int, str]] = []
        """Index of the organisation and id of each action."""
        self._two_organisations = api.requests.two_organisations

    def walk(self, calls: Sequence[Letter]) -> None:
        """Define the first variant, then play call after call."""
        self._api.put(self._names[0])
        for call in calls:
            self._play(call)

    def _play(self, call: Letter) -> None:
        api, org = self._api, call.org if self._two_organisations else 0
        name = self._names[call.name]
        match call.verb:
            case "put":
                members = {"alias": [self._names[2]]} if call.alias else {}
                api.put(name, call.schema, org=org, **members)
            case "put version":
                api.put(name, call.schema, org=org, version=self._version(name, org, call.number))
            case "work":
                self._note_action(org, api.ingress(name, call.payload, org=org))
            case "work version":
                version = self._version(name, org, call.number)
                self._note_action(org, api.ingress(name, call.payload, org=org, version=version))
            case "modack" if self._actions:
                owner, number = self._actions[call.number % len(self._actions)]
                api.modack(number, call.attempt, call.seconds, org=owner if call.org == 0 else org)

    def _version(self, name: str, org: int, offset: int) -> int:
        """Return the version that lies `offset` beyond the current one of a definition, but never below 1."""
        known = self._api.model.definitions.get((self._api.requests.organisation(org), name))
        return max(1, (known.version if known else 1) + offset)

    def _note_action(self, org: int, exchange: Exchange) -> None:
        number = exchange.data().get("a_id")
        if isinstance(number, str):
            self._actions.append((org, number))


__all__ = ["Walk", "no_traces", "random_walks", "short_walks"]
