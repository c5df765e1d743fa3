"""What keeps an answer of the application from arriving: its kinds, and how often each was met.

Interference is never held against the target; a run in which there was too much of it proves nothing.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Final

import urllib3

CUT_OFF: Final = "connection cut off"
"""The one kind that may be the application's own doing, when it meets one request and no other."""
TOO_SLOW: Final = "no answer in time"
NO_PROXY: Final = "the proxy cannot be reached"
LARGEST: Final = 8 << 20
"""Bytes of an answer that are read: a hundred times what any documented answer has, and no strain on memory."""
TOO_LONG: Final = f"an answer of more than {LARGEST >> 20} MiB"


class Interference(Exception):
    """No answer of the application arrived; the text is the kind: unreachable, cut off, limited, a gateway's status."""


class UnusableAnswer(Interference):
    """An answer began and cannot be used: it is too long, or ends within its head."""


class InterferenceCount:
    """Counts how often each kind of interference was met in a run, an earlier part of the same run included."""

    def __init__(self, earlier: Mapping[str, int]) -> None:
        self._counts = dict(earlier)

    def note(self, kind: str) -> None:
        """Count one request that met this kind."""
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def met(self, kind: str) -> Interference:
        """Count one request that met this kind, and return the exception that says so."""
        self.note(kind)
        return Interference(kind)

    def take_back(self, kind: str, times: int) -> None:
        """Count so many requests less, as it was the application that met them with this kind."""
        self._counts[kind] -= times
        if self._counts[kind] <= 0:
            del self._counts[kind]

    def counts(self) -> dict[str, int]:
        """Return a copy: kind → how often it was met."""
        return dict(self._counts)


def kind_of(error: BaseException) -> str:
    """Return the kind of interference that an error of urllib3, http.client or a socket is."""
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return TOO_SLOW
    if isinstance(error, urllib3.exceptions.SSLError | ssl.SSLError):
        return "TLS failed"
    text = f"{error} {error.__cause__ or ''}"
    if refused := re.search(r"Tunnel connection failed: (\d+)", text):
        return f"the proxy answers {refused[1]}"
    if isinstance(error, urllib3.exceptions.ProxyError):
        return NO_PROXY
    if isinstance(error, urllib3.exceptions.NewConnectionError | ConnectionRefusedError) or "refused" in text:
        return "connection refused" if "refused" in text else "cannot connect"
    return CUT_OFF


__all__ = [
    "CUT_OFF",
    "LARGEST",
    "NO_PROXY",
    "TOO_LONG",
    "TOO_SLOW",
    "Interference",
    "InterferenceCount",
    "UnusableAnswer",
    "kind_of",
]
