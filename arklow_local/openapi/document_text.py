"""OpenAPI documents as text: read from YAML or JSON, written as YAML, hashed by their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..formats import yaml_reader, yaml_writer
from ..formats.files import read_bytes
from ..formats.yaml_reader import Dialect, YamlRefused
from .pointers import Document, Place


class BadPages(Exception):
    """Pages or overlays that cannot be used; the message says what is wrong, where, and what would pass."""


def read_text(file: Path) -> str:
    """Read a file as UTF-8; a byte order mark at its beginning is no part of the text.

    Raises:
        BadPages: it cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(file).decode("utf-8-sig")
    except OSError as error:
        raise BadPages(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadPages(f"{file}: expected UTF-8, got another byte at {error.start}") from None


def read_value(name: str, text: str, first_line: int) -> Any:
    """Read the value of a YAML or JSON text, which begins in line `first_line` of the file `name`.

    Raises:
        BadPages: it is neither, or has what JSON cannot hold.
    """
    try:
        return yaml_reader.read(text, name, dialect=Dialect.DOCUMENT, first_line=first_line).value
    except YamlRefused as refused:
        if refused.problem:
            raise BadPages(f"{refused.where}: expected YAML or JSON: {refused.problem}") from None
        raise BadPages(str(refused)) from None


def line_of(place: Place, text: str, first_line: int) -> int:
    """Find the line of a place in a text that begins in line `first_line`, or of what is above it when it is not there."""
    return yaml_reader.read(text, "", dialect=Dialect.DOCUMENT, first_line=first_line).line(place)


def to_yaml(document: Document) -> str:
    """Write a document as YAML without anchors, in the order of its source."""
    return yaml_writer.write_block(document)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Write a document as text that only its content decides."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(document: Mapping[str, Any]) -> str:
    """Hash the canonical text of a document: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(canonical(document)).hexdigest()


__all__ = ["BadPages", "canonical", "digest", "line_of", "read_text", "read_value", "to_yaml"]
