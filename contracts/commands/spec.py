"""`spec status`: say what moved between the built-in document and a vendor's pages."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arklow_local.openapi import pages, pointers

from ..core.rules import PAGES
from ..openapi.diff import changes, handlers_unfit, rules_touched
from ..openapi.document import (
    LINKED,
    PUBLISHED,
    SPEC,
    Unreadable,
    load,
)
from . import values
from .usage import Usage


def add(commands: Any) -> None:
    """Add the command."""
    about = commands.add_parser(
        "spec",
        help="say what moved in the vendor's pages",
        description="About the document that is judged by.",
    )
    status = about.add_subparsers(dest="about", required=True, metavar="WHAT").add_parser(
        "status",
        help="say what moved against the built-in document, and what rests on it",
        description="Say what moved against the built-in document, and what rests on it. Exit code 1 when something did.",
    )
    status.add_argument(
        "--spec-dir",
        type=values.pages,
        metavar="DIR",
        help="the pages as they are published, with overlays/*.overlay.yaml (default: the built-in ones)",
    )


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Compare, and print."""
    try:
        lines = list(status(options.spec_dir or SPEC / "upstream"))
    except (pointers.BadPages, Unreadable) as error:
        raise Usage(str(error)) from None
    whose = options.spec_dir or "the built-in pages"
    print(*(lines or [f"Nothing moved: {whose} and the built-in document are the same."]), sep="\n")
    return 1 if lines else 0


def status(directory: Path) -> Iterator[str]:
    """A line for each thing that moved, and for each that rests on it.

    Raises:
        BadPages, Unreadable: the directory, or the built-in document, cannot be used.
    """
    old, found = load(PUBLISHED).content, pages.read(directory)
    new, served = found.published(SPEC), found.promised(SPEC)
    moved = changes(old, new)
    yield from map(str, moved)
    yield from (f"overlay   left out {said}" for said in served.left_out)
    for page, rules in rules_touched(old, new, moved).items():
        yield f"rules     moved    {page}, {PAGES[page]}: {', '.join(rules)}"
    for operation, why in handlers_unfit(load(LINKED).content, served.content).items():
        yield f"handler   unfit    {operation}: {why}"


__all__ = ["add", "run", "status"]
