"""Texts shortened for messages: one line, printable, of bounded length.

They live apart from the readers, as messages also quote what was never JSON or YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

_COMMAND: Final = re.compile(r"##\w*(?=\[)")
"""Begins a command of a build server: `##[error]`, `##vso[`, `##teamcity[`."""
_COMMAND_IN_JSON: Final = re.compile(r"##(?=\w*\[)")
_UNPRINTABLE: Final = re.compile(r"[^ -~]+")
"""What may hold a character that is not printable."""

_LONGEST_POINTER: Final = 400
"""Characters: a pointer this long fills four lines of a terminal; its ends tell most."""


def inert(text: str) -> str:
    """Show a text without any effect on what displays it: the one way in which texts of others reach an output.

    Characters that are not printable (controls, escapes of terminals, marks that turn the direction of writing, ends of
    lines and paragraphs) are shown as Python escapes them. Commands of GitHub, Azure Pipelines and TeamCity get a
    backslash: `##[…]` and its like anywhere in a line, `::…` at its beginning.
    """
    text = _inert_within(text)
    return f"\\{text.lstrip()}" if text.lstrip().startswith("::") else text


def _inert_within(text: str) -> str:
    """Show a text without any effect where something stands before it in its line."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return _COMMAND.sub(r"\g<0>\\", text) if "##" in text else text


def inert_lines(text: str) -> str:
    """Show a text as `inert` does, line by line: it keeps its `\\n`, and nothing else that ends a line."""
    return "\n".join(map(inert, text.split("\n")))


def inert_json(text: str) -> str:
    """Write a JSON text so that `inert` would change nothing of it but its ends of lines; its value is the same."""
    if not text.isprintable():
        text = _UNPRINTABLE.sub(_as_json_escape, text)
    return _COMMAND_IN_JSON.sub(r"#\\u0023", text)


def _as_json_escape(found: re.Match[str]) -> str:
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in found[0])


def excerpt(text: str, limit: int = 80) -> str:
    """Show at most `limit` characters of a text in one line, without any effect where something stands before it."""
    text = _inert_within(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 3] + "..."


def one_line(text: str, limit: int = 120) -> str:
    """Show at most `limit` characters of a text in one line, without any effect; white space is shown as single blanks."""
    line = inert(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def abridged_pointer(root: str, steps: Sequence[str | int]) -> str:
    """Write a JSON pointer (RFC 6901) below `root`; the middle of a long one is left out."""
    pointer = "/".join([root, *map(_step, steps)])
    return pointer if len(pointer) <= _LONGEST_POINTER else f"{pointer[:200]}...{pointer[-197:]}"


def _step(name: str | int) -> str:
    text = str(name).replace("~", "~0").replace("/", "~1")
    return excerpt(text.encode("utf-8", "backslashreplace").decode("utf-8"))


__all__ = ["abridged_pointer", "excerpt", "inert", "inert_json", "inert_lines", "one_line"]
