"""`judge FILE.har…`: judge recorded traffic, without contacting any host."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..core.baseline import entries
from ..openapi.document import Unreadable, load
from ..recordings.recorded_traffic import RecordingJudge
from ..reports.console import Terminal, UnbreakableConsole
from . import values
from .archive_files import entries_of
from .check import write_reports
from .flags import add_document, add_target_file, document_of, report_directory
from .parsers import add_command
from .plan_options import from_yaml
from .ports import Ports
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
    parser.add_argument_group("output").add_argument(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="write report.html, report.json, junit.xml and report.sarif there",
    )


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Judge the archives, print the findings and write the reports; returns the exit code."""
    directory = report_directory(options.report_dir)
    judge = _judge_of(options, environment)
    terminal = Terminal(UnbreakableConsole(soft_wrap=True), {})
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
    if directory is not None:
        write_reports(finished, directory)
    with suppress(OSError):  # the reader of the output has gone, as after `| head`
        terminal.summarise(finished)
        if directory is not None:
            print(
                f"Reports are in {directory}/: report.html, report.json, junit.xml, report.sarif", flush=True
            )
    return finished.exit_code


def _judge_of(options: argparse.Namespace, environment: Mapping[str, str]) -> RecordingJudge:
    """The judge that the flags describe.

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
        document = load(document_of(options))
    except Unreadable as error:
        raise Usage(str(error)) from None
    bases = tuple(url_of(flag, url) for flag, url in given if url)
    return RecordingJudge(
        document,
        bases=bases,
        credential=credential,
        strict=options.strict,
        baseline=from_yaml(options, "baseline", entries) or (),
        min_verified=options.min_verified or 0.0,
    )


__all__ = ["add", "run"]
