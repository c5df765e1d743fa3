"""Tables and cells in the Markdown of GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from arklow_local.formats.excerpts import inert


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose cells are escaped already."""
    for line in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(line)} |"


def cell(text: object) -> str:
    """Return a text in one line, with all markup escaped."""
    line = inert(" ".join(str(text).split()))
    return "".join(f"\\{c}" if c in "\\`*_[]|~" else _ENTITIES.get(c, c) for c in line)


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}

__all__ = ["cell", "table"]
