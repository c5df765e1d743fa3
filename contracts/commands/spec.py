"""`spec status`: say what changed between the built-in document and a vendor's pages."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from arklow_local.formats.excerpts import inert
from arklow_local.openapi import pages
from arklow_local.openapi.document_text import BadPages

from ..core.rules import PAGES
from ..openapi.diff import affected_rules, changes, unfit_handlers
from ..openapi.document import (
    LINKED,
    PUBLISHED,
    SPEC,
    Unreadable,
    load,
)
from . import values
from .parsers import add_command
from .ports import Ports
from .usage import Usage

_EXIT_CODES: Final = {
    0: "nothing changed",
    1: "something changed",
    2: "the pages contradict each other, or are not pages",
}


def add(commands: Any) -> None:
    """Add the command, its subcommand `status` and its flag."""
    parser = add_command(
        commands,
        "spec",
        "say what changed in the vendor's pages",
        description="About the document that deployments are judged by.",
        examples=("arklow-contracts spec status --spec-dir vendor",),
        exit_codes=_EXIT_CODES,
    )
    about = parser.add_subparsers(dest="about", required=True, metavar="WHAT")
    status_parser = add_command(
        about,
        "status",
        "say what changed against the built-in document, and what depends on it",
        examples=("arklow-contracts spec status", "arklow-contracts spec status --spec-dir vendor"),
        exit_codes=_EXIT_CODES,
    )
    status_parser.add_argument(
        "--spec-dir",
        type=values.pages,
        metavar="DIR",
        help="the pages as they are published, with overlays/*.overlay.yaml (default: the built-in pages)",
    )


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Compare the pages with the built-in document, and print the changes; returns the exit code."""
    try:
        lines = list(status(options.spec_dir or SPEC / "upstream"))
    except (BadPages, Unreadable) as error:
        raise Usage(str(error)) from None
    pages_name = options.spec_dir or "the built-in pages"
    print(
        *map(inert, lines or [f"Nothing moved: {pages_name} and the built-in document are the same."]),
        sep="\n",
    )
    return 1 if lines else 0


def status(directory: Path) -> Iterator[str]:
    """Yield a line for each change, and for each overlay, rule and handler that depends on one.

    Raises:
        BadPages, Unreadable: the directory, or the built-in document, cannot be used.
    """
    old, found = load(PUBLISHED).content, pages.read(directory)
    new, served = found.document_to_judge(SPEC), found.document_to_serve(SPEC)
    changed = changes(old, new)
    yield from map(str, changed)
    yield from (f"overlay   left out {said}" for said in served.left_out)
    for page, rules in affected_rules(old, new, changed).items():
        yield f"rules     moved    {page}, {PAGES[page]}: {', '.join(rules)}"
    for operation, why in unfit_handlers(load(LINKED).content, served.content).items():
        yield f"handler   unfit    {operation}: {why}"


__all__ = ["add", "run", "status"]
