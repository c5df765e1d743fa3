"""A mutant: the conforming server with one seeded mutation, what a judge owes it, and the rule that must catch it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.clocks import Clock

from .conforming_server import DEFAULT_CHOICES, KEYS, Choices, ConformingServer

Verdict = Literal["violation", "warning", "none"]
"""What a judge owes a mutant: an accusation, at least a warning, or nothing since the mutation is lawful."""

TEXT = re.compile(r"(?P<text>.+?)(?: \[(?P<source>[^]]+)\])?")
"""A mutation's docstring: what it does, and in brackets the source that its verdict stands on."""

Mutation = type[ConformingServer]
"""The class of a mutant's server: one step of the conforming server is overridden."""


@dataclass(frozen=True)
class Mutant:
    """One mutation, and how to make a server with it."""

    id: str
    group: str
    text: str
    verdict: Verdict
    mutation: Mutation
    needs: dict[str, Any]
    """Choices without which the mutation would not show, by name; all others are the caller's."""
    source: str = ""
    """The page, behaviour (B), open question (Q), contradiction (C) or RFC that the verdict stands on."""
    caught_by: tuple[str, ...] = ()
    """Codes of the rules that catch it; the first one does so in a run for that rule alone, unless `missed` denies it."""
    missed: str = ""
    """Why the judge misses it, wholly or in part: no rule sees it, its rule only warns, or only a whole run shows it."""

    def __call__(
        self,
        choices: Choices = DEFAULT_CHOICES,
        keys: dict[str, str] | None = None,
        clock: Clock | None = None,
    ) -> ConformingServer:
        """Make a server; `keys` are organisations by key, `clock` is the machine's unless given."""
        return self.mutation(replace(choices, **self.needs), keys or KEYS, clock)


@dataclass(frozen=True)
class Group:
    """The mutants that break promises of one kind."""

    name: str
    mutants: dict[str, Mutant] = field(default_factory=dict)
    """Keyed by id, in the order of their definition."""


def mutant(
    group: Group,
    verdict: Verdict,
    *,
    caught_by: str | tuple[str, ...] = (),
    missed: str = "",
    **needs: Any,
) -> Callable[[Mutation], Mutation]:
    """Register a mutation in a group: its class's name is the mutant's id, its docstring the text and the source."""

    def register(mutation: Mutation) -> Mutation:
        found = TEXT.fullmatch(" ".join((mutation.__doc__ or "").split()))
        assert found, f"{mutation.__name__} does not say what it does"
        codes = (caught_by,) if isinstance(caught_by, str) else caught_by
        group.mutants[mutation.__name__] = Mutant(
            mutation.__name__,
            group.name,
            found["text"],
            verdict,
            mutation,
            needs,
            found["source"] or "",
            codes,
            missed,
        )
        return mutation

    return register


__all__ = ["Group", "Mutant", "Mutation", "Verdict", "mutant"]
