"""The suffixes of ids: nine digits, of a hash of the organisation and its seed, with which all its ids end.

Organisations whose hashes collide get neighbouring numbers, so that no two share an id (B010, Q11; how ids are built is ours).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_SUFFIXES: Final = 1_000_000_000
"""How many there are: nine digits, beside ten that count, fit 64 bits."""


class IdSuffixes:
    """The suffixes in use; each belongs to one organisation and seed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str] = {}
        self._taken: set[int] = set()

    def of(self, org_id: str, seed: int) -> str:
        """Return the nine digits of an organisation and a seed: those of their hash, or the next that are free."""
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
        """Take a suffix that another process used for this organisation and seed. Return False when it is not free here."""
        known = self._known.get((org_id, seed))
        if known is None and int(suffix) not in self._taken:
            self._taken.add(int(suffix))
            known = self._known[org_id, seed] = suffix
        return known == suffix
