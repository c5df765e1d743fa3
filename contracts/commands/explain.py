"""`explain RULE…`: say what is behind a rule."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

from .flags import rule
from .parsers import add_command
from .ports import Ports
from .rule_sources import explain

_EXIT_CODES: Final = {0: "the rules are explained", 2: "there is no such rule"}


def add(commands: Any) -> None:
    """Add the command to the sub-commands of the parser."""
    parser = add_command(
        commands,
        "explain",
        "explain a rule: its sources, its remedy, an example",
        examples=("arklow-contracts explain PAGE-9", "arklow-contracts explain LEASE-3 LIFE-9"),
        exit_codes=_EXIT_CODES,
    )
    parser.add_argument(
        "rules", nargs="+", type=rule, metavar="RULE", help="the code of a rule, such as PAGE-9"
    )


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Print what is behind each rule, with an empty line between, and return the exit code 0."""
    for number, code in enumerate(options.rules):
        print(*([""] if number else []), *explain(code), sep="\n")
    return 0


__all__ = ["add", "run"]
