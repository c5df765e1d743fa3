"""The data of a run as a person may be shown them: every text without effect on what displays it."""

from __future__ import annotations

from typing import Any

from arklow_local.formats.excerpts import inert_lines

_NOT_DISPLAYED = frozenset({"script"})
"""Members of a report that are read by programs alone, which need their exact bytes."""


def printable_data(value: Any) -> Any:
    """Return JSON data with each text and each name of a member shown as `inert_lines` does."""
    match value:
        case str():
            return inert_lines(value)
        case dict():
            return {
                inert_lines(name): inner if name in _NOT_DISPLAYED else printable_data(inner)
                for name, inner in value.items()
            }
        case list():
            return [printable_data(inner) for inner in value]
        case _:
            return value


__all__ = ["printable_data"]
