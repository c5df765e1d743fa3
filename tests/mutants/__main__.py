"""Serves the conforming variant or one mutant until interrupted; the URL is printed first."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from typing import Any

from tests.serving import listening

from .catalogue import MUTANTS
from .conforming_server import Choices, ConformingServer
from .conforming_variants import CONFORMING_VARIANTS
from .deployments import DEPLOYMENTS
from .holdout import HOLDOUT
from .races import RACING

ALL_MUTANTS = MUTANTS | RACING | HOLDOUT


def choices_of(settings: list[str]) -> Choices:
    """Choices from `name=value`, where true, false and numbers are read as such."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        with contextlib.suppress(ValueError):
            found[name] = json.loads(text)
        found.setdefault(name, text)
    return dataclasses.replace(Choices(), **found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--mutant", choices=sorted(ALL_MUTANTS), metavar="ID")
    parser.add_argument("--choice", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--variant", choices=sorted(CONFORMING_VARIANTS | DEPLOYMENTS), metavar="NAME")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="name the faults and stop")
    options = parser.parse_args()
    if options.list:
        for fault in ALL_MUTANTS.values():
            print(fault.id, fault.group, fault.verdict, fault.text, sep="\t")
        return
    choices = CONFORMING_VARIANTS.get(options.variant) or choices_of(options.choice)
    makes = ALL_MUTANTS.get(options.fault, ConformingServer)
    app = DEPLOYMENTS[options.variant]() if options.variant in DEPLOYMENTS else makes(choices)
    with listening(app, options.port) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
