"""Which hosts this process looks up and connects to while a block runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_LISTENING: list[list[str]] = []
"""A list of hosts for each block that runs."""


@contextmanager
def contacted() -> Iterator[list[str]]:
    """Yield the hosts that are looked up or connected to in this block, in any thread."""
    _listen()
    hosts: list[str] = []
    _LISTENING.append(hosts)
    try:
        yield hosts
    finally:
        _LISTENING.remove(hosts)


@cache
def _listen() -> None:
    """Hear of every use of a socket, once for this process: such a hook stays for good."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _LISTENING and event in ("socket.connect", "socket.getaddrinfo"):
        host = arguments[0] if event == "socket.getaddrinfo" else arguments[1][0]
        for hosts in _LISTENING:
            hosts.append(str(host))


__all__ = ["contacted"]
