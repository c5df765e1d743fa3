"""The command line of the judge. It finds the command and returns its exit code; the commands print."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

from arklow_local.formats.excerpts import inert_lines

from . import __version__
from .commands import COMMANDS
from .commands.parsers import HelpFormatter, epilogue
from .commands.ports import Ports
from .commands.usage import Usage
from .run.session import describe


def main(
    argv: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    ports: Ports | None = None,
) -> int:
    """Run a command; returns the exit code: 0 conforms, 1 violations, 2 usage, 3 inconclusive.

    `argv`, `environment` and `ports` are those of the process and of this machine, unless they are given.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the terminal lacks must not end the run
    try:
        options = parser().parse_args(argv)
        return COMMANDS[options.command].run(options, environment, ports or Ports())
    except Usage as error:
        print(f"arklow-contracts: {inert_lines(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\narklow-contracts: interrupted, nothing is proved", file=sys.stderr)
        return 3
    except BrokenPipeError:  # the reader of the output has gone, as after `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except Exception as error:
        print(
            f"arklow-contracts: the judge itself failed, which proves nothing: {inert_lines(describe(error))}",
            file=sys.stderr,
        )
        return 3
    finally:
        with suppress(OSError):
            sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, with a subparser for each command."""
    top = _Parser(
        prog="arklow-contracts",
        description="Judge a deployment of Arklow by its published pages and documented behaviours.",
        epilog=epilogue(
            (
                "arklow-contracts check --base-url http://localhost:3123 --api-key env:ARKLOW_API_KEY --org 1",
                "arklow-contracts explain LEASE-3",
                "arklow-contracts COMMAND --help",
            )
        ),
        formatter_class=HelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"arklow-contracts {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS.values():
        command.add(commands)
    return top


class _Parser(argparse.ArgumentParser):
    """Raises `Usage` instead of ending the process, so that every error of usage is printed in one place."""

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message} (see {self.prog} --help)")


__all__ = ["main", "parser"]
