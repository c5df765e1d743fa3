"""The commands of `arklow-contracts`: a module for each, which adds its flags and carries it out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final, Protocol

from . import (
    check,
    compare,
    explain,
    judge,
    replay,
    spec,
    targets,
)
from .ports import Ports


class Command(Protocol):
    """The module of a command."""

    def add(self, commands: Any) -> None:
        """Add the command and its flags to argparse's subparsers."""

    def run(self, options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
        """Carry the command out; returns the exit code.

        Raises:
            Usage: the command line cannot be carried out.
        """


COMMANDS: Final[Mapping[str, Command]] = {
    "check": check,
    "compare": compare,
    "explain": explain,
    "judge": judge,
    "replay": replay,
    "spec": spec,
    "targets": targets,
}
"""Name of a command → its module."""

__all__ = ["COMMANDS"]
