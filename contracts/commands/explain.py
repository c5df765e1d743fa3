"""`explain RULE…`: say what is behind a rule."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from .flags import rule
from .rule_sources import explain


def add(commands: Any) -> None:
    """Add the command."""
    about = commands.add_parser(
        "explain", help="say what is behind a rule", description="Say what is behind a rule, and its sources."
    )
    about.add_argument("rules", nargs="+", type=rule, metavar="RULE", help="code such as PAGE-9")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print it."""
    for number, code in enumerate(options.rules):
        print(*([""] if number else []), *explain(code), sep="\n")
    return 0


__all__ = ["add", "run"]
