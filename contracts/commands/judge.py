"""`judge FILE.har…`: judge traffic that was recorded; nothing is contacted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..openapi.document import Unreadable, load
from ..recordings.har import Entry, NoArchive, read
from ..recordings.recorded_traffic import Recorded
from ..reports.console import Patient, Terminal
from .check import write_reports
from .flags import add_document, add_named, directory_of, document_of, said_by, settled, url_of
from .secrets import credential_of
from .usage import Usage

_LARGEST: Final = 512
"""MiB of an archive that are read."""


def add(commands: Any) -> None:
    """Add the command."""
    about = commands.add_parser(
        "judge",
        help="judge recorded traffic",
        description="Judge HTTP Archives by the rules on single exchanges. Nothing is contacted.",
    )
    add = about.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="an HTTP Archive (HAR) of a browser or a proxy")
    add_named(about)
    add("--base-url", metavar="URL", help="where the control plane was; otherwise told by the paths")
    add("--ingress-url", metavar="URL", help="where ingress was, if elsewhere")
    add("--api-key", metavar="KEY", help="a good key, or env:NAME or file:PATH to read it from there")
    add("--org", metavar="ID", help="the organisation of that key")
    add("--report-dir", type=Path, metavar="DIR", help="where the reports go")
    add("--strict", action="store_true", help="warnings count as violations")
    add_document(about, "another OpenAPI 3.1 document to judge by")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Read, judge, print, and write the reports."""
    directory = directory_of(options.report_dir)
    judge = _judge_of(options, environment)
    finished = judge.judge([_entries(file) for file in options.files])
    if directory is not None:
        write_reports(finished, directory)
    terminal = Terminal(Patient(soft_wrap=True), finished.secrets)
    with suppress(OSError):  # nobody listens
        terminal.summarise(finished)
        if directory is not None:
            print(
                f"Reports are in {directory}/: report.html, report.json, junit.xml, report.sarif", flush=True
            )
    return finished.exit_code


def _judge_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Recorded:
    """The judge that the flags describe.

    Raises:
        Usage: they make no sense together.
    """
    options = settled(
        options, {"base_url", "ingress_url", "document", "spec_dir", *(["org"] if options.api_key else [])}
    )
    if options.ingress_url and not options.base_url:
        raise Usage("--ingress-url is of no use without --base-url")
    if (options.api_key is None) != (options.org is None):
        raise Usage("--api-key and --org belong together: give both or neither")
    given = ((said_by(options, one), getattr(options, one)) for one in ("base_url", "ingress_url"))
    credential = None
    if options.api_key is not None:
        credential = credential_of("--api-key", options.api_key, options.org, "ARKLOW_API_KEY", environment)
    try:
        document = load(document_of(options))
    except Unreadable as error:
        raise Usage(str(error)) from None
    bases = tuple(url_of(flag, url) for flag, url in given if url)
    return Recorded(document, bases=bases, credential=credential, strict=options.strict)


def _entries(file: Path) -> list[Entry]:
    """The entries of a file.

    Raises:
        Usage: it cannot be read, or is no archive.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read((_LARGEST << 20) + 1)
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from None
    if len(data) > _LARGEST << 20:
        raise Usage(f"{file} is larger than {_LARGEST} MiB: record less, or leave out other hosts")
    try:
        return read(data, str(file))
    except NoArchive as error:
        raise Usage(str(error)) from None


__all__ = ["add", "run"]
