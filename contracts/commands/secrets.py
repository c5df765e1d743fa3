"""Reads secrets from the environment or a file, as flags and targets files name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..core.target import Credential
from .usage import Usage


def secret_of(source: str, given: str, environment: Mapping[str, str]) -> tuple[str, str | None]:
    """Read a secret that is given as it is, as `env:NAME` or as `file:PATH`. `source` begins messages.

    Returns:
        the pair of the secret and the variable that has it, or None where no variable has it.

    Raises:
        Usage: there is no such variable or file.
    """
    how, _, where = given.partition(":")
    if how == "env":
        if not _VARIABLE.fullmatch(where):
            raise Usage(f"{source}: env: is followed by the name of a variable, such as env:ARKLOW_API_KEY")
        if not environment.get(where):
            raise Usage(f"{source} {given}: the environment has no variable {where}, or it is empty")
        return environment[where], where
    if how == "file":
        try:
            with Path(where).open("rb") as file:
                return file.read(_LONGEST).decode("latin-1").rstrip("\r\n"), None
        except OSError as error:
            raise Usage(f"{source} {given}: {error.strerror}") from None
    return given, None


_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_LONGEST: Final = 1 << 16
"""Bytes of a secret's file at most: no server takes a longer header."""


def credential_of(flag: str, given: str, org: str, name: str, environment: Mapping[str, str]) -> Credential:
    """Read a key that is given as it is, as `env:NAME` or as `file:PATH`, with its organisation.

    `flag` begins messages; reports show the key as the variable `name`, unless it comes from another variable.

    Raises:
        Usage: there is no such variable or file, or its text cannot be a key.
    """
    key, variable = secret_of(flag, given, environment)
    if not (key.strip() == key and key and all("!" <= c <= "~" for c in key)):
        raise Usage(f"{flag}: a key is printable ASCII without blanks")
    if not (org.isascii() and org.isdigit()):
        raise Usage(f"the organisation {org!r} is not a number such as 42")
    return Credential(key, org, variable or name)


__all__ = ["credential_of", "secret_of"]
