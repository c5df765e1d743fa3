"""Runs the phases of Schemathesis over the document, with our hooks, and with our check in place of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import schemathesis
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.errors import ServerUnavailable

from ..openapi.document import with_only_server
from ..transport.client import TIMEOUT
from ..transport.throttle import TimeUp
from .schemathesis_hooks import CHECK, Aim, installed

_TITLES = {
    "coverage": "edges of every schema",
    "fuzzing": "generated requests",
    "stateful": "generated sequences",
}
"""Phase of Schemathesis → the title of that part of a run."""
_PAUSE = 0.5
"""Seconds between two tries while the target is away."""
_EXAMPLES = 50
"""Requests that are generated for each operation and phase at most, so that every phase has its turn."""


def generate(
    content: Mapping[str, Any],
    aim: Aim,
    seed: int,
    deadline: float,
    announce: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    """Send generated requests until the deadline, in seconds of the run's clock, or until the run is over.

    While the target is away it is tried again and again. `content` is the document, and `announce` is called with the title
    of each part.
    """
    clock = aim.client.clock
    while (seconds := int(deadline - clock.now())) > 0 and not is_over():
        away = False
        with _ignoring_environment(), installed(aim):
            stream = from_schema(_schema(content, aim, seed, seconds)).execute()
            for event in stream:
                if is_over():
                    stream.stop()
                if isinstance(event, events.PhaseStarted) and event.phase.name.value in _TITLES:
                    announce(_TITLES[event.phase.name.value])
                elif isinstance(event, events.NonFatalError | events.FatalError):
                    error = event.value if isinstance(event, events.NonFatalError) else event.exception
                    if isinstance(error.__cause__ or error, TimeUp):
                        stream.stop()
                    elif not isinstance(error, requests.RequestException | ServerUnavailable):
                        raise error
                elif isinstance(event, events.EngineFinished):
                    away = event.stop_reason is StopReason.SERVER_UNAVAILABLE
        if not away:
            return
        clock.wait(_PAUSE)


@contextmanager
def _ignoring_environment() -> Iterator[None]:
    """Use no proxy and no password file of the user: the target alone is contacted, with its own keys alone."""
    wanted = {"NO_PROXY": "*", "no_proxy": "*", "NETRC": os.devnull}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _schema(content: Mapping[str, Any], aim: Aim, seed: int, seconds: int) -> Any:
    """Return the schema of Schemathesis, set up for one target and for so many seconds."""
    target = aim.client.target
    options = target.connection
    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "max-time": seconds,
            "base-url": target.base_url,
            "max-redirects": 0,
            "request-timeout": TIMEOUT,
            "continue-on-failure": True,
            "headers": {
                "x-arklow-auth": _literal(target.first.key),
                **{one.name: _literal(one.value) for one in options.headers},
            },
            **{
                name: _literal(value)
                for name, value in (
                    ("tls-verify", options.ca),
                    ("request-cert", options.certificate),
                    ("request-cert-key", options.key),
                    ("proxy", options.proxy),
                )
                if value is not None
            },
            "parameters": {"path.org_id": target.first.org},
            "checks": {"enabled": False, CHECK: {"enabled": True}},
            "generation": {"database": "none", "max-examples": _EXAMPLES},
            "cache": {"enabled": False},
        }
    )
    return schemathesis.openapi.from_dict(with_only_server(content, target.base_url), config=config)


def _literal(text: str) -> str:
    """Return a text in which Schemathesis finds no variable to replace."""
    return text.replace("${", "$${")


__all__ = ["generate"]
