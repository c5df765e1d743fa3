"""Names of definitions and aliases: fresh ones in each run, or the few of a name prefix that each run uses again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from ..model.world import Model

_TURNS = 3
"""Definitions of a name prefix that take turns: a sequence seldom needs more of the common kind at once."""
_WITHOUT_DEFINITION = frozenset({"alias", "unknown"})
"""Kinds of names under which nothing is put."""
_ANY_ORDER = frozenset({"any"})
"""Kinds of names whose versions are put in any order, so that one PUT does not tell what is stored."""


class Names:
    """Gives names to one sequence."""

    def __init__(
        self,
        prefix: str,
        random: Random,
        model: Model,
        organisations: Sequence[str],
        *,
        reused: bool,
        scope: str = "",
    ) -> None:
        """Begin with the first name of each kind; `scope` tells the aliases of this sequence from those of others."""
        self.prefix = prefix
        """Begins every variant and alias of the run."""
        self.reused = reused
        """Whether earlier runs have used the same names."""
        self._random = random
        self._model = model
        self._organisations = organisations
        self._scope = scope
        self._given: Counter[str] = Counter()
        """Kind → names of that kind that were given."""

    def take(self, kind: str = "v") -> str:
        """Return the next name of a kind; one that is reused may have a definition, which its next PUT tells."""
        if not self.reused:
            return f"{self.prefix}{kind}{self._random.getrandbits(32):08x}"
        number = self._given[kind]
        self._given[kind] += 1
        if kind in _WITHOUT_DEFINITION:
            name = f"{self.prefix}{kind}.{self._scope}{number}"
        else:
            name = f"{self.prefix}{kind}{number % _TURNS if kind == 'v' else number}"
        if kind != "unknown":
            self.leave_open(name, told_by_put=kind not in _ANY_ORDER)
        return name

    def restart(self, kind: str) -> None:
        """Give the first name of a kind again next."""
        self._given[kind] = 0

    def leave_open(self, name: str, *, told_by_put: bool = True) -> None:
        """Take it that an earlier run may have defined a reused name.

        Its next PUT tells what is stored, if the versions of that name only rise (`told_by_put`).
        """
        for organisation in self._organisations if self.reused else ():
            self._model.reopen(organisation, name, next_put_settles=told_by_put)

    def change_prefix(self, prefix: str) -> None:
        """Begin the names from now on with another prefix."""
        self.prefix = prefix


__all__ = ["Names"]
