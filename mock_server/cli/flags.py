"""The flags of `arklow-mock` as tables, from which its parsers and the pages about them are made."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .. import __version__
from . import flag_values

CONTROL_PORT: Final = 3123
ADMIN_PORT: Final = 3124
INGRESS_PORT: Final = 3125
HOSTS: Final = ("127.0.0.1", "::1")
"""What is listened on unless `--host` or `--admin-host` is given: this machine alone."""

_WIDEST: Final = 100
"""Columns of the help at most: longer lines are hard to read."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a command."""

    names: tuple[str, ...]
    """As they are typed; the long one last."""
    help: str
    """What the flag is for; `note` says its default."""
    group: str
    """The heading under which the help has it."""
    metavar: str = ""
    """What the help calls its value; empty for a switch, which takes none."""
    parse: Callable[[str], Any] = str
    """Text → value; raises `argparse.ArgumentTypeError`."""
    default: int | float | str | None = None
    default_in_words: str = ""
    """What happens without the flag, where the value of `default` does not say it."""
    repeatable: bool = False
    environment: str = ""
    """The environment variable that stands in for the flag."""
    excludes: str = ""
    """Flags with the same text here exclude each other."""

    @property
    def note(self) -> str:
        """What the help has in brackets: whether the flag may be repeated, and its default; empty for neither."""
        default = self.default_in_words or ("" if self.default is None else f"{self.default}")
        parts = ["repeatable"] * self.repeatable + [f"default {default}"] * bool(default)
        return f"({'; '.join(parts)})" if parts else ""


_LISTENING: Final = "ports and addresses"
_ADMIN: Final = "admin plane"
_KEYS: Final = "API keys"
_DOCUMENT: Final = "the document that is served"
_CHOICES: Final = "choices that the document leaves open"
_WORLD: Final = "the world and its limits"
_DELIVERIES: Final = "deliveries"
_PROCESS: Final = "for the program that starts it"

FLAGS: Final = (
    Flag(
        ("--port",),
        "port of the control plane; 0: a free one",
        _LISTENING,
        metavar="PORT",
        parse=flag_values.port,
        default=CONTROL_PORT,
    ),
    Flag(
        ("--ingress-port",),
        "port of ingress; 0: a free one",
        _LISTENING,
        metavar="PORT",
        parse=flag_values.port,
        default=INGRESS_PORT,
    ),
    Flag(
        ("--host",),
        "address to listen on",
        _LISTENING,
        metavar="ADDRESS",
        default_in_words=" and ".join(HOSTS),
        repeatable=True,
    ),
    Flag(
        ("--admin-port",),
        "port of the admin plane; 0: a free one",
        _ADMIN,
        metavar="PORT",
        parse=flag_values.port,
        default=ADMIN_PORT,
        excludes="admin plane",
    ),
    Flag(("--no-admin",), "serve no admin plane", _ADMIN, excludes="admin plane"),
    Flag(
        ("--admin-host",),
        "address of the admin plane",
        _ADMIN,
        metavar="ADDRESS",
        default_in_words=" and ".join(HOSTS),
        repeatable=True,
    ),
    Flag(
        ("--admin-token",),
        "token that its callers must have",
        _ADMIN,
        metavar="TEXT",
        parse=flag_values.token,
        default_in_words="$ARKLOW_ADMIN_TOKEN, or a random one that is printed",
        environment="ARKLOW_ADMIN_TOKEN",
    ),
    Flag(
        ("--admin-name",),
        "another name of this machine that a Host header may have",
        _ADMIN,
        metavar="NAME",
        repeatable=True,
    ),
    Flag(
        ("--admin-origin",),
        "let browser pages of this origin call",
        _ADMIN,
        metavar="ORIGIN",
        default_in_words="none",
        repeatable=True,
    ),
    Flag(
        ("--key",),
        "another API key; dev-key=1 is always there",
        _KEYS,
        metavar="KEY=ORG",
        parse=flag_values.key,
        repeatable=True,
    ),
    Flag(("--document-only",), "serve the published pages without overlays", _DOCUMENT, excludes="document"),
    Flag(
        ("--document",),
        "serve another OpenAPI 3.1 document",
        _DOCUMENT,
        metavar="FILE",
        parse=Path,
        excludes="document",
    ),
    Flag(
        ("--spec-dir",),
        "serve a directory of pages, with our overlays and its own",
        _DOCUMENT,
        metavar="DIR",
        parse=Path,
        excludes="document",
    ),
    Flag(("--strict-document",), "refuse to start when a part of the document is not served", _DOCUMENT),
    Flag(("--auto-define",), "give an unknown variant an open definition instead of a 400", _CHOICES),
    Flag(
        ("--raw-bodies",), "take a body without a payload member as the payload, as the guides do", _CHOICES
    ),
    Flag(
        ("--interpretations",),
        "imitate the deployment that a judge wrote this file of",
        _CHOICES,
        metavar="FILE",
        parse=Path,
    ),
    Flag(("--strict-schemas",), "refuse definitions whose schema cannot be enforced", _CHOICES),
    Flag(
        ("--seed-file",),
        "what organisations begin with; read again when it changes",
        _WORLD,
        metavar="FILE",
        parse=Path,
    ),
    Flag(
        ("--seed",),
        "the number that ids and back-offs are made from",
        _WORLD,
        metavar="N",
        parse=flag_values.count_or_none,
        default=0,
    ),
    Flag(
        ("--max-body-mib",),
        "largest request body, in MiB",
        _WORLD,
        metavar="N",
        parse=flag_values.mebibytes,
        default=10.0,
        default_in_words="10",
    ),
    Flag(
        ("--max-actions",),
        "actions kept",
        _WORLD,
        metavar="N",
        parse=flag_values.count,
        default=100_000,
    ),
    Flag(
        ("--max-payload-mib",),
        "payloads, metadata and tags kept, in MiB",
        _WORLD,
        metavar="N",
        parse=flag_values.mebibytes,
        default=512.0,
        default_in_words="512",
    ),
    Flag(
        ("--journal",),
        "journal entries kept of each organisation",
        _WORLD,
        metavar="N",
        parse=flag_values.count_or_none,
        default=2_000,
    ),
    Flag(
        ("--deliver-to",),
        "beside this machine, call webhooks on this host",
        _DELIVERIES,
        metavar="HOST",
        parse=flag_values.host,
        repeatable=True,
    ),
    Flag(
        ("--delivery-limit",),
        "seconds for the whole answer of a webhook, 50 at most",
        _DELIVERIES,
        metavar="SECONDS",
        parse=flag_values.call_limit,
        default=5.0,
        default_in_words="5",
    ),
    Flag(
        ("--ready-file",),
        "write addresses and admin token there, as JSON, once all ports answer",
        _PROCESS,
        metavar="FILE",
        parse=Path,
    ),
    Flag(
        ("--exit-with-parent",),
        "end with the parent process, or with a pipe at standard input",
        _PROCESS,
    ),
)
"""The flags of `arklow-mock` and `arklow-mock serve`, in the order of the help."""

EXPORT_FLAGS: Final = (
    Flag(
        ("--admin-url",),
        "address of the admin plane",
        _ADMIN,
        metavar="URL",
        default=f"http://localhost:{ADMIN_PORT}",
    ),
    Flag(
        ("--admin-token",),
        "token of the admin plane",
        _ADMIN,
        metavar="TEXT",
        parse=flag_values.token,
        default_in_words="$ARKLOW_ADMIN_TOKEN",
        environment="ARKLOW_ADMIN_TOKEN",
    ),
    Flag(
        ("--organisation",),
        "organisation to write",
        "the seed file",
        metavar="ID",
        parse=flag_values.organisation,
        default_in_words="all that were used",
        repeatable=True,
    ),
    Flag(
        ("-o", "--output"),
        "the file to write",
        "the seed file",
        metavar="FILE",
        parse=Path,
        default_in_words="standard output",
    ),
)
"""The flags of `arklow-mock export`, in the order of the help."""

_SERVE_EPILOGUE: Final = """\
keys that need no flag:
  org-42, and org-42- with eight of [a-z0-9] behind it, belong to organisation 42, which is made
  on first use; dev-key belongs to organisation 1

examples:
  arklow-mock                            serve; http://localhost:3123/ is a page to try the API
  arklow-mock --auto-define              take any variant, without a definition
  arklow-mock --seed-file seed.yaml      begin with definitions, actions and keys of a file
  arklow-mock --port 0 --ingress-port 0 --admin-port 0 --ready-file mock.json --exit-with-parent
                                         free ports, written to a file, for a test run
  arklow-mock export --output seed.yaml  write what a running mock holds; see its own --help

exit codes:
  0  ended by Ctrl-C, SIGTERM or the end of the parent process
  2  not started: a wrong flag, a port in use, or a file that cannot be used; see standard error
"""
_EXPORT_EPILOGUE: Final = """\
examples:
  arklow-mock export --output seed.yaml  all organisations, for arklow-mock --seed-file seed.yaml
  arklow-mock export --organisation 42   one of them, to standard output

exit codes:
  0  written
  2  not written: a wrong flag, or no answer from the mock; see standard error
"""


def parser() -> argparse.ArgumentParser:
    """The parser of `arklow-mock` and `arklow-mock serve`."""
    return _parser(
        FLAGS,
        prog="arklow-mock",
        usage="arklow-mock [serve] [FLAG ...]\n       arklow-mock export [FLAG ...]",
        description="Serve the published API of Arklow over a stateful world in memory.",
        epilog=_SERVE_EPILOGUE,
    )


def export_parser() -> argparse.ArgumentParser:
    """The parser of `arklow-mock export`."""
    return _parser(
        EXPORT_FLAGS,
        prog="arklow-mock export",
        usage="arklow-mock export [FLAG ...]",
        description="Write the organisations of a running mock as a seed file, from which another goes on.",
        epilog=_EXPORT_EPILOGUE,
    )


def _parser(
    flags: Sequence[Flag], *, prog: str, usage: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=usage,
        description=description,
        epilog=epilog,
        formatter_class=_formatter,
        add_help=False,  # in a group of its own, at the end
    )
    groups: dict[str, Any] = {}
    exclusive: dict[str, Any] = {}
    for flag in flags:
        container = groups.get(flag.group) or groups.setdefault(
            flag.group, parser.add_argument_group(flag.group)
        )
        if flag.excludes:
            container = exclusive.get(flag.excludes) or exclusive.setdefault(
                flag.excludes, container.add_mutually_exclusive_group()
            )
        container.add_argument(*flag.names, **_arguments(flag))
    other = parser.add_argument_group("other")
    other.add_argument("-h", "--help", action="help", help="print this help, and end")
    other.add_argument(
        "--version", action="version", version=f"arklow-mock {__version__}", help="print the version, and end"
    )
    return parser


def _arguments(flag: Flag) -> dict[str, Any]:
    """The arguments of `add_argument` for a flag, keyed by name."""
    text = f"{flag.help} {flag.note}".strip().replace("%", "%%")
    if not flag.metavar:
        return {"action": "store_true", "help": text}
    default = os.environ.get(flag.environment) or None if flag.environment else flag.default
    shared = {"type": flag.parse, "metavar": flag.metavar, "help": text}
    if flag.repeatable:
        return {**shared, "action": "append", "default": []}
    return {**shared, "default": default}


def _formatter(prog: str) -> argparse.HelpFormatter:
    width = min(_WIDEST, shutil.get_terminal_size().columns - 2)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=width)


__all__ = [
    "ADMIN_PORT",
    "CONTROL_PORT",
    "EXPORT_FLAGS",
    "FLAGS",
    "HOSTS",
    "INGRESS_PORT",
    "Flag",
    "export_parser",
    "parser",
]
