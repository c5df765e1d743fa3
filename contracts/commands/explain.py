"""`explain RULE|ID…`: say what is behind a rule, or behind a finding of a report."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from arklow_local.formats.excerpts import excerpt, one_line

from ..reports.summary import replay_command
from .compare import read
from .flags import rule
from .parsers import add_command
from .ports import Ports
from .rule_sources import explain
from .usage import Usage

_EXIT_CODES: Final = {
    0: "the rules are explained",
    2: "there is no such rule, or the report has no such finding",
}
_ID: Final = re.compile(r"([A-Z]+-[0-9]+)-([0-9a-f]{6,12})", re.IGNORECASE)
"""The id of a finding: the code of its rule, and hexadecimal digits."""
_USUAL: Final = Path("out")
"""Where a report is looked for that is not named."""


class _Asked(NamedTuple):
    rule: str
    finding: str
    """The id of a finding; empty where a rule alone was asked for."""


def add(commands: Any) -> None:
    """Add the command to the sub-commands of the parser."""
    parser = add_command(
        commands,
        "explain",
        "explain a rule or a finding: its sources, its remedy, an example",
        examples=(
            "arklow-contracts explain PAGE-9",
            "arklow-contracts explain LEASE-3 LIFE-9",
            "arklow-contracts explain PAGE-5-15e2bb5a --report out",
        ),
        exit_codes=_EXIT_CODES,
    )
    parser.add_argument(
        "rules",
        nargs="+",
        type=_asked,
        metavar="RULE",
        help="the code of a rule, such as PAGE-9, or the id of a finding, such as PAGE-5-15e2bb5a",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="report.json, or the directory that it is in, for the findings themselves (default out, if it is there)",
    )


def _asked(text: str) -> _Asked:
    """Read the code of a rule, or the id of a finding, in any case.

    Raises:
        ArgumentTypeError: no rule has that code.
    """
    found = _ID.fullmatch(text)
    return (
        _Asked(rule(found[1]), f"{found[1].upper()}-{found[2].lower()}") if found else _Asked(rule(text), "")
    )


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Print what is behind each rule and finding, with an empty line between, and return the exit code 0."""
    findings = _findings(options)
    for number, asked in enumerate(options.rules):
        lines = [""] if number else []
        if asked.finding:
            lines += [*_told(asked.finding, findings.get(asked.finding)), ""]
        print(*lines, *explain(asked.rule), sep="\n")
    return 0


def _findings(options: argparse.Namespace) -> dict[str, Any]:
    """Return id → finding of the report that is named, or of the usual place.

    Raises:
        Usage: the report that is named cannot be read, or lacks a finding.
    """
    asked = [one.finding for one in options.rules if one.finding]
    named: Path | None = options.report
    if not asked or (named is None and not (_USUAL / "report.json").is_file()):
        return {}
    try:
        report = read(named or _USUAL)
    except Usage:
        if named is not None:
            raise
        return {}
    found = [*report["violations"], *report["warnings"]]
    findings = {one["id"]: {**one, "replay": replay_command(one, report)} for one in found}
    for name in asked:
        if named is not None and name not in findings:
            there = ", ".join(map(one_line, findings)) or "none"
            raise Usage(f"there is no finding {name} in {named}; there are: {there}")
    return findings


def _told(name: str, finding: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the lines about a finding; about where to look for it, if no report has it."""
    if finding is None:
        yield f"{name}: a finding. For the finding itself, name its report with --report DIR; its rule is:"
        return
    yield f"{name}: {_text(finding, 'sentence')}."
    for label, member in (
        ("expected", "expected"),
        ("actual", "actual"),
        ("at fault", "side"),
        ("when", "at"),
    ):
        if value := _text(finding, member):
            yield f"  {label:8}  {value}"
    for line in str(finding.get("curl", "")).splitlines():
        yield f"  {excerpt(line, 10_000)}"
    yield "What to do"
    yield f"  see it again     {finding['replay']}"
    yield "  until it is mended, excuse it by an entry in the file of --baseline:"
    yield f"  {_entry(name, finding)}"


def _entry(name: str, finding: Mapping[str, Any]) -> str:
    """Return the entry of a baseline that excuses a finding; who looks after it, why, and until when are left to fill in."""
    sentence = json.dumps(_text(finding, "sentence") or "what broke", ensure_ascii=False)
    return f"- {{id: {name}, finding: {sentence}, owner: …, reason: …, expires: …}}"


def _text(finding: Mapping[str, Any], member: str) -> str:
    value = finding.get(member)
    return one_line(value, 300) if isinstance(value, str) else ""


__all__ = ["add", "run"]
