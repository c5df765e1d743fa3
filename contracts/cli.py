"""The command line of the judge. It finds the command and returns its exit code; the commands print."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from typing import IO, Final, NoReturn, cast

from arklow_local.formats.excerpts import inert

from . import __version__
from .commands import COMMANDS
from .commands.crash import told_and_kept
from .commands.output import LastingOutput
from .commands.parsers import HelpFormatter, epilogue
from .commands.ports import Ports
from .commands.usage import Usage


def main(
    argv: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    ports: Ports | None = None,
) -> int:
    """Run a command; returns the exit code: 0 conforms, 1 violations, 2 usage, 3 inconclusive.

    `argv`, `environment` and `ports` are those of the process and of this machine, unless they are given.
    """
    # where the locale is C, Python takes UTF-8, and its terminal does not
    encoding = "ascii" if environment.get("LC_ALL") in ("C", "POSIX") else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors=_PLAIN)  # what a terminal lacks must not end the run
    output = LastingOutput(sys.stdout or io.StringIO())  # a process may be started with its output closed
    with redirect_stdout(cast("IO[str]", output)):
        code, verdict_stands = _run(argv, environment, ports or Ports())
    output.flush()
    if output.failure is None:
        return code
    with suppress(OSError):  # of an output without a file
        # what is buffered would fail once more at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
    if not isinstance(output.failure, BrokenPipeError):  # else its reader has gone, as after `| head`
        _say(f"the output could not be written: {output.failure.strerror}")
    return code if verdict_stands else 3


def _say(text: str) -> None:
    """Print why the command ends on standard error, as long as that can be written."""
    with suppress(OSError):
        print(f"arklow-contracts: {text}", file=sys.stderr, flush=True)


_JUDGING: Final = frozenset({"check", "judge"})
"""Commands whose exit code is a verdict, which stands even if nothing can be printed. The others do nothing but print."""


def _run(argv: Sequence[str] | None, environment: Mapping[str, str], ports: Ports) -> tuple[int, bool]:
    """Carry out a command line; returns (the exit code, whether it is a verdict)."""
    options: argparse.Namespace | None = None
    try:
        options = parser().parse_args(argv)
        judges = options.command in _JUDGING and not getattr(options, "dry_run", False)
        return COMMANDS[options.command].run(options, environment, ports), judges
    except SystemExit as ended:  # argparse has printed the help, or the version
        return int(ended.code or 0), False
    except Usage as error:
        _say(inert(str(error)))
        return 2, True
    except KeyboardInterrupt:
        _say("interrupted, nothing is proved")
        return 3, True
    except Exception as error:
        _say(told_and_kept(error, options, environment))
        return 3, True


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace characters that an encoding lacks, for `codecs`; returns what stands for them, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join("..." if character == "…" else "?" for character in lacking), error.end


_PLAIN: Final = "arklow-contracts-plain"
codecs.register_error(_PLAIN, _plain)


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
