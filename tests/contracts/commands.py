"""The commands of the judge, called in this process: their target is an application, and time passes on a virtual clock."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.cli import main
from contracts.commands.ports import Ports
from tests.clocks import VirtualClock
from tests.contracts.in_process import LATENCY, InProcessTransport
from tests.contracts.runs import RUN_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Make = Callable[[VirtualClock], "WSGIApplication"]
"""Makes an application that goes by this clock."""

URL = "http://target"
"""Where the target of a command seems to be."""


@dataclass(frozen=True)
class Ran:
    """What a command has left behind."""

    code: int
    out: str
    errors: str

    @property
    def lines(self) -> list[str]:
        """The lines that were printed."""
        return self.out.splitlines()


def ports_to(make: Make, latency: float = LATENCY) -> Ports:
    """Return ports that lead to an application in this process; its answers take `latency` seconds."""
    clock = VirtualClock()
    return Ports(clock, InProcessTransport(make(clock), clock, latency), RUN_ID)


def ran(*words: str | Path, ports: Ports | None = None, **environment: str) -> Ran:
    """Carry out a command line in an environment of these variables alone."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        code = main([*map(str, words)], environment=environment, ports=ports)
    return Ran(code, out.getvalue(), errors.getvalue())


@contextmanager
def closed_pipe(*, buffered: bool = True) -> Iterator[None]:
    """Print into a pipe whose reader has gone, as after `| head`; unbuffered as in a container."""
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "wb", -1 if buffered else 0) as pipe:
        output = io.TextIOWrapper(pipe, "utf-8", write_through=not buffered)
        with suppress(BrokenPipeError), redirect_stdout(output):
            yield


def checked(make: Make, *flags: str | Path, **environment: str) -> Ran:
    """Check an application with the key of the first organisation, unless flags name another one."""
    key = () if "--api-key" in flags else ("--api-key", "good-key-one")
    return ran("check", "--base-url", URL, "--org", "1", *key, *flags, ports=ports_to(make), **environment)


__all__ = ["URL", "Make", "Ran", "checked", "closed_pipe", "ports_to", "ran"]
