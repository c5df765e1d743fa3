"""The door to the wire: sends one request to the target, and tells weather from answers."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import requests
import urllib3

from .exchange import Exchange, Headers
from .target import Target

WEATHER: Final = frozenset({429, 502, 503, 504, *range(520, 528), 530})
"""Statuses that a gateway or a limit gives, whoever stands behind it: never a finding."""

LARGEST: Final = 8 << 20
"""Bytes of an answer that are read."""


class Weather(Exception):
    """The request met no answer of the application: unreachable, cut off, limited, or a gateway's word."""


class TimeUp(Exception):
    """The run has used its time."""


class Client:
    """Sends requests to the target and to nobody else."""

    def __init__(self, target: Target, locate: Callable[[str, str], tuple[str | None, str | None]]) -> None:
        self.target = target
        self.timeout = 10.0
        """Seconds that an answer may take."""
        self.deadline = math.inf
        """When the run ends, by `time.monotonic`."""
        self.weather: dict[str, int] = {}
        """What was in the way → how often."""
        self.requests = 0
        self._locate = locate
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no password file: nobody but the target is contacted
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or True

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        chunked: bool = False,
    ) -> Exchange:
        """One request, as given: nothing is added to path, headers or body, no redirect is followed.

        Raises:
            Weather: no answer of the application came.
            TimeUp: the run has ended.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeUp
        url = self.target.base_of(path) + path
        prepared = requests.Request(method, url, headers=dict(headers)).prepare()
        prepared.url = url
        if chunked:
            prepared.headers.pop("Content-Length", None)
            prepared.body, prepared.headers["Transfer-Encoding"] = iter([body or b""]), "chunked"  # type: ignore[assignment]
        elif body is not None:
            prepared.body, prepared.headers["Content-Length"] = body, str(len(body))
        self.requests += 1
        patience = min(self.timeout, left)
        until = time.monotonic() + patience
        try:
            got = self._session.send(
                prepared, timeout=patience, allow_redirects=False, stream=True, verify=self._verify
            )
            answer = self._read(got, until)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._met(_reason(error)) from None
        exchange = self.exchange(prepared, got.status_code, _raw_headers(got), answer, body)
        if exchange.status in WEATHER:
            raise self._met(f"{exchange.status}")
        return exchange

    def _read(self, got: requests.Response, until: float) -> bytes:
        """The body of an answer, as long as it comes in time and has an end."""
        answer = bytearray()
        for piece in got.iter_content(1 << 16):
            answer += piece
            if len(answer) > LARGEST:
                got.close()
                raise self._met("an answer of more than 8 MiB")
            if time.monotonic() > until:
                got.close()
                raise self._met("no answer in time")
        return bytes(answer)

    def exchange(
        self,
        request: requests.PreparedRequest,
        status: int,
        headers: Headers,
        answer: bytes,
        body: bytes | None,
    ) -> Exchange:
        """The exchange of a request that was sent."""
        url = str(request.url)
        operation, path = self._locate(str(request.method), url)
        sent = tuple((str(name), _text(value)) for name, value in request.headers.items())
        return Exchange(str(request.method), url, sent, body, status, headers, answer, operation, path)

    def note_weather(self, reason: str) -> None:
        """Count what was in the way of a request that somebody else sent."""
        self.weather[reason] = self.weather.get(reason, 0) + 1

    def _met(self, reason: str) -> Weather:
        self.note_weather(reason)
        return Weather(reason)


def _raw_headers(got: requests.Response) -> Headers:
    return tuple((str(name), str(value)) for name, value in got.raw.headers.items())


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _reason(error: BaseException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS failed"
    text = str(error)
    if "Connection refused" in text or "NewConnectionError" in text or "Name or service" in text:
        return "connection refused" if "refused" in text else "cannot connect"
    return "connection cut off"


__all__ = ["WEATHER", "Client", "TimeUp", "Weather"]
