"""Authentication: the header schemes of the document, and which organisation a key belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from .errors import Refused

_NAMING_KEY: Final = re.compile(r"org-([0-9]{1,19})(?:-[a-z0-9]{8})?")
"""A key that names its organisation itself."""
_CHALLENGE: Final = ((b"www-authenticate", b"ApiKey"),)


class Keys:
    """The API keys that are accepted, and the organisation of each.

    `org-42`, and `org-42-` with exactly eight of `[a-z0-9]` behind it, belong to organisation 42; other keys are
    listed. Keys are compared whole and as they are spelled.
    """

    def __init__(self, listed: Mapping[str, str]) -> None:
        """Accept these keys, key → the organisation's id, beside those that name their organisation."""
        self._given = dict(listed)
        self._listed = self._given
        self.organisation = lru_cache(256)(self._organisation)
        """Key → the organisation's id, None for a key that is not accepted."""

    def add(self, listed: Mapping[str, str]) -> None:
        """Accept these keys, key → the organisation's id, beside those of the start; keys added before are dropped."""
        self._listed = {**listed, **self._given}
        self.organisation.cache_clear()

    def _organisation(self, key: str) -> str | None:
        if key in self._listed:
            return self._listed[key]
        naming = _NAMING_KEY.fullmatch(key)
        return naming[1] if naming else None


def is_checkable(scheme: Mapping[str, Any]) -> bool:
    """Tell whether the scheme is a key in a header; a request never satisfies any other kind here."""
    return scheme.get("type") == "apiKey" and scheme.get("in") == "header"


class Security:
    """The security requirement of one operation: alternatives, each of one or several headers (B001 to B004)."""

    def __init__(
        self, requirement: Sequence[Mapping[str, Any]], schemes: Mapping[str, Any], keys: Keys
    ) -> None:
        self._is_required = bool(requirement)
        self._alternatives = [
            [schemes[name]["name"] for name in alternative]
            for alternative in requirement
            if all(is_checkable(schemes[name]) for name in alternative)
        ]
        self._headers = [
            [name.lower().encode() for name in alternative] for alternative in self._alternatives
        ]
        self._keys = keys

    def authenticate(self, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """Return the id of the organisation whose key satisfies the first alternative; empty when no key is required.

        Raises:
            Refused: no alternative is satisfied (B005).
        """
        for alternative in self._headers:
            if len(alternative) == 1:
                organisation = self._keys.organisation(_value(headers, alternative[0]))
            else:
                found = {self._keys.organisation(_value(headers, name)) for name in alternative}
                organisation = "" if not found else found.pop() if len(found) == 1 else None
            if organisation is not None:
                return organisation
        if not self._is_required:
            return ""
        names = " or ".join(" with ".join(alternative) for alternative in self._alternatives)
        sent = [n for a in self._alternatives for n in a if _value(headers, n.lower().encode())]
        got = f"a value in {' and '.join(sent)} that is no such key" if sent else "none"
        if any(_value(headers, n.lower().encode())[:7].lower() == "bearer " for n in sent):
            got += " (the bare key is expected, without the word Bearer)"
        raise Refused("UNAUTHORIZED", f"header {names}: expected a known API key, got {got}", _CHALLENGE)


def _value(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """A header's value without outer blanks; several lines of one name are one list (RFC 9110 §5.3)."""
    found = b""
    for key, value in headers:
        if key == name:
            found = found + b", " + value if found else value
    return found.decode("latin-1").strip(" \t")
