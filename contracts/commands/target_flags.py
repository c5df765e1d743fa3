"""The flags by which another command line names the same target, so that a replay can be pasted as a report prints it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..core.target import Target

_OVERRIDING: Final = (
    *("base_url", "ingress_url", "api_key", "org", "second_api_key", "second_org", "header", "ca"),
    *("client_certificate", "client_key", "proxy", "resolve", "production", "document", "spec_dir"),
)
"""Flags that say something else than the targets file, where they are given beside `--target`."""


def is_named(options: argparse.Namespace) -> bool:
    """Say whether the flags of a command line, as they were given, name a target of a file and change nothing of it."""
    return options.target is not None and not any(getattr(options, one, None) for one in _OVERRIDING)


def flags_of(options: argparse.Namespace, target: Target) -> tuple[str, ...]:
    """Return a tuple of the flags that name a target again, each with its value, in the order of the help.

    No secret stands in them.

    Args:
        options: the completed ones, by which the target was made.
        target: that target.
    """
    if options.is_named:
        file = ("--targets", str(options.targets)) if options.targets is not None else ()
        return ("--target", options.target, *file)
    return tuple(_whole(options, target))


def _whole(options: argparse.Namespace, target: Target) -> Iterator[str]:
    yield from ("--base-url", target.base_url)
    if target.ingress_url != target.base_url:
        yield from ("--ingress-url", target.ingress_url)
    yield from ("--api-key", _place(options.api_key, target.first.name), "--org", target.first.org)
    if target.second is not None:
        yield from ("--second-api-key", _place(options.second_api_key, target.second.name))
        yield from ("--second-org", target.second.org)
    if target.production_host:
        yield "--production"
    given = {name.lower(): value for name, value in options.header}
    for header in target.connection.headers:
        yield from ("--header", f"{header.name}={_place(given[header.name.lower()], header.variable)}")
    files = (("--ca", options.ca), ("--client-certificate", options.client_certificate))
    for flag, file in (*files, ("--client-key", options.client_key)):
        if file:
            yield from (flag, str(file))
    if target.connection.proxy is not None:
        login = target.connection.proxy_login
        yield from (
            "--proxy",
            target.connection.proxy if login is None else _place(options.proxy, "ARKLOW_PROXY"),
        )
    for one in target.connection.resolve:
        yield from ("--resolve", str(one))
    for flag in ("document", "spec_dir"):
        file = getattr(options, flag, None)
        if isinstance(file, Path):
            yield from (f"--{flag.replace('_', '-')}", str(file))


def _place(given: str, variable: str) -> str:
    """Return where a secret is: as it was given, unless it was given itself."""
    return given if given.startswith(("env:", "file:")) else f"env:{variable}"


__all__ = ["flags_of", "is_named"]
