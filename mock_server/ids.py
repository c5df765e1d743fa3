"""Ids: ten digits of the organisation's counter, then nine digits of a hash of the organisation.

They have 19 digits, fit a signed 64-bit integer, grow within an organisation and never meet another's:
two organisations whose hashes collide get neighbouring numbers (B010, Q11; the make-up is our choice).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

FIRST: Final = 1_000_000_000
_SUFFIXES: Final = 1_000_000_000


class OrganisationIds:
    """The counters and suffixes of all organisations."""

    def __init__(self) -> None:
        self._counters: dict[str, int] = {}
        self._suffixes: dict[str, int] = {}
        self._taken: set[int] = set()

    def next(self, org_id: str) -> str:
        """A fresh id of this organisation."""
        count = self._counters.get(org_id, FIRST) + 1
        self._counters[org_id] = count
        return f"{count}{self._suffix(org_id):09d}"

    def issued(self, org_id: str, number: str) -> bool:
        """Whether `next` gave out this id for this organisation."""
        last = self._counters.get(org_id, FIRST)
        if len(number) != 19 or number[10:] != f"{self._suffixes.get(org_id, -1):09d}":
            return False
        return FIRST < int(number[:10]) <= last

    def _suffix(self, org_id: str) -> int:
        known = self._suffixes.get(org_id)
        if known is not None:
            return known
        suffix = int.from_bytes(sha256(org_id.encode()).digest()[:8], "big") % _SUFFIXES
        while suffix in self._taken:
            suffix = (suffix + 1) % _SUFFIXES
        self._taken.add(suffix)
        self._suffixes[org_id] = suffix
        return suffix
