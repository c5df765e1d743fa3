"""The servers that the judge meets in the matrix, and what it owes each of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.clocks import Clock
from tests.mutants import (
    CONFORMING_VARIANTS,
    DEPLOYMENTS,
    FURTHER,
    HOLDOUT,
    MUTANTS,
    RACES,
    Choices,
    ConformingServer,
    Mutant,
)
from tests.processes import started

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MUTANTS_OF: Final[Mapping[str, Mapping[str, Mutant]]] = {
    "catalogue": MUTANTS,
    "holdout": HOLDOUT,
    "races": RACES,
    "further": FURTHER,
}
"""Name of a set of mutants → the mutants by id."""
VARIANTS: Final = "variants"
"""Name of the set of all servers that break nothing."""


@dataclass(frozen=True)
class Server:
    """A server that the judge is to meet."""

    name: str
    verdict: str
    """What the judge owes it: a violation, at least a warning, or none."""
    text: str
    caught_by: tuple[str, ...] = ()
    """Codes of the rules that the mutant itself names."""
    missed: str = ""
    """Why the judge is known to miss it."""

    def made(self, clock: Clock) -> WSGIApplication:
        """Make the application, which goes by this clock."""
        return _MADE[self.name](clock)

    @property
    def flags(self) -> tuple[str, str]:
        """The flag of `python -m tests.mutants` that serves it."""
        return (
            "--conforming" if self.verdict == "none" and self.name not in _MUTANTS else "--mutant"
        ), self.name


_MUTANTS: Final = {name: one for mutants in MUTANTS_OF.values() for name, one in mutants.items()}


def _of_mutant(mutant: Mutant) -> Callable[[Clock], WSGIApplication]:
    return lambda clock: mutant(clock=clock)


def _of_choices(choices: Choices) -> Callable[[Clock], WSGIApplication]:
    return lambda clock: ConformingServer(choices, clock=clock)


_MADE: Final[Mapping[str, Callable[[Clock], WSGIApplication]]] = {
    **{name: _of_mutant(one) for name, one in _MUTANTS.items()},
    **{name: _of_choices(choices) for name, choices in CONFORMING_VARIANTS.items()},
    **DEPLOYMENTS,
}


def servers(sets: Sequence[str], names: Sequence[str] = ()) -> Iterator[Server]:
    """Yield the servers of some sets in their order, or of all sets those with these names."""
    for name in [*MUTANTS_OF] if names else sets:
        for one in MUTANTS_OF.get(name, {}).values():
            if not names or one.id in names:
                yield Server(one.id, one.verdict, one.text, one.caught_by, one.missed)
    if names or VARIANTS in sets:
        for name in (*CONFORMING_VARIANTS, *DEPLOYMENTS):
            if not names or name in names:
                yield Server(name, "none", "keeps every promise")


@contextmanager
def server_process(*flags: str) -> Iterator[str]:
    """Serve `python -m tests.mutants` with these flags in a process of its own, and yield the URL."""
    with started([sys.executable, "-m", "tests.mutants", *flags], stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


__all__ = ["MUTANTS_OF", "VARIANTS", "Server", "server_process", "servers"]
