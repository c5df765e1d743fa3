"""What keeps an answer of the application from arriving: its kinds, and how often each was met.

Interference is never held against the target; a run in which there was too much of it proves nothing.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

import urllib3

from ..core.exchange import Exchange
from .tls import tls_kind

CUT_OFF: Final = "connection cut off"
"""The one kind that may be the application's own doing, when it meets one request and no other."""
TOO_SLOW: Final = "no answer in time"
NO_PROXY: Final = "the proxy cannot be reached"
LARGEST: Final = 8 << 20
"""Bytes of an answer that are read: a hundred times what any documented answer has, and no strain on memory."""
TOO_LONG: Final = f"an answer of more than {LARGEST >> 20} MiB"
NOT_HTTP: Final = "an answer that is not HTTP"
"""What our reader of HTTP does not understand, another one may: it is held against no target."""


class Interference(Exception):
    """No answer of the application arrived; the text is the kind: unreachable, cut off, limited, a gateway's status."""


class Unreachable(Interference):
    """No connection could be made, so that no request was sent."""


class UnusableAnswer(Interference):
    """An answer began and cannot be used: it is too long, ends too early, or is not HTTP.

    So it is not said of this request that no answer comes.
    """


class UnreadAnswer(Interference):
    """An answer arrived, and its body cannot be read; its status and headers can be judged."""

    def __init__(self, kind: str, exchange: Exchange) -> None:
        super().__init__(kind)
        self.exchange = exchange


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
    causes = list(_causes(error))
    if any(isinstance(one, urllib3.exceptions.TimeoutError | TimeoutError) for one in causes) and not any(
        isinstance(one, urllib3.exceptions.NewConnectionError) for one in causes
    ):
        return TOO_SLOW
    for one in causes:
        if isinstance(one, ssl.SSLError) and not isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return tls_kind(one)
    if any(isinstance(one, http.client.HTTPException | ValueError) for one in causes) and not any(
        isinstance(one, OSError | http.client.IncompleteRead) for one in causes
    ):
        return NOT_HTTP
    text = f"{error} {error.__cause__ or ''}"
    if refused := re.search(r"Tunnel connection failed: (\d{3})", text):
        return f"the proxy answers {refused[1]}"
    if isinstance(error, urllib3.exceptions.ProxyError):
        return NO_PROXY
    if isinstance(error, urllib3.exceptions.NewConnectionError | ConnectionRefusedError) or "refused" in text:
        return "connection refused" if "refused" in text else "cannot connect"
    return CUT_OFF


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those that it was made of."""
    yield error
    for one in (*error.args, error.__cause__):
        if isinstance(one, BaseException) and one is not error:
            yield from _causes(one)


__all__ = [
    "CUT_OFF",
    "LARGEST",
    "NOT_HTTP",
    "NO_PROXY",
    "TOO_LONG",
    "TOO_SLOW",
    "Interference",
    "InterferenceCount",
    "Unreachable",
    "UnreadAnswer",
    "UnusableAnswer",
    "kind_of",
]
