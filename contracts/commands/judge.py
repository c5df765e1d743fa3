"""`judge FILE.har…`: judge recorded traffic, without contacting any host."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..core.baseline import entries
from ..openapi.document import Unreadable, load
from ..openapi.places import places_in_repository
from ..recordings.recorded_traffic import RecordingJudge
from ..reports.console import Terminal, console
from . import values
from .archive_files import entries_of
from .check import conclude
from .flags import add_document, add_target_file, add_verbose, document_of, report_directory
from .parsers import add_command
from .plan_options import from_yaml
from .ports import Ports
from .report_files import ReportFiles
from .secrets import credential_of
from .target_options import source_of, url_of, with_targets_file
from .usage import Usage

_EXAMPLES: Final = (
    "arklow-contracts judge shop.har",
    "arklow-contracts judge shop.har --api-key env:ARKLOW_API_KEY --org 42 --report-dir out",
)


def add(commands: Any) -> None:
    """Add the command and its flags."""
    parser = add_command(
        commands,
        "judge",
        "judge recorded traffic",
        description="Judge HTTP Archives by the rules on single exchanges. No host is contacted.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="an HTTP Archive: .har, .har.gz, or a .zip with one and its bodies",
    )
    add = add_target_file(parser)
    add("--base-url", metavar="URL", help="the control plane that was called (default: found by the paths)")
    add("--ingress-url", metavar="URL", help="its ingress, if that had another URL")
    add("--api-key", metavar="KEY", help="a good key, or where it is: env:NAME or file:PATH")
    add("--org", metavar="ID", help="the organisation that the key belongs to")
    add_document(parser, "judge by another OpenAPI 3.1 document")
    add = parser.add_argument_group("judgement").add_argument
    add("--strict", action="store_true", help="count warnings as violations")
    add(
        "--min-verified",
        type=values.PERCENT,
        metavar="PCT",
        help="percent of the rules that must be verified for exit code 0 (default 0)",
    )
    add(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="known findings to excuse: a YAML list of id, owner, reason, expires",
    )
    add = parser.add_argument_group("output").add_argument
    add(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="write report.html, report.json, junit.xml and report.sarif there",
    )
    add_verbose(add)


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Judge the archives, print the findings and write the reports; returns the exit code."""
    directory = report_directory(options.report_dir)
    judge, document = _judge_of(options, environment)
    terminal = Terminal(console(), {})
    archives = []
    try:
        for file in options.files:
            terminal.show_work(f"reading {file}")
            archives.append(entries_of(file))
        finished = judge.judge(
            archives, lambda judged, count: terminal.show_work(f"judged {judged:,} of {count:,} exchanges")
        )
    finally:
        terminal.close()
    finished = replace(finished, places=places_in_repository(document))
    files = None if directory is None else ReportFiles(directory, interpretations=False)
    conclude(finished, Terminal(console(), finished.secrets), files, {}, verbose=options.verbose)
    return finished.exit_code


def _judge_of(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[RecordingJudge, Path]:
    """Return (the judge that the flags describe, where its document is).

    Raises:
        Usage: a value cannot be used, or flags contradict each other.
    """
    options = with_targets_file(
        options,
        {
            *("base_url", "ingress_url", "document", "spec_dir", "baseline", "min_verified"),
            *(["org"] if options.api_key else []),
        },
    )
    if options.ingress_url and not options.base_url:
        raise Usage("--ingress-url is of no use without --base-url")
    if (options.api_key is None) != (options.org is None):
        raise Usage("--api-key and --org belong together: give both or neither")
    given = ((source_of(options, one), getattr(options, one)) for one in ("base_url", "ingress_url"))
    credential = None
    if options.api_key is not None:
        credential = credential_of("--api-key", options.api_key, options.org, "ARKLOW_API_KEY", environment)
    try:
        file = document_of(options)
        document = load(file)
    except Unreadable as error:
        raise Usage(str(error)) from None
    bases = tuple(url_of(flag, url) for flag, url in given if url)
    judge = RecordingJudge(
        document,
        bases=bases,
        credential=credential,
        strict=options.strict,
        baseline=from_yaml(options, "baseline", entries) or (),
        min_verified=options.min_verified or 0.0,
    )
    return judge, file


__all__ = ["add", "run"]
