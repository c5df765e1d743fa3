"""Tables and cells in Markdown as GitHub has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, line by line; its cells are made safe already."""
    for line in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(line)} |"


def cell(text: object) -> str:
    """A text in one line in which nothing is markup."""
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in "\\`*_[]|~" else _ENTITIES.get(c, c) for c in line)


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}

__all__ = ["cell", "table"]
