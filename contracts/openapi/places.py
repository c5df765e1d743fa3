"""Where the operations of a document stand in the user's repository, for reports that point there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from arklow_local.formats import yaml_reader
from arklow_local.formats.files import read_bytes
from arklow_local.openapi import document_text, pages, pointers

_NOT_OF_THE_USER: Final = frozenset({"site-packages", "node_modules"})
"""Names of directories in a repository whose files the user has not written; so are those that begin with a dot."""


def places_in_repository(document: Path, here: Path | None = None) -> dict[str, tuple[str, int]]:
    """Find where a document, or a directory of pages, says something of each operation.

    Args:
        document: the file or directory that is judged by.
        here: where the program runs; the working directory, if it is not given.

    Returns:
        label of an operation, or path template, or empty for the whole → (path from the root of the repository, line
        counted from 1). Empty, where the document is no file of the user's repository.
    """
    here = (here or Path.cwd()).resolve()
    root = next((one for one in (here, *here.parents) if (one / ".git").exists()), here)
    found: dict[str, tuple[str, int]] = {}
    try:
        for file, source in _sources(document):
            at = _path_from(root, file)
            if at is None:
                return {}
            found.setdefault("", (at, 1))
            for path, method, _ in pointers.operations(source.value):
                found.setdefault(path, (at, source.line(("paths", path))))
                found[f"{method.upper()} {path}"] = at, source.line(("paths", path, method))
    except (OSError, yaml_reader.YamlRefused, document_text.BadPages):
        return {}
    return found


def _sources(document: Path) -> Iterator[tuple[Path, yaml_reader.Source]]:
    """Yield each file of a document, with the text that was read from it."""
    dialect = yaml_reader.Dialect.DOCUMENT
    if not document.is_dir():
        yield document, yaml_reader.read(read_bytes(document), document.name, dialect=dialect)
        return
    for file in sorted(document.iterdir()):
        if file.suffix in (".md", ".txt"):
            page = pages.read_page(file)
        elif file.suffix in (".yaml", ".yml", ".json"):
            page = pages.read_whole_document(file)
        else:
            continue
        yield file, yaml_reader.read(page.text, page.name, dialect=dialect, first_line=page.first_line)


def _path_from(root: Path, file: Path) -> str | None:
    resolved = file.resolve()
    if not resolved.is_relative_to(root):
        return None
    path = resolved.relative_to(root)
    if any(part.startswith(".") or part in _NOT_OF_THE_USER for part in path.parts):
        return None
    return path.as_posix()


__all__ = ["places_in_repository"]
