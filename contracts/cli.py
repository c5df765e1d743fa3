"""The command line of the judge: which command, its exit code, the only place that ends the process."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from .commands import COMMANDS
from .commands.usage import Usage
from .run.engine import describe


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 conforms, 1 violations, 2 usage, 3 inconclusive."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that a terminal lacks is no reason to fail
    try:
        options = parser().parse_args(argv)
        return COMMANDS[options.command].run(options, os.environ)
    except Usage as error:
        print(f"arklow-contracts: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\narklow-contracts: interrupted, nothing is proved", file=sys.stderr)
        return 3
    except BrokenPipeError:  # nobody reads on, as after `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except Exception as error:
        print(
            f"arklow-contracts: the judge itself failed, which proves nothing: {describe(error)}",
            file=sys.stderr,
        )
        return 3
    finally:
        with suppress(OSError):
            sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """All that can be asked for."""
    top = _Parser(
        prog="arklow-contracts",
        description="Judge a deployment of Arklow by its published pages and behaviours.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        command.add(commands)
    return top


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message} (see {self.prog} --help)")


__all__ = ["main", "parser"]
