"""Runs the phases of Schemathesis over the document, with our hooks, and with our check in place of its own."""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import requests
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.engine.run import PhaseName
from schemathesis.specs.openapi.schemas import OpenApiSchema

from arklow_local.formats.excerpts import one_line

from ..openapi.document import with_only_server
from ..transport.throttle import TimeUp
from .schemathesis_hooks import CHECK, Aim, installed
from .schemathesis_transport import ClientTransport, schema_through

_TITLES = {
    "coverage": "edges of every schema",
    "fuzzing": "generated requests",
    "stateful": "generated sequences",
}
"""Phase of Schemathesis → the title of that part of a run."""
_ONCE = "coverage"
"""The phase that sends the same requests each time."""
_EXAMPLES = 50
"""Requests that are generated for each operation and phase at most, so that every phase has its turn."""

Over = Callable[[], bool]
"""Says whether nothing more is to be sent."""


def generate(
    content: Mapping[str, Any],
    aim: Aim,
    seed: int,
    announce: Callable[[str], None],
    is_over: Over,
    share: Callable[[int], Over],
) -> str | None:
    """Send generated requests, phase after phase and round after round, until the run is over.

    How long a phase goes on is decided by the clock and the budget of the run, and not by Schemathesis, which has a clock of
    its own. While the target is away it is tried again and again.

    Args:
        content: the document.
        aim: what the requests are aimed at, and who judges the answers.
        seed: of the first round; each further one has the next seed.
        announce: called with the title of each phase.
        is_over: says whether nothing more is to be sent.
        share: returns what says that one of so many phases has had its share.

    Returns:
        what Schemathesis itself failed at, in words; None if it did not fail. Its other phases are run all the same.
    """
    failed: dict[str, str] = {}
    for number in itertools.count():
        sent = aim.client.requests
        phases = [name for name in _TITLES if name not in failed and (number == 0 or name != _ONCE)]
        for index, name in enumerate(phases):
            if is_over():
                return _said(failed)
            announce(_TITLES[name])
            transport = ClientTransport(aim, share(len(phases) - index))
            try:
                _run(transport, schema_through(transport, _schema(content, aim, seed + number, name)), aim)
            except Exception as error:
                if _is_ours(error):
                    raise
                failed[name] = f"{type(error).__name__}: {one_line(str(error))}"
        if aim.client.requests == sent:
            return _said(failed)
    return None


def _said(failed: Mapping[str, str]) -> str | None:
    """Return in words at which phases Schemathesis failed, given by name; None without one."""
    said = "; ".join(f"{_TITLES[name]}: {why}" for name, why in failed.items())
    return f"Schemathesis failed at {said}" if said else None


_OURS: Final = Path(__file__).parents[1]
"""Where the code of the judge is; installed, it is beside the libraries."""


def _is_ours(error: BaseException) -> bool:
    """Say whether an error comes from our code, which Schemathesis calls, and not from what Schemathesis does by itself."""
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [at for at, file in enumerate(files) if file.is_relative_to(_OURS)]
    libraries = [at for at, file in enumerate(files) if at not in ours and "site-packages" in file.parts]
    return not libraries or ours[-1:] > libraries[-1:]


def _run(transport: ClientTransport, schema: OpenApiSchema, aim: Aim) -> None:
    """Run one phase until it ends, or until its transport sends nothing more; by then its own threads have ended too."""
    stream = from_schema(schema).execute()
    with installed(aim), closing(stream.generator) as phases:
        for event in phases:
            if transport.is_over():
                stream.stop()
            if isinstance(event, events.PhaseStarted) and event.phase.name is PhaseName.PROBING:
                event.phase.is_enabled = False  # it sends requests of its own, past the client
            elif isinstance(event, events.NonFatalError | events.FatalError):
                error = event.value if isinstance(event, events.NonFatalError) else event.exception
                if isinstance(error.__cause__ or error, TimeUp):
                    stream.stop()
                elif not isinstance(error, requests.RequestException):
                    raise error


def _schema(content: Mapping[str, Any], aim: Aim, seed: int, phase: str) -> OpenApiSchema:
    """Return the schema of Schemathesis, set up for one target and one phase."""
    target = aim.client.target
    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "base-url": target.base_url,
            "max-redirects": 0,
            "continue-on-failure": True,
            "headers": {"x-arklow-auth": _literal(target.first.key)},
            "parameters": {"path.org_id": target.first.org},
            "checks": {"enabled": False, CHECK: {"enabled": True}},
            "phases": {name: {"enabled": name == phase} for name in ("examples", *_TITLES)},
            "generation": {"database": "none", "max-examples": _EXAMPLES},
            "cache": {"enabled": False},
            "suppress-health-check": ["all"],  # else a machine that is busy ends a run
        }
    )
    return schemathesis.openapi.from_dict(with_only_server(content, target.base_url), config=config)


def _literal(text: str) -> str:
    """Return a text in which Schemathesis finds no variable to replace."""
    return text.replace("${", "$${")


__all__ = ["generate"]
