"""`targets`: list the targets of a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from arklow_local.formats.excerpts import inert

from .parsers import add_command
from .ports import Ports
from .target_options import targets_of
from .targets_file import FILE, NamedTarget

_EXIT_CODES: Final = {0: "the targets are listed", 2: "there is no targets file, or it cannot be used"}


def add(commands: Any) -> None:
    """Add the command and its flag."""
    parser = add_command(
        commands,
        "targets",
        "list the targets of a targets file",
        description=f"List the targets of {FILE}, and say whether each key is there. No host is contacted.",
        examples=("arklow-contracts targets", "arklow-contracts targets --targets team/targets.toml"),
        exit_codes=_EXIT_CODES,
    )
    parser.add_argument(
        "--targets", type=Path, metavar="FILE", help=f"another targets file (default ./{FILE})"
    )


def run(options: argparse.Namespace, environment: Mapping[str, str], ports: Ports) -> int:
    """Print the targets; returns the exit code."""
    targets = targets_of(options.targets)
    for name in targets.targets:
        print(*map(inert, _lines(targets.find(name), environment)), sep="\n")
    if not targets.targets:
        print(inert(f"{targets.file} has no target"))
    return 0


def _lines(named: NamedTarget, environment: Mapping[str, str]) -> Iterator[str]:
    """The lines about one target."""
    members = named.members
    ingress = f", ingress {members['ingress_url']}" if "ingress_url" in members else ""
    production = ", production" if members.get("production") else ""
    yield f"{named.name}: {members.get('base_url', 'no base_url')}{ingress}{production}"
    for which, member in (("key", "api_key"), ("second key", "second_api_key")):
        if member in members:
            org = members.get(member.replace("api_key", "org"), "not said")
            yield f"  {which:10}  {_secret_place(members[member], environment)}, for organisation {org}"
    proxy = members.get("proxy", "")
    if proxy.startswith(("env:", "file:")):
        yield f"  {'proxy':10}  {_secret_place(proxy, environment)}"
    for name, value in members.get("headers", {}).items():
        yield f"  {'header':10}  {name}: {_secret_place(value, environment)}"


def _secret_place(given: str, environment: Mapping[str, str]) -> str:
    """Where a secret is, and whether it is there."""
    how, _, where = given.partition(":")
    if how == "env":
        return f"${where} ({'set' if environment.get(where) else 'not set'})"
    if how == "file":
        return f"{where} ({'there' if Path(where).is_file() else 'not there'})"
    return "stands in the file"


__all__ = ["add", "run"]
