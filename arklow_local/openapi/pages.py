"""The vendor's pages as one document: read from a directory, joined, and with overlays applied.

Each page has a part of the same document; what two pages both say must be the same.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .document_text import BadPages, line_of, read_text, read_value
from .overlays import Overlaid, Overlay, apply, fill_gaps, read_overlays
from .pointers import (
    DESCRIBING,
    Document,
    Place,
    is_above_units,
    pointer,
    references,
    resolves,
)

_WHOLE_DOCUMENTS: Final = ("openapi.yaml", "openapi.yml", "openapi.json")
"""Names of a file that is the whole document, instead of pages."""

_FENCE: Final = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?:yaml|yml|json)\b[^\n]*\n(?P<block>.*?)^(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Page:
    """The OpenAPI document of one page."""

    name: str
    content: Document
    text: str = ""
    """The YAML or JSON that it was read from."""
    first_line: int = 1
    """The line of the page, counted from 1, in which the text begins."""

    def where(self, place: Place) -> str:
        """Name the page, with the line of a place in it if there is a text."""
        return f"{self.name} line {line_of(place, self.text, self.first_line)}" if self.text else self.name


@dataclass(frozen=True, slots=True)
class Pages:
    """A directory of pages, with overlays of the directory's own."""

    name: str
    """The directory, and the names of its overlays."""
    joined: Document
    """The document of the pages, nothing added."""
    overlays: tuple[Overlay, ...]

    def document_to_judge(self, spec: Path) -> Document:
        """Apply the overlays of the directory: the document by which a target is judged. `spec` is our folder of that name.

        Raises:
            BadPages: an overlay matches nothing, or the result refers to what it has not.
        """
        if not self.overlays:
            return _refuse_dangling(self.joined, self.name)
        overlaid = apply(self.joined, self.overlays)
        if overlaid.unmatched:  # a target may be a part that only our overlays add, for the mock
            self.document_to_serve(spec)
        return _refuse_dangling(overlaid.content, self.name)

    def document_to_serve(self, spec: Path) -> Overlaid:
        """Fill gaps of the pages with our overlays, then apply those of the directory: the document that the mock serves.

        Raises:
            BadPages: as `document_to_judge`.
        """
        today = read(spec / "upstream").joined
        filled = fill_gaps(self.joined, read_overlays(spec / "overlays"), today)
        overlaid = apply(filled.content, self.overlays)
        for overlay, target in overlaid.unmatched:
            raise BadPages(f"{overlay}: target {target} matches nothing: expected one that the pages have")
        return Overlaid(_refuse_dangling(overlaid.content, self.name), left_out=filled.left_out)


def read(directory: Path) -> Pages:
    """Read a directory of pages (`*.txt`, `*.md`) or of one whole document, with `overlays/*.overlay.yaml`.

    Raises:
        BadPages: it cannot be read, its pages disagree, or a file is neither page, document nor overlay.
    """
    try:
        files = sorted(file for file in directory.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise BadPages(f"{directory}: {error.strerror}: expected a directory of pages") from None
    pages = [file for file in files if file.suffix in (".txt", ".md")]
    whole = [file for file in files if file.name in _WHOLE_DOCUMENTS]
    if len(whole) > 1 or (whole and pages):
        names = ", ".join(file.name for file in [*whole, *pages][:3])
        raise BadPages(
            f"{directory}: expected either pages or one whole document, got {names}{'…' * (len(pages) > 2)}"
        )
    if not whole and not pages:
        raise BadPages(
            f"{directory}: expected pages (*.txt, *.md), or one whole document ({', '.join(_WHOLE_DOCUMENTS)}), got neither"
        )
    overlays = read_overlays(directory / "overlays") if (directory / "overlays").exists() else ()
    name = " + ".join([f"{directory.resolve().name}/", *(overlay.name for overlay in overlays)])
    joined = read_whole_document(whole[0]).content if whole else join([read_page(file) for file in pages])
    return Pages(name, joined, overlays)


def read_page(file: Path) -> Page:
    """Read a page as it is published: Markdown with an OpenAPI document between fences.

    Raises:
        BadPages: it has no such document, or several.
    """
    text = read_text(file)
    blocks = list(_FENCE.finditer(text + "\n"))
    if len(blocks) != 1:
        raise BadPages(f"{file.name}: expected one fenced yaml or json block, found {len(blocks)}")
    block = blocks[0]
    return _page(file.name, block["block"], 1 + text.count("\n", 0, block.start("block")))


def read_whole_document(file: Path) -> Page:
    """Read a file that is an OpenAPI document.

    Raises:
        BadPages: it is none.
    """
    return _page(file.name, read_text(file), 1)


def join(pages: Sequence[Page], *, describing: Collection[str] = DESCRIBING) -> Document:
    """Make one document out of several: units are collected, and what two pages both have must be equal, but for the members
    `describing` of the document itself.

    Raises:
        BadPages: two pages differ; the message names both places.
    """
    joined: Document = {}
    origin: dict[Place, Page] = {}

    def merge(into: Document, other: Document, page: Page, place: Place) -> None:
        for key, value in other.items():
            here = (*place, key)
            if key not in into:
                into[key] = copy.deepcopy(value)
                origin[here] = page
            elif isinstance(value, dict) and isinstance(into[key], dict) and is_above_units(here):
                merge(into[key], value, page, here)
            elif into[key] != value and key not in (describing if not place else ()):
                first = next(origin[here[:n]] for n in range(len(here), 0, -1) if here[:n] in origin)
                at = _first_difference(into[key], value, here)
                raise BadPages(
                    f"{pointer(at)} differs between {first.where(at)} and {page.where(at)}: "
                    "expected pages that say the same of it"
                )

    for one in pages:
        merge(joined, one.content, one, ())
    return joined


def _refuse_dangling(document: Document, name: str) -> Document:
    """Return the document when everything that it refers to is in it."""
    for reference in references(document):
        if not reference.startswith("#"):
            raise BadPages(f"{name}: expected references within the document alone, got {reference}")
        if reference.startswith("#/") and not resolves(document, reference):
            raise BadPages(
                f"{name}: expected {reference} to be there, as something refers to it; no page has it"
            )
    return document


def _page(name: str, text: str, first_line: int) -> Page:
    content = read_value(name, text, first_line)
    version = content.get("openapi") if isinstance(content, dict) else None
    if not re.match(r"3\.1(\.|$)", str(version)):
        got = "no member 'openapi'" if version is None else f"openapi: {version}"
        raise BadPages(f"{name}: expected an OpenAPI 3.1 document, got {got}")
    for member in ("paths", "components"):
        if not isinstance(content.get(member, {}), dict):
            raise BadPages(f"{name}: expected {member} to be an object, got {type(content[member]).__name__}")
    return Page(name, content, text, first_line)


def _first_difference(one: Any, other: Any, place: Place) -> Place:
    """Find the deepest place at which both have something, and differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        key = next(key for key in one if one[key] != other[key])
        return _first_difference(one[key], other[key], (*place, key))
    return place


__all__ = ["Page", "Pages", "join", "read", "read_page", "read_whole_document"]
