"""Serve a conforming server or a mutant until interrupted; the URL is printed first."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from tests.serving import listening

from . import CONFORMING_VARIANTS, DEPLOYMENTS, FURTHER, HOLDOUT, MUTANTS, RACES, Choices, ConformingServer

ALL_MUTANTS = MUTANTS | RACES | HOLDOUT | FURTHER


def choices_of(settings: Iterable[str]) -> Choices:
    """Read choices from texts such as `ids=small`; true, false and numbers are read as JSON."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        with contextlib.suppress(ValueError):
            found[name] = json.loads(text)
        found.setdefault(name, text)
    return dataclasses.replace(Choices(), **found)


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    flags.add_argument("--mutant", choices=sorted(ALL_MUTANTS), metavar="ID")
    flags.add_argument(
        "--conforming",
        choices=sorted(CONFORMING_VARIANTS | DEPLOYMENTS),
        metavar="NAME",
        help="a conforming variant, or another lawful deployment",
    )
    flags.add_argument(
        "--choice",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one lawful choice, where no conforming variant is named",
    )
    flags.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    flags.add_argument("--list", action="store_true", help="list the mutants and stop")
    return flags


def application(options: argparse.Namespace) -> Any:
    """The WSGI application that the flags ask for."""
    if options.conforming in DEPLOYMENTS:
        return DEPLOYMENTS[options.conforming](None)
    choices = CONFORMING_VARIANTS.get(options.conforming) or choices_of(options.choice)
    return ALL_MUTANTS.get(options.mutant, ConformingServer)(choices)


def main() -> None:
    """Serve, or list."""
    options = parser().parse_args()
    if options.list:
        for one in ALL_MUTANTS.values():
            print(one.id, one.group, one.verdict, ",".join(one.caught_by) or "-", one.text, sep="\t")
        return
    with listening(application(options), options.port) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
