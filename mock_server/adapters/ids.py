"""What the ids of an organisation end with: nine digits of a hash of the organisation and its seed.

Two organisations whose hashes collide get neighbouring numbers, so that no two share an id (B010, Q11; the
make-up of ids is our choice).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_SUFFIXES: Final = 1_000_000_000


class Suffixes:
    """The suffixes that were given out; none is given out twice."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str] = {}
        self._taken: set[int] = set()

    def of(self, org_id: str, seed: int) -> str:
        """Nine digits, the same for the same arguments, unless another organisation has them already."""
        known = self._known.get((org_id, seed))
        if known is not None:
            return known
        number = int.from_bytes(sha256(f"{seed}/{org_id}".encode()).digest()[:8], "big") % _SUFFIXES
        while number in self._taken:
            number = (number + 1) % _SUFFIXES
        self._taken.add(number)
        suffix = self._known[org_id, seed] = f"{number:09d}"
        return suffix

    def claim(self, org_id: str, seed: int, suffix: str) -> bool:
        """Give out a suffix that another process gave out for these arguments; False when it is not free here."""
        known = self._known.get((org_id, seed))
        if known is None and int(suffix) not in self._taken:
            self._taken.add(int(suffix))
            known = self._known[org_id, seed] = suffix
        return known == suffix
