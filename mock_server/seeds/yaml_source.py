"""Seed files as YAML: read with the line of each member, and refusals of their content put at their lines."""

from __future__ import annotations

from typing import Any

from arklow_local.formats import yaml_reader
from arklow_local.formats.yaml_reader import MAX_BYTES, YamlRefused

from ..domain.seeds import SeedRefused


class BadSeed(Exception):
    """The file cannot be used; the message says where, what was expected and what came."""


class Source:
    """A seed file that was read."""

    def __init__(self, source: yaml_reader.Source) -> None:
        self._source = source
        self.line = source.line
        self.value: Any = {} if source.value is None else source.value
        """What the file spells; of an empty file an empty object."""

    def bad(self, refused: SeedRefused) -> BadSeed:
        """Put a refusal of the content at its line in the file."""
        return BadSeed(f"{self._source.where(refused.place)}: {refused.text}")


def read(data: bytes, name: str) -> Source:
    """Read a file, which messages call `name`.

    Raises:
        BadSeed: it is too large, not UTF-8, not one YAML document, or has what JSON cannot hold.
    """
    try:
        return Source(yaml_reader.read(data, name))
    except YamlRefused as refused:
        raise BadSeed(str(refused)) from None


__all__ = ["MAX_BYTES", "BadSeed", "Source", "read"]
