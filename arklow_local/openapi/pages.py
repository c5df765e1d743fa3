"""The vendor's pages as one document: joined, and with OpenAPI overlays laid over it.

A *place* is the way to a part of a document, as names in order; `pointer` writes it down (RFC 6901). What stands or falls
as a whole is a *unit*: an operation, a component, or a member of anything else.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .overlays import Laid, Overlay, _leads, applied, read_overlays, spared
from .pointers import (
    DESCRIBING,
    BadPages,
    Document,
    Place,
    _line,
    _text,
    _value,
    is_above_units,
    pointer,
    references,
)

WHOLE: Final = ("openapi.yaml", "openapi.yml", "openapi.json")
"""Names of a file that is the whole document."""

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
    """The line of the page in which the text begins."""

    def where(self, place: Place) -> str:
        """The page with the line of a place in it, if that can be told."""
        return f"{self.name} line {_line(self.text, place, self.first_line)}" if self.text else self.name


@dataclass(frozen=True, slots=True)
class Pages:
    """A directory of pages, and of the overlays of whoever keeps it."""

    name: str
    """The directory, and the names of its overlays."""
    joined: Document
    """The pages, nothing added."""
    overlays: tuple[Overlay, ...]

    def published(self, ours: Path) -> Document:
        """The pages with the overlays of the directory: what is judged by. `ours` is our own folder `spec`.

        Raises:
            BadPages: an overlay matches nothing, or what comes of it does not hold together.
        """
        if not self.overlays:
            return _whole(self.joined, self.name)
        laid = applied(self.joined, self.overlays)
        if laid.unmatched:  # what is meant for a part that our overlays add is for the mock
            self.promised(ours)
        return _whole(laid.content, self.name)

    def promised(self, ours: Path) -> Laid:
        """The same with our overlays below those of the directory, as far as the pages leave room: what is served.

        Raises:
            BadPages: as `published`.
        """
        today = read(ours / "upstream").joined
        below = spared(self.joined, read_overlays(ours / "overlays"), today)
        laid = applied(below.content, self.overlays)
        for overlay, target in laid.unmatched:
            raise BadPages(f"{overlay}: target {target} matches nothing: expected one that the pages have")
        return Laid(_whole(laid.content, self.name), left_out=below.left_out)


def read(directory: Path) -> Pages:
    """A directory of pages (`*.txt`, `*.md`) or of one whole document, with `overlays/*.overlay.yaml`.

    Raises:
        BadPages: it cannot be read, its pages disagree, or something in it is not what it should be.
    """
    try:
        files = sorted(file for file in directory.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise BadPages(f"{directory}: {error.strerror}: expected a directory of pages") from None
    pages = [file for file in files if file.suffix in (".txt", ".md")]
    whole = [file for file in files if file.name in WHOLE]
    if len(whole) > 1 or (whole and pages):
        names = ", ".join(file.name for file in [*whole, *pages][:3])
        raise BadPages(
            f"{directory}: expected either pages or one whole document, got {names}{'…' * (len(pages) > 2)}"
        )
    if not whole and not pages:
        raise BadPages(
            f"{directory}: expected pages (*.txt, *.md), or one whole document ({', '.join(WHOLE)}), got neither"
        )
    overlays = read_overlays(directory / "overlays") if (directory / "overlays").exists() else ()
    name = " + ".join([f"{directory.resolve().name}/", *(overlay.name for overlay in overlays)])
    joined = whole_document(whole[0]).content if whole else join([page(file) for file in pages])
    return Pages(name, joined, overlays)


def page(file: Path) -> Page:
    """A page as it is published: an OpenAPI document between fences.

    Raises:
        BadPages: there is none, or not one alone.
    """
    text = _text(file)
    blocks = list(_FENCE.finditer(text + "\n"))
    if len(blocks) != 1:
        raise BadPages(f"{file.name}: expected one fenced yaml or json block, found {len(blocks)}")
    block = blocks[0]
    return _openapi(file.name, block["block"], 1 + text.count("\n", 0, block.start("block")))


def whole_document(file: Path) -> Page:
    """A file that is an OpenAPI document.

    Raises:
        BadPages: it is none.
    """
    return _openapi(file.name, _text(file), 1)


def join(pages: Sequence[Page], *, describing: Collection[str] = DESCRIBING) -> Document:
    """One document out of several: maps are united, everything else must be equal, but for what describes.

    Raises:
        BadPages: two pages say different things; both places are named.
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


def _whole(document: Document, name: str) -> Document:
    """The document, if everything that it refers to is in it."""
    for reference in references(document):
        if not reference.startswith("#"):
            raise BadPages(f"{name}: expected references within the document alone, got {reference}")
        if reference.startswith("#/") and not _leads(document, reference):
            raise BadPages(
                f"{name}: expected {reference} to be there, as something refers to it; no page has it"
            )
    return document


def _openapi(name: str, text: str, first_line: int) -> Page:
    content = _value(name, text, first_line)
    version = content.get("openapi") if isinstance(content, dict) else None
    if not re.match(r"3\.1(\.|$)", str(version)):
        got = "no member 'openapi'" if version is None else f"openapi: {version}"
        raise BadPages(f"{name}: expected an OpenAPI 3.1 document, got {got}")
    for member in ("paths", "components"):
        if not isinstance(content.get(member, {}), dict):
            raise BadPages(f"{name}: expected {member} to be an object, got {type(content[member]).__name__}")
    return Page(name, content, text, first_line)


def _first_difference(one: Any, other: Any, place: Place) -> Place:
    """The deepest place at which both have something, and something else."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        key = next(key for key in one if one[key] != other[key])
        return _first_difference(one[key], other[key], (*place, key))
    return place


__all__ = ["Page", "Pages", "join", "page", "read"]
