"""Serves the stranger or one liar until interrupted; the URL is printed first."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from typing import Any

from .conforming_variant import Manners, Stranger
from .conforming_variants import STRANGERS
from .deployments import DEPLOYMENTS
from .faults import FAULTS
from .holdout import HOLDOUT
from .races import RACING
from .serving import listening

LIARS = FAULTS | RACING | HOLDOUT


def manners_of(settings: list[str]) -> Manners:
    """Manners from `name=value`, where true, false and numbers are read as such."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        with contextlib.suppress(ValueError):
            found[name] = json.loads(text)
        found.setdefault(name, text)
    return dataclasses.replace(Manners(), **found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.liars", description=__doc__)
    parser.add_argument("--fault", choices=sorted(LIARS), metavar="ID")
    parser.add_argument("--manner", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--stranger", choices=sorted(STRANGERS | DEPLOYMENTS), metavar="NAME")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="name the faults and stop")
    options = parser.parse_args()
    if options.list:
        for fault in LIARS.values():
            print(fault.id, fault.group, fault.verdict, fault.text, sep="\t")
        return
    manners = STRANGERS.get(options.stranger) or manners_of(options.manner)
    makes = LIARS.get(options.fault, Stranger)
    app = DEPLOYMENTS[options.stranger]() if options.stranger in DEPLOYMENTS else makes(manners)
    with listening(app, options.port) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
