"""Texts shortened for messages: one line, printable, of bounded length.

They live apart from the readers, as messages also quote what was never JSON or YAML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LONGEST_POINTER: Final = 400
"""Characters: a pointer this long fills four lines of a terminal; its ends tell most."""


def excerpt(text: str, limit: int = 80) -> str:
    """Show at most `limit` characters of a text in one line, other characters than printable ones escaped as in Python."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 3] + "..."


def printable(text: str) -> str:
    """Escape what no terminal and no log may get from a file or a server: control characters, ends of lines among them."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def one_line(text: str, limit: int = 120) -> str:
    """Show at most `limit` characters of a text in one line: white space as single blanks, control characters as `\\x1f`."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else f"\\x{ord(c):02x}" for c in text)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def abridged_pointer(root: str, steps: Sequence[str | int]) -> str:
    """Write a JSON pointer (RFC 6901) below `root`; the middle of a long one is left out."""
    pointer = "/".join([root, *map(_step, steps)])
    return pointer if len(pointer) <= _LONGEST_POINTER else f"{pointer[:200]}...{pointer[-197:]}"


def _step(name: str | int) -> str:
    text = str(name).replace("~", "~0").replace("/", "~1")
    return excerpt(text.encode("utf-8", "backslashreplace").decode("utf-8"))


__all__ = ["abridged_pointer", "excerpt", "one_line", "printable"]
