"""What `arklow-contracts` can be asked: a module for each command, which adds its flags and carries it out."""

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


class Command(Protocol):
    """A module of a command."""

    def add(self, commands: Any) -> None:
        """Add the command and its flags to argparse's subparsers."""

    def run(self, options: argparse.Namespace, environment: Mapping[str, str]) -> int:
        """Carry it out; returns the exit code.

        Raises:
            Usage: what was asked for makes no sense.
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
"""Name → module."""

__all__ = ["COMMANDS"]
