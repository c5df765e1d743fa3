"""`targets`: list the targets of a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .flags import targets_of
from .targets_file import FILE, Named


def add(commands: Any) -> None:
    """Add the command."""
    about = commands.add_parser(
        "targets",
        help="list the targets of a file",
        description=f"List the targets of {FILE}, and whether their keys are there. Nothing is contacted.",
    )
    about.add_argument(
        "--targets", type=Path, metavar="FILE", help=f"another file of targets (default ./{FILE})"
    )


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print them."""
    targets = targets_of(options.targets)
    for name in targets.targets:
        print(*_told(targets.named(name), environment), sep="\n")
    if not targets.targets:
        print(f"{targets.file} has no target")
    return 0


def _told(named: Named, environment: Mapping[str, str]) -> Iterator[str]:
    """What is said of one."""
    said = named.members
    ingress = f", ingress {said['ingress_url']}" if "ingress_url" in said else ""
    production = ", production" if said.get("production") else ""
    yield f"{named.name}: {said.get('base_url', 'no base_url')}{ingress}{production}"
    for which, member in (("key", "api_key"), ("second key", "second_api_key")):
        if member in said:
            org = said.get(member.replace("api_key", "org"), "not said")
            yield f"  {which:10}  {_found(said[member], environment)}, for organisation {org}"
    for name, value in said.get("headers", {}).items():
        yield f"  {'header':10}  {name}: {_found(value, environment)}"


def _found(given: str, environment: Mapping[str, str]) -> str:
    """Where a secret comes from, and whether it is there."""
    how, _, where = given.partition(":")
    if how == "env":
        return f"${where} ({'set' if environment.get(where) else 'not set'})"
    if how == "file":
        return f"{where} ({'there' if Path(where).is_file() else 'not there'})"
    return "stands in the file"


__all__ = ["add", "run"]
