"""`compare REPORT…`: compare the reports of several runs on one page of Markdown."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from arklow_local.formats import strict_json
from arklow_local.formats.excerpts import excerpt
from arklow_local.formats.files import read_bytes

from ..core.baseline import SCHEMA_VERSION
from ..reports.comparison import new_violations, page
from ..reports.printable import printable_data
from ..reproduction.rerun import earlier_version
from .parsers import add_command
from .ports import Ports
from .report_files import MAX_REPORT_MIB
from .usage import Usage

_MEMBERS: Mapping[str, type | tuple[type, ...]] = {
    "target": str,
    "document": dict,
    "seed": int,
    "started": str,
    "verdict": str,
    "requests": int,
    "verified": (int, float),
    "violations": list,
    "warnings": list,
    "interpretations": dict,
    "not_verified": list,
    "tested": dict,
    "report_dir": str,
    "target_flags": list,
}
"""Member of a report that a comparison reads → the types that its value may have."""


_FORMS: Final = {
    "started": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]{5,25}"),
    "verdict": re.compile("[A-Za-z][A-Za-z -]{0,40}"),
}
"""Member of a report → what its text looks like, as a page shows it as it is."""
_NAME: Final = re.compile("[A-Za-z0-9_.:-]{1,80}")
"""The id of a finding, or the code of a rule."""
_EXAMPLES: Final = (
    "arklow-contracts compare monday tuesday wednesday",
    "arklow-contracts compare main/report.json out/report.json --fail-on-new",
)
_EXIT_CODES: Final = {
    0: "the reports are compared",
    1: "with --fail-on-new: the last run has a new violation that no baseline excuses",
    2: "the command line cannot be carried out",
}


def add(commands: Any) -> None:
    """Add the command and its flags."""
    parser = add_command(
        commands,
        "compare",
        "compare the reports of several runs",
        description="Say what is new, still there, unstable, fixed or not verified in the last of several runs.",
        examples=_EXAMPLES,
        exit_codes=_EXIT_CODES,
    )
    add = parser.add_argument
    add(
        "reports",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="report.json, or the directory that it is in; the oldest first",
    )
    add("--output", type=Path, metavar="FILE", help="write the page into this file instead of printing it")
    add("--fail-on-new", action="store_true", help="exit with 1 when there are new violations")


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Compare the reports, and print or write the page; returns the exit code."""
    if len(options.reports) < 2:
        raise Usage("compare needs two reports or more, the oldest first")
    runs = [read(path) for path in options.reports]
    text = page(runs)
    if options.output is None:
        print(text, end="")
    else:
        try:
            options.output.write_text(text, "utf-8", errors="replace")
        except OSError as error:
            raise Usage(f"--output {options.output}: {error.strerror}") from None
    return 1 if options.fail_on_new and new_violations(runs) else 0


def read(path: Path) -> dict[str, Any]:
    """Read a report from its file, or from the directory that it is in; returns its members, keyed by their names.

    Raises:
        Usage: there is no report, or it is not one of arklow-contracts.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        value = strict_json.read(read_bytes(file, MAX_REPORT_MIB))
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise Usage(f"{file} is not JSON: {error}") from None
    if isinstance(value, dict) and "violations" in value and value.get("schema_version") != SCHEMA_VERSION:
        raise Usage(earlier_version(str(file), value.get("schema_version", 1)))
    if wrong := _wrong(value):
        raise Usage(f"{file} is not a report of arklow-contracts: {wrong}")
    shown = printable_data(value)  # a report may come from anywhere
    assert isinstance(shown, dict)
    return shown


def _wrong(value: Any) -> str | None:
    """Why a value is not a report; None when it is one."""
    if not isinstance(value, dict):
        return "it is not an object"
    for name, kind in _MEMBERS.items():
        if name not in value:
            return f"it has no member {name!r}"
        if not isinstance(value[name], kind):
            return f"its member {name!r} is {type(value[name]).__name__}"
    for name, form in _FORMS.items():
        if not form.fullmatch(value[name]):
            return f"its member {name!r} is {excerpt(repr(value[name]), 40)}"
    if not all(isinstance(value["document"].get(name), str) for name in ("name", "sha256")):
        return "its document has no name or no sha256"
    for weight in ("violations", "warnings"):
        for number, one in enumerate(value[weight]):
            texts = ("id", "rule", "sentence")
            if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in texts):
                return f"{weight}/{number} has no id, rule or sentence"
            if not all(_NAME.fullmatch(one[name]) for name in ("id", "rule")):
                return f"the id or the rule of {weight}/{number} is none"
            reproduced, counts = one.get("reproduced"), {"shown", "tried"}
            if not (isinstance(reproduced, dict) and counts <= reproduced.keys()):
                return f"{weight}/{number}/reproduced has no shown and tried"
    for number, one in enumerate(value["not_verified"]):
        if not isinstance(one, dict) or not isinstance(one.get("rule"), str):
            return f"not_verified/{number} has no rule"
    return None


__all__ = ["add", "read", "run"]
