"""`compare REPORT…`: put the reports of several runs beside each other, on one page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..reports.comparison import new_violations, page
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
}
"""What a comparison reads of a report → the types that it may have."""


def add(commands: Any) -> None:
    """Add the command."""
    comparing = commands.add_parser(
        "compare",
        help="put the reports of several runs beside each other",
        description="Say what is new, still there, unstable, fixed or not verified in the last of several runs.",
    )
    add = comparing.add_argument
    add(
        "reports",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="report.json, or its directory; oldest first",
    )
    add("--output", type=Path, metavar="FILE", help="write the page there instead of printing it")
    add("--fail-on-new", action="store_true", help="exit code 1 when there are new violations")


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Compare them, and print or write the page."""
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
    """The report in a file, or in a directory.

    Raises:
        Usage: there is none.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        value = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise Usage(f"{file} is not JSON: {error}") from None
    if wrong := _wrong(value):
        raise Usage(f"{file} is not a report of arklow-contracts: {wrong}")
    assert isinstance(value, dict)
    return value


def _wrong(value: Any) -> str | None:
    """Why a value is no report, if it is none."""
    if not isinstance(value, dict):
        return "it is not an object"
    for name, kind in _MEMBERS.items():
        if name not in value:
            return f"it has no member {name!r}"
        if not isinstance(value[name], kind):
            return f"its member {name!r} is {type(value[name]).__name__}"
    if not all(isinstance(value["document"].get(name), str) for name in ("name", "sha256")):
        return "its document has no name or no sha256"
    for weight in ("violations", "warnings"):
        for number, one in enumerate(value[weight]):
            texts = ("id", "rule", "sentence")
            if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in texts):
                return f"{weight}/{number} has no id, rule or sentence"
            again = one.get("reproduced")
            if again is not None and not (isinstance(again, dict) and {"shown", "tried"} <= again.keys()):
                return f"{weight}/{number}/reproduced has no shown and tried"
    for number, one in enumerate(value["not_verified"]):
        if not isinstance(one, dict) or not isinstance(one.get("rule"), str):
            return f"not_verified/{number} has no rule"
    return None


__all__ = ["add", "read", "run"]
