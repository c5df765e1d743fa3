"""YAML written: the same text for the same value, members in their order, without anchors."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import yaml

from .yaml_reader import MAX_DEPTH


def write(value: Any, *, heading: str = "") -> str:
    """Write an object so that a person can edit it and `yaml_reader.read` reads it back, below a line `heading`.

    Lists and objects of scalars that fit on one line stand on one line; texts of several lines are blocks.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10 * MAX_DEPTH))  # the dumper takes three frames a level
    try:
        text: str = yaml.dump(
            value, Dumper=_CompactDumper, allow_unicode=True, sort_keys=False, width=_COMPACT_WIDTH
        )
    finally:
        sys.setrecursionlimit(limit)
    return f"{heading}\n{text}" if heading else text


def write_block(value: Any, *, width: int = 110) -> str:
    """Write a value with each member on a line of its own, texts folded at `width` characters."""
    text: str = yaml.dump(value, Dumper=_BlockDumper, sort_keys=False, allow_unicode=True, width=width)
    return text


class _BlockDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        """Write everything where it stands."""
        return True


_COMPACT_WIDTH: Final = 150
"""Characters of a line, where it can be broken: an action of a seed file fits on one line."""
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+@-]*(?: [A-Za-z0-9_./+@-]+)*")
"""Texts that every reader takes for texts without quotes, but for the words below."""
_RESERVED: Final = frozenset("true false null yes no on off y n".split())
"""Words that some reader of YAML takes for another value."""


class _CompactDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        """Write everything where it stands."""
        return True

    def represent_sequence(self, *arguments: Any, **named: Any) -> Any:
        """Put it on one line, if it holds scalars alone and is short."""
        node = super().represent_sequence(*arguments, **named)
        node.flow_style = _is_short(node.value)
        return node

    def represent_mapping(self, *arguments: Any, **named: Any) -> Any:
        """Put it on one line, if it holds scalars alone and is short."""
        node = super().represent_mapping(*arguments, **named)
        node.flow_style = _is_short([part for member in node.value for part in member])
        return node


def _is_short(nodes: Sequence[Any]) -> bool:
    scalars = all(isinstance(node, yaml.ScalarNode) and node.style != "|" for node in nodes)
    return scalars and sum([len(node.value) + 2 for node in nodes]) < _COMPACT_WIDTH


def _represent_text(dumper: Any, text: str) -> Any:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
    style = None if plain else "|" if "\n" in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_CompactDumper.add_representer(str, _represent_text)


__all__ = ["write", "write_block"]
