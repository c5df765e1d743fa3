"""Sends what Schemathesis generates through the client of the run: its limits, its clock and its transport hold for it too."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from schemathesis.specs.openapi.schemas import OpenApiSchema
from schemathesis.transport.requests import (
    REQUESTS_TRANSPORT,
    ManagedCookiesSession,
    RequestsTransport,
)

from ..core.exchange import LONG_ANSWER, Headers
from ..core.target import Target
from ..transport.interference import Interference, UnreadAnswer
from ..transport.throttle import TimeUp
from ..transport.wire import Request

if TYPE_CHECKING:
    from .schemathesis_hooks import Aim

_NOT_SENT: Final = {"content-length", "transfer-encoding", "x-schemathesis-testcaseid"}
"""Headers that the transport of the run writes itself, and one that is random: runs of one seed send the same."""
_PAUSE: Final = 0.5
"""Seconds between two tries while the target is away."""
_ENCODED: Final = {"content-encoding", "transfer-encoding"}
"""Headers of an answer that no longer say how its body is encoded, as the client has decoded it."""


class ClientTransport(RequestsTransport):
    """Schemathesis's transport, with the client of a run in the place of connections."""

    def __init__(self, aim: Aim, is_over: Callable[[], bool]) -> None:
        """Send for `aim`, and nothing once `is_over` says so."""
        super().__init__()
        self._copy_serializers_from(REQUESTS_TRANSPORT)
        self.is_over = is_over
        adapter = _ClientAdapter(aim, is_over)
        self._session = ManagedCookiesSession()  # keeps no cookie from one request to the next
        self._session.trust_env = False  # no proxy and no password file of the user
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(self, case: Any, *, session: requests.Session | None = None, **more: Any) -> Any:
        """Send a generated request; `session` has the headers that go with every one.

        Raises:
            requests.ConnectionError: it met interference, which is noted.
            TimeUp: the run has ended, or a budget is used up.
        """
        self._session.headers = session.headers if session is not None else CaseInsensitiveDict()
        return super().send(case, session=self._session, **more)


class _ClientAdapter(HTTPAdapter):
    """Hands prepared requests to the client of a run, and its answers to Requests."""

    def __init__(self, aim: Aim, is_over: Callable[[], bool]) -> None:
        super().__init__()
        self._aim = aim
        self._is_over = is_over
        self._lost = False
        """Whether the last request met interference."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Send one request as it was prepared."""
        client = self._aim.client
        if self._is_over():
            raise TimeUp
        sent = _request_of(request, client.target)
        met, unread = "", None
        try:
            exchange = self._aim.answered = client.send(sent)
        except Interference as interference:
            met = str(interference)
            unread = interference.exchange if isinstance(interference, UnreadAnswer) else None
        lost_before, self._lost = self._lost, bool(met) and unread is None
        if met:
            self._aim.lose_track_of(unread or client.unanswered(sent))
            if lost_before:
                client.throttle.pause(_PAUSE)
            # Raised outside of the handler: where it finds a refusal behind an error, Schemathesis connects by itself.
            raise requests.ConnectionError(met, request=request)
        headers = [pair for pair in exchange.answer_headers if pair[0].lower() not in _ENCODED]
        answer = urllib3.HTTPResponse(
            io.BytesIO(exchange.answer if len(exchange.answer) <= LONG_ANSWER else b""),
            urllib3.HTTPHeaderDict(headers),
            exchange.status,
            preload_content=False,
        )
        return self.build_response(request, answer)

    def close(self) -> None:
        """Do nothing: the connections are the client's."""


def _request_of(request: requests.PreparedRequest, target: Target) -> Request:
    """Return a prepared request as the client takes it: its path below the target's URL, without some headers."""
    parts = urlsplit(str(request.url))
    base = urlsplit(target.base_url).path
    path = f"{parts.path.removeprefix(base)}{f'?{parts.query}' if parts.query else ''}"
    body = request.body
    headers: Headers = tuple(
        (str(name), value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in request.headers.items()
        if name.lower() not in _NOT_SENT
    )
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
    return Request(str(request.method), path, headers, content)


def schema_through(transport: ClientTransport, schema: OpenApiSchema) -> OpenApiSchema:
    """Return the schema, whose requests go through this transport from now on."""

    class Schema(OpenApiSchema):
        @property
        def transport(self) -> ClientTransport:
            return transport

    schema.__class__ = Schema
    return schema


__all__ = ["ClientTransport", "schema_through"]
