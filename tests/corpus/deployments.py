"""Starts servers and runs the judge against them: all that the recordings of the judge know of the project.

Whatever module moves or is renamed, its import and its command stand here.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.mutants import CONFORMING_VARIANTS, DEPLOYMENTS, HOLDOUT, MUTANTS, RACES

_MOCK: Final = "mock_server"
_JUDGE: Final = "contracts"
_SERVERS: Final = "tests.mutants"
_MUTANT, _VARIANT = "--mutant", "--conforming"
"""Flags of `_SERVERS` that name a mutant, and a conforming variant."""
_COUNTS: Final = ["--choice", "ids=small"]
"""Flags of `_SERVERS` that have ids counted."""
CHOICES: Final = "interpretations"
"""The member of a report that says which of several lawful ways a server takes."""
_DRAW: Final = 20260101
"""The seed by which servers are drawn from all that there are."""

MUTANT, VARIANT, MOCK = "mutant", "conforming variant", "mock"
PLAIN: Final = "plain"
"""The conforming variant that takes the usual choice everywhere."""


class Server(NamedTuple):
    """One server that can be judged."""

    kind: str
    """`mutant`, `conforming variant`, or `mock`."""
    name: str = ""
    counts: bool = False
    """Whether it numbers what it makes, instead of making ids of the time."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


def drawn(mutants: int, variants: int) -> list[Server]:
    """So many mutants of all tables together, and so many conforming variants, the same ones each time."""
    chance = random.Random(_DRAW)
    all_mutants = sorted({*MUTANTS, *HOLDOUT, *RACES})
    all_variants = sorted({*CONFORMING_VARIANTS, *DEPLOYMENTS})
    return [
        *(Server(MUTANT, name) for name in sorted(chance.sample(all_mutants, mutants))),
        *(Server(VARIANT, name) for name in sorted(chance.sample(all_variants, variants))),
    ]


@contextmanager
def served(server: Server) -> Iterator[str]:
    """A server in a process of its own; its base URL."""
    if server.kind == MOCK:
        flags = [_MOCK, "--port", "0", "--ingress-port", "0", "--no-admin"]
    else:
        flags = [_SERVERS, *(_COUNTS if server.counts else [])]
        if (server.name, server.counts) != (PLAIN, True):  # the plain one is served unless another is named
            flags += [_MUTANT if server.kind == MUTANT else _VARIANT, server.name]
    process = subprocess.Popen(
        [sys.executable, "-m", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = re.search(r"http://\S+:[0-9]+", line)
            if found:
                yield found[0]
                break
        else:
            raise RuntimeError(f"{server} did not start")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def judged(server: Server, url: str, flags: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """Run the judge against a URL where the server answers; its exit code and its report."""
    keys = ("org-1", "org-2") if server.kind == MOCK else ("good-key-one", "good-key-two")
    with tempfile.TemporaryDirectory() as reports:
        ran = subprocess.run(
            [
                *(sys.executable, "-m", _JUDGE, "check", "--base-url", url, "--report-dir", reports),
                *("--api-key", "env:KEY_ONE", "--org", "1", "--second-api-key", "env:KEY_TWO"),
                *("--second-org", "2", *flags),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "KEY_ONE": keys[0], "KEY_TWO": keys[1]},
            timeout=300,
        )
        report = Path(reports) / "report.json"
        return ran.returncode, json.loads(report.read_text("utf-8")) if report.exists() else {}
