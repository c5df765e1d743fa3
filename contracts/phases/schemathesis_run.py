"""The door to Schemathesis: runs its phases over the document, with our hooks and our check in place of its own."""

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
from ..transport.client import TIMEOUT, TimeUp
from .schemathesis_hooks import CHECK, Aim, installed

TITLES = {
    "coverage": "edges of every schema",
    "fuzzing": "generated requests",
    "stateful": "generated sequences",
}


def fuzz(
    content: Mapping[str, Any],
    aim: Aim,
    seed: int,
    deadline: float,
    tell: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Generate requests until the time is up, or `stop` says so; waits while the target is away."""
    clock = aim.client.clock
    while (seconds := int(deadline - clock.now())) > 0 and not stop():
        away = False
        with _alone(), installed(aim):
            stream = from_schema(_schema(content, aim, seed, seconds)).execute()
            for event in stream:
                if stop():
                    stream.stop()
                if isinstance(event, events.PhaseStarted) and event.phase.name.value in TITLES:
                    tell(TITLES[event.phase.name.value])
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
        clock.wait(0.5)


@contextmanager
def _alone() -> Iterator[None]:
    """No proxy and no password file of the user: nobody but the target is contacted, with its keys alone."""
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
    target = aim.client.target
    way = target.connection
    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "max-time": seconds,
            "base-url": target.base_url,
            "max-redirects": 0,
            "request-timeout": TIMEOUT,
            "continue-on-failure": True,
            "headers": {
                "x-arklow-auth": _plain(target.first.key),
                **{one.name: _plain(one.value) for one in way.headers},
            },
            **{
                name: _plain(value)
                for name, value in (
                    ("tls-verify", way.ca),
                    ("request-cert", way.certificate),
                    ("request-cert-key", way.key),
                    ("proxy", way.proxy),
                )
                if value is not None
            },
            "parameters": {"path.org_id": target.first.org},
            "checks": {"enabled": False, CHECK: {"enabled": True}},
            "generation": {"database": "none", "max-examples": 50},
            "cache": {"enabled": False},
        }
    )
    return schemathesis.openapi.from_dict(with_only_server(content, target.base_url), config=config)


def _plain(text: str) -> str:
    """A text in which Schemathesis finds no variable."""
    return text.replace("${", "$${")


__all__ = ["fuzz"]
