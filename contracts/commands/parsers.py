"""How every command's help looks: flags in groups, then examples and exit codes."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, Final

WIDTH: Final = 100
"""Columns of help at most: longer lines are hard to read, and a narrower terminal wins."""

EXIT_CODES: Final[Mapping[int, str]] = {
    0: "the deployment conforms",
    1: "it breaks a rule (with --strict, warnings count too)",
    2: "the command line cannot be carried out",
    3: "inconclusive: unreachable, key refused, limits in the way, or too little verified",
}
"""Exit code → what it means, for the commands that judge."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help that keeps the lines of its examples, and is no wider than `WIDTH` columns."""

    def __init__(self, prog: str) -> None:
        width = min(WIDTH, shutil.get_terminal_size().columns) - 2
        super().__init__(prog, max_help_position=30, width=width)


def epilogue(examples: Sequence[str], exit_codes: Mapping[int, str] = EXIT_CODES) -> str:
    """The end of a command's help: its examples, one a line, and each exit code with its meaning."""
    return "\n".join(
        [
            "examples:",
            *(f"  {example}" for example in examples),
            "",
            "exit codes:",
            *(f"  {code}  {meaning}" for code, meaning in exit_codes.items()),
            "",
            "docs/reference/exit-codes.md has every cause.",
        ]
    )


def add_command(
    commands: Any,
    name: str,
    help: str,
    *,
    description: str = "",
    usage: str | None = None,
    examples: Sequence[str],
    exit_codes: Mapping[int, str] = EXIT_CODES,
) -> argparse.ArgumentParser:
    """Add a command to argparse's subparsers and return its parser.

    `help` is its line in the list of commands; `description` begins its own help (default: `help` as a sentence).
    `usage` replaces a line of usage that would name dozens of flags.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        usage=usage and f"arklow-contracts {name} {usage}",
        description=description or f"{help[0].upper()}{help[1:]}.",
        epilog=epilogue(examples, exit_codes),
        formatter_class=HelpFormatter,
    )
    return parser


__all__ = ["EXIT_CODES", "WIDTH", "HelpFormatter", "add_command", "epilogue"]
