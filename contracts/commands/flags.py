"""The flags that several commands have: the target, the document, and the codes of rules."""

from __future__ import annotations

import argparse
import tempfile
from difflib import get_close_matches
from pathlib import Path

from arklow_local.formats.excerpts import excerpt

from ..core.rules import RULES
from ..openapi.document import PUBLISHED
from . import values
from .targets_file import FILE
from .usage import Usage

TARGET_USAGE = "(--target NAME | --base-url URL --api-key KEY --org ID) [FLAG ...]"
"""The usage of a command that contacts a deployment."""


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which deployment is contacted, and how. No command contacts another host."""
    add = add_target_file(parser)
    add("--base-url", metavar="URL", help="the control plane of the deployment")
    add("--ingress-url", metavar="URL", help="its ingress, if that has another URL")
    add("--api-key", metavar="KEY", help="a key, or where it is: env:NAME or file:PATH")
    add("--org", metavar="ID", help="the organisation that the key belongs to")
    add("--second-api-key", metavar="KEY", help="a key of another organisation, given in the same way")
    add("--second-org", metavar="ID", help="the organisation that the second key belongs to")
    add(
        "--production",
        action=argparse.BooleanOptionalAction,
        help="allow a known production host to be contacted",
    )
    add = parser.add_argument_group("connection").add_argument
    add(
        "--header",
        action="append",
        type=values.header,
        default=[],
        metavar="NAME=VALUE",
        help="send this header with every request, and show its value nowhere; the value may be env:NAME "
        "or file:PATH (repeatable)",
    )
    add("--ca", metavar="FILE", help="trust these PEM certificates instead of the public authorities")
    add("--client-certificate", metavar="FILE", help="present this PEM certificate to the deployment")
    add("--client-key", metavar="FILE", help="the key of that certificate, if it is in another file")
    add(
        "--proxy",
        metavar="URL",
        help="use this HTTP proxy, or the one whose URL is in env:NAME or file:PATH; it may have a user and a "
        "password, http://USER:PASSWORD@HOST:PORT; variables such as https_proxy are not read",
    )
    add(
        "--resolve",
        action="append",
        type=values.resolution,
        default=[],
        metavar="HOST:PORT:ADDRESS",
        help="connect to this address for that host and port, without looking the name up (repeatable)",
    )


def add_target_file(parser: argparse.ArgumentParser) -> values.AddArgument:
    """Add the flags that name a target of a targets file; returns what adds further flags to their group."""
    add: values.AddArgument = parser.add_argument_group("target").add_argument
    add("--target", metavar="NAME", help=f"take these flags from a target of {FILE}; flags given here win")
    add("--targets", type=Path, metavar="FILE", help=f"another targets file (default ./{FILE})")
    return add


def add_document(parser: argparse.ArgumentParser, help: str) -> None:
    """Add the flags that say which document counts; at most one may be given. `help` says what a file is for."""
    group = parser.add_argument_group("document").add_mutually_exclusive_group()
    group.add_argument("--document", type=Path, metavar="FILE", help=help)
    group.add_argument(
        "--spec-dir",
        type=values.pages,
        metavar="DIR",
        help="the same, made from a directory of pages as they are published, with overlays/*.overlay.yaml",
    )


def add_verbose(add: values.AddArgument) -> None:
    """Add the flag that prints all that is known of a run."""
    add(
        "--verbose",
        action="store_true",
        help="print interpretations, counters and whole examples too, before the summary",
    )


def document_of(options: argparse.Namespace) -> Path:
    """The document that the flags name: a file, or a directory of pages.

    Raises:
        Usage: `--document` names a directory.
    """
    given: Path | None = options.document
    if given is not None and given.is_dir():
        raise Usage(
            f"--document {given}: Is a directory: expected a file; --spec-dir takes a directory of pages"
        )
    directory: Path | None = options.spec_dir
    return given or directory or PUBLISHED


def report_directory(given: Path | None) -> Path | None:
    """The directory for reports, made and tried for writing before the run begins.

    Raises:
        Usage: it cannot be written to.
    """
    if given is None:
        return None
    try:
        given.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=given):
            pass
    except OSError as error:
        raise Usage(f"--report-dir {given}: {error.strerror}") from None
    return given


def rule(text: str) -> str:
    """Read the code of a rule in any case, for argparse.

    Raises:
        ArgumentTypeError: no rule has that code.
    """
    code = text.upper()
    if code not in RULES:
        near = (
            get_close_matches(code, RULES, 3, 0.7)
            or [one for one in RULES if _family(one) == _family(code)][:3]
        )
        families = ", ".join(dict.fromkeys(map(_family, RULES)))
        hint = f"did you mean {' or '.join(near)}?" if near else f"the codes begin with {families}"
        raise argparse.ArgumentTypeError(f"there is no rule {excerpt(text)!r}; {hint}")
    return code


def _family(code: str) -> str:
    return code.partition("-")[0]


__all__ = [
    "TARGET_USAGE",
    "add_document",
    "add_target",
    "add_target_file",
    "add_verbose",
    "document_of",
    "report_directory",
    "rule",
]
